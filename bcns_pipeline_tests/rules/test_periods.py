from __future__ import annotations

from datetime import date

from bcns_pipeline.rules.periods import Period, is_open, next_open_day

MARCH = Period(date(2026, 3, 1), date(2026, 3, 31), False)
APRIL = Period(date(2026, 4, 1), date(2026, 4, 30), False)
MAY = Period(date(2026, 5, 1), date(2026, 5, 31), True)
JULY = Period(date(2026, 7, 1), date(2026, 7, 31), True)


def test_the_first_open_day_is_taken_and_none_before_it() -> None:
    periods = [JULY, MARCH, MAY, APRIL]
    assert next_open_day(date(2026, 3, 15), periods) == date(2026, 5, 1)
    assert next_open_day(date(2026, 5, 15), periods) == date(2026, 5, 15)
    # June has no period at all.
    assert next_open_day(date(2026, 6, 2), periods) == date(2026, 7, 1)
    assert next_open_day(date(2026, 8, 1), periods) is None
    assert next_open_day(date(2026, 3, 15), [MARCH]) is None


def test_a_day_is_open_where_an_open_period_has_it() -> None:
    assert is_open(date(2026, 5, 31), [MAY])
    assert not is_open(date(2026, 3, 31), [MARCH, MAY])
    assert not is_open(date(2026, 6, 1), [MAY, JULY])
