"""The shop: levels, adjustments, catalogue and small lists, checked against BigCommerce's files.

Put what the shop does here. Do not put faults here (test_faults.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bcns_pipeline.sandbox.launch import Sandbox, SandboxFailed
from bcns_pipeline.sandbox.options import ALL_SCOPES
from bcns_pipeline_tests.contract import require_specs, validate_response
from bcns_pipeline_tests.sandbox.conftest import settle

ABSOLUTE = "/v3/inventory/adjustments/absolute"
RELATIVE = "/v3/inventory/adjustments/relative"
Line = dict[str, Any]


@pytest.fixture
def items(shop: httpx.Client) -> list[dict[str, Any]]:
    """All inventory items."""
    return list(shop.get("/v3/inventory/items", params={"limit": 1000}).json()["data"])


def single(items: list[dict[str, Any]], sku: str = "SKU-000010") -> dict[str, Any]:
    """The identity of an item."""
    return next(i["identity"] for i in items if i["identity"]["sku"] == sku)


def child(items: list[dict[str, Any]]) -> dict[str, Any]:
    """The identity of a variant of a product with options."""
    return next(i["identity"] for i in items if "sku_id" in i["identity"])


def put(shop: httpx.Client, *lines: Line, path: str = ABSOLUTE) -> httpx.Response:
    """Send an adjustment."""
    method = "PUT" if path == ABSOLUTE else "POST"
    return shop.request(method, path, json={"reason": "test", "items": list(lines)})


def eventually(look: Callable[[], Any], wanted: Any, seconds: float = 30.0) -> None:
    """Wait for an asynchronous change."""
    end = time.monotonic() + seconds
    while (seen := look()) != wanted and time.monotonic() < end:
        time.sleep(0.01)
    assert seen == wanted


def on_hand(sandbox: Sandbox, sku: str, location: int = 1) -> int:
    """The shop's stock, seen from outside."""
    return int(sandbox.control.inventory(sku)[0]["on_hand"][str(location)])


@pytest.mark.contract
@pytest.mark.parametrize(
    "path",
    [
        "/v3/inventory/items?limit=1000",
        "/v3/inventory/items?sku:in=SKU-000001",
        "/v3/inventory/locations/1/items?limit=20",
        "/v3/inventory/locations",
        "/v3/catalog/products?limit=250",
        "/v3/catalog/products?include=variants,channels&limit=10",
        "/v3/catalog/products?include_fields=sku,inventory_tracking&limit=10",
        "/v3/catalog/variants?limit=250",
        "/v3/channels",
        "/v3/settings/inventory",
        "/v3/hooks",
        "/v2/store",
        "/v2/time",
        "/v2/currencies",
    ],
)
def test_every_read_validates_against_the_official_files(shop: httpx.Client, path: str) -> None:
    require_specs()
    answer = shop.get(path)
    assert answer.status_code == 200
    validate_response("GET", str(answer.url), 200, answer.headers, answer.content)


@pytest.mark.contract
def test_every_answer_to_an_adjustment_validates(shop: httpx.Client, items: list[dict[str, Any]]) -> None:
    require_specs()
    product = single(items)["product_id"]
    for lines in (
        [{"location_id": 1, "product_id": product, "quantity": 4}],
        [{"location_id": 1, "variant_id": single(items)["variant_id"], "quantity": 4}],
        [{"location_id": 77, "product_id": product, "quantity": 4}],
        [{"location_id": 1, "quantity": 4}],
    ):
        for method, path in (("PUT", ABSOLUTE), ("POST", RELATIVE)):
            answer = put(shop, *lines, path=path)
            validate_response(method, str(answer.url), answer.status_code, answer.headers, answer.content)


def test_an_adjustment_says_only_its_transaction_and_takes_effect_later(
    shop: httpx.Client, sandbox: Sandbox, items: list[dict[str, Any]]
) -> None:
    sandbox.control.limits(adjustment_delay_ms=2_000)
    sandbox.control.edit(sku="SKU-000010", location_id=1, quantity=3)
    answer = put(shop, {"location_id": 1, "product_id": single(items)["product_id"], "quantity": 41})
    assert list(answer.json()) == ["transaction_id"]
    assert on_hand(sandbox, "SKU-000010") == 3
    eventually(lambda: on_hand(sandbox, "SKU-000010"), 41)


