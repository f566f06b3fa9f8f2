"""Orders of the shop: lists, filters, shapes, edits, and every awkward kind against BigCommerce's own files.

Put reading and changing of orders here. Do not put arithmetic (test_checkout.py), shipments or payments here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from bcns_pipeline.sandbox.bigcommerce.settings import ShopSettings
from bcns_pipeline.sandbox.launch import Sandbox, SandboxFailed
from bcns_pipeline.sandbox.options import ALL_SCOPES
from bcns_pipeline.sandbox.shop_kinds import KINDS
from bcns_pipeline_tests.contract import require_specs, validate_response

WHOLE = "include=consignments.line_items,fees&consignment_structure=object"
D = Decimal


@pytest.fixture(autouse=True)
def _as_it_was(sandbox: Sandbox) -> Iterator[None]:
    """The shop's settings are put back after each test."""
    yield
    usual = ShopSettings().show()
    # A channel that orders came from stays.
    sandbox.control.shop_settings(**{k: v for k, v in usual.items() if k != "marketplace"})


def read(shop: httpx.Client, path: str) -> Any:
    """The parsed body, amounts as `Decimal`."""
    answer = shop.get(path)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content, parse_float=Decimal)


def one(shop: httpx.Client, order_id: int) -> Any:
    """An order with everything that can be included."""
    return read(shop, f"/v2/orders/{order_id}?{WHOLE}")


def lines_of(order: Any) -> list[Any]:
    """All lines of an order, wherever they go."""
    parts = order["consignments"]
    gifts = parts["email"]["gift_certificates"]
    return [
        line
        for place in (*parts["shipping"], *parts["pickups"], *parts["downloads"], *gifts)
        for line in place["line_items"]
    ]


@pytest.mark.contract
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_order_is_as_the_official_file_says_and_adds_up(
    sandbox: Sandbox, shop: httpx.Client, kind: str
) -> None:
    require_specs()
    order_id = sandbox.control.shop_order(kind, restock=True)["id"]
    for path in (
        f"/v2/orders?min_id={order_id}&{WHOLE}",
        f"/v2/orders?min_id={order_id}",
        f"/v2/orders/{order_id}?{WHOLE}",
        f"/v2/orders/{order_id}/products",
        f"/v2/orders/{order_id}/shipping_addresses",
        f"/v2/orders/{order_id}/coupons",
        f"/v2/orders/{order_id}/fees",
        f"/v2/orders/{order_id}/taxes?details=true",
        f"/v2/orders/{order_id}/taxes",
        f"/v2/orders/{order_id}/consignments",
        f"/v3/orders/{order_id}/transactions",
    ):
        answer = shop.get(path)
        assert answer.status_code in (200, 204), answer.text
        validate_response("GET", str(answer.url), answer.status_code, answer.headers, answer.content)
    order = one(shop, order_id)
    parts = sum((D(line["discounted_total_inc_tax"]) for line in lines_of(order)), D(0))
    parts += sum((D(fee["cost_inc_tax"]) for fee in order["fees"]), D(0))
    for name in ("shipping_cost", "handling_cost", "wrapping_cost"):
        parts += D(order[f"{name}_inc_tax"])
    difference = D(order["total_inc_tax"]) - parts
    assert difference == (D("0.37") if kind == "api_override" else 0)
    assert order["items_total"] == sum(line["quantity"] for line in lines_of(order))


def test_side_loaded_lines_are_those_of_the_products_list(sandbox: Sandbox, shop: httpx.Client) -> None:
    order_id = sandbox.control.shop_order("multi_address", restock=True)["id"]
    order = one(shop, order_id)
    assert lines_of(order) == read(shop, f"/v2/orders/{order_id}/products")
    places = order["consignments"]["shipping"]
    assert [place["id"] for place in places] == [
        row["id"] for row in read(shop, f"/v2/orders/{order_id}/shipping_addresses")
    ]
    assert all(line["order_address_id"] == place["id"] for place in places for line in place["line_items"])


