"""Plan: what each order that is due would become in NetSuite, and why those that would not, don't.

Put here which orders are due, and how the rules' answers become plan lines, dispositions and exceptions. Do not put
a rule here (rules/orders), nor a read of NetSuite (facts.py). In mode plan nothing is remembered but the plan itself:
the orders stay as they are, and a plan that nobody applies can never be sent.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

from bcns_pipeline.defs.accounting import LookedAt
from bcns_pipeline.defs.days import WHOLE_RANGE, Days
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.defs.orders.details import read_details
from bcns_pipeline.defs.orders.editing import Version, edit, written_version
from bcns_pipeline.defs.orders.evidence import keep
from bcns_pipeline.defs.orders.facts import Known, learn
from bcns_pipeline.defs.orders.fates import Fate, waiting, why
from bcns_pipeline.defs.orders.lines import (
    charged_in,
    customer_line,
    edit_line,
    link_line,
    new_currency,
    order_line,
)
from bcns_pipeline.defs.orders.run import CUSTOMER, EDIT, FLOW, NOT_ADOPTED, ORDER
from bcns_pipeline.defs.orders.take import Taken
from bcns_pipeline.defs.orders.take import keep as keep_read
from bcns_pipeline.defs.shoppers import LINK
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import PermanentFailure
from bcns_pipeline.rules.customers.identify import Create
from bcns_pipeline.rules.orders.draft import Draft
from bcns_pipeline.rules.orders.gate import Hold, Ignore, List, Post, Verdict, has_refund, judge
from bcns_pipeline.rules.orders.model import Details, Order
from bcns_pipeline.rules.orders.paths import METAFIELDS
from bcns_pipeline.rules.orders.policy import account_faults
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.rules.orders.sales_order import build
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.orders_due import Edits
from bcns_pipeline.state.plan_lines import SENT, PlanLine
from bcns_pipeline.state.plans import Plan
from bcns_pipeline.state.scope import parse


@dataclass(slots=True)
class Planned(LookedAt):
    """A plan, and the fate of every order that was looked at."""

    what: ClassVar = "orders"
    plan: Plan
    fates: list[Fate]
    lines: list[PlanLine] = field(repr=False)


def make_plan(connections: Connections, *, mode: Mode, days: Days | None = None) -> Planned:
    """Look at every order that is due, and write the plan. Raises OutsideError where a system can't be read."""
    state = connections.state
    due = _due(connections, mode, days)
    orders, fates = _read(connections, due)
    if _reread(connections, orders.values()):
        now = state.orders.many([one.order_id for one in due])
        due = [now[one.order_id] for one in due]
        orders, fates = _read(connections, due)
    known, more = _decide(connections, orders, {one.order_id: one for one in due})
    fates += more
    lines: list[PlanLine] = []
    has: Mapping[int, frozenset[int]] = {}
    if known is not None:
        planned = [orders[one.state.order_id] for one in fates if one.outcome == "planned"]
        has = charged_in(connections, known, planned)
        lines = _lines(connections, known, orders, fates, has)
    plan = state.plans.create(
        FLOW,
        mode=mode.value,
        as_of=datetime.now(UTC),
        config_digest=connections.mapping.digest,
        summary={
            "looked_at": len(due),
            "outcomes": dict(Counter(fate.outcome for fate in fates)),
            "orders": _by_outcome(fates),
            "gone": _gone(connections, lines),
        },
    )
    plan = state.plans.write_lines(plan, lines)
    made = [one.payload["order_id"] for one in lines if one.kind in (ORDER, EDIT) and one.action in SENT]
    if known is not None and made and mode is Mode.APPLY:
        read = {one.order_id: one.document_id for one in due if one.document_id is not None}
        edits = {one.state.order_id: one.basis for one in fates if one.basis is not None}
        keep(connections, plan, known, [orders[one] for one in made], read, edits, has)
    return Planned(plan, sorted(fates, key=lambda one: one.state.order_id), lines)


