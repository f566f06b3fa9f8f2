"""On which day an entry is posted: the day it happened on, or the next open one, and never outside the window.

Put here what periods and the window allow. Do not put reads of periods or a clock here: today is given. A closed
period takes nothing from anybody, a locked one only from roles that may override it, which ours may not; so both
count as not open, and no period is ever opened by us (facts/finance.md 2.6, facts/netsuite.md 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bcns_pipeline.rules.payouts.findings import Finding
from bcns_pipeline.rules.payouts.policy import PayoutPolicy, Window


@dataclass(frozen=True, slots=True)
class Period:
    """One posting period of NetSuite, its days included."""

    name: str
    start: date
    end: date
    closed: bool = False
    locked: bool = False

    @property
    def open(self) -> bool:
        """Whether our role may post into it."""
        return not (self.closed or self.locked)

    @property
    def state(self) -> str:
        """In one word."""
        return "closed" if self.closed else "locked" if self.locked else "open"


@dataclass(frozen=True, slots=True)
class PostingDay:
    """`day` is what the entry carries; `finding` says that it is not the day on which it happened."""

    day: date
    finding: Finding | None = None


def posting_day(
    subject: str, economic: date, periods: Sequence[Period], policy: PayoutPolicy, today: date
) -> PostingDay | Finding:
    """The day for something that happened on `economic`; a blocking Finding where it has to wait.

    `subject` names it in sentences ("Payout po_1"). The window is asked about the day on which it happened, and
    again about the day it moves to.
    """
    outside = window_fault(subject, economic, policy.window, today)
    if outside is not None:
        return outside
    there = period_of(periods, economic)
    if there is not None and there.open:
        return PostingDay(economic)
    why = f"{there.name} is {there.state}" if there else f"NetSuite has no period for {economic}"
    later = next_open_day(periods, economic)
    if policy.closed_period == "park" or later is None:
        way = "it waits" if later else "no later period is open either"
        return Finding(
            "PERIOD_CLOSED", f"{subject} of {economic} can't be posted: {why}, and {way}.", blocks=True
        )
    outside = window_fault(subject, later, policy.window, today)
    if outside is not None:
        return outside
    moved = Finding("CLOSED_PERIOD", f"{subject} of {economic} is posted on {later}: {why}.", blocks=False)
    return PostingDay(later, moved)


def period_of(periods: Sequence[Period], day: date) -> Period | None:
    """The period that a day lies in."""
    return next((one for one in periods if one.start <= day <= one.end), None)


def next_open_day(periods: Sequence[Period], day: date) -> date | None:
    """The first day after `day` that lies in an open period; None where there is none."""
    begins = [max(one.start, day + timedelta(days=1)) for one in periods if one.open and one.end > day]
    return min(begins, default=None)


def window_fault(subject: str, day: date, window: Window, today: date) -> Finding | None:
    """What keeps an entry of that date out of the window."""
    if window.days_back is not None and day < today - timedelta(days=window.days_back):
        said = f"{subject} would carry the date {day}, which is more than {window.days_back} days ago."
    elif day > today + timedelta(days=window.days_ahead):
        said = f"{subject} would carry the date {day}, which is still to come."
    else:
        return None
    return Finding("OUTSIDE_WINDOW", said, blocks=True)
