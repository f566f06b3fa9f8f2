"""Apply: receipts and invoices through the outbox, then what settles what, then read back and compared to the cent.

Put here how each kind of operation is sent and found again, and what its end means. What stands in a body was decided
by the rules. An invoice's total is NetSuite's to say, so what settles it is planned once it is there: the same
question is asked again, of the orders of which something was written.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bcns_pipeline.defs.cash.facts import forget_periods
from bcns_pipeline.defs.cash.fates import decision_of, remember
from bcns_pipeline.defs.cash.planning import judge, payload_of
from bcns_pipeline.defs.cash.readback import ReadBack, read_back
from bcns_pipeline.defs.cash.run import FLOW, question
from bcns_pipeline.defs.dispatch import dispatch
from bcns_pipeline.defs.dispatch_models import Dispatched, Sender, Settled
from bcns_pipeline.outcomes import Lane, Outcome, Refused, Sent, System
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.cash.model import Step
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import deposit_key
from bcns_pipeline.state.cash_models import CashDecision, Recorded
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.operations import Intent, Operation
from bcns_pipeline.state.plan_lines import PlanLine
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
_MAKES_ROOM = frozenset({"deposit", "payment", "invoice"})


@dataclass(slots=True)
class Applied:
    """What a run did. `written` counts records by kind, `amounts` what receipts moved, by currency in minor units."""

    dispatched: Dispatched = field(default_factory=Dispatched)
    written: Counter[str] = field(default_factory=Counter)
    amounts: Counter[str] = field(default_factory=Counter)
    adopted: int = 0
    held: int = 0
    touched: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)
    read_back: ReadBack = field(default_factory=ReadBack)

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


def apply_plan(connections: Connections, plan: Plan | None, progress: Callable[[str], None]) -> Applied:
    """Stage the plan, send everything of the flow that waits, follow up, read back. Raises OutsideError.

    Without a plan only what earlier runs left is sent, followed up and read back. What the plan has in hand is let go
    at the end: until then nobody else looks at it.
    """
    try:
        return _apply(connections, plan, progress)
    finally:
        connections.let_go()


def _apply(connections: Connections, plan: Plan | None, progress: Callable[[str], None]) -> Applied:
    applied = Applied()
    stands: dict[int, CashDecision] = {}
    again: set[int] = set()
    if plan is not None:
        _stage(connections, plan, applied)
        stands = {
            int(one): CashDecision(int(one), "settled", None, why or None)
            for one, why in plan.summary["orders"].items()
        }
        again = set(plan.summary["again"])
    _drain(connections, applied, progress)
    applied.dispatched.raise_if_stopped(System.NETSUITE, "POST /record/v1/customerDeposit")
    # What another run had left is looked at as a whole, for nobody remembers why it was staged.
    again |= applied.touched - stands.keys()
    stands |= _follow_up(connections, again, applied, progress)
    applied.read_back = read_back(connections)
    _close(connections, stands, applied)
    return applied


def _stage(connections: Connections, plan: Plan, applied: Applied) -> None:
    """The plan's operations, all or nothing."""
    state, policy = connections.state, connections.cash_policy

    def too_large(line: PlanLine) -> str | None:
        return policy.too_large(line.amount) if line.amount is not None else None

    staged = state.plans.stage(plan, held=too_large)
    applied.held += len(staged.held)


def _drain(connections: Connections, applied: Applied, progress: Callable[[str], None]) -> None:
    before, applied.touched = applied.touched, set()
    applied.dispatched = dispatch(
        connections,
        FLOW,
        senders(connections),
        budget_seconds=BUDGET_SECONDS,
        on_settled=lambda settled, conn: _settle(connections, applied, settled, conn),
        progress=progress,
    )
    # Once, and not in each of its turns; where the process dies before, the next look at the order does it.
    taken = [f"order:{one}" for one in sorted(applied.touched - applied.refused.keys())]
    connections.state.exceptions.heal_codes(FLOW, _HEALED, taken)
    applied.touched |= before


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
    state, policy = connections.state, connections.cash_policy
    stands: dict[int, CashDecision] = {}
    open_ = orders - applied.refused.keys()
    for _ in range(ROUNDS):
        if not open_:
            break
        due = list(state.cash.many(open_).values())
        fates, learnt = judge(connections, due)
        remember(connections, fates, learnt)
        stands.update({fate.order_id: decision_of(fate) for fate in fates})
        steps = [step for fate in fates for step in fate.steps]
        going = {op.natural_key for op in state.outbox.find(flow=FLOW)}
        fresh = [step for step in steps if step.key not in going]
        if not fresh:
            break
        _stage_steps(connections, fresh, applied, policy.too_large)
        _drain(connections, applied, progress)
        applied.dispatched.raise_if_stopped(System.NETSUITE, "POST /record/v1/depositApplication")
        # What only settles leaves nothing that could be settled after it.
        open_ = {step.order_id for step in fresh if step.kind in _MAKES_ROOM} - applied.refused.keys()
    return stands


def _stage_steps(
    connections: Connections,
    steps: Sequence[Step],
    applied: Applied,
    too_large: Callable[[Money], str | None],
) -> None:
    by_reason: dict[str | None, list[Intent]] = {}
    for step in steps:
        reason = too_large(step.amount) if step.amount is not None else None
        amount = step.amount
        by_reason.setdefault(reason, []).append(
            Intent(
                step.kind,
                step.key,
                payload_of(step),
                group_key=f"cash:{step.order_id}",
                amount_minor=None if amount is None else amount.minor,
                currency=None if amount is None else amount.currency,
            )
        )
    with connections.state.scope.transaction() as conn:
        for reason, intents in by_reason.items():
            staged = connections.state.outbox.stage(FLOW, intents, held=reason, conn=conn)
            applied.held += len(staged) if reason else 0


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
