from __future__ import annotations

import pandas as pd

from bcns_pipeline.rules.inventory.breaker import trips
from bcns_pipeline.rules.inventory.policy import Breaker

LIMITS = Breaker(max_changed_percent=30, max_oversold_percent=2, min_changed=10)


def lines(**counts: int) -> pd.DataFrame:
    """So many lines of each reason, confirmed before except the new ones."""
    rows = [(name, -1 if name == "new" else 5) for name, count in counts.items() for _ in range(count)]
    return pd.DataFrame(rows, columns=["reason", "old"])


def test_more_than_the_set_share_trips_and_the_share_itself_does_not() -> None:
    assert trips(lines(changed=30), 100, LIMITS) is None
    assert trips(lines(changed=20, deactivated=11), 100, LIMITS) == (
        "This run would change 31 of 100 confirmed values (31.0 %), and 30 % is the limit: "
        "nothing is sent until a person has looked and approved."
    )


def test_a_first_load_never_trips() -> None:
    assert trips(lines(new=100_000), 0, LIMITS) is None


def test_a_handful_of_lines_never_trips() -> None:
    assert trips(lines(changed=9), 9, LIMITS) is None
    assert trips(lines(changed=10), 10, LIMITS) is not None


def test_the_share_is_of_the_catalogue_and_not_of_what_was_read() -> None:
    assert trips(lines(changed=50), 10_000, LIMITS) is None


def test_too_many_live_values_above_sellable_trip() -> None:
    assert trips(lines(live_above=20), 5_000, LIMITS, seen=1_000) is None
    said = trips(lines(live_above=21), 5_000, LIMITS, seen=1_000)
    assert said is not None
    assert "sell more than there is for 21 of 1,000 values looked at (2.1 %)" in said


def test_both_limits_are_named_at_once() -> None:
    said = trips(lines(changed=60, live_above=30), 100, LIMITS)
    assert said is not None
    assert "change 60 of 100" in said
    assert "for 30 of 100" in said


def test_what_a_person_raised_does_not_count() -> None:
    assert trips(lines(raised_by_approval=100, unsettled=100, sold_or_drifted=100), 100, LIMITS) is None
