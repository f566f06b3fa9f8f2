"""What changed in BigCommerce since we last asked: orders, into the inbox.

Put here how a poll walks a window and where its cursor stands. Do not put here what a change means: whoever
claims the inbox row reads the order and decides. The sensor that polls and the run that drains call the same
function, so an order found twice is one row, and a run without any sensor finds everything by itself. What a listed
order takes of stock is noted at once, because stock is pushed while orders still wait to be read.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as Json
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from bcns_pipeline.clients.bigcommerce.models import OrderDocument
from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.days import zone_of
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.intake import advanced, cursor_value, next_window, read_cursor
from bcns_pipeline.rules.orders.model import Order
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.inbox import Event
from bcns_pipeline.state.order_models import OrderLine
from bcns_pipeline.state.order_units import Glimpse
from bcns_pipeline.state.store import State

Read = TypeVar("Read")
CURSOR = "orders/poll"
KIND = "order"


@dataclass(frozen=True, slots=True)
class Polled:
    """What a poll found: so many `what` listed, `changed` ones put into the inbox; `complete` = to the end."""

    what: str
    listed: int
    changed: int
    through: datetime | None
    complete: bool

    @property
    def sentence(self) -> str:
        """The poll in one line."""
        until = f" up to {self.through:%Y-%m-%d %H:%M:%S} UTC" if self.through else ""
        rest = "" if self.complete else "; the rest follows with the next poll"
        return f"{self.listed:,} {self.what} listed{until}, {self.changed:,} of them changed{rest}"


def poll_orders(
    connections: Connections, *, pages: int = 20, seconds: float = 40.0, lane: Lane = Lane.BULK
) -> Polled:
    """List what changed since the cursor, with overlap, within the budget. Raises OutsideError.

    The cursor is in the store's own clock and moves with the events, in one transaction a page.
    """
    state, shop, poll = connections.state, connections.bigcommerce(lane), connections.mapping.orders.poll
    cursor = read_cursor(state.cursors.get(CURSOR))
    deadline = time.monotonic() + seconds
    # The second that is running counts as well: what still happens in it comes with the overlap of the next poll.
    now = shop.now()
    overlap = timedelta(minutes=poll.overlap_minutes)
    window = next_window(cursor, now, overlap, cutover_of(connections.mapping) or now)
    if window is None:
        return Polled("orders", 0, 0, cursor, complete=True)
    listed = changed = 0
    complete = False
    walk = shop.orders.changed(
        window.start, window.until, limit=poll.page_size, max_pages=pages, deadline=deadline
    )
    for page in walk:
        fresh = not_read(state, page.orders)
        listed, changed, complete = listed + len(page.orders), changed + len(fresh), page.last
        cursor = advanced(cursor, window, page.through)
        with state.scope.transaction() as conn:
            state.inbox.record([Event("order", str(one.id), "poll") for one in fresh], conn=conn)
            state.orders.glimpse(list(_glimpses(fresh)), conn=conn)
            state.cursors.move(CURSOR, cursor_value(cursor), conn=conn)
    return Polled("orders", listed, changed, cursor, complete)


def cutover_of(mapping: Mapping) -> datetime | None:
    """The first moment whose orders are ours, aware: midnight in the store's zone where only a day is given."""
    at = mapping.cutover.at
    if at is None:
        return None
    if not isinstance(at, datetime):
        at = datetime.combine(at, datetime.min.time())
    return at if at.tzinfo else at.replace(tzinfo=zone_of(mapping))


def as_documents(state: State, orders: Iterable[OrderDocument]) -> list[NewDocument]:
    """Orders as read, to be stored under the keys of their shoppers."""
    return [
        NewDocument(
            "bigcommerce", KIND, f"order:{one.id}", one.raw, subject=subject_of(state, one.document, one.id)
        )
        for one in orders
    ]


def subject_of(state: State, document: Json, order_id: int) -> str:
    """The shopper whose key seals the order; an order without an e-mail has a key of its own."""
    billing = document.get("billing_address")
    email = billing.get("email") if isinstance(billing, dict) else None
    return state.vault.subject(
        email.strip() if isinstance(email, str) and email.strip() else f"order:{order_id}"
    )


def day_of_order(placed_at: datetime, mapping: Mapping) -> date:
    """The business day of an order, in the store's zone."""
    return placed_at.astimezone(zone_of(mapping)).date()


def stock_lines(order: Order) -> Iterator[OrderLine]:
    """What of the order takes stock: a bundle is its parts, and what is not goods takes none."""
    parents = {line.parent_line_id for line in order.lines}
    for line in order.lines:
        if line.kind != "giftcertificate" and line.id not in parents:
            yield OrderLine(
                line.id, line.product_id or None, line.variant_id or None, line.sku, line.quantity
            )


def _glimpses(orders: Iterable[OrderDocument]) -> Iterator[Glimpse]:
    """What they take of stock. One that can't be read says nothing here, and is an exception once it is claimed."""
    for one in orders:
        with suppress(Unreadable):
            order = read_order(one.document)
            yield Glimpse(order.id, order.modified_at, order.status_id, tuple(stock_lines(order)))


def not_read(state: State, orders: Iterable[OrderDocument]) -> list[OrderDocument]:
    """Those whose newest version we do not have."""
    return only_new(state, list(orders), as_documents)


def only_new(
    state: State, found: Sequence[Read], as_documents: Callable[[State, Iterable[Read]], list[NewDocument]]
) -> list[Read]:
    """Those whose newest version we do not have: dates of change have a resolution of a second, bytes have none."""
    if not found:
        return []
    known = state.documents.unchanged(as_documents(state, found))
    return [one for one, same in zip(found, known, strict=True) if not same]
