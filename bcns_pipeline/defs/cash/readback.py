"""Verify: what NetSuite shows of the records that were written, compared to the cent.

Put reading back and its consequences here. Do not put the comparison here (rules/cash/verify.py). What was written and
not read back, because a process died in between, is read back by the next run.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bcns_pipeline.clients.netsuite.models import MoneyRow
from bcns_pipeline.defs.cash.run import FLOW, question
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.cash.verify import Entry, order_faults, record_faults
from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.natural_keys import order_key
from bcns_pipeline.state.cash_models import CashRecord, RecordRead

# Receipt, invoice and application of as many orders fit into one call.
BATCH = 160
CODE = "CASH_DRIFT"
SUBJECT = "cash:"
LOOK_AGAIN_AFTER = timedelta(hours=1)


@dataclass(slots=True)
class ReadBack:
    """What a read-back found: records equal to the cent, and by order what differs."""

    equal: int = 0
    drifted: dict[int, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The read-back in one line."""
        drifted = f", {len(self.drifted):,} orders drifted" if self.drifted else ""
        return f"{self.equal:,} records equal to the cent{drifted}"


def read_back(connections: Connections, found: ReadBack) -> None:
    """Read the records of every order of which one was written since. Raises OutsideError."""
    _look_again(connections)
    after = 0
    while batch := connections.state.cash.unread(BATCH, after=after):
        after = batch[-1].order_id
        _compare(connections, batch, found)


def read_back_of(connections: Connections, order_ids: Collection[int], found: ReadBack) -> None:
    """Read the records of these orders, `BATCH` at most; nothing of them may be on its way. Raises OutsideError."""
    records = connections.state.cash.records(order_ids)
    _compare(connections, [one for some in records.values() for one in some], found)


def _look_again(connections: Connections) -> None:
    """What drifted is read again after a while, or when a person asks: somebody may have mended it."""
    state, now = connections.state, datetime.now(UTC)
    asked = [one for one in state.exceptions.find(flow=FLOW, code=CODE) if one.subject.startswith(SUBJECT)]
    due = [
        int(one.subject.removeprefix(SUBJECT))
        for one in asked
        if one.retry_requested_at is not None or now - one.last_seen_at >= LOOK_AGAIN_AFTER
    ]
    state.cash.stale_orders(due)


def _compare(connections: Connections, batch: Sequence[CashRecord], found: ReadBack) -> None:
    state = connections.state
    orders = state.orders.many({one.order_id for one in batch})
    by_record = {int(one.netsuite_id or 0): number for number, one in orders.items()}
    store = state.store
    # A cash sale is its own receipt, and has the order's key.
    keys = {
        one.natural_key: order_key(store, one.order_id) if one.kind == "cash_sale" else one.natural_key
        for one in batch
    }
    rows = connections.netsuite(Lane.BULK).receivables.of(keys.values(), by_record)
    by_key = {row.external_id: row for row in rows}
    by_order: dict[int, list[tuple[CashRecord | None, Entry]]] = {}
    reads = []
    ours = set(keys.values())
    for row in rows:
        # An invoice that NetSuite made says what is settled of the order all the same.
        if row.type == "CustInvc" and row.external_id not in ours and row.created_from in by_record:
            number = by_record[row.created_from]
            by_order.setdefault(number, []).append((None, _theirs(row, orders[number].total.currency)))
    for one in batch:
        entry = _entry(one, by_key.get(keys[one.natural_key]))
        by_order.setdefault(one.order_id, []).append((one, entry))
        if entry.shown is not None:
            reads.append(RecordRead(one.natural_key, entry.shown, entry.left, entry.shown_account))
    money, given_back = state.cash.many(by_order), state.refunds.records_of_orders(by_order)
    questions, right = [], []
    for number, some in by_order.items():
        entries = [entry for _, entry in some]
        faults = [fault for entry in entries for fault in record_faults(entry)]
        currency = orders[number].total.currency
        refunded = money[number].refunded if number in money else None
        # A refund of ours may be posted before the order's payments are read again.
        ours_back = total([record.amount for record in given_back[number] if record.n], currency)
        faults += order_faults(entries, currency, max(refunded or Money.zero(currency), ours_back))
        # One subject for what was read back, as the plan's own questions of an order end with the plan.
        subject = f"{SUBJECT}{number}"
        if faults:
            found.drifted[number] = " ".join(faults)
            said = f"Order {number}: {found.drifted[number]}"
            questions.append(question(CODE, number, said, subject=subject))
        else:
            found.equal += sum(one is not None for one, _ in some)
            right.append(subject)
    with state.scope.transaction() as conn:
        state.cash.read_back(reads, conn=conn)
        # One that is gone stays unread, so that every run asks for it until somebody has answered.
        state.exceptions.heal(FLOW, CODE, right, conn=conn)
        state.exceptions.open_many(FLOW, questions, conn=conn)


def _theirs(row: MoneyRow, currency: str) -> Entry:
    return Entry(row.tran_id, "invoice", None, Money.of(row.total, currency), Money.of(row.unpaid, currency))


def _entry(one: CashRecord, row: MoneyRow | None) -> Entry:
    shown = left = account = None
    if row is not None:
        shown = Money.of(row.total, one.currency)
        left = Money.of(row.unpaid if row.type == "CustInvc" else row.unused, one.currency)
        account = row.account if one.kind in ("deposit", "payment", "cash_sale") else None
    if one.kind == "cash_sale":
        # Its total is the sum of its captures, which the order flow compares.
        shown = one.amount if row is not None else None
    return Entry(one.natural_key, one.kind, one.amount, shown, left, one.account, account)
