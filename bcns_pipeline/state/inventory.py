"""Stock changes on their way to the store: batches of lines, each one operation and one adjustment call.

Put here the life of a batch: staged, claimed, released, split, settled. Do not put SQL over the lines here
(`inventory_lines.py`), nor what we believe the store has (`inventory_stock.py`). Call `claim` and send under
`worker.exclusive(<the store's lock>)`: there a line that is not newer than the last sent is `superseded`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from bcns_pipeline.state import inventory_lines as lines_sql
from bcns_pipeline.state.audit import Audit, Evidence, lock_chain
from bcns_pipeline.state.inventory_claim import LINE_COLUMNS, mark_as_sent, read_lines
from bcns_pipeline.state.inventory_proof import Span, evidence, evidence_of_sent, evidences
from bcns_pipeline.state.inventory_stock import InventoryStock
from bcns_pipeline.state.operations import ON_ITS_WAY, OPEN, Intent, Operation, entry_for
from bcns_pipeline.state.outbox import Outbox
from bcns_pipeline.state.partitions import drop_partitions_older_than
from bcns_pipeline.state.plans import Mode, Plan, Plans
from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.tables import operation
from bcns_pipeline.state.worker import Worker

KIND = "inventory_adjustment"
# BigCommerce takes this many lines in one absolute adjustment (facts/bigcommerce.md).
BATCH_LINES = 2_000
OUTCOMES = ("confirmed", "refused", "unconfirmed", "superseded")


@dataclass(frozen=True, slots=True)
class Batch:
    """A claimed adjustment: what may be sent now, and how many of its lines were overtaken meanwhile.

    `lines`: int64 line, item_id, product_id, variant_id, location_id, new, old (-1 = never), read_seq; sku,
    tracking ("product" or "variant").
    """

    operation: Operation
    lines: pd.DataFrame
    superseded: int


class Inventory(InventoryStock):
    """The stock of one store: what we remember of it, and what is on its way."""

    def __init__(self, scope: Scope, audit: Audit, outbox: Outbox, plans: Plans) -> None:
        super().__init__(scope, audit)
        self._outbox = outbox
        self._plans = plans

    def write_plan(
        self,
        frame: pd.DataFrame,
        *,
        flow: str,
        mode: Mode,
        as_of: datetime,
        config_digest: str,
        summary: Mapping[str, Any] | None = None,
    ) -> Plan:
        """Write a plan with its lines (columns: see `inventory_lines.write_changes`). Stages nothing.

        The lines are written before the plan, so a plan that is there has all of them, and lines without one are
        nobody's (docs/adr/010-lines-before-their-plan.md).
        """
        drawn = self._plans.draw()
        digest = lines_sql.write_changes(self._scope, drawn, frame)
        return self._plans.create(
            flow,
            mode=mode,
            as_of=as_of,
            config_digest=config_digest,
            digest=digest,
            lines=len(frame),
            summary=summary,
            drawn=drawn,
        )

    def prove(self, plan: Plan, batch: int = BATCH_LINES) -> list[Evidence]:
        """The digests that `stage_batches` needs, one a batch. A plan's lines stay as they are, so this may run ahead.

        200,000 lines take a second of one connection, and each of two works on half of them.
        """
        spans = _spans(plan, batch)
        half = -(-len(spans) // 2)

        def prove(some: Sequence[Span]) -> list[Evidence]:
            with self._scope.transaction() as tx:
                return evidences(tx, some, "planned")

        with ThreadPoolExecutor(2, thread_name_prefix="prove") as pool:
            return [proof for part in pool.map(prove, (spans[:half], spans[half:])) for proof in part]

    def stage_batches(
        self,
        plan: Plan,
        batch: int = BATCH_LINES,
        *,
        kind: str = KIND,
        proofs: Sequence[Evidence] | None = None,
        conn: sa.Connection | None = None,
    ) -> list[Operation]:
        """One operation per `batch` lines. Only a plan's first call stages; plans in mode `plan` never.

        `proofs` are what `prove` gave for the same batches, where that was begun ahead.
        """
        spans = _spans(plan, batch)
        with self._scope.transaction(conn) as tx:
            if not self._plans.mark_applied(plan.id, conn=tx):
                return []
            # Hashed before the chain's lock is taken, so that the fast lane need not wait for it.
            proofs = proofs if proofs is not None else evidences(tx, spans, "planned")
            intents = [
                Intent(kind, span.natural_key, span.as_payload(), plan.id, proof)
                for span, proof in zip(spans, proofs, strict=True)
            ]
            return self._outbox.stage(plan.flow, intents, conn=tx)

    def claim(
        self,
        worker: Worker,
        flow: str,
        *,
        kinds: Sequence[str] = (KIND,),
        plan_id: int | None = None,
        lines: pd.DataFrame | None = None,
    ) -> Batch | None:
        """Take the oldest planned batch of the flow (or of one plan) that still has something to send.

        `lines` are the plan's lines as they were written, where the caller still holds them: without them the
        batch's are read again. Batches whose lines were all overtaken become `superseded` on the way. None when
        nothing is left.
        """
        while True:
            with self._scope.transaction() as tx:
                taken = self._outbox.take(tx, worker, flow, kinds, 1, plan_id)
                if not taken:
                    return None
                batch = self._claim_lines(tx, taken[0], lines)
            if batch.operation.state == "sending":
                return batch

    def _claim_lines(self, conn: sa.Connection, op: Operation, held: pd.DataFrame | None) -> Batch:
        """Second half of a claim, in its transaction: marks lines as sent, writes the one audit row."""
        span = Span.of(op.payload)
        numbers, superseded = mark_as_sent(conn, self._scope.store, span)
        if held is None or not len(numbers):
            sent = read_lines(conn, span, numbers)
        else:
            sent = held.iloc[numbers].assign(line=numbers)[list(LINE_COLUMNS)].reset_index(drop=True)
        if sent.empty:
            proof = evidence(conn, span, "settled")
            op = self._outbox.supersede(
                op, "every line was overtaken by a newer one", evidence=proof, conn=conn
            )
        else:
            proof = evidence_of_sent(span, sent)
            self._audit.append_many(conn, [entry_for(op, "sending", proof, superseded=superseded)])
        return Batch(op, sent, superseded)

    def note_read(
        self, frame: pd.DataFrame, *, conn: sa.Connection | None = None
    ) -> tuple[int, pd.DataFrame]:
        """NetSuite was read anew (item_id, location_id, read_seq): older unsent lines are `superseded`.

        Call it with everything read, changed or not, before new lines are staged: otherwise a leftover could
        be sent although a later read found the old value right again. Returns the number superseded, and
        the (item_id, location_id) of older lines that are being sent just now and can't be stopped.
        """
        read = frame[["item_id", "location_id", "read_seq"]].rename(columns={"read_seq": "newer_seq"})
        superseded = 0
        flying = [read.loc[[], ["item_id", "location_id"]]]
        with self._scope.transaction(conn) as tx:
            if not self._unsettled(tx):
                return 0, flying[0]
            lock_chain(tx)
            for (_, out), spans in self._unsettled(tx).items():
                older = lines_sql.open_lines(tx, spans).merge(read, on=["item_id", "location_id"])
                older = older.loc[older["read_seq"] < older["newer_seq"]]
                waiting = older["line"].to_numpy(np.int64)
                if out:
                    flying.append(older[["item_id", "location_id"]])
                elif len(waiting):
                    whole = Span(
                        spans[0].plan_id, spans[0].planned_at, int(waiting.min()), int(waiting.max())
                    )
                    superseded += lines_sql.overtake(tx, whole, waiting)
        return superseded, pd.concat(flying, ignore_index=True)

    def withdraw(
        self, plan: Plan, lines: Sequence[int] | np.ndarray[Any, Any], *, conn: sa.Connection | None = None
    ) -> int:
        """Lines of a plan that turned out to be in step before they were sent: `superseded`. Returns how many."""
        numbers = np.asarray(lines, dtype=np.int64)
        if not len(numbers):
            return 0
        whole = Span(plan.id, plan.created_at, int(numbers.min()), int(numbers.max()))
        with self._scope.transaction(conn) as tx:
            return lines_sql.overtake(tx, whole, numbers)

    def _unsettled(self, conn: sa.Connection) -> dict[tuple[int, bool], list[Span]]:
        """By plan and whether they are on their way."""
        query = sa.select(operation.c.payload, operation.c.state.in_(ON_ITS_WAY)).where(
            operation.c.store == self._scope.store,
            operation.c.state.in_(("planned", *ON_ITS_WAY)),
            operation.c.payload.has_key("from_line"),
        )
        spans: dict[tuple[int, bool], list[Span]] = {}
        for payload, out in conn.execute(query):
            span = Span.of(payload)
            spans.setdefault((span.plan_id, out), []).append(span)
        return spans

    def lines(self, op: Operation) -> pd.DataFrame:
        """All lines of the operation as they stand (what is on its way, or a dead worker sent, is `pushed`).

        Columns: line, item_id, sku, product_id, variant_id, tracking, location_id, old, new, reason,
        read_seq, outcome (None = not sent), pushed, read_back (nullable Int64).
        """
        state = sa.select(operation.c.state).where(operation.c.id == op.id)
        with self._scope.transaction() as tx:
            out = tx.execute(state).scalar_one() in ON_ITS_WAY
            return lines_sql.lines_of(tx, Span.of(op.payload), out=out)

    def release(
        self,
        op: Operation,
        reason: str,
        *,
        refused: Sequence[int] = (),
        answer: Mapping[str, Any] | None = None,
        conn: sa.Connection | None = None,
    ) -> Operation:
        """Nothing of the call happened (rate limited, or 422 naming lines): back to `planned`.

        The lines in `refused` are settled as such and left out of the next claim; the rest may be sent again.
        """
        span = Span.of(op.payload)
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            if refused:
                bad = np.asarray(refused, dtype=np.int64)
                lines_sql.settle_lines(
                    tx, self._scope.store, span, bad, [None] * len(bad), ["refused"] * len(bad)
                )
            released = lines_sql.release_lines(tx, span)
            return self._outbox.move(
                op,
                "planned",
                allowed=ON_ITS_WAY,
                reason=f"{reason} ({len(refused)} lines refused, {released} to be sent again)",
                answer=answer,
                event="released",
                conn=tx,
            )

    def split(self, op: Operation, reason: str, *, conn: sa.Connection | None = None) -> list[Operation]:
        """The call was refused without naming a line, so nothing happened: two halves take its place.

        An operation with a single sent line can't be split: its line is settled as `refused`, it fails, and
        the result is empty.
        """
        span = Span.of(op.payload)
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            flying = lines_sql.open_lines(tx, [span])["line"].to_numpy(np.int64)
            if len(flying) < 2:
                self._finish(tx, op, span, rest="refused", reason=reason)
                return []
            lines_sql.release_lines(tx, span)
            cut = int(flying[len(flying) // 2])
            halves = [
                Span(span.plan_id, span.planned_at, span.first, cut - 1),
                Span(span.plan_id, span.planned_at, cut, span.last),
            ]
            self._outbox.supersede(op, f"split in two: {reason}", conn=tx)
            proofs = evidences(tx, halves, "planned")
            intents = [
                Intent(op.kind, half.natural_key, half.as_payload(), op.plan_id, proof)
                for half, proof in zip(halves, proofs, strict=True)
            ]
            return self._outbox.stage(op.flow, intents, conn=tx)

    def settle(
        self,
        op: Operation,
        lines: Sequence[int] | np.ndarray[Any, Any] | pd.Series,
        read_back: Sequence[int | None],
        outcomes: Sequence[str],
        *,
        answer: Mapping[str, Any] | None = None,
        reason: str | None = None,
        conn: sa.Connection | None = None,
    ) -> Operation:
        """End of a batch: what was read back for each sent line, and what that means (one of OUTCOMES).

        Sent lines that are not given become `unconfirmed`; a line that newer ones overtook becomes
        `superseded` unless it is confirmed. `inventory_state` moves for confirmed lines only. The operation
        ends `confirmed` where any line is, else `superseded` after an ambiguous call (the next diff
        computes anew), else `failed`.
        """
        if not len(lines) == len(read_back) == len(outcomes):
            raise ValueError("lines, read_back and outcomes must be equally long")
        unknown = set(outcomes) - set(OUTCOMES)
        if unknown:
            raise ValueError(f"unknown outcomes: {', '.join(sorted(unknown))}")
        if any(seen is None and end == "confirmed" for seen, end in zip(read_back, outcomes, strict=True)):
            raise ValueError("a line can't be confirmed without having been read back")
        span = Span.of(op.payload)
        with self._scope.transaction(conn) as tx:
            numbers = np.asarray(lines, dtype=np.int64)
            settled, proof = lines_sql.settle_lines(tx, self._scope.store, span, numbers, read_back, outcomes)
            ended: dict[str, Any] = {"settled": settled, "proof": proof, "reason": reason, "answer": answer}
            return self._finish(tx, op, span, rest="unconfirmed", allowed=ON_ITS_WAY, **ended)

    def give_up(
        self,
        op: Operation,
        reason: str,
        *,
        outcome: str = "refused",
        answer: Mapping[str, Any] | None = None,
        conn: sa.Connection | None = None,
    ) -> Operation:
        """End a batch of which no line was taken, from any open state: all its open lines get `outcome`."""
        span = Span.of(op.payload)
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            return self._finish(tx, op, span, rest=outcome, reason=reason, answer=answer)

    def drop_old_months(self, now: datetime) -> list[str]:
        """Drop the partitions of `inventory_change` that are older than thirteen months."""
        with self._scope.transaction() as tx:
            return drop_partitions_older_than(tx, self._audit, now)

    def _finish(
        self,
        tx: sa.Connection,
        op: Operation,
        span: Span,
        *,
        rest: str,
        reason: str | None,
        allowed: Sequence[str] = OPEN,
        settled: Mapping[str, int] | None = None,
        proof: Evidence | None = None,
        answer: Mapping[str, Any] | None = None,
    ) -> Operation:
        counts = dict(sorted((settled or {}).items()))
        # Where every line has just been settled, there is no rest, and nothing to be counted in the table.
        if sum(counts.values()) < len(span):
            lines_sql.settle_rest(tx, span, rest, out=op.state in ON_ITS_WAY)
            counts = lines_sql.outcome_counts(tx, span)
        proof = proof or evidence(tx, span, "settled")
        if counts.get("confirmed"):
            state = "confirmed"
        elif op.state == "ambiguous" or set(counts) == {"superseded"}:
            state = "superseded"
        else:
            state = "failed"
        summary = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        return self._outbox.move(
            op,
            state,
            allowed=allowed,
            reason=f"{reason} ({summary})" if reason else summary,
            answer=answer,
            evidence=proof,
            conn=tx,
        )


def _spans(plan: Plan, batch: int) -> list[Span]:
    if not 0 < batch <= BATCH_LINES:
        raise ValueError(f"an adjustment takes 1 to {BATCH_LINES} lines, not {batch}")
    return [
        Span(plan.id, plan.created_at, start, min(start + batch, plan.lines) - 1)
        for start in range(0, plan.lines, batch)
    ]
