"""What a run would do: one row per plan, applied at most once.

Put here the head of a plan. Do not put its lines here: stock has them in `inventory_change`, other flows in
their operations' payloads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.tables import plan

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


class Plans:
    """The plans of one store."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

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
        conn: sa.Connection | None = None,
    ) -> Plan:
        """Write down the head of a plan of this run."""
        values = {
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
        with self._scope.transaction(conn) as tx:
            return Plan(**tx.execute(sa.insert(plan).values(**values).returning(plan)).mappings().one())

    def complete(self, made: Plan, *, digest: str, lines: int, conn: sa.Connection | None = None) -> Plan:
        """Add the digest and count of the lines, once they are written."""
        change = (
            sa.update(plan).where(plan.c.id == made.id).values(digest=digest, lines=lines).returning(plan)
        )
        with self._scope.transaction(conn) as tx:
            return Plan(**tx.execute(change).mappings().one())

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

    def of_run(self, run_id: str, flow: str | None = None) -> list[Plan]:
        """The plans that this run made, oldest first."""
        query = sa.select(plan).where(plan.c.store == self._scope.store, plan.c.run_id == run_id)
        if flow is not None:
            query = query.where(plan.c.flow == flow)
        with self._scope.transaction() as tx:
            return [Plan(**row) for row in tx.execute(query.order_by(plan.c.id)).mappings()]
