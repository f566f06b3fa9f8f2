"""Plan: what would be written for each order whose money is due, and what the others wait for.

Put here how the rules' answers become plan lines, decisions and exceptions. Do not put a rule here (rules/cash), nor a
read of NetSuite (facts.py). In mode plan nothing is remembered but the plan itself.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from bcns_pipeline.defs.accounting import LookedAt
from bcns_pipeline.defs.cash.facts import Learnt, Subject, learn, periods_of
from bcns_pipeline.defs.cash.money import of_the_marketplace
from bcns_pipeline.defs.cash.run import FLOW, READING, piece
from bcns_pipeline.defs.days import WHOLE_RANGE, Days
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.cash.model import Position, Step
from bcns_pipeline.rules.cash.steps import decide
from bcns_pipeline.rules.orders.policy import SALES_ORDER
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.state.cash_models import CashOrder
from bcns_pipeline.state.plan_lines import PlanLine
from bcns_pipeline.state.plans import Plan

# What can become of an order that is looked at; together they are all of them.
ACCOUNTED = ("planned", "settled", "waiting", "skipped")
NO_MARKETPLACE = "MARKETPLACE"
SUMMARY = "SUMMARY"


@dataclass(frozen=True, slots=True)
class Fate:
    """What the plan makes of one order: planned | settled | waiting | skipped. `why` is for people."""

    order_id: int
    outcome: str
    why: str = ""
    code: str | None = None
    steps: tuple[Step, ...] = ()
    problems: tuple[Problem, ...] = ()
    subject: Subject | None = field(default=None, repr=False)
    # An invoice is there, or about to be: what is written now can be settled with it.
    again: bool = False


@dataclass(slots=True)
class Planned(LookedAt):
    """A plan, and the fate of every order that was looked at. `learnt` is what NetSuite showed on the way."""

    what: ClassVar = "cash"
    plan: Plan
    fates: list[Fate]
    learnt: Learnt = field(repr=False)

    @property
    def steps(self) -> list[Step]:
        """Everything that would be written."""
        return [step for fate in self.fates for step in fate.steps]

    @property
    def sentence(self) -> str:
        """What was looked at, and what is to be written."""
        kinds = Counter(one.kind for one in self.steps)
        steps = ", ".join(f"{count:,} {kind}s" for kind, count in sorted(kinds.items()))
        return f"{self.identity}; {steps or 'nothing'} to write"


def make_plan(connections: Connections, *, mode: Mode, days: Days | None = None) -> Planned:
    """Look at every order whose money is due, and write the plan. Raises OutsideError."""
    with connections.planner.exclusive(READING):
        due = _due(connections, mode, days)
    return plan_for(connections, due, mode=mode)


def plan_for(
    connections: Connections, due: Sequence[CashOrder], *, mode: Mode, beside: bool = False
) -> Planned:
    """The plan for these orders. `beside`: made while the run's own one was being sent. Raises OutsideError."""
    state = connections.state
    fates, learnt = judge(connections, due)
    plan = state.plans.create(
        FLOW,
        mode=mode.value,
        as_of=datetime.now(UTC),
        config_digest=connections.mapping.digest,
        summary={
            "looked_at": len(due),
            **({"beside": True} if beside else {}),
            "outcomes": dict(Counter(fate.outcome for fate in fates)),
            "steps": dict(Counter(step.kind for fate in fates for step in fate.steps)),
            # What each order waits for once this is written, and those that are looked at again first.
            "orders": {str(fate.order_id): fate.why for fate in fates if fate.steps},
            "again": [fate.order_id for fate in fates if fate.steps and fate.again],
        },
    )
    lines = [_line(step) for fate in fates for step in fate.steps]
    return Planned(state.plans.write_lines(plan, lines), fates, learnt)


def _due(connections: Connections, mode: Mode, days: Days | None) -> list[CashOrder]:
    """What is due and in no other run's hands; a plan that is to be applied takes it into this run's."""
    cash, now = connections.state.cash, datetime.now(UTC)
    if mode is Mode.PLAN:
        return cash.due(now, connections.mapping.cash.batch if days is None else WHOLE_RANGE, days=days)
    most = piece(connections) if days is None else WHOLE_RANGE
    return cash.take_due(connections.planner, now, most, days=days)


