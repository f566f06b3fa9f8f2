"""What grows without bound is cut, and nothing that is still needed."""

from __future__ import annotations

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


def test_what_is_long_dealt_with_is_forgotten_and_documents_only_when_somebody_said_so(
    shop: OrderFlow,
) -> None:
    posted = shop.control.shop_order("plain", restock=True)["id"]
    shop.sync()
    shop.decide("orders", statuses=[10])
    held = shop.control.shop_order("plain", restock=True)["id"]
    shop.sync()
    shop.state().inbox.record([Event("order", "7", "webhook")])
    age(shop, 121)

    # -- a plan deletes nothing
    with shop.at(BCNS_KEEP_DOCUMENTS_DAYS="100"):
        shop.run("housekeeping", mode="plan")
    assert shop.state().inbox.missing("order", ["7", str(posted)]) == []
    assert kept(shop, posted)

    # -- events that were dealt with are forgotten, and open ones stay; documents are kept
    with shop.at(BCNS_KEEP_DOCUMENTS_DAYS=""):
        shop.run("housekeeping")
    assert shop.state().inbox.missing("order", ["7", str(posted)]) == [str(posted)]
    assert kept(shop, posted)
    assert kept(shop, held)

    # -- somebody said so: those go whose order is posted
    with shop.at(BCNS_KEEP_DOCUMENTS_DAYS="100"):
        shop.run("housekeeping")
    assert not kept(shop, posted)
    assert kept(shop, held)
    assert isinstance(shop.state().verify_audit(), Verified)
