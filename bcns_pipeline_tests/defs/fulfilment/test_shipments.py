"""Parcels: one shipment per fulfilment and address, the status by what was shipped, one mail to the shopper."""

from __future__ import annotations

from typing import Any

import pytest

from bcns_pipeline_tests.defs.order_flow import OrderFlow

TWO = [
    {"sku": "SKU-000001", "quantity": 2, "price": "10.00"},
    {"sku": "SKU-000002", "quantity": 1, "price": "5.00"},
]
NOTE = "custbody_bc_shipment_id"
AWAITING, SHIPPED, PARTLY, CANCELLED = 11, 2, 3, 5


def posted(shop: OrderFlow, **order: Any) -> tuple[int, int]:
    """An order that is in NetSuite: its ids there and here."""
    (found,) = all_posted(shop, order)
    return found


def all_posted(shop: OrderFlow, *orders: dict[str, Any]) -> list[tuple[int, int]]:
    """As `posted`, of several orders, with one run for all."""
    placed = [shop.control.shop_order(**{"lines": TWO, "restock": True, **one})["id"] for one in orders]
    shop.sync()
    records = shop.sales_orders(*placed)
    return [(one, int(records[one]["id"])) for one in placed]


def shown(shop: OrderFlow, order: int) -> dict[str, Any]:
    """The order with its shipments, as the store has it."""
    (found,) = shop.control.shop_state(order)
    return dict(found)


def test_parcels_become_shipments_as_they_are_packed_shipped_tracked_and_taken_back(shop: OrderFlow) -> None:
    """Side by side: whole, in parts, tracked later, picked first, to two addresses, called off, taken back."""
    shop.sections["fulfilment"] = {"note_field": NOTE}
    shop.configure()
    # Its shopper chose the lines.
    places = shop.control.shop_order("multi_address", restock=True)["id"]
    whole, parts, tracked, picked, called_off, taken_back = all_posted(shop, *({} for _ in range(6)))
    at_two_places = (places, int(shop.sales_order(places)["id"]))
    shop.control.fulfil(whole[1], tracking="1Z999AA10123456784", carrier="UPS Ground")
    shop.control.fulfil(parts[1], lines=[{"sku": "SKU-000001", "quantity": 1}])
    made = {
        order: shop.control.fulfil(record)["fulfilment"]
        for order, record in (tracked, taken_back, at_two_places)
    }
    made[picked[0]] = shop.control.fulfil(picked[1], status="A")["fulfilment"]

    # A plan sends nothing and leaves all to the next run.
    shop.control.clear_log()
    plan = shop.run("fulfilment_sync", mode="plan")
    assert shop.writes() == []
    assert 0 <= plan.metadata("netsuite/item_fulfilments")["change_to_read_p95_seconds"] <= 300
    run = shop.run("fulfilment_sync")

    assert run.checks["every_shipped_line_is_in_the_store"]
    assert_whole(shop, whole[0])
    assert shown(shop, parts[0])["status_id"] == PARTLY, "one of three units was shipped"
    (mailed,) = shown(shop, tracked[0])["shipments"]
    assert_noted(shop, tracked[0], made[tracked[0]])
    assert shown(shop, picked[0])["shipments"] == [], "picked is not shipped"
    assert_two_addresses(shop, places)

    # A minute later the rest goes out, or comes back; the shop calls one off; the tracking number comes after a day.
    shop.later(60)
    shop.control.fulfil(called_off[1])
    shop.control.order_status(called_off[0], CANCELLED)
    rest = [{"sku": "SKU-000001", "quantity": 1}, {"sku": "SKU-000002", "quantity": 1}]
    shop.control.fulfil(parts[1], lines=rest)
    shop.control.ship(made[picked[0]])
    shop.control.unship(made[taken_back[0]])
    shop.later(86_400)
    shop.control.track(made[tracked[0]], "JD014600006281230704")
    shop.run("fulfilment_sync")

    assert_called_off(shop, called_off[0])
    assert_added_up(shop, parts[0])
    assert_tracked_without_a_second_mail(shop, tracked[0], mailed)
    assert len(shown(shop, picked[0])["shipments"]) == 1, "what was picked has been shipped"
    (question,) = shop.open_exceptions("FULFILMENT_WITHDRAWN")
    assert question.subject == f"order:{taken_back[0]}"

    # Another run has nothing to write.
    shop.control.clear_log()
    shop.later(60)
    shop.run("fulfilment_sync")
    assert shop.writes() == []
    assert_whole(shop, whole[0])
    assert_two_addresses(shop, places)
    assert_called_off(shop, called_off[0])


