"""Fulfilments that are looked at again although nobody told of a change: their time has come, or their order's.

Put here which orders are due, and what of them the inbox is told. Nothing is decided here. An order whose question is
due is looked at with all of its fulfilments, so that an answer to one of them does not hide the trouble of another.
An order that we know only since its parcel went (adopted, found by a rebuild) is looked at once, because a fulfilment
of somebody else's order is passed over and NetSuite does not tell of it twice.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from bcns_pipeline.defs.fulfilment.run import FLOW
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.kinds.fulfilment import KINDS
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.rules.orders.status import Status
from bcns_pipeline.rules.shipments.status import order_status
from bcns_pipeline.state.exceptions import ExceptionRow
from bcns_pipeline.state.scope import parse

ORDER_LINK, FOUND = "order", "found"
RETRY_AFTER = timedelta(minutes=5)
# Each try is a write, and the other side has said no to it.
RETRY_REFUSED_AFTER = timedelta(minutes=15)
# Nothing waits for the end of a warning.
LOOK_AGAIN_AFTER = timedelta(hours=1)
# A row is dated by the beginning of its transaction, which may end after we have looked.
LINKED_OVERLAP = timedelta(minutes=5)
_TOLD = frozenset({Status.SHIPPED, Status.PARTIALLY_SHIPPED, Status.COMPLETED})
_CODES = frozenset(kind.code for kind in KINDS)
_REFUSED = frozenset({"SHIPMENT_REFUSED", "STATUS_REFUSED"})


def asked(connections: Connections) -> list[ExceptionRow]:
    """Open questions about parcels."""
    return [one for one in connections.state.exceptions.find(flow=FLOW) if one.code in _CODES]


def orders_due(rows: Iterable[ExceptionRow], touched: Collection[int] = ()) -> set[int]:
    """Orders with a question whose time has come, that a person asked for, or that is `touched` by other news."""
    now = datetime.now(UTC)
    return {
        order_of(one)
        for one in rows
        if one.retry_requested_at is not None
        or now - one.last_seen_at >= _pause(one)
        or order_of(one) in touched
    }


def changed_since_asked(connections: Connections, rows: Iterable[ExceptionRow]) -> set[int]:
    """Orders that BigCommerce has shown otherwise since their question was looked at: a shipment may be gone."""
    looked = {order_of(one): one.last_seen_at for one in rows}
    known = connections.state.orders.many(looked)
    return {one for one, state in known.items() if state.read_at > looked[one]}


def order_of(one: ExceptionRow) -> int:
    """The BigCommerce order that a question of this flow is about."""
    return int(one.subject.partition(":")[2])


def sales_orders(connections: Connections, order_ids: Collection[int]) -> set[int]:
    """NetSuite's ids of these orders, as far as they are there."""
    known = connections.state.orders.many(order_ids).values()
    return {int(one.netsuite_id) for one in known if one.netsuite_id}


def linked_since(connections: Connections, cursor: Any, now: datetime) -> set[int]:
    """NetSuite's ids of orders that were found there, and not made by us just then, since the last look.

    Of an adopted order that the store shows as shipped, somebody else has told the shopper.
    """
    since = _last_look(cursor, now) - LINKED_OVERLAP
    found = connections.state.links.since(ORDER_LINK, since, origin=FOUND)
    known = connections.state.orders.many([int(one.bigcommerce_id) for one in found]).values()
    return {
        int(one.netsuite_id)
        for one in known
        if one.netsuite_id and (one.disposition == "posted" or one.status_id not in _TOLD)
    }


def settled_since(connections: Connections, cursor: Any, now: datetime) -> set[int]:
    """Orders that the store shows as partly shipped, and of which nothing is open any more: units were called off since
    the last look, and no parcel of theirs changed.
    """
    state, policy = connections.state, connections.shipment_policy
    if not policy.status:
        return set()
    changed = state.orders.find(
        disposition=("posted", "adopted"),
        status_id=Status.PARTIALLY_SHIPPED,
        read_since=_last_look(cursor, now) - LINKED_OVERLAP,
    )
    bodies = state.documents.load_many([one.document_id for one in changed if one.document_id])
    found = set()
    for one in changed:
        body = bodies.get(one.document_id or 0)
        with suppress(Unreadable):
            if body is not None and order_status(read_order(parse(body)), kept=policy.kept) == Status.SHIPPED:
                found.add(one.order_id)
    return found


def _last_look(cursor: Any, now: datetime) -> datetime:
    kept = cursor.get("linked") if isinstance(cursor, dict) else None
    return now if kept is None else datetime.fromisoformat(kept)


def _pause(one: ExceptionRow) -> timedelta:
    if one.severity != "error":
        return LOOK_AGAIN_AFTER
    return RETRY_REFUSED_AFTER if one.code in _REFUSED else RETRY_AFTER