def judge(connections: Connections, due: Sequence[CashOrder]) -> tuple[list[Fate], Learnt]:
    """The fate of each order, by id; nothing is written. Raises OutsideError."""
    learnt = learn(
        connections, [one for one in due if one.order_id not in _skipped_channels(connections, due)]
    )
    fates = [
        Fate(one, "skipped", "Its channel is posted by payouts, in sums.", SUMMARY)
        for one in _skipped_channels(connections, due)
    ]
    fates += [_of_problem(number, problem) for number, problem in learnt.problems.items()]
    periods = periods_of(connections) if learnt.positions else []
    policy = connections.cash_policy
    for number, position in learnt.positions.items():
        one = learnt.subjects[number]
        if not position.captures and of_the_marketplace(connections, one.order):
            fates.append(Fate(number, "skipped", "A marketplace has its money.", NO_MARKETPLACE, subject=one))
            continue
        found = decide(position, policy, periods)
        problems = [*one.money.problems, *found.problems]
        if one.mismatch is not None:
            problems.append(one.mismatch)
        problems += _cash_sale_problems(connections, learnt, number, position)
        why = " ".join(dict.fromkeys([*(problem.sentence for problem in problems), found.waits]))
        stops = [problem for problem in problems if problem.code != "PAYMENT_MISMATCH"]
        outcome = "planned" if found.steps else "waiting" if stops else "settled"
        code = problems[0].code if problems else None
        again = bool(position.invoices) or any(step.kind == "invoice" for step in found.steps)
        fates.append(
            Fate(number, outcome, why.strip(), code, found.steps, tuple(problems), one, again or bool(stops))
        )
    return sorted(fates, key=lambda fate: fate.order_id), learnt


def _skipped_channels(connections: Connections, due: Iterable[CashOrder]) -> set[int]:
    """Orders whose revenue payouts post, or have posted while their channel was one of those: a receipt of ours would
    count it twice.
    """
    channels, numbers = connections.cash_policy.summary_channels, [one.order_id for one in due]
    posted = connections.state.payouts.summarised(numbers)
    if not channels:
        return posted
    states = connections.state.orders.many(numbers)
    return posted | {number for number, one in states.items() if one.channel_id in channels}


def _of_problem(number: int, problem: Problem) -> Fate:
    if problem.code == "ERASED":
        return Fate(number, "skipped", problem.sentence, problem.code)
    return Fate(number, "waiting", problem.sentence, problem.code, problems=(problem,))


def _cash_sale_problems(
    connections: Connections, learnt: Learnt, number: int, position: Position
) -> list[Problem]:
    if position.record == SALES_ORDER or not position.captures:
        return []
    wanted = connections.cash_policy.cash_sale_accounts.get(position.channel_id)
    sale = next((row for row in learnt.rows.get(number, ()) if row.type == "CashSale"), None)
    if sale is None or wanted is None or sale.account in (None, wanted):
        return []
    return [
        Problem(
            "CASH_SALE_ACCOUNT",
            f"Cash sale {sale.tran_id or sale.id} has its money in account {sale.account}, not in {wanted}.",
        )
    ]


def _line(step: Step) -> PlanLine:
    return PlanLine(
        "create",
        step.kind,
        step.key,
        payload_of(step),
        step.reason,
        f"order:{step.order_id}",
        group_key=f"cash:{step.order_id}",
        amount=step.amount,
    )


def payload_of(step: Step) -> dict[str, Any]:
    """What an operation carries: no personal data, so it is not sealed."""
    return {
        "order_id": step.order_id,
        "transaction_id": step.transaction_id,
        "path": step.path,
        "body": dict(step.body),
        "day": step.on.isoformat(),
        "account": step.account,
        "applies": [[invoice, amount.minor] for invoice, amount in step.applies],
        "amount": None if step.amount is None else [step.amount.minor, step.amount.currency],
        "currency": step.currency,
    }


def plan_of(connections: Connections, run_id: str) -> Plan | None:
    """The plan that this run's own step made, or None: a step that runs alone sends what earlier runs left.

    One that was made beside was staged when it was made, or never is: its orders are due to others since.
    """
    plans = [one for one in connections.state.plans.of_run(run_id, FLOW) if not one.summary.get("beside")]
    return plans[-1] if plans else None
