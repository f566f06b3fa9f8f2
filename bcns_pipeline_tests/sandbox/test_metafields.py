"""Metafields of orders: one by one and in batches, across orders.

Put metafields here. Do not put other notes on an order here (test_orders.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bcns_pipeline.sandbox.bigcommerce.settings import ShopSettings
from bcns_pipeline.sandbox.launch import Sandbox
from bcns_pipeline_tests.contract import require_specs, validate_response

BATCH = "/v3/orders/metafields"
NOTE = {"permission_set": "app_only", "namespace": "netsuite", "key": "id", "value": "5001"}


@pytest.fixture(autouse=True)
def _as_it_was(sandbox: Sandbox) -> Iterator[None]:
    """The shop's settings are put back after each test."""
    yield
    usual = ShopSettings().show()
    sandbox.control.shop_settings(**{k: v for k, v in usual.items() if k != "marketplace"})


@pytest.fixture
def orders(sandbox: Sandbox) -> list[int]:
    """Two orders without notes."""
    return sandbox.control.shop_orders(2, restock=True)


def of(order_id: int, **change: Any) -> dict[str, Any]:
    """A note for a batch."""
    return {**NOTE, "resource_id": order_id, **change}


@pytest.mark.contract
def test_every_answer_is_as_the_official_file_says(shop: httpx.Client, orders: list[int]) -> None:
    require_specs()
    first, second = orders
    mine = f"/v3/orders/{first}/metafields"
    single = shop.post(mine, json=NOTE)
    number = single.json()["data"]["id"]
    whole = shop.post(BATCH, json=[of(second), of(second, key="number")])
    for answer in (
        single,
        whole,
        shop.post(BATCH, json=[of(first), of(first, key="number")]),
        shop.put(BATCH, json=[{**NOTE, "id": number, "value": "5002"}]),
        shop.put(BATCH, json=[{**NOTE, "id": 999_999}]),
        shop.put(f"{mine}/{number}", json={**NOTE, "value": "5003"}),
        shop.post(mine, json=NOTE),
        shop.get(mine),
        shop.get(f"{mine}/{number}"),
        shop.get(f"{BATCH}?key:in=id,number&namespace=netsuite&limit=2"),
    ):
        method, status = answer.request.method, answer.status_code
        validate_response(method, str(answer.url), status, answer.headers, answer.content)


def test_a_second_note_of_the_same_name_is_409(shop: httpx.Client, orders: list[int]) -> None:
    path = f"/v3/orders/{orders[0]}/metafields"
    assert shop.post(path, json=NOTE).status_code == 200
    assert shop.post(path, json=NOTE).status_code == 409
    assert shop.post(f"/v3/orders/{orders[1]}/metafields", json=NOTE).status_code == 200
    other = shop.post(path, json={**NOTE, "key": "number"}).json()["data"]["id"]
    assert shop.put(f"{path}/{other}", json=NOTE).status_code == 409


def test_a_batch_does_what_it_can_and_names_the_rest_by_order(shop: httpx.Client, orders: list[int]) -> None:
    first, second = orders
    shop.post(BATCH, json=[of(first)])
    answer = shop.post(BATCH, json=[of(first), of(second), of(99)])
    body = answer.json()
    assert (answer.status_code, body["meta"]) == (422, {"total": 3, "success": 1, "failed": 2})
    assert [row["resource_id"] for row in body["data"]] == [second]
    assert [(row["status"], list(row["errors"])) for row in body["errors"]] == [
        (409, [str(first)]),
        (422, ["99"]),
    ]


def test_notes_of_many_orders_are_read_in_one_list_with_cursors(
    shop: httpx.Client, orders: list[int]
) -> None:
    for number in orders:
        assert shop.post(BATCH, json=[of(number, namespace="listed")]).status_code == 200
    query = f"{BATCH}?namespace=listed&key=id&limit=1"
    body = shop.get(query).json()
    found = [row["resource_id"] for row in body["data"]]
    cursor = body["meta"]["cursor_pagination"]["end_cursor"]
    found += [row["resource_id"] for row in shop.get(f"{query}&after={cursor}").json()["data"]]
    assert found == orders
    assert shop.get(f"{BATCH}?resource_id=1").status_code == 422


@pytest.mark.parametrize(
    "change",
    [{"value": ""}, {"key": "x" * 65}, {"permission_set": "all"}, {"value": 5001}, {"colour": "red"}],
    ids=str,
)
def test_a_note_that_does_not_fit_is_422(
    shop: httpx.Client, orders: list[int], change: dict[str, Any]
) -> None:
    answer = shop.post(f"/v3/orders/{orders[0]}/metafields", json={**NOTE, **change})
    assert answer.status_code == 422
    assert shop.get(f"/v3/orders/{orders[0]}/metafields").json()["data"] == []


def test_the_batch_has_a_size_and_some_stores_have_no_batch(
    sandbox: Sandbox, shop: httpx.Client, orders: list[int]
) -> None:
    sandbox.control.shop_settings(metafield_batch_max=1)
    assert shop.post(BATCH, json=[of(orders[0]), of(orders[1])]).status_code == 413
    sandbox.control.shop_settings(metafield_batches=False)
    assert shop.post(BATCH, json=[of(orders[0])]).status_code == 404
    assert shop.get(f"/v3/orders/{orders[0]}/metafields").json()["data"] == []


def test_a_note_moves_no_money_and_no_date_of_the_order(shop: httpx.Client, orders: list[int]) -> None:
    before = shop.get(f"/v2/orders/{orders[0]}").json()
    shop.post(BATCH, json=[of(orders[0])])
    assert shop.get(f"/v2/orders/{orders[0]}").json() == before
