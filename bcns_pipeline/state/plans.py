"""What a run would do: one row per plan, applied at most once.

Put here the head of a plan, and how its lines become operations. Do not put the lines here: stock has them in
`inventory_change` (`inventory.py`), all other flows in `plan_line` (`plan_lines.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from bcns_pipeline.state import plan_lines
from bcns_pipeline.state.audit import Audit, Evidence, lock_chain
from bcns_pipeline.state.crypto import Vault
from bcns_pipeline.state.operations import Intent, Operation
from bcns_pipeline.state.outbox import Outbox
from bcns_pipeline.state.plan_lines import SENT, Fate, PlanLine, impact
from bcns_pipeline.state.scope import Scope, digest
from bcns_pipeline.state.tables import plan
from bcns_pipeline.state.tables_orders import plan_line

Mode = Literal["apply", "plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """`digest` covers the lines in order; `applied_at` is set once, when its operations are staged."""

    id: int
    store: str
    flow: str
    run_id: str
    mode: str
    as_of: datetime
    config_digest: str
    digest: str
    lines: int
    summary: Mapping[str, Any]
    created_at: datetime
    applied_at: datetime | None


@dataclass(frozen=True, slots=True)
class Staged:
    """What applying a plan put into the outbox.

    `left_out` are natural keys with an earlier operation still open, and those that were not wanted any more.

    `first_time` is False where the plan had been applied before, or may not be: then nothing was staged.
    """

    operations: tuple[Operation, ...]
    held: tuple[Operation, ...]
    left_out: tuple[str, ...]
    first_time: bool


class Plans:
    """The plans of one store."""

    def __init__(self, scope: Scope, audit: Audit, vault: Vault, outbox: Outbox) -> None:
        self._scope = scope
        self._audit = audit
        self._vault = vault
        self._outbox = outbox

    def create(
        self,
        flow: str,
        *,
        mode: Mode,
        as_of: datetime,
        config_digest: str,
        digest: str = "",
        lines: int = 0,
        summary: Mapping[str, Any] | None = None,
        drawn: tuple[int, datetime] | None = None,
        conn: sa.Connection | None = None,
    ) -> Plan:
        """Write down the head of a plan of this run, with the id and the time that `draw` gave, if it was asked."""
        values: dict[str, Any] = {
            "store": self._scope.store,
            "flow": flow,
            "run_id": self._scope.run_id,
            "mode": mode,
            "as_of": as_of,
            "config_digest": config_digest,
            "digest": digest,
            "lines": lines,
            "summary": dict(summary or {}),
        }
        if drawn is not None:
            values["id"], values["created_at"] = drawn
        with self._scope.transaction(conn) as tx:
            return Plan(**tx.execute(sa.insert(plan).values(**values).returning(plan)).mappings().one())

    def draw(self) -> tuple[int, datetime]:
        """The id and the time of a plan to come, whose lines are written before it is."""
        query = sa.text(f"select nextval(pg_get_serial_sequence('{plan.fullname}', 'id')), now()")
        with self._scope.transaction() as tx:
            number, at = tx.execute(query).one()
        return number, at

    def write_lines(
        self, made: Plan, lines: Sequence[PlanLine], *, conn: sa.Connection | None = None
    ) -> Plan:
        """Write the lines of a plan, its digest, and in its summary what they do and how much money they move.

        Equal lines give an equal digest, whichever run made them; it is keyed, because lines hold personal data.
        """
        # Taken of what was planned, not of what is stored: sealed twice, the same content is two ciphertexts.
        content = [one.content() for one in lines]
        sealed_any = any(one.subject is not None for one in lines)
        mark = self._vault.seal_digest(content) if sealed_any else digest(content)
        with self._scope.transaction(conn) as tx:
            sealed = self._vault.seal_many([(one.payload, one.subject) for one in lines], conn=tx)
            if lines:
                plan_lines.write(tx, self._scope.store, made.id, lines, sealed)
            change = (
                sa.update(plan)
                .where(plan.c.id == made.id)
                .values(digest=mark, lines=len(lines), summary={**made.summary, **impact(lines)})
                .returning(plan)
            )
            written = Plan(**tx.execute(change).mappings().one())
            if lines:
                where = {"phase": "plan_lines", "plan_id": made.id}
                count, proof = plan_lines.recompute(tx, where)
                body = {"flow": made.flow, "mode": made.mode, "config": made.config_digest}
                lock_chain(tx)
                evidence = Evidence(count, proof, where)
                self._audit.append(tx, "plan.written", f"plan:{made.id}", body, evidence)
        return written

    def lines(self, made: Plan, *, conn: sa.Connection | None = None) -> list[PlanLine]:
        """The lines of a plan with their payloads in clear; an erased shopper's payload is empty."""
        with self._scope.transaction(conn) as tx:
            stored = plan_lines.read(tx, self._scope.store, made.id)
            opened = self._vault.open_many([one.payload for one in stored], conn=tx)
        return [replace(one, payload=payload or {}) for one, payload in zip(stored, opened, strict=True)]

    def stage(
        self,
        made: Plan,
        *,
        held: Callable[[PlanLine], str | None] | Mapping[str, str] | None = None,
        without: Collection[str] = (),
        staged_by: str | None = None,
        conn: sa.Connection | None = None,
    ) -> Staged:
        """Stage the lines that write (`SENT`), in their order. Only the first call for a plan in mode `apply` does.

        `held` gives the reason for which a line waits for approval (None lets it go): by the line, whose payload
        is sealed here, or by natural key. `without` are the natural keys of lines that are not wanted any more.
        """
        with self._scope.transaction(conn) as tx:
            if not self.mark_applied(made.id, conn=tx):
                return Staged((), (), (), False)
            lines = [one for one in plan_lines.read(tx, self._scope.store, made.id) if one.action in SENT]
            lock_chain(tx)
            staged: list[Operation] = []
            # In one go for each reason, so that a plan without held lines keeps the order of its lines.
            wanted = [one for one in lines if one.natural_key not in without]
            for reason, some in _by_reason(wanted, held).items():
                intents = [_intent(made, one) for one in some]
                staged += self._outbox.stage(made.flow, intents, held=reason, staged_by=staged_by, conn=tx)
            by_key = {(op.kind, op.natural_key): op for op in staged}
            fates: dict[int, tuple[Fate, int | None]] = {}
            left_out: list[str] = []
            for one in lines:
                assert one.line is not None
                op = by_key.pop((one.kind, one.natural_key), None)
                if op is None:
                    left_out.append(one.natural_key)
                    fates[one.line] = ("left_out", None)
                else:
                    fates[one.line] = ("held" if op.state == "held" else "planned", op.id)
            if fates:
                plan_lines.note_fates(tx, made.id, fates)
        return Staged(
            tuple(sorted((op for op in staged if op.state == "planned"), key=lambda op: op.id)),
            tuple(op for op in staged if op.state == "held"),
            tuple(left_out),
            True,
        )

    def mark_applied(self, plan_id: int, *, conn: sa.Connection | None = None) -> bool:
        """True for the first caller only. Part of the transaction that stages the plan's operations."""
        change = (
            sa.update(plan)
            .where(plan.c.id == plan_id, plan.c.store == self._scope.store, plan.c.applied_at.is_(None))
            .where(plan.c.mode == "apply")
            .values(applied_at=sa.func.now())
        )
        with self._scope.transaction(conn) as tx:
            return tx.execute(change).rowcount == 1

    def get(self, plan_id: int, *, conn: sa.Connection | None = None) -> Plan | None:
        """The plan with this id, or None."""
        query = sa.select(plan).where(plan.c.id == plan_id, plan.c.store == self._scope.store)
        with self._scope.transaction(conn) as tx:
            row = tx.execute(query).mappings().one_or_none()
        return Plan(**row) if row else None

    def operations_about(
        self, labels: Collection[str], kinds: Collection[str], *, conn: sa.Connection | None = None
    ) -> list[int]:
        """Ids of the operations that lines of these kinds with these labels became, in the order of their plans."""
        query = (
            sa.select(plan_line.c.operation_id)
            .where(
                plan_line.c.store == self._scope.store,
                plan_line.c.label == sa.any_(sa.cast(sorted(labels), sa.ARRAY(sa.Text))),
                plan_line.c.kind.in_(kinds),
                plan_line.c.operation_id.is_not(None),
            )
            .order_by(plan_line.c.plan_id, plan_line.c.line)
        )
        with self._scope.transaction(conn) as tx:
            return list(tx.execute(query).scalars())

    def of_run(self, run_id: str, flow: str | None = None) -> list[Plan]:
        """The plans that this run made, oldest first."""
        query = sa.select(plan).where(plan.c.store == self._scope.store, plan.c.run_id == run_id)
        if flow is not None:
            query = query.where(plan.c.flow == flow)
        with self._scope.transaction() as tx:
            return [Plan(**row) for row in tx.execute(query.order_by(plan.c.id)).mappings()]

    def since(self, flow: str, moment: datetime) -> list[Plan]:
        """The plans of a flow that were made since then, oldest first."""
        wanted = (plan.c.store == self._scope.store, plan.c.flow == flow, plan.c.created_at >= moment)
        with self._scope.transaction() as tx:
            rows = tx.execute(sa.select(plan).where(*wanted).order_by(plan.c.id)).mappings()
            return [Plan(**row) for row in rows]


def _by_reason(
    lines: Sequence[PlanLine], held: Callable[[PlanLine], str | None] | Mapping[str, str] | None
) -> dict[str | None, list[PlanLine]]:
    sorted_by: dict[str | None, list[PlanLine]] = {}
    for one in lines:
        if held is None:
            reason = None
        elif isinstance(held, Mapping):
            reason = held.get(one.natural_key)
        else:
            reason = held(one)
        sorted_by.setdefault(reason, []).append(one)
    return sorted_by


def _intent(made: Plan, one: PlanLine) -> Intent:
    return Intent(
        one.kind,
        one.natural_key,
        one.payload,
        made.id,
        group_key=one.group_key,
        amount_minor=None if one.amount is None else one.amount.minor,
        currency=None if one.amount is None else one.amount.currency,
    )
