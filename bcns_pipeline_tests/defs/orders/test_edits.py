"""Later versions of an order: the smallest patch of what BigCommerce owns, and nothing that a warehouse owns."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from bcns_pipeline.clients.bigcommerce.models import Metafield
from bcns_pipeline.config import Mapping
from bcns_pipeline.defs import late
from bcns_pipeline.defs.close import reports
from bcns_pipeline.outcomes import Sent
from bcns_pipeline_tests.defs.flow import wait_until
from bcns_pipeline_tests.defs.order_flow import OrderFlow

THREE = [{"sku": "SKU-000001", "quantity": 3, "price": "10.00"}]
DISCONTINUED = "SKU-000003"


def place(shop: OrderFlow, *lines: dict[str, object]) -> int:
    return int(shop.control.shop_order(lines=list(lines) or THREE, restock=True)["id"])


def test_each_order_is_edited_as_far_as_its_record_allows_and_then_left_alone(shop: OrderFlow) -> None:
    """Side by side: units cancelled, a new price, one called off, one billed already, one locked by somebody, and one
    that somebody else saves at the same moment.
    """
    shorter, billed, locked, free, contested = (place(shop) for _ in range(5))
    repriced = place(shop, *THREE, {"sku": "SKU-000002"})
    called_off = place(shop, {"sku": DISCONTINUED, "quantity": 3, "price": "10.00"})
    shop.sync()
    shop.control.item(sku=DISCONTINUED, isinactive=True)
    # What comes back is our own number, and no reason to ask anybody about an order that NetSuite took.
    shop.sync()
    assert shop.state().exceptions.find() == []

    records = shop.sales_orders(billed, locked, contested)
    shop.control.fulfil(records[billed]["id"])
    shop.control.bill_order(records[billed]["id"])
    shop.control.lock_record(records[locked]["id"])
    shop.control.conflict(id=records[contested]["id"])
    as_billed = shop.sales_order(billed)
    for one in (shorter, billed, locked, free, contested):
        shop.control.cancel_units(one, 1, sku="SKU-000001")
    gone = {"sku": "SKU-000002", "quantity": 0}
    shop.control.edit_order(repriced, lines=[{"sku": "SKU-000001", "price": "7.77"}, gone])
    shop.control.order_status(called_off, 5)
    run = shop.sync()

    # Nobody is asked about what could be done.
    asked = {(one.code, one.subject) for one in shop.state().exceptions.find()}
    refused = {("ORDER_REFUSED", f"order:{one}") for one in (locked, contested)}
    assert asked == {("ORDER_EDIT_CONFLICT", f"order:{billed}"), *refused}
    assert shop.sales_order(billed) == as_billed, "a record that is billed was opened again"
    assert_two_are_open(shop, shorter)
    assert_repriced(shop, repriced)
    assert_closed(shop, called_off)
    shop.assert_equal_to_the_cent(shorter, repriced, free)
    assert run.metadata("netsuite/sales_orders")["edits_written"] == EDITED

    # The locked record is freed, and its order needs nobody. What somebody else saved is not written over blindly: the
    # record is read again, and the patch made anew.
    shop.control.lock_record(records[locked]["id"], locked=False)
    shop.control.fulfil(records[contested]["id"], lines=[{"sku": "SKU-000001", "quantity": 1}])
    shop.due_now()
    shop.sync()
    shop.assert_equal_to_the_cent(shorter, repriced, locked, free, contested)
    assert_two_are_open(shop, locked)
    assert_two_are_open(shop, contested)
    assert shop.open_exceptions("ORDER_REFUSED") == []

    shop.sync()
    shop.control.clear_log()
    shop.sync()
    assert shop.writes() == []


def test_an_edit_that_arrives_long_after_it_was_given_up_is_noticed_by_a_second_look(
    shop: OrderFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer was lost, it was sent again, and a newer edit followed: nothing else would read the record anew."""
    order, other = place(shop), place(shop)
    shop.sync_twice()
    lost = {"system": "netsuite", "kind": "late", "method": "PATCH", "path_regex": "salesOrder"}
    shop.control.faults(lost)
    shop.control.cancel_units(order, 1, sku="SKU-000001")
    shop.sync()
    assert_two_are_open(shop, order)
    shop.control.edit_order(order, lines=[{"sku": "SKU-000001", "price": "7.77"}])
    shop.sync()
    shop.assert_equal_to_the_cent(order, other)

    shop.control.arrive()
    wait_until(lambda: any(one["fault"] == "arrived" for one in shop.control.log()))
    assert Decimal(str(shop.sales_order(order)["total"])) != charged(shop, order)
    with shop.tick("orders_waiting") as quiet:
        assert quiet.run_requests == []
    shop.sync()
    assert shop.state().exceptions.find() == []

    # NetSuite may work at a request for so long; after that nothing can come any more.
    monkeypatch.setattr(late, "LATE", timedelta(0))
    with shop.tick("orders_waiting") as due:
        assert len(due.run_requests) == 1
    shop.sync()
    (question,) = shop.open_exceptions("ORDER_TOTAL_DRIFT")
    assert question.subject == f"order:{order}"
    with shop.tick("orders_waiting") as done:
        assert done.run_requests == []