def _by_outcome(fates: Iterable[Fate]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for one in fates:
        found.setdefault(one.outcome, []).append(one.state.order_id)
    return {outcome: sorted(ids) for outcome, ids in found.items()}


def _gone(connections: Connections, lines: Iterable[PlanLine]) -> dict[str, str]:
    """{link: NetSuite customer} of shoppers who are made anew, because what they are linked to is gone there."""
    links = [one.payload["link"] for one in lines if one.kind == CUSTOMER]
    found = connections.state.links.find_many(LINK, links) if links else {}
    return {name: link.netsuite_id for name, link in found.items()}


def _due(connections: Connections, mode: Mode, days: Days | None) -> list[OrderState]:
    """What is due and in no other run's hands; a plan that is to be applied takes it into this run's."""
    orders, now = connections.state.orders, datetime.now(UTC)
    most = connections.mapping.orders.batch if days is None else WHOLE_RANGE
    # A cancelled order must not ship unnoticed, even where later versions are nobody's business.
    policy = connections.order_policy
    edits: Edits = "cancelled" if policy.updates == "off" else "all"
    if mode is Mode.PLAN:
        return orders.due(now, limit=most, days=days, edits=edits, allowed=policy.statuses)
    return orders.take_due(
        connections.planner, now, limit=most, days=days, edits=edits, allowed=policy.statuses
    )


def _read(connections: Connections, due: Sequence[OrderState]) -> tuple[dict[int, Order], list[Fate]]:
    """The orders as they were read, from their documents; erased shoppers' orders can't be planned any more."""
    bodies = connections.state.documents.load_many([one.document_id for one in due if one.document_id])
    orders: dict[int, Order] = {}
    fates: list[Fate] = []
    for one in due:
        body = bodies.get(one.document_id) if one.document_id else None
        if body is None:
            fates.append(Fate(one, "ignored", "ignored", "ERASED", "Its shopper was erased."))
            continue
        try:
            orders[one.order_id] = read_order(parse(body))
        except Unreadable as fault:
            problem = Problem("ORDER_UNREADABLE", str(fault))
            fates.append(waiting(one, [problem]))
    return orders, fates


def _reread(connections: Connections, orders: Iterable[Order]) -> bool:
    """Keep anew what was kept before the mapping file named a metafield; whether there was any. Raises OutsideError."""
    if not connections.order_policy.metafields:
        return False
    without = [one.id for one in orders if METAFIELDS not in one.document]
    found = connections.bigcommerce().orders.get_many(without) if without else {}
    keep_read(connections, list(found.values()), Taken())
    return bool(found)


def _decide(
    connections: Connections, orders: Mapping[int, Order], states: Mapping[int, OrderState]
) -> tuple[Known | None, list[Fate]]:
    policy = connections.order_policy
    details, unreadable = read_details(connections, orders.values())
    fates = [waiting(states[one], [problem]) for one, problem in unreadable.items()]
    orders = {one: order for one, order in orders.items() if one not in unreadable}
    verdicts = {one: judge(order, policy, details[one]) for one, order in orders.items()}
    wanted = [orders[one] for one, verdict in verdicts.items() if isinstance(verdict, (Post, List))]
    posted = [orders[one] for one in orders if states[one].netsuite_id is not None]
    if not wanted and not posted:
        return None, fates + [_of_verdict(states[one], verdict) for one, verdict in verdicts.items()]
    versions = [
        Version(states[one.id], one, details[one.id], *written_version(connections, states[one.id]))
        for one in posted
    ]
    known = learn(
        connections,
        list({order.id: order for order in [*wanted, *posted]}.values()),
        earlier=[one.written for one in versions if one.written is not None],
    )
    faults = account_faults(policy, known.account)
    if faults:
        raise PermanentFailure.of_faults(faults)
    asked = {
        one.subject: one.message for one in connections.state.exceptions.find(flow=FLOW, code=NOT_ADOPTED)
    }
    for one, order in orders.items():
        if states[one].netsuite_id is not None:
            continue
        if isinstance(verdicts[one], Post) and f"order:{one}" in asked and known.existing(order) is None:
            # A record of somebody else's may be this order; a second one would be worse than a late one.
            said = asked[f"order:{one}"].removeprefix(f"Order {one}: ")
            fates.append(waiting(states[one], [Problem(NOT_ADOPTED, said)]))
        elif isinstance(verdicts[one], (Post, List)):
            fates.append(_post(connections, states[one], order, details[one], known, verdicts[one]))
        else:
            fates.append(_of_verdict(states[one], verdicts[one]))
    fates += edit(connections, versions, known)
    return known, fates


def _post(
    connections: Connections,
    state: OrderState,
    order: Order,
    details: Details,
    known: Known,
    verdict: Verdict,
) -> Fate:
    """An order that NetSuite should have: linked where it has it, planned where it can be, else it waits."""
    there = known.existing(order)
    if isinstance(verdict, List):
        if there is None:
            return _of_verdict(state, verdict)
        return Fate(state, "adopted", "linked", reason="NetSuite has it under our key.", there=there)
    facts = known.of(order)
    drafted = (
        [facts] if isinstance(facts, Problem) else build(order, details, facts, connections.order_policy)
    )
    if there is not None:
        # Ours, though we do not remember it: a lost state, or a write whose end was never written down.
        draft = drafted if isinstance(drafted, Draft) else None
        return Fate(
            state,
            "posted",
            "linked",
            reason="NetSuite has it under our key.",
            draft=draft,
            there=there,
            refunded=has_refund(order),
        )
    if isinstance(drafted, list):
        return waiting(state, drafted)
    return Fate(
        state,
        "planned",
        "planned",
        reason=why(drafted),
        problems=drafted.flags,
        draft=drafted,
        refunded=has_refund(order),
    )


def _of_verdict(state: OrderState, verdict: Verdict) -> Fate:
    match verdict:
        case Hold(code, reason):
            return Fate(state, "held", "held", code, reason)
        case Ignore(code, reason):
            return Fate(state, "ignored", "ignored", code, reason)
        case List(code, reason):
            return Fate(state, "listed", "listed", code, reason)
        case Post():
            raise AssertionError("an order to be posted has been looked up")


def _lines(
    connections: Connections,
    known: Known,
    orders: Mapping[int, Order],
    fates: Iterable[Fate],
    has: Mapping[int, frozenset[int]],
) -> list[PlanLine]:
    """Customers before their orders, each customer once; then orders by id."""
    lines: list[PlanLine] = []
    made: set[str] = set()
    for fate in sorted(fates, key=lambda one: one.state.order_id):
        order = orders.get(fate.state.order_id)
        if order is None:
            continue
        if fate.there is not None:
            lines.append(link_line(fate))
        if fate.patch is not None:
            lines.append(edit_line(connections, known, order, fate.state, fate.patch))
        if fate.outcome != "planned" or fate.draft is None:
            continue
        customer = known.customers[order.id]
        extra = None
        if isinstance(customer, Create):
            extra = customer_line(connections, known, order, customer)
        elif order.id in has:
            policy, account = connections.order_policy, known.account
            extra = new_currency(order, customer.ref, has[order.id], policy, account)
        if extra is not None and extra.natural_key not in made:
            made.add(extra.natural_key)
            lines.append(extra)
        lines.append(order_line(connections, known, order, fate.state, fate.draft))
    return lines


def plan_of(connections: Connections, run_id: str) -> Plan | None:
    """The plan that this run made, or None: a step that runs alone sends what earlier runs left."""
    plans = connections.state.plans.of_run(run_id, FLOW)
    return plans[-1] if plans else None
