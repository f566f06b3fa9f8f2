"""Orders that nothing has told us of make a noise, and fall silent once they are in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bcns_pipeline_tests.defs.flow import Impatient
from bcns_pipeline_tests.defs.order_flow import OrderFlow

Observed = Callable[[str], dict[str, Any]]
HOURS = 3600


def placed_unheard(shop: OrderFlow, **order: Any) -> int:
    """An order of two hours ago that no hook and no poll has seen."""
    found = shop.control.shop_order("plain", restock=True, **order)
    shop.control.clock(advance_seconds=2 * HOURS)
    return int(found["id"])


def test_an_order_that_nothing_took_in_is_missing_until_it_was_read(
    shop: OrderFlow, observed: Observed
) -> None:
    """Beside it one that the shopper never finished, and one that is too young to be missed."""
    placed_unheard(shop, status_id=0)
    order_id = placed_unheard(shop)
    shop.control.shop_order("plain", restock=True)

    # A plan says so, and neither asks anybody nor has it read.
    planned = shop.run("order_completeness", mode="plan")
    (found,) = planned.observed("bigcommerce/orders", "missing")
    assert [record.data["order"] for record in found.records] == [order_id]
    assert planned.observed("bigcommerce/orders", "audit_head") == [shop.state().head_hash()]
    assert shop.open_exceptions("MISSING_ORDER") == []
    assert shop.state().inbox.missing("order", [str(order_id)]) == [str(order_id)]

    seen = observed("order_completeness")
    (question,) = shop.open_exceptions("MISSING_ORDER")
    total = shop.control.shop_state(order_id)[0]["total_inc_tax"]
    assert question.subject == f"order:{order_id}"
    assert f"over {float(total):.2f} USD" in question.message
    assert "120 minutes" in question.message or "2 hours" in question.message
    assert [record.data["order"] for record in seen["missing"].records] == [order_id]
    # It is not only named: it waits to be read, whatever the poll finds.
    assert shop.state().inbox.open_ids("order") == [str(order_id)]

    # A list that fails heals nothing.
    shop.control.faults({"system": "bigcommerce", "kind": "5xx", "path_regex": "v2/orders", "times": None})
    shop.run_somehow("order_completeness")
    assert [one.subject for one in shop.open_exceptions("MISSING_ORDER")] == [f"order:{order_id}"]
    shop.control.clear_faults()

    # It stands in the inbox now, and nobody has read it.
    observed("order_completeness")
    assert [one.subject for one in shop.open_exceptions("MISSING_ORDER")] == [f"order:{order_id}"]

    shop.sync()
    observed("order_completeness")
    assert shop.open_exceptions("MISSING_ORDER") == []
    shop.assert_equal_to_the_cent(order_id)


def test_what_somebody_changes_or_deletes_in_netsuite_is_found_within_a_day(
    shop: OrderFlow, observed: Observed
) -> None:
    """Nothing is written again by itself: whoever deleted a record may have had a reason."""
    orders = [int(shop.control.shop_order("plain", restock=True)["id"]) for _ in range(3)]
    shop.sync_twice()
    changed, gone = (shop.sales_order(one) for one in orders[1:])
    connections = Impatient(config_path=shop.environment["BCNS_CONFIG"])
    try:
        connections.netsuite().patch("salesOrder", str(changed["id"]), {"shippingCost": 99})
    finally:
        connections.close()
    shop.control.cancel_order(gone["id"], delete=True)
    assert shop.open_exceptions("ORDER_TOTAL_DRIFT") == []

    for one in orders:
        # Each has its hour of the day.
        hour = datetime.fromisoformat(shop.control.clock()["utc"]).hour
        shop.control.clock(advance_seconds=(one - hour) % 24 * HOURS or 24 * HOURS)
        seen = observed("order_completeness")
        assert seen["looked_at_in_netsuite"].value == 1
        found = [record.data["order"] for record in seen["changed_in_netsuite"].records]
        assert found == ([] if one == orders[0] else [one])
    with shop.tick("orders_waiting") as due:
        assert len(due.run_requests) == 1
    shop.control.clear_log()
    shop.sync()
    assert shop.writes() == []
    drifts = {one.subject: one.message for one in shop.open_exceptions("ORDER_TOTAL_DRIFT")}
    assert "total" in drifts.pop(f"order:{orders[1]}")
    assert f"does not show salesOrder {gone['id']} any more" in drifts.pop(f"order:{orders[2]}")
    assert drifts == {}
    with shop.tick("orders_waiting") as quiet:
        assert quiet.run_requests == []

    # Somebody says that it was meant so, and is not asked again the next day.
    for question in shop.open_exceptions("ORDER_TOTAL_DRIFT"):
        shop.state().exceptions.resolve(question.id, "dismissed", "a test order", actor="ada")
    shop.control.clock(advance_seconds=24 * HOURS)
    seen = observed("order_completeness")
    assert (seen["looked_at_in_netsuite"].value, len(seen["changed_in_netsuite"].records)) == (1, 0)


def test_the_held_report_names_orders_by_status_and_amount(shop: OrderFlow, observed: Observed) -> None:
    shop.decide("orders", statuses=[10])
    order = shop.control.shop_order("plain", restock=True)
    shop.sync()

    seen = observed("order_completeness")

    (held,) = (record.data for record in seen["held"].records)
    amount, status = f"{float(order['total']):.2f} USD", "Awaiting Fulfillment"
    assert (held["order"], held["status"], held["total"]) == (order["id"], status, amount)
    (sums,) = (record.data for record in seen["held_by_status"].records)
    assert (sums["code"], sums["status"], sums["orders"], sums["total"]) == ("STATUS", status, 1, amount)

    # The merchant allows the status: what was held for it goes, and nobody has to ask for it.
    shop.later(HOURS)
    with shop.tick("orders_waiting") as quiet:
        assert quiet.run_requests == []
    shop.decide("orders", statuses=[10, 11])
    with shop.tick("orders_waiting") as due:
        assert len(due.run_requests) == 1
    shop.sync()
    shop.assert_equal_to_the_cent(order["id"])
    assert list(observed("order_completeness")["held"].records) == []


def test_a_run_says_whether_every_order_has_arrived(shop: OrderFlow) -> None:
    shop.control.shop_order("plain", restock=True)
    assert shop.sync().checks["every_order_has_arrived"]
    shop.control.shop_order("plain", restock=True)
    assert shop.day(shop.today()).checks["every_order_has_arrived"]
