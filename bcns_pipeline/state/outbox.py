"""The outbox: every intended write is a row here before it is sent, and its end is written here after.

Put here the life of an operation: `planned -> sending -> confirmed`, or `held`, `failed`, `ambiguous`,
`superseded`. Do not put here what one kind of operation means (the lines of stock are in `inventory.py`), and
no HTTP; reads are in `outbox_reads.py`. Each transition has exactly one audit row in the same transaction, and
is refused (`Overtaken`) where the operation is no longer as the caller saw it.

A process may die at any line. Before `claim` committed nothing was sent; after it, the row says `sending`,
and once the dead worker's lock is free `recover` makes it `ambiguous`: look the key up, never just resend.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state import outbox_sql as sql
from bcns_pipeline.state.audit import Audit, Entry, Evidence, lock_chain
from bcns_pipeline.state.crypto import Vault
from bcns_pipeline.state.operations import (
    OPEN,
    Intent,
    Move,
    Operation,
    Overtaken,
    SelfApproval,
    entry_for,
)
from bcns_pipeline.state.outbox_reads import COLUMNS, OutboxReads, read
from bcns_pipeline.state.scope import Scope, canonical, digest
from bcns_pipeline.state.tables import operation
from bcns_pipeline.state.worker import Worker, WorkerLost


class Outbox(OutboxReads):
    """The operations of one store. Every method takes `conn` to become part of the caller's transaction."""

    def __init__(self, scope: Scope, audit: Audit, vault: Vault) -> None:
        super().__init__(scope, vault)
        self._audit = audit

    def stage(
        self,
        flow: str,
        intents: Sequence[Intent],
        *,
        held: str | None = None,
        staged_by: str | None = None,
        conn: sa.Connection | None = None,
    ) -> list[Operation]:
        """Write intentions down as `planned`, or as `held` for the reason given; returns the new ones.

        An intention whose natural key has an open operation already is left out: it waits for the next plan.
        `staged_by` is the person who stages by hand, and who then may not approve.
        """
        if not intents:
            return []
        state = "held" if held else "planned"
        with self._scope.transaction(conn) as tx:
            # Sealed before the chain's lock is taken, so that others need not wait for it.
            payloads = self._vault.seal_many([(one.payload, one.subject) for one in intents], conn=tx)
            rows = [
                {
                    "store": self._scope.store,
                    "flow": flow,
                    "kind": intent.kind,
                    "natural_key": intent.natural_key,
                    "plan_id": intent.plan_id,
                    "run_id": self._scope.run_id,
                    "payload": payload,
                    "state": state,
                    "reason": held,
                    "group_key": intent.group_key,
                    "amount_minor": intent.amount_minor,
                    "currency": intent.currency,
                    "staged_by": staged_by,
                }
                for intent, payload in zip(intents, payloads, strict=True)
            ]
            lock_chain(tx)
            # One statement for many rows may number them as it likes; groups are sent in the order of ids.
            ids = tx.execute(sql.DRAW_IDS, {"count": len(rows)}).scalars()
            rows = [{"id": number, **row} for number, row in zip(sorted(ids), rows, strict=True)]
            made = {row["id"]: read(row) for row in tx.execute(sql.INSERT, rows).mappings()}
            entries = [
                entry_for(made[row["id"]], state, intent.evidence, payload=digest(made[row["id"]].payload))
                for row, intent in zip(rows, intents, strict=True)
                if row["id"] in made
            ]
            self._audit.append_many(tx, entries, actor=staged_by)
        return [made[number] for number in sorted(made)]

    def claim(
        self,
        worker: Worker,
        flow: str,
        kinds: Sequence[str],
        limit: int = 1,
        *,
        ids: Sequence[int] | None = None,
        conn: sa.Connection | None = None,
    ) -> list[Operation]:
        """Take up to `limit` planned operations, oldest first, and mark them `sending` by this worker.

        Of a group only the first that is not settled is taken, whichever flow it belongs to; with `ids`, only
        those. Send only after this has committed, and after `worker.assert_alive()`.
        """
        with self._scope.transaction(conn) as tx:
            claimed = self.take(tx, worker, flow, kinds, limit, ids=ids)
            self._audit.append_many(tx, [entry_for(op, "sending") for op in claimed])
        return claimed

    def take(
        self,
        conn: sa.Connection,
        worker: Worker,
        flow: str,
        kinds: Sequence[str],
        limit: int = 1,
        plan_id: int | None = None,
        ids: Sequence[int] | None = None,
    ) -> list[Operation]:
        """The claim without its audit row, for a caller in this room that writes one with evidence."""
        lock_chain(conn)
        # The lock can only be had where the worker's own session has lost it.
        if conn.execute(sql.CAN_LOCK, {"worker": worker.id}).scalar_one():
            raise WorkerLost("the database no longer knows this worker: its session ended")
        values = {
            "store": self._scope.store,
            "flow": flow,
            "kinds": list(kinds),
            "limit": limit,
            "plan_id": plan_id,
            "ids": None if ids is None else list(ids),
            "worker": worker.id,
        }
        rows = conn.execute(sql.CLAIM, values).mappings()
        return sorted((read(row) for row in rows), key=lambda op: op.id)

    def record_answer(
        self, op: Operation, answer: Mapping[str, Any], *, conn: sa.Connection | None = None
    ) -> Operation:
        """Note what the other side said; the operation stays `sending` until it was read back."""
        return self.move(op, "sending", allowed=("sending",), answer=answer, event="answered", conn=conn)

    def confirm(
        self,
        op: Operation,
        *,
        answer: Mapping[str, Any] | None = None,
        evidence: Evidence | None = None,
        reason: str | None = None,
        conn: sa.Connection | None = None,
    ) -> Operation:
        """It happened, and we know it: by the other side's answer with an id, or by looking it up."""
        return self.move(
            op,
            "confirmed",
            allowed=("sending", "ambiguous"),
            answer=answer,
            evidence=evidence,
            reason=reason,
            conn=conn,
        )

    def fail(
        self,
        op: Operation,
        reason: str,
        *,
        answer: Mapping[str, Any] | None = None,
        evidence: Evidence | None = None,
        conn: sa.Connection | None = None,
    ) -> Operation:
        """It did not happen and will not: refused by the other side, or given up by a person."""
        return self.move(op, "failed", reason=reason, answer=answer, evidence=evidence, conn=conn)

    def hold(self, op: Operation, reason: str, *, conn: sa.Connection | None = None) -> Operation:
        """Stop it until a person releases it."""
        return self.move(op, "held", allowed=("planned", "sending", "ambiguous"), reason=reason, conn=conn)

    def release(
        self,
        op: Operation,
        reason: str,
        *,
        evidence: Evidence | None = None,
        actor: str | None = None,
        conn: sa.Connection | None = None,
    ) -> Operation:
        """Back to `planned`: nothing happened (rate limited, looked up in vain), or a person said go."""
        return self.move(
            op,
            "planned",
            allowed=("held", "sending", "ambiguous"),
            reason=reason,
            evidence=evidence,
            event="released",
            actor=actor,
            conn=conn,
        )

    def supersede(
        self,
        op: Operation,
        reason: str,
        *,
        evidence: Evidence | None = None,
        conn: sa.Connection | None = None,
    ) -> Operation:
        """A newer intention takes its place; it is not sent (again)."""
        return self.move(op, "superseded", reason=reason, evidence=evidence, conn=conn)

    def doubt(self, op: Operation, reason: str, *, conn: sa.Connection | None = None) -> Operation:
        """The call may or may not have happened (time-out, reset, 5xx): `sending` becomes `ambiguous`."""
        return self.move(op, "ambiguous", allowed=("sending",), reason=reason, conn=conn)

    def recover(self, flow: str, *, conn: sa.Connection | None = None) -> list[Operation]:
        """Doubt what dead workers were sending; returns every ambiguous operation of the flow, oldest first.

        A worker is dead when its lock can be taken. Just after a kill the server may need a moment to notice.
        """
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            values = {"store": self._scope.store, "flow": flow}
            workers = tx.execute(sql.SENDING_WORKERS, values).scalars().all()
            dead = [w for w in workers if w is None or tx.execute(sql.CAN_LOCK, {"worker": w}).scalar_one()]
            if dead:
                rows = tx.execute(
                    sql.DOUBT_DEAD, {**values, "dead": [w for w in dead if w is not None]}
                ).mappings()
                found = sorted((read(row) for row in rows), key=lambda op: op.id)
                self._audit.append_many(tx, [entry_for(op, "ambiguous") for op in found])
            return self.find(flow=flow, states=("ambiguous",), conn=tx)

    def approve(
        self, op: Operation, reason: str, *, actor: str, conn: sa.Connection | None = None
    ) -> Operation:
        """A person lets a held operation go. Raises `SelfApproval` for the one who staged it by hand."""
        if op.staged_by == actor:
            raise SelfApproval(f"{actor} staged operation {op.id} by hand; somebody else has to approve it")
        return self.move(
            op, "planned", allowed=("held",), reason=reason, event="approved", actor=actor, conn=conn
        )

    def cancel(
        self, op: Operation, reason: str, *, actor: str, conn: sa.Connection | None = None
    ) -> Operation:
        """A person gives up what was not sent yet: `failed`. What may have been sent has to be looked up."""
        return self.move(
            op,
            "failed",
            allowed=("planned", "held"),
            reason=reason,
            event="cancelled",
            actor=actor,
            conn=conn,
        )

    def move_many(self, moves: Sequence[Move], *, conn: sa.Connection | None = None) -> list[Operation]:
        """Many transitions at once, each with its audit row; returns the operations as they are now.

        One that is no longer as the caller saw it stays as it is and is left out of the result: another
        process was first. ValueError for a transition that there is not.
        """
        with self._scope.transaction(conn) as tx:
            moved, entries = self._moved(tx, moves)
            self._audit.append_many(tx, entries)
        return moved

    def turn(
        self,
        worker: Worker,
        flow: str,
        kinds: Sequence[str],
        moves: Sequence[Move],
        limit: int,
        *,
        conn: sa.Connection | None = None,
    ) -> tuple[list[Operation], list[Operation]]:
        """`move_many` and then `claim`, with one look at the chain for both: (moved, claimed).

        A drain does this every few milliseconds, and all that write wait for the chain meanwhile.
        """
        with self._scope.transaction(conn) as tx:
            moved, entries = self._moved(tx, moves)
            claimed = self.take(tx, worker, flow, kinds, limit) if limit else []
            self._audit.append_many(tx, entries + [entry_for(op, "sending") for op in claimed])
        return moved, claimed

    def _moved(self, tx: sa.Connection, moves: Sequence[Move]) -> tuple[list[Operation], list[Entry]]:
        for one in moves:
            if one.op.state not in _FROM[one.state]:
                raise ValueError(f"an operation does not go from {one.op.state} to {one.state}")
        if not moves:
            return [], []
        values = {
            "store": self._scope.store,
            "ids": [one.op.id for one in moves],
            "were": [one.op.state for one in moves],
            "attempts": [one.op.attempts for one in moves],
            "workers": [one.op.worker for one in moves],
            "states": [one.state for one in moves],
            "reasons": [one.reason for one in moves],
            "answers": [None if one.answer is None else canonical(dict(one.answer)) for one in moves],
        }
        lock_chain(tx)
        now = {row["id"]: read(row) for row in tx.execute(sql.MOVE, values).mappings()}
        there = [one for one in moves if one.op.id in now]
        entries = [
            entry_for(now[one.op.id], one.event or one.state, reason=one.reason, answer=one.answer)
            for one in there
        ]
        return [now[one.op.id] for one in there], entries

    def move(
        self,
        op: Operation,
        state: str,
        *,
        allowed: Sequence[str] = OPEN,
        reason: str | None = None,
        answer: Mapping[str, Any] | None = None,
        evidence: Evidence | None = None,
        event: str | None = None,
        actor: str | None = None,
        conn: sa.Connection | None = None,
    ) -> Operation:
        """One transition with its audit row, or `Overtaken`. The named methods are the public way in."""
        values: dict[str, Any] = {"state": state}
        if reason is not None:
            values["reason"] = reason
        if answer is not None:
            values["answer"] = dict(answer)
        if state not in OPEN:
            values["settled_at"] = sa.func.now()
        change = (
            sa.update(operation)
            .where(
                operation.c.id == op.id,
                operation.c.store == self._scope.store,
                operation.c.state.in_(allowed),
                operation.c.state == op.state,
                operation.c.attempts == op.attempts,
                operation.c.worker.is_not_distinct_from(op.worker),
            )
            .values(**values)
            .returning(*COLUMNS)
        )
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            row = tx.execute(change).mappings().one_or_none()
            if row is None:
                raise Overtaken(
                    f"operation {op.id} is no longer {op.state} in attempt {op.attempts} "
                    f"(allowed from {', '.join(allowed)}); it can't become {state}"
                )
            moved = read(row)
            entry = entry_for(moved, event or state, evidence, reason=reason, answer=answer)
            self._audit.append_many(tx, [entry], actor=actor)
        return moved


# From which states each state can be reached; the named methods above allow less.
_FROM = {
    "planned": ("held", "sending", "ambiguous"),
    "confirmed": ("sending", "ambiguous"),
    "ambiguous": ("sending",),
    "failed": OPEN,
    "superseded": OPEN,
}
