"""The lines of stock changes: written in bulk, released, overtaken and settled.

Put SQL over `inventory_change` here. Do not put here which operation may do what when (`inventory.py`), nor how
lines are claimed (`inventory_claim.py`). Every statement names plan, month and lines, so that it touches one
partition by its primary key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa

from bcns_pipeline.rules.inventory.quantities import QUANTITY_SCALE, TERMS, UNPOSTED
from bcns_pipeline.state.audit import Evidence, lock_chain
from bcns_pipeline.state.bulk import array_text, copy_in, copy_integers, copy_out, copy_scaled, copy_texts
from bcns_pipeline.state.inventory_proof import DIGEST, OPEN_SQL, SPAN_SQL, Span, steer
from bcns_pipeline.state.partitions import ensure_partitions
from bcns_pipeline.state.scope import Scope, digest
from bcns_pipeline.state.tables import inventory_change, inventory_state

_TEXTS = ("sku", "tracking", "rule", "netsuite_changed_at", "reason")
_INTEGERS = ("item_id", "product_id", "variant_id", "location_id", "old", "new", "read_seq")
_BLOCK_ROWS = 8_192
PART_LINES = 50_000
_SCALED = (*TERMS, UNPOSTED)
COLUMNS = (*_INTEGERS, *_TEXTS, *TERMS)


def write_changes(scope: Scope, drawn: tuple[int, datetime], frame: pd.DataFrame) -> str:
    """COPY the lines of the plan to come in the frame's order (line 0, 1, ...) and return their digest.

    Two connections take parts in turn, each part a transaction. The digest is that of the parts' digests, whose size
    is fixed: equal lines give equal digests.

    Columns: int64 item_id, product_id, variant_id, location_id, old (-1 or missing = never confirmed), new,
    read_seq; text sku, tracking, rule, netsuite_changed_at (may be missing), reason; the six terms in
    1/100,000,000 (may be missing), and `unposted` likewise, which may be left out. ValueError for a missing
    column or an item and location that comes twice.
    """
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise ValueError(f"the changes lack the columns {', '.join(missing)}")
    if frame.duplicated(["item_id", "location_id"]).any():
        raise ValueError("an item and location comes twice in the same plan")
    whole = frame if UNPOSTED in frame.columns else frame.assign(**{UNPOSTED: None})
    plan_id, at = drawn
    names = ("plan_id", "planned_at", "store", "line", *_INTEGERS, *_TEXTS, *_SCALED)
    constants = (plan_id, at.isoformat(), scope.store)
    with scope.transaction() as tx:
        ensure_partitions(tx, at)

    def write(first: int) -> str:
        blocks = _blocks(whole.iloc[first : first + PART_LINES], first)
        with scope.transaction() as tx:
            return copy_in(tx, inventory_change.fullname, names, constants, blocks)

    with ThreadPoolExecutor(2, thread_name_prefix="lines") as pool:
        return digest(list(pool.map(write, range(0, len(whole), PART_LINES))))


def _blocks(frame: pd.DataFrame, first: int) -> Iterator[list[Sequence[Any]]]:
    for start in range(0, len(frame), _BLOCK_ROWS):
        part = frame.iloc[start : start + _BLOCK_ROWS]
        columns: list[Sequence[Any]] = [range(first + start, first + start + len(part))]
        columns += [copy_integers(part[name], null=-1 if name == "old" else None) for name in _INTEGERS]
        columns += [copy_texts(part[name].tolist()) for name in _TEXTS]
        columns += [copy_scaled(part[name], QUANTITY_SCALE) for name in _SCALED]
        yield columns


def lines_of(conn: sa.Connection, span: Span, *, out: bool) -> pd.DataFrame:
    """All lines of the span as they stand, with outcome, pushed and read_back (nullable Int64).

    `out`: the operation is on its way, and so are the lines that are not settled (outcome `pushed`).
    """
    rows = conn.execute(_LINES, span.values()).mappings().all()
    frame = pd.DataFrame(rows, columns=list(_LINE_COLUMNS))
    if out:
        flying = frame["outcome"].isna() | (frame["outcome"] == "released")
        frame.loc[flying, "outcome"] = "pushed"
        frame.loc[flying, "pushed"] = frame.loc[flying, "new"]
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
) -> tuple[Counter[str], Evidence | None]:
    """Write what became of sent lines; move `inventory_state` for confirmed ones that are the last sent.

    A line that is not `confirmed` and that a newer one has overtaken becomes `superseded`, whatever is given.
    Returns how many ended how; nothing where some of them had not been sent, for then the table has to be asked.
    And the digest of the whole span, where it is settled by this. Takes the chain's lock, for which the next claim
    waits, only after what concerns no other batch.
    """
    steer(conn)
    sure = all(end == "confirmed" for end in outcomes)
    proof = None
    if sure and len(lines) == len(span):
        in_order = array_text(read_back[at] for at in np.argsort(lines).tolist())
        written, mark = conn.execute(_CONFIRM, {**span.values(), "read_back": in_order}).one()
        if written == len(span):
            proof = Evidence(written, mark, span.where("settled"))
    else:
        written = _settle(conn, span, lines, read_back, outcomes)
    lock_chain(conn)
    where = {"store": store, **span.values()}
    conn.exec_driver_sql("set local enable_hashjoin = off")
    newest = set(conn.execute(_MOVE_STATE, where).scalar_one() or ())
    conn.exec_driver_sql("set local enable_hashjoin = on")
    if not sure:
        conn.execute(_OVERTAKEN, {**where, "newest": array_text(sorted(newest))})
        outcomes = [
            end if end == "confirmed" or line in newest else "superseded"
            for line, end in zip(lines.tolist(), outcomes, strict=True)
        ]
    return Counter(outcomes) if written == len(outcomes) else Counter(), proof


def _settle(
    conn: sa.Connection,
    span: Span,
    lines: npt.NDArray[np.int64],
    read_back: Sequence[int | None],
    outcomes: Sequence[str],
) -> int:
    given = {
        "lines": array_text(lines.tolist()),
        "read_back": array_text(read_back),
        "outcomes": array_text(outcomes),
    }
    # Which lines are open changes too fast for statistics: guessed at six, 2,000 of them were looked for among
    # 2,000 by nested loops: more than a second a batch.
    conn.exec_driver_sql("set local enable_nestloop = off")
    written = conn.execute(_SETTLE, {**span.values(), **given}).rowcount
    conn.exec_driver_sql("set local enable_nestloop = on")
    return written


def open_lines(conn: sa.Connection, spans: Sequence[Span]) -> pd.DataFrame:
    """One plan's lines that are not settled: line, item_id, location_id, read_seq (all int64)."""
    plan = spans[0]
    query = f"""
        select line::bigint, item_id, location_id::bigint, read_seq
        from {_CHANGE} where plan_id = {int(plan.plan_id)} and planned_at = '{plan.planned_at.isoformat()}'
            and line between {min(span.first for span in spans)} and {max(span.last for span in spans)}
            and (outcome is null or outcome = 'released') order by line
    """
    steer(conn)
    names = ("line", "item_id", "location_id", "read_seq")
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