def test_an_edit_of_a_field_alone_is_sent_again_where_its_answer_was_lost(shop: OrderFlow) -> None:
    """What is read back does not show it, so it can't be told whether it is there."""
    shop.decide("orders", fields={**shop.sections["orders"]["fields"], TIER: "customer_message"})
    order = place(shop)
    shop.sync_twice()
    shop.control.faults(
        {"system": "netsuite", "kind": "reset_before", "method": "PATCH", "path_regex": "salesOrder"}
    )
    shop.control.edit_order(order, customer_message="Ring twice")
    shop.sync()

    assert tiers(shop, order) == ["Ring twice"]
    shop.assert_equal_to_the_cent(order)


def charged(shop: OrderFlow, order: int) -> Decimal:
    (found,) = shop.control.shop_state(order)
    return Decimal(str(found["total_inc_tax"]))


def test_a_metafield_that_the_mapping_asks_for_reaches_the_record_and_so_does_one_that_an_app_sets_later(
    shop: OrderFlow,
) -> None:
    """It is part of the version that was read: no call without a mapping, one for a page of orders with it."""
    set_before, set_later, without = (place(shop) for _ in range(3))
    fields = {**shop.sections["orders"]["fields"], TIER: "metafields.loyalty.tier"}
    note(shop, set_before, "Gold")
    shop.control.clear_log()
    shop.sync()
    assert metafield_reads(shop) == []
    assert TIER not in shop.sales_order(set_before)["fields"]

    shop.decide("orders", fields=fields)
    shop.control.clear_log()
    shop.sync()
    # One for the page that the poll lists, one for the same orders as they are read.
    assert metafield_reads(shop) == ["/metafields"] * 2
    assert tiers(shop, set_before, set_later, without) == ["Gold", None, None]

    # The order is as it was, and BigCommerce gives it no later date.
    note(shop, set_later, "Silver")
    shop.sync()
    assert tiers(shop, set_before, set_later, without) == ["Gold", "Silver", None]
    shop.sync()
    shop.control.clear_log()
    shop.sync()
    assert shop.writes() == []


def test_an_order_that_was_read_before_the_mapping_asked_for_a_metafield_is_posted_with_it(
    shop: OrderFlow,
) -> None:
    """By the time it is planned, no poll lists it any more."""
    waiting, without = place(shop), place(shop)
    note(shop, waiting, "Gold")
    for _ in range(2):
        shop.run("order_sync", mode="plan")
        shop.later(24 * 3600)

    shop.decide("orders", fields={**shop.sections["orders"]["fields"], TIER: "metafields.loyalty.tier"})
    shop.sync()

    assert tiers(shop, waiting, without) == ["Gold", None]
    shop.control.clear_log()
    shop.sync()
    assert shop.writes() == []


TIER = "custbody_psp_payout_id"


def note(shop: OrderFlow, order_id: int, tier: str) -> None:
    """What an app of the merchant does."""
    with shop.connections("app") as app:
        done = app.bigcommerce().orders.create_metafields([Metafield(order_id, "tier", tier, "loyalty")])
    assert isinstance(done, Sent)


def metafield_reads(shop: OrderFlow) -> list[str]:
    """Where metafields were read, since the log was cleared."""
    calls = [one["path"] for one in shop.control.log() if one["method"] == "GET"]
    return [path.partition("/orders")[2] for path in calls if path.endswith("/metafields")]


def tiers(shop: OrderFlow, *orders: int) -> list[str | None]:
    records = shop.sales_orders(*orders)
    return [records[one]["fields"].get(TIER) for one in orders]