def test_amounts_are_text_with_four_decimals_and_those_of_a_consignment_numbers(
    sandbox: Sandbox, shop: httpx.Client
) -> None:
    order = one(shop, sandbox.control.shop_order("coupon", restock=True)["id"])
    for name in ("total_inc_tax", "subtotal_ex_tax", "coupon_discount", "store_credit_amount"):
        assert re.fullmatch(r"\d+\.\d{4}", order[name])
    assert order["refunded_amount"] == "0.0000"
    assert order["consignments"]["shipping"][0]["cost_ex_tax"] == D("9.95")
    assert parsedate_to_datetime(order["date_created"]).utcoffset().total_seconds() == 0  # type: ignore[union-attr]


def test_without_include_parts_are_stubs_and_without_the_structure_consignments_are_a_list(
    sandbox: Sandbox, shop: httpx.Client
) -> None:
    order_id = sandbox.control.shop_order(restock=True)["id"]
    plain = read(shop, f"/v2/orders/{order_id}")
    assert set(plain["consignments"]) == set(plain["fees"]) == {"url", "resource"}
    legacy = read(shop, f"/v2/orders/{order_id}?include=consignments.line_items")["consignments"]
    assert legacy == [one(shop, order_id)["consignments"]]
    sandbox.control.shop_settings(side_loading=False)
    assert set(one(shop, order_id)["consignments"]) == {"url", "resource"}


def test_pages_join_to_the_whole_and_the_list_ends_with_204(sandbox: Sandbox, shop: httpx.Client) -> None:
    first, *_, last = sandbox.control.shop_orders(51, restock=True, kind="guest")
    window = f"min_id={first}&max_id={last}"
    pages = [read(shop, f"/v2/orders?{window}&page={page}") for page in (1, 2)]
    assert [len(page) for page in pages] == [50, 1]
    assert [row["id"] for page in pages for row in page] == list(range(first, last + 1))
    behind = shop.get(f"/v2/orders?{window}&page=3")
    assert (behind.status_code, behind.content) == (204, b"")
    sandbox.control.shop_settings(end_of_list="empty")
    assert shop.get(f"/v2/orders?{window}&page=3").json() == []


def test_a_limit_above_250_is_refused_or_cut_as_set(sandbox: Sandbox, shop: httpx.Client) -> None:
    assert shop.get("/v2/orders?limit=251").status_code == 413
    sandbox.control.shop_settings(order_page_max=2, order_page_overflow="clamp")
    sandbox.control.shop_orders(3, restock=True)
    assert len(read(shop, "/v2/orders?limit=250")) == 2


def test_filters_choose_and_windows_include_both_their_ends(sandbox: Sandbox, shop: httpx.Client) -> None:
    made = sandbox.control.shop_order(
        "guest", restock=True, email="Window@example.com", created_at="2024-05-06T07:08:09+00:00"
    )
    number = made["id"]

    def ids(query: str) -> list[int]:
        answer = shop.get(f"/v2/orders?{query}")
        return [row["id"] for row in answer.json()] if answer.status_code == 200 else []

    at = "Mon, 06 May 2024 07:08:09 %2B0000"
    assert ids(f"min_date_created={at}&max_date_created={at}") == [number]
    assert ids("min_date_modified=2024-05-06T07:08:09Z&max_date_modified=2024-05-06T03:08:09-04:00") == [
        number
    ]
    # Other tests' orders may be older.
    assert ids(f"min_id={number}&max_date_created=2024-05-06T07:08:08Z") == []
    assert ids("email=window@EXAMPLE.com") == [number]
    assert ids(f"min_id={number}&max_id={number}&status_id=11&channel_id=1&customer_id=0") == [number]
    assert ids(f"min_id={number}&status_id=0") == []
    assert ids(f"min_id={number}&max_id={number}&min_total=100000") == []
    counted = read(shop, f"/v2/orders/count?min_id={number}&max_date_created=2024-05-06T07:08:09Z")
    assert counted["count"] == 1
    assert {row["id"]: row["count"] for row in counted["statuses"]}[11] == 1


