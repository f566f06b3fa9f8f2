"""Cron lines, understood without a clock: are they sound, and how far apart are two slots at most?

Put the reading of the five fields here. Do not put time zones or "now" here: Dagster decides when a slot
is. What is allowed is what Dagster's own parser allows of it: five fields of numbers, names, lists, ranges
and steps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: Final = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
_PART = re.compile(r"(\*|[0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?(?:/([0-9]{1,2}))?")
_DAY_MINUTES: Final = 24 * 60
_LONGEST_MONTH: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line as sets of numbers; day of week 0 is Sunday. `any_day` says which day fields were `*`."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def longest_gap_minutes(self) -> int:
        """The longest time between two slots, in minutes of a clock that is never changed.

        Freshness is measured against it: a value older than that was missed. Lines that name days of a
        month are taken as a month apart, and those that name months as a year.
        """
        slots = sorted(hour * 60 + minute for hour in self.hours for minute in self.minutes)
        within = max((later - sooner for sooner, later in pairwise(slots)), default=0)
        overnight = slots[0] + _DAY_MINUTES - slots[-1]
        if len(self.months) < 12:
            return max(within, overnight + 365 * _DAY_MINUTES)
        if not self.any_day and self.any_weekday:
            return max(within, overnight + 30 * _DAY_MINUTES)
        if not self.any_weekday:
            week = sorted(self.weekdays)
            days = [later - sooner for sooner, later in zip(week, [*week[1:], week[0] + 7], strict=True)]
            return max(within, overnight + (max(days) - 1) * _DAY_MINUTES)
        return max(within, overnight)


def parse_cron(text: str) -> Cron:
    """Parse five fields; ValueError says in one sentence which of them is wrong and how it is written."""
    words = text.lower().split()
    if len(words) != len(_FIELDS):
        raise ValueError(
            f"{text!r} has {len(words)} fields where a cron line has five (minute, hour, day of month, "
            'month, day of week); write it as in "7-59/15 * * * *"'
        )
    minutes, hours, days, months, weekdays = (
        _field(word, *field) for word, field in zip(words, _FIELDS, strict=True)
    )
    any_day, any_weekday = words[2] == "*", words[4] == "*"
    if any_weekday and not any(day <= _LONGEST_MONTH[month - 1] for day in days for month in months):
        raise ValueError(f"{text!r} names a day that none of its months has; correct day or month")
    return Cron(minutes, hours, days, months, frozenset(day % 7 for day in weekdays), any_day, any_weekday)


def _field(word: str, name: str, low: int, high: int, names: tuple[str, ...]) -> frozenset[int]:
    values: set[int] = set()
    for part in word.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(
                f"{part!r} is no {name} of a cron line; write *, a number, a range or a step such as */15"
            )
        first, last, step = match.groups()
        if first == "*":
            if last is not None:
                raise ValueError(f"{part!r} is no {name} of a cron line; a range needs a number in front")
            start, end = low, high
        else:
            start = _number(first, name, low, high, names)
            # "5/15" is "from 5 on, every 15".
            end = _number(last, name, low, high, names) if last else (high if step else start)
        if end < start:
            raise ValueError(
                f"{part!r} runs backwards as {name} of a cron line; put the smaller number first"
            )
        if step is not None and not 1 <= int(step) <= high:
            raise ValueError(
                f"{part!r} has an impossible step for the {name} of a cron line; use 1 to {high}"
            )
        values.update(range(start, end + 1, int(step or 1)))
    return frozenset(values)


def _number(text: str, name: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + low
    if not text.isdigit() or not low <= int(text) <= high:
        raise ValueError(f"{text!r} is no {name} of a cron line; {low} to {high} are")
    return int(text)
