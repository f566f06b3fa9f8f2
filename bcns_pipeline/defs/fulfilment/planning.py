"""Plan: which shipments the store lacks of what NetSuite has shipped, order by order.

Put here which fulfilments are due and how the rules' answers become plan lines and exceptions. Do not put a rule
here (rules/shipments). The order is read as the store has it now, for what the store shows as shipped is what counts.
In mode plan nothing is remembered but the plan.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bcns_pipeline.defs.account import account_of
from bcns_pipeline.defs.fulfilment.run import FLOW, question
from bcns_pipeline.defs.fulfilment.stopped import CODE, RESOURCE, Answered, answer_stopped
from bcns_pipeline.defs.fulfilment.take import load
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.kinds.fulfilment import KINDS
from bcns_pipeline.rules.natural_keys import shipment_key
from bcns_pipeline.rules.orders.model import Order
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.rules.shipments.model import (
    Fulfilment,
    FulfilmentLine,
    Shipment,
    ShipmentAction,
    read_shipment,
)
from bcns_pipeline.rules.shipments.plan import needs_shipments, plan_shipments, value_of
from bcns_pipeline.state.inbox import Claim
from bcns_pipeline.state.links import ITEM, Link
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.plan_lines import PlanLine
from bcns_pipeline.state.plans import Plan

SHIPMENT, UPDATE = "shipment", "shipment_update"
LINK = "shipment"
# So many parcels of one fulfilment and address are told apart; more would be a warehouse of its own.
PARCELS = 20
# Opened by apply, and closed by it: a plan can't tell whether NetSuite or the store would take it now.
OF_APPLY = ("SHIPMENT_NOTE_REFUSED", "STATUS_REFUSED")


@dataclass(slots=True)
class Planned:
    """A plan. `orders` by id with what stands in the way of each; `looked_at` are the fulfilments of each.

    `sending` are orders of which something is sent: whether the store takes it, apply will tell.
    """

    plan: Plan
    fulfilments: int
    orders: dict[int, list[Problem]]
    looked_at: dict[int, list[int]]
    sending: set[int]
    actions: list[ShipmentAction] = field(repr=False)
    unknown: int = 0
    stops: Answered = field(default_factory=Answered)

    @property
    def counts(self) -> Counter[str]:
        """Actions by kind."""
        return Counter(one.kind for one in self.actions)

    @property
    def sentence(self) -> str:
        """The plan in one line."""
        parts = [f"{count:,} to {kind}" for kind, count in sorted(self.counts.items())]
        troubled = sum(bool(problems) for problems in self.orders.values())
        return (
            f"fulfilment: {self.fulfilments:,} fulfilments of {len(self.orders):,} orders: "
            f"{', '.join(parts) or 'nothing to do'}; {troubled:,} orders with a question"
        )


def make_plan(connections: Connections, *, mode: Mode) -> Planned:
    """Look at every fulfilment that waits, and write the plan. Raises OutsideError."""
    state = connections.state
    with state.worker() as worker:
        batch = connections.mapping.fulfilment.batch
        claims = state.inbox.claim("fulfilment", batch, worker)
        claims += state.inbox.claim(RESOURCE, batch, worker)
        try:
            planned = _plan(connections, claims, mode)
        finally:
            # Done only once the plan is staged: apply closes them, unless something newer was told since.
            state.inbox.release(claims)
    if mode is Mode.APPLY:
        _remember(connections, planned)
    return planned


def _plan(connections: Connections, claims: Sequence[Claim], mode: Mode) -> Planned:
    state = connections.state
    claimed = {one.resource_id: one.generation for one in claims if one.resource == "fulfilment"}
    told = {one.resource_id: one.generation for one in claims if one.resource == RESOURCE}
    stops = answer_stopped(connections, told)
    found = load(connections, [int(one) for one in claimed if one.isdigit()])
    states = state.orders.by_netsuite({str(order_id) for order_id, _ in found.values()})
    by_order: dict[int, list[Fulfilment]] = defaultdict(list)
    for order_id, fulfilment in found.values():
        if str(order_id) in states:
            by_order[states[str(order_id)].order_id].append(fulfilment)
    orders = _orders(connections, list(by_order))
    items = _items(connections, [one for some in by_order.values() for one in some])
    problems: dict[int, list[Problem]] = {}
    lines: list[PlanLine] = list(stops.lines)
    actions: list[ShipmentAction] = []
    sending: set[int] = set()
    shown: dict[int, list[int]] = {}
    for order_id, fulfilments in sorted(by_order.items()):
        order = orders.get(order_id)
        if isinstance(order, Problem) or order is None:
            problems[order_id] = [
                order or Problem("SHIPMENT_REFUSED", "BigCommerce does not have it any more.")
            ]
            continue
        named = [_named(one, items, order, states_of(states, order_id), connections) for one in fulfilments]
        links = _links(connections, order, named)
        existing = shipments_of(connections, order.id) if needs_shipments(order, links) else []
        store, policy = connections.state.store, connections.shipment_policy
        ids = {key: int(one.bigcommerce_id) for key, one in links.items()}
        planned = plan_shipments(order, named, existing, ids, store, policy)
        made = planned.actions
        problems[order_id] = planned.problems
        for one in links.values():
            shown.setdefault(int(one.detail["fulfilment_id"]), []).append(int(one.bigcommerce_id))
        actions += made
        if any(one.kind != "adopt" for one in made):
            sending.add(order_id)
        lines += [_line(order, one) for one in made]
    plan = state.plans.create(
        FLOW,
        mode=mode.value,
        as_of=datetime.now(UTC),
        config_digest=connections.mapping.digest,
        summary={
            "claims": claimed,
            "stopped": told,
            "fulfilments": len(found),
            "unknown": len(claimed) - len(found),
            "orders": len(by_order),
            "order_ids": sorted(by_order),
            # What the store showed before: a note on a fulfilment names all of its shipments.
            "shown": {str(number): sorted(ids) for number, ids in sorted(shown.items())},
            "troubled": sum(bool(some) for some in problems.values()),
            "actions_by_kind": dict(Counter(one.kind for one in actions)),
        },
    )
    plan = state.plans.write_lines(plan, lines)
    looked_at = {order_id: [one.id for one in some] for order_id, some in by_order.items()}
    unknown = len(claimed) - len(found)
    return Planned(plan, len(found), problems, looked_at, sending, actions, unknown, stops)


def states_of(states: Mapping[str, OrderState], order_id: int) -> OrderState:
    """The row of a BigCommerce order among those found by their NetSuite ids."""
    return next(one for one in states.values() if one.order_id == order_id)


def _orders(connections: Connections, order_ids: Sequence[int]) -> dict[int, Order | Problem]:
    found: dict[int, Order | Problem] = {}
    for order_id, one in connections.bigcommerce(Lane.BULK).orders.get_many(order_ids).items():
        try:
            found[order_id] = read_order(one.document)
        except Unreadable as fault:
            found[order_id] = Problem("SHIPMENT_REFUSED", f"The order can't be read: {fault}")
    return found


def _links(connections: Connections, order: Order, fulfilments: Sequence[Fulfilment]) -> dict[str, Link]:
    """The shipments of these fulfilments that we know to be ours, by natural key."""
    keys = [
        shipment_key(connections.state.store, one.id, place.id, parcel)
        for one in fulfilments
        for place in order.ship_to
        for parcel in range(PARCELS)
    ]
    found = connections.state.links.get_many(LINK, keys)
    return {key: some[0] for key, some in found.items()}


def shipments_of(connections: Connections, order_id: int) -> list[Shipment]:
    """The shipments that the store shows of an order."""
    return [read_shipment(row) for row in connections.bigcommerce(Lane.BULK).orders.shipments(order_id)]


def _items(connections: Connections, fulfilments: Sequence[Fulfilment]) -> dict[int, tuple[int, str]]:
    """{NetSuite item: (variant, SKU)}: by link, else by the item's own SKU."""
    wanted = {line.item_id for one in fulfilments for line in one.lines}
    links = connections.state.links.get_many(ITEM, [str(one) for one in wanted])
    found = {int(key): (int(some[0].bigcommerce_id), some[0].label or "") for key, some in links.items()}
    missing = wanted - found.keys()
    if missing:
        rows = connections.netsuite(Lane.BULK).items.for_orders(
            missing,
            (),
            connections.mapping.inventory.sku_field,
            oneworld=account_of(connections).oneworld,
        )
        found.update((row.id, (0, row.sku)) for row in rows)
    return found


