"""Extract: refunds that were made or changed in BigCommerce, kept as read.

Put here how a refund is found and becomes a stored document and a row of `refund_state`. Nothing is decided here. There
is one list over all orders, by the time at which refunds were made. A decline comes days later, silently and without a
time of its own, so young refunds are listed again every hour; what has not changed goes no further.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bcns_pipeline.clients.bigcommerce.models import OrderDocument
from bcns_pipeline.defs.days import Days, bounds, zone_of
from bcns_pipeline.defs.polling import cutover_of, subject_of
from bcns_pipeline.defs.refunds.run import FLOW, RESOURCE, about, question, subject_of_refund
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.intake import cursor_value, read_cursor
from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.rules.refunds.model import Refund
from bcns_pipeline.rules.refunds.reading import read_refund
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.refund_models import RefundSeen
from bcns_pipeline.state.scope import canonical, parse

CURSOR, WATCHED = "refunds/poll", "refunds/watched"
KIND = "refund"
WATCH_EVERY = timedelta(hours=1)
ORDERS, PENDING, WITHOUT = "orders", "REFUND_PENDING", "REFUND_WITHOUT_RECORD"


@dataclass(slots=True)
class Taken:
    """What was read. `fresh` are new or changed; `unreadable` sentences by refund; `gone` asked for and not there.

    `without`: orders that are marked as refunded, and of which BigCommerce has no refund. `kept`: what was taken of
    cancelled orders and has not gone back.
    """

    listed: int = 0
    read: list[Refund] = field(default_factory=list, repr=False)
    fresh: list[int] = field(default_factory=list)
    unreadable: dict[int, str] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    without: list[int] = field(default_factory=list)
    kept: dict[int, Money] = field(default_factory=dict)
    since: datetime | None = None

    @property
    def sentence(self) -> str:
        """The read in one line, as an identity: listed = read + unreadable."""
        said = (
            f"refunds: {self.listed:,} listed = {len(self.read):,} read + {len(self.unreadable):,} unreadable"
        )
        return f"{said}; {len(self.fresh):,} new or changed"

    @property
    def sums(self) -> dict[str, Money]:
        """{currency: what all that was read gives back}."""
        currencies = {one.currency for one in self.read}
        return {
            code: total([one.total for one in self.read if one.currency == code], code)
            for code in sorted(currencies)
        }


def take(connections: Connections, progress: Callable[[str], None], days: Days | None = None) -> Taken:
    """What was made since the cursor, what we were told of and what is watched; or some days. Raises OutsideError."""
    state, shop = connections.state, connections.bigcommerce(Lane.BULK)
    taken, now = Taken(), shop.now()
    with state.worker() as worker:
        claims = state.inbox.claim(RESOURCE, connections.mapping.cash.refunds.batch, worker)
        told = [int(one.resource_id) for one in claims]
        rows = _listed(connections, now, days, taken)
        known = {int(row["id"]) for row in rows}
        rows += shop.orders.refunds(ids=[one for one in told if one not in known])
        rows += _of_marked_orders(connections, {int(row["order_id"]) for row in rows}, taken)
        taken.gone = sorted(set(told) - {int(row["id"]) for row in rows})
        worker.assert_alive()
        _keep(connections, list({int(row["id"]): row for row in rows}.values()), taken)
        state.inbox.done(claims)
    if days is None:
        state.cursors.move(CURSOR, cursor_value(now))
    progress(taken.sentence)
    return taken


def _listed(connections: Connections, now: datetime, days: Days | None, taken: Taken) -> list[Any]:
    """Refunds made in the window, by the store's clock."""
    state, shop, settings = connections.state, connections.bigcommerce(), connections.mapping.cash.refunds
    if days is not None:
        first, last = days
        start, end = bounds(first, zone_of(connections.mapping), last)
        found = shop.orders.refunds(created_min=start, created_max=end)
        return [row for row in found if _created(row) < end]
    begin = cutover_of(connections.mapping) or now
    since = read_cursor(state.cursors.get(CURSOR)) or begin
    since -= timedelta(minutes=settings.poll.overlap_minutes)
    watched = read_cursor(state.cursors.get(WATCHED))
    if settings.watch_days and (watched is None or now - watched >= WATCH_EVERY):
        since = min(since, now - timedelta(days=settings.watch_days))
        state.cursors.move(WATCHED, cursor_value(now))
    taken.since = max(since, begin)
    return list(shop.orders.refunds(created_min=taken.since))


