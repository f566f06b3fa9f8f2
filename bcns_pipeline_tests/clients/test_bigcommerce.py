"""The store's client: pages of every kind, adjustments within limits, refusals that name what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bcns_pipeline.clients.bigcommerce.adjustments import adjustment_body
from bcns_pipeline.clients.bigcommerce.client import BigCommerceClient, sku_chunks
from bcns_pipeline.clients.bigcommerce.errors import explain, named_adjustments, named_identities
from bcns_pipeline.clients.bigcommerce.models import Adjustment, AdjustmentColumns
from bcns_pipeline.clients.bigcommerce.stock import BigCommerceStock
from bcns_pipeline.outcomes import Ambiguous, Refused, Rejected, Sent, Unavailable
from bcns_pipeline_tests.clients.fakes import CountingMeter, FakeTime, OpenGate, Script, client_of, timing


def store(server: Callable[[httpx.Request], httpx.Response]) -> BigCommerceClient:
    gate = OpenGate()
    return BigCommerceClient(
        "https://shop.test", "abc", "store-token", gate=gate, meter=CountingMeter(), client=client_of(server),
        **timing(FakeTime(gate)),
    )  # fmt: skip


def item(n: int, *places: int, sku: str | None = None) -> dict[str, Any]:
    return {
        "identity": {"sku": f"SKU-{n}" if sku is None else sku, "variant_id": n, "product_id": n + 1000},
        "locations": [
            {
                "location_id": place,
                "location_enabled": True,
                "available_to_sell": 8,
                "total_inventory_onhand": 10,
                "settings": {"safety_stock": 2},
            }
            for place in places
        ],
    }


def answer(rows: list[Any], page: int = 1, pages: int = 1, **more: Any) -> httpx.Response:
    pagination = {"total": len(rows), "count": len(rows), "current_page": page, "total_pages": pages}
    return httpx.Response(200, json={"data": rows, "meta": {"pagination": pagination}, **more})


def lists(rows: list[Any], size: int) -> Callable[[httpx.Request], httpx.Response]:
    """A list endpoint with pages of `size`."""
    pages = max(1, -(-len(rows) // size))

    def server(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        return answer(rows[(page - 1) * size : page * size], page, pages)

    return server


def test_a_page_of_stock_has_one_row_per_item_and_location() -> None:
    server = Script(answer([item(1, 1, 2), item(2, 1)], pages=3))
    page = store(server).inventory_page(limit=1000)
    levels = page.levels
    assert levels.sku == ["SKU-1", "SKU-1", "SKU-2"]
    assert levels.variant_id == [1, 1, 2]
    assert levels.product_id == [1001, 1001, 1002]
    assert levels.location_id == [1, 2, 1]
    assert (levels.on_hand[0], levels.available_to_sell[0], levels.safety_stock[0]) == (10, 8, 2)
    assert levels.enabled == [True, True, True]
    assert (page.items, page.total_pages) == (2, 3)
    assert server.requests[0].url.path == "/stores/abc/v3/inventory/items"
    assert server.requests[0].headers["x-auth-token"] == "store-token"
    assert server.requests[0].headers["accept"] == "application/json"


@pytest.mark.parametrize("empty", [httpx.Response(204), httpx.Response(200, json=[]), answer([])], ids=str)
def test_an_empty_page_comes_in_three_shapes(empty: httpx.Response) -> None:
    page = store(Script(empty)).inventory_page()
    assert (page.items, len(page.levels), page.paging.last) == (0, 0, True)


@pytest.mark.parametrize(
    "body",
    [
        {"meta": {}},
        {"data": None},
        {"data": [{"identity": {"sku": "A"}}]},
        {"data": [{"locations": []}]},
        {"data": [{"identity": {}, "locations": [{"location_id": 1}]}]},
        {"data": [{"identity": {}, "locations": [{"location_id": 1, "total_inventory_onhand": None}]}]},
        {"data": [{"identity": {}, "locations": [{"location_id": 1, "total_inventory_onhand": "5"}]}]},
    ],
    ids=str,
)
def test_stock_without_its_numbers_is_an_error_and_not_zero(body: dict[str, Any]) -> None:
    with pytest.raises(Unavailable, match="UNREADABLE"):
        store(Script(httpx.Response(200, json=body))).inventory_page()


def test_missing_settings_and_identities_are_tolerated() -> None:
    row = {"identity": {"sku": "A"}, "locations": [{"location_id": 1, "total_inventory_onhand": 3}]}
    levels = store(Script(answer([row]))).inventory_page().levels
    assert (levels.available_to_sell, levels.safety_stock, levels.variant_id) == ([3], [0], [0])


def test_filters_are_sent_only_in_shapes_that_the_store_describes() -> None:
    server = Script(answer([item(1, 1, 2, 3)]))
    client = store(server)
    client.inventory_page(skus=["A:1", "B"], location_ids=[2])
    assert server.requests[-1].url.raw_path.endswith(b"?page=1&limit=1000&sku:in=A:1,B&location_id:in=2")
    assert client.inventory_page(location_ids=[1, 3]).levels.location_id == [1, 3]
    assert b"location_id" not in server.requests[-1].url.raw_path
    client.inventory_page(product_ids=[7])
    assert server.requests[-1].url.raw_path.endswith(b"product_id:in=7")
    for wrong in ({"skus": ["A,B"]}, {"skus": [""]}, {"product_ids": [1, 2]}, {"limit": 1001}):
        with pytest.raises(ValueError):
            client.inventory_page(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("parallel", [1, 3])
def test_all_pages_come_in_order(parallel: int) -> None:
    client = store(lists([item(n, 1) for n in range(1, 96)], 2))
    skus = [sku for page in client.inventory_pages(limit=2, parallel=parallel) for sku in page.levels.sku]
    assert skus == [f"SKU-{n}" for n in range(1, 96)]


def test_a_store_that_gives_fewer_rows_a_page_than_were_asked_for_hides_none() -> None:
    """Left unread, an item of the second page would look as if the store did not have it."""
    products = [{"id": n, "inventory_tracking": "product"} for n in (1001, 1002, 1003)]

    def server(request: httpx.Request) -> httpx.Response:
        kind, sku = request.url.path.rsplit("/", 1)[-1], request.url.params.get("sku", "")
        if kind == "variants":
            number = int(sku.removeprefix("SKU-"))
            return answer([{"id": number, "product_id": 1000 + number, "sku": sku}])
        rows = products if kind == "products" else [item(n, 1) for n in (1, 2, 3)]
        return lists(rows, 2)(request)

    stock = BigCommerceStock(store(server), parallel=1)
    skus = ["SKU-1", "SKU-2", "SKU-3"]
    assert stock.variants_of(skus).tracking == ["product"] * 3
    pages = list(stock.of_skus(dict.fromkeys(skus, 1000)))
    assert [sku for page in pages for sku in page.levels.sku] == skus


def test_a_list_without_meta_is_read_until_a_short_page() -> None:
    rows = [[{"id": 1, "currency_code": "USD"}] * 50, [{"id": 2, "currency_code": "EUR"}], []]
    server = Script(*(httpx.Response(200, json=page) for page in rows))
    assert len(store(server).currencies()) == 51
    assert len(server.requests) == 2
    server = Script(httpx.Response(200, json=rows[0]), httpx.Response(204))
    assert len(store(server).currencies()) == 50


@pytest.mark.parametrize("parallel", [1, 3])
@pytest.mark.parametrize(
    ("server", "why"),
    [
        (lambda request: answer([item(1, 1)], 1, 5), "got page 1"),
        (lambda request: answer([item(1, 1)], int(request.url.params["page"]), 5), "repeats"),
        (
            lambda request: answer(
                [item(1, 1)] if request.url.params["page"] == "1" else [], int(request.url.params["page"]), 5
            ),
            "page 2 of 5 is empty",
        ),
    ],
)
def test_a_stuck_list_is_an_error_and_not_an_endless_or_short_one(
    server: Any, why: str, parallel: int
) -> None:
    with pytest.raises(Unavailable, match=why):
        list(store(server).inventory_pages(parallel=parallel))


def test_adjustments_are_sent_as_absolute_levels() -> None:
    server = Script(httpx.Response(200, json={"transaction_id": "t-1"}))
    items = [
        Adjustment(1, 5, variant_id=78),
        Adjustment(2, 0, product_id=120),
        Adjustment(1, 7, sku="RE-130"),
    ]
    assert store(server).set_inventory(items, "run 42") == Sent({"transaction_id": "t-1"})
    request = server.requests[0]
    assert (request.method, request.url.path) == ("PUT", "/stores/abc/v3/inventory/adjustments/absolute")
    assert json.loads(request.content) == {
        "reason": "run 42",
        "items": [
            {"location_id": 1, "variant_id": 78, "quantity": 5},
            {"location_id": 2, "product_id": 120, "quantity": 0},
            {"location_id": 1, "sku": "RE-130", "quantity": 7},
        ],
    }


@pytest.mark.parametrize(
    "items",
    [
        [],
        [Adjustment(1, 1, variant_id=n) for n in range(2001)],
        [Adjustment(1, -1, variant_id=1)],
        [Adjustment(1, 2**31, variant_id=1)],
        [Adjustment(1, 1)],
        [Adjustment(1, 1, variant_id=1, sku="A")],
    ],
    ids=["none", "too many", "negative", "beyond int32", "no identity", "two identities"],
)
def test_adjustments_outside_the_limits_are_refused_before_they_are_sent(items: list[Adjustment]) -> None:
    server = Script(httpx.Response(200, json={}))
    with pytest.raises(ValueError):
        store(server).set_inventory(items, "x")
    assert server.requests == []


def test_adjustments_as_columns_are_the_same_body() -> None:
    columns = AdjustmentColumns(
        [1, 2, 1], ["variant_id", "product_id", "variant_id"], [78, 120, 79], [5, 0, 2**31 - 1]
    )
    assert columns[1] == Adjustment(2, 0, product_id=120)
    assert columns[-1:] == [Adjustment(1, 2**31 - 1, variant_id=79)]
    reason = 'plan "7"'
    assert adjustment_body(columns, reason).content == adjustment_body(list(columns), reason).content


@pytest.mark.parametrize("quantities", [[], [1] * 2001, [5, -1], [2**31, 5]])
def test_columns_outside_the_limits_are_refused(quantities: list[int]) -> None:
    count = len(quantities)
    with pytest.raises(ValueError):
        adjustment_body(AdjustmentColumns([1] * count, ["variant_id"] * count, [7] * count, quantities), "x")


def test_a_body_made_ahead_is_sent_as_it_is() -> None:
    server = Script(httpx.Response(200, json={"transaction_id": "t-1"}))
    stock = BigCommerceStock(store(server), parallel=1)
    items = [Adjustment(1, 5, variant_id=78)]
    send = stock.adjustment(items, "run 42")
    assert server.requests == []
    assert send() == Sent({"transaction_id": "t-1"})
    assert server.requests[0].content == adjustment_body(items, "run 42").content
    assert server.requests[0].headers["content-type"] == "application/json"


def test_an_adjustment_that_may_have_happened_is_not_sent_again() -> None:
    server = Script(httpx.ReadTimeout("t"))
    assert isinstance(store(server).set_inventory([Adjustment(1, 1, sku="A")], "x"), Ambiguous)
    assert len(server.requests) == 1


def problem(title: str, errors: Any = None) -> httpx.Response:
    body = {"status": 422, "title": title, "type": "https://developer.test/", "errors": errors or {}}
    return httpx.Response(422, json=body, headers={"Content-Type": "application/problem+json"})


@pytest.mark.parametrize(
    ("title", "named"),
    [
        (
            "[Item with variant_id 106 is tracked by product, please update stock by product id]",
            ("variant_id:106",),
        ),
        ("Location not found, identities: [3,2]", ("location_id:3", "location_id:2")),
        (
            "Items with identity: [product_id 113] requires absolute adjustment before relative",
            ("product_id:113",),
        ),
        ("Items with identity: [sku RE-130, variant_id 7] are not found", ("sku:RE-130", "variant_id:7")),
        ("Variants not found: [106, 107]", ("variant_id:106", "variant_id:107")),
        ("SKUs not found: [A-1, B.2]", ("sku:A-1", "sku:B.2")),
        ("The sku is not valid", ()),
        ("Something went wrong", ()),
    ],
)
def test_a_422_names_the_identities_of_its_title(title: str, named: tuple[str, ...]) -> None:
    assert named_identities(title) == named
    outcome = store(Script(problem(title))).set_inventory([Adjustment(1, 1, variant_id=1)], "x")
    assert outcome == Refused(422, "INVALID", title, named)


def test_a_422_may_name_its_lines_by_number_or_by_a_sku_in_other_words() -> None:
    items = [Adjustment(1, 1, sku="A-1"), Adjustment(1, 1, variant_id=7)]
    by_number = explain(422, {}, problem("Invalid", {"items.1.quantity": "is wrong"}).content)
    assert named_adjustments(by_number.detail, by_number.named, items) == ("variant_id:7@1",)
    many = {f"items.{n}.location_id": "Location 3 is disabled" for n in range(100)}
    lines = [Adjustment(3, 1, variant_id=n) for n in range(1, 101)]
    all_of_them = explain(422, {}, problem("Invalid", many).content)
    assert len(named_adjustments(all_of_them.detail, all_of_them.named, lines)) == 100
    assert named_adjustments("Unknown SKU A-1 in the request", (), items) == ("sku:A-1",)
    blank = [Adjustment(1, 1, sku="RED SHIRT"), Adjustment(1, 1, sku="555-010-9999")]
    title = "Items with identity: [sku RED SHIRT] are not found"
    assert named_adjustments(title, named_identities(title), blank) == ("sku:RED SHIRT",)
    assert named_adjustments("x", ["sku:a-1", "sku:OTHER"], items) == ("sku:A-1",)
    phone = problem("SKUs not found: [555-010-9999]")
    outcome = store(Script(phone)).set_inventory(blank, "x")
    assert isinstance(outcome, Refused)
    assert outcome.named == ("sku:555-010-9999",)
    assert named_adjustments("Unknown SKU A-12 in the request", (), items) == ()


@pytest.mark.parametrize(
    ("status", "body", "detail"),
    [
        (404, b'[{"status": 404, "message": "The resource was not found."}]', "The resource was not found."),
        (409, b'{"title": "Duplicate SKU", "errors": {"sku": "taken"}}', "Duplicate SKU; sku: taken"),
        (422, b'{"batch_errors": [{"data": {}, "field_errors": {"price": "bad"}}]}', "{'price': 'bad'}"),
        (403, b"", "empty answer"),
        (403, b"<html>Forbidden", "an HTML page instead of JSON (a gateway or a login page answered)"),
        (400, b'"text"', "text"),
        (400, b'{"title"', '{"title"'),
    ],
)  # fmt: skip
def test_error_bodies_of_every_kind_are_read(status: int, body: bytes, detail: str) -> None:
    assert explain(status, {}, body).detail == detail


def test_catalogue_pages_are_columns() -> None:
    variants = [{"id": 1, "product_id": 5, "sku": "A"}, {"id": 2, "product_id": 5, "sku": None}]
    page = store(Script(answer(variants))).variants_page(sku="A,B", product_ids=[5, 6])
    assert (page.variant_id, page.product_id, page.sku) == ([1, 2], [5, 5], ["A", ""])
    products = [
        {"id": 5, "sku": "A", "inventory_tracking": "variant", "is_visible": False, "base_variant_id": None}
    ]
    server = Script(answer(products))
    found = store(server).products_page(skus=["A,B"], ids=[5, 6])
    assert (found.product_id, found.tracking, found.visible, found.base_variant_id) == (
        [5],
        ["variant"],
        [False],
        [None],
    )
    assert b"&sku=A,B&id:in=5,6" in server.requests[0].url.raw_path


def test_the_store_and_its_small_lists_are_read() -> None:
    about = {
        "id": "abc", "name": "Shop", "timezone": {"name": "America/New_York"}, "currency": "USD",
        "plan_name": "Pro", "admin_email": "owner@shop.test", "features": {"multi_storefront_enabled": True},
    }  # fmt: skip
    client = store(Script(httpx.Response(200, json=about)))
    found = client.store()
    assert (found.hash, found.timezone, found.currency, found.multi_storefront) == (
        "abc",
        "America/New_York",
        "USD",
        True,
    )
    assert "owner" not in repr(found)
    assert store(Script(httpx.Response(200, json={"time": 1795248000}))).time() == 1795248000
    places = [{"id": 1, "code": "A", "label": "Main", "enabled": True}, {"id": 2, "enabled": False}]
    assert [(p.id, p.enabled) for p in store(Script(answer(places))).locations()] == [(1, True), (2, False)]
    channel = {"id": 1, "name": "S", "currencies": {"enabled_currencies": ["USD"], "default_currency": "USD"}}
    assert store(Script(answer([channel]))).channels()[0].currencies == ("USD",)
    settings = httpx.Response(200, json={"data": {"update_stock_behavior": "order_placed"}, "meta": {}})
    assert store(Script(settings)).inventory_settings(1).update_stock_behavior == "order_placed"
    hook = {
        "id": 3,
        "scope": "store/order/*",
        "destination": "https://x.test",
        "headers": {"X-Secret": "hush"},
    }
    assert store(Script(answer([hook]))).hooks.list()[0].header_names == ("X-Secret",)


def test_a_record_that_is_not_there_is_an_error() -> None:
    with pytest.raises(Rejected, match="EMPTY"):
        store(Script(httpx.Response(204))).store()
    with pytest.raises(Unavailable):
        store(Script(httpx.Response(200, json={}))).time()


def test_sku_filters_are_cut_by_number_and_by_length() -> None:
    assert list(sku_chunks(["A"] * 5, most=2)) == [["A", "A"], ["A", "A"], ["A"]]
    pieces = list(sku_chunks(["ä" * 100] * 50))
    assert sum(map(len, pieces)) == 50
    assert all(len("".join(piece).encode()) * 3 <= 6100 for piece in pieces)
    assert list(sku_chunks([])) == []
