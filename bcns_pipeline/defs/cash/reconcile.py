"""Every night: captured less refunded in BigCommerce is what NetSuite has, order by order (row O39).

Put the reading of both sides here, over all orders of the last weeks, and what a difference becomes. NetSuite's side is
read by the beginning of our keys and not by what we remember, so a record that somebody deleted or changed is found. An
order whose receipts are on their way, or that waits with a question of its own, is no difference.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from bcns_pipeline.clients.netsuite.models import MoneyRow
from bcns_pipeline.defs.cash.run import FLOW, question
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import deposit_key
from bcns_pipeline.state.cash_models import CashOrder, CashRecord

CODE = "MONEY_NOT_EQUAL"
BATCH = 1000


@dataclass(slots=True)
class Reconciled:
    """What was compared: orders, how many are equal, and the sentences of those that are not."""

    orders: int = 0
    equal: int = 0
    waiting: int = 0
    records: int = 0
    different: dict[int, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The comparison in one line, as an identity."""
        return (
            f"money: {self.orders:,} orders = {self.equal:,} equal to the cent + {self.waiting:,} waiting + "
            f"{len(self.different):,} different; {self.records:,} receipts in NetSuite"
        )


def reconcile(
    connections: Connections, progress: Callable[[str], None], mode: Mode = Mode.APPLY
) -> Reconciled:
    """Compare all orders of the last `cash.check_days` days; a plan asks nobody about them. Raises OutsideError."""
    state, found = connections.state, Reconciled()
    since = datetime.now(UTC).date() - timedelta(days=connections.mapping.cash.check_days)
    there = _there(connections, since)
    found.records = len(there)
    after = 0
    while orders := state.cash.of_days(since, after=after, limit=BATCH):
        after = orders[-1].order_id
        _compare(connections, orders, there, found)
        progress(found.sentence)
    if mode is Mode.PLAN:
        return found
    different = {f"order:{one}" for one in found.different}
    questions = [question(CODE, one, f"Order {one}: {said}") for one, said in found.different.items()]
    with state.scope.transaction() as conn:
        state.exceptions.open_many(FLOW, questions, conn=conn)
        state.exceptions.keep_only(FLOW, CODE, sorted(different), conn=conn)
        # A receipt that is gone is written again, under its own key, once the plan has looked.
        state.cash.reopen(found.different, conn=conn)
    return found


def _there(connections: Connections, since: date) -> dict[str, MoneyRow]:
    """Every receipt of ours in NetSuite by key; a capture is never older than its order."""
    store = connections.state.store
    prefix = deposit_key(store, 0, 0).removesuffix("0-0")
    rows = connections.netsuite(Lane.BULK).receivables.by_prefix(prefix, since.isoformat())
    return {row.external_id: row for row in rows}


def _compare(
    connections: Connections, orders: Sequence[CashOrder], there: Mapping[str, MoneyRow], found: Reconciled
) -> None:
    state = connections.state
    ids = [one.order_id for one in orders]
    records = state.cash.records(ids)
    open_ = {int(op.group_key.partition(":")[2]) for op in state.outbox.find(flow=FLOW) if op.group_key}
    by_order: dict[int, list[MoneyRow]] = defaultdict(list)
    for row in there.values():
        by_order[_order_of(state.store, row.external_id)].append(row)
    back, going = _refunds(connections, ids)
    for one in orders:
        found.orders += 1
        if one.captured is None or one.refunded is None or one.disposition == "skipped":
            found.equal += 1
            continue
        zero = Money.zero(one.captured.currency)
        booked = _booked(zero, records.get(one.order_id, ()), by_order.get(one.order_id, ()))
        refunded = back.get(one.order_id, zero)
        if booked - refunded == one.captured - one.refunded and booked == one.captured:
            found.equal += 1
        elif one.disposition != "settled" or one.order_id in open_ | going or _waits(one):
            found.waiting += 1
        else:
            found.different[one.order_id] = (
                f"{one.captured} were captured and {one.refunded} refunded, and NetSuite has receipts of {booked} "
                f"and refunds of {refunded}."
            )


def _refunds(connections: Connections, order_ids: Sequence[int]) -> tuple[dict[int, Money], set[int]]:
    """{order: what NetSuite shows as paid back}, and orders of which a refund is still on its way.

    Refunds are read by the ids that are remembered of them: a settlement that is gone counts for nothing. The journals
    of stored value have no header amount, so theirs is what was written, which the refund flow reads back line by line.
    """
    state = connections.state
    known = [
        record
        for some in state.refunds.records_of_orders(order_ids).values()
        for record in some
        if record.n or record.record_type == "cashRefund"
    ]
    rows = connections.netsuite(Lane.BULK).receivables.by_id({int(one.netsuite_id) for one in known})
    back: dict[int, Money] = {}
    for record in known:
        row = rows.get(int(record.netsuite_id))
        shown = record.amount
        if record.record_type != "journalEntry":
            shown = Money.of(0 if row is None else row.total, record.amount.currency)
        back[record.order_id] = back.get(record.order_id, Money.zero(shown.currency)) + shown
    going = {
        number
        for number, some in state.refunds.of_orders(order_ids).items()
        if any(one.disposition in ("open", "waiting", "planned") for one in some)
    }
    return back, going


def _waits(one: CashOrder) -> bool:
    """Its receipt is written with its invoice: the plan said so."""
    return one.reason is not None and "waits for its invoice" in one.reason


def _booked(zero: Money, records: Iterable[CashRecord], rows: Iterable[MoneyRow]) -> Money:
    """Receipts as NetSuite shows them; a cash sale is one of its own, and the order flow compares it."""
    booked = sum((Money.of(row.total, zero.currency) for row in rows), zero)
    return sum((one.amount or zero for one in records if one.kind == "cash_sale"), booked)


def _order_of(store: str, key: str) -> int:
    prefix = deposit_key(store, 0, 0).removesuffix("0-0")
    number = key.removeprefix(prefix).partition("-")[0]
    return int(number) if number.isdecimal() else 0
