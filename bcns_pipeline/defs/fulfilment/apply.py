"""Apply: shipments through the outbox, then what follows from them (follow_up.py).

Put here how each kind of operation is sent and found again, and what its end means. The shopper is written to by the
store when a shipment is made, so a shipment whose answer was lost is looked for among the order's before anything is
sent again: by its marker, which no two parcels share. What has waited is not sent to an order that was called off
meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bcns_pipeline.defs.dispatch import dispatch
from bcns_pipeline.defs.dispatch_models import Dispatched, Sender, Settled
from bcns_pipeline.defs.fulfilment.follow_up import NOTE, follow_up, noted
from bcns_pipeline.defs.fulfilment.planning import LINK, SHIPMENT, UPDATE, shipments_of
from bcns_pipeline.defs.fulfilment.run import FLOW, question
from bcns_pipeline.defs.fulfilment.stopped import RESOURCE, STATUS
from bcns_pipeline.defs.fulfilment.take import load
from bcns_pipeline.outcomes import Lane, Outcome, Refused, Sent, System
from bcns_pipeline.resources.connections import BIGCOMMERCE_SLOTS, RESERVED_FOR_FAST_LANE, Connections
from bcns_pipeline.rules.orders.status import label
from bcns_pipeline.rules.shipments.parcels import marked
from bcns_pipeline.rules.shipments.policy import HELD
from bcns_pipeline.rules.shipments.status import NEVER_MOVED
from bcns_pipeline.state.links import Link
from bcns_pipeline.state.operations import Operation
from bcns_pipeline.state.plan_lines import PlanLine
from bcns_pipeline.state.plans import Plan

BUDGET_SECONDS = 120.0
SETTLE_SECONDS = 5.0
# What was planned longer ago may not fit the order any more: approved late, or left by a run that could not send.
STALE_AFTER = timedelta(minutes=10)
PARALLEL = BIGCOMMERCE_SLOTS - RESERVED_FOR_FAST_LANE
_REFUSALS = {STATUS: "STATUS_REFUSED", NOTE: "SHIPMENT_NOTE_REFUSED"}


@dataclass(slots=True)
class Applied:
    """What a run did, as ids of BigCommerce orders and shipments."""

    dispatched: Dispatched = field(default_factory=Dispatched)
    shipments: list[int] = field(default_factory=list)
    updates: list[int] = field(default_factory=list)
    adopted: int = 0
    held: int = 0
    linked: list[int] = field(default_factory=list)
    moved: dict[int, int] = field(default_factory=dict)
    notes: int = 0
    refused: dict[int, str] = field(default_factory=dict)
    orders: set[int] = field(default_factory=set)

    @property
    def sentence(self) -> str:
        """The run in one line."""
        parts = [f"{len(self.shipments):,} shipments", f"{len(self.updates):,} updates"]
        for count, what in (
            (self.adopted, "there already"),
            (self.held, "held for approval"),
            (len(self.moved), "orders moved to another status"),
            (self.notes, "notes on fulfilments"),
            (len(self.refused), "refused"),
        ):
            if count:
                parts.append(f"{count:,} {what}")
        return f"fulfilment: {'; '.join(parts)}"


def apply_plan(connections: Connections, plan: Plan | None, progress: Callable[[str], None]) -> Applied:
    """Stage the plan, send everything of the flow that waits, then statuses and notes. Raises OutsideError."""
    applied = Applied()
    if plan is not None:
        _stage(connections, plan, applied)
    applied.dispatched = _drain(connections, applied, progress)
    if applied.dispatched.stop is None:
        made = [*applied.shipments, *applied.linked]
        if follow_up(connections, applied.orders, made, plan):
            applied.dispatched = _drain(connections, applied, progress)
    applied.dispatched.raise_if_stopped(System.BIGCOMMERCE, "POST /v2/orders/{id}/shipments")
    if plan is not None and applied.dispatched.stop is None and not applied.dispatched.doubtful:
        _answer(connections, plan)
    return applied


def _stage(connections: Connections, plan: Plan, applied: Applied) -> None:
    """Operations and links to what is there already, in one transaction."""
    state, policy = connections.state, connections.shipment_policy

    def too_large(line: PlanLine) -> str | None:
        return policy.too_large(line.amount) if line.amount is not None else None

    there = [one for one in state.plans.lines(plan) if one.action == "link"]
    with state.scope.transaction() as conn:
        staged = state.plans.stage(plan, held=too_large, conn=conn)
        links = [_link(one.payload, one.payload["shipment_id"], "found") for one in there]
        if staged.first_time and links:
            state.links.put(LINK, links, conn=conn)
    applied.adopted, applied.held = len(there), len(staged.held)
    applied.linked = [int(one.payload["shipment_id"]) for one in there]
    applied.orders |= set(plan.summary["order_ids"])


def _answer(connections: Connections, plan: Plan) -> None:
    """Close the inbox rows that the plan has answered, unless something newer was told since."""
    state = connections.state
    told = {"fulfilment": plan.summary["claims"], RESOURCE: plan.summary["stopped"]}
    with state.worker() as worker:
        claims = [
            claim
            for resource, ids in told.items()
            for claim in state.inbox.claim(resource, 100_000, worker, ids=list(ids))
        ]
        state.inbox.done([one for one in claims if told[one.resource].get(one.resource_id) == one.generation])
        state.inbox.release(claims)


def _drain(connections: Connections, applied: Applied, progress: Callable[[str], None]) -> Dispatched:
    return dispatch(
        connections,
        FLOW,
        senders(connections),
        parallel=PARALLEL,
        budget_seconds=BUDGET_SECONDS,
        on_settled=lambda settled, conn: _settle(connections, applied, settled, conn),
        progress=progress,
    )


def senders(connections: Connections) -> list[Sender]:
    """How each kind of operation of this flow is sent and found again."""
    shop, netsuite = connections.bigcommerce(Lane.BULK).orders, connections.netsuite(Lane.BULK)

    def status_now(op: Operation, payload: Mapping[str, Any]) -> int | None:
        """The order's status where it may have changed since the plan; None where the plan is fresh."""
        if op.attempts == 1 and datetime.now(UTC) - op.staged_at < STALE_AFTER:
            return None
        found = shop.get_many([payload["order_id"]]).get(payload["order_id"])
        return None if found is None else int(found.status_id)

    def create(op: Operation, payload: Mapping[str, Any]) -> Outcome:
        status = status_now(op, payload)
        if status in HELD:
            return Refused(0, "CALLED_OFF", f"not sent, as the order is {label(status)} by now")
        return shop.create_shipment(payload["order_id"], payload["body"])

    def update(_: Operation, payload: Mapping[str, Any]) -> Outcome:
        return shop.update_shipment(payload["order_id"], payload["shipment_id"], payload["body"])

    def move(op: Operation, payload: Mapping[str, Any]) -> Outcome:
        status = status_now(op, payload)
        if status in NEVER_MOVED:
            return Sent({"status_id": status})
        return shop.put_status(payload["order_id"], payload["status_id"])

    def note(_: Operation, payload: Mapping[str, Any]) -> Outcome:
        return netsuite.fulfilments.patch(payload["fulfilment_id"], payload["body"])

    def shipments_there(operations: Sequence[Operation]) -> Mapping[str, str | None]:
        fulfilments = load(connections, {one.payload["fulfilment_id"] for one in operations})
        there: dict[str, str | None] = {}
        for one in operations:
            _, fulfilment = fulfilments[one.payload["fulfilment_id"]]
            package = marked(str(one.payload["body"].get("comments", "")), fulfilment)
            there[one.natural_key] = next(
                (
                    str(shipment.id)
                    for shipment in shipments_of(connections, one.payload["order_id"])
                    if shipment.address_id == one.payload["address_id"]
                    and marked(shipment.comments, fulfilment) == package
                ),
                None,
            )
        return there

    def safe_to_repeat(operations: Sequence[Operation]) -> Mapping[str, str | None]:
        return {one.natural_key: None for one in operations}

    return [
        Sender(SHIPMENT, create, shipments_there, settle_seconds=SETTLE_SECONDS),
        Sender(UPDATE, update, safe_to_repeat),
        Sender(STATUS, move, safe_to_repeat),
        Sender(NOTE, note, safe_to_repeat),
    ]