def settle_rest(conn: sa.Connection, span: Span, outcome: str, *, out: bool) -> int:
    """Every line of the span that is still open gets this outcome; returns how many there were. `out`: as above."""
    return conn.execute(_SETTLE_REST, {**span.values(), "outcome": outcome, "out": out}).rowcount


def release_lines(conn: sa.Connection, span: Span) -> int:
    """Sent lines of which we know that nothing happened become `released`: they may be sent again."""
    return conn.execute(_RELEASE, span.values()).rowcount


def outcome_counts(conn: sa.Connection, span: Span) -> dict[str, int]:
    """How many lines of the span ended how; lines not sent yet count as `open`."""
    return {row.outcome: row.n for row in conn.execute(_COUNTS, span.values())}


_CHANGE, _STATE = inventory_change.fullname, inventory_state.fullname
# One statement for lines and state would look each line up three times.
_SETTLE = sa.text(
    f"""
    update {_CHANGE} c set outcome = g.outcome, pushed = c.new, read_back = g.read_back, settled_at = now()
    from unnest(cast(:lines as int[]), cast(:read_back as int[]), cast(:outcomes as text[]))
        as g(line, read_back, outcome)
    where {SPAN_SQL} and c.line = g.line and {OPEN_SQL}
    """
)
# A whole batch that is as it should be, which is nearly every one: a line's place in the list is its number.
_CONFIRM = sa.text(
    f"""
    with c as (
        update {_CHANGE} c set outcome = 'confirmed', pushed = c.new, settled_at = now(),
            read_back = (cast(:read_back as int[]))[c.line - :first + 1]
        where {SPAN_SQL} and {OPEN_SQL}
        returning c.line, c.outcome, c.pushed, c.read_back
    )
    select {DIGEST["settled"]} from c
    """
)
# now() is the same for the whole transaction: these are the lines that it has settled.
_JUST_SETTLED = f"{SPAN_SQL} and c.settled_at = now()"
_MOVE_STATE = sa.text(
    f"""
    with moved as (
        update {_STATE} s
        set confirmed = case when c.outcome = 'confirmed' then c.pushed else s.confirmed end,
            confirmed_at = case when c.outcome = 'confirmed' then now() else s.confirmed_at end,
            origin = case when c.outcome = 'confirmed' then 'pushed' else s.origin end,
            netsuite_changed_at = case when c.outcome = 'confirmed' then c.netsuite_changed_at
                                       else s.netsuite_changed_at end,
            pending_since = case when c.outcome = 'confirmed' then null else s.pending_since end,
            live = coalesce(c.read_back, s.live),
            live_at = case when c.read_back is null then s.live_at else now() end
        from {_CHANGE} c
        where {_JUST_SETTLED}
          and s.store = :store and s.item_id = c.item_id and s.location_id = c.location_id
          and s.sent_seq = c.read_seq
        returning c.line
    )
    select array_agg(line) from moved
    """
)
_OVERTAKEN = sa.text(
    f"""
    update {_CHANGE} c set outcome = 'superseded'
    where {_JUST_SETTLED} and c.outcome <> 'confirmed' and c.line <> all(cast(:newest as int[]))
    """
)
_OVERTAKE = sa.text(
    f"""
    update {_CHANGE} c set outcome = 'superseded', settled_at = now()
    where {SPAN_SQL} and c.line = any(cast(:lines as int[])) and {OPEN_SQL}
    """
)
_SETTLE_REST = sa.text(
    f"""
    update {_CHANGE} c set outcome = :outcome, settled_at = now(), pushed = case when :out then c.new else c.pushed end
    where {SPAN_SQL} and {OPEN_SQL}
    """
)
_RELEASE = sa.text(
    f"update {_CHANGE} c set outcome = 'released', pushed = c.new where {SPAN_SQL} and {OPEN_SQL}"
)
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
