"""Writes that wait for approval, of orders that have changed meanwhile: what was asked about is not there any more.

Put here what becomes of them. Do not put here what waits for approval, nor who approves.
"""

from collections.abc import Collection, Iterable
from typing import Any

from bcns_pipeline.defs.orders.run import EDIT, FLOW, ORDER
from bcns_pipeline.rules.natural_keys import edit_key, order_key
from bcns_pipeline.state.operations import Move
from bcns_pipeline.state.store import State


def give_way(state: State, order_ids: Iterable[int], *, conn: Any, staged: Collection[str] = ()) -> None:
    """Held operations of these orders become `superseded`, so that nobody approves an amount of yesterday.

    `staged` are the keys of edits about to be staged: one that is held already and the same stays as it is.
    """
    wanted = set(order_ids)
    if not wanted:
        return
    keys = {order_key(state.store, one) for one in wanted}
    edits = tuple(edit_key(state.store, one, "") for one in wanted)
    held = state.outbox.find(flow=FLOW, kinds=(ORDER, EDIT), states=("held",), conn=conn)
    moves = [
        Move(op, "superseded", "the order has changed since")
        for op in held
        if op.natural_key in keys or (op.natural_key.startswith(edits) and op.natural_key not in staged)
    ]
    if moves:
        state.outbox.move_many(moves, conn=conn)
