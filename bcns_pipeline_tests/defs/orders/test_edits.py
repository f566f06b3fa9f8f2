"""Later versions of an order: the smallest patch of what BigCommerce owns, and nothing that a warehouse owns."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline_tests.defs.order_flow import OrderFlow

THREE = [{"sku": "SKU-000001", "quantity": 3, "price": "10.00"}]


def test_one_of_three_units_cancelled_leaves_two_open_and_totals_equal(shop: OrderFlow) -> None:
    order = shop.control.shop_order(lines=THREE, restock=True)["id"]
    shop.sync_twice()
    shop.control.cancel_units(order, 1, sku="SKU-000001")

    run = shop.sync()

    record = shop.sales_order(order)
    assert Decimal(record["lines"][0]["quantity"]) == 2
    shop.assert_equal_to_the_cent(order)
    assert run.metadata("netsuite/sales_orders")["edits_written"] == 1
    shop.sync()
    shop.control.clear_log()
    shop.sync()
    assert shop.writes() == []


def test_a_new_price_and_a_line_taken_off_are_patched_and_the_totals_stay_equal(shop: OrderFlow) -> None:
    order = shop.control.shop_order(lines=[*THREE, {"sku": "SKU-000002"}], restock=True)["id"]
    shop.sync_twice()
    gone = {"sku": "SKU-000002", "quantity": 0}
    shop.control.edit_order(order, lines=[{"sku": "SKU-000001", "price": "7.77"}, gone])

    shop.sync_twice()

    assert shop.state().exceptions.find() == []
    assert len([one for one in shop.sales_order(order)["lines"] if one["sku"] == "SKU-000001"]) == 1
    shop.assert_equal_to_the_cent(order)


def test_a_cancelled_order_is_closed_though_its_item_was_discontinued_since(shop: OrderFlow) -> None:
    order = shop.control.shop_order(lines=THREE, restock=True)["id"]
    shop.sync()
    shop.control.item(sku="SKU-000001", isinactive=True)
    # What comes back is our own number, and no reason to ask anybody about an order that NetSuite took.
    shop.sync()
    assert shop.state().exceptions.find() == []
    shop.control.order_status(order, 5)

    shop.sync()

    assert shop.state().exceptions.find() == []
    assert all(line["closed"] for line in shop.sales_order(order)["lines"] if line["sku"].startswith("SKU-"))


def test_an_order_that_is_billed_is_never_opened_again(shop: OrderFlow) -> None:
    order = shop.control.shop_order(lines=THREE, restock=True)["id"]
    shop.sync_twice()
    record = shop.sales_order(order)["id"]
    shop.control.fulfil(record)
    shop.control.bill_order(record)
    before = shop.sales_order(order)
    shop.control.cancel_units(order, 1, sku="SKU-000001")

    shop.sync()

    assert shop.sales_order(order) == before
    (question,) = shop.open_exceptions("ORDER_EDIT_CONFLICT")
    assert question.subject == f"order:{order}"


def test_updates_off_leaves_the_record_alone(shop: OrderFlow) -> None:
    shop.decide("orders", updates="off")
    order = shop.control.shop_order(lines=THREE, restock=True)["id"]
    shop.sync_twice()
    before = shop.sales_order(order)
    shop.control.cancel_units(order, 1, sku="SKU-000001")

    shop.sync_twice()

    assert shop.sales_order(order) == before


def test_with_status_only_a_changed_total_is_asked_about_until_it_is_answered(shop: OrderFlow) -> None:
    shop.decide("orders", updates="status_only")
    orders = [shop.control.shop_order(lines=THREE, restock=True)["id"] for _ in range(2)]
    shop.sync_twice()
    before = {one: shop.sales_order(one) for one in orders}
    for one in orders:
        shop.control.cancel_units(one, 1, sku="SKU-000001")
    shop.sync_twice()
    shop.due_now()
    shop.sync()

    asked = {one.subject: one for one in shop.open_exceptions("ORDER_TOTAL_LEFT")}
    assert set(asked) == {f"order:{one}" for one in orders}
    answered, other = orders
    number = asked[f"order:{answered}"].id
    shop.state().exceptions.resolve(number, "dismissed", "the old total stands", actor="ada")
    shop.due_now()
    shop.sync_twice()
    assert [one.subject for one in shop.open_exceptions("ORDER_TOTAL_LEFT")] == [f"order:{other}"]
    shop.control.edit_order(other, lines=[{"sku": "SKU-000001", "quantity": 3}])
    shop.sync()
    shop.due_now()
    shop.sync()
    assert [one.message for one in shop.open_exceptions("ORDER_TOTAL_LEFT")] == []
    # Dismissing leaves the difference in sight of whoever closes the month.
    state, today = shop.state(), shop.state().now().date()
    about = reports.about(state, today - timedelta(days=2), today + timedelta(days=2), Mapping())
    found = reports.make(state, "orders", about)
    at = found.columns.index("difference")
    assert [row[0] for row in found.rows if row[at]] == [answered]
    assert {one: shop.sales_order(one) for one in orders} == before


def test_an_edit_is_made_once_whatever_the_weather(shop: OrderFlow) -> None:
    order = shop.control.shop_order(lines=THREE, restock=True)["id"]
    shop.sync_twice()
    shop.control.cancel_units(order, 1, sku="SKU-000001")
    where = {"system": "netsuite", "method": "PATCH", "path_regex": "salesOrder"}
    faults = [
        {"kind": "429", "ms": 50},
        {"kind": "reset_before"},
        {"kind": "timeout"},
        {"kind": "reset_after"},
    ]
    # Each strikes the call after the one that the fault before it struck.
    shop.control.faults(*({**where, **one, "skip": place} for place, one in enumerate(faults)))
    shop.control.clear_log()

    shop.sync_until_done()

    sent = [one for one in shop.writes() if one[0] == "PATCH" and "salesOrder" in one[1]]
    assert len(sent) == len(faults)
    assert shop.control.call("GET", "/faults") == []
    assert Decimal(shop.sales_order(order)["lines"][0]["quantity"]) == 2
    shop.assert_equal_to_the_cent(order)


def test_an_edit_waits_for_a_record_that_somebody_has_locked(shop: OrderFlow) -> None:
    orders = [shop.control.shop_order(lines=THREE, restock=True)["id"] for _ in range(2)]
    shop.sync_twice()
    for order in orders:
        shop.control.cancel_units(order, 1, sku="SKU-000001")
    record = shop.sales_order(orders[0])["id"]
    shop.control.lock_record(record)

    shop.sync()

    (question,) = shop.open_exceptions("ORDER_REFUSED")
    assert question.subject == f"order:{orders[0]}"
    shop.assert_equal_to_the_cent(orders[1])
    shop.control.lock_record(record, locked=False)
    shop.due_now()
    shop.sync()
    shop.assert_equal_to_the_cent(*orders)
    assert shop.open_exceptions("ORDER_REFUSED") == []