@pytest.mark.parametrize(
    "query",
    [
        "min_date_created=yesterday",
        "min_date_modified=2024-05-06T07:08:09+00:00",
        "sort=total",
        "sort=id:up",
        "status_id=eleven",
        "ids=1,2",
        "include=products",
        "page=0",
        "consignment_structure=list",
    ],
)
def test_what_the_list_does_not_know_is_400_with_an_array(shop: httpx.Client, query: str) -> None:
    answer = shop.get(f"/v2/orders?{query}")
    assert answer.status_code == 400
    assert answer.json()[0]["status"] == 400


def test_sorting_goes_both_ways_and_a_change_moves_an_order_to_the_end(
    sandbox: Sandbox, shop: httpx.Client
) -> None:
    first, second = sandbox.control.shop_orders(
        2, restock=True, created_at="2023-01-02T03:04:05+00:00", kind="guest"
    )
    window = f"min_id={first}&max_id={second}"
    assert shop.put(f"/v2/orders/{first}", json={"staff_notes": "seen"}).status_code == 200
    rising = read(shop, f"/v2/orders?{window}&sort=date_modified:asc")
    assert [row["id"] for row in rising] == [second, first]
    falling = read(shop, f"/v2/orders?{window}&sort=date_modified:desc")
    assert [row["id"] for row in falling] == [first, second]


def test_writing_a_reference_moves_the_date_and_no_money(sandbox: Sandbox, shop: httpx.Client) -> None:
    order_id = sandbox.control.shop_order("coupon", restock=True, created_at="2024-01-01T00:00:00+00:00")[
        "id"
    ]
    before = one(shop, order_id)
    answer = shop.put(f"/v2/orders/{order_id}", json={"external_order_id": "5001", "status_id": 9})
    assert answer.status_code == 200
    after = one(shop, order_id)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"external_order_id", "status_id", "status", "custom_status", "date_modified"}
    assert [row["id"] for row in read(shop, "/v2/orders?external_order_id=5001")] == [order_id]


@pytest.mark.contract
def test_the_answer_to_a_change_is_the_order(sandbox: Sandbox, shop: httpx.Client) -> None:
    require_specs()
    order_id = sandbox.control.shop_order(restock=True)["id"]
    answer = shop.put(f"/v2/orders/{order_id}", json={"staff_notes": "NetSuite SO1"})
    validate_response("PUT", str(answer.url), answer.status_code, answer.headers, answer.content)
    answer = shop.get("/v2/order_statuses")
    validate_response("GET", str(answer.url), answer.status_code, answer.headers, answer.content)
    assert len(answer.json()) == 15
    answer = shop.get("/v2/orders/count")
    validate_response("GET", str(answer.url), answer.status_code, answer.headers, answer.content)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"status_id": 99}, "status_id"),
        ({"status_id": "11"}, "status_id"),
        ({"external_merchant_id": "x"}, "Please remove it from your request"),
        ({"payment_status": "paid"}, "cannot be written to"),
        ({"no_such_field": 1}, "not supported"),
        ({"staff_notes": "x" * 65_536}, "staff_notes"),
        ({"staff_notes": "kept?", "status_id": 99}, "status_id"),
        ({}, "at least one field"),
        ({"products": [{"id": 1}]}, "products"),
    ],
    ids=str,
)
def test_a_refused_change_changes_nothing(
    sandbox: Sandbox, shop: httpx.Client, body: dict[str, Any], text: str
) -> None:
    order_id = sandbox.control.shop_order("guest", restock=True)["id"]
    before = read(shop, f"/v2/orders/{order_id}")
    answer = shop.put(f"/v2/orders/{order_id}", json=body)
    assert (answer.status_code, text in answer.json()[0]["message"]) == (400, True)
    assert read(shop, f"/v2/orders/{order_id}") == before


def test_an_order_that_is_not_there_is_404(shop: httpx.Client) -> None:
    for answer in (shop.get("/v2/orders/99"), shop.put("/v2/orders/99", json={"status_id": 2})):
        assert answer.status_code == 404
        assert answer.json()[0]["status"] == 404


