"""Paging never loses, doubles or invents a row, whatever NetSuite leaves out of its answers."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.clients.netsuite.levels import LevelRow, read_levels_page
from bcns_pipeline.clients.netsuite.suiteql import read_page
from bcns_pipeline.outcomes import Rejected, Unauthorised, Unavailable
from bcns_pipeline_tests.clients.fakes import Script
from bcns_pipeline_tests.clients.netsuite_double import NetSuiteDouble, netsuite

ITEMS = "SELECT id FROM item WHERE id > ? ORDER BY id ASC"


def page(**body: Any) -> bytes:
    return json.dumps(body).encode()


def ids(client: NetSuiteClient, limit: int) -> list[int]:
    pages = client.keyset(ITEMS, (0,), lambda after: [after[0]], lambda row: (int(row["id"]),), limit=limit)
    return [int(row["id"]) for found in pages for row in found.rows]


def scripted(pem: str, *answers: httpx.Response) -> NetSuiteClient:
    token = httpx.Response(200, json={"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
    return netsuite(Script(token, *answers), pem)[0]


def test_keys_in_any_case_and_omitted_nulls_read_alike() -> None:
    one = read_page(
        page(items=[{"links": [], "ID": "1", "ItemId": None}, {"id": "2", "itemid": "A"}]), 1000, 0
    )
    assert one.rows == [{"id": "1"}, {"id": "2", "itemid": "A"}]
    assert one.column("itemid") == [None, "A"]


def test_numbers_and_booleans_become_the_text_that_netsuite_would_write() -> None:
    body = b'{"items": [{"qty": 12, "rate": 0.10, "big": 1234567890123, "inactive": true}], "hasMore": false}'
    assert read_page(body, 1000, 0).rows == [
        {"qty": "12", "rate": "0.10", "big": "1234567890123", "inactive": "T"}
    ]


@pytest.mark.parametrize(
    "body",
    [
        b'{"items": [{"links": [], "item_id": "7", "sku": "A", "available": "1.50"}], "hasMore": true}',
        b'{"items": [{"links": [], "ITEM_ID": "7", "Sku": "A", "AVAILABLE": "1.50"}], "hasMore": true}',
        b'{"items": [{"item_id": 7, "sku": "A", "available": 1.50, "on_hand": null}], "hasMore": true}',
        b'{"count": 1, "items": [{"item_id": "7", "sku": "A", "available": "1.50"}], "totalResults": 9}',
        b'[{"item_id": "7", "sku": "A", "available": "1.50"}]',
    ],
)
def test_a_row_of_stock_is_the_same_in_whatever_way_netsuite_writes_it(body: bytes) -> None:
    found = read_levels_page(body, 1, 0)
    assert found.rows == [LevelRow(item_id=7, sku="A", available="1.50")]
    assert (found.has_more, found.body) == (True, body)


@pytest.mark.parametrize(
    "body",
    [
        page(items=[{"sku": "A"}], hasMore=False),
        page(items=[{"item_id": "seven"}], hasMore=False),
        page(items=[{"item_id": "7", "sku": {}}], hasMore=False),
        b'{"items": [{"item_id": "7"',
    ],
)
def test_a_row_of_stock_without_its_item_is_not_a_row(body: bytes) -> None:
    with pytest.raises(ValueError):
        read_levels_page(body, 1000, 0)


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (page(items=[{"id": "1"}], hasMore=True), True),
        (page(items=[{"id": "1"}], hasMore=False, totalResults=99), False),
        (page(items=[{"id": "1"}], totalResults=11), False),
        (page(items=[{"id": "1"}], totalResults=12), True),
        (page(items=[{"id": "1"}]), True),
        (page(items=[]), False),
        (page(count=0, hasMore=False), False),
        (b"[]", False),
    ],
)
def test_whether_more_follows_is_known_without_has_more(body: bytes, more: bool) -> None:
    assert read_page(body, 1, 10).has_more is more


@pytest.mark.parametrize(
    "body", [b"{}", b'"x"', b'{"items": 5}', b'{"items": [5]}', b'{"items": [{"a": {}}]}', b"<"]
)
def test_an_answer_of_another_shape_is_not_an_empty_page(body: bytes) -> None:
    with pytest.raises(ValueError):
        read_page(body, 1000, 0)


def test_a_204_is_an_empty_page(pem: str) -> None:
    assert scripted(pem, httpx.Response(204)).suiteql("SELECT 1 FROM dual").rows == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
def test_key_paging_reads_every_row_once_at_any_page_size(
    double: NetSuiteDouble, client: NetSuiteClient, limit: int
) -> None:
    for n in range(1, 8):
        double.item(n * 10, f"SKU-{n}")
    assert ids(client, limit) == [10, 20, 30, 40, 50, 60, 70]
    assert len(double.queries) == -(-7 // limit)


def test_parameters_are_bound_as_text_and_never_part_of_the_query(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    double.item(1, "O'Brien -- ?")
    found = client.suiteql("SELECT id FROM item WHERE itemid = ? AND id = ?", ["O'Brien -- ?", 1])
    assert found.rows == [{"id": "1"}]
    assert double.queries[-1][1] == ["O'Brien -- ?", "1"]


def test_paging_by_offset_stops_where_it_must(double: NetSuiteDouble, client: NetSuiteClient) -> None:
    for n in range(5):
        double.item(n, f"SKU-{n}")
    pages = list(client.suiteql_all("SELECT id FROM item ORDER BY id ASC", limit=2))
    assert [len(found.rows) for found in pages] == [2, 2, 1]
    with pytest.raises(ValueError, match="divides the offset"):
        client.suiteql("SELECT 1 FROM dual", limit=10, offset=5)


def test_a_list_beyond_the_ceiling_is_an_error_and_not_a_cut_off_list(pem: str) -> None:
    answer = httpx.Response(200, json={"items": [{"id": "1"}], "hasMore": True, "totalResults": 100_001})
    with pytest.raises(Rejected, match="TOO_MANY_ROWS"):
        list(scripted(pem, answer).suiteql_all("SELECT id FROM item ORDER BY id ASC"))


@pytest.mark.parametrize(
    "answer",
    [
        {"items": [{"id": "5"}], "hasMore": True},
        {"items": [], "hasMore": True},
    ],
)
def test_a_walk_in_circles_is_noticed(pem: str, answer: dict[str, Any]) -> None:
    stuck = httpx.Response(200, json=answer)
    with pytest.raises(Unavailable, match="circles"):
        ids(scripted(pem, stuck), 1)
    with pytest.raises(Unavailable, match="circles"):
        list(scripted(pem, stuck).suiteql_all("SELECT id FROM item ORDER BY id ASC", limit=1))


def test_a_row_without_its_key_is_an_outside_error(pem: str) -> None:
    answer = httpx.Response(200, json={"items": [{"sku": "A"}], "hasMore": False})
    with pytest.raises(Unavailable, match="another shape"):
        ids(scripted(pem, answer), 1000)


def test_an_unknown_column_is_permanent_and_told_in_netsuites_words(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    with pytest.raises(Rejected, match="Unknown identifier 'nexus'") as caught:
        client.suiteql("SELECT nexus FROM item")
    assert (caught.value.status, caught.value.code) == (400, "INVALID_PARAMETER")
    assert len(double.queries) == 1
    assert "nexus" in str(client.has("item", ["nexus"]))


@pytest.mark.parametrize("status", [400, 403])
def test_a_missing_permission_is_for_a_person(pem: str, status: int) -> None:
    detail = "Your current role does not have permission to perform this action."
    body = {"o:errorDetails": [{"detail": detail, "o:errorCode": "USER_ERROR"}]}
    with pytest.raises(Unauthorised, match="does not have permission"):
        scripted(pem, httpx.Response(status, json=body)).suiteql("SELECT 1 FROM dual")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(429, json={"title": "Bad Request", "o:errorDetails": [{"o:errorCode": "USER_ERROR"}]}),
        httpx.Response(400, json={"o:errorDetails": [{"o:errorCode": "SSS_REQUEST_LIMIT_EXCEEDED"}]}),
        httpx.Response(400, json={"o:errorCode": "CONCURRENCY_LIMIT_EXCEEDED", "detail": "Too many."}),
        httpx.Response(500, json={"o:errorDetails": [{"detail": "x", "o:errorCode": "UNEXPECTED_ERROR"}]}),
        httpx.Response(502, html="<html>Bad gateway</html>"),
        httpx.Response(200, content=b'{"items": [{"id": "1"'),
    ],
    ids=str,
)
def test_overload_and_broken_answers_are_waited_out(pem: str, answer: httpx.Response) -> None:
    good = httpx.Response(200, json={"items": [{"id": "1"}], "hasMore": False})
    assert scripted(pem, answer, good).suiteql("SELECT 1 FROM dual").rows == [{"id": "1"}]


def test_the_clock_is_netsuites_own(pem: str) -> None:
    answer = httpx.Response(
        200, json={"items": [{"links": [], "NOW": "2026-11-21 01:02:03"}], "hasMore": False}
    )
    assert scripted(pem, answer).clock() == "2026-11-21 01:02:03"