def _named(
    fulfilment: Fulfilment,
    items: Mapping[int, tuple[int, str]],
    order: Order,
    state: OrderState,
    connections: Connections,
) -> Fulfilment:
    """The fulfilment with what its lines are in the store. Only an order with several lines of one thing needs more."""
    lines = tuple(
        replace(line, variant_id=items.get(line.item_id, (0, ""))[0], sku=items.get(line.item_id, (0, ""))[1])
        for line in fulfilment.lines
    )
    named = replace(fulfilment, lines=lines)
    variants = Counter(line.variant_id or line.sku for line in order.lines)
    if max(variants.values(), default=0) > 1:
        return replace(named, lines=tuple(_with_order_lines(connections, named, state)))
    return named


def _with_order_lines(
    connections: Connections, fulfilment: Fulfilment, state: OrderState
) -> Sequence[FulfilmentLine]:
    """Which line of the order each line ships: only the record itself says so (facts/netsuite.md 2.6)."""
    field_name = connections.order_policy.line_id_field
    if not field_name or state.netsuite_id is None:
        return fulfilment.lines
    netsuite = connections.netsuite(Lane.BULK)
    detail = netsuite.fulfilments.detail(fulfilment.id)
    sold = netsuite.sales.lines([int(state.netsuite_id)], custom_fields=(field_name,))
    keys = {line.line: line.custom.get(field_name.lower(), "") for line in sold}
    ships = {line.line: line.order_line for line in (detail.lines if detail else ())}
    found = []
    for line in fulfilment.lines:
        key = keys.get(ships.get(line.line) or -1, "")
        found.append(replace(line, order_line_id=int(key)) if key.isdigit() else line)
    return found


