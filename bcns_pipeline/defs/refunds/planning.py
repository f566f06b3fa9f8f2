"""Plan: what each refund that is due becomes in NetSuite, and why those that wait, wait.

Put here which refunds are due, and how the rules' answers become plan lines. Do not put a rule here (rules/refunds),
nor a read (facts.py). What is there already is looked up by key, so a plan asks only for what is missing: a run that
died half-way, or a state that was lost, is simply planned again. In mode plan nothing is remembered but the plan.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from bcns_pipeline.defs.account import account_of
from bcns_pipeline.defs.accounting import LookedAt
from bcns_pipeline.defs.days import WHOLE_RANGE, Days
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.defs.refunds.declines import declined, provider_has
from bcns_pipeline.defs.refunds.facts import Learnt, OrderSide, learn, periods_of
from bcns_pipeline.defs.refunds.fates import Fate, waiting
from bcns_pipeline.defs.refunds.lines import expected_keys, plan_lines
from bcns_pipeline.defs.refunds.run import FLOW, policy_of, subject_of_refund
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.natural_keys import refund_key, refund_payment_key, refund_release_key
from bcns_pipeline.rules.orders.gate import is_marketplace
from bcns_pipeline.rules.orders.policy import Channel
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.sales_order import prices_include_tax
from bcns_pipeline.rules.orders.totals import Totals, add_up
from bcns_pipeline.rules.periods import next_open_day
from bcns_pipeline.rules.refunds.case import Begun, Case
from bcns_pipeline.rules.refunds.limits import payments_add_up, within_captured
from bcns_pipeline.rules.refunds.model import Refund
from bcns_pipeline.rules.refunds.plan import plan_refund
from bcns_pipeline.rules.refunds.policy import RefundPolicy
from bcns_pipeline.rules.refunds.records import RefundPlan
from bcns_pipeline.rules.refunds.router import Settlement, route
from bcns_pipeline.rules.refunds.shares import Share, share_out
from bcns_pipeline.rules.refunds.tax import order_tax
from bcns_pipeline.state.plan_lines import PlanLine
from bcns_pipeline.state.plans import Plan
from bcns_pipeline.state.refund_models import RefundState


@dataclass(slots=True)
class Planned(LookedAt):
    """A plan, and the fate of every refund that was looked at."""

    what: ClassVar = "refunds"
    plan: Plan
    fates: list[Fate]
    lines: list[PlanLine] = field(repr=False)


def make_plan(connections: Connections, *, mode: Mode, days: Days | None = None) -> Planned:
    """Look at every refund that is due, and write the plan. Raises OutsideError where a system can't be read."""
    due = _due(connections, days)
    fates = _decide(connections, due) if due else []
    lines = [line for fate in fates for line in plan_lines(fate)]
    plan = connections.state.plans.create(
        FLOW,
        mode=mode.value,
        as_of=datetime.now(UTC),
        config_digest=connections.mapping.digest,
        summary={
            "looked_at": len(due),
            "outcomes": dict(Counter(fate.outcome for fate in fates)),
            "refunds": [one.state.refund_id for one in fates],
            "routes": {
                str(one.state.refund_id): [one.plan.route, *expected_keys(one.plan, cut=one.cut)]
                for one in fates
                if one.plan
            },
        },
    )
    plan = connections.state.plans.write_lines(plan, lines)
    return Planned(plan, fates, lines)


def _due(connections: Connections, days: Days | None) -> list[RefundState]:
    """Refunds that nobody decided, whose time has come, that somebody asks for, or that were given up on the way."""
    state, now = connections.state, datetime.now(UTC)
    most = connections.mapping.cash.refunds.batch if days is None else WHOLE_RANGE
    found = [
        *state.refunds.find(disposition="open", days=days, limit=most),
        *state.refunds.find(disposition="waiting", days=days, due_before=now, limit=most),
    ]
    asked = [
        int(one.subject.partition(":")[2])
        for one in state.exceptions.find(flow=FLOW)
        if one.retry_requested_at is not None and one.subject.startswith("refund:")
    ]
    found += [one for one in state.refunds.many(asked).values() if one.disposition in ("waiting", "declined")]
    open_groups = {one.group_key for one in state.outbox.find(flow=FLOW)}
    found += [
        one
        for one in state.refunds.find(disposition="planned", days=days, limit=most)
        if subject_of_refund(one.refund_id) not in open_groups
    ]
    # What is on its way is not planned again, whatever else is said of it.
    due = {one.refund_id: one for one in found if subject_of_refund(one.refund_id) not in open_groups}
    return [due[one] for one in sorted(due)]


