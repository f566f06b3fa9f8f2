from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.intake import (
    Listed,
    Window,
    advanced,
    certify,
    cursor_value,
    missing_orders,
    next_window,
    read_cursor,
)

EPOCH = datetime(2026, 3, 1, tzinfo=UTC)
OVERLAP = timedelta(minutes=5)
HOUR = timedelta(hours=1)


def at(minutes: float) -> datetime:
    return EPOCH + timedelta(minutes=minutes)


def test_the_first_window_begins_where_reading_may_begin_and_ends_now() -> None:
    assert next_window(None, at(60), OVERLAP, at(0)) == Window(at(0), at(60))


def test_a_later_window_begins_before_the_cursor_by_the_overlap() -> None:
    assert next_window(at(60), at(70), OVERLAP, at(0)) == Window(at(55), at(70))


def test_the_overlap_never_reaches_back_before_the_first_moment() -> None:
    assert next_window(at(2), at(70), OVERLAP, at(0)) == Window(at(0), at(70))


def test_there_is_nothing_to_read_before_the_first_moment_has_come() -> None:
    assert next_window(None, at(0), OVERLAP, at(0)) is None
    assert next_window(None, at(0), OVERLAP, at(10)) is None


def test_a_long_outage_is_caught_up_with_in_portions() -> None:
    assert next_window(at(60), at(6000), OVERLAP, at(0), longest=HOUR) == Window(at(55), at(120))


def test_a_window_needs_times_with_a_zone_in_their_order() -> None:
    with pytest.raises(ValueError, match="zone"):
        Window(EPOCH.replace(tzinfo=None), at(1))
    with pytest.raises(ValueError, match="after"):
        Window(at(1), at(1))


def test_a_window_is_half_open() -> None:
    window = Window(at(0), at(1))
    assert at(0) in window
    assert at(1) not in window


def test_a_read_that_stops_within_the_overlap_does_not_move_the_cursor_back() -> None:
    window = Window(at(55), at(70))
    assert advanced(at(60), window, at(57)) == at(60)
    assert advanced(at(60), window, at(65)) == at(65)
    assert advanced(at(60), window) == at(70)
    assert advanced(at(60), window, at(99)) == at(70)


def test_a_cursor_ahead_of_a_clock_that_was_put_back_comes_back_to_it() -> None:
    window = next_window(at(500), at(70), OVERLAP, at(0))
    assert window == Window(at(65), at(70))
    assert advanced(at(500), window) == at(70)


@given(
    st.lists(st.integers(0, 3000), max_size=40),
    st.lists(
        st.tuples(st.integers(1, 400), st.none() | st.floats(0, 1), st.booleans()), min_size=1, max_size=25
    ),
    st.integers(0, 30),
)
def test_no_change_is_missed_however_reads_stop_or_pause(
    changes: list[int], reads: list[tuple[int, float | None, bool]], late: int
) -> None:
    """A change shows up to `late` minutes late, reads stop anywhere, and some of them never commit."""
    seen: set[int] = set()
    cursor: datetime | None = None
    now = 0
    overlap = timedelta(minutes=late)
    for pause, stop, commits in [*reads, (4000, None, True), (late + 1, None, True)]:
        now += pause
        window = next_window(cursor, at(now), overlap, at(0))
        assert window is not None
        reach = window.until if stop is None else window.start + (window.until - window.start) * stop
        got = {one for one in changes if window.start <= at(one) < reach and one + late <= now}
        if commits:
            seen |= got
            cursor = advanced(cursor, window, reach)
    assert seen == {one for one in changes if one < now}


@given(st.datetimes(timezones=st.just(UTC)) | st.datetimes(timezones=st.just(timezone(timedelta(hours=9)))))
def test_a_cursor_comes_back_as_it_was_written(moment: datetime) -> None:
    assert read_cursor(json.loads(json.dumps(cursor_value(moment)))) == moment


def test_an_old_cursor_is_understood_and_an_unknown_one_reads_anew() -> None:
    assert read_cursor("2026-03-01T00:00:00") == EPOCH
    assert read_cursor("2026-03-01T01:00:00+01:00") == EPOCH
    for value in (None, "", "yesterday", 7, [], {}, {"until": None}, {"version": 9, "at": "2026-03-01"}):
        assert read_cursor(value) is None


def listed(order_id: int, minutes: float, status: int = 11) -> Listed:
    return Listed(order_id, status, Decimal("116.73"), "USD", at(minutes))


def test_an_eligible_order_of_an_hour_ago_without_a_row_is_missing_with_amount_and_age() -> None:
    rows = [listed(3, 30), listed(1, 0), listed(2, 1), listed(4, 0, status=0), listed(5, 0), listed(1, 0)]
    found = missing_orders(rows, {2}, at(60), HOUR, {11})
    assert [one.order_id for one in found] == [1, 5]
    assert found[0].sentence == (
        "Order 1 over 116.73 USD was placed 60 minutes ago, and nothing has taken it in."
    )


def test_a_certificate_is_complete_only_where_every_id_of_the_store_arrived() -> None:
    window = Window(at(0), at(60))
    whole = certify("order", window, [3, 1, 2, 2], {1, 2, 3, 9}, cause="hook 7 was off")
    assert (whole.complete, whole.in_store, whole.in_inbox, whole.missing) == (True, 3, 3, ())
    part = certify("order", window, [1, 2, 3], {1, 3})
    assert (part.complete, part.in_inbox, part.missing) == (False, 2, (2,))
    assert part.document()["missing"] == [2]


def test_the_digest_of_a_certificate_can_be_recomputed_from_its_ids() -> None:
    made = certify("order", Window(at(0), at(60)), {2, 1}, {1})
    text = (
        '{"from":"2026-03-01T00:00:00+00:00","missing":[2],"resource":"order","store":[1,2],'
        '"until":"2026-03-01T01:00:00+00:00"}'
    )
    assert made.digest == hashlib.sha256(text.encode()).hexdigest()


@given(st.sets(st.integers(1, 50)), st.sets(st.integers(1, 50)))
def test_a_certificate_names_exactly_what_did_not_arrive(store: set[int], inbox: set[int]) -> None:
    made = certify("order", Window(at(0), at(1)), store, inbox)
    assert set(made.missing) == store - inbox
    assert made.in_inbox + len(made.missing) == made.in_store
