"""What a plan makes of one order, and what that means for its row and for people.

Put the shape here, and how it is written down once the plan may be applied. Do not decide here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bcns_pipeline.clients.netsuite.models import SalesRow
from bcns_pipeline.defs.orders.evidence import Basis
from bcns_pipeline.defs.orders.overtaken import give_way
from bcns_pipeline.defs.orders.run import FLOW, question
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.draft import Draft
from bcns_pipeline.rules.orders.edits import Patch
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.inbox import Event
from bcns_pipeline.state.order_models import Decision, Disposition, OrderState, ReadBack

# What a person has to mend is looked at again this often; what appears by itself is found as soon.
RETRY_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Fate:
    """What the plan makes of one order. `disposition` None: its row stays as it is.

    `outcome`: planned | linked | held | ignored | listed | waiting | edited | unchanged. `refunded`: money may
    have gone back already, which this flow does not book. `basis`: what the patch was made from. `resumed`: it was over
    and is open again, so somebody has to see whether NetSuite's record is.
    """

    state: OrderState
    disposition: Disposition | None
    outcome: str
    code: str | None = None
    reason: str | None = None
    problems: tuple[Problem, ...] = ()
    draft: Draft | None = field(default=None, repr=False)
    there: SalesRow | None = field(default=None, repr=False)
    patch: Patch | None = field(default=None, repr=False)
    basis: Basis | None = field(default=None, repr=False)
    refunded: bool = False
    resumed: bool = False


def waiting(state: OrderState, problems: Sequence[Problem]) -> Fate:
    """Something stands in the way: the order waits, and is looked at again by itself."""
    sentence = " ".join(one.sentence for one in problems)
    return Fate(state, "waiting", "waiting", problems[0].code, sentence, tuple(problems))


def why(draft: Draft) -> str:
    """For the plan's table: which identity closed, where the tax came from, what a rounding line closes."""
    residual = f", {draft.expected.residual} to the rounding line" if draft.expected.residual else ""
    return f"{draft.sources['identity']} closes, tax by {draft.sources['tax_source']}{residual}"


def remember(connections: Connections, fates: Sequence[Fate]) -> None:
    """Write down what was decided, open the exceptions of orders that wait, and heal those of orders that go."""
    state, now = connections.state, datetime.now(UTC)
    decisions = [
        Decision(
            one.state.order_id,
            one.disposition,
            one.code,
            one.reason,
            now + RETRY_AFTER if one.disposition == "waiting" else None,
        )
        for one in fates
        # What is planned or linked is written by apply, together with its operation or its NetSuite id: a plan
        # that is never applied must leave the order due.
        if one.disposition is not None and one.outcome not in ("planned", "linked")
    ]
    questions = [_question(one, problem) for one in fates for problem in one.problems]
    questions += _refunds(connections, [one for one in fates if one.refunded])
    asked = {(one.code, one.subject) for one in questions}
    looked_at = {f"order:{one.state.order_id}" for one in fates}
    # A person was asked to approve an earlier version; this one is not to be posted, or not as it stands.
    stopped = [one.state.order_id for one in fates if one.outcome in ("held", "ignored", "waiting")]
    given_up = {f"order:{one.state.order_id}" for one in fates if one.outcome in _NOT_SENT}
    with state.scope.transaction() as conn:
        give_way(state, stopped, conn=conn)
        state.orders.decide(decisions, conn=conn)
        unchanged = [one for one in fates if one.outcome == "unchanged"]
        state.orders.absorbed([one.state.order_id for one in unchanged], conn=conn)
        state.orders.read_back(_seen(unchanged), conn=conn)
        # Looked at by the fulfilment flow like any sales order that was stopped over there.
        resumed = [
            Event("sales_order", one.state.netsuite_id or "", "replay") for one in fates if one.resumed
        ]
        state.inbox.record(resumed, conn=conn)
        state.exceptions.open_many(FLOW, questions, conn=conn)
        gone: dict[str, list[str]] = {}
        for row in state.exceptions.find(flow=FLOW, conn=conn):
            answered = row.code in _OF_PLANS or (row.code in _OF_APPLY and row.subject in given_up)
            if row.subject in looked_at and (row.code, row.subject) not in asked and answered:
                gone.setdefault(row.code, []).append(row.subject)
        for code, subjects in gone.items():
            state.exceptions.heal(FLOW, code, subjects, conn=conn)


def _seen(fates: Sequence[Fate]) -> list[ReadBack]:
    """What NetSuite was just seen to have of these, where somebody may have brought it about by hand.

    A record that is still to be read back is left to that: only there is it compared with what was written.
    """
    return [
        ReadBack(one.state.order_id, Money.of(one.basis.shown.total, one.state.total.currency))
        for one in fates
        if one.basis is not None and one.state.read_back_at is not None
    ]


def table_row(fate: Fate) -> dict[str, Any]:
    """One order for people: no personal data."""
    one, draft = fate.state, fate.draft
    return {
        "order": one.order_id,
        "outcome": fate.outcome,
        "total": str(one.total.amount),
        "currency": one.total.currency,
        "tax": str(draft.expected.charged_tax) if draft else "",
        "code": fate.code or "",
        "why": fate.reason or "",
    }


# Nothing is written of these, so what NetSuite said to an earlier write is nobody's question any more.
_NOT_SENT = ("held", "ignored", "listed")
_OF_APPLY = frozenset({"ORDER_REFUSED", "PERIOD_CLOSED", "CUSTOMER_REFUSED"})
# Raised by a plan, so a plan that does not raise them any more heals them. The others are apply's and the read-back's.
_OF_PLANS = CATALOGUE.keys() - {
    *_OF_APPLY,
    # A refund stays one, whatever else stands in the order's way.
    *("ORDER_TOTAL_DRIFT", "MISSING_ORDER", "ORDER_STOPPED_IN_NETSUITE", "REFUND_PENDING"),
}


def about_order(order_id: int, problem: Problem) -> str:
    """What a person is told."""
    return f"Order {order_id}: {problem.sentence}"


def _question(fate: Fate, problem: Problem) -> Question:
    order_id = fate.state.order_id
    amount = fate.state.total if problem.amount is None else problem.amount
    return question(problem.code, order_id, about_order(order_id, problem), amount, fact=problem.fact)


def _refunds(connections: Connections, fates: Sequence[Fate]) -> list[Question]:
    """Refunds of orders that are posted at their charged total, with what went back and the refund flow has not booked
    yet; one call for all of them."""
    if not fates:
        return []
    rows = connections.bigcommerce(Lane.BULK).orders.refunds(order_ids=[one.state.order_id for one in fates])
    booked = connections.state.refunds.booked([int(row["id"]) for row in rows])
    by_order: dict[int, Any] = {}
    for row in rows:
        waits = 0 if int(row["id"]) in booked else row["total_amount"]
        by_order[int(row["order_id"])] = by_order.get(int(row["order_id"]), 0) + waits
    found = []
    for one in fates:
        order_id, currency = one.state.order_id, one.state.total.currency
        if by_order.get(order_id) == 0:
            continue
        amount = Money.of(by_order.get(order_id, 0), currency)
        said = (
            f"Order {order_id} is posted at {one.state.total}; {amount} of it went back and is not booked yet."
            if amount
            else f"Order {order_id} is posted at {one.state.total}; it is marked as refunded, and BigCommerce "
            "lists no refund."
        )
        found.append(question("REFUND_PENDING", order_id, said, amount))
    return found