def _of_marked_orders(connections: Connections, seen: Collection[int], taken: Taken) -> list[Any]:
    """Refunds of orders that are marked as refunded and of which none is known: mostly there are none (F14)."""
    state = connections.state
    marked = {
        int(one.subject.partition(":")[2]) for one in state.exceptions.find(flow=ORDERS, code=PENDING)
    } - set(seen)
    unknown = [order_id for order_id, some in state.refunds.of_orders(marked).items() if not some]
    rows = connections.bigcommerce().orders.refunds(order_ids=unknown)
    taken.without = sorted(set(unknown) - {int(row["order_id"]) for row in rows})
    return list(rows)


def _created(row: Any) -> datetime:
    found = datetime.fromisoformat(str(row["created"]).replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _keep(connections: Connections, rows: Sequence[Any], taken: Taken) -> None:
    """Store what is new, note where each stands, ask about what can't be read."""
    state = connections.state
    orders = _orders(connections, {int(row["order_id"]) for row in rows})
    zone = zone_of(connections.mapping)
    seen: list[tuple[Refund, NewDocument]] = []
    for row in rows:
        taken.listed += 1
        currency, subject = orders.get(int(row["order_id"]), (None, ""))
        if currency is None:
            said = f"its order {row['order_id']} can't be read, so its currency is not known."
            taken.unreadable[int(row["id"])] = said
            continue
        try:
            refund = read_refund(row, currency)
        except Unreadable as fault:
            taken.unreadable[int(row["id"])] = str(fault)
            continue
        body = canonical(row).encode()
        seen.append(
            (refund, NewDocument("bigcommerce", KIND, subject_of_refund(refund.id), body, subject=subject))
        )
    taken.read += [refund for refund, _ in seen]
    with state.scope.transaction() as conn:
        kept = state.documents.store_changed([document for _, document in seen], conn=conn)
        taken.fresh += state.refunds.note(
            [
                RefundSeen(
                    refund_id=refund.id,
                    order_id=refund.order_id,
                    created_at=refund.created_at,
                    day=refund.created_at.astimezone(zone).date(),
                    total=refund.total,
                    tax=refund.tax,
                    paid=refund.paid,
                    content_hash=where.fingerprint,
                    document_id=where.document_id,
                )
                for (refund, _), where in zip(seen, kept, strict=True)
            ],
            conn=conn,
        )
        _ask(connections, taken, conn)


def _ask(connections: Connections, taken: Taken, conn: Any) -> None:
    exceptions = connections.state.exceptions
    taken.kept = connections.state.refunds.kept_of_cancelled(conn=conn)
    readable = [subject_of_refund(one.id) for one in taken.read]
    exceptions.heal(FLOW, "REFUND_UNREADABLE", readable, conn=conn)
    questions = [
        question("REFUND_UNREADABLE", one, f"Refund {one}: {said}") for one, said in taken.unreadable.items()
    ]
    questions += [
        about(
            WITHOUT,
            f"order:{one}",
            f"Order {one} is marked as refunded, and BigCommerce lists no refund of it; nothing is credited.",
        )
        for one in taken.without
    ]
    questions += [
        about(
            WITHOUT,
            f"order:{one}",
            f"Order {one} is cancelled, and {amount} that was taken for it has not gone back.",
            amount,
        )
        for one, amount in taken.kept.items()
        if one not in taken.without
    ]
    exceptions.open_many(FLOW, questions, conn=conn)
    asked = [f"order:{one}" for one in {*taken.without, *taken.kept}]
    exceptions.keep_only(FLOW, WITHOUT, sorted(asked), conn=conn)


def _orders(connections: Connections, order_ids: Collection[int]) -> dict[int, tuple[str | None, str]]:
    """{order: its currency and whose it is}; orders that we have never read are read in one call."""
    state = connections.state
    known = state.orders.many(order_ids)
    bodies = state.documents.load_many([one.document_id for one in known.values() if one.document_id])
    found: dict[int, tuple[str | None, str]] = {}
    for order_id, one in known.items():
        body = bodies.get(one.document_id) if one.document_id else None
        subject = subject_of(state, parse(body) if body else {}, order_id)
        found[order_id] = (one.total.currency, subject)
    for order_id, document in _read(connections, set(order_ids) - known.keys()):
        subject = subject_of(state, document.document, order_id)
        try:
            found[order_id] = (read_order(document.document).currency, subject)
        except Unreadable:
            found[order_id] = (None, subject)
    return found


def _read(connections: Connections, order_ids: Collection[int]) -> Iterable[tuple[int, OrderDocument]]:
    return connections.bigcommerce(Lane.BULK).orders.get_many(order_ids).items() if order_ids else ()