def _line(order: Order, action: ShipmentAction) -> PlanLine:
    payload: dict[str, Any] = {
        "order_id": order.id,
        "fulfilment_id": action.fulfilment_id,
        "address_id": action.address_id,
        "shipment_id": action.shipment_id,
        "key": action.natural_key,
        "body": dict(action.body),
    }
    kind = UPDATE if action.kind == "update" else SHIPMENT
    reasons = {
        "create": "shipped and not shown yet",
        "update": "later news of a parcel",
        "adopt": "there already",
    }
    acts: Any = {"create": "create", "update": "patch", "adopt": "link"}
    return PlanLine(
        acts[action.kind],
        kind,
        action.natural_key,
        payload,
        reasons[action.kind],
        f"order:{order.id}",
        group_key=f"order:{order.id}",
        amount=value_of(order, action) if action.kind == "create" else None,
    )


def _remember(connections: Connections, planned: Planned) -> None:
    """Questions of the orders looked at, and the end of those that are answered."""
    state = connections.state
    questions = [
        question(
            one.code,
            order_id,
            f"Order {order_id}: {one.sentence}",
            fact=one.fact,
            fulfilments=sorted(planned.looked_at[order_id]),
        )
        for order_id, problems in planned.orders.items()
        for one in problems
    ]
    asked = {(one.code, one.subject) for one in questions}
    sending = {f"order:{one}" for one in planned.sending}
    stops = planned.stops.questions
    questions += [question(CODE, one, f"Order {one}: {why.sentence}") for one, why in stops.items() if why]
    with state.scope.transaction() as conn:
        state.exceptions.open_many(FLOW, questions, conn=conn)
        # What a person asked for is done by this.
        state.exceptions.take_retries(FLOW, conn=conn)
        released = [f"order:{one}" for one, why in stops.items() if why is None]
        state.exceptions.heal(FLOW, CODE, released, conn=conn)
        for kind in KINDS:
            answered = [
                subject
                for subject in (f"order:{order_id}" for order_id in planned.orders)
                if (kind.code, subject) not in asked
                and not (kind.code == "SHIPMENT_REFUSED" and subject in sending)
            ]
            if kind.code not in OF_APPLY and answered:
                state.exceptions.heal(FLOW, kind.code, answered, conn=conn)
