"""What the rules must know before a refund can be planned: its order on both sides, payments, what is there already.

Put here how the facts of a whole batch are read: one call of BigCommerce per order for its payments, and three of
NetSuite for all of them. Do not decide here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bcns_pipeline.clients.netsuite.models import RefundRow, SalesLine
from bcns_pipeline.defs.account import account_of
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import BIGCOMMERCE_SLOTS, RESERVED_FOR_FAST_LANE, Connections
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import (
    deposit_key,
    edit_key,
    order_key,
    refund_key,
    refund_payment_key,
    refund_release_key,
)
from bcns_pipeline.rules.orders.draft import Expected
from bcns_pipeline.rules.orders.facts import ShownLine
from bcns_pipeline.rules.orders.matching import pair
from bcns_pipeline.rules.orders.model import ZERO, Order, Tender
from bcns_pipeline.rules.orders.reading import Unreadable, read_details, read_order
from bcns_pipeline.rules.periods import Period
from bcns_pipeline.rules.refunds.books import Books, Deposit
from bcns_pipeline.rules.refunds.limits import stored_way
from bcns_pipeline.rules.refunds.model import Refund
from bcns_pipeline.rules.refunds.reading import read_refund
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.refund_models import RefundState
from bcns_pipeline.state.scope import parse

ORDERS = "orders"
RECORDS = {"salesorder": "salesOrder", "cashsale": "cashSale"}
PERIODS = "refunds/periods"


@dataclass(slots=True)
class OrderSide:
    """One order, as both sides have it. `refunds` are all of its refunds by id, declined ones included.

    `books` None: NetSuite does not have it. `written`: the body and figures that its record was made with.
    """

    order: Order
    state: OrderState
    refunds: list[Refund]
    tenders: Sequence[Tender] = ()
    books: Books | None = None
    written: Mapping[str, Any] | None = field(default=None, repr=False)
    expected: Expected | None = field(default=None, repr=False)


@dataclass(slots=True)
class Learnt:
    """The facts of a batch. `there` are records of refunds by key; `unread` orders whose document is gone."""

    sides: dict[int, OrderSide] = field(default_factory=dict)
    there: dict[str, RefundRow] = field(default_factory=dict)
    refunds: dict[int, Refund] = field(default_factory=dict)
    unread: dict[int, str] = field(default_factory=dict)


def learn(connections: Connections, due: Sequence[RefundState]) -> Learnt:
    """Read what these refunds need. Raises OutsideError."""
    found = Learnt()
    order_ids = {one.order_id for one in due}
    _orders(connections, order_ids, found)
    posted = {one: side for one, side in found.sides.items() if side.state.netsuite_id is not None}
    if not posted:
        return found
    _tenders(connections, posted)
    _written(connections, posted)
    _books(connections, posted, found)
    return found


def _orders(connections: Connections, order_ids: Iterable[int], found: Learnt) -> None:
    """Orders and all of their refunds, from their documents."""
    state = connections.state
    states = state.orders.many(list(order_ids))
    of_order = state.refunds.of_orders(order_ids)
    documents = [one.document_id for one in states.values() if one.document_id]
    documents += [one.document_id for some in of_order.values() for one in some if one.document_id]
    bodies = state.documents.load_many(documents)
    for order_id, some in of_order.items():
        for one in some:
            body = bodies.get(one.document_id) if one.document_id else None
            if body is not None:
                found.refunds[one.refund_id] = read_refund(parse(body), one.total.currency)
        order_state = states.get(order_id)
        body = bodies.get(order_state.document_id) if order_state and order_state.document_id else None
        if order_state is None or body is None:
            continue
        refunds = [found.refunds[one.refund_id] for one in some if one.refund_id in found.refunds]
        try:
            found.sides[order_id] = OrderSide(read_order(parse(body)), order_state, refunds)
        except Unreadable as fault:
            found.unread[order_id] = str(fault)


def _tenders(connections: Connections, sides: Mapping[int, OrderSide]) -> None:
    """Payments as BigCommerce has them now: refunds among them name what they give back."""
    client = connections.bigcommerce(Lane.BULK).orders
    with ThreadPoolExecutor(BIGCOMMERCE_SLOTS - RESERVED_FOR_FAST_LANE, thread_name_prefix="tenders") as pool:
        answers = list(pool.map(client.transactions, sides))
    for side, rows in zip(sides.values(), answers, strict=True):
        side.tenders = read_details(transactions=rows).transactions or ()


def _written(connections: Connections, sides: Mapping[int, OrderSide]) -> None:
    """What our own records of these orders were made with; orders of other people have none."""
    state, store = connections.state, connections.state.store
    keys = [order_key(store, one) for one in sides]
    keys += [
        edit_key(store, one, side.state.applied_hash)
        for one, side in sides.items()
        if side.state.applied_hash is not None
    ]
    operations = state.outbox.find(flow=ORDERS, states=("confirmed",), natural_keys=keys)
    for payload in state.outbox.payloads(operations):
        # Oldest first, so what an edit wrote comes on top; an erased shopper's payload is gone.
        if payload and "expected" in payload and payload["order_id"] in sides:
            side = sides[payload["order_id"]]
            side.expected = Expected.read(payload["expected"])
            if "taxDetails" in payload["body"] or side.written is None:
                side.written = payload["body"]


def _books(connections: Connections, sides: Mapping[int, OrderSide], found: Learnt) -> None:
    account, store = account_of(connections), connections.state.store
    client = connections.netsuite(Lane.BULK)
    by_record = {int(side.state.netsuite_id or 0): one for one, side in sides.items()}
    headers = client.refunds.by_id(by_record, oneworld=account.oneworld)
    keys = [
        deposit_key(store, one, number)
        for one, side in sides.items()
        for number in (0, *(tender.id for tender in side.tenders if tender.event in ("purchase", "capture")))
    ]
    for side in sides.values():
        for refund in side.refunds:
            keys += [refund_key(store, refund.id), refund_release_key(store, refund.id)]
            keys += [refund_payment_key(store, refund.id, n) for n in range(1, len(refund.payments) + 1)]
    found.there = client.refunds.by_key(keys, oneworld=account.oneworld)
    lines: dict[int, list[SalesLine]] = defaultdict(list)
    key_field = connections.order_policy.line_id_field
    for line in client.sales.lines(headers, custom_fields=(key_field,) if key_field else ()):
        lines[line.transaction].append(line)
    for record_id, one in by_record.items():
        row = headers.get(record_id)
        if row is not None and row.entity is not None:
            sides[one].books = _side(sides[one], row, lines[record_id], found.there, store, key_field)


def _side(
    side: OrderSide,
    row: RefundRow,
    lines: Iterable[SalesLine],
    there: Mapping[str, RefundRow],
    store: str,
    key_field: str,
) -> Books:
    shown = [
        _line(line, key_field) for line in lines if not line.is_tax and not line.is_shipping and line.item
    ]
    ours = side.expected.lines if side.expected is not None else ()
    paired = pair(ours, shown)
    by_key = {**{line.key: line for line in shown if line.key}, **paired.by_key}
    named = {line.line for line in by_key.values()}
    currency = side.order.currency
    deposits = {}
    for number in (0, *(tender.id for tender in side.tenders)):
        receipt = there.get(deposit_key(store, side.order.id, number))
        if receipt is not None:
            open_ = Money.of(receipt.unused, currency)
            deposits[number] = Deposit(receipt.id, receipt.record_type, open_)
    stored: dict[str, Money] = defaultdict(lambda: Money.zero(currency))
    for tender in side.tenders:
        way = stored_way(tender)
        if way is not None and deposit_key(store, side.order.id, tender.id) not in there:
            stored[way] += Money.of(tender.amount, currency)
    assert row.entity is not None
    return Books(
        id=row.id,
        record=RECORDS.get(row.record_type, row.record_type),
        status=row.status,
        entity=row.entity,
        subsidiary=row.subsidiary,
        currency_id=row.currency,
        rate=row.rate,
        lines=by_key,
        rest=tuple(line for line in shown if line.line not in named),
        written={line.key: line.amount for line in ours},
        units={
            **{str(line.id): line.quantity for line in side.order.lines},
            **{line.key: line.quantity for line in ours if line.quantity is not None},
        },
        deposits=deposits,
        stored=dict(stored),
    )


def _line(line: SalesLine, key_field: str) -> ShownLine:
    assert line.item is not None
    return ShownLine(
        line=line.line,
        item=line.item,
        quantity=line.quantity or ZERO,
        amount=line.amount,
        key=line.custom.get(key_field.lower(), "") if key_field else "",
        fulfilled=line.quantity_fulfilled,
        billed=line.quantity_billed,
        closed=line.closed,
    )


def periods_of(connections: Connections, first: date, last: date) -> list[Period]:
    """The account's posting periods around these days, read once a run. Raises OutsideError."""
    kept = connections.scratch.get(PERIODS)
    if kept is None or not kept[0] <= first <= last <= kept[1]:
        rows = connections.netsuite(Lane.BULK).journals.periods(first, last)
        kept = (first, last, [Period(one.start, one.end, not (one.closed or one.locked)) for one in rows])
        connections.scratch[PERIODS] = kept
    found: list[Period] = kept[2]
    return found