def test_editing_a_line_clears_its_discounts_and_computes_the_total_anew(
    sandbox: Sandbox, shop: httpx.Client
) -> None:
    made = sandbox.control.shop_order(
        "coupon", restock=True, tax_rate=0, lines=[{"price": "10", "quantity": 2}, {"price": "30"}]
    )
    first = made["lines"][0]["id"]
    answer = shop.put(f"/v2/orders/{made['id']}", json={"products": [{"id": first, "quantity": 1}]})
    assert answer.status_code == 200
    edited, other = lines_of(one(shop, made["id"]))
    assert (edited["applied_discounts"], edited["discounted_total_inc_tax"]) == ([], "10.0000")
    assert [row["amount"] for row in other["applied_discounts"]] == ["3.0000"]
    assert D(answer.json()["total_inc_tax"]) == D("10") + D("27") + D("9.95")


def test_an_edit_ends_a_total_that_did_not_add_up(sandbox: Sandbox, shop: httpx.Client) -> None:
    made = sandbox.control.shop_order("api_override", restock=True)
    before = D(made["total"])
    sandbox.control.edit_order(made["id"], lines=[{"line_id": made["lines"][0]["id"], "quantity": 1}])
    assert D(one(shop, made["id"])["total_inc_tax"]) == before - D("0.37")


def test_fees_are_replaced_as_a_whole(sandbox: Sandbox, shop: httpx.Client) -> None:
    order_id = sandbox.control.shop_order("custom_fee", restock=True)["id"]
    total = D(one(shop, order_id)["total_inc_tax"])
    new = {"type": "custom_fee", "display_name_merchant": "Rush", "cost_ex_tax": "5.00"}
    shop.put(f"/v2/orders/{order_id}", json={"fees": [new]})
    order = one(shop, order_id)
    assert [fee["display_name_customer"] for fee in order["fees"]] == ["Rush"]
    assert D(order["total_inc_tax"]) == total - D("1.99") + 5


def test_stock_is_taken_at_once_all_or_nothing_and_not_for_what_was_never_paid(sandbox: Sandbox) -> None:
    control = sandbox.control
    for sku in ("SKU-000020", "SKU-000021"):
        control.edit(sku=sku, location_id=1, quantity=5)

    def stock() -> list[int]:
        return [control.inventory(sku)[0]["on_hand"]["1"] for sku in ("SKU-000020", "SKU-000021")]

    lines = [{"sku": "SKU-000020", "quantity": 2}, {"sku": "SKU-000021", "quantity": 6}]
    count = len(control.shop_state())
    with pytest.raises(SandboxFailed, match="can't sell 6"):
        control.shop_order(lines=lines)
    assert (stock(), len(control.shop_state())) == ([5, 5], count)
    kept = control.shop_order("incomplete", lines=lines[:1])["id"]
    control.shop_order("declined", lines=lines[:1])
    assert stock() == [5, 5]
    control.order_status(kept, 11)
    assert stock() == [3, 5]


def test_cancelled_units_lower_the_order_and_go_back_to_the_shelf(
    sandbox: Sandbox, shop: httpx.Client
) -> None:
    control = sandbox.control
    control.edit(sku="SKU-000022", location_id=1, quantity=10)
    made = control.shop_order(lines=[{"sku": "SKU-000022", "quantity": 3, "price": "20"}], tax_rate=0)
    after = control.cancel_units(made["id"], sku="SKU-000022")
    assert D(made["total"]) - D(after["total"]) == 20
    assert control.inventory("SKU-000022")[0]["on_hand"]["1"] == 8
    assert D(str(read(shop, f"/v3/orders/{made['id']}/transactions")["data"][0]["amount"])) == D(
        made["total"]
    )


def test_a_simple_order_is_a_guests_order_in_the_api(sandbox: Sandbox, shop: httpx.Client) -> None:
    sandbox.control.edit(sku="SKU-000023", location_id=1, quantity=4)
    made = sandbox.control.order(sku="SKU-000023", quantity=2, location_id=1)
    order = one(shop, made["id"])
    assert (order["customer_id"], order["status_id"]) == (0, 11)
    assert [(line["sku"], line["quantity"]) for line in lines_of(order)] == [("SKU-000023", 2)]


