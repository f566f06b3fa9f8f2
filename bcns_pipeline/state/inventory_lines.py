"""The lines of stock changes: written in bulk, marked as sent, and settled.

Put SQL over `inventory_change` here. Do not put here which operation may do what when (`inventory.py`). Every
statement names plan, month and lines, so that it touches one partition by its primary key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa

from bcns_pipeline.rules.inventory.quantities import QUANTITY_SCALE, TERMS
from bcns_pipeline.state.bulk import array_text, copy_in, copy_integers, copy_out, copy_scaled, copy_texts
from bcns_pipeline.state.inventory_proof import SPAN_SQL, Span, steer
from bcns_pipeline.state.partitions import ensure_partitions
from bcns_pipeline.state.plans import Plan
from bcns_pipeline.state.tables import inventory_change, inventory_state

_TEXTS = ("sku", "tracking", "rule", "netsuite_changed_at", "reason")
_INTEGERS = ("item_id", "product_id", "variant_id", "location_id", "old", "new", "read_seq")
COLUMNS = (*_INTEGERS, *_TEXTS, *TERMS)


def write_changes(conn: sa.Connection, plan: Plan, frame: pd.DataFrame) -> str:
    """COPY the lines of `plan` in the frame's order (line 0, 1, ...) and return the digest of their content.

    Columns: int64 item_id, product_id, variant_id, location_id, old (-1 or missing = never confirmed), new,
    read_seq; text sku, tracking, rule, netsuite_changed_at (may be missing), reason; and the six terms in
    1/100,000,000 (may be missing). ValueError for a missing column or an item and location that comes twice.
    """
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise ValueError(f"the changes lack the columns {', '.join(missing)}")
    if frame.duplicated(["item_id", "location_id"]).any():
        raise ValueError("an item and location comes twice in the same plan")
    ensure_partitions(conn, plan.created_at)
    columns: list[Sequence[Any]] = [range(len(frame))]
    columns += [copy_integers(frame[name], null=-1 if name == "old" else None) for name in _INTEGERS]
    columns += [copy_texts(frame[name].tolist()) for name in _TEXTS]
    columns += [copy_scaled(frame[name], QUANTITY_SCALE) for name in TERMS]
    names = ("plan_id", "planned_at", "store", "line", *_INTEGERS, *_TEXTS, *TERMS)
    constants = (plan.id, plan.created_at.isoformat(), plan.store)
    return copy_in(conn, inventory_change.fullname, names, constants, columns)


def mark_as_sent(conn: sa.Connection, store: str, span: Span) -> pd.DataFrame:
    """The check that a line is not older than the last one sent, and its mark as sent, in one statement.

    Every open line of the span (not sent yet, or released) comes back: int64 line, item_id, product_id,
    variant_id, location_id, new, old (-1 = never), read_seq; sku, tracking; and `sent` (bool). Lines that
    are not newer than the last sent value have become `superseded` and come back with `sent` False.
    """
    steer(conn)
    frame = _line_frame(conn.execute(_OPEN_LINES, span.values()).all())
    if frame.empty:
        return frame.assign(sent=np.array([], dtype=bool))
    # Given as literals, so that the planner knows how many rows there are.
    values = {
        "store": store,
        **span.values(),
        **{
            name: array_text(frame[name].tolist())
            for name in ("line", "item_id", "location_id", "new", "read_seq")
        },
        "released": array_text(frame["released"].tolist()),
    }
    sent = set(conn.execute(_MARK_AS_SENT, values).scalars())
    frame["sent"] = frame["line"].isin(sent)
    return frame.drop(columns="released")


def lines_of(conn: sa.Connection, span: Span) -> pd.DataFrame:
    """All lines of the span as they stand, with outcome, pushed and read_back (nullable Int64)."""
    rows = conn.execute(_LINES, span.values()).mappings().all()
    frame = pd.DataFrame(rows, columns=list(_LINE_COLUMNS))
    for name in ("pushed", "read_back", "old"):
        frame[name] = frame[name].astype("Int64")
    return frame


def settle_lines(
    conn: sa.Connection,
    store: str,
    span: Span,
    lines: npt.NDArray[np.int64],
    read_back: Sequence[int | None],
    outcomes: Sequence[str],
) -> None:
    """Write what became of sent lines; move `inventory_state` for confirmed ones that are the last sent.

    A line that is not `confirmed` and that a newer one has overtaken becomes `superseded`, whatever is given.
    """
    steer(conn)
    conn.execute(
        _SETTLE,
        {
            "store": store,
            **span.values(),
            "lines": array_text(lines.tolist()),
            "read_back": array_text(read_back),
            "outcomes": array_text(outcomes),
        },
    )


def open_lines(conn: sa.Connection, spans: Sequence[Span]) -> pd.DataFrame:
    """One plan's lines that are not settled: line, item_id, location_id, read_seq, flying (1 = pushed)."""
    plan = spans[0]
    query = f"""
        select line::bigint, item_id, location_id::bigint, read_seq,
            (coalesce(outcome, '') = 'pushed')::int::bigint
        from {_CHANGE} where plan_id = {int(plan.plan_id)} and planned_at = '{plan.planned_at.isoformat()}'
            and line between {min(span.first for span in spans)} and {max(span.last for span in spans)}
            and (outcome is null or outcome in ('released', 'pushed')) order by line
    """
    steer(conn)
    names = ("line", "item_id", "location_id", "read_seq", "flying")
    frame = pd.DataFrame(copy_out(conn, query, [(name, ">i8") for name in names]))
    edges = np.array(sorted(edge for span in spans for edge in (span.first, span.last + 1)), dtype=np.int64)
    # An edge that ends one span and begins the next counts twice, so neighbours stay inside.
    inside = np.searchsorted(edges, frame["line"].to_numpy(), side="right") % 2 == 1
    kept: pd.DataFrame = frame.loc[inside].reset_index(drop=True)
    return kept


