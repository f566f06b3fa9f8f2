"""Keeps us inside BigCommerce's request quota before a 429 says that we left it.

Put the reading of the quota headers and the decision to wait here. It never sleeps and has no clock: the
transport passes the time in and does the waiting, outside the Gate. The plan's figures are not here on
purpose: the quota is shared with every other app of the store, so only the last answer knows what is left.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final, Protocol

_LONGEST_WINDOW_SECONDS: Final = 60.0


class Pacer(Protocol):
    """May the next request go out?"""

    def delay(self, now: float) -> float:
        """Seconds to wait before asking again; 0 = go, and one unit of quota is taken."""
        ...

    def observe(self, headers: Mapping[str, str], now: float) -> None:
        """Learn from an answer's headers (lower-case names)."""
        ...


class QuotaPacer:
    """`X-Rate-Limit-Requests-Left` and `-Time-Reset-Ms` as one counter, shared by all threads of a client.

    `reserve` requests of every window are left to the store's other apps, and `share` of its quota where that is more.
    Without headers (unlimited plans, answers of a gateway) it never waits.
    """

    def __init__(self, reserve: int = 2, share: float = 0.0) -> None:
        self._reserve = reserve
        self._share = share
        self._lock = threading.Lock()
        self._left: int | None = None
        self._reset_at = 0.0

    def delay(self, now: float) -> float:
        """Seconds until the window ends when only the reserve is left, else 0 with one request counted."""
        with self._lock:
            if self._left is None or now >= self._reset_at:
                self._left = None
                return 0.0
            if self._left > self._reserve:
                self._left -= 1
                return 0.0
            return self._reset_at - now

    def observe(self, headers: Mapping[str, str], now: float) -> None:
        """Take the answer's word; in one window the smallest count wins, as answers overtake each other."""
        try:
            left = int(headers["x-rate-limit-requests-left"])
            reset = float(headers["x-rate-limit-time-reset-ms"]) / 1000.0
        except (KeyError, ValueError):
            return
        quota = headers.get("x-rate-limit-requests-quota", "")
        reset_at = now + max(0.0, min(reset, _LONGEST_WINDOW_SECONDS))
        with self._lock:
            same_window = self._left is not None and reset_at <= self._reset_at + 1.0
            self._left = min(left, self._left) if same_window and self._left is not None else left
            self._reset_at = reset_at
            if quota.isdecimal():
                self._reserve = max(self._reserve, int(self._share * int(quota)))
