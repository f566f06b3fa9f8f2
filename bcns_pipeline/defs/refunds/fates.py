"""What a plan makes of one refund, and what that means for its row and for people.

Put the shape here, and how it is written down once the plan may be applied. Do not decide here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bcns_pipeline.defs.refunds.run import FLOW, question, subject_of_refund
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.kinds.refunds import KINDS
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.refunds.records import RefundPlan, RefundRecord
from bcns_pipeline.state.refund_models import Disposition, RefundDecision, RefundState

# What a person has to mend is looked at again this often; what appears by itself is found as soon.
RETRY_AFTER = timedelta(minutes=5)
# A provider shows a refund with its next payout, and nothing of the refund's own figures mends itself.
RETRY_RARELY = timedelta(hours=1)
_RARELY = frozenset({"REFUND_NO_PSP", "REFUND_EXCEEDS_CAPTURE", "REFUND_DOES_NOT_ADD", "REFUND_NOT_BILLED"})
# Opened by apply and the read-back, and closed by them; take.py looks after what can't be read or is not there.
_OF_OTHERS = frozenset({"REFUND_REFUSED", "REFUND_DRIFT", "REFUND_UNREADABLE", "REFUND_WITHOUT_RECORD"})
OF_PLANS = frozenset(kind.code for kind in KINDS) - _OF_OTHERS


@dataclass(frozen=True, slots=True)
class Fate:
    """What the plan makes of one refund. `outcome`: planned | linked | waiting | declined | ignored | reversing.

    `records` are those that are not there yet; `plan` has all. `cut`: the order is still to be cut.
    `reversal` takes a posted refund back.
    """

    state: RefundState
    outcome: str
    problems: tuple[Problem, ...] = ()
    reason: str = ""
    plan: RefundPlan | None = field(default=None, repr=False)
    records: tuple[RefundRecord, ...] = field(default=(), repr=False)
    there: dict[str, str] = field(default_factory=dict, repr=False)
    cut: bool = False
    reversal: RefundRecord | None = field(default=None, repr=False)
    asks: bool = True

    @property
    def code(self) -> str:
        """The first thing in its way, "" for none."""
        return self.problems[0].code if self.problems else ""


def waiting(state: RefundState, *problems: Problem, asks: bool = True) -> Fate:
    """Something stands in the way: the refund waits, and is looked at again by itself."""
    return Fate(state, "waiting", problems, " ".join(one.sentence for one in problems), asks=asks)


_DISPOSITIONS: dict[str, Disposition] = {"waiting": "waiting", "declined": "declined", "ignored": "ignored"}


def remember(connections: Connections, fates: Sequence[Fate]) -> None:
    """Write down what was decided, open the exceptions of refunds that wait, and heal those of refunds that go."""
    state, now = connections.state, datetime.now(UTC)
    decisions = [
        RefundDecision(
            one.state.refund_id,
            _DISPOSITIONS[one.outcome],
            one.code or None,
            one.reason or None,
            now + (RETRY_RARELY if one.code in _RARELY else RETRY_AFTER)
            if one.outcome == "waiting"
            else None,
        )
        for one in fates
        # What is planned or linked is written by apply, together with its operations.
        if one.outcome in _DISPOSITIONS
    ]
    questions = [
        question(
            problem.code,
            one.state.refund_id,
            f"Refund {one.state.refund_id} of order {one.state.order_id}: {problem.sentence}",
            one.state.total,
            order=one.state.order_id,
            fact=problem.fact,
        )
        for one in fates
        if one.asks
        for problem in one.problems
    ]
    asked = {(one.code, one.subject) for one in questions}
    looked_at = [subject_of_refund(one.state.refund_id) for one in fates]
    with state.scope.transaction() as conn:
        state.refunds.decide(decisions, conn=conn)
        state.exceptions.open_many(FLOW, questions, conn=conn)
        # What a person asked for is done by this.
        state.exceptions.take_retries(FLOW, conn=conn)
        for code in sorted(OF_PLANS):
            answered = [one for one in looked_at if (code, one) not in asked]
            state.exceptions.heal(FLOW, code, answered, conn=conn)


def table_row(fate: Fate) -> dict[str, Any]:
    """One refund for people: no personal data."""
    one = fate.state
    return {
        "refund": one.refund_id,
        "order": one.order_id,
        "outcome": fate.outcome,
        "total": str(one.total.amount),
        "currency": one.total.currency,
        "as": fate.plan.route if fate.plan else "",
        "code": fate.code,
        "why": fate.reason,
    }
