"""Extract: the payments of orders whose money may have changed, as BigCommerce has them now, kept as read.

Put here which orders are asked about, and how an answer becomes rows. Nothing is decided here. An order whose change
says nothing of its payments costs no call (rules/cash/mark.py); one with an open authorisation is looked at again by
itself. What changed in NetSuite (shipped, billed, called off) makes the plan look again, without a call per order.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bcns_pipeline.defs.cash.money import as_row, money_of, of_the_marketplace
from bcns_pipeline.defs.cash.reading import orders_read
from bcns_pipeline.defs.cash.run import FLOW, READING, order_prefix, piece, question
from bcns_pipeline.defs.days import WHOLE_RANGE, Days
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.defs.polling import cutover_of, subject_of
from bcns_pipeline.outcomes import Lane, Rejected
from bcns_pipeline.resources.connections import BIGCOMMERCE_SLOTS, RESERVED_FOR_FAST_LANE, Connections
from bcns_pipeline.rules.cash.mark import money_mark
from bcns_pipeline.rules.cash.model import Taken as Money_
from bcns_pipeline.rules.cash.steps import BILLED
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.model import Order, Tender
from bcns_pipeline.rules.orders.reading import Unreadable, read_details
from bcns_pipeline.state.cash_models import CashDecision, MoneyRead, Unlooked
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.scope import canonical

KIND: Final = "transactions"
CURSOR: Final = "cash/watermark"
CLOCK: Final = "%Y-%m-%d %H:%M:%S"
CODE: Final = "TRANSACTIONS_UNREADABLE"
# So many orders are read and stored at once: a process that dies loses no more than that many calls, and whoever wants
# to plan waits no longer.
AT_ONCE = 40
# No card is held for longer.
GIVE_UP_AFTER = timedelta(days=35)
# These say something of us or of the address, not of the one order.
_OF_ALL = frozenset({401, 403, 405})


@dataclass(slots=True)
class Taken:
    """What was read. `unchanged` needed no call, `reopened` moved in NetSuite, `unreadable` are sentences by order."""

    looked_at: int = 0
    read: int = 0
    unchanged: int = 0
    erased: int = 0
    reopened: int = 0
    captures: int = 0
    transactions: int = 0
    unreadable: dict[int, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The read in one line, as an identity."""
        parts = [f"{self.read:,} read", f"{self.unchanged:,} whose payments did not change"]
        for count, what in ((self.erased, "of erased shoppers"), (len(self.unreadable), "unreadable")):
            if count:
                parts.append(f"{count:,} {what}")
        return (
            f"payments: {self.looked_at:,} orders looked at = {' + '.join(parts)}; {self.captures:,} captures; "
            f"{self.reopened:,} orders moved in NetSuite"
        )


def take(
    connections: Connections,
    progress: Callable[[str], None],
    days: Days | None = None,
    mode: Mode = Mode.APPLY,
) -> Taken:
    """Read the payments of orders that are due, or with `days` of every order of these days. Raises OutsideError.

    Of what is due, the first piece of a batch: the rest is read while that is written (beside.py). A plan that is only
    shown is of the whole batch.
    """
    found = Taken()
    most = piece(connections) if mode is Mode.APPLY else connections.mapping.cash.batch
    if days is None:
        with connections.planner.exclusive(READING):
            found.reopened = _note_moved(connections)
    take_some(connections, most if days is None else WHOLE_RANGE, found, progress, days)
    return found


def take_some(
    connections: Connections,
    most: int,
    found: Taken,
    progress: Callable[[str], None],
    days: Days | None = None,
    after: int = 0,
) -> int:
    """Read the payments of so many orders behind `after`, and return the last of them. Raises OutsideError, WorkerLost.

    One that can't be read stays due, so whoever goes on begins behind it.
    """
    while most > 0:
        # Two would read the same, and what is being read is in nobody's hands yet.
        with connections.planner.exclusive(READING):
            some = min(most, AT_ONCE)
            due = connections.state.cash.unlooked(datetime.now(UTC), some, after=after, days=days)
            if due:
                _look(connections, due, found)
                progress(found.sentence)
        most, after = most - some, due[-1].order_id if due else after
        if len(due) < some:
            break
    return after


def _note_moved(connections: Connections) -> int:
    """Sales orders of ours that were shipped, billed or called off since the last look, by NetSuite's clock."""
    state, netsuite = connections.state, connections.netsuite(Lane.BULK)
    now = netsuite.clock()
    kept = state.cursors.get(CURSOR)
    if not isinstance(kept, dict) or kept.get("version") != 1:
        kept = {}
    since, last = _since(connections, kept, now)
    moved = netsuite.receivables.moved(order_prefix(state.store), since)
    seen: Mapping[str, str] = kept.get("seen", {})
    # What the overlap shows once more is no news, unless it may have changed twice within the second of the last look.
    fresh = {str(one) for one, (at, _) in moved.items() if seen.get(str(one)) != at or at >= last}
    orders = {int(one): order.order_id for one, order in state.orders.by_netsuite(fresh).items()}
    with state.scope.transaction() as conn:
        # Another run decides by what it has read; what moved since is news to the next one.
        busy = state.cash.in_hand(orders.values(), conn=conn)
        billed = [order for one, order in orders.items() if moved[one][1] == BILLED]
        reopened = state.cash.reopen(orders.values(), billed, conn=conn)
        noted = {str(one): at for one, (at, _) in moved.items() if orders.get(one) not in busy}
        state.cursors.move(CURSOR, {"version": 1, "until": now, "seen": noted}, conn=conn)
    return reopened


