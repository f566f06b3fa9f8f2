"""The matrix of open, locked and closed periods, and the window around today."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bcns_pipeline.rules.payouts.findings import Finding
from bcns_pipeline.rules.payouts.periods import Period, PostingDay, posting_day
from bcns_pipeline.rules.payouts.policy import PayoutPolicy, Window

MARCH = Period("Mar 2026", date(2026, 3, 1), date(2026, 3, 31))
APRIL = Period("Apr 2026", date(2026, 4, 1), date(2026, 4, 30))
MAY = Period("May 2026", date(2026, 5, 1), date(2026, 5, 31))
ARRIVAL, TODAY = date(2026, 3, 30), date(2026, 5, 20)
PARK = PayoutPolicy(closed_period="park")


def day(*periods: Period, policy: PayoutPolicy | None = None, today: date = TODAY) -> PostingDay | Finding:
    return posting_day("Payout po_1", ARRIVAL, periods, policy or PayoutPolicy(), today)


STATES = ["open", "closed", "locked"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("next_state", STATES)
def test_the_matrix_of_open_locked_and_closed(state: str, next_state: str) -> None:
    """An open period takes the day itself; else the next open day does, and the entry keeps its own."""
    march, april = (
        replace(one, **({} if how == "open" else {how: True}))
        for one, how in ((MARCH, state), (APRIL, next_state))
    )
    found = day(march, april, MAY)
    assert isinstance(found, PostingDay)
    if state == "open":
        assert (found.day, found.finding) == (ARRIVAL, None)
        return
    assert found.day == (date(2026, 4, 1) if next_state == "open" else date(2026, 5, 1))
    assert found.finding is not None
    assert (found.finding.code, found.finding.blocks) == ("CLOSED_PERIOD", False)
    assert f"Mar 2026 is {state}" in found.finding.message


def test_parked_it_waits_and_so_it_does_where_nothing_later_is_open() -> None:
    closed = replace(MARCH, closed=True)
    for found in (day(closed, APRIL, policy=PARK), day(closed), day()):
        assert isinstance(found, Finding)
        assert (found.code, found.blocks) == ("PERIOD_CLOSED", True)


def test_the_order_of_periods_is_no_matter_and_the_sooner_one_wins() -> None:
    found = day(MAY, APRIL, replace(MARCH, locked=True))
    assert isinstance(found, PostingDay)
    assert found.day == date(2026, 4, 1)


def test_nothing_is_posted_outside_the_window() -> None:
    old = day(MARCH, policy=PayoutPolicy(window=Window(days_back=30)))
    soon = day(MARCH, today=date(2026, 3, 29))
    ahead = day(MARCH, today=date(2026, 3, 29), policy=PayoutPolicy(window=Window(days_ahead=1)))
    moved = day(replace(MARCH, closed=True), APRIL, today=date(2026, 3, 31))
    assert [one.code for one in (old, soon, moved) if isinstance(one, Finding)] == ["OUTSIDE_WINDOW"] * 3
    assert ahead == PostingDay(ARRIVAL)
