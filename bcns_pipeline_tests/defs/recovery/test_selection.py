"""How a person names orders, and the places where another connector puts their numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bcns_pipeline.defs.recovery.adoption import Way, parse_ways
from bcns_pipeline.defs.recovery.selection import Selection, parse_selection
from bcns_pipeline.rules.faults import BadInput


def test_ids_are_read_from_any_list_of_numbers() -> None:
    assert parse_selection(orders="1001, 1002\n1003;1001").orders == (1001, 1002, 1003, 1001)


def test_a_day_begins_in_the_zone_of_the_store() -> None:
    found = parse_selection(since="2026-11-20", until="2026-11-21T00:00Z", zone="America/New_York")

    assert found.since is not None
    assert found.since.astimezone(UTC) == datetime(2026, 11, 20, 5, tzinfo=UTC)
    assert found.until == datetime(2026, 11, 21, tzinfo=UTC)


def test_a_query_is_read_by_type_and_may_be_narrowed_by_time() -> None:
    found = parse_selection(query="status_id=11 and day=2026-11-20, currency=USD", since="2026-11-01")

    assert found.query == {"status_id": 11, "day": date(2026, 11, 20), "currency": "USD"}
    assert found.since is not None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "one way"),
        ({"orders": "1001", "code": "ITEM_UNMAPPED"}, "one way"),
        ({"orders": "1001", "since": "2026-11-20"}, "one way"),
        ({"orders": "10x"}, "no order id"),
        ({"query": "email=a@b.c"}, "no term of a query"),
        ({"query": "status_id=eleven"}, "can't be the value of status_id"),
        ({"since": "yesterday"}, "no moment"),
        ({"since": "2026-11-21", "until": "2026-11-20"}, "window is empty"),
        ({"until": "2026-11-20"}, "since is missing"),
    ],
)
def test_what_can_not_be_meant_is_refused_in_a_sentence(words: dict[str, str], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_selection(**words)
    assert said in " ".join(refused.value.faults)


def test_a_code_is_meant_whatever_its_case() -> None:
    assert parse_selection(code="item_unmapped") == Selection(code="ITEM_UNMAPPED")


def test_places_of_a_foreign_number_are_read_in_order() -> None:
    assert parse_ways("externalid:WEB-{id}, otherrefnum, field:custbody_web:A{id}Z") == [
        Way("externalid", "WEB-{id}"),
        Way("otherrefnum"),
        Way("custbody_web", "A{id}Z"),
    ]
    assert Way("externalid", "WEB-{id}").value(7) == "WEB-7"


@pytest.mark.parametrize("text", ["", "memo", "externalid:WEB", "field:entity", "field:custbody_x; drop"])
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_ways(text)
