"""What this process has answered since it started, for `/healthz` and whoever scrapes it.

Put counting here. Names are made of our own words only, never of what a sender wrote.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

# Scopes are BigCommerce's words; only the first so many get a counter of their own.
MOST_SCOPES = 100


class Counters:
    """Counts by name, e.g. "bigcommerce.taken" or "bigcommerce.refused.header_wrong". One thread only."""

    def __init__(self) -> None:
        self.since = datetime.now(UTC)
        self._counts: Counter[str] = Counter()
        self._scopes: Counter[str] = Counter()

    def add(self, name: str) -> None:
        """One more of `name`."""
        self._counts[name] += 1

    def scope(self, scope: str) -> None:
        """One more call of a scope that proved itself."""
        known = scope in self._scopes or len(self._scopes) < MOST_SCOPES
        self._scopes[scope if known else "further"] += 1

    def __getitem__(self, name: str) -> int:
        return self._counts[name]

    def snapshot(self) -> dict[str, object]:
        """As JSON: both tables in order of their names."""
        return {
            "since": self.since.isoformat(timespec="seconds"),
            "answers": dict(sorted(self._counts.items())),
            "scopes": dict(sorted(self._scopes.items())),
        }