def _decide(connections: Connections, due: Sequence[RefundState]) -> list[Fate]:
    learnt, summary = learn(connections, due), _summary(connections, due)
    shares: dict[int, dict[int, tuple[Share, ...] | Problem]] = {}
    fates = []
    for one in due:
        refund, side = learnt.refunds.get(one.refund_id), learnt.sides.get(one.order_id)
        if refund is None:
            fates.append(Fate(one, "ignored", reason="Its shopper was erased."))
        elif one.order_id in summary:
            fates.append(Fate(one, "ignored", reason="A payout posts it (payouts.summary_channels)."))
        elif side is None or side.state.netsuite_id is None:
            fates.append(waiting(one, _no_order(one, side, learnt)))
        elif side.books is None:
            said = f"NetSuite does not show {side.state.record_type} {side.state.netsuite_id} any more."
            fates.append(waiting(one, Problem("REFUND_BEFORE_ORDER", said)))
        elif refund.declined:
            fates.append(declined(connections, one, refund, side, learnt))
        else:
            if one.order_id not in shares:
                shares[one.order_id] = _shares(connections, side)
            fates.append(_fate(connections, one, refund, side, learnt, shares[one.order_id]))
    return fates


def _summary(connections: Connections, due: Sequence[RefundState]) -> set[int]:
    """Orders whose revenue payouts post: a credit memo of ours would take back what was never billed."""
    channels, numbers = connections.payout_policy.summary_channels, [one.order_id for one in due]
    posted = connections.state.payouts.summarised(numbers)
    orders = connections.state.orders.many(numbers) if channels else {}
    return posted | {number for number, one in orders.items() if one.channel_id in channels}


def _no_order(one: RefundState, side: OrderSide | None, learnt: Learnt) -> Problem:
    if one.order_id in learnt.unread:
        said = f"Order {one.order_id} can't be read: {learnt.unread[one.order_id]}"
    elif side is None:
        said = f"Order {one.order_id} has not been read yet."
    else:
        why = f" ({side.state.code})" if side.state.code else ""
        said = f"Order {one.order_id} is not in NetSuite yet: it is {side.state.disposition}{why}."
    return Problem("REFUND_BEFORE_ORDER", said, f"order:{one.order_id}")


def _shares(connections: Connections, side: OrderSide) -> dict[int, tuple[Share, ...] | Problem]:
    policy, order = connections.order_policy, side.order
    channel = policy.channel(order.channel_id) or Channel(order.channel_id)
    totals = add_up(
        order,
        inclusive=prices_include_tax(order, channel),
        tax_source=policy.tax.source,
        max_residual=policy.max_rounding_lines,
    )
    if not isinstance(totals, Totals):
        problem = Problem("REFUND_DOES_NOT_ADD", f"Its order does not add up: {totals.sentence}")
        return {one.id: problem for one in side.refunds}
    return share_out(order, totals.parts, side.refunds, policy.max_rounding_lines)


def _fate(
    connections: Connections,
    one: RefundState,
    refund: Refund,
    side: OrderSide,
    learnt: Learnt,
    shares: Mapping[int, tuple[Share, ...] | Problem],
) -> Fate:
    policy = policy_of(connections)
    own = shares[refund.id]
    charged = Money.of(side.order.charged.inc, side.order.currency)
    problem = payments_add_up(refund) or within_captured(refund, side.refunds, charged, side.tenders)
    if problem is None and isinstance(own, Problem):
        problem = own
    if problem is not None:
        return waiting(one, problem)
    on = _posting_day(connections, refund, side)
    settlements = _settlements(connections, refund, side, policy, on)
    if isinstance(settlements, Problem):
        return waiting(one, settlements)
    assert isinstance(own, tuple)
    case = _case(connections, refund, side, own, shares, settlements, on, learnt)
    plan = plan_refund(case, connections.order_policy, policy)
    if isinstance(plan, list):
        return waiting(one, *plan)
    there = {
        record.key: str(learnt.there[record.key].id) for record in plan.records if record.key in learnt.there
    }
    missing = tuple(record for record in plan.records if record.key not in there)
    cut = _still_to_cut(plan, side)
    if missing or cut:
        return Fate(one, "planned", reason=_why(plan), plan=plan, records=missing, there=there, cut=cut)
    if plan.later:
        return _waits_for_provider(one, plan, refund, policy)
    return Fate(one, "linked", reason="NetSuite has all of it under our keys.", plan=plan, there=there)


