"""Domains that fail too often are left alone for a while.

Put the success ratio here. Do not put delivery here. Source: facts/bigcommerce.md 6.4: over a sliding window of
2 minutes, counted from 100 requests on; below 90 % the domain rests for 3 minutes. All addresses of one domain
share its fate. Both times are scaled like the waits between deliveries.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.settings import ShopSettings

WINDOW_SECONDS = 120.0
REST_SECONDS = 180.0
LEAST_REQUESTS = 100
LEAST_RATIO = 0.9


class Blocklist:
    """What came of the last requests to each domain."""

    def __init__(self, settings: ShopSettings) -> None:
        self._settings = settings
        self._results: dict[str, deque[tuple[float, bool]]] = {}
        self._reasons: dict[str, Counter[str]] = {}
        self._failed: Counter[str] = Counter()
        self._until: dict[str, float] = {}

    def count(self, domain: str, *, good: bool, why: str) -> None:
        """Note a request; the domain may rest from now on."""
        now, scale = time.monotonic(), self._settings.retry_scale
        results = self._results.setdefault(domain, deque())
        results.append((now, good))
        if not good:
            self._reasons.setdefault(domain, Counter())[why] += 1
            self._failed[domain] += 1
        while results and results[0][0] < now - WINDOW_SECONDS * scale:
            self._failed[domain] -= not results.popleft()[1]
        passed = len(results) - self._failed[domain]
        if len(results) >= LEAST_REQUESTS and passed < LEAST_RATIO * len(results):
            self._until[domain] = now + REST_SECONDS * scale
            results.clear()
            self._failed[domain] = 0

    def blocked(self, domain: str) -> bool:
        """Whether a domain rests."""
        return time.monotonic() < self._until.get(domain, 0.0)

    def shown(self) -> list[dict[str, Any]]:
        """`blocked_domains` of /v3/hooks/admin."""
        now = time.monotonic()
        return [
            {
                "destination": domain,
                "time_left": int(until - now) + 1,
                "reasons": [
                    {"failure_description": why, "count": count, "timestamp": int(time.time())}
                    for why, count in self._reasons.get(domain, Counter()).items()
                ],
            }
            for domain, until in self._until.items()
            if until > now
        ]