def _since(connections: Connections, kept: Mapping[str, Any], now: str) -> tuple[str, str]:
    """Where the window begins, and a moment before the last look."""
    if kept:
        until = datetime.strptime(kept["until"], CLOCK)  # noqa: DTZ007 - their frame
        overlap = timedelta(minutes=connections.mapping.cash.poll.overlap_minutes)
        return (until - overlap).strftime(CLOCK), (until - timedelta(seconds=2)).strftime(CLOCK)
    first = cutover_of(connections.mapping)
    return ((first - timedelta(days=1)).strftime(CLOCK) if first else now), ""


def _look(connections: Connections, due: Sequence[Unlooked], found: Taken) -> None:
    state = connections.state
    found.looked_at += len(due)
    read = orders_read(connections, [one.document_id for one in due])
    orders: dict[int, Order] = {}
    wanted: list[Unlooked] = []
    same: dict[int, str] = {}
    for one in due:
        order = read.get(one.document_id or 0)
        if order is None:
            _erased(connections, one)
            found.erased += 1
            continue
        if isinstance(order, Unreadable):
            found.unreadable[one.order_id] = str(order)
            continue
        orders[one.order_id] = order
        if one.again or one.mark != money_mark(order):
            wanted.append(one)
        else:
            same[one.order_id] = one.content_hash
    found.unchanged += len(same)
    state.cash.looked(same, {one: money_mark(orders[one]) for one in same})
    _read(connections, wanted, orders, found)


def _erased(connections: Connections, one: Unlooked) -> None:
    """What was read before stands; an order that was never looked at can't be booked any more."""
    state = connections.state
    if one.mark is not None:
        state.cash.looked({one.order_id: one.content_hash}, {one.order_id: one.mark})
        return
    nothing = Money.zero(state.orders.many([one.order_id])[one.order_id].total.currency)
    with state.scope.transaction() as conn:
        read = MoneyRead(one.order_id, one.content_hash, "", None, nothing, nothing, nothing, ())
        state.cash.read([read], conn=conn)
        said = "Its shopper was erased before its payments were read."
        state.cash.decide([CashDecision(one.order_id, "skipped", "ERASED", said)], conn=conn)


def _read(
    connections: Connections, wanted: Sequence[Unlooked], orders: Mapping[int, Order], found: Taken
) -> None:
    """One call for each that is not a marketplace's, several at once; all of them stored together."""
    state = connections.state
    rows = _transactions(connections, [orders[one.order_id] for one in wanted])
    reads: list[MoneyRead] = []
    documents: list[NewDocument] = []
    unreadable: dict[int, str] = {}
    for one in wanted:
        order, given = orders[one.order_id], rows[one.order_id]
        if isinstance(given, Rejected):
            unreadable[order.id] = (
                f"its payments can't be read: BigCommerce says {given.status} {given.code}."
            )
            continue
        try:
            tenders = read_details(transactions=given).transactions or ()
            money = money_of(connections, order, tenders)
            reads.append(_as_read(connections, one, order, tenders, money))
        except (Unreadable, ValueError) as fault:
            unreadable[order.id] = str(fault)
            continue
        found.transactions += len(tenders)
        found.captures += len(money.captures)
        subject = subject_of(state, order.document, order.id)
        documents.append(
            NewDocument("bigcommerce", KIND, f"order:{order.id}", canonical(given).encode(), subject=subject)
        )
    with state.scope.transaction() as conn:
        kept = state.documents.store_changed(documents, conn=conn)
        state.cash.read(
            [replace(read, document_id=where.document_id) for read, where in zip(reads, kept, strict=True)],
            conn=conn,
        )
        state.exceptions.heal(FLOW, CODE, [f"order:{one.order_id}" for one in reads], conn=conn)
        asked = [question(CODE, one, f"Order {one}: {said}") for one, said in unreadable.items()]
        state.exceptions.open_many(FLOW, asked, conn=conn)
    found.read += len(reads)
    found.unreadable.update(unreadable)


def _transactions(connections: Connections, orders: Sequence[Order]) -> dict[int, Any]:
    client = connections.bigcommerce(Lane.BULK).orders

    def read(order: Order) -> Any:
        if of_the_marketplace(connections, order):
            return []
        try:
            return client.transactions(order.id)
        except Rejected as refused:
            if refused.status in _OF_ALL:
                raise
            return refused

    with ThreadPoolExecutor(
        BIGCOMMERCE_SLOTS - RESERVED_FOR_FAST_LANE, thread_name_prefix="payments"
    ) as pool:
        return {order.id: rows for order, rows in zip(orders, pool.map(read, orders), strict=True)}


def _as_read(
    connections: Connections, one: Unlooked, order: Order, tenders: Sequence[Tender], money: Money_
) -> MoneyRead:
    keyed = connections.state.vault.seal_digest
    return MoneyRead(
        order_id=order.id,
        content_hash=one.content_hash,
        mark=money_mark(order),
        document_id=None,
        captured=money.captured,
        authorised=money.authorised,
        refunded=money.refunded,
        tenders=tuple(as_row(order, tender, keyed) for tender in tenders),
        read_again_at=_again(connections, order, tenders, money),
        shopper_id=order.customer_id or None,
    )


def _again(
    connections: Connections, order: Order, tenders: Sequence[Tender], money: Money_
) -> datetime | None:
    """When to look again by ourselves: a capture is made later and elsewhere, and its webhook may get lost.

    What is paid outside BigCommerce is noted there by a person, which changes the order.
    """
    now = datetime.now(UTC)
    waits = any(one.event == "pending" and one.method != "offline" and one.status == "ok" for one in tenders)
    if order.placed_at < now - GIVE_UP_AFTER or not (money.authorised or (money.pending and waits)):
        return None
    return now + timedelta(hours=connections.mapping.cash.authorised_hours)
