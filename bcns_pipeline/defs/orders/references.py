"""Write back: NetSuite's number onto the BigCommerce order, and proof that no money moved by it.

Put the lane of the references here: it has a flow name, a pool and a budget of its own, so that a sales order never
waits for it, and leaves a third of the store's quota to what reads orders. What is not referenced when a run ends is
the next run's. The store's own id of our record goes into `external_order_id`, which it can filter by; number and id
go into metafields, many orders a call.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bcns_pipeline.clients.bigcommerce.models import OUR_NAMESPACE, Metafield
from bcns_pipeline.defs.dispatch import dispatch
from bcns_pipeline.defs.dispatch_models import Dispatched, Sender, Settled
from bcns_pipeline.defs.orders.run import REFERENCE_FLOW, question
from bcns_pipeline.outcomes import Lane, Outcome, Refused, Sent, System
from bcns_pipeline.resources.connections import BIGCOMMERCE_SLOTS, RESERVED_FOR_FAST_LANE, Connections
from bcns_pipeline.rules.natural_keys import order_key
from bcns_pipeline.state.operations import Intent, Operation
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.scope import parse
from bcns_pipeline.state.store import State

KIND, METAFIELDS = "order_reference", "order_metafields"
BATCH = 250
# Two metafields an order. How many a call takes is not documented; 50 is what one of the store's own calls takes.
ORDERS_A_CALL = 25
BUDGET_SECONDS = 120.0
# What the store refused, such as an order deleted there, is tried again no sooner than this.
AGAIN = timedelta(minutes=15)
PARALLEL = BIGCOMMERCE_SLOTS - RESERVED_FOR_FAST_LANE


@dataclass(slots=True)
class Referenced:
    """What a run wrote back. `moved` are orders whose money differs from before, which nothing of ours may cause."""

    dispatched: Dispatched = field(default_factory=Dispatched)
    orders: list[int] = field(default_factory=list)
    there: int = 0
    refused: dict[int, str] = field(default_factory=dict)
    metafields: int = 0
    compared: int = 0
    moved: list[int] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The run in one line."""
        parts = [f"{len(self.orders):,} orders carry their NetSuite number"]
        if self.there:
            parts.append(f"{self.there:,} did before")
        if self.refused:
            parts.append(f"{len(self.refused):,} refused")
        parts.append(
            f"money equal before and after on {self.compared - len(self.moved):,} of {self.compared:,}"
        )
        return f"order references: {'; '.join(parts)}"


def write_references(connections: Connections, progress: Callable[[str], None]) -> Referenced:
    """Reference up to `BATCH` orders, and whatever an earlier run left. Raises OutsideError."""
    state = connections.state
    done = Referenced()
    waiting = _without(state, _waiting(state), done)
    if not waiting and not state.outbox.find(flow=REFERENCE_FLOW, limit=1):
        return done
    before = _money(connections, [one.order_id for one in waiting])
    some = [waiting[at : at + ORDERS_A_CALL] for at in range(0, len(waiting), ORDERS_A_CALL)]
    # Both in one transaction: a process that dies between the two kinds leaves the second to the next run.
    intents = [_intent(state.store, one) for one in waiting]
    state.outbox.stage(REFERENCE_FLOW, intents + [_metafields(state.store, one) for one in some])
    done.dispatched = _drain(connections, done, progress)
    written = [one for one in waiting if one.order_id in set(done.orders)]
    after = _money(connections, [one.order_id for one in written])
    done.compared = len(after)
    done.moved = sorted(one for one, mark in after.items() if one in before and before[one] != mark)
    done.dispatched.raise_if_stopped(System.BIGCOMMERCE, "PUT /v2/orders/{id}")
    return done


def _waiting(state: State) -> list[OrderState]:
    """Up to `BATCH` orders without a reference; those refused a while ago wait, so that they hold up no other."""
    limit = datetime.now(UTC) - AGAIN
    refused = {
        one.subject
        for one in state.exceptions.find(flow=REFERENCE_FLOW, code="REFERENCE_REFUSED")
        if one.last_seen_at > limit and one.retry_requested_at is None
    }
    found = state.orders.unreferenced(BATCH + len(refused))
    return [one for one in found if f"order:{one.order_id}" not in refused][:BATCH]


