"""Open questions: what could not be done by itself, since when, and who owns it.

Put opening, healing and resolving here. Do not put the catalogue of codes here (`rules/exceptions.py`). The
same question asked again is counted, not doubled; one whose cause is gone heals by itself. Subjects and
texts carry no personal data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from bcns_pipeline.state.audit import Audit, Entry, lock_chain
from bcns_pipeline.state.scope import Scope, digest
from bcns_pipeline.state.tables import exception

Resolution = Literal["healed", "approved", "dismissed"]
# So many subjects stand in an audit row in clear; the digest covers all of them.
_SAMPLE = 20


@dataclass(frozen=True, slots=True)
class Question:
    """What `open` writes. `subject` names one thing: "sku:RE-130", "location:3", "flow:inventory"."""

    code: str
    subject: str
    message: str
    severity: Literal["error", "warning"] = "error"
    owner: str = "operations"
    detail: Mapping[str, Any] = field(default_factory=dict)
    amount_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """One question as stored. `count` is how often it was met; `resolved_at` is None while it is open."""

    id: int
    store: str
    flow: str
    code: str
    severity: str
    owner: str
    subject: str
    message: str
    amount_minor: int | None
    currency: str | None
    detail: Mapping[str, Any]
    run_id: str | None
    count: int
    opened_at: datetime
    last_seen_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None
    resolution_reason: str | None
    assigned_to: str | None = None
    assigned_at: datetime | None = None
    retry_requested_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """Open questions of one flow, code, severity and owner: how many, and since when the oldest is open."""

    flow: str
    code: str
    severity: str
    owner: str
    count: int
    oldest: datetime


class Exceptions:
    """The exceptions of one store."""

    def __init__(self, scope: Scope, audit: Audit) -> None:
        self._scope = scope
        self._audit = audit

    def open(self, flow: str, question: Question, *, conn: sa.Connection | None = None) -> None:
        """Ask one question, or count it again where it is open already."""
        self.open_many(flow, [question], conn=conn)

    def open_many(
        self, flow: str, questions: Sequence[Question], *, conn: sa.Connection | None = None
    ) -> int:
        """Ask many at once; returns how many are new. One audit row per code that has new ones."""
        # Within one statement PostgreSQL does not touch a row twice; the last of equal questions stands.
        rows = {(one.code, one.subject): self._values(flow, one) for one in questions}
        if not rows:
            return 0
        insert = sa.dialects.postgresql.insert(exception)
        merged = insert.on_conflict_do_update(
            index_elements=["store", "flow", "code", "subject"],
            index_where=sa.text("resolved_at is null"),
            set_={
                "message": insert.excluded.message,
                "severity": insert.excluded.severity,
                "owner": insert.excluded.owner,
                "detail": insert.excluded.detail,
                "amount_minor": insert.excluded.amount_minor,
                "currency": insert.excluded.currency,
                "run_id": insert.excluded.run_id,
                "count": exception.c.count + 1,
                "last_seen_at": sa.func.now(),
            },
        ).returning(exception.c.code, exception.c.subject, exception.c.count.label("times"))
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            written = tx.execute(merged, list(rows.values())).all()
            fresh: dict[str, list[str]] = {}
            for row in written:
                if row.times == 1:
                    fresh.setdefault(row.code, []).append(row.subject)
            for code, subjects in sorted(fresh.items()):
                self._note(tx, "exception.opened", flow, code, subjects)
        return sum(len(subjects) for subjects in fresh.values())

    def keep_only(
        self, flow: str, code: str, subjects: Sequence[str], *, conn: sa.Connection | None = None
    ) -> list[str]:
        """Heal the open ones of this code that are not in `subjects` any more; returns their subjects.

        Only for a caller that has looked at everything: what was not read has not healed.
        """
        heal = (
            sa.update(exception)
            .where(
                exception.c.store == self._scope.store,
                exception.c.flow == flow,
                exception.c.code == code,
                exception.c.resolved_at.is_(None),
                exception.c.subject != sa.all_(sa.cast(list(subjects), sa.ARRAY(sa.Text))),
            )
            .values(**_healed())
            .returning(exception.c.subject)
        )
        return self._heal(heal, flow, code, conn)

    def heal(
        self, flow: str, code: str, subjects: Sequence[str], *, conn: sa.Connection | None = None
    ) -> list[str]:
        """Heal the open ones of this code whose subject is in `subjects`; returns those that were open."""
        if not subjects:
            return []
        heal = (
            sa.update(exception)
            .where(
                exception.c.store == self._scope.store,
                exception.c.flow == flow,
                exception.c.code == code,
                exception.c.resolved_at.is_(None),
                exception.c.subject == sa.any_(sa.cast(list(subjects), sa.ARRAY(sa.Text))),
            )
            .values(**_healed())
            .returning(exception.c.subject)
        )
        return self._heal(heal, flow, code, conn)

    def heal_codes(
        self, flow: str, codes: Sequence[str], subjects: Sequence[str], *, conn: sa.Connection | None = None
    ) -> None:
        """`heal` for several codes in one statement: a drain does it in each of its turns."""
        if not subjects:
            return
        change = (
            sa.update(exception)
            .where(
                exception.c.store == self._scope.store,
                exception.c.flow == flow,
                exception.c.code == sa.any_(sa.cast(list(codes), sa.ARRAY(sa.Text))),
                exception.c.resolved_at.is_(None),
                exception.c.subject == sa.any_(sa.cast(list(subjects), sa.ARRAY(sa.Text))),
            )
            .values(**_healed())
            .returning(exception.c.code, exception.c.subject)
        )
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            healed: dict[str, list[str]] = {}
            for row in tx.execute(change):
                healed.setdefault(row.code, []).append(row.subject)
            for code, found in sorted(healed.items()):
                self._note(tx, "exception.healed", flow, code, found)

    def resolve(
        self,
        exception_id: int,
        resolution: Resolution,
        reason: str,
        *,
        actor: str,
        conn: sa.Connection | None = None,
    ) -> ExceptionRow | None:
        """A person's decision, with actor and reason. None where it is unknown or resolved already."""
        change = (
            sa.update(exception)
            .where(
                exception.c.id == exception_id,
                exception.c.store == self._scope.store,
                exception.c.resolved_at.is_(None),
            )
            .values(
                resolved_at=sa.func.now(), resolved_by=actor, resolution=resolution, resolution_reason=reason
            )
            .returning(exception)
        )
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            row = tx.execute(change).mappings().one_or_none()
            if row is None:
                return None
            body = {
                "code": row["code"],
                "subject": row["subject"],
                "resolution": resolution,
                "reason": reason,
            }
            self._audit.append(tx, "exception.resolved", f"exception:{exception_id}", body, actor=actor)
        return ExceptionRow(**row)

    def assign(
        self, exception_id: int, to: str, *, actor: str, conn: sa.Connection | None = None
    ) -> ExceptionRow | None:
        """Somebody takes it, or is given it. None where it is unknown or resolved already."""
        change = {"assigned_to": to, "assigned_at": sa.func.now()}
        found = self._decided([exception_id], change, "exception.assigned", {"to": to}, actor, conn)
        return found[0] if found else None

    def request_retry(
        self, exception_ids: Sequence[int], *, actor: str, conn: sa.Connection | None = None
    ) -> list[ExceptionRow]:
        """A person asks for these to be tried again by the next run; returns those that are open."""
        change = {"retry_requested_at": sa.func.now()}
        return self._decided(exception_ids, change, "exception.retry_requested", {}, actor, conn)

    def take_retries(self, flow: str, *, conn: sa.Connection | None = None) -> list[ExceptionRow]:
        """The open ones that somebody asked to be tried again; asks for them are used up by this."""
        taken = (
            sa.update(exception)
            .where(
                exception.c.store == self._scope.store,
                exception.c.flow == flow,
                exception.c.resolved_at.is_(None),
                exception.c.retry_requested_at.is_not(None),
            )
            .values(retry_requested_at=None)
            .returning(exception)
        )
        with self._scope.transaction(conn) as tx:
            rows = [ExceptionRow(**row) for row in tx.execute(taken).mappings()]
        return sorted(rows, key=lambda row: row.id)

    def backlog(self, *, conn: sa.Connection | None = None) -> list[Backlog]:
        """Everything open, counted for alarms; the oldest first."""
        oldest = sa.func.min(exception.c.opened_at)
        keys = (exception.c.flow, exception.c.code, exception.c.severity, exception.c.owner)
        query = (
            sa.select(*keys, sa.func.count(), oldest)
            .where(exception.c.store == self._scope.store, exception.c.resolved_at.is_(None))
            .group_by(*keys)
            .order_by(oldest, *keys)
        )
        with self._scope.transaction(conn) as tx:
            return [Backlog(*row) for row in tx.execute(query)]

    def find(
        self,
        *,
        flow: str | None = None,
        code: str | None = None,
        subject: str | None = None,
        open_only: bool = True,
        limit: int | None = None,
        conn: sa.Connection | None = None,
    ) -> list[ExceptionRow]:
        """Exceptions that match everything given, oldest first; all of them, or up to `limit`."""
        query = sa.select(exception).where(exception.c.store == self._scope.store)
        for name, value in {"flow": flow, "code": code, "subject": subject}.items():
            if value is not None:
                query = query.where(exception.c[name] == value)
        if open_only:
            query = query.where(exception.c.resolved_at.is_(None))
        with self._scope.transaction(conn) as tx:
            rows = tx.execute(query.order_by(exception.c.id).limit(limit)).mappings()
            return [ExceptionRow(**row) for row in rows]

    def is_open(self, flow: str, code: str, subject: str | None = None) -> bool:
        """Whether such a question is open, e.g. the breaker's."""
        return bool(self.find(flow=flow, code=code, subject=subject, limit=1))

    def counts(self) -> dict[tuple[str, str], int]:
        """How many are open by (flow, code)."""
        query = (
            sa.select(exception.c.flow, exception.c.code, sa.func.count())
            .where(exception.c.store == self._scope.store, exception.c.resolved_at.is_(None))
            .group_by(exception.c.flow, exception.c.code)
        )
        with self._scope.transaction() as tx:
            return {(flow, code): count for flow, code, count in tx.execute(query)}

    def _decided(
        self,
        exception_ids: Sequence[int],
        change: Mapping[str, Any],
        event: str,
        body: Mapping[str, Any],
        actor: str,
        conn: sa.Connection | None,
    ) -> list[ExceptionRow]:
        """A person's decision over open ones, with one audit row each."""
        update = (
            sa.update(exception)
            .where(
                exception.c.id.in_(list(exception_ids)),
                exception.c.store == self._scope.store,
                exception.c.resolved_at.is_(None),
            )
            .values(**change)
            .returning(exception)
        )
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            rows = sorted(
                (ExceptionRow(**row) for row in tx.execute(update).mappings()), key=lambda row: row.id
            )
            entries = [
                Entry(event, f"exception:{row.id}", {"code": row.code, "subject": row.subject, **body})
                for row in rows
            ]
            self._audit.append_many(tx, entries, actor=actor)
        return rows

    def _heal(self, heal: sa.UpdateBase, flow: str, code: str, conn: sa.Connection | None) -> list[str]:
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            healed = sorted(tx.execute(heal).scalars())
            if healed:
                self._note(tx, "exception.healed", flow, code, healed)
        return healed

    def _note(self, conn: sa.Connection, kind: str, flow: str, code: str, subjects: list[str]) -> None:
        ordered = sorted(subjects)
        body = {
            "flow": flow,
            "count": len(ordered),
            "subjects": ordered[:_SAMPLE],
            "subjects_digest": digest(ordered),
        }
        self._audit.append(conn, kind, f"exception:{code}", body)

    def _values(self, flow: str, one: Question) -> dict[str, Any]:
        return {
            "store": self._scope.store,
            "flow": flow,
            "code": one.code,
            "severity": one.severity,
            "owner": one.owner,
            "subject": one.subject,
            "message": one.message,
            "amount_minor": one.amount_minor,
            "currency": one.currency,
            "detail": dict(one.detail),
            "run_id": self._scope.run_id or None,
        }


def _healed() -> dict[str, Any]:
    return {
        "resolved_at": sa.func.now(),
        "resolved_by": "bcns",
        "resolution": "healed",
        "resolution_reason": "the cause is gone",
    }