def assert_whole(shop: OrderFlow, order: int) -> None:
    """One shipment with all units and the tracking number, and the order is shipped."""
    now = shown(shop, order)
    (shipment,) = now["shipments"]
    assert shipment["tracking_number"] == "1Z999AA10123456784", order
    assert sorted(one["quantity"] for one in shipment["items"]) == [1, 2], order
    assert now["status_id"] == SHIPPED, order


def assert_added_up(shop: OrderFlow, order: int) -> None:
    """Two shipments come to all three units, and the status follows."""
    now = shown(shop, order)
    assert len(now["shipments"]) == 2, order
    assert sum(one["quantity"] for shipment in now["shipments"] for one in shipment["items"]) == 3, order
    assert now["status_id"] == SHIPPED, order


def assert_tracked_without_a_second_mail(shop: OrderFlow, order: int, mailed: dict[str, Any]) -> None:
    (shipment,) = shown(shop, order)["shipments"]
    assert shipment["tracking_number"] == "JD014600006281230704", order
    assert shipment["emails"] == mailed["emails"] == 1, order


def assert_noted(shop: OrderFlow, order: int, fulfilment: Any) -> None:
    """The fulfilment carries the shipment's id where the account has a field."""
    (shipment,) = shown(shop, order)["shipments"]
    (found,) = [one for one in shop.books() if one["id"] == fulfilment]
    assert found["fields"][NOTE] == str(shipment["id"]), order


def assert_two_addresses(shop: OrderFlow, order: int) -> None:
    """Each address has a shipment."""
    now = shown(shop, order)
    assert len({one["order_address_id"] for one in now["shipments"]}) == 2, order
    assert now["status_id"] == SHIPPED, order


def assert_called_off(shop: OrderFlow, order: int) -> None:
    """No shipment, never moved, and a question."""
    now = shown(shop, order)
    assert (now["status_id"], now["shipments"]) == (CANCELLED, []), order
    (question,) = shop.open_exceptions("SHIPMENT_HELD")
    assert question.subject == f"order:{order}", order


KINDS = ("reset_after", "truncate", "reset_before", "5xx", "429")


def test_whatever_the_weather_one_shipment_is_made(shop: OrderFlow) -> None:
    """As many parcels as there are kinds of weather, and each kind strikes once."""
    parcels = all_posted(shop, *({} for _ in KINDS))
    for _, record in parcels:
        shop.control.fulfil(record)
    where = {"system": "bigcommerce", "method": "POST", "path_regex": "/shipments", "ms": 100}
    shop.control.faults(*({**where, "kind": kind, "skip": place} for place, kind in enumerate(KINDS)))

    for _ in range(4):
        shop.run_somehow("fulfilment_sync")

    assert shop.control.call("GET", "/faults") == []
    assert_shipped_once(shop, "weather", *(order for order, _ in parcels))


def assert_shipped_once(shop: OrderFlow, when: str, *orders: int) -> None:
    for order in orders:
        now = shown(shop, order)
        assert (len(now["shipments"]), now["status_id"]) == (1, SHIPPED), (when, order)
    shop.assert_tidy()


# Each call of a run, as (system, method, path); docs/crash-points.md lists them.
CALLS = {
    "asking NetSuite": ("netsuite", "POST", "suiteql"),
    "reading the order in the store": ("bigcommerce", "GET", r"/v2/orders$|/v2/orders/\d+$"),
    "making a shipment": ("bigcommerce", "POST", "/shipments"),
}


@pytest.mark.kill
def test_runs_killed_before_and_after_each_call_are_finished_by_the_next(shop: OrderFlow) -> None:
    """One run is killed before the other side has done its work, the next one after, and the third recovers."""
    moments = ({"kind": "latency", "ms": 30_000}, {"kind": "timeout", "after_commit": True})
    parcels = iter(all_posted(shop, *({} for _ in CALLS for _ in moments)))
    for name, (system, method, path) in CALLS.items():
        mine = [next(parcels) for _ in moments]
        for (_, record), how in zip(mine, moments, strict=True):
            shop.control.fulfil(record)
            fault = {"system": system, "method": method, "path_regex": path, "times": 1, **how}
            shop.kill_at("fulfilment_sync", fault, f"{how['kind']} at {name}")

        for _ in range(2):
            shop.run_somehow("fulfilment_sync")

        assert_shipped_once(shop, name, *(order for order, _ in mine))
