"""Writes that the world has overtaken: they wait for approval or for their run's turn, and are not wanted any more.

Put here which those are and what becomes of them. Do not put here what waits for approval, nor who approves.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from bcns_pipeline.defs.orders.run import CUSTOMER, EDIT, FLOW, ORDER
from bcns_pipeline.defs.shoppers import LINK
from bcns_pipeline.rules.natural_keys import edit_key, order_key
from bcns_pipeline.state.operations import Move
from bcns_pipeline.state.plan_lines import SENT, PlanLine
from bcns_pipeline.state.store import State


def give_way(state: State, order_ids: Iterable[int], *, conn: Any, staged: Collection[str] = ()) -> None:
    """Operations of these orders that were never sent become `superseded`: those that are held, so that nobody approves
    an amount of yesterday, and those that were approved and wait for a run.

    `staged` are the keys of edits about to be staged: one that is there already and the same stays as it is.
    """
    wanted = set(order_ids)
    if not wanted:
        return
    keys = {order_key(state.store, one) for one in wanted}
    edits = tuple(edit_key(state.store, one, "") for one in wanted)
    unsent = state.outbox.find(flow=FLOW, kinds=(ORDER, EDIT), states=("held", "planned"), conn=conn)
    moves = [
        Move(op, "superseded", "the order has changed since")
        for op in unsent
        if op.attempts == 0
        and (op.natural_key in keys or (op.natural_key.startswith(edits) and op.natural_key not in staged))
    ]
    if moves:
        state.outbox.move_many(moves, conn=conn)


def not_wanted(state: State, lines: Iterable[PlanLine], gone: Mapping[str, str], *, conn: Any) -> set[str]:
    """The natural keys of lines that have become needless or wrong since they were planned.

    The next run plans while this one writes. A shopper who was new to both has been made by the first, and is found
    by its key; one whose link leads to a customer that is `gone`, as the plan saw, has still to be made. An order that
    was written, or an edit that leads on from a version that NetSuite has no more, must not be sent; and what has a
    newer version by now is left to the next plan, which does it in one go.
    """
    sent = [one for one in lines if one.action in SENT and one.payload]
    links = [one.payload["link"] for one in sent if one.kind == CUSTOMER]
    made = state.links.find_many(LINK, links, conn=conn)
    now = state.orders.many([one.payload["order_id"] for one in sent if one.kind in (ORDER, EDIT)], conn=conn)

    def wanted(line: PlanLine) -> bool:
        if line.kind == CUSTOMER:
            there = made.get(line.payload["link"])
            return there is None or there.netsuite_id == gone.get(line.payload["link"])
        if line.kind not in (ORDER, EDIT):
            return True
        order = now[line.payload["order_id"]]
        over = line.payload["over"] if line.kind == EDIT else None
        return (order.applied_hash, order.content_hash) == (over, line.payload["version"])

    return {one.natural_key for one in sent if not wanted(one)}
