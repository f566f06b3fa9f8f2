"""Shipments of the shop's orders: what may be shipped, what moves by it, who is written to.

Put shipments here. Do not put NetSuite's fulfilments here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bcns_pipeline.sandbox.bigcommerce.settings import ShopSettings
from bcns_pipeline.sandbox.launch import Sandbox
from bcns_pipeline_tests.contract import require_specs, validate_response

Order = dict[str, Any]


@pytest.fixture(autouse=True)
def _as_it_was(sandbox: Sandbox) -> Iterator[None]:
    """The shop's settings are put back after each test."""
    yield
    usual = ShopSettings().show()
    sandbox.control.shop_settings(**{k: v for k, v in usual.items() if k != "marketplace"})


@pytest.fixture
def order(sandbox: Sandbox) -> Order:
    """Two lines, 2 and 1 units, to one address."""
    found: Order = sandbox.control.shop_order(restock=True, lines=[{"quantity": 2}, {}])
    return found


def ship(shop: httpx.Client, order: Order, *quantities: int, **more: Any) -> httpx.Response:
    """Ship so many of each line, to the first line's address."""
    items = [
        {"order_product_id": line["id"], "quantity": quantity}
        for line, quantity in zip(order["lines"], quantities, strict=False)
        if quantity
    ]
    body = {"order_address_id": order["lines"][0]["address_id"], "items": items, **more}
    return shop.post(f"/v2/orders/{order['id']}/shipments", json=body)


def header(shop: httpx.Client, order: Order) -> Order:
    """The order as it is now."""
    found: Order = shop.get(f"/v2/orders/{order['id']}").json()
    return found


@pytest.mark.contract
def test_shipments_are_as_the_official_file_says(shop: httpx.Client, order: Order) -> None:
    require_specs()
    path = f"/v2/orders/{order['id']}/shipments"
    made = ship(shop, order, 1, tracking_number="1Z9", shipping_provider="ups", comments="IF7")
    number = made.json()["id"]
    for answer in (
        made,
        shop.get(path),
        shop.get(f"{path}/count"),
        shop.get(f"{path}/{number}"),
        shop.put(f"{path}/{number}", json={"tracking_number": "1Z10", "shipping_provider": "carrier_77"}),
    ):
        assert answer.status_code in (200, 201), answer.text
        method, status = answer.request.method, answer.status_code
        validate_response(method, str(answer.url), status, answer.headers, answer.content)


@pytest.mark.contract
def test_a_shipment_that_is_deleted_is_to_be_shipped_again_and_the_order_stays_what_it_was(
    shop: httpx.Client, order: Order
) -> None:
    require_specs()
    number = ship(shop, order, 2, 1).json()["id"]
    before = header(shop, order)
    path = f"/v2/orders/{order['id']}/shipments/{number}"
    answer = shop.delete(path)
    validate_response("DELETE", str(answer.url), answer.status_code, answer.headers, answer.content)
    assert (answer.status_code, shop.delete(path).status_code) == (204, 404)
    now = header(shop, order)
    assert (before["items_shipped"], now["items_shipped"]) == (3, 0)
    assert now["status_id"] == before["status_id"]
    assert ship(shop, order, 2, 1).status_code == 201


def test_an_order_without_shipments_answers_204(shop: httpx.Client, order: Order) -> None:
    path = f"/v2/orders/{order['id']}/shipments"
    assert shop.get(path).status_code == 204
    assert shop.get(f"{path}/count").json() == {"count": 0}
    assert shop.get(f"{path}/1").status_code == 404


def test_part_by_part_the_order_becomes_partially_shipped_and_shipped(
    shop: httpx.Client, order: Order
) -> None:
    assert ship(shop, order, 1, tracking_number="T1").status_code == 201
    partly = header(shop, order)
    assert (partly["status_id"], partly["items_shipped"], partly["date_shipped"]) == (3, 1, "")
    assert ship(shop, order, 1, 1).status_code == 201
    whole = header(shop, order)
    assert (whole["status_id"], whole["items_shipped"]) == (2, 3)
    assert whole["date_shipped"]
    lines = shop.get(f"/v2/orders/{order['id']}/products").json()
    assert [line["quantity_shipped"] for line in lines] == [2, 1]


def test_the_status_stays_where_the_store_does_not_move_it(
    sandbox: Sandbox, shop: httpx.Client, order: Order
) -> None:
    sandbox.control.shop_settings(auto_ship_status=False)
    ship(shop, order, 2, 1)
    found = header(shop, order)
    assert (found["status_id"], found["items_shipped"]) == (11, 3)