def overtake(conn: sa.Connection, span: Span, lines: npt.NDArray[np.int64]) -> int:
    """Lines not sent yet become `superseded` because of a later read; returns how many."""
    steer(conn)
    return conn.execute(_OVERTAKE, {**span.values(), "lines": array_text(lines.tolist())}).rowcount


def settle_rest(conn: sa.Connection, span: Span, outcome: str) -> int:
    """Every line of the span that is still open gets this outcome; returns how many there were."""
    return conn.execute(_SETTLE_REST, {**span.values(), "outcome": outcome}).rowcount


def release_lines(conn: sa.Connection, span: Span) -> int:
    """Sent lines of which we know that nothing happened become `released`: they may be sent again."""
    return conn.execute(_RELEASE, span.values()).rowcount


def outcome_counts(conn: sa.Connection, span: Span) -> dict[str, int]:
    """How many lines of the span ended how; lines not sent yet count as `open`."""
    return {row.outcome: row.n for row in conn.execute(_COUNTS, span.values())}


_CHANGE, _STATE = inventory_change.fullname, inventory_state.fullname
_OPEN_LINES = sa.text(
    f"""
    select line, item_id, product_id, variant_id, location_id, new, coalesce(old, -1), read_seq, sku,
        tracking, outcome is not null
    from {_CHANGE} c where {SPAN_SQL} and (outcome is null or outcome = 'released') order by line
    """
)
_MARK_AS_SENT = sa.text(
    f"""
    with open as materialized (
        select * from unnest(cast(:line as int[]), cast(:item_id as bigint[]), cast(:location_id as int[]),
            cast(:new as int[]), cast(:read_seq as bigint[]), cast(:released as boolean[]))
            as g(line, item_id, location_id, new, read_seq, released)
    ), advanced as (
        insert into {_STATE} (store, item_id, location_id, sent_seq, sent, pending_since)
        select :store, item_id, location_id, read_seq, new, now() from open where not released
        order by item_id, location_id
        on conflict (store, item_id, location_id) do update
        set sent_seq = excluded.sent_seq, sent = excluded.sent,
            pending_since = coalesce(inventory_state.pending_since, excluded.pending_since)
        where inventory_state.sent_seq < excluded.sent_seq
        returning item_id, location_id
    ), again as (
        select o.item_id, o.location_id from open o
        join {_STATE} s on s.store = :store and s.item_id = o.item_id and s.location_id = o.location_id
        where o.released and s.sent_seq = o.read_seq
    ), sendable as materialized (
        select item_id, location_id from advanced union all select item_id, location_id from again
    ), judged as materialized (
        select o.line, s.item_id is not null as sent
        from open o left join sendable s using (item_id, location_id)
    ), marked as (
        update {_CHANGE} c
        set outcome = case when j.sent then 'pushed' else 'superseded' end,
            pushed = case when j.sent then c.new else c.pushed end,
            settled_at = case when j.sent then null else now() end
        from judged j
        where {SPAN_SQL} and c.line = j.line
    )
    select line from judged where sent
    """
)
_SETTLE = sa.text(
    f"""
    with given as materialized (
        select * from unnest(cast(:lines as int[]), cast(:read_back as int[]), cast(:outcomes as text[]))
            as g(line, read_back, outcome)
    ), settled as (
        update {_CHANGE} c
        set outcome = case when g.outcome <> 'confirmed' and s.sent_seq > c.read_seq then 'superseded'
                           else g.outcome end,
            read_back = g.read_back, settled_at = now()
        from given g, {_STATE} s
        where {SPAN_SQL} and c.line = g.line and c.outcome = 'pushed'
          and s.store = :store and s.item_id = c.item_id and s.location_id = c.location_id
        returning c.item_id, c.location_id, c.read_seq, c.pushed, c.read_back, c.outcome,
            c.netsuite_changed_at
    )
    update {_STATE} s
    set confirmed = case when d.outcome = 'confirmed' then d.pushed else s.confirmed end,
        confirmed_at = case when d.outcome = 'confirmed' then now() else s.confirmed_at end,
        origin = case when d.outcome = 'confirmed' then 'pushed' else s.origin end,
        netsuite_changed_at = case when d.outcome = 'confirmed' then d.netsuite_changed_at
                                   else s.netsuite_changed_at end,
        pending_since = case when d.outcome = 'confirmed' then null else s.pending_since end,
        live = coalesce(d.read_back, s.live),
        live_at = case when d.read_back is null then s.live_at else now() end
    from settled d
    where s.store = :store and s.item_id = d.item_id and s.location_id = d.location_id
      and s.sent_seq = d.read_seq
    """
)
_OVERTAKE = sa.text(
    f"""
    update {_CHANGE} c set outcome = 'superseded', settled_at = now()
    where {SPAN_SQL} and c.line = any(cast(:lines as int[])) and (outcome is null or outcome = 'released')
    """
)
_SETTLE_REST = sa.text(
    f"""
    update {_CHANGE} c set outcome = :outcome, settled_at = now()
    where {SPAN_SQL} and (outcome is null or outcome in ('pushed', 'released'))
    """
)
_RELEASE = sa.text(f"update {_CHANGE} c set outcome = 'released' where {SPAN_SQL} and outcome = 'pushed'")
_COUNTS = sa.text(
    f"""
    select coalesce(outcome, 'open') as outcome, count(*) as n
    from {_CHANGE} c where {SPAN_SQL} group by 1 order by 1
    """
)
_LINE_COLUMNS = (
    *(
        "line",
        "item_id",
        "sku",
        "product_id",
        "variant_id",
        "tracking",
        "location_id",
        "old",
        "new",
        "reason",
    ),
    *("read_seq", "outcome", "pushed", "read_back"),
)
_LINES = sa.text(f"select {', '.join(_LINE_COLUMNS)} from {_CHANGE} c where {SPAN_SQL} order by line")


def _line_frame(rows: Sequence[Any]) -> pd.DataFrame:
    names = ("line", "item_id", "product_id", "variant_id", "location_id", "new", "old", "read_seq")
    columns = list(zip(*rows, strict=True)) or [()] * (len(names) + 3)
    data: dict[str, Any] = {
        name: np.array(values, dtype=np.int64)
        for name, values in zip(names, columns[: len(names)], strict=True)
    }
    data["sku"] = np.array(columns[-3], dtype=object)
    data["tracking"] = np.array(columns[-2], dtype=object)
    data["released"] = np.array(columns[-1], dtype=bool)
    return pd.DataFrame(data)
