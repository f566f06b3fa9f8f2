"""Apply: receipts and invoices through the outbox, then what settles what, then read back and compared to the cent.

Put here how each kind of operation is sent and found again, and what its end means. What stands in a body was decided
by the rules. An invoice's total is NetSuite's to say, so what settles it is planned once it is there: the same
question is asked again, of the orders of which something was written.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bcns_pipeline.defs.cash.beside import Beside
from bcns_pipeline.defs.cash.facts import forget_periods
from bcns_pipeline.defs.cash.readback import ReadBack, read_back
from bcns_pipeline.defs.cash.run import FLOW, question
from bcns_pipeline.defs.cash.staging import MAKES_ROOM, follow
from bcns_pipeline.defs.dispatch import dispatch
from bcns_pipeline.defs.dispatch_models import Dispatched, Sender, Settled
from bcns_pipeline.outcomes import Lane, Outcome, Refused, Sent, System
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import deposit_key
from bcns_pipeline.state.cash_models import CashDecision, Recorded
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.operations import Operation
from bcns_pipeline.state.plans import Plan

KINDS = ("deposit", "payment", "invoice", "application", "credit")
BUDGET_SECONDS = 120.0
# NetSuite may still be at work on a call that we gave up on; looked up before that, it would be made twice.
SETTLE_SECONDS = 5.0
# Deposits and invoices, then applications and credits; one more round where a partial invoice leaves room.
ROUNDS = 3
LATER = timedelta(minutes=15)
SOON = timedelta(minutes=1)
# Somebody else is at work on the record: it passes by itself.
_PASSING = frozenset({"RECORD_LOCKED", "RECORD_CHANGED"})
_HEALED = ("CASH_REFUSED", "PERIOD_CLOSED")


@dataclass(slots=True)
class Applied:
    """What a run did. `written` counts records by kind, `amounts` what receipts moved, by currency in minor units."""

    beside: Beside
    dispatched: Dispatched = field(default_factory=Dispatched)
    written: Counter[str] = field(default_factory=Counter)
    amounts: Counter[str] = field(default_factory=Counter)
    adopted: int = 0
    held_later: int = 0
    touched: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)

    @property
    def held(self) -> int:
        """Operations that wait for approval."""
        return self.beside.held + self.held_later

    @property
    def read_back(self) -> ReadBack:
        """What NetSuite shows of it."""
        return self.beside.read_back

    @property
    def sentence(self) -> str:
        """The run in one line."""
        parts = [f"{count:,} {kind}s" for kind, count in sorted(self.written.items())] or ["nothing written"]
        for count, what in (
            (self.adopted, "found there already"),
            (self.held, "held for approval"),
            (len(self.refused), "orders refused"),
        ):
            if count:
                parts.append(f"{count:,} {what}")
        return f"cash: {'; '.join(parts)}; {self.read_back.sentence}"


def apply_plan(
    connections: Connections, plan: Plan | None, progress: Callable[[str], None], *, drains: bool = False
) -> Applied:
    """Stage the plan, send everything of the flow that waits, follow up, read back. Raises OutsideError.

    With `drains` it goes on to the next orders, up to a batch (beside.py). Without a plan only what earlier runs left
    is sent, followed up and read back. What was planned is in this run's hands until the end: nobody else looks at it.
    """
    try:
        return _apply(connections, plan, progress, drains)
    finally:
        connections.let_go()


def _apply(
    connections: Connections, plan: Plan | None, progress: Callable[[str], None], drains: bool
) -> Applied:
    until = time.monotonic() + BUDGET_SECONDS
    with Beside(connections, plan, progress, drains=drains) as beside:
        applied = Applied(beside)
        _drain(connections, applied, progress)
        while (left := until - time.monotonic()) > 0 and beside.has_more():
            _drain(connections, applied, progress, left)
    stands = beside.stands
    # What another run had left is looked at as a whole, for nobody remembers why it was staged.
    again = beside.again | (applied.touched - stands.keys())
    stands |= _follow_up(connections, again, applied, progress)
    read_back(connections, beside.read_back)
    _close(connections, stands, applied)
    if beside.error is not None:
        raise beside.error
    return applied


def _drain(
    connections: Connections,
    applied: Applied,
    progress: Callable[[str], None],
    budget_seconds: float = BUDGET_SECONDS,
) -> None:
    """Send what is staged, whoever staged it. Raises OutsideError where the other side stopped it."""
    before, applied.touched = applied.touched, set()

    def settle(settled: Sequence[Settled], conn: Any) -> None:
        _settle(connections, applied, settled, conn)
        applied.beside.ended(settled)

    applied.dispatched = dispatch(
        connections,
        FLOW,
        senders(connections),
        budget_seconds=budget_seconds,
        on_settled=settle,
        progress=progress,
    )
    # Once, and not in each of its turns; where the process dies before, the next look at the order does it.
    taken = [f"order:{one}" for one in sorted(applied.touched - applied.refused.keys())]
    connections.state.exceptions.heal_codes(FLOW, _HEALED, taken)
    applied.touched |= before
    applied.dispatched.raise_if_stopped(System.NETSUITE, "POST /record/v1")


def senders(connections: Connections) -> list[Sender]:
    """How each kind of operation is sent, and found again by its key."""
    client = connections.netsuite(Lane.BULK).receivables

    def send(_: Operation, payload: Mapping[str, Any]) -> Outcome:
        record, *rest = str(payload["path"]).split("/")
        if not rest:
            return client.create(record, payload["body"])
        number, _, target = rest
        return client.transform(record, int(number), target, payload["body"])

    def there(operations: Sequence[Operation]) -> Mapping[str, str | None]:
        found = client.find([one.natural_key for one in operations])
        return {one.natural_key: found.get(one.natural_key) for one in operations}

    return [Sender(kind, send, there, settle_seconds=SETTLE_SECONDS) for kind in KINDS]


def _follow_up(
    connections: Connections, orders: set[int], applied: Applied, progress: Callable[[str], None]
) -> dict[int, CashDecision]:
    """Ask the same question again until nothing more is to be written; where each order then stands."""
    stands: dict[int, CashDecision] = {}
    open_ = orders - applied.refused.keys()
    for _ in range(ROUNDS):
        if not open_:
            break
        found = follow(connections, open_)
        stands.update(found.stands)
        applied.held_later += found.held
        if not found.steps:
            break
        _drain(connections, applied, progress)
        # What only settles leaves nothing that could be settled after it.
        open_ = {step.order_id for step in found.steps if step.kind in MAKES_ROOM} - applied.refused.keys()
    return stands


def _close(connections: Connections, stands: Mapping[int, CashDecision], applied: Applied) -> None:
    """Orders of which nothing is on its way any more stand where the last look left them; the others stay due."""
    state = connections.state
    going = state.outbox.find(flow=FLOW)
    held = {int(op.group_key.partition(":")[2]) for op in going if op.state == "held" and op.group_key}
    open_ = {int(op.group_key.partition(":")[2]) for op in going if op.state != "held" and op.group_key}
    soon = datetime.now(UTC) + LATER
    decisions = [
        CashDecision(one, "waiting", "MATERIALITY", "It waits for approval.", soon) for one in held - open_
    ]
    decisions += [
        decision
        for number, decision in stands.items()
        if number not in held | open_ and number not in applied.refused
    ]
    state.cash.decide(decisions)


def _settle(connections: Connections, applied: Applied, settled: Sequence[Settled], conn: Any) -> None:
    """What the ends of operations mean, written in the transaction that writes the ends themselves."""
    state, now = connections.state, datetime.now(UTC)
    written = [one for one in settled if isinstance(one.outcome, Sent)]
    state.cash.recorded([_recorded(one) for one in written], conn=conn)
    # An application changes what is open of its deposit.
    state.cash.stale(
        [
            deposit_key(state.store, one.payload["order_id"], one.payload["transaction_id"] or 0)
            for one in written
            if one.op.kind == "application"
        ],
        conn=conn,
    )
    for one in written:
        applied.touched.add(one.payload["order_id"])
        if one.adopted:
            applied.adopted += 1
        else:
            applied.written[one.op.kind] += 1
            if one.payload["amount"] and one.op.kind in ("deposit", "payment"):
                minor, currency = one.payload["amount"]
                applied.amounts[currency] += minor
    questions: list[Question] = []
    decisions: list[CashDecision] = []
    for one in settled:
        if not isinstance(one.outcome, Refused):
            continue
        order_id, said = one.payload["order_id"], one.outcome
        code = "PERIOD_CLOSED" if said.code == "PERIOD_CLOSED" else "CASH_REFUSED"
        if code == "PERIOD_CLOSED":
            forget_periods(connections)
        sentence = f"NetSuite refused the {one.op.kind} of order {order_id}: {said.detail}"
        amount = Money(*one.payload["amount"]) if one.payload["amount"] else None
        questions.append(question(code, order_id, sentence, amount, operation=one.op.id, status=said.status))
        again = now + (SOON if said.code in _PASSING else LATER)
        decisions.append(CashDecision(order_id, "waiting", code, sentence, again))
        applied.refused[order_id] = code
    state.exceptions.open_many(FLOW, questions, conn=conn)
    for code in _HEALED:
        # What was refused for another reason before is refused for this one now.
        others = [one.subject for one in questions if one.code != code]
        state.exceptions.heal(
            FLOW, code, [one for one in others if one not in _asked(questions, code)], conn=conn
        )
    state.cash.decide(decisions, conn=conn)


def _asked(questions: Sequence[Question], code: str) -> set[str]:
    return {one.subject for one in questions if one.code == code}


def _recorded(one: Settled) -> Recorded:
    payload = one.payload
    amount = Money(*payload["amount"]) if payload["amount"] else None
    applies = payload["applies"]
    kind: Any = one.op.kind
    return Recorded(
        natural_key=one.op.natural_key,
        order_id=payload["order_id"],
        kind=kind,
        netsuite_id=str(one.record_id),
        currency=payload["currency"],
        day=date.fromisoformat(payload["day"]),
        origin="found" if one.adopted else "created",
        amount=amount,
        transaction_id=payload["transaction_id"],
        account=payload["account"],
        invoice_id=applies[0][0] if one.op.kind == "application" else None,
    )