def test_the_identity_must_fit_the_tracking(shop: httpx.Client, items: list[dict[str, Any]]) -> None:
    base, variant = single(items), child(items)
    wrong = put(shop, {"location_id": 1, "variant_id": base["variant_id"], "quantity": 1})
    assert wrong.status_code == 422
    assert wrong.headers["Content-Type"] == "application/problem+json"
    number = base["variant_id"]
    text = f"[Item with variant_id {number} is tracked by product, please update stock by product id]"
    assert wrong.json()["title"] == text
    wrong = put(shop, {"location_id": 1, "product_id": variant["product_id"], "quantity": 1})
    assert "is tracked by variant" in wrong.json()["title"]
    assert (
        put(shop, {"location_id": 1, "variant_id": variant["variant_id"], "quantity": 1}).status_code == 200
    )
    assert put(shop, {"location_id": 1, "sku": variant["sku"], "quantity": 1}).status_code == 200


def test_one_bad_line_refuses_the_whole_request(
    shop: httpx.Client, sandbox: Sandbox, items: list[dict[str, Any]]
) -> None:
    sandbox.control.edit(sku="SKU-000010", location_id=1, quantity=3)
    good = {"location_id": 1, "product_id": single(items)["product_id"], "quantity": 9}
    bad = {"location_id": 1, "sku": "NO-SUCH", "quantity": 9}
    refused = put(shop, good, bad)
    assert (refused.status_code, refused.json()["title"]) == (
        422,
        "Items not found, identities: [sku NO-SUCH]",
    )
    settle(sandbox)
    assert on_hand(sandbox, "SKU-000010") == 3


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ({"location_id": 77, "quantity": 1}, "Location not found, identities: [77]"),
        ({"location_id": 3, "quantity": 1}, "disabled"),
        ({"location_id": 1, "quantity": 2_147_483_648}, "quantity"),
        ({"location_id": 1, "quantity": -1}, "quantity"),
        ({"location_id": 1, "quantity": 1.5}, "quantity"),
        ({"location_id": 1, "quantity": "1"}, "quantity"),
        ({"quantity": 1}, "location_id"),
        ({"location_id": 1, "quantity": 1, "sku": "SKU-000010"}, "One of sku, product_id or variant_id"),
    ],
    ids=str,
)
def test_lines_that_can_not_be(
    shop: httpx.Client, items: list[dict[str, Any]], line: Line, text: str
) -> None:
    answer = put(shop, {"product_id": single(items)["product_id"], **line})
    assert answer.status_code == 422
    assert text in answer.text


def test_two_thousand_lines_pass_and_one_more_does_not(
    shop: httpx.Client, items: list[dict[str, Any]]
) -> None:
    line = {"location_id": 1, "product_id": single(items)["product_id"], "quantity": 1}
    assert put(shop, *[line] * 2000).status_code == 200
    assert put(shop, *[line] * 2001).status_code == 413


def test_relative_needs_an_absolute_first(shop: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.control.seed(stock="zero")
    try:
        rows = shop.get("/v3/inventory/items", params={"limit": 1000}).json()["data"]
        product = single(rows)["product_id"]
        line = {"location_id": 1, "product_id": product, "quantity": 5}
        refused = put(shop, line, path=RELATIVE)
        assert refused.json()["title"] == (
            f"Items with identity: [product_id {product}] requires absolute adjustment before relative"
        )
        put(shop, line)
        assert put(shop, {**line, "quantity": -2}, path=RELATIVE).status_code == 200
        eventually(lambda: on_hand(sandbox, "SKU-000010"), 3)
        put(shop, {**line, "quantity": -9}, path=RELATIVE)
        settle(sandbox)
        assert on_hand(sandbox, "SKU-000010") == 3, "below safety stock the stock stays"
    finally:
        sandbox.control.seed(stock="in-step")


def test_safety_stock_lowers_what_can_be_sold(shop: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.control.edit(sku="SKU-000011", location_id=1, quantity=10)
    body = {"settings": [{"identity": {"sku": "SKU-000011"}, "safety_stock": 4}]}
    assert shop.put("/v3/inventory/locations/1/items", json=body).status_code == 200

    def available() -> int:
        rows = shop.get("/v3/inventory/items?sku:in=SKU-000011&location_id:in=1").json()["data"]
        return int(rows[0]["locations"][0]["available_to_sell"])

    eventually(available, 6)
    assert (
        shop.put(
            "/v3/inventory/locations/1/items", json={"settings": [{"identity": {"sku": "SKU-000011"}}]}
        ).status_code
        == 422
    )


def test_an_order_takes_stock_in_the_shop_at_once_and_in_netsuite_when_it_is_told(
    sandbox: Sandbox,
) -> None:
    sandbox.control.edit(sku="SKU-000012", location_id=1, quantity=10)
    before = sandbox.control.levels("SKU-000012")
    order = sandbox.control.order(sku="SKU-000012", quantity=3, location_id=1)
    assert on_hand(sandbox, "SKU-000012") == 7
    assert sandbox.control.levels("SKU-000012") == before
    sandbox.control.adjust(sku="SKU-000012", location=1, on_hand=10, committed=0)
    sandbox.control.post_order(order_id=order["id"])
    assert sandbox.control.levels("SKU-000012")[0]["available"] == 7
    with pytest.raises(SandboxFailed, match="can't sell"):
        sandbox.control.order(sku="SKU-000012", quantity=8, location_id=1)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("sku:in=SKU-000001,sku-000002", 2),
        ("sku:in=NO-SUCH", 0),
        ("limit=7&page=2", 7),
        ("limit=1000&page=50", 0),
    ],
)
def test_filters_and_pages_of_the_inventory(shop: httpx.Client, query: str, count: int) -> None:
    body = shop.get(f"/v3/inventory/items?{query}").json()
    assert len(body["data"]) == body["meta"]["pagination"]["count"] == count


