"""Sales orders that somebody closed, cancelled or put on hold in NetSuite, and what the shop or a person is told.

Put here how they are noticed and how the rule's answer (rules/orders/stopped.py) becomes a plan line or an exception.
An order that was stopped waits in the inbox until a plan has answered it; one with an open question is looked at by
every run, because either side may end it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bcns_pipeline.defs.account import account_of
from bcns_pipeline.defs.fulfilment.run import FLOW
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.natural_keys import status_key
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.stopped import SetStatus, stopped
from bcns_pipeline.state.inbox import Event
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.plan_lines import PlanLine

RESOURCE = "sales_order"
CODE = "ORDER_STOPPED_IN_NETSUITE"
STATUS = "order_status"


@dataclass(slots=True)
class Answered:
    """Statuses to set, and by BigCommerce order what a person is asked (None: no longer)."""

    lines: list[PlanLine] = field(default_factory=list)
    questions: dict[int, Problem | None] = field(default_factory=dict)


def note_stopped(connections: Connections, since: str) -> int:
    """Put into the inbox which of our sales orders were stopped since then (NetSuite's clock); how many."""
    state, policy = connections.state, connections.order_policy
    if not policy.stopped:
        return 0
    asked = {one.subject for one in state.exceptions.find(flow=FLOW, code=CODE)}
    noted = 0
    oneworld = account_of(connections).oneworld
    for rows in connections.netsuite(Lane.BULK).sales.changed(since, oneworld=oneworld):
        ours = state.orders.by_netsuite({str(row.id) for row in rows})
        events = [
            Event(RESOURCE, str(row.id), "poll")
            for row in rows
            if (one := ours.get(str(row.id))) is not None
            and f"order:{one.order_id}" not in asked
            and stopped(row.id, row.status, one.status_id, policy)
        ]
        if events:
            state.inbox.record(events)
        noted += len(events)
    return noted


def answer_stopped(connections: Connections, claimed: Mapping[str, int]) -> Answered:
    """What follows for the sales orders claimed, and for those with an open question. Raises OutsideError."""
    state = connections.state
    asked = [int(one.subject.partition(":")[2]) for one in state.exceptions.find(flow=FLOW, code=CODE)]
    known = {one.order_id: one for one in state.orders.by_netsuite(set(claimed)).values()}
    known.update(state.orders.many(asked))
    ids = {order_id: int(one.netsuite_id) for order_id, one in known.items() if one.netsuite_id}
    found = Answered(questions=dict.fromkeys(asked))
    if not ids:
        return found
    rows = connections.netsuite(Lane.BULK).sales.by_id(ids.values())
    # A status is only ever set on what the store says now, not on what it said when the order was last read.
    shop = connections.bigcommerce(Lane.BULK).orders.get_many(ids)
    for order_id, record_id in sorted(ids.items()):
        if record_id not in rows or order_id not in shop:
            continue
        letter, status_id = rows[record_id].status, int(shop[order_id].status_id)
        match stopped(record_id, letter, status_id, connections.order_policy):
            case SetStatus() as wanted:
                found.lines.append(_line(state.store, known[order_id], wanted))
            case Problem() as problem:
                found.questions[order_id] = problem
            case None:
                found.questions[order_id] = None
    return found


def _line(store: str, one: OrderState, wanted: SetStatus) -> PlanLine:
    payload = {"order_id": one.order_id, "status_id": wanted.status_id}
    subject = f"order:{one.order_id}"
    key = status_key(store, one.order_id)
    return PlanLine("patch", STATUS, key, payload, wanted.reason, subject, group_key=subject)
