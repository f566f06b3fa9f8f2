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


def reconcile(connections: Connections, progress: Callable[[str], None]) -> Reconciled:
    """Compare all orders of the last `cash.check_days` days. Raises OutsideError."""
    state, found = connections.state, Reconciled()
    since = datetime.now(UTC).date() - timedelta(days=connections.mapping.cash.check_days)
    there = _there(connections, since)
    found.records = len(there)
    after = 0
    while orders := state.cash.of_days(since, after=after, limit=BATCH):
        after = orders[-1].order_id
        _compare(connections, orders, there, found)
        progress(found.sentence)
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
        number = _order_of(state.store, row.external_id)
        by_order[number].append(row)
    for one in orders:
        found.orders += 1
        if one.captured is None or one.disposition == "skipped":
            found.equal += 1
            continue
        said = _difference(one, records.get(one.order_id, ()), by_order.get(one.order_id, ()))
        if said is None:
            found.equal += 1
        elif one.disposition != "settled" or one.order_id in open_ or _waits(one):
            found.waiting += 1
        else:
            found.different[one.order_id] = said


def _waits(one: CashOrder) -> bool:
    """Its receipt is written with its invoice: the plan said so."""
    return one.reason is not None and "waits for its invoice" in one.reason


def _difference(one: CashOrder, records: Iterable[CashRecord], rows: Iterable[MoneyRow]) -> str | None:
    assert one.captured is not None
    currency = one.captured.currency
    booked = sum((Money.of(row.total, currency) for row in rows), Money.zero(currency))
    sales = [record for record in records if record.kind == "cash_sale" and record.amount is not None]
    booked += sum((record.amount or Money.zero(currency) for record in sales), Money.zero(currency))
    if booked == one.captured:
        return None
    return f"{one.captured} were captured, and NetSuite has receipts of {booked}."


def _order_of(store: str, key: str) -> int:
    prefix = deposit_key(store, 0, 0).removesuffix("0-0")
    number = key.removeprefix(prefix).partition("-")[0]
    return int(number) if number.isdecimal() else 0
