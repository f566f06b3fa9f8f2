"""When to try again, and how long to wait first.

Put arithmetic over attempts, time and headers here. No HTTP and no sleeping: the transport does both, with
the clock that its tests give it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

_LONGEST_HINT_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Bounds of one operation: exchanges in all, and seconds from the first to the last wait.

    Exponential with full jitter, uniform in [0, min(cap, base * 2**n)]: many clients that failed together do
    not come back together (Oracle asks for exactly that, facts/netsuite.md 3.7).
    """

    attempts: int = 7
    base_seconds: float = 0.5
    cap_seconds: float = 60.0
    total_seconds: float = 180.0

    def backoff(self, attempt: int, uniform: Callable[[float, float], float]) -> float:
        """Seconds to wait after the `attempt`-th exchange (1-based) failed."""
        return uniform(0.0, min(self.cap_seconds, self.base_seconds * 2.0 ** min(attempt, 30)))

    def hinted(self, hint: float, attempt: int, uniform: Callable[[float, float], float]) -> float:
        """Seconds to wait where the other side said how long: never less, and a little apart from others."""
        return hint + uniform(0.0, min(self.base_seconds * attempt, 5.0))


def wait_hint(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds the other side asks us to wait, or None; `headers` have lower-case names, `now` is Unix time.

    `Retry-After` as seconds or HTTP date (against the answer's own `Date`, so that a wrong clock here does no
    harm), BigCommerce's `X-Retry-After`, then its window's reset where the quota is used up. A 429 with quota
    left is a concurrency cap: its window says nothing, so there is no hint (facts/bigcommerce.md 1.3).
    """
    for name in ("retry-after", "x-retry-after"):
        hint = _seconds_or_date(headers.get(name), headers.get("date"), now)
        if hint is not None:
            return hint
    left = _number(headers.get("x-rate-limit-requests-left"))
    reset = _number(headers.get("x-rate-limit-time-reset-ms"))
    if reset is not None and (left is None or left <= 0):
        return _clamp(reset / 1000.0)
    return None


def _seconds_or_date(value: str | None, date: str | None, now: float) -> float | None:
    if value is None:
        return None
    number = _number(value)
    if number is not None:
        return _clamp(number)
    then = _unix_time(value)
    return None if then is None else _clamp(then - (_unix_time(date) or now))


def _unix_time(value: str | None) -> float | None:
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _number(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        number = float(value.strip())
    except ValueError:
        return None
    return number if number == number and number not in (float("inf"), float("-inf")) else None


def _clamp(seconds: float) -> float:
    return max(0.0, min(seconds, _LONGEST_HINT_SECONDS))
