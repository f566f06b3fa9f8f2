"""Parcels: one shipment per fulfilment and address, the status by what was shipped, one mail to the shopper."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from bcns_pipeline_tests.defs.flow import wait_until
from bcns_pipeline_tests.defs.order_flow import OrderFlow

TWO = [
    {"sku": "SKU-000001", "quantity": 2, "price": "10.00"},
    {"sku": "SKU-000002", "quantity": 1, "price": "5.00"},
]
AWAITING, SHIPPED, PARTLY, CANCELLED = 11, 2, 3, 5


def posted(shop: OrderFlow, **order: Any) -> tuple[int, int]:
    """An order that is in NetSuite: its ids there and here."""
    placed = shop.control.shop_order(**{"lines": TWO, "restock": True, **order})["id"]
    shop.sync()
    return placed, int(shop.sales_order(placed)["id"])


def shown(shop: OrderFlow, order: int) -> dict[str, Any]:
    """The order with its shipments, as the store has it."""
    (found,) = shop.control.shop_state(order)
    return dict(found)


def test_a_shipped_order_has_one_shipment_with_tracking_and_is_shipped(shop: OrderFlow) -> None:
    order, record = posted(shop)
    shop.control.fulfil(record, tracking="1Z999AA10123456784", carrier="UPS Ground")

    run = shop.run("fulfilment_sync")

    now = shown(shop, order)
    (shipment,) = now["shipments"]
    assert shipment["tracking_number"] == "1Z999AA10123456784"
    assert sorted(one["quantity"] for one in shipment["items"]) == [1, 2]
    assert now["status_id"] == SHIPPED
    assert run.checks["every_shipped_line_is_in_the_store"]
    assert 0 <= run.metadata("netsuite/item_fulfilments")["change_to_read_p95_seconds"] <= 300
    shop.control.clear_log()
    shop.later(60)
    shop.run("fulfilment_sync")
    assert shop.writes() == []
    assert len(shown(shop, order)["shipments"]) == 1


def test_partial_shipments_add_up_and_the_status_follows(shop: OrderFlow) -> None:
    order, record = posted(shop)
    shop.control.fulfil(record, lines=[{"sku": "SKU-000001", "quantity": 1}])
    shop.run("fulfilment_sync")
    assert shown(shop, order)["status_id"] == PARTLY

    shop.later(60)
    shop.control.fulfil(
        record, lines=[{"sku": "SKU-000001", "quantity": 1}, {"sku": "SKU-000002", "quantity": 1}]
    )
    shop.run("fulfilment_sync")

    now = shown(shop, order)
    assert len(now["shipments"]) == 2
    assert sum(one["quantity"] for shipment in now["shipments"] for one in shipment["items"]) == 3
    assert now["status_id"] == SHIPPED


def test_tracking_that_comes_a_day_later_reaches_the_shipment_without_a_second_mail(shop: OrderFlow) -> None:
    order, record = posted(shop)
    made = shop.control.fulfil(record)["fulfilment"]
    shop.run("fulfilment_sync")
    (mailed,) = shown(shop, order)["shipments"]

    shop.later(86_400)
    shop.control.track(made, "JD014600006281230704")
    shop.run("fulfilment_sync")

    now = shown(shop, order)
    (shipment,) = now["shipments"]
    assert shipment["tracking_number"] == "JD014600006281230704"
    assert shipment["emails"] == mailed["emails"] == 1


def test_picked_is_not_shipped(shop: OrderFlow) -> None:
    order, record = posted(shop)
    made = shop.control.fulfil(record, status="A")["fulfilment"]
    shop.run("fulfilment_sync")
    assert shown(shop, order)["shipments"] == []

    shop.later(60)
    shop.control.ship(made)
    shop.run("fulfilment_sync")

    assert len(shown(shop, order)["shipments"]) == 1


def test_a_cancelled_order_gets_no_shipment_and_is_never_moved(shop: OrderFlow) -> None:
    order, record = posted(shop)
    shop.control.fulfil(record)
    shop.control.order_status(order, CANCELLED)

    shop.run("fulfilment_sync")

    now = shown(shop, order)
    assert (now["status_id"], now["shipments"]) == (CANCELLED, [])
    (question,) = shop.open_exceptions("SHIPMENT_HELD")
    assert question.subject == f"order:{order}"


def test_a_fulfilment_taken_back_is_a_question(shop: OrderFlow) -> None:
    order, record = posted(shop)
    made = shop.control.fulfil(record)["fulfilment"]
    shop.run("fulfilment_sync")

    shop.later(60)
    shop.control.unship(made)
    shop.run("fulfilment_sync")

    (question,) = shop.open_exceptions("FULFILMENT_WITHDRAWN")
    assert question.subject == f"order:{order}"


def test_two_addresses_get_a_shipment_each(shop: OrderFlow) -> None:
    order = shop.control.shop_order("multi_address", restock=True)["id"]
    shop.sync()
    shop.control.fulfil(int(shop.sales_order(order)["id"]))

    shop.run("fulfilment_sync")

    now = shown(shop, order)
    assert len({one["order_address_id"] for one in now["shipments"]}) == 2
    assert now["status_id"] == SHIPPED


def test_the_fulfilment_carries_the_shipments_id_where_the_account_has_a_field(shop: OrderFlow) -> None:
    shop.sections["fulfilment"] = {"note_field": "custbody_bc_shipment_id"}
    shop.configure()
    order, record = posted(shop)
    made = shop.control.fulfil(record)["fulfilment"]

    shop.run("fulfilment_sync")

    (shipment,) = shown(shop, order)["shipments"]
    (found,) = [one for one in shop.books() if one["id"] == made]
    assert found["fields"]["custbody_bc_shipment_id"] == str(shipment["id"])


def test_a_plan_sends_nothing_and_leaves_all_to_the_next_run(shop: OrderFlow) -> None:
    order, record = posted(shop)
    shop.control.fulfil(record)
    shop.control.clear_log()

    shop.run("fulfilment_sync", mode="plan")

    assert shop.writes() == []
    shop.run("fulfilment_sync")
    assert len(shown(shop, order)["shipments"]) == 1


@pytest.mark.parametrize("kind", ["reset_after", "truncate", "reset_before", "5xx", "429"])
def test_whatever_the_weather_one_shipment_is_made(shop: OrderFlow, kind: str) -> None:
    order, record = posted(shop)
    shop.control.fulfil(record)
    shop.control.faults(
        {"system": "bigcommerce", "kind": kind, "method": "POST", "path_regex": "/shipments", "ms": 100}
    )

    for _ in range(3):
        shop.run_somehow("fulfilment_sync")

    assert shop.control.call("GET", "/faults") == []
    assert len(shown(shop, order)["shipments"]) == 1
    assert shown(shop, order)["status_id"] == SHIPPED
    shop.assert_tidy()


# Each call of a run, as (system, method, path); docs/crash-points.md lists them.
CALLS = {
    "asking NetSuite": ("netsuite", "POST", "suiteql"),
    "reading the order in the store": ("bigcommerce", "GET", r"/v2/orders$|/v2/orders/\d+$"),
    "making a shipment": ("bigcommerce", "POST", "/shipments"),
}


@pytest.mark.kill
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_run_killed_at_a_call_is_finished_by_the_next(
    shop: OrderFlow, call: tuple[str, str, str], moment: str
) -> None:
    system, method, path = call
    order, record = posted(shop)
    shop.control.fulfil(record)
    fault = (
        {"kind": "timeout", "after_commit": True} if moment == "after" else {"kind": "latency", "ms": 30_000}
    )
    shop.control.faults({"system": system, "method": method, "path_regex": path, "times": 1, **fault})
    child = shop.start("fulfilment_sync")
    wait_until(lambda: shop.control.call("GET", "/faults") == [])
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    shop.control.clear_faults()

    for _ in range(2):
        shop.run_somehow("fulfilment_sync")

    assert len(shown(shop, order)["shipments"]) == 1
    assert shown(shop, order)["status_id"] == SHIPPED
    shop.assert_tidy()
