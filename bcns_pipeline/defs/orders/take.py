"""Extract: orders that changed, as BigCommerce has them now, kept as read.

Put here how ids become stored documents and rows of `order_state`. Nothing is decided here: an order that was
read is `open`, and the plan takes it from there, in this run or in any later one. An inbox row is closed only
when the order's document is stored, so a process that dies in between leaves the row to the next.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bcns_pipeline.clients.bigcommerce.models import OrderDocument
from bcns_pipeline.defs.days import Days, bounds, zone_of
from bcns_pipeline.defs.orders.run import FLOW, question
from bcns_pipeline.defs.polling import as_documents, day_of_order, poll_orders, stock_lines
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.gate import source_of
from bcns_pipeline.rules.orders.model import Order
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.state.documents import Kept
from bcns_pipeline.state.inbox import Claim, Event
from bcns_pipeline.state.order_models import OrderSeen
from bcns_pipeline.state.worker import Worker


@dataclass(slots=True)
class Taken:
    """What was read, in numbers, because a backfill may read years.

    `unreadable` are sentences by order; `gone` ids that BigCommerce does not know (any more).
    """

    asked: int = 0
    by_status: Counter[int] = field(default_factory=Counter)
    by_currency: Counter[str] = field(default_factory=Counter)
    new: int = 0
    changed: int = 0
    unreadable: dict[int, str] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The read in one line, as an identity: asked = read + unreadable + gone."""
        parts = [f"{self.read:,} read ({self.new:,} new, {self.changed:,} changed)"]
        if self.unreadable:
            parts.append(f"{len(self.unreadable):,} unreadable")
        if self.gone:
            parts.append(f"{len(self.gone):,} gone")
        return f"orders: {self.asked:,} asked for = {' + '.join(parts)}"

    @property
    def read(self) -> int:
        """How many orders were read and understood."""
        return self.by_status.total()


def drain(connections: Connections, progress: Callable[[str], None]) -> Taken:
    """Poll unless a whole batch waits already, then read what the inbox holds, up to `orders.batch`.

    Each poll lists its overlap anew, which in a backlog is most of the backlog; the run that finds less asks again.
    """
    inbox, batch = connections.state.inbox, connections.mapping.orders.batch
    if inbox.waiting("order").free < batch:
        progress(poll_orders(connections).sentence)
    taken = Taken()
    with connections.state.worker() as worker:
        claims = inbox.claim("order", batch, worker)
        _read(connections, worker, claims, taken, None)
    return taken


def reread(connections: Connections, days: Days, progress: Callable[[str], None]) -> Taken:
    """Read every order that was placed on these days, page by page; each goes through the inbox like any other."""
    state, taken = connections.state, Taken()
    first, last = days
    start, end = bounds(first, zone_of(connections.mapping), last)
    with state.worker() as worker:
        for page in connections.bigcommerce().orders.created_between(start, end):
            ids = [str(one.id) for one in page.orders]
            if not ids:
                continue
            state.inbox.record([Event("order", one, "backfill") for one in ids])
            claims = state.inbox.claim("order", len(ids), worker, ids=ids)
            _read(connections, worker, claims, taken, {one.id: one for one in page.orders})
            progress(f"{taken.read:,} orders of {first} to {last} read")
    return taken


def _read(
    connections: Connections,
    worker: Worker,
    claims: Sequence[Claim],
    taken: Taken,
    at_hand: dict[int, OrderDocument] | None,
) -> None:
    """Read what was claimed, keep it, and close the claims."""
    if not claims:
        return
    ids = [int(claim.resource_id) for claim in claims]
    found = connections.bigcommerce().orders.get_many(ids) if at_hand is None else at_hand
    taken.asked += len(ids)
    worker.assert_alive()
    keep(connections, [found[one] for one in ids if one in found], taken)
    taken.gone += [one for one in ids if one not in found]
    connections.state.inbox.done(claims)


def keep(connections: Connections, found: Sequence[OrderDocument], taken: Taken) -> list[Order]:
    """Store what was read where it is new, note where each order stands, count it in `taken`; what is readable."""
    state = connections.state
    readable: list[tuple[Order, OrderDocument]] = []
    refused: dict[int, str] = {}
    for one in found:
        try:
            readable.append((read_order(one.document), one))
        except Unreadable as fault:
            refused[one.id] = str(fault)
    with state.scope.transaction() as conn:
        kept = state.documents.store_changed(as_documents(state, found), conn=conn)
        by_id = {one.id: where for one, where in zip(found, kept, strict=True)}
        noted = state.orders.note(
            [_seen(connections, order, by_id[order.id]) for order, _ in readable], conn=conn
        )
        state.exceptions.heal(
            FLOW, "ORDER_UNREADABLE", [f"order:{order.id}" for order, _ in readable], conn=conn
        )
        state.exceptions.open_many(
            FLOW,
            [question("ORDER_UNREADABLE", one, f"Order {one}: {said}") for one, said in refused.items()],
            conn=conn,
        )
    taken.by_status.update(order.status_id for order, _ in readable)
    taken.by_currency.update(order.currency for order, _ in readable)
    taken.new += len(noted.new)
    taken.changed += len(noted.changed)
    taken.unreadable.update(refused)
    return [order for order, _ in readable]


def _seen(connections: Connections, order: Order, kept: Kept) -> OrderSeen:
    return OrderSeen(
        order_id=order.id,
        placed_at=order.placed_at,
        modified_at=order.modified_at,
        day=day_of_order(order.placed_at, connections.mapping),
        channel_id=order.channel_id,
        source=source_of(order, connections.order_policy),
        status_id=order.status_id,
        total=Money.of(order.charged.inc, order.currency),
        lines=tuple(stock_lines(order)),
        content_hash=kept.fingerprint,
        document_id=kept.document_id,
        aliases=tuple(_aliases(order)),
    )


def _aliases(order: Order) -> Iterator[str]:
    """The id of its payment at the provider, and a marketplace's number; some gateways write two ids as one text."""
    for text in (order.external_id, str(order.document.get("payment_provider_id") or "")):
        yield from (part.strip() for part in text.split("|") if part.strip())
