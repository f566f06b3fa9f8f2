"""Apply: shipments through the outbox, then the order's status by what the store shows, and a note in NetSuite.

Put here how each kind of operation is sent and found again, and what its end means. The shopper is written to by the
store when a shipment is made, so a shipment whose answer was lost is looked for among the order's before anything is
sent again: by its marker, which no two parcels share.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bcns_pipeline.defs.dispatch import dispatch
from bcns_pipeline.defs.dispatch_models import Dispatched, Sender, Settled
from bcns_pipeline.defs.fulfilment.planning import LINK, SHIPMENT, UPDATE, shipments_of
from bcns_pipeline.defs.fulfilment.run import FLOW, question
from bcns_pipeline.defs.fulfilment.stopped import RESOURCE, STATUS
from bcns_pipeline.defs.fulfilment.take import load
from bcns_pipeline.outcomes import Lane, Outcome, Refused, Sent, System
from bcns_pipeline.resources.connections import BIGCOMMERCE_SLOTS, RESERVED_FOR_FAST_LANE, Connections
from bcns_pipeline.rules.natural_keys import status_key
from bcns_pipeline.rules.orders.reading import read_order
from bcns_pipeline.rules.shipments.parcels import marked
from bcns_pipeline.rules.shipments.plan import note_body
from bcns_pipeline.rules.shipments.status import order_status
from bcns_pipeline.state.links import Link
from bcns_pipeline.state.operations import Intent, Operation
from bcns_pipeline.state.plans import Plan

NOTE = "fulfilment_note"
BUDGET_SECONDS = 120.0
SETTLE_SECONDS = 5.0
PARALLEL = BIGCOMMERCE_SLOTS - RESERVED_FOR_FAST_LANE
_REFUSALS = {STATUS: "STATUS_REFUSED", NOTE: "SHIPMENT_NOTE_REFUSED"}


@dataclass(slots=True)
class Applied:
    """What a run did, as ids of BigCommerce orders and shipments."""

    dispatched: Dispatched = field(default_factory=Dispatched)
    shipments: list[int] = field(default_factory=list)
    updates: list[int] = field(default_factory=list)
    adopted: int = 0
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
    if applied.dispatched.stop is None and _follow_up(connections, applied):
        applied.dispatched = _drain(connections, applied, progress)
    applied.dispatched.raise_if_stopped(System.BIGCOMMERCE, "POST /v2/orders/{id}/shipments")
    return applied


def _stage(connections: Connections, plan: Plan, applied: Applied) -> None:
    """Operations, links to what is there already, and the end of the inbox rows, in one transaction."""
    state = connections.state
    lines = state.plans.lines(plan)
    there = [one for one in lines if one.action == "link"]
    with state.worker() as worker:
        told = {"fulfilment": plan.summary["claims"], RESOURCE: plan.summary["stopped"]}
        claims = [
            claim
            for resource, ids in told.items()
            for claim in state.inbox.claim(resource, 100_000, worker, ids=list(ids))
        ]
        with state.scope.transaction() as conn:
            if state.plans.stage(plan, conn=conn).first_time:
                links = [_link(one.payload, one.payload["shipment_id"], "found") for one in there]
                if links:
                    state.links.put(LINK, links, conn=conn)
                answered = [
                    one for one in claims if told[one.resource].get(one.resource_id) == one.generation
                ]
                state.inbox.done(answered, conn=conn)
        state.inbox.release(claims)
    applied.adopted = len(there)
    applied.orders |= {one.payload["order_id"] for one in lines if one.kind != STATUS}


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

    def create(_: Operation, payload: Mapping[str, Any]) -> Outcome:
        return shop.create_shipment(payload["order_id"], payload["body"])

    def update(_: Operation, payload: Mapping[str, Any]) -> Outcome:
        return shop.update_shipment(payload["order_id"], payload["shipment_id"], payload["body"])

    def move(_: Operation, payload: Mapping[str, Any]) -> Outcome:
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
            _sent(applied, one)
    made = [one for one in settled if one.op.kind == SHIPMENT and isinstance(one.outcome, Sent)]
    links = [_link(one.payload, one.record_id, "found" if one.adopted else "created") for one in made]
    if links:
        state.links.put(LINK, links, conn=conn)
    for kind, code in ((SHIPMENT, "SHIPMENT_REFUSED"), *_REFUSALS.items()):
        ended = [one for one in settled if one.op.kind == kind and isinstance(one.outcome, Sent)]
        if ended:
            subjects = [f"order:{one.payload['order_id']}" for one in ended]
            state.exceptions.heal(FLOW, code, subjects, conn=conn)
    state.exceptions.open_many(FLOW, questions, conn=conn)


def _sent(applied: Applied, one: Settled) -> None:
    match one.op.kind:
        case "shipment":
            applied.shipments.append(int(one.record_id or 0))
        case "shipment_update":
            applied.updates.append(one.payload["shipment_id"])
        case "order_status":
            applied.moved[one.payload["order_id"]] = one.payload["status_id"]
        case "fulfilment_note":
            applied.notes += 1


def _follow_up(connections: Connections, applied: Applied) -> int:
    """Statuses by what the store shows as shipped now, and the shipments' ids for their fulfilments; how many."""
    state, policy = connections.state, connections.shipment_policy
    found = connections.bigcommerce(Lane.BULK).orders.get_many(applied.orders) if policy.status else {}
    intents = []
    for order_id, one in found.items():
        wanted = order_status(read_order(one.document), kept=policy.kept)
        if wanted is not None:
            key = status_key(state.store, order_id)
            payload = {"order_id": order_id, "status_id": int(wanted)}
            intents.append(Intent(STATUS, key, payload, group_key=f"order:{order_id}"))
    intents += _notes(connections, applied)
    return len(state.outbox.stage(FLOW, intents)) if intents else 0


def _notes(connections: Connections, applied: Applied) -> list[Intent]:
    policy = connections.shipment_policy
    if not policy.note_field or not applied.shipments:
        return []
    links = connections.state.links.find_many(LINK, [str(one) for one in applied.shipments])
    by_fulfilment: dict[tuple[int, int], list[int]] = {}
    for shipment_id, link in links.items():
        where = (int(link.detail["fulfilment_id"]), int(link.detail["order_id"]))
        by_fulfilment.setdefault(where, []).append(int(shipment_id))
    return [
        Intent(
            NOTE,
            f"fulfilment-{fulfilment_id}-note",
            {"order_id": order_id, "fulfilment_id": fulfilment_id, "body": note_body(ids, policy)},
            group_key=f"order:{order_id}",
        )
        for (fulfilment_id, order_id), ids in sorted(by_fulfilment.items())
    ]


def _link(payload: Mapping[str, Any], shipment_id: Any, origin: str) -> Link:
    detail = {"order_id": payload["order_id"], "fulfilment_id": payload["fulfilment_id"]}
    return Link(payload["key"], str(shipment_id), detail=detail, origin=origin)
