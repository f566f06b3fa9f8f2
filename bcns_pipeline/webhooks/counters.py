"""What this process has answered since it started, for `/healthz` and whoever scrapes it.

Put counting here. Names are made of our own words only, never of what a sender wrote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

# Scopes are BigCommerce's words; only the first so many get a counter of their own.
MOST_SCOPES = 100


class Counters:
    """Counts by name, e.g. "bigcommerce.taken" or "bigcommerce.refused.header_wrong". One thread only."""

    def __init__(self) -> None:
        self.since = datetime.now(UTC)
        self._counts: Counter[str] = Counter()
        self._scopes: Counter[str] = Counter()
        self._proofs: Counter[str] = Counter()

    def add(self, name: str) -> None:
        """One more of `name`."""
        self._counts[name] += 1

    def proofs(self, names: Iterable[str]) -> None:
        """One more genuine call, and what proved it: so it shows which proofs BigCommerce really sends."""
        self._proofs.update(names)

    def scope(self, scope: str) -> None:
        """One more call of a scope that proved itself."""
        known = scope in self._scopes or len(self._scopes) < MOST_SCOPES
        self._scopes[scope if known else "further"] += 1

    def snapshot(self) -> dict[str, object]:
        """As JSON: the tables in order of their names."""
        return {
            "since": self.since.isoformat(timespec="seconds"),
            "answers": dict(sorted(self._counts.items())),
            "proofs": dict(sorted(self._proofs.items())),
            "scopes": dict(sorted(self._scopes.items())),
        }
