"""Every request that the client can send validates against BigCommerce's own OpenAPI files."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bcns_pipeline.clients.bigcommerce.client import BigCommerceClient
from bcns_pipeline.clients.bigcommerce.models import Adjustment
from bcns_pipeline.outcomes import OutsideError
from bcns_pipeline_tests.clients.fakes import CountingMeter, FakeTime, OpenGate, client_of, timing
from bcns_pipeline_tests.contract import require_specs, validate_request, validate_response

pytestmark = pytest.mark.contract

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
    "channels": [lambda c: c.channels()],
    "inventory_settings": [lambda c: c.inventory_settings(), lambda c: c.inventory_settings(1)],
    "currencies": [lambda c: c.currencies()],
    "hooks": [lambda c: c.hooks()],
}


def test_no_public_method_is_left_out() -> None:
    public = {name for name, _ in inspect.getmembers(BigCommerceClient, inspect.isfunction) if name[0] != "_"}
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
            assert name in {"store", "time", "inventory_settings"}
    assert seen


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