def test_an_edit_in_the_control_panel_moves_address_and_method(sandbox: Sandbox, shop: httpx.Client) -> None:
    order_id = sandbox.control.shop_order(restock=True)["id"]
    sandbox.control.edit_order(
        order_id, billing={"city": "Houston"}, ship_to={"zip": "77001"}, shipping_method="2nd Day Air"
    )
    order = one(shop, order_id)
    place = order["consignments"]["shipping"][0]
    found = (order["billing_address"]["city"], place["zip"], place["shipping_method"])
    assert found == ("Houston", "77001", "2nd Day Air")


def test_money_of_a_foreign_order_is_in_the_currency_that_was_paid(
    sandbox: Sandbox, shop: httpx.Client
) -> None:
    order = one(shop, sandbox.control.shop_order("jpy", restock=True, display_currency="EUR")["id"])
    codes = (order["default_currency_code"], order["currency_code"], order["store_default_currency_code"])
    assert codes == ("JPY", "EUR", "USD")
    assert order["store_default_to_transactional_exchange_rate"] == "150.0000000000"
    assert D(order["total_inc_tax"]) == int(D(order["total_inc_tax"]))
    currencies = {row["currency_code"]: row["decimal_places"] for row in read(shop, "/v2/currencies")}
    assert currencies == {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}


def test_a_store_that_enters_prices_with_tax_says_so_everywhere(sandbox: Sandbox, shop: httpx.Client) -> None:
    sandbox.control.shop_settings(prices_include_tax=True)
    assert read(shop, "/v2/store")["is_price_entered_with_tax"] is True
    order = one(shop, sandbox.control.shop_order(restock=True, tax_rate=10)["id"])
    assert order["is_tax_inclusive_pricing"] is True
    assert D(order["subtotal_inc_tax"]) == sum(
        D(line["base_price"]) * line["quantity"] for line in lines_of(order)
    )


def test_channels_come_with_their_orders(sandbox: Sandbox, shop: httpx.Client) -> None:
    sandbox.control.shop_settings(second_storefront=True)
    order_id = sandbox.control.shop_order(restock=True, channel_id=2, currency="EUR")["id"]
    assert one(shop, order_id)["channel_id"] == 2
    assert read(shop, "/v2/store")["features"]["multi_storefront_enabled"] is True
    sandbox.control.shop_order("marketplace", restock=True)
    channels = read(shop, "/v3/channels?include=currencies")["data"]
    assert [(row["id"], row["type"]) for row in channels] == [
        (1, "storefront"),
        (2, "storefront"),
        (3, "marketplace"),
    ]
    with pytest.raises(SandboxFailed, match="no channel 9"):
        sandbox.control.shop_order(channel_id=9)


def test_orders_need_their_scope(sandbox: Sandbox, shop: httpx.Client) -> None:
    before = sandbox.control.call("POST", "/bigcommerce/scopes", {"scopes": ["store_v2_orders_read_only"]})
    assert before["scopes"] == ["store_v2_orders_read_only"]
    try:
        assert shop.get("/v2/orders?limit=1").status_code in (200, 204)
        assert shop.put("/v2/orders/100", json={"status_id": 2}).status_code == 403
        assert shop.get("/v3/orders/100/transactions").status_code == 403
    finally:
        sandbox.control.call("POST", "/bigcommerce/scopes", {"scopes": list(ALL_SCOPES)})


def test_many_orders_at_once_come_from_new_and_known_shoppers_over_the_given_time(
    sandbox: Sandbox, shop: httpx.Client
) -> None:
    ids = sandbox.control.shop_orders(1000, restock=True, returning=0.5, within_seconds=3600)
    assert ids == list(range(ids[0], ids[0] + 1000))
    orders = sandbox.control.shop_state(*ids)
    customers = {order["customer_id"] for order in orders}
    assert 400 < len(customers) < 600
    created = [parsedate_to_datetime(order["date_created"]) for order in orders]
    assert created == sorted(created)
    assert 3500 < (created[-1] - created[0]).total_seconds() <= 3600


def test_many_orders_can_come_from_shoppers_whom_the_caller_names(sandbox: Sandbox) -> None:
    named = [sandbox.control.shopper()["id"], sandbox.control.shopper()["id"]]
    ids = sandbox.control.shop_orders(12, restock=True, returning=1, customer_ids=named)
    assert {one["customer_id"] for one in sandbox.control.shop_state(*ids)} == set(named)
