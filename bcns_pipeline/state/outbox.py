"""The outbox: every intended write is a row here before it is sent, and its end is written here after.

Put here the life of an operation: `planned -> sending -> confirmed`, or `held`, `failed`, `ambiguous`,
`superseded`. Do not put here what one kind of operation means (the lines of stock are in `inventory.py`), and
no HTTP. Each transition is one transaction with exactly one audit row, and is refused (`Overtaken`) where
the operation is no longer as the caller saw it.

A process may die at any line. Before `claim` committed nothing was sent; after it, the row says `sending`,
and once the dead worker's lock is free `recover` makes it `ambiguous`: look the key up, never just resend.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.audit import Audit, Entry, Evidence, lock_chain
from bcns_pipeline.state.crypto import Vault
from bcns_pipeline.state.operations import OPEN, Intent, Operation, Overtaken, entry_for
from bcns_pipeline.state.scope import Scope, digest
from bcns_pipeline.state.tables import operation
from bcns_pipeline.state.worker import Worker, WorkerLost


class Outbox:
    """The operations of one store. Every method takes `conn` to become part of the caller's transaction."""

    def __init__(self, scope: Scope, audit: Audit, vault: Vault) -> None:
        self._scope = scope
        self._audit = audit
        self._vault = vault

    def stage(
        self,
        flow: str,
        intents: Sequence[Intent],
        *,
        held: str | None = None,
        conn: sa.Connection | None = None,
    ) -> list[Operation]:
        """Write intentions down as `planned`, or as `held` for the reason given; returns the new ones.

        An intention whose natural key has an open operation already is left out: it waits for the next plan.
        """
        state = "held" if held else "planned"
        staged: list[Operation] = []
        entries: list[Entry] = []
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            for intent in intents:
                row = (
                    tx.execute(_INSERT, self._values(tx, flow, intent, state, held)).mappings().one_or_none()
                )
                if row is None:
                    continue
                staged.append(Operation(**row))
                entries.append(entry_for(staged[-1], state, intent.evidence, payload=digest(row["payload"])))
            self._audit.append_many(tx, entries)
        return staged

    def claim(
        self,
        worker: Worker,
        flow: str,
        kinds: Sequence[str],
        limit: int = 1,
        *,
        conn: sa.Connection | None = None,
    ) -> list[Operation]:
        """Take up to `limit` planned operations, oldest first, and mark them `sending` by this worker.

        Send only after this has committed, and after `worker.assert_alive()`.
        """
        with self._scope.transaction(conn) as tx:
            claimed = self.take(tx, worker, flow, kinds, limit)
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
    ) -> list[Operation]:
        """The claim without its audit row, for a caller in this room that writes one with evidence."""
        lock_chain(conn)
        # The lock can only be had where the worker's own session has lost it.
        if conn.execute(_CAN_LOCK, {"worker": worker.id}).scalar_one():
            raise WorkerLost("the database no longer knows this worker: its session ended")
        values = {
            "store": self._scope.store,
            "flow": flow,
            "kinds": list(kinds),
            "limit": limit,
            "plan_id": plan_id,
            "worker": worker.id,
        }
        rows = conn.execute(_CLAIM, values).mappings()
        return sorted((Operation(**row) for row in rows), key=lambda op: op.id)

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
            workers = tx.execute(_SENDING_WORKERS, values).scalars().all()
            dead = [w for w in workers if w is None or tx.execute(_CAN_LOCK, {"worker": w}).scalar_one()]
            if dead:
                rows = tx.execute(
                    _DOUBT_DEAD, {**values, "dead": [w for w in dead if w is not None]}
                ).mappings()
                found = sorted((Operation(**row) for row in rows), key=lambda op: op.id)
                self._audit.append_many(tx, [entry_for(op, "ambiguous") for op in found])
            return self.find(flow=flow, states=("ambiguous",), conn=tx)

    def find(
        self,
        *,
        flow: str | None = None,
        kinds: Sequence[str] | None = None,
        states: Sequence[str] = OPEN,
        natural_key: str | None = None,
        plan_id: int | None = None,
        ids: Sequence[int] | None = None,
        limit: int = 100_000,
        conn: sa.Connection | None = None,
    ) -> list[Operation]:
        """The operations that match everything given, oldest first."""
        wanted = [operation.c.store == self._scope.store, operation.c.state.in_(states)]
        if flow is not None:
            wanted.append(operation.c.flow == flow)
        if kinds is not None:
            wanted.append(operation.c.kind.in_(kinds))
        if natural_key is not None:
            wanted.append(operation.c.natural_key == natural_key)
        if plan_id is not None:
            wanted.append(operation.c.plan_id == plan_id)
        if ids is not None:
            wanted.append(operation.c.id.in_(ids))
        with self._scope.transaction(conn) as tx:
            query = sa.select(operation).where(*wanted).order_by(operation.c.id).limit(limit)
            return [Operation(**row) for row in tx.execute(query).mappings()]

    def open_older_than(self, minutes: float, flow: str | None = None) -> list[Operation]:
        """Leftovers: to be sent or looked up, staged longer ago than this. Held ones wait for a person."""
        limit = sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, minutes * 60)
        query = sa.select(operation).where(
            operation.c.store == self._scope.store,
            operation.c.state.in_(("planned", "sending", "ambiguous")),
            operation.c.staged_at < limit,
        )
        if flow is not None:
            query = query.where(operation.c.flow == flow)
        with self._scope.transaction() as tx:
            return [Operation(**row) for row in tx.execute(query.order_by(operation.c.id)).mappings()]

    def payload(self, op: Operation, *, conn: sa.Connection | None = None) -> Mapping[str, Any]:
        """The payload in clear; raises `Erased` where the shopper's key was deleted."""
        return self._vault.open(op.payload, conn=conn)

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
            .returning(operation)
        )
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            row = tx.execute(change).mappings().one_or_none()
            if row is None:
                raise Overtaken(
                    f"operation {op.id} is no longer {op.state} in attempt {op.attempts} "
                    f"(allowed from {', '.join(allowed)}); it can't become {state}"
                )
            moved = Operation(**row)
            entry = entry_for(moved, event or state, evidence, reason=reason, answer=answer)
            self._audit.append_many(tx, [entry], actor=actor)
        return moved

    def _values(
        self, conn: sa.Connection, flow: str, intent: Intent, state: str, reason: str | None
    ) -> dict[str, Any]:
        payload = intent.payload
        if intent.subject is not None:
            payload = self._vault.seal(payload, intent.subject, conn=conn)
        return {
            "store": self._scope.store,
            "flow": flow,
            "kind": intent.kind,
            "natural_key": intent.natural_key,
            "plan_id": intent.plan_id,
            "run_id": self._scope.run_id,
            "payload": dict(payload),
            "state": state,
            "reason": reason,
        }


