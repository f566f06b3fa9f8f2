"""What follows once shipments are there: each order's status by what the store shows, and a note on the fulfilment.

Put here which statuses and notes are due. Do not put their sending here (`apply.py`). Both follow from what is there
now, whoever made it and in whichever run, so a process that died before it came to this leaves nothing undone: the
inbox rows are closed only afterwards, and the next run comes here again.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bcns_pipeline.defs.fulfilment.planning import LINK
from bcns_pipeline.defs.fulfilment.run import FLOW
from bcns_pipeline.defs.fulfilment.stopped import STATUS
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.natural_keys import status_key
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.rules.shipments.plan import note_body
from bcns_pipeline.rules.shipments.status import order_status
from bcns_pipeline.state.links import Link
from bcns_pipeline.state.operations import Intent
from bcns_pipeline.state.plans import Plan

NOTE = "fulfilment_note"
# In the detail of a shipment's link: its fulfilment says so.
NOTED = "noted"


def follow_up(
    connections: Connections, orders: Collection[int], made: Collection[int], plan: Plan | None
) -> int:
    """Stage statuses of `orders` and notes of the shipments `made`; how many. Raises OutsideError."""
    intents = [*_statuses(connections, orders), *_notes(connections, made, plan)]
    return len(connections.state.outbox.stage(FLOW, intents)) if intents else 0


def noted(connections: Connections, shipments: Sequence[int], conn: Any) -> list[Link]:
    """The links of shipments whose fulfilment says so from now on."""
    links = connections.state.links.find_many(LINK, [str(one) for one in shipments], conn=conn)
    return [
        Link(one.netsuite_id, one.bigcommerce_id, one.label, {**one.detail, NOTED: True}, one.origin)
        for one in links.values()
    ]


def _statuses(connections: Connections, orders: Collection[int]) -> list[Intent]:
    """By what the store shows as shipped now. One that is right by now is nobody's question any more."""
    policy, state = connections.shipment_policy, connections.state
    if not policy.status or not orders:
        return []
    intents, right = [], []
    for order_id, one in connections.bigcommerce(Lane.BULK).orders.get_many(orders).items():
        try:
            wanted = order_status(read_order(one.document), kept=policy.kept)
        except Unreadable:
            continue  # The plan has asked about it.
        subject = f"order:{order_id}"
        if wanted is None:
            right.append(subject)
        else:
            payload = {"order_id": order_id, "status_id": int(wanted)}
            intents.append(Intent(STATUS, status_key(state.store, order_id), payload, group_key=subject))
    state.exceptions.heal(FLOW, "STATUS_REFUSED", right)
    return intents


def _notes(connections: Connections, made: Collection[int], plan: Plan | None) -> list[Intent]:
    """For each fulfilment that lacks one: all of its shipments, those of earlier runs included."""
    policy = connections.shipment_policy
    if not policy.note_field:
        return []
    shown: Mapping[str, list[int]] = plan.summary["shown"] if plan is not None else {}
    before = [one for ids in shown.values() for one in ids]
    links = connections.state.links.find_many(LINK, [str(one) for one in {*made, *before}])
    by_fulfilment: dict[tuple[int, int], list[int]] = {}
    lacking = set()
    for shipment_id, link in links.items():
        where = (int(link.detail["fulfilment_id"]), int(link.detail["order_id"]))
        by_fulfilment.setdefault(where, []).append(int(shipment_id))
        if not link.detail.get(NOTED):
            lacking.add(where)
    return [
        Intent(
            NOTE,
            f"fulfilment-{fulfilment_id}-note",
            {
                "order_id": order_id,
                "fulfilment_id": fulfilment_id,
                "shipments": sorted(ids),
                "body": note_body(ids, policy),
            },
            group_key=f"order:{order_id}",
        )
        for (fulfilment_id, order_id), ids in sorted(by_fulfilment.items())
        if (fulfilment_id, order_id) in lacking
    ]
