"""Which lines an audit row speaks of, and the digest that proves them.

Put here spans of lines and how they are hashed, for writing and for verifying alike. Do not put here what
changes lines (`inventory_lines.py`). The text that is hashed: each line as PostgreSQL writes a row of the
phase's columns, in order of `line`, joined by line feeds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd
import sqlalchemy as sa

from bcns_pipeline.state.audit import Evidence
from bcns_pipeline.state.scope import runs_of
from bcns_pipeline.state.tables import inventory_change

SPAN_SQL = "c.plan_id = :plan_id and c.planned_at = :planned_at and c.line between :first and :last"
# Not settled. Whether it waits or is on its way is what its operation says: a mark on each line as well would be
# one of four updates a line, while the sender waits.
OPEN_SQL = "(c.outcome is null or c.outcome = 'released')"

# What each phase makes final; a digest covers only what no later phase changes.
_PHASES: Final[Mapping[str, str]] = {
    "planned": (
        "c.line, c.item_id, c.sku, c.product_id, c.variant_id, c.tracking, c.location_id, c.available, "
        "c.on_hand, c.committed, c.in_transit, c.backordered, c.on_order, c.rule, c.netsuite_changed_at, "
        "c.old, c.new, "
        "c.reason, c.read_seq"
    ),
    "sending": "c.line, c.item_id, c.location_id, c.product_id, c.variant_id, c.new, c.read_seq",
    "settled": "c.line, c.outcome, c.pushed, c.read_back",
}


_NO_LINES = hashlib.sha256(b"").hexdigest()
DIGEST = {
    phase: "count(*), encode(sha256(convert_to(coalesce(string_agg("
    f"row({columns})::text, E'\\n' order by c.line), ''), 'UTF8')), 'hex')"
    for phase, columns in _PHASES.items()
}


@dataclass(frozen=True, slots=True)
class Span:
    """Lines `first` to `last` of a plan, both included; `planned_at` names the month they are kept in."""

    plan_id: int
    planned_at: datetime
    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1

    def as_payload(self) -> dict[str, Any]:
        """As it stands in an operation's payload."""
        return {
            "plan_id": self.plan_id,
            "planned_at": self.planned_at.isoformat(),
            "from_line": self.first,
            "to_line": self.last,
        }

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Span:
        """Read back what `as_payload` gave."""
        return cls(
            int(payload["plan_id"]),
            datetime.fromisoformat(payload["planned_at"]),
            int(payload["from_line"]),
            int(payload["to_line"]),
        )

    def where(self, phase: str, runs: Sequence[Sequence[int]] | None = None) -> dict[str, Any]:
        """What an audit row says of which lines its digest covers: all of them, or those in `runs`."""
        return {
            "phase": phase,
            "plan_id": self.plan_id,
            "planned_at": self.planned_at.isoformat(),
            "runs": [[self.first, self.last]] if runs is None else runs,
        }

    @property
    def natural_key(self) -> str:
        """Of the operation that sends these lines."""
        return f"plan-{self.plan_id}-lines-{self.first}-{self.last}"

    def values(self) -> dict[str, Any]:
        """The bound values of `:plan_id`, `:planned_at`, `:first` and `:last`."""
        return {
            "plan_id": self.plan_id,
            "planned_at": self.planned_at,
            "first": self.first,
            "last": self.last,
        }


def evidence(conn: sa.Connection, span: Span, phase: str) -> Evidence:
    """Count and digest of the span's lines in what `phase` has made final."""
    where = span.where(phase)
    count, digest = recompute(conn, where)
    return Evidence(count, digest, where)


def evidence_of_sent(span: Span, lines: pd.DataFrame) -> Evidence:
    """Count and digest of lines of the span as they go out: what is verified is that the table says the same.

    Columns: those of the phase "sending", int64.
    """
    columns = [lines[name.removeprefix("c.")].tolist() for name in _PHASES["sending"].split(", ")]
    pattern = f"({','.join(['%d'] * len(columns))})"
    rows = [pattern % row for row in zip(*columns, strict=True)]
    digest = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return Evidence(len(rows), digest, span.where("sending", runs_of(lines["line"].to_numpy(np.int64))))


def evidences(conn: sa.Connection, spans: Sequence[Span], phase: str) -> list[Evidence]:
    """`evidence` for consecutive spans of one plan, read in one pass."""
    if not spans:
        return []
    steer(conn)
    query = sa.text(
        f"""
        select width_bucket(c.line, cast(:edges as int[])), {DIGEST[phase]}
        from {inventory_change.fullname} c where {SPAN_SQL} group by 1
        """
    )
    whole = Span(spans[0].plan_id, spans[0].planned_at, spans[0].first, spans[-1].last)
    rows = conn.execute(query, {**whole.values(), "edges": [span.first for span in spans]}).all()
    found = {bucket: (count, digest) for bucket, count, digest in rows}
    made = []
    for bucket, span in enumerate(spans, start=1):
        count, digest = found.get(bucket, (0, _NO_LINES))
        made.append(Evidence(count, digest, span.where(phase)))
    return made


def recompute(conn: sa.Connection, where: Mapping[str, Any]) -> tuple[int, str]:
    """Count and digest of the lines that an audit row's `where` names, as they stand now."""
    runs = where["runs"]
    if not runs:
        return 0, _NO_LINES
    values = {
        "plan_id": int(where["plan_id"]),
        "planned_at": datetime.fromisoformat(where["planned_at"]),
        "first": runs[0][0],
        "last": runs[-1][1],
        "edges": [edge for run in runs for edge in (run[0], run[1] + 1)],
    }
    steer(conn)
    # Between an odd and an even edge lies a run, between an even and an odd one a gap.
    gaps = "and width_bucket(c.line, cast(:edges as int[])) % 2 = 1" if len(runs) > 1 else ""
    row = conn.execute(
        sa.text(
            f"select {DIGEST[where['phase']]} from {inventory_change.fullname} c where {SPAN_SQL} {gaps}"
        ),
        values,
    )
    count, digest = row.one()
    return count, digest


def steer(conn: sa.Connection) -> None:
    """For the rest of the transaction, use indexes. Again is free.

    Partitions change faster than their statistics, and one wrong guess (2,000 by 2,000 rows joined as nested
    loops, a whole month read for one batch) was measured at a thousand times the right plan.
    """
    transaction = conn.get_transaction()
    if transaction is not None and conn.info.get("steered") is transaction:
        return
    conn.info["steered"] = transaction
    conn.exec_driver_sql(
        "set local enable_seqscan = off; set local enable_mergejoin = off; set local jit = off; "
        "set local random_page_cost = 1.1; set local max_parallel_workers_per_gather = 0"
    )