def test_pages_of_the_inventory_join_to_the_whole(shop: httpx.Client, items: list[dict[str, Any]]) -> None:
    pages = [shop.get(f"/v3/inventory/items?limit=50&page={n}").json()["data"] for n in range(1, 7)]
    assert [row for page in pages for row in page] == items


@pytest.mark.parametrize(
    "path",
    [
        "/v3/inventory/items?limit=1001",
        "/v3/catalog/products?limit=251",
        "/v3/catalog/products?include=options&limit=11",
    ],
)
def test_a_limit_above_the_maximum_is_413(shop: httpx.Client, path: str) -> None:
    assert shop.get(path).status_code == 413


def test_the_catalogue_is_filtered_as_asked(shop: httpx.Client) -> None:
    assert len(shop.get("/v3/catalog/variants?sku=SKU-000001").json()["data"]) == 1
    product = shop.get("/v3/catalog/products?sku=SKU-000001").json()["data"][0]
    assert product["inventory_tracking"] == "product"
    chosen = shop.get(f"/v3/catalog/products?id:in={product['id']},999999&include_fields=sku").json()["data"]
    assert chosen == [{"id": product["id"], "sku": "SKU-000001"}]
    family = shop.get("/v3/catalog/products?sku=STYLE-00001&include=variants").json()["data"][0]
    assert (family["inventory_tracking"], len(family["variants"])) == ("variant", 4)
    assert "base_variant_id" not in family
    variants = shop.get(f"/v3/catalog/variants?product_id:in={family['id']}").json()["data"]
    assert [v["id"] for v in variants] == [v["id"] for v in family["variants"]]


def test_v2_lists_end_with_204(shop: httpx.Client) -> None:
    assert len(shop.get("/v2/currencies").json()) == 4
    assert shop.get("/v2/currencies?page=2").status_code == 204


def test_scopes_are_checked_per_endpoint(
    shop: httpx.Client, sandbox: Sandbox, items: list[dict[str, Any]]
) -> None:
    before = sandbox.control.call("POST", "/bigcommerce/scopes", {"scopes": ["store_inventory_read_only"]})
    assert before["scopes"] == ["store_inventory_read_only"]
    try:
        assert shop.get("/v3/inventory/items?limit=1").status_code == 200
        line = {"location_id": 1, "product_id": single(items)["product_id"], "quantity": 1}
        assert put(shop, line).status_code == 403
        assert shop.get("/v2/store").status_code == 403
        assert shop.get("/v3/hooks").status_code == 200
    finally:
        sandbox.control.call("POST", "/bigcommerce/scopes", {"scopes": list(ALL_SCOPES)})


def test_a_wrong_token_is_401(shop: httpx.Client) -> None:
    assert shop.get("/v2/time", headers={"X-Auth-Token": "wrong"}).status_code == 401


def test_the_quota_is_told_with_every_answer_and_enforced(shop: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.control.limits(quota=2, quota_window_ms=2_000)
    first = shop.get("/v2/time")
    assert first.headers["X-Rate-Limit-Requests-Quota"] == "2"
    assert first.headers["X-Rate-Limit-Requests-Left"] == "1"
    shop.get("/v2/time")
    refused = shop.get("/v2/time")
    assert refused.status_code == 429
    wait = int(refused.headers["X-Rate-Limit-Time-Reset-Ms"])
    assert 0 < wait <= 2_000
    time.sleep(wait / 1000 + 0.02)
    assert shop.get("/v2/time").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/v3/catalog/products"), ("DELETE", "/v3/inventory/locations"), ("DELETE", "/v2/orders/100")],
)
def test_nothing_can_be_deleted(shop: httpx.Client, method: str, path: str) -> None:
    assert shop.request(method, path).status_code in (404, 405)
