"""Verify: what NetSuite made of the orders that were written, compared to the cent.

Put reading back and its consequences here. A user-event script or a tax engine may change a record after it was
saved, so a confirmed write is not yet an equal total (facts/finance.md 3.4). What was written and not read back,
because a process died in between, is read back by the next run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bcns_pipeline.defs.account import account_of
from bcns_pipeline.defs.late import EDITS
from bcns_pipeline.defs.orders.closing import Cents, closing, closing_key, keep
from bcns_pipeline.defs.orders.run import FLOW, LANE, question
from bcns_pipeline.defs.orders.shown import shown
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import edit_key, order_key
from bcns_pipeline.rules.orders.compare import differences, tax_by_item, tax_differences, tax_shown
from bcns_pipeline.rules.orders.draft import Expected
from bcns_pipeline.rules.orders.facts import Shown
from bcns_pipeline.state.operations import Intent
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.order_models import ReadBack as Read
from bcns_pipeline.state.store import State

BATCH = 500
CODE = "ORDER_TOTAL_DRIFT"
LOOK_AGAIN_AFTER = timedelta(hours=1)


@dataclass(slots=True)
class ReadBack:
    """What a read-back found: orders equal to the cent, and those that are not, with what differs.

    `closing` are orders whose cents a rounding line is about to close: it is staged, and not sent yet.
    """

    equal: int = 0
    closing: list[int] = field(default_factory=list)
    drifted: dict[int, str] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The read-back in one line; what was closed has been read again, and counts as what it is now."""
        parts = [f"{self.equal:,} equal to the cent"]
        if self.drifted:
            parts.append(f"{len(self.drifted):,} drifted")
        if self.gone:
            parts.append(f"{len(self.gone):,} not there any more")
        return ", ".join(parts)


def read_back(connections: Connections) -> ReadBack:
    """Read every order that was written since it was last read back. Raises OutsideError."""
    found = ReadBack()
    _drifted(connections.state)
    after = 0
    while batch := connections.state.orders.unread(BATCH, after=after):
        after = batch[-1].order_id
        _compare(connections, batch, found)
    _look_again(connections, found)
    return found


def _drifted(state: State) -> None:
    """What drifted is read again after a while: somebody may have mended it. A replay has it read at once."""
    limit = datetime.now(UTC) - LOOK_AGAIN_AFTER
    drifted = [one for one in state.exceptions.find(flow=FLOW, code=CODE) if one.last_seen_at <= limit]
    state.orders.read_again([int(one.subject.removeprefix("order:")) for one in drifted])


def _look_again(connections: Connections, found: ReadBack) -> None:
    """A call that was given up for lost may have been carried out since, over what was written after it."""
    state = connections.state
    edits, until = EDITS.due(state)
    payloads = state.outbox.payloads(edits)
    ids = sorted({payload["order_id"] for payload in payloads if payload})
    for start in range(0, len(ids), BATCH):
        known = state.orders.many(ids[start : start + BATCH]).values()
        there = [one for one in known if one.netsuite_id]
        if there:
            _compare(connections, there, found)
    EDITS.looked_at(state, until)