def _settle(connections: Connections, applied: Applied, settled: Sequence[Settled], conn: Any) -> None:
    state = connections.state
    questions = []
    for one in settled:
        order_id, kind = one.payload["order_id"], one.op.kind
        if kind != STATUS:
            applied.orders.add(order_id)
        if isinstance(one.outcome, Refused):
            code = _REFUSALS.get(kind, "SHIPMENT_REFUSED")
            applied.refused[order_id] = code
            said = f"Order {order_id}: {kind.replace('_', ' ')} was refused: {one.outcome.detail}"
            questions.append(question(code, order_id, said, operation=one.op.id))
        elif isinstance(one.outcome, Sent):
            _sent(applied, one, one.outcome)
    made = [one for one in settled if one.op.kind == SHIPMENT and isinstance(one.outcome, Sent)]
    links = [_link(one.payload, one.record_id, "found" if one.adopted else "created") for one in made]
    notes = [one for one in settled if one.op.kind == NOTE and isinstance(one.outcome, Sent)]
    links += noted(connections, [number for one in notes for number in one.payload["shipments"]], conn)
    if links:
        state.links.put(LINK, links, conn=conn)
    for kind, code in ((SHIPMENT, "SHIPMENT_REFUSED"), *_REFUSALS.items()):
        ended = [one for one in settled if one.op.kind == kind and isinstance(one.outcome, Sent)]
        if ended:
            subjects = [f"order:{one.payload['order_id']}" for one in ended]
            state.exceptions.heal(FLOW, code, subjects, conn=conn)
    state.exceptions.open_many(FLOW, questions, conn=conn)


def _sent(applied: Applied, one: Settled, outcome: Sent) -> None:
    match one.op.kind:
        case "shipment":
            applied.shipments.append(int(one.record_id or 0))
        case "shipment_update":
            applied.updates.append(one.payload["shipment_id"])
        case "order_status" if (
            outcome.answer.get("status_id", one.payload["status_id"]) == one.payload["status_id"]
        ):
            applied.moved[one.payload["order_id"]] = one.payload["status_id"]
        case "fulfilment_note":
            applied.notes += 1


def _link(payload: Mapping[str, Any], shipment_id: Any, origin: str) -> Link:
    detail = {"order_id": payload["order_id"], "fulfilment_id": payload["fulfilment_id"]}
    return Link(payload["key"], str(shipment_id), detail=detail, origin=origin)
