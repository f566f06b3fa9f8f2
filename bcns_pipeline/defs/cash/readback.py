"""Verify: what NetSuite shows of the records that were written, compared to the cent.

Put reading back and its consequences here. Do not put the comparison here (rules/cash/verify.py). What was written and
not read back, because a process died in between, is read back by the next run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bcns_pipeline.clients.netsuite.models import MoneyRow
from bcns_pipeline.defs.cash.run import FLOW, question
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.cash.verify import Entry, order_faults, record_faults
from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.cash_models import CashRecord, RecordRead

BATCH = 500
CODE = "CASH_DRIFT"


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


def read_back(connections: Connections) -> ReadBack:
    """Read the records of every order of which one was written since. Raises OutsideError."""
    found = ReadBack()
    after = 0
    while batch := connections.state.cash.unread(BATCH, after=after):
        after = batch[-1].order_id
        _compare(connections, batch, found)
    return found


def _compare(connections: Connections, batch: Sequence[CashRecord], found: ReadBack) -> None:
    state = connections.state
    rows = connections.netsuite(Lane.BULK).receivables.by_id({int(one.netsuite_id) for one in batch})
    by_order: dict[int, list[tuple[CashRecord, Entry]]] = {}
    reads = []
    for one in batch:
        row = rows.get(int(one.netsuite_id))
        entry = _entry(one, row)
        by_order.setdefault(one.order_id, []).append((one, entry))
        if entry.shown is not None:
            reads.append(RecordRead(one.natural_key, entry.shown, entry.left, entry.shown_account))
    orders = state.cash.many(by_order)
    questions, right = [], []
    for number, some in by_order.items():
        entries = [entry for _, entry in some]
        faults = [fault for entry in entries for fault in record_faults(entry)]
        order = orders.get(number)
        refunded = order.refunded if order is not None and order.refunded is not None else None
        currency = some[0][0].currency
        faults += order_faults(entries, currency, refunded or Money.zero(currency))
        # One subject for what was read back, as the plan's own questions of an order end with the plan.
        subject = f"cash:{number}"
        if faults:
            found.drifted[number] = " ".join(faults)
            said = f"Order {number}: {found.drifted[number]}"
            questions.append(question(CODE, number, said, subject=subject))
        else:
            found.equal += len(entries)
            right.append(subject)
    with state.scope.transaction() as conn:
        state.cash.read_back(reads, conn=conn)
        # One that is gone stays unread, so that every run asks for it until somebody has answered.
        state.exceptions.heal(FLOW, CODE, right, conn=conn)
        state.exceptions.open_many(FLOW, questions, conn=conn)


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