# Those that were shortened, repriced and called off, and the one beside the locked one.
EDITED = 4


def assert_two_are_open(shop: OrderFlow, order: int) -> None:
    assert Decimal(shop.sales_order(order)["lines"][0]["quantity"]) == 2, order


def assert_repriced(shop: OrderFlow, order: int) -> None:
    """The line has its new price and is no second line."""
    lines = [one for one in shop.sales_order(order)["lines"] if one["sku"] == "SKU-000001"]
    assert len(lines) == 1, (order, lines)


def assert_closed(shop: OrderFlow, order: int) -> None:
    lines = [line for line in shop.sales_order(order)["lines"] if line["sku"].startswith("SKU-")]
    assert lines, order
    assert all(line["closed"] for line in lines), (order, lines)


def test_where_updates_are_off_or_of_the_status_only_a_changed_total_stands_or_is_asked_about(
    shop: OrderFlow,
) -> None:
    # Off: nothing is done, and nobody is asked but about what is called off altogether and would be shipped.
    shop.decide("orders", updates="off")
    orders = [place(shop) for _ in range(2)]
    alone, mended, called_off = place(shop), place(shop), place(shop)
    shop.sync()
    before = shop.sales_orders(*orders, alone, called_off)
    shop.control.cancel_units(alone, 1, sku="SKU-000001")
    shop.control.order_status(called_off, 5)
    for _ in range(2):
        shop.sync()
        (asked_about,) = shop.open_exceptions("ORDER_EDIT_CONFLICT")
        assert asked_about.subject == f"order:{called_off}"
        shop.due_now()
    shop.control.order_status(called_off, 11)
    shop.sync()
    assert shop.state().exceptions.find() == []
    assert shop.sales_orders(alone, called_off) == {one: before[one] for one in (alone, called_off)}
    shop.control.edit_order(alone, lines=[{"sku": "SKU-000001", "quantity": 3}])

    # Status only: it is asked about until it is answered.
    shop.decide("orders", updates="status_only")
    for one in (*orders, mended):
        shop.control.cancel_units(one, 1, sku="SKU-000001")
    shop.sync()
    shop.due_now()
    shop.sync()

    asked = {one.subject: one for one in shop.open_exceptions("ORDER_TOTAL_LEFT")}
    assert set(asked) == {f"order:{one}" for one in (*orders, mended)}
    answered, other = orders
    number = asked[f"order:{answered}"].id
    shop.state().exceptions.resolve(number, "dismissed", "the old total stands", actor="ada")
    shop.due_now()
    shop.sync()
    assert {one.subject for one in shop.open_exceptions("ORDER_TOTAL_LEFT")} == {
        f"order:{other}",
        f"order:{mended}",
    }
    shop.control.edit_order(other, lines=[{"sku": "SKU-000001", "quantity": 3}])
    bring_about_by_hand(shop, mended)
    shop.due_now()
    shop.sync()
    assert [one.message for one in shop.open_exceptions("ORDER_TOTAL_LEFT")] == []
    # The difference stays in sight, as the decision that it is, and no longer keeps the month from closing.
    state, today = shop.state(), shop.state().now().date()
    about = reports.about(state, today - timedelta(days=2), today + timedelta(days=2), Mapping())
    found = reports.make(state, "orders", about)
    (left,) = (one for row in found.rows if (one := dict(zip(found.columns, row, strict=True)))["difference"])
    assert (left["order"], left["let_stand"], left["unexplained"]) == (answered, left["difference"], 0)
    assert left["decision"] == "dismissed by ada: the old total stands"
    assert shop.sales_orders(*before) == before


def bring_about_by_hand(shop: OrderFlow, order: int) -> None:
    """Somebody changes NetSuite's order to the total that the shopper pays now, as the question says."""
    record, (charged,) = shop.sales_order(order), shop.control.shop_state(order)
    first, less = record["lines"][0], Decimal(record["total"]) - Decimal(str(charged["total_inc_tax"]))
    amount = Decimal(first["amount"]) - less
    line = {"line": first["line"], "quantity": 1, "rate": amount, "amount": amount}
    with shop.connections("by-hand") as connections:
        connections.netsuite().patch("salesOrder", str(record["id"]), {"item": {"items": [line]}})
    shop.assert_equal_to_the_cent(order)


def test_an_edit_is_made_once_whatever_the_weather(shop: OrderFlow) -> None:
    order = place(shop)
    shop.sync()
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
