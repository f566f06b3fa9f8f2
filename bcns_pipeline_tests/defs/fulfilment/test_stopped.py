"""Sales orders that somebody stopped in NetSuite: a question to a person, or a status in the store."""

from __future__ import annotations

from bcns_pipeline_tests.defs.fulfilment.test_shipments import AWAITING, CANCELLED, all_posted, shown
from bcns_pipeline_tests.defs.order_flow import OrderFlow

CODE = "ORDER_STOPPED_IN_NETSUITE"


def questions(shop: OrderFlow) -> list[str]:
    """Subjects of the open questions about stopped orders."""
    return [one.subject for one in shop.state().exceptions.find(flow="fulfilment", code=CODE)]


def test_an_order_stopped_in_netsuite_is_what_the_mapping_file_makes_of_it(shop: OrderFlow) -> None:
    """Side by side: one is put on hold, others are cancelled, and one goes its way."""
    (held, on_hold), (cancelled, gone), (ignored, unheard), (mapped, told), (other, _) = all_posted(
        shop, *({} for _ in range(5))
    )
    shop.run("fulfilment_sync")
    shop.later(60)
    shop.control.hold_order(on_hold)
    shop.control.cancel_order(gone)

    # A plan asks nothing and leaves the stopped orders to the next run.
    shop.run("fulfilment_sync", mode="plan")
    assert questions(shop) == []
    both = {f"order:{held}", f"order:{cancelled}"}
    for _ in range(2):
        shop.run("fulfilment_sync")
        assert_asked_about(shop, both)
        assert shown(shop, held)["status_id"] == AWAITING
        shop.later(60)

    # A question ends when the order is released, or the shop cancels it too.
    shop.control.hold_order(on_hold, approve=True)
    shop.control.order_status(cancelled, CANCELLED)
    shop.run("fulfilment_sync")
    assert questions(shop) == []

    # What the mapping file ignores is nobody's question.
    shop.decide("orders", stopped={"cancelled": "ignore", "closed": "ignore", "held": "ignore"})
    shop.later(60)
    shop.control.cancel_order(unheard)
    shop.run("fulfilment_sync")
    assert questions(shop) == []
    assert shown(shop, ignored)["status_id"] == AWAITING

    # A cancelled sales order becomes the status that it names.
    shop.decide("orders", stopped={"cancelled": CANCELLED})
    shop.later(60)
    shop.control.cancel_order(told)
    shop.run("fulfilment_sync")
    assert shown(shop, mapped)["status_id"] == CANCELLED
    assert shown(shop, other)["status_id"] == AWAITING
    assert questions(shop) == []
    shop.control.clear_log()
    shop.later(60)
    shop.run("fulfilment_sync")
    assert shop.writes() == []


def test_an_order_taken_up_again_after_it_was_cancelled_is_not_forgotten_in_a_closed_record(
    shop: OrderFlow,
) -> None:
    """Its cancellation closed the sales order; opened again in the store, nobody would ship it."""
    (order, record), (other, _) = all_posted(shop, {}, {})
    for one in (order, other):
        shop.control.order_status(one, CANCELLED)
    shop.sync()
    shop.run("fulfilment_sync")
    assert [shop.sales_order(one)["status"] for one in (order, other)] == ["H", "H"]
    assert questions(shop) == []
    # Far enough for the overlap of the look at NetSuite's changes.
    shop.later(7200)
    shop.run("fulfilment_sync")

    shop.control.order_status(order, AWAITING)
    shop.sync()
    for _ in range(2):
        shop.run("fulfilment_sync")
        assert_asked_about(shop, {f"order:{order}"})

    for line in shop.sales_order(order)["lines"]:
        shop.control.close_line(record, line=line["line"], closed=False)
    shop.run("fulfilment_sync")
    assert questions(shop) == []
    shop.control.fulfil(record)
    shop.run("fulfilment_sync")
    assert len(shown(shop, order)["shipments"]) == 1


def assert_asked_about(shop: OrderFlow, subjects: set[str]) -> None:
    """One question about each, and none about any other."""
    assert sorted(questions(shop)) == sorted(subjects)
