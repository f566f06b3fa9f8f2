"""A parcel that could not be told of is told of later, by itself, and still once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bcns_pipeline.defs import late
from bcns_pipeline.defs.fulfilment import apply, gone
from bcns_pipeline.outcomes import System, Unavailable
from bcns_pipeline_tests.defs.flow import wait_until
from bcns_pipeline_tests.defs.fulfilment.test_shipments import (
    AWAITING,
    CANCELLED,
    PARTLY,
    SHIPPED,
    all_posted,
    posted,
    shown,
)
from bcns_pipeline_tests.defs.order_flow import OrderFlow


def an_hour_passes(shop: OrderFlow) -> None:
    """Open questions were last looked at so long ago."""
    with shop._engine.begin() as conn:
        conn.exec_driver_sql("update bcns.exception set last_seen_at = now() - interval '1 hour'")


def codes(shop: OrderFlow) -> set[str]:
    return {one.code for one in shop.state().exceptions.find(flow="fulfilment")}


def test_what_could_not_be_told_of_is_looked_at_again_and_what_was_deleted_is_asked_about(
    shop: OrderFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Side by side: an order called off, one that the store refuses, one whose parcel is deleted, and one as usual."""
    called_off, refused, deleted, kept = all_posted(shop, {}, {}, {}, {})
    shop.control.order_status(called_off[0], CANCELLED)
    shop.control.fulfil(called_off[1], lines=[{"sku": "SKU-000001", "quantity": 2}])
    parcels = {order: shop.control.fulfil(record)["fulfilment"] for order, record in (refused, deleted, kept)}
    path = rf"orders/{refused[0]}/shipments"
    no = {"system": "bigcommerce", "kind": "5xx", "status": 422, "method": "POST", "path_regex": path}
    shop.control.faults(no)
    shop.run("fulfilment_sync")
    assert codes(shop) == {"SHIPMENT_HELD", "SHIPMENT_REFUSED"}
    (held,) = shop.open_exceptions("SHIPMENT_HELD")

    # Nothing new of the first two, a second parcel of the first that is not shipped yet, and one record fewer.
    shop.later(3600)
    shop.control.fulfil(called_off[1], lines=[{"sku": "SKU-000002", "quantity": 1}], status="A")
    shop.control.unship(parcels[deleted[0]], delete=True)
    shop.run("fulfilment_sync")
    assert codes(shop) == {"SHIPMENT_HELD", "SHIPMENT_REFUSED"}
    assert [one.id for one in shop.open_exceptions("SHIPMENT_HELD")] == [held.id]
    assert shown(shop, refused[0])["shipments"] == []

    # Somebody answers for the first. Nothing changes in NetSuite when a record goes: its absence from the list
    # says it, and the record's own 404.
    shop.control.order_status(called_off[0], AWAITING)
    shop.state().exceptions.request_retry([held.id], actor="ada")
    monkeypatch.setattr(gone, "EVERY", timedelta(0))
    run = shop.run("fulfilment_sync")
    assert [len(one["items"]) for one in shown(shop, called_off[0])["shipments"]] == [1]
    assert run.metadata("netsuite/item_fulfilments")["deleted"] == 1
    assert codes(shop) == {"SHIPMENT_REFUSED", "FULFILMENT_WITHDRAWN"}
    assert_asked_about_the_deleted(shop, deleted[0])
    assert len(shown(shop, deleted[0])["shipments"]) == len(shown(shop, kept[0])["shipments"]) == 1

    # What the store refused is sent again after a while.
    an_hour_passes(shop)
    run = shop.run("fulfilment_sync")
    assert len(shown(shop, refused[0])["shipments"]) == 1
    assert run.metadata("netsuite/item_fulfilments")["deleted"] == 0
    assert codes(shop) == {"FULFILMENT_WITHDRAWN"}

    shop.control.clear_log()
    shop.run("fulfilment_sync")
    assert shop.writes() == []
    assert_asked_about_the_deleted(shop, deleted[0])

    # The shipment is deleted too: the store tells of it as of any change of the order, and nobody waits an hour.
    shop.sync()
    shop.run("fulfilment_sync")
    (shipment,) = shown(shop, deleted[0])["shipments"]
    path = f"/v2/orders/{deleted[0]}/shipments/{shipment['id']}"
    assert shop.another_tool("DELETE", path) == 204
    shop.run("fulfilment_sync")
    assert codes(shop) == {"FULFILMENT_WITHDRAWN"}
    shop.sync()
    shop.run("fulfilment_sync")
    assert codes(shop) == set()
    assert shown(shop, deleted[0])["shipments"] == []


