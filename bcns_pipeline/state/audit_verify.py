"""The proof that the audit chain is whole: every hash again, and every digest from the lines still kept.

Put here what an auditor runs (`bcns audit verify`). Do not put here how rows are written (`audit.py`). It
reads one snapshot, changes nothing, and names the first row that does not hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.audit import GENESIS, Head, row_hash
from bcns_pipeline.state.documents import DROPPED as DOCUMENTS_DROPPED
from bcns_pipeline.state.documents import recompute as recompute_documents
from bcns_pipeline.state.inventory_proof import recompute as recompute_lines
from bcns_pipeline.state.order_proof import recompute as recompute_steps
from bcns_pipeline.state.order_proof import strayed
from bcns_pipeline.state.partitions import DROPPED, month_of
from bcns_pipeline.state.payout_proof import recompute as recompute_payout
from bcns_pipeline.state.plan_lines import recompute as recompute_plan
from bcns_pipeline.state.scope import digest, parse
from bcns_pipeline.state.tables import audit, operation

_ROWS_AT_ONCE = 2_000
# How the lines of an audit row are hashed again; all phases that are not here are of stock.
_RECOMPUTE = {
    "documents": recompute_documents,
    "orders": recompute_steps,
    "plan_lines": recompute_plan,
    "payout_lines": recompute_payout,
}


@dataclass(frozen=True, slots=True)
class Verified:
    """The chain holds. `proofs` digests were recomputed; for `dropped` the lines are no longer kept."""

    rows: int
    head: Head
    proofs: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The first row that does not hold, and why."""

    seq: int
    why: str


def verify(engine: sa.Engine, known_head: Head | None = None) -> Verified | Broken:
    """Recompute the chain. `known_head` (from a run's metadata) shows a cut-off or rewritten end too."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn, conn.begin():
        return _Verifier(conn, known_head).run()


class _Verifier:
    def __init__(self, conn: sa.Connection, known_head: Head | None) -> None:
        self._conn = conn
        self._known = known_head
        self._gone_months = {body["partition"] for body in self._bodies(DROPPED)}
        self._gone_documents = [run for body in self._bodies(DOCUMENTS_DROPPED) for run in body["ids"]]
        self._proofs = 0
        self._dropped = 0

    def run(self) -> Verified | Broken:
        head = Head(0, GENESIS)
        for rows in self._pages():
            for row in rows:
                why = self._chain_fault(head, row)
                if why is None:
                    why = self._proof_fault(json.loads(row["body"]), row)
                if why is not None:
                    # A gap is the fault of the row that is missing, not of the one after it.
                    return Broken(min(row["seq"], head.seq + 1), why)
                head = Head(row["seq"], row["hash"])
            fault = self._payload_fault(rows)
            if fault is not None:
                return fault
        if self._known is not None and self._known.seq > head.seq:
            return Broken(
                head.seq + 1, f"the chain ends at row {head.seq}; it was known to reach row {self._known.seq}"
            )
        stray = strayed(self._conn)
        if stray is not None:
            return Broken(
                head.seq,
                f"order {stray[1]} of store {stray[0]} does not stand where its last step left it",
            )
        return Verified(head.seq, head, self._proofs, self._dropped)

    def _bodies(self, kind: str) -> list[dict[str, Any]]:
        query = sa.select(audit.c.body).where(audit.c.kind == kind)
        return [json.loads(body) for body in self._conn.execute(query).scalars()]

    def _is_dropped(self, where: dict[str, Any]) -> bool:
        if where["phase"] == "documents":
            return any(first <= one <= last for one in where["ids"] for first, last in self._gone_documents)
        if where["phase"] in _RECOMPUTE:
            return False
        return month_of(datetime.fromisoformat(where["planned_at"])) in self._gone_months

    def _pages(self) -> Iterator[list[dict[str, Any]]]:
        after = None
        while True:
            query = sa.select(audit).order_by(audit.c.seq).limit(_ROWS_AT_ONCE)
            if after is not None:
                query = query.where(audit.c.seq > after)
            rows = [dict(row) for row in self._conn.execute(query).mappings()]
            if not rows:
                return
            yield rows
            after = rows[-1]["seq"]

    def _chain_fault(self, head: Head, row: dict[str, Any]) -> str | None:
        if row["seq"] != head.seq + 1:
            return f"row {head.seq + 1} is missing (the next one there is {row['seq']})"
        if row["previous_hash"] != head.hash:
            return "it does not carry the hash of the row before it"
        if row_hash(row) != row["hash"]:
            return "its content does not give its hash: it was changed after it was written"
        if self._known is not None and row["seq"] == self._known.seq and row["hash"] != self._known.hash:
            return "its hash is not the one that was known: the chain was written anew"
        return None

    def _proof_fault(self, body: dict[str, Any], row: dict[str, Any]) -> str | None:
        where = body.get("lines")
        if not isinstance(where, dict) or "phase" not in where:
            return None
        if self._is_dropped(where):
            self._dropped += 1
            return None
        count, found = _RECOMPUTE.get(where["phase"], recompute_lines)(self._conn, where)
        self._proofs += 1
        if count != row["lines"]:
            return f"it speaks of {row['lines']} lines, of which {count} are there"
        if found != row["lines_digest"]:
            return f"its {count} lines do not give its digest: at least one was changed"
        return None

    def _payload_fault(self, rows: list[dict[str, Any]]) -> Broken | None:
        """Operations are kept for good, so what was staged can be compared with what is there."""
        staged = {
            int(row["subject"].removeprefix("operation:")): (
                row["seq"],
                json.loads(row["body"])["payload_digest"],
            )
            for row in rows
            if row["kind"] in ("operation.planned", "operation.held") and "payload_digest" in row["body"]
        }
        if not staged:
            return None
        self._proofs += len(staged)
        payload = sa.cast(operation.c.payload, sa.Text).label("payload")
        query = sa.select(operation.c.id, payload).where(operation.c.id.in_(list(staged)))
        found = {row.id: digest(parse(row.payload)) for row in self._conn.execute(query)}
        for number, (seq, expected) in sorted(staged.items(), key=lambda item: item[1][0]):
            if found.get(number) != expected:
                state = "changed" if number in found else "gone"
                return Broken(seq, f"the payload of operation {number} is {state}")
        return None
