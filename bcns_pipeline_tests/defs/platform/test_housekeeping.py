"""What grows without bound is cut, and nothing that is still needed."""

from __future__ import annotations

import pytest

from bcns_pipeline.state.audit_verify import Verified
from bcns_pipeline.state.inbox import Event
from bcns_pipeline_tests.defs.order_flow import OrderFlow


def age(shop: OrderFlow, days: int) -> None:
    """As if everything had been read and heard of earlier."""
    with shop._engine.begin() as conn:
        conn.exec_driver_sql("set local session_replication_role = replica")
        conn.exec_driver_sql(f"update bcns.document set fetched_at = fetched_at - interval '{days} days'")
        conn.exec_driver_sql(f"update bcns.inbox set last_seen = last_seen - interval '{days} days'")


def kept(shop: OrderFlow, order_id: int) -> bool:
    """Whether a document of the order is there."""
    return bool(list(shop.state().documents.find(kind="order", natural_key=f"order:{order_id}")))


def test_events_long_dealt_with_are_forgotten_and_open_ones_stay(shop: OrderFlow) -> None:
    done = shop.control.shop_order("plain", restock=True)["id"]
    shop.sync_twice()
    shop.state().inbox.record([Event("order", "7", "webhook")])
    age(shop, 121)

    shop.run("housekeeping")

    assert shop.state().inbox.missing("order", ["7", str(done)]) == [str(done)]


@pytest.mark.parametrize("days", [None, 100])
def test_documents_go_only_when_somebody_said_so_and_their_order_is_posted(
    shop: OrderFlow, days: int | None
) -> None:
    posted = shop.control.shop_order("plain", restock=True)["id"]
    shop.sync_twice()
    shop.decide("orders", statuses=[10])
    held = shop.control.shop_order("plain", restock=True)["id"]
    shop.sync()
    age(shop, 101)

    with shop.at(BCNS_KEEP_DOCUMENTS_DAYS="" if days is None else str(days)):
        shop.run("housekeeping")

    assert kept(shop, posted) is (days is None)
    assert kept(shop, held)
    assert isinstance(shop.state().verify_audit(), Verified)