def assert_asked_about_the_deleted(shop: OrderFlow, order: int) -> None:
    """One question, until the shipment is gone too."""
    (asked,) = shop.state().exceptions.find(flow="fulfilment", code="FULFILMENT_WITHDRAWN")
    assert (asked.subject, "was deleted in NetSuite" in asked.message) == (f"order:{order}", True)


def test_a_parcel_whose_order_we_learn_of_later_is_told_of_once(shop: OrderFlow) -> None:
    order, record = posted(shop)
    shop.control.fulfil(record, lines=[{"sku": "SKU-000001", "quantity": 2}])
    shop.run("fulfilment_sync")
    shop.later(3600)
    shop.control.fulfil(record, lines=[{"sku": "SKU-000002", "quantity": 1}])
    shop.forget_everything()
    # It passes both of them over, for nobody knows whose they are.
    shop.run("fulfilment_sync")
    shop.later(3600)
    shop.day(shop.today())
    assert shop.order(order).disposition == "posted"

    shop.run("fulfilment_sync")

    now = shown(shop, order)
    assert [one["emails"] for one in now["shipments"]] == [1, 1]
    assert now["status_id"] == SHIPPED


def test_an_order_is_shipped_once_what_was_still_open_is_called_off(shop: OrderFlow) -> None:
    """Nothing of its parcel changes in NetSuite, and the store shows it as partly shipped until somebody says more."""
    order, record = posted(shop)
    shop.control.fulfil(record, lines=[{"sku": "SKU-000001", "quantity": 2}])
    shop.run("fulfilment_sync")
    assert shown(shop, order)["status_id"] == PARTLY
    shop.sync()
    shop.later(3600)
    shop.run("fulfilment_sync")
    shop.control.cancel_units(order, 1, sku="SKU-000002")
    shop.sync()
    assert shown(shop, order)["status_id"] == PARTLY

    shop.run("fulfilment_sync")

    now = shown(shop, order)
    assert (now["status_id"], [one["emails"] for one in now["shipments"]]) == (SHIPPED, [1])
    shop.sync()
    shop.control.clear_log()
    shop.run("fulfilment_sync")
    assert shop.writes() == []