@pytest.mark.parametrize("status_id", [5, 13])
def test_a_cancelled_or_disputed_order_is_not_brought_back(
    sandbox: Sandbox, shop: httpx.Client, order: Order, status_id: int
) -> None:
    sandbox.control.order_status(order["id"], status_id)
    assert ship(shop, order, 2, 1).status_code == 201
    assert header(shop, order)["status_id"] == status_id


def test_refunded_units_are_not_waited_for(sandbox: Sandbox, shop: httpx.Client, order: Order) -> None:
    line = order["lines"][1]["id"]
    sandbox.control.refund_order(order["id"], lines=[{"line_id": line, "quantity": 1}])
    ship(shop, order, 2)
    assert header(shop, order)["status_id"] == 2


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"order_address_id": 1}, "order_address_id"),
        ({"items": []}, "items"),
        ({"items": [{"order_product_id": 1, "quantity": 1}]}, "does not go to this address"),
        ({"tracking_number": "x" * 51}, "tracking_number"),
        ({"tracking_link": "x" * 501}, "tracking_link"),
        ({"shipping_provider": "pigeon"}, "shipping_provider"),
        ({"tracking_carrier": "Not A Slug"}, "tracking_carrier"),
        ({"netsuite_id": "7"}, "not supported"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_can_not_be_shipped_is_400_and_ships_nothing(
    shop: httpx.Client, order: Order, change: dict[str, Any], text: str
) -> None:
    answer = ship(shop, order, 1, **change)
    assert (answer.status_code, text in answer.json()[0]["message"]) == (400, True)
    assert header(shop, order)["items_shipped"] == 0


def test_no_more_than_was_ordered_can_be_shipped_however_it_is_split(
    shop: httpx.Client, order: Order
) -> None:
    assert ship(shop, order, 3).status_code == 400
    line = order["lines"][0]["id"]
    twice = [{"order_product_id": line, "quantity": 2}, {"order_product_id": line, "quantity": 1}]
    assert ship(shop, order, items=twice).status_code == 400
    assert ship(shop, order, 2).status_code == 201
    assert ship(shop, order, 1).status_code == 400


def test_each_address_has_shipments_of_its_own(sandbox: Sandbox, shop: httpx.Client) -> None:
    order = sandbox.control.shop_order("multi_address", restock=True)
    assert ship(shop, order, 2, 1).status_code == 400
    first, second = order["lines"]
    for line in (first, second):
        items = [{"order_product_id": line["id"], "quantity": line["quantity"]}]
        answer = ship(shop, order, items=items, order_address_id=line["address_id"])
        assert answer.json()["shipping_address"]["first_name"]
    places = shop.get(f"/v2/orders/{order['id']}/shipping_addresses").json()
    assert [place["items_shipped"] for place in places] == [2, 1]


def test_downloads_and_certificates_are_not_shipped_and_not_waited_for(
    sandbox: Sandbox, shop: httpx.Client
) -> None:
    order = sandbox.control.shop_order("gift_certificate_sold", restock=True)
    assert ship(shop, order, 0, 1).status_code == 400
    ship(shop, order, 1)
    assert header(shop, order)["status_id"] == 2


def test_the_shopper_is_written_to_when_it_is_made_and_never_when_it_changes(
    sandbox: Sandbox, shop: httpx.Client, order: Order
) -> None:
    number = ship(shop, order, 1).json()["id"]
    path = f"/v2/orders/{order['id']}/shipments/{number}"
    for tracking in ("T1", "T2"):
        assert shop.put(path, json={"tracking_number": tracking}).json()["tracking_number"] == tracking
    assert "emails" not in shop.get(path).json()
    mine = [row for row in sandbox.control.shop_shipments() if row["order_id"] == order["id"]]
    assert [(row["id"], row["tracking_number"], row["emails"]) for row in mine] == [(number, "T2", 1)]
    assert shop.put(path, json={"items": []}).status_code == 400


def test_a_link_is_made_from_carrier_and_number_unless_one_is_given(shop: httpx.Client, order: Order) -> None:
    made = ship(shop, order, 1, tracking_number="1Z9", tracking_carrier="ups").json()
    assert made["generated_tracking_link"].endswith("/ups/1Z9")
    given = ship(
        shop, order, 1, tracking_number="1Z9", shipping_provider="ups", tracking_link="https://x.test/1"
    )
    assert (given.json()["generated_tracking_link"], given.json()["shipping_provider_display_name"]) == (
        "",
        "UPS",
    )
