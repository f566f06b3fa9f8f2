"""Where both sides of each order's money stand: payments as remembered, records as NetSuite shows them now.

Put the reading here, for a whole batch in a few calls. Do not decide here (rules/cash). What NetSuite shows of a
record that we wrote is noted on the way, so that a plan is a read-back as well; a record that has our key and that
nobody remembers is ours all the same.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bcns_pipeline.clients.netsuite.models import MoneyRow, SalesRow
from bcns_pipeline.defs.account import account_of
from bcns_pipeline.defs.cash.money import as_tender, money_of, of_the_marketplace
from bcns_pipeline.defs.cash.reading import orders_read
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.cash.model import Invoice, OrderLine, Position, Posted, Taken
from bcns_pipeline.rules.cash.steps import PARTLY_BILLABLE
from bcns_pipeline.rules.cash.tenders import mismatch
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import deposit_key, order_key
from bcns_pipeline.rules.orders.model import Order
from bcns_pipeline.rules.orders.policy import SALES_ORDER
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.reading import Unreadable
from bcns_pipeline.rules.periods import Period
from bcns_pipeline.state.cash_models import CashOrder, CashRecord, RecordKind
from bcns_pipeline.state.order_models import OrderState

# How SuiteQL calls what a capture becomes.
RECEIPTS: Mapping[str, RecordKind] = {"CustDep": "deposit", "CustPymt": "payment", "CustCred": "credit"}
# Periods are opened and closed by people; a refusal tells of one that was closed meanwhile.
BELIEVED_FOR = timedelta(minutes=15)
PERIODS = "cash/periods"
ORDERS, DRIFT = "orders", "ORDER_TOTAL_DRIFT"


@dataclass(frozen=True, slots=True)
class Subject:
    """One order that is looked at: as read, where it stands, and its money."""

    order: Order
    state: OrderState
    money: Taken
    mismatch: Problem | None = None


@dataclass(slots=True)
class Learnt:
    """The positions of a batch, and why others can't be told. `rows` are NetSuite's, by order."""

    subjects: dict[int, Subject] = field(default_factory=dict)
    positions: dict[int, Position] = field(default_factory=dict)
    problems: dict[int, Problem] = field(default_factory=dict)
    rows: dict[int, list[MoneyRow]] = field(default_factory=dict)
    records: dict[int, list[CashRecord]] = field(default_factory=dict)


def learn(connections: Connections, due: Sequence[CashOrder]) -> Learnt:
    """Read what the rules need of these orders: two calls for 500 of them, one more where some are part-shipped."""
    found = Learnt()
    _subjects(connections, due, found)
    if not found.subjects:
        return found
    state, netsuite = connections.state, connections.netsuite(Lane.BULK)
    by_record = {int(one.state.netsuite_id or 0): number for number, one in found.subjects.items()}
    oneworld = account_of(connections).oneworld
    headers = netsuite.sales.by_id(by_record, oneworld=oneworld)
    found.records = state.cash.records(found.subjects)
    _rows(connections, found, by_record)
    partly = [
        one
        for one, row in headers.items()
        if row.status == PARTLY_BILLABLE and connections.cash_policy.billing == "pipeline"
    ]
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    for line in netsuite.sales.lines(partly) if partly else ():
        # A line without a quantity is a discount: it goes with the line above it.
        if not line.is_tax and not line.is_shipping and line.item is not None and line.quantity is not None:
            lines[line.transaction].append(
                OrderLine(
                    line.line,
                    line.quantity,
                    line.quantity_fulfilled,
                    line.quantity_billed,
                    line.closed,
                )
            )
    state.orders.belong(
        {by_record[one]: row.entity for one, row in headers.items() if row.entity is not None}
    )
    drifted = {one.subject for one in state.exceptions.find(flow=ORDERS, code=DRIFT)}
    for record, number in by_record.items():
        header = headers.get(record)
        if header is None or header.entity is None:
            said = f"NetSuite does not show its {found.subjects[number].state.record_type} {record} any more."
            found.problems[number] = Problem("CASH_DRIFT", said)
        else:
            blocked = "Its total drifted, so it is not billed." if f"order:{number}" in drifted else ""
            found.positions[number] = _position(connections, found, number, header, lines[record], blocked)
    return found


def periods_of(connections: Connections) -> list[Period]:
    """Posting periods from the cutover on, as NetSuite had them a quarter of an hour ago at most; none is told apart
    from closed. Raises OutsideError."""
    state, now = connections.state, datetime.now(UTC)
    kept = state.cursors.get(PERIODS)
    fresh = isinstance(kept, dict) and now - datetime.fromisoformat(kept["at"]) < BELIEVED_FOR
    if not fresh:
        rows = connections.netsuite(Lane.BULK).journals.periods(
            date(2000, 1, 1), now.date() + timedelta(days=400)
        )
        spans = [[one.start.isoformat(), one.end.isoformat(), not (one.closed or one.locked)] for one in rows]
        kept = {"at": now.isoformat(), "periods": spans}
        state.cursors.move(PERIODS, kept)
    return [
        Period(date.fromisoformat(start), date.fromisoformat(end), bool(is_open))
        for start, end, is_open in kept["periods"]
    ]


def forget_periods(connections: Connections) -> None:
    """NetSuite refused a day that we took for open: ask anew."""
    connections.state.cursors.move(
        PERIODS, {"at": datetime(2000, 1, 1, tzinfo=UTC).isoformat(), "periods": []}
    )


def _subjects(connections: Connections, due: Sequence[CashOrder], found: Learnt) -> None:
    state = connections.state
    states = state.orders.many([one.order_id for one in due])
    orders = orders_read(connections, [one.document_id for one in states.values()])
    tenders = state.cash.tenders(states)
    for number, one in states.items():
        order = orders.get(one.document_id or 0)
        if order is None:
            found.problems[number] = Problem("ERASED", "Its shopper was erased.")
            continue
        if isinstance(order, Unreadable):
            found.problems[number] = Problem("TRANSACTIONS_UNREADABLE", str(order))
            continue
        given = [as_tender(row) for row in tenders.get(number, ())]
        money = money_of(connections, order, given)
        theirs = of_the_marketplace(connections, order)
        off = None if theirs else mismatch(order, given, connections.order_policy)
        found.subjects[number] = Subject(order, one, money, off)


def _rows(connections: Connections, found: Learnt, by_record: Mapping[int, int]) -> None:
    """NetSuite's records of these orders: by the keys of their captures and of what we remember, and by order."""
    store = connections.state.store
    by_key = {
        deposit_key(store, number, capture.transaction_id): number
        for number, one in found.subjects.items()
        for capture in one.money.captures
    }
    by_key |= {one.natural_key: number for number, some in found.records.items() for one in some}
    # A cash sale is its own receipt, and has the order's key.
    by_key |= {
        order_key(store, number): number
        for number, one in found.subjects.items()
        if one.state.record_type != SALES_ORDER
    }
    sales = [
        one for one, number in by_record.items() if found.subjects[number].state.record_type == SALES_ORDER
    ]
    for row in connections.netsuite(Lane.BULK).receivables.of(by_key, sales):
        number = by_key.get(row.external_id, by_record.get(row.created_from or 0))
        if number is not None:
            found.rows.setdefault(number, []).append(row)