def test_a_shipment_that_arrives_long_after_it_was_given_up_is_noticed_by_a_second_look(
    shop: OrderFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer was lost, and it was sent again: the store has no key that would refuse the second one."""
    order, record = posted(shop)
    shop.control.fulfil(record, lines=[{"sku": "SKU-000001", "quantity": 1}], tracking="1Z1")
    lost = {"system": "bigcommerce", "kind": "late", "method": "POST", "path_regex": "/shipments"}
    shop.control.faults(lost)
    shop.run("fulfilment_sync")
    (ours,) = shown(shop, order)["shipments"]
    shop.control.arrive()
    wait_until(lambda: len(shown(shop, order)["shipments"]) == 2)
    shop.later(3600)
    shop.run("fulfilment_sync")
    assert codes(shop) == set()

    # Once nothing can come any more, the order is looked at, and stays a question for as long as there are two.
    monkeypatch.setattr(late, "LATE", timedelta(0))
    for _ in range(2):
        shop.run("fulfilment_sync")
        (asked,) = shop.open_exceptions("SHIPMENT_DOUBLED")
        assert asked.subject == f"order:{order}"
        an_hour_passes(shop)
    second = next(one for one in shown(shop, order)["shipments"] if one["id"] != ours["id"])
    assert shop.another_tool("DELETE", f"/v2/orders/{order}/shipments/{second['id']}") == 204
    shop.run("fulfilment_sync")
    assert codes(shop) == set()
    assert shown(shop, order)["status_id"] == PARTLY

    # Nothing was doubled that can't be undone: the rest goes out as if nothing had happened.
    shop.control.fulfil(record)
    shop.run("fulfilment_sync")
    now = shown(shop, order)
    assert [len(one["items"]) for one in now["shipments"]] == [1, 2]
    assert (now["status_id"], codes(shop)) == (SHIPPED, set())


def test_a_run_that_dies_between_shipments_and_statuses_leaves_both_to_the_next(
    shop: OrderFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.sections["fulfilment"] = {"note_field": "custbody_bc_shipment_id"}
    shop.configure()
    order, record = posted(shop)
    made = shop.control.fulfil(record)["fulfilment"]

    def dies(*_: Any) -> int:
        raise Unavailable(System.BIGCOMMERCE, "GET /v2/orders", "it was killed here")

    with monkeypatch.context() as patch:
        patch.setattr(apply, "follow_up", dies)
        shop.run("fulfilment_sync", fails=True)
    # This store moves an order by itself when all of it is shipped; not every store does.
    shop.control.order_status(order, AWAITING)
    # NetSuite does not take the note, which stops nothing else and is tried again.
    no = {"system": "netsuite", "kind": "5xx", "status": 400, "method": "PATCH", "path_regex": "Fulfillment"}
    shop.control.faults(no)
    shop.run("fulfilment_sync")
    assert codes(shop) == {"SHIPMENT_NOTE_REFUSED"}

    an_hour_passes(shop)
    shop.run("fulfilment_sync")

    now = shown(shop, order)
    (shipment,) = now["shipments"]
    assert (now["status_id"], shipment["emails"]) == (SHIPPED, 1)
    (found,) = [one for one in shop.books() if one["id"] == made]
    assert found["fields"]["custbody_bc_shipment_id"] == str(shipment["id"])
    assert codes(shop) == set()


def test_a_status_that_had_to_wait_does_not_bring_back_what_was_called_off_meanwhile(shop: OrderFlow) -> None:
    shop.control.shop_settings(auto_ship_status=False)
    (gone, of_gone), (kept, of_kept) = all_posted(shop, {}, {})
    for record in (of_gone, of_kept):
        shop.control.fulfil(record)
    no = {
        "system": "bigcommerce",
        "kind": "5xx",
        "status": 403,
        "method": "PUT",
        "path_regex": r"orders/\d+$",
    }
    shop.control.faults({**no, "times": None})
    shop.run_somehow("fulfilment_sync")
    assert [(len(shown(shop, one)["shipments"]), shown(shop, one)["status_id"]) for one in (gone, kept)] == [
        (1, AWAITING)
    ] * 2
    shop.control.clear_faults()
    shop.control.order_status(gone, CANCELLED)

    shop.run("fulfilment_sync")

    assert [shown(shop, one)["status_id"] for one in (gone, kept)] == [CANCELLED, SHIPPED]


def test_a_status_that_the_store_refuses_is_asked_about_until_it_is_right_whoever_sets_it(
    shop: OrderFlow,
) -> None:
    shop.control.shop_settings(auto_ship_status=False)
    (by_hand, one), (by_us, other) = all_posted(shop, {}, {})
    for record in (one, other):
        shop.control.fulfil(record)
    no = {
        "system": "bigcommerce",
        "kind": "5xx",
        "status": 422,
        "method": "PUT",
        "path_regex": r"orders/\d+$",
    }
    shop.control.faults({**no, "times": 2})
    shop.run("fulfilment_sync")
    asked = {one.subject for one in shop.open_exceptions("STATUS_REFUSED")}
    assert asked == {f"order:{by_hand}", f"order:{by_us}"}

    shop.control.order_status(by_hand, SHIPPED)
    an_hour_passes(shop)
    shop.run("fulfilment_sync")
    assert [shown(shop, one)["status_id"] for one in (by_hand, by_us)] == [SHIPPED, SHIPPED]
    assert codes(shop) == set()


def test_a_shipment_of_much_money_waits_for_a_person_and_not_for_an_order_called_off(
    shop: OrderFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.sections["fulfilment"] = {"materiality": {"USD": "20.00"}}
    shop.configure()
    little = {"lines": [{"sku": "SKU-000001", "quantity": 1, "price": "5.00"}]}
    (small, of_small), (large, of_large), (gone, of_gone) = all_posted(shop, little, {}, {})
    for record in (of_small, of_large, of_gone):
        shop.control.fulfil(record)
    run = shop.run("fulfilment_sync")
    assert [len(shown(shop, one)["shipments"]) for one in (small, large, gone)] == [1, 0, 0]
    assert run.metadata("bigcommerce/shipments")["held_for_approval"] == 2
    outbox = shop.state().outbox
    held = outbox.find(flow="fulfilment", states=("held",))
    # 25.00 and the tax of wherever the shopper lives.
    assert [one.currency for one in held if (one.amount_minor or 0) > 2500] == ["USD", "USD"]
    for one in held:
        outbox.approve(one, "looked at it", actor="grace")
    shop.control.order_status(gone, CANCELLED)
    monkeypatch.setattr(apply, "STALE_AFTER", timedelta(0))

    shop.run("fulfilment_sync")

    assert [len(shown(shop, one)["shipments"]) for one in (large, gone)] == [1, 0]
    assert (shown(shop, large)["status_id"], shown(shop, gone)["status_id"]) == (SHIPPED, CANCELLED)
    assert codes(shop) == {"SHIPMENT_REFUSED"}
