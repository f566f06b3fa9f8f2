from __future__ import annotations

import pytest
from dagster._utils.schedules import is_valid_cron_string
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.schedule import parse_cron


@pytest.mark.parametrize(
    ("line", "minutes"),
    [
        ("7-59/15 * * * *", 15),
        ("*/15 * * * *", 15),
        ("* * * * *", 1),
        ("5,50 * * * *", 45),
        ("23 2 * * *", 24 * 60),
        ("0 8-18 * * *", 14 * 60),
        ("0 9 * * MON-FRI", 3 * 24 * 60),
        ("41 3 * * 0", 7 * 24 * 60),
        ("41 3 * * 7", 7 * 24 * 60),
        ("0 0 1 * *", 31 * 24 * 60),
        ("0 0 1 jan *", 366 * 24 * 60),
    ],
)
def test_the_longest_gap_between_two_slots_is_known(line: str, minutes: int) -> None:
    assert parse_cron(line).longest_gap_minutes() == minutes


@pytest.mark.parametrize(
    "line",
    [
        "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
        "x * * * *", "9-5 * * * *", "*/0 * * * *", "1, * * * *", "*-5 * * * *", "0 0 31 2 *", "0 0 31 apr *",
        "@hourly", "-1 * * * *",
    ],
)  # fmt: skip
def test_a_faulty_line_is_refused_in_one_sentence(line: str) -> None:
    with pytest.raises(ValueError) as refusal:
        parse_cron(line)
    assert "\n" not in str(refusal.value)


fields = [(0, 59), (0, 23), (1, 28), (1, 12), (0, 7)]


def parts(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    step = st.integers(1, high)
    one = st.one_of(
        st.just("*"),
        number.map(str),
        span,
        st.builds("{}/{}".format, span, step),
        st.builds("*/{}".format, step),
    )
    return st.lists(one, min_size=1, max_size=3).map(",".join)


@given(st.tuples(*(parts(low, high) for low, high in fields)).map(" ".join))
def test_every_line_that_we_accept_is_one_that_dagster_accepts(line: str) -> None:
    assert parse_cron(line).longest_gap_minutes() >= 1
    assert is_valid_cron_string(line)
