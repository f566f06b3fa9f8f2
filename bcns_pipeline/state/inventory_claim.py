"""The lines of a batch that is about to be sent: which of them still may be, and what the state notes of them.

Put here what a claim does to lines. Do not put here the operation's own claim (`outbox.py`), nor how lines end
(`inventory_lines.py`). All of it runs under the chain's lock, for which every other batch waits: so each row is
looked up once, and rows travel only where the caller does not hold them already.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa

from bcns_pipeline.state.bulk import array_text, copy_out
from bcns_pipeline.state.inventory_proof import OPEN_SQL, SPAN_SQL, Span, steer
from bcns_pipeline.state.tables import inventory_change, inventory_state

LINE_COLUMNS: Final = (
    *("line", "item_id", "product_id", "variant_id", "location_id", "new", "old", "read_seq"),
    *("sku", "tracking"),
)


def mark_as_sent(conn: sa.Connection, store: str, span: Span) -> tuple[npt.NDArray[np.int64], int]:
    """The check that a line is not older than the last one sent, and its note as the last one in `inventory_state`.

    Returns the open lines of the span (not sent yet, or released) that may be sent, and how many may not, as they
    are not newer than the last value sent: those have become `superseded`.
    """
    steer(conn)
    values = {"store": store, **span.values()}
    # Without statistics the planner would hash the whole state for one batch: 200 ms instead of 15.
    conn.exec_driver_sql("set local enable_hashjoin = off")
    sent = list(conn.execute(_ADVANCE, values).scalar_one() or ())
    if len(sent) < len(span) and conn.execute(_NEVER_SEEN, values).rowcount:
        sent += conn.execute(_ADVANCE, values).scalar_one() or ()
    conn.exec_driver_sql("set local enable_hashjoin = on")
    superseded = 0
    if len(sent) < len(span):
        superseded = conn.execute(_OVERTAKEN, {**values, "sent": array_text(sent)}).rowcount
    return np.array(sorted(set(sent)), dtype=np.int64), superseded


def read_lines(conn: sa.Connection, span: Span, lines: npt.NDArray[np.int64]) -> pd.DataFrame:
    """These lines of the span, in order: LINE_COLUMNS, int64 but for sku and tracking; `old` -1 = never."""
    steer(conn)
    where = (
        f"c.plan_id = {int(span.plan_id)} and c.planned_at = '{span.planned_at.isoformat()}' "
        f"and c.line between {int(span.first)} and {int(span.last)} "
        f"and c.line = any('{array_text(lines.tolist())}'::int[])"
    )
    numbers = copy_out(
        conn, f"select {', '.join(_NUMBERS.values())} from {_CHANGE} c where {where} order by c.line", _WIRE
    )
    texts = f"select array_agg(c.sku order by c.line) from {_CHANGE} c where {where}"
    frame = pd.DataFrame({name: numbers[name].astype(np.int64) for name in _NUMBERS})
    frame["sku"] = pd.Series(conn.exec_driver_sql(texts).scalar_one() or [], dtype=object)
    frame["tracking"] = np.where(frame.pop("by_product") == 1, "product", "variant").astype(object)
    return frame


_CHANGE, _STATE = inventory_change.fullname, inventory_state.fullname
_NUMBERS = {
    "line": "c.line",
    "item_id": "c.item_id",
    "product_id": "c.product_id",
    "variant_id": "c.variant_id",
    "location_id": "c.location_id",
    "new": "c.new",
    "old": "coalesce(c.old, -1)",
    "read_seq": "c.read_seq",
    "by_product": "(c.tracking = 'product')::int",
}
_WIDE = ("item_id", "product_id", "variant_id", "read_seq")
_WIRE = [(name, ">i8" if name in _WIDE else ">i4") for name in _NUMBERS]
# A released line was the last one sent, and nothing came of it: it may go again while nothing newer has.
_ADVANCE = sa.text(
    f"""
    with advanced as (
        update {_STATE} s
        set sent_seq = c.read_seq, sent = c.new, pending_since = coalesce(s.pending_since, now())
        from {_CHANGE} c
        where {SPAN_SQL} and s.store = :store and s.item_id = c.item_id and s.location_id = c.location_id
          and (c.outcome is null and s.sent_seq < c.read_seq
               or c.outcome = 'released' and s.sent_seq = c.read_seq)
        returning c.line
    )
    select array_agg(line) from advanced
    """
)
# A first push: there is nothing to advance yet.
_NEVER_SEEN = sa.text(
    f"""
    insert into {_STATE} (store, item_id, location_id)
    select :store, c.item_id, c.location_id from {_CHANGE} c where {SPAN_SQL} and c.outcome is null
    order by c.item_id, c.location_id
    on conflict (store, item_id, location_id) do nothing
    """
)
_OVERTAKEN = sa.text(
    f"""
    update {_CHANGE} c set outcome = 'superseded', settled_at = now()
    where {SPAN_SQL} and {OPEN_SQL} and c.line <> all(cast(:sent as int[]))
    """
)
