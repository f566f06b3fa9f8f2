"""Verify: what NetSuite made of the refunds that were posted: their totals, and that nothing of a credit is left open.

Put reading back and its consequences here. What was posted and not read back, because a process died in between, is
read back by the next run. A refund that is posted ends the order flow's question about it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bcns_pipeline.clients.netsuite.models import RefundRow
from bcns_pipeline.defs.refunds.run import FLOW, question, subject_of_refund
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.refunds.records import CASH_REFUND, CREDIT_MEMO
from bcns_pipeline.state.refund_models import RefundRead, RefundRecordRow, RefundState

BATCH = 500
DRIFT = "REFUND_DRIFT"
ORDERS, PENDING = "orders", "REFUND_PENDING"
_OUT_OF_DEPOSITS = ("deposit", "deposit_and_credit")
_DONE = ("posted", "reversed", "declined", "ignored")


@dataclass(slots=True)
class ReadBack:
    """What a read-back found: refunds equal to the cent with nothing left open, and those that are not."""

    equal: int = 0
    drifted: dict[int, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The read-back in one line."""
        said = f"{self.equal:,} equal to the cent, nothing unapplied"
        return f"{said}, {len(self.drifted):,} drifted" if self.drifted else said


def read_back(connections: Connections) -> ReadBack:
    """Read every refund that was posted since it was last read back. Raises OutsideError."""
    found = ReadBack()
    while batch := connections.state.refunds.unread(BATCH):
        _compare(connections, batch, found)
    return found


def _compare(connections: Connections, batch: Sequence[RefundState], found: ReadBack) -> None:
    state = connections.state
    records = state.refunds.records([one.refund_id for one in batch])
    keys = [row.natural_key for rows in records.values() for row in rows if row.way != "cut"]
    shown = connections.netsuite(Lane.BULK).refunds.by_key(keys)
    reads, drifts = [], {}
    for one in batch:
        read, said = _read(one, records[one.refund_id], shown)
        reads.append(read)
        if said:
            drifts[one.refund_id] = " ".join(said)
        else:
            found.equal += 1
    found.drifted.update(drifts)
    totals = {one.refund_id: one.total for one in batch}
    equal = [subject_of_refund(one.refund_id) for one in batch if one.refund_id not in drifts]
    with state.scope.transaction() as conn:
        state.refunds.read_back(reads, conn=conn)
        state.exceptions.heal(FLOW, DRIFT, equal, conn=conn)
        state.exceptions.open_many(
            FLOW,
            [question(DRIFT, one, f"Refund {one}: {said}", totals[one]) for one, said in drifts.items()],
            conn=conn,
        )
        # Their deposits are not as open as they were read.
        state.cash.stale_orders([one.order_id for one in batch if one.route in _OUT_OF_DEPOSITS], conn=conn)
        done = _orders_done(connections, {one.order_id for one in batch})
        state.exceptions.heal(ORDERS, PENDING, [f"order:{one}" for one in done], conn=conn)


def _read(
    one: RefundState, records: Sequence[RefundRecordRow], shown: Mapping[str, RefundRow]
) -> tuple[RefundRead, list[str]]:
    currency, said = one.total.currency, list[str]()
    sums: list[Money] = []
    open_ = Money.zero(currency)
    for record in records:
        if record.way == "cut":
            continue
        row = shown.get(record.natural_key)
        if row is None:
            said.append(f"NetSuite does not show {record.record_type} {record.netsuite_id} any more.")
            continue
        amount = Money.of(row.total, currency)
        if amount != record.amount:
            said.append(f"{record.record_type} {row.id} shows {amount}, and {record.amount} was written.")
        credit = record.record_type in (CREDIT_MEMO, CASH_REFUND)
        if record.record_type == CREDIT_MEMO:
            open_ = Money.of(row.unused, currency)
        # What settles payments came out of deposits as well as of a credit; a credit of the whole says it by itself.
        if record.n if one.route in _OUT_OF_DEPOSITS else credit:
            sums.append(amount)
    whole = total(sums, currency)
    if whole != one.total:
        said.append(f"NetSuite shows {whole} given back, and BigCommerce {one.total}.")
    if open_:
        said.append(f"{open_} of the credit memo is applied to nothing.")
    return RefundRead(one.refund_id, whole, open_), said


def _orders_done(connections: Connections, order_ids: Collection[int]) -> list[int]:
    """Orders of which every refund is posted, or is none."""
    return [
        order_id
        for order_id, refunds in connections.state.refunds.of_orders(order_ids).items()
        if all(one.disposition in _DONE for one in refunds)
    ]