def _case(
    connections: Connections,
    refund: Refund,
    side: OrderSide,
    own: tuple[Share, ...],
    shares: Mapping[int, tuple[Share, ...] | Problem],
    settlements: tuple[Settlement, ...],
    on: date,
    learnt: Learnt,
) -> Case:
    state, policy = connections.state, connections.order_policy
    before = [some for some in side.refunds if some.id < refund.id and not some.void]
    earlier = tuple(some for some in (shares[each.id] for each in before) if isinstance(some, tuple))
    back = total([some.paid for some in (*before, refund)], refund.currency)
    routes = {
        some.refund_id: some.route for some in state.refunds.of_orders([refund.order_id])[refund.order_id]
    }
    account = account_of(connections)
    assert side.books is not None
    return Case(
        store=state.store,
        refund=refund,
        shares=own,
        earlier=earlier,
        whole=back == Money.of(side.order.charged.inc, side.order.currency),
        credited_before=any((routes.get(some.id) or "deposit") != "deposit" for some in before),
        settlements=settlements,
        books=side.books,
        tax=order_tax(side.written, side.expected, account, policy),
        account=account,
        channel=policy.channel(side.order.channel_id) or Channel(side.order.channel_id),
        on=on,
        begun={
            key: Begun(learnt.there[key].record_type, Money.of(learnt.there[key].total, refund.currency))
            for key in _own_keys(state.store, refund)
            if key in learnt.there
        },
        taken_over=side.state.disposition == "adopted",
        seen=provider_has(connections, refund.order_id, settlements, side.tenders),
    )


def _own_keys(store: str, refund: Refund) -> list[str]:
    pays = [refund_payment_key(store, refund.id, n) for n in range(1, len(refund.payments) + 1)]
    return [refund_key(store, refund.id), refund_release_key(store, refund.id), *pays]


def _settlements(
    connections: Connections, refund: Refund, side: OrderSide, policy: RefundPolicy, on: date
) -> tuple[Settlement, ...] | Problem:
    """One per payment. Where captures are booked, refunds are: the mapping of gateways is that of cash."""
    mapping, order = connections.mapping, side.order
    cash = mapping.cash.policy(mapping.payouts, mapping.channels)
    channel = connections.order_policy.channel(order.channel_id)
    source = policy.marketplace or order.order_source or order.external_source
    market = source if is_marketplace(order, channel, connections.order_policy) else None

    def clearing(gateway: str, currency: str) -> int | None:
        found = cash.marketplace(gateway, currency, on) if market is not None else None
        found = found or cash.destination(gateway, currency, on)
        return None if found is None else found.account

    return route(refund, side.tenders, policy, clearing, marketplace=market)


def _posting_day(connections: Connections, refund: Refund, side: OrderSide) -> date:
    """The day on which the refund was made, in the subsidiary's zone; the next open one where its period is closed."""
    policy = connections.order_policy
    day = refund.created_at.astimezone(policy.zone(policy.channel(side.order.channel_id))).date()
    if connections.mapping.cash.closed_period != "next_open":
        return day
    periods = periods_of(connections, day, max(day, datetime.now(UTC).date()) + timedelta(days=62))
    return (next_open_day(day, periods) or day) if periods else day


def _still_to_cut(plan: RefundPlan, side: OrderSide) -> bool:
    assert side.books is not None
    lines = {line.line: line for line in (*side.books.lines.values(), *side.books.rest)}
    return plan.cut is not None and not plan.cut.done(lines)


def _waits_for_provider(one: RefundState, plan: RefundPlan, refund: Refund, policy: RefundPolicy) -> Fate:
    """The credit is there and its money is not: a question only once the provider had its days."""
    due = refund.created_at + timedelta(days=policy.match_days)
    amount = total([some.amount for some in plan.later], refund.currency)
    names = ", ".join(sorted({some.provider for some in plan.later}))
    said = f"{amount} was given back outside the gateway, and {names} has not shown it."
    return waiting(one, Problem("REFUND_NO_PSP", said), asks=datetime.now(UTC) >= due)


def _why(plan: RefundPlan) -> str:
    what = {
        "credit_memo": "credit memo",
        "cash_refund": "cash refund",
        "deposit": "paid back out of the deposit",
        "deposit_and_credit": "in part out of the deposit, the rest credit memo",
    }
    ways = Counter(record.way.replace("_", " ") for record in plan.records if record.n)
    said = ", ".join(f"{count} {way}" for way, count in sorted(ways.items()))
    return f"{what[plan.route]}; settled by {said or 'nothing yet'}"


def plan_of(connections: Connections, run_id: str) -> Plan | None:
    """The plan that this run made, or None: a step that runs alone sends what earlier runs left."""
    plans = connections.state.plans.of_run(run_id, FLOW)
    return plans[-1] if plans else None
