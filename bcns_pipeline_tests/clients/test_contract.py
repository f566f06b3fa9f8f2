"""Every request that the client can send validates against BigCommerce's own OpenAPI files."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bcns_pipeline.clients.bigcommerce.client import BigCommerceClient
from bcns_pipeline.clients.bigcommerce.customers import BigCommerceCustomers
from bcns_pipeline.clients.bigcommerce.hooks import BigCommerceHooks
from bcns_pipeline.clients.bigcommerce.models import Adjustment, Metafield
from bcns_pipeline.clients.bigcommerce.orders import BigCommerceOrders
from bcns_pipeline.outcomes import OutsideError
from bcns_pipeline_tests.clients.fakes import CountingMeter, FakeTime, OpenGate, client_of, timing
from bcns_pipeline_tests.contract import require_specs, validate_request, validate_response

pytestmark = pytest.mark.contract

SINCE, BEFORE = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
FIELD = Metafield(118, "netsuite_id", "5501", "bcns")
SHIPMENT = {
    "order_address_id": 128,
    "tracking_number": "1Z999",
    "shipping_provider": "ups",
    "tracking_carrier": "",
    "tracking_link": "",
    "shipping_method": "UPS Ground",
    "comments": "NS IF123",
    "items": [{"order_product_id": 194, "quantity": 1}],
}

CALLS: dict[str, list[Callable[[BigCommerceClient], Any]]] = {
    "inventory_page": [
        lambda c: c.inventory_page(),
        lambda c: c.inventory_page(3, 250, skus=["A", "B:2"], location_ids=[1]),
        lambda c: c.inventory_page(product_ids=[120], location_ids=[1, 2]),
    ],
    "inventory_pages": [lambda c: list(c.inventory_pages())],
    "set_inventory": [
        lambda c: c.set_inventory(
            [
                Adjustment(1, 5, variant_id=78),
                Adjustment(2, 0, product_id=120),
                Adjustment(1, 7, sku="RE-130"),
            ],
            "run",
        )
    ],
    "locations": [lambda c: c.locations()],
    "default_location_ids": [lambda c: c.default_location_ids()],
    "variants_page": [
        lambda c: c.variants_page(),
        lambda c: c.variants_page(2, 50, sku="A,B", product_ids=[1, 2]),
    ],
    "variants_pages": [lambda c: list(c.variants_pages())],
    "products_page": [
        lambda c: c.products_page(),
        lambda c: c.products_page(skus=["A,B"]),
        lambda c: c.products_page(skus=["A", "B"], ids=[1, 2]),
    ],
    "products_pages": [lambda c: list(c.products_pages())],
    "store": [lambda c: c.store()],
    "time": [lambda c: c.time()],
    "now": [lambda c: c.now()],
    "channels": [lambda c: c.channels()],
    "inventory_settings": [lambda c: c.inventory_settings(), lambda c: c.inventory_settings(1)],
    "currencies": [lambda c: c.currencies()],
    "orders.page": [
        lambda c: c.orders.page(),
        lambda c: c.orders.page(
            modified_since=SINCE,
            modified_before=BEFORE,
            created_since=SINCE,
            created_before=BEFORE,
            min_id=1,
            max_id=9,
            status_id=11,
            channel_id=1,
            external_order_id="5501",
            page=2,
            limit=50,
            sort="id:asc",
        ),
    ],
    "orders.changed": [lambda c: list(c.orders.changed(SINCE, BEFORE, channel_id=1))],
    "orders.created_between": [lambda c: list(c.orders.created_between(SINCE, BEFORE))],
    "orders.ids": [lambda c: c.orders.ids(SINCE, BEFORE, status_id=11)],
    "orders.count": [
        lambda c: c.orders.count(
            modified_since=SINCE,
            modified_before=BEFORE,
            created_since=SINCE,
            created_before=BEFORE,
            min_id=1,
            max_id=9,
            status_id=11,
            channel_id=1,
        )
    ],
    "orders.get": [lambda c: c.orders.get(118)],
    "orders.get_many": [lambda c: c.orders.get_many([118, 119, 120]), lambda c: c.orders.get_many([118])],
    "orders.money_fields": [lambda c: c.orders.money_fields([118, 119, 120])],
    "orders.lines": [lambda c: c.orders.lines(118)],
    "orders.shipping_addresses": [lambda c: c.orders.shipping_addresses(118)],
    "orders.fees": [lambda c: c.orders.fees(118)],
    "orders.coupons": [lambda c: c.orders.coupons(118)],
    "orders.taxes": [lambda c: c.orders.taxes(118)],
    "orders.shipments": [lambda c: c.orders.shipments(118)],
    "orders.transactions": [lambda c: c.orders.transactions(118)],
    "orders.refunds": [
        lambda c: c.orders.refunds(),
        lambda c: c.orders.refunds(order_ids=[118, 119], created_min=SINCE, created_max=BEFORE),
    ],
    "orders.put_reference": [lambda c: c.orders.put_reference(118, "5501")],
    "orders.put_status": [lambda c: c.orders.put_status(118, 2)],
    "orders.create_shipment": [lambda c: c.orders.create_shipment(118, SHIPMENT)],
    "orders.update_shipment": [lambda c: c.orders.update_shipment(118, 7, {"tracking_number": "1Z"})],
    "orders.metafields": [
        lambda c: c.orders.metafields([("bcns", "netsuite_id"), ("loyalty", "tier")]),
        lambda c: c.orders.metafields([("bcns", "netsuite_id")], modified_since=SINCE),
    ],
    "orders.metafield_values": [
        lambda c: c.orders.metafield_values({118: SINCE}, [("loyalty", "tier")]),
        lambda c: c.orders.metafield_values({118: SINCE, 119: SINCE}, [("loyalty", "tier")]),
    ],
    "orders.create_metafields": [lambda c: c.orders.create_metafields([FIELD])],
    "customers.page": [
        lambda c: c.customers.page(),
        lambda c: c.customers.page(
            modified_since=SINCE,
            modified_before=BEFORE,
            created_since=SINCE,
            created_before=BEFORE,
            page=2,
            limit=50,
            include=("addresses", "storecredit", "attributes", "formfields"),
        ),
    ],
    "customers.changed": [lambda c: list(c.customers.changed(SINCE, BEFORE))],
    "customers.by_id": [lambda c: c.customers.by_id([4, 5])],
    "customers.by_email": [lambda c: c.customers.by_email(["a@example.com", "b@example.com"])],
    "customers.addresses": [lambda c: c.customers.addresses([4, 5])],
    "hooks.list": [lambda c: c.hooks.list()],
    "hooks.create": [
        lambda c: c.hooks.create("store/order/created", "https://bcns.example.com/hooks", {"X-Secret": "s"})
    ],
    "hooks.update": [
        lambda c: c.hooks.update(7, active=True),
        lambda c: c.hooks.update(
            7, scope="store/order/*", destination="https://a.test/x", headers={"A": "b"}
        ),
    ],
    "hooks.delete": [lambda c: c.hooks.delete(7)],
    "hooks.admin": [lambda c: c.hooks.admin()],
}
# Single records, of which the double has none.
SINGLE = {
    *("store", "time", "now", "inventory_settings", "hooks.admin"),
    *("orders.get", "orders.get_many", "orders.money_fields", "orders.count"),
}


def test_no_public_method_is_left_out() -> None:
    parts = {
        "": BigCommerceClient,
        "orders.": BigCommerceOrders,
        "customers.": BigCommerceCustomers,
        "hooks.": BigCommerceHooks,
    }
    public = {
        prefix + name
        for prefix, part in parts.items()
        for name, _ in inspect.getmembers(part, inspect.isfunction)
        if name[0] != "_"
    }
    assert public - {"close"} == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_what_the_client_sends_is_what_the_store_describes(name: str) -> None:
    require_specs()
    seen: list[str] = []

    def shop(request: httpx.Request) -> httpx.Response:
        validate_request(request.method, str(request.url), request.headers, request.content)
        seen.append(request.url.path)
        return httpx.Response(204)

    gate = OpenGate()
    client = BigCommerceClient(
        "https://shop.test/proxy", "abc", "store-token", gate=gate, meter=CountingMeter(),
        client=client_of(shop), **timing(FakeTime(gate)),
    )  # fmt: skip
    for call in CALLS[name]:
        try:
            call(client)
        except OutsideError:
            assert name in SINGLE
    assert seen


def test_single_metafields_are_described_as_well() -> None:
    require_specs()
    seen: list[tuple[str, str]] = []

    def shop(request: httpx.Request) -> httpx.Response:
        validate_request(request.method, str(request.url), request.headers, request.content)
        seen.append((request.method, request.url.path.rpartition("/v3/orders/")[2]))
        return httpx.Response(404 if seen[-1][1] == "metafields" else 204)

    gate = OpenGate()
    client = BigCommerceClient(
        "https://shop.test/proxy", "abc", "store-token", gate=gate, meter=CountingMeter(),
        client=client_of(shop), **timing(FakeTime(gate)),
    )  # fmt: skip
    client.orders.create_metafields([FIELD])
    assert seen == [("POST", "metafields"), ("POST", "118/metafields")]


def test_the_check_notices_what_is_wrong() -> None:
    require_specs()
    headers = {"Accept": "application/json", "X-Auth-Token": "t"}
    path = "/stores/abc/v3/inventory/items"
    for wrong in (
        f"{path}?variant_id:in=1,2",
        f"{path}?sku=A",
        "/stores/abc/v3/inventory/levels",
        "/v3/inventory/items",
    ):
        with pytest.raises(AssertionError):
            validate_request("GET", wrong, headers)
    with pytest.raises(AssertionError):
        validate_request("GET", path, {"Accept": "application/json"})
    both = b'{"items":[{"location_id":1,"sku":"A","variant_id":1,"quantity":1}]}'
    with pytest.raises(AssertionError):
        validate_request(
            "PUT",
            "/stores/abc/v3/inventory/adjustments/absolute",
            {**headers, "Content-Type": "application/json"},
            both,
        )
    with pytest.raises(AssertionError):
        validate_response(
            "GET", "/stores/abc/v2/time", 200, {"Content-Type": "application/json"}, b'{"time":"now"}'
        )
    validate_response("GET", "/stores/abc/v2/time", 200, {"Content-Type": "application/json"}, b'{"time":5}')