def _compare(connections: Connections, batch: Sequence[OrderState], found: ReadBack) -> None:
    state = connections.state
    ids = {one.order_id: int(one.netsuite_id) for one in batch if one.netsuite_id}
    now = shown(connections, ids.values())
    expected = written_as(connections, batch)
    reads: list[Read] = []
    drifts = {}
    closings: list[tuple[Cents, Intent]] = []
    taxed: dict[int, tuple[Expected, Shown]] = {}
    for one in batch:
        record = now.get(ids[one.order_id])
        if record is None:
            found.gone.append(one.order_id)
            drifts[one.order_id] = f"NetSuite does not show {one.record_type} {one.netsuite_id} any more."
            continue
        reads.append(_read(one, record, expected.get(one.order_id)))
        said = (
            differences(expected[one.order_id], record) if one.order_id in expected else _totals(one, record)
        )
        cents = _cents(one, expected.get(one.order_id), record)
        intent = None if cents is None else closing(state.store, cents, connections.order_policy)
        if said and cents is not None and intent is not None:
            closings.append((cents, intent))
            found.closing.append(one.order_id)
        elif said:
            drifts[one.order_id] = " ".join(said)
            if one.order_id in expected:
                taxed[one.order_id] = expected[one.order_id], record
        else:
            found.equal += 1
    for order_id, lines in taxes_by_line(connections, taxed).items():
        drifts[order_id] = " ".join((drifts[order_id], *lines))
    found.drifted |= {one: said for one, said in drifts.items() if one not in found.gone}
    subjects = [f"order:{one.order_id}" for one in batch if one.order_id not in drifts]
    totals = {one.order_id: one.total for one in batch}
    with state.scope.transaction() as conn:
        state.orders.read_back(reads, conn=conn)
        state.orders.not_there([one for one in drifts if one in found.gone], conn=conn)
        # With the reads: a process that dies here leaves them to the next run instead of to nobody.
        keep(state, connections.mapping, [one for one, _ in closings], conn)
        state.outbox.stage(FLOW, [intent for _, intent in closings], conn=conn)
        state.exceptions.heal(FLOW, CODE, subjects, conn=conn)
        state.exceptions.open_many(
            FLOW,
            [question(CODE, one, f"Order {one}: {said}", totals[one]) for one, said in drifts.items()],
            conn=conn,
        )


def written_as(connections: Connections, batch: Sequence[OrderState]) -> dict[int, Expected]:
    """{order: what was written, line by line}, from the newest confirmed operation of each order that has one."""
    state, found = connections.state, dict[int, Expected]()
    keys = [order_key(state.store, one.order_id) for one in batch]
    keys += [edit_key(state.store, one.order_id, one.applied_hash) for one in batch if one.applied_hash]
    keys += [closing_key(state.store, one.order_id, one.applied_hash) for one in batch if one.applied_hash]
    operations = state.outbox.find(flow=FLOW, states=("confirmed",), natural_keys=keys)
    for payload in state.outbox.payloads(operations):
        # An erased shopper's payload is gone; then totals are all that can be compared.
        if payload and "expected" in payload:
            found[payload["order_id"]] = Expected.read(payload["expected"])
    return found


def taxes_by_line(
    connections: Connections, orders: Mapping[int, tuple[Expected, Shown]]
) -> dict[int, list[str]]:
    """{order: what NetSuite computed for which line}, of those whose tax NetSuite computes and that differs.

    One call for all of them, and none where there is none. Without SuiteTax, NetSuite has one row of tax for each code
    and none for each line. Raises OutsideError.
    """
    off = {
        order_id: (expected, record)
        for order_id, (expected, record) in orders.items()
        if expected.taxed and expected.tax != record.tax
    }
    if not off or not account_of(connections).suitetax:
        return {}
    rows = connections.netsuite(LANE).sales.taxes(record.id for _, record in off.values())
    if rows is None:
        return {}
    return {
        order_id: tax_differences(expected, record, rows.get(record.id, {}))
        for order_id, (expected, record) in off.items()
    }


def _cents(one: OrderState, expected: Expected | None, record: Shown) -> Cents | None:
    """What a rounding line would be made from; None where it is not known any more what was written."""
    if expected is None or one.record_type is None or one.netsuite_id is None or one.applied_hash is None:
        return None
    return Cents(
        one.order_id, one.channel_id, one.record_type, one.netsuite_id, one.applied_hash, expected, record
    )


def _totals(one: OrderState, record: Shown) -> list[str]:
    wanted = one.expected_total
    if wanted is None or wanted.amount == record.total:
        return []
    return [f"NetSuite shows a total of {record.total}, and {wanted} was written."]


def _read(one: OrderState, record: Shown, expected: Expected | None) -> Read:
    currency = one.total.currency
    tax = tax_shown(record, expected)
    return Read(
        order_id=one.order_id,
        total=Money.of(record.total, currency),
        tax=Money.of(tax, currency),
        netsuite_number=record.header["tranid"],
        tax_codes=tuple(
            (how, Money.of(amount, currency)) for how, amount in tax_by_item(record, expected).items()
        ),
        customer=record.header["entity"],
    )
