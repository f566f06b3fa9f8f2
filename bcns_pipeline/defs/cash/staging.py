"""What goes into the outbox: the operations of a plan, and what follows once they are written.

Put here what is staged, and on what grounds. Do not put here when (apply.py, beside.py) nor how it is sent (apply.py).
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from bcns_pipeline.defs.cash.fates import decision_of, remember
from bcns_pipeline.defs.cash.planning import judge, payload_of
from bcns_pipeline.defs.cash.run import FLOW
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.cash.model import Step
from bcns_pipeline.state.cash_models import CashDecision
from bcns_pipeline.state.operations import Intent
from bcns_pipeline.state.plan_lines import PlanLine
from bcns_pipeline.state.plans import Plan, Staged

# Kinds of records after which more may be settled.
MAKES_ROOM = frozenset({"deposit", "payment", "invoice"})


@dataclass(slots=True)
class Followed:
    """Where orders stand that were looked at again, what was staged of them, and how much of it waits for approval."""

    stands: dict[int, CashDecision] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    held: int = 0


def stage_plan(connections: Connections, plan: Plan) -> Staged:
    """The plan's operations, all or nothing."""
    policy = connections.cash_policy

    def too_large(line: PlanLine) -> str | None:
        return policy.too_large(line.amount) if line.amount is not None else None

    return connections.state.plans.stage(plan, held=too_large)


def stands_of(plan: Plan) -> dict[int, CashDecision]:
    """Where the orders of a plan stand once all of it is written."""
    return {
        int(one): CashDecision(int(one), "settled", None, why or None)
        for one, why in plan.summary["orders"].items()
    }


def follow(connections: Connections, orders: Collection[int]) -> Followed:
    """Ask the same question of these orders again, and stage what is not on its way yet. Raises OutsideError."""
    state, found = connections.state, Followed()
    fates, learnt = judge(connections, list(state.cash.many(orders).values()))
    remember(connections, fates, learnt)
    found.stands = {fate.order_id: decision_of(fate) for fate in fates}
    steps = [step for fate in fates for step in fate.steps]
    going = {op.natural_key for op in state.outbox.find(flow=FLOW)} if steps else set()
    found.steps = [step for step in steps if step.key not in going]
    by_reason: dict[str | None, list[Intent]] = {}
    for step in found.steps:
        amount = step.amount
        reason = connections.cash_policy.too_large(amount) if amount is not None else None
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
    with state.scope.transaction() as conn:
        for reason, intents in by_reason.items():
            staged = state.outbox.stage(FLOW, intents, held=reason, conn=conn)
            found.held += len(staged) if reason else 0
    return found
