"""Sales orders that somebody stopped in NetSuite: a question to a person, or a status in the store."""

from __future__ import annotations

from bcns_pipeline_tests.defs.fulfilment.test_shipments import AWAITING, CANCELLED, posted, shown
from bcns_pipeline_tests.defs.order_flow import OrderFlow

CODE = "ORDER_STOPPED_IN_NETSUITE"


def questions(shop: OrderFlow) -> list[str]:
    """Subjects of the open questions about stopped orders."""
    return [one.subject for one in shop.state().exceptions.find(flow="fulfilment", code=CODE)]


def test_an_order_put_on_hold_in_netsuite_is_a_question_until_it_is_released(shop: OrderFlow) -> None:
    order, record = posted(shop)
    shop.run("fulfilment_sync")
    shop.later(60)
    shop.control.hold_order(record)
    shop.run("fulfilment_sync")
    assert questions(shop) == [f"order:{order}"]
    assert shown(shop, order)["status_id"] == AWAITING

    shop.later(60)
    shop.run("fulfilment_sync")
    assert questions(shop) == [f"order:{order}"]

    shop.control.hold_order(record, approve=True)
    shop.run("fulfilment_sync")
    assert questions(shop) == []


def test_a_question_ends_when_the_shop_cancels_the_order_too(shop: OrderFlow) -> None:
    order, record = posted(shop)
    shop.control.cancel_order(record)
    shop.run("fulfilment_sync")
    assert questions(shop) == [f"order:{order}"]

    shop.control.order_status(order, CANCELLED)
    shop.run("fulfilment_sync")
    assert questions(shop) == []


def test_a_cancelled_sales_order_becomes_the_status_that_the_mapping_file_names(shop: OrderFlow) -> None:
    shop.decide("orders", stopped={"cancelled": CANCELLED})
    order, record = posted(shop)
    other, _ = posted(shop)
    shop.control.cancel_order(record)
    shop.run("fulfilment_sync")

    assert shown(shop, order)["status_id"] == CANCELLED
    assert shown(shop, other)["status_id"] == AWAITING
    assert questions(shop) == []
    shop.control.clear_log()
    shop.later(60)
    shop.run("fulfilment_sync")
    assert shop.writes() == []


def test_what_the_mapping_file_ignores_is_nobodys_question(shop: OrderFlow) -> None:
    shop.decide("orders", stopped={"cancelled": "ignore", "closed": "ignore", "held": "ignore"})
    order, record = posted(shop)
    shop.control.cancel_order(record)
    shop.run("fulfilment_sync")
    assert questions(shop) == []
    assert shown(shop, order)["status_id"] == AWAITING


def test_a_plan_asks_nothing_and_leaves_the_stopped_order_to_the_next_run(shop: OrderFlow) -> None:
    order, record = posted(shop)
    shop.control.cancel_order(record)
    shop.run("fulfilment_sync", mode="plan")
    assert questions(shop) == []
    shop.run("fulfilment_sync")
    assert questions(shop) == [f"order:{order}"]