def _without(state: State, waiting: Sequence[OrderState], done: Referenced) -> list[OrderState]:
    """`waiting` less the orders whose reference was there when they were read: all of them, after a loss of the state.

    One of another connector may look the same and lack our metafields, so orders that were adopted stay.
    """
    bodies = state.documents.load_many([one.document_id for one in waiting if one.document_id])
    there = set()
    for one in waiting:
        body = bodies.get(one.document_id or 0)
        if body and one.disposition == "posted" and parse(body).get("external_order_id") == one.netsuite_id:
            there.add(one.order_id)
    done.there = len(state.orders.referenced(there))
    return [one for one in waiting if one.order_id not in there]


def _drain(connections: Connections, done: Referenced, progress: Callable[[str], None]) -> Dispatched:
    orders = connections.bigcommerce(Lane.LAST).orders

    def put(_: Operation, payload: Mapping[str, Any]) -> Outcome:
        return orders.put_reference(payload["order_id"], payload["reference"])

    def put_fields(_: Operation, payload: Mapping[str, Any]) -> Outcome:
        return orders.create_metafields(
            [Metafield(order, key, value, OUR_NAMESPACE) for order, key, value in payload["fields"]]
        )

    return dispatch(
        connections,
        REFERENCE_FLOW,
        [Sender(KIND, put, _references_there(connections)), Sender(METAFIELDS, put_fields, _never_there)],
        parallel=PARALLEL,
        budget_seconds=BUDGET_SECONDS,
        on_settled=lambda settled, conn: _settle(connections, done, settled, conn),
        progress=progress,
    )


def _intent(store: str, one: OrderState) -> Intent:
    payload = {"order_id": one.order_id, "reference": one.netsuite_id, "number": one.netsuite_number}
    return Intent(KIND, order_key(store, one.order_id), payload)


def _metafields(store: str, orders: Sequence[OrderState]) -> Intent:
    """Id and number of many orders as one call."""
    fields = [
        [one.order_id, key, value]
        for one in orders
        for key, value in (("id", one.netsuite_id), ("number", one.netsuite_number))
    ]
    mark = hashlib.sha256(json.dumps(fields).encode()).hexdigest()[:16]
    return Intent(METAFIELDS, f"bc-{store}-metafields-{mark}", {"fields": fields})


def _references_there(
    connections: Connections,
) -> Callable[[Sequence[Operation]], Mapping[str, str | None]]:
    def look_up(operations: Sequence[Operation]) -> Mapping[str, str | None]:
        found = connections.bigcommerce(Lane.LAST).orders.get_many(
            one.payload["order_id"] for one in operations
        )
        there: dict[str, str | None] = {}
        for one in operations:
            order = found.get(one.payload["order_id"])
            same = order is not None and order.document.get("external_order_id") == one.payload["reference"]
            there[one.natural_key] = str(one.payload["order_id"]) if same else None
        return there

    return look_up


def _never_there(operations: Sequence[Operation]) -> Mapping[str, str | None]:
    # A metafield that is there already is refused and changes nothing.
    return {one.natural_key: None for one in operations}


def _settle(connections: Connections, done: Referenced, settled: Sequence[Settled], conn: Any) -> None:
    state = connections.state
    ended = [one for one in settled if isinstance(one.outcome, Sent)]
    written = [one.payload["order_id"] for one in ended if one.op.kind == KIND]
    # Metafields are for people and apps; where the store refuses them, the reference is there all the same.
    done.metafields += sum(len(one.payload["fields"]) for one in ended if one.op.kind == METAFIELDS)
    state.orders.referenced(written, conn=conn)
    state.exceptions.heal(REFERENCE_FLOW, "REFERENCE_REFUSED", [f"order:{one}" for one in written], conn=conn)
    done.orders += written
    questions = []
    for one in settled:
        if isinstance(one.outcome, Refused) and one.op.kind == KIND:
            order_id = one.payload["order_id"]
            said = f"BigCommerce refused NetSuite's number on order {order_id}: {one.outcome.detail}"
            done.refused[order_id] = said
            questions.append(question("REFERENCE_REFUSED", order_id, said))
    state.exceptions.open_many(REFERENCE_FLOW, questions, conn=conn)


def _money(connections: Connections, order_ids: Sequence[int]) -> dict[int, str]:
    """{order: digest of every money field, lines and charges included}, read from list pages."""
    if not order_ids:
        return {}
    fields = connections.bigcommerce(Lane.LAST).orders.money_fields(order_ids)
    return {
        one: hashlib.sha256(json.dumps(found, sort_keys=True, default=str).encode()).hexdigest()
        for one, found in fields.items()
    }