_COLUMNS = ", ".join(column.name for column in operation.columns)
_INSERT = (
    sa.dialects.postgresql.insert(operation)
    .on_conflict_do_nothing(
        index_elements=["store", "kind", "natural_key"],
        index_where=sa.text("state in ('planned','sending','held','ambiguous')"),
    )
    .returning(operation)
)
_CAN_LOCK = sa.text("select pg_try_advisory_xact_lock(:worker)")
_CLAIM = sa.text(
    f"""
    update {operation.fullname} o
    set state = 'sending', worker = :worker, attempts = attempts + 1, sending_at = clock_timestamp(), answer = null
    from (
        select id from {operation.fullname}
        where store = :store and flow = :flow and state = 'planned' and kind = any(:kinds)
          and (cast(:plan_id as bigint) is null or plan_id = :plan_id)
        order by id limit :limit
        for update skip locked
    ) next
    where o.id = next.id
    returning {", ".join(f"o.{column.name}" for column in operation.columns)}
    """
)
_SENDING_WORKERS = sa.text(
    f"""
    select distinct worker from {operation.fullname}
    where store = :store and flow = :flow and state = 'sending'
    """
)
_DOUBT_DEAD = sa.text(
    f"""
    update {operation.fullname}
    set state = 'ambiguous', reason = 'the worker died before it wrote down how the call ended'
    where id in (
        select id from {operation.fullname}
        where store = :store and flow = :flow and state = 'sending'
          and (worker is null or worker = any(:dead))
        for update
    )
    returning {_COLUMNS}
    """
)