def _position(
    connections: Connections,
    found: Learnt,
    number: int,
    header: SalesRow,
    lines: Iterable[OrderLine],
    blocked: str,
) -> Position:
    one, store = found.subjects[number], connections.state.store
    policy, currency = connections.order_policy, one.order.currency
    rows = found.rows.get(number, [])
    keys = _transactions_by_key(store, number, one, found.records.get(number, ()))
    applied = {
        (record.transaction_id or 0, record.invoice_id or 0)
        for record in found.records.get(number, ())
        if record.kind == "application"
    }
    shipped = [
        row.tran_date for row in rows if row.type == "ItemShip" and row.status == "C" and row.tran_date
    ]
    return Position(
        store=store,
        order_id=number,
        channel_id=one.order.channel_id,
        record=one.state.record_type or SALES_ORDER,
        netsuite_id=header.id,
        status=header.status,
        customer=header.entity or 0,
        currency_id=header.currency,
        subsidiary=header.subsidiary,
        total=one.state.total,
        today=datetime.now(policy.zone(policy.channel(one.order.channel_id))).date(),
        captures=one.money.captures,
        posted={
            keys[row.external_id]: _posted(row, keys[row.external_id], currency)
            for row in rows
            if row.type in RECEIPTS and row.external_id in keys
        },
        invoices=tuple(_invoice(row, currency) for row in rows if row.type == "CustInvc"),
        lines=tuple(lines),
        shipped_on=max(shipped, default=None),
        blocked=blocked,
        refunded=one.money.refunded,
        applied=frozenset(applied),
    )


def _transactions_by_key(
    store: str, number: int, one: Subject, records: Collection[CashRecord]
) -> dict[str, int]:
    keys = {deposit_key(store, number, row.transaction_id): row.transaction_id for row in one.money.captures}
    # What was taken back in BigCommerce after it was booked is still in the books.
    keys |= {row.natural_key: row.transaction_id or 0 for row in records if row.kind in RECEIPTS.values()}
    return keys


def _posted(row: MoneyRow, transaction_id: int, currency: str) -> Posted:
    kind: Any = RECEIPTS[row.type]
    return Posted(
        transaction_id,
        row.external_id,
        kind,
        row.id,
        Money.of(row.total, currency),
        Money.of(row.unused, currency),
        row.tran_date or date.min,
    )


def _invoice(row: MoneyRow, currency: str) -> Invoice:
    return Invoice(
        row.id,
        row.external_id,
        row.tran_id,
        Money.of(row.total, currency),
        Money.of(row.unpaid, currency),
        row.tran_date or date.min,
    )
