"""Accounting periods: on which day a record may be posted when its own day lies in a closed one.

Put the choice of the day here. Do not put the reading of periods here, nor what is posted. Closed: nobody posts;
locked: only roles that our role must not have (facts/netsuite.md 4), so it is closed to us as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Period:
    """One posting period, both days included. `open` is whether our role may post in it."""

    start: date
    end: date
    open: bool


def is_open(day: date, periods: Iterable[Period]) -> bool:
    """Whether a record of that day can be posted; a day of no period is a day of no open one."""
    return any(one.open and one.start <= day <= one.end for one in periods)


def next_open_day(day: date, periods: Iterable[Period]) -> date | None:
    """`day` where it is open, else the first day after it that is; None where no later period is open."""
    later = (max(day, one.start) for one in periods if one.open and one.end >= day)
    return min(later, default=None)
