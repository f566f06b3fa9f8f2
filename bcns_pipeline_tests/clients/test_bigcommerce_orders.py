"""Orders as documents: one shape whatever the store answers in, the fewest calls, exact figures, no guesses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from bcns_pipeline.clients.bigcommerce.documents import assembled, moment, order, stamp
from bcns_pipeline.clients.bigcommerce.money import money_of
from bcns_pipeline.clients.bigcommerce.orders import runs
from bcns_pipeline.clients.http.body import canonical_json, decode_exact
from bcns_pipeline.outcomes import Rejected, Unavailable
from bcns_pipeline_tests.clients.fakes import Script
from bcns_pipeline_tests.clients.shop_double import OrderList, at, shop

LINE = {"id": 194, "type": "physical", "order_address_id": 1018, "total_inc_tax": "19.9900", "quantity": 2}


def paths(orders: OrderList) -> list[str]:
    return [request.url.path.removeprefix("/stores/abc") for request in orders.requests]


def test_a_page_asks_for_lines_and_fees_and_keeps_every_digit() -> None:
    orders = OrderList()
    orders.add(118, products=[LINE], fees=[{"id": 3, "cost_ex_tax": "1.5000"}])
    page = shop(orders).orders.page(min_id=100, channel_id=None, status_id=None)
    asked = orders.requests[0].url.params
    assert asked["include"] == "consignments.line_items,fees"
    assert asked["consignment_structure"] == "object"
    assert (asked["limit"], asked["sort"], asked["min_id"]) == ("250", "date_modified", "100")
    one = page.orders[0]
    assert (one.id, one.status_id, one.modified_at) == (118, 11, at(0))
    assert one.document["consignments"]["shipping"][0]["cost_inc_tax"] == Decimal("9.95")
    assert one.document["fees"] == [{"id": 3, "cost_ex_tax": "1.5000"}]
    assert decode_exact(one.raw) == one.document
    assert "19.9900" not in repr(one)


def test_the_older_shape_of_consignments_gives_the_same_document() -> None:
    orders = OrderList()
    orders.add(118, products=[LINE])
    newer = shop(orders).orders.page().orders[0]
    orders.legacy = True
    assert shop(orders).orders.page().orders[0] == newer


def test_several_consignments_of_the_older_shape_are_put_together() -> None:
    row = {
        "id": 1,
        "date_modified": "2026-03-01T12:00:00+00:00",
        "consignments": [
            {"shipping": [{"id": 1}], "email": {"gift_certificates": {"line_items": [{"id": 7}]}}},
            {"shipping": [{"id": 2}], "downloads": [{"line_items": [{"id": 8}]}]},
        ],
    }
    consignments = order(row).document["consignments"]
    assert [one["id"] for one in consignments["shipping"]] == [1, 2]
    assert consignments["downloads"] == [{"line_items": [{"id": 8}]}]
    assert consignments["email"]["gift_certificates"] == [{"line_items": [{"id": 7}]}]


def test_parts_that_a_store_does_not_include_are_fetched_and_give_the_same_lines() -> None:
    orders = OrderList()
    orders.honours_include = False
    address = {"id": 1018, "city": "Austin", "cost_inc_tax": "9.9500", "base_cost": ""}
    orders.add(118, products=[LINE], shipping_addresses=[address], fees=[{"id": 3}])
    found = shop(orders).orders.get(118)
    assert found is not None
    place = found.document["consignments"]["shipping"][0]
    assert place["line_items"] == [LINE]
    assert (place["cost_inc_tax"], place["city"]) == (Decimal("9.9500"), "Austin")
    assert found.document["fees"] == [{"id": 3}]
    assert sorted(paths(orders)) == sorted(
        ["/v2/orders/118", *(f"/v2/orders/118/{part}" for part in ("products", "shipping_addresses", "fees"))]
    )


def test_addresses_of_line_items_are_replaced_by_the_lines_and_the_rest_stays() -> None:
    stub = {"url": "https://shop.test/x", "resource": "/orders/118/products/194"}
    row = {
        "id": 118,
        "status_id": 11,
        "date_modified": "Sun, 01 Mar 2026 12:00:00 +0000",
        "consignments": {
            "pickups": [],
            "shipping": [{"id": 9, "city": "Austin", "line_items": [stub]}],
            "downloads": [{"recipient_email": "a@example.com", "line_items": stub}],
            "email": {"gift_certificates": []},
        },
        "fees": [],
    }
    server = Script(httpx.Response(200, json=row), httpx.Response(200, json=[LINE]))
    found = shop(server).orders.get(118)
    assert found is not None
    assert found.document["consignments"]["shipping"] == [{"id": 9, "city": "Austin", "line_items": [LINE]}]
    assert found.document["consignments"]["downloads"][0] == {
        "recipient_email": "a@example.com",
        "line_items": [LINE],
    }
    assert len(server.requests) == 2
    other = Script(httpx.Response(200, json=row), httpx.Response(200, json=[{"id": 1}]))
    with pytest.raises(Unavailable, match="UNREADABLE"):
        shop(other).orders.get(118)


def test_no_line_is_dropped_when_an_order_is_put_together() -> None:
    lines: list[dict[str, Any]] = [
        {"id": 1, "type": "physical", "order_address_id": 10},
        {"id": 2, "type": "physical", "order_address_id": 99},
        {"id": 3, "type": "digital", "order_address_id": 0},
        {"id": 4, "type": "giftcertificate"},
        {"id": 5, "type": "physical", "order_pickup_method_id": 6},
        {"id": 6, "type": "unheard of"},
    ]
    found = assembled(lines, [{"id": 10}, {"id": 11}])
    assert [(one["id"], [line["id"] for line in one["line_items"]]) for one in found["shipping"]] == [
        (10, [1]), (11, []), (99, [2]), (0, [6]),
    ]  # fmt: skip
    assert found["downloads"] == [{"line_items": [lines[2]]}]
    assert found["email"]["gift_certificates"] == [{"line_items": [lines[3]]}]
    assert found["pickups"] == [{"id": 6, "line_items": [lines[4]]}]


def test_an_order_that_the_store_does_not_know_is_none_and_a_failed_read_is_an_error() -> None:
    assert shop(OrderList()).orders.get(5) is None
    with pytest.raises(Unavailable):
        shop(Script(httpx.Response(503))).orders.get(5)
    with pytest.raises(Unavailable, match="UNREADABLE"):
        shop(Script(httpx.Response(200, json=[{"id": 1}]))).orders.page()


def test_many_orders_are_read_in_the_fewest_calls() -> None:
    orders = OrderList()
    for n in range(1, 2001):
        orders.add(n, modified=n)
    found = shop(orders).orders.get_many(range(1, 2001))
    assert list(found) == list(range(1, 2001))
    assert len(orders.requests) == 8
    orders.requests.clear()
    found = shop(orders).orders.get_many([5, 1000, 1001, 1003, 1900])
    assert list(found) == [5, 1000, 1001, 1003, 1900]
    assert sorted(paths(orders)) == ["/v2/orders", "/v2/orders/1900", "/v2/orders/5"]
    assert dict(orders.requests[0].url.params)["max_id"] == "1003"


def test_an_order_that_a_page_leaves_out_is_asked_for_by_itself() -> None:
    orders = OrderList()
    for n in (1, 2, 3):
        orders.add(n)
    orders._filtered = lambda params: [row for row in orders.rows.values() if row["id"] != 2]  # type: ignore[method-assign]
    assert list(shop(orders).orders.get_many([1, 2, 3, 4])) == [1, 2, 3]
    assert sorted(paths(orders)) == ["/v2/orders", "/v2/orders/2", "/v2/orders/4"]


def test_runs_span_at_most_a_page() -> None:
    assert list(runs([1, 250, 251, 600])) == [[1, 250], [251], [600]]
    assert list(runs([])) == []


def test_heads_for_the_completeness_check_come_without_contents() -> None:
    orders = OrderList()
    orders.add(7, created=3, total_inc_tax="12.3400", status_id=0)
    orders.add(8, created=9)
    heads = shop(orders).orders.ids(at(0), at(9))
    assert [(one.id, one.status_id, one.total, one.currency) for one in heads] == [
        (7, 0, Decimal("12.34"), "USD")
    ]
    assert heads[0].created_at == at(3)
    assert "include" not in orders.requests[0].url.params


def test_counting_uses_the_same_filters() -> None:
    orders = OrderList()
    orders.add(1, modified=3)
    orders.add(2, modified=30)
    assert shop(orders).orders.count(modified_before=at(10)) == 1


def test_details_are_read_page_by_page_with_exact_figures() -> None:
    rows = [{"id": n} for n in range(250)]
    more = [{"id": 250}]
    server = Script(httpx.Response(200, json=rows), httpx.Response(200, json=more))
    assert len(shop(server).orders.taxes(118)) == 251
    assert [request.url.params["page"] for request in server.requests] == ["1", "2"]
    assert server.requests[0].url.params["details"] == "true"
    assert shop(Script(httpx.Response(204))).orders.coupons(118) == []
    exact = httpx.Response(200, content=b'[{"id":1,"discount":0.1}]')
    assert shop(Script(exact)).orders.coupons(118) == [{"id": 1, "discount": Decimal("0.1")}]
    again = Script(httpx.Response(200, json=rows))
    with pytest.raises(Unavailable, match="repeats"):
        shop(again).orders.coupons(118)


def test_transactions_that_are_not_all_there_are_an_error() -> None:
    row = b'{"id":1,"order_id":"118","amount":49.93}'
    whole = httpx.Response(200, content=b'{"data":[' + row + b'],"meta":{"pagination":{"total":1}}}')
    found = shop(Script(whole)).orders.transactions(118)
    assert found == [{"id": 1, "order_id": "118", "amount": Decimal("49.93")}]
    part = httpx.Response(200, content=b'{"data":[' + row + b'],"meta":{"pagination":{"total":251}}}')
    with pytest.raises(Rejected, match="1 of 251"):
        shop(Script(part)).orders.transactions(118)
    assert shop(Script(httpx.Response(204))).orders.transactions(118) == []


@pytest.mark.parametrize("by", ["order_ids", "ids"])
def test_refunds_are_asked_for_in_pieces_and_come_by_id(by: str) -> None:
    name = {"order_ids": "order_id:in", "ids": "id:in"}[by]

    def server(request: httpx.Request) -> httpx.Response:
        wanted = [int(one) for one in request.url.params[name].split(",")]
        assert len(wanted) <= 100
        rows = [{"id": 1000 - one, "order_id": one, "total_amount": 1} for one in wanted]
        pages = {"total": len(rows), "count": len(rows), "current_page": 1, "total_pages": 1}
        return httpx.Response(200, json={"data": rows, "meta": {"pagination": pages}})

    found = shop(server).orders.refunds(**{by: range(1, 151)})
    assert [row["id"] for row in found] == list(range(850, 1000))
    assert shop(server).orders.refunds(**{by: []}) == []


def test_money_fields_compare_by_value_and_name_lines_fees_and_consignments() -> None:
    document: dict[str, Any] = {
        "total_inc_tax": "116.7300",
        "refunded_amount": "0.0000",
        "discount_amount": "",
        "consignments": {
            "shipping": [
                {
                    "id": 9,
                    "cost_inc_tax": Decimal("9.95"),
                    "line_items": [
                        {"id": 194, "total_tax": "8.71", "applied_discounts": [{"id": "c", "amount": "6"}]}
                    ],
                }
            ],
            "downloads": [{"line_items": {"id": 195, "total_tax": "0"}}],
        },
        "fees": [{"id": 3, "cost_tax": 0}],
    }
    found = money_of(document)
    assert found == {
        "total_inc_tax": Decimal("116.73"),
        "shipping:9:cost_inc_tax": Decimal("9.95"),
        "line:194:total_tax": Decimal("8.71"),
        "line:194:discount:c:0:amount": Decimal(6),
        "line:195:total_tax": Decimal(0),
        "fee:3:cost_tax": Decimal(0),
    }
    document["total_inc_tax"] = Decimal("116.73")
    assert money_of(document) == found


def test_money_fields_of_several_orders_take_one_page() -> None:
    orders = OrderList()
    for n in (5, 6, 7):
        orders.add(n, products=[LINE], total_inc_tax="10.0000")
    found = shop(orders).orders.money_fields([5, 6, 7])
    assert found[6] == {
        "total_inc_tax": Decimal(10),
        "shipping:906:cost_inc_tax": Decimal("9.95"),
        "line:194:total_inc_tax": Decimal("19.99"),
        "line:194:quantity": Decimal(2),
    }
    assert len(orders.requests) == 1


def test_dates_of_both_api_versions_are_read_and_one_without_a_zone_is_never_sent() -> None:
    assert moment("Sun, 01 Mar 2026 12:00:05 +0000") == at(5)
    assert moment("2026-03-01T07:00:05-05:00") == at(5)
    assert moment("2026-03-01T12:00:05") == at(5)
    for wrong in ("", None, "yesterday"):
        with pytest.raises(ValueError):
            moment(wrong)
    with pytest.raises(ValueError, match="time zone"):
        stamp(at(5).replace(tzinfo=None))


def test_canonical_json_is_equal_for_equal_orders_and_keeps_digits() -> None:
    one = canonical_json({"b": [Decimal("1.50"), "é"], "a": {"y": 1, "x": None}})
    assert one == '{"a":{"x":null,"y":1},"b":[1.50,"é"]}'.encode()
    assert decode_exact(one)["b"][0].as_tuple().digits == (1, 5, 0)
    for wrong in (float("nan"), Decimal("Infinity")):
        with pytest.raises((ValueError, TypeError)):
            canonical_json([wrong])
