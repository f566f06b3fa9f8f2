"""Which orders a plan has to look at, and whose they are until it is applied.

Put here what makes an order due, and how a run takes due orders in hand. Do not put here what becomes of them.

An order that was planned is `open` until its plan is applied, so that a plan that nobody applies changes nothing.
Meanwhile it is in the hands of the `Worker` of the run that planned it, and no other run plans it. When that worker
ends, applied or killed, its lock is free, and so is every order that it had.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Literal

import sqlalchemy as sa

from bcns_pipeline.rules.orders.status import Status
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.order_views import OrderViews, state_of
from bcns_pipeline.state.planners import free, hand_over
from bcns_pipeline.state.tables_orders import order_state
from bcns_pipeline.state.worker import Worker

# Which later versions of written orders are due: all of them, or those that are cancelled or have a question, or none.
Edits = Literal["all", "cancelled", "none"]


class OrdersDue(OrderViews):
    """The orders of one store that are to be planned."""

    def due(
        self,
        now: datetime,
        *,
        limit: int,
        days: tuple[date, date] | None = None,
        edits: Edits = "all",
        allowed: Collection[int] = (),
        conn: sa.Connection | None = None,
    ) -> list[OrderState]:
        """Read and not decided, waiting and their time has come, or (by `edits`) written and changed since; by id.

        So are those that were held for their status, which is `allowed` by now: the mapping file may have changed.
        Up to `limit` of each, of those placed on `days` (first and last, both included) where given. What a living
        worker has in hand is left out.
        """
        with self._scope.transaction(conn) as tx:
            return self._due(tx, now, limit, days, edits, allowed, None)

    def take_due(
        self,
        planner: Worker,
        now: datetime,
        *,
        limit: int,
        days: tuple[date, date] | None = None,
        edits: Edits = "all",
        allowed: Collection[int] = (),
        conn: sa.Connection | None = None,
    ) -> list[OrderState]:
        """As `due`, and in the hands of `planner` from now on, until it ends. What it has already is due to it.

        Raises `WorkerLost` where its session has ended.
        """
        with self._scope.transaction(conn) as tx:
            found = self._due(tx, now, limit, days, edits, allowed, planner)
            hand_over(tx, order_state, self._scope.store, [one.order_id for one in found], planner)
        return found

    def _due(
        self,
        tx: sa.Connection,
        now: datetime,
        limit: int,
        days: tuple[date, date] | None,
        edits: Edits,
        allowed: Collection[int],
        planner: Worker | None,
    ) -> list[OrderState]:
        columns = order_state.c
        come = sa.or_(columns.retry_at.is_(None), columns.retry_at <= now)
        kinds: list[tuple[sa.ColumnElement[bool], ...]] = [
            (columns.disposition == "open",),
            (columns.disposition == "waiting", columns.retry_at <= now),
            (columns.disposition == "held", columns.code == "STATUS", columns.status_id.in_(allowed)),
        ]
        changed = (columns.disposition == "posted", columns.applied_hash != columns.content_hash, come)
        if edits == "all":
            kinds.append(changed)
        elif edits == "cancelled":
            called_off = columns.status_id == int(Status.CANCELLED)
            kinds.append((*changed, sa.or_(called_off, columns.code.is_not(None))))
        found: dict[int, OrderState] = {}
        for kind in kinds:
            query = sa.select(order_state).where(
                columns.store == self._scope.store, *kind, free(order_state, planner)
            )
            if days is not None:
                query = query.where(columns.day.between(*days))
            query = query.order_by(columns.order_id).limit(limit)
            if planner is not None:
                # Another planner that is just taking some goes on with the next ones.
                query = query.with_for_update(of=order_state, skip_locked=True)
            found.update((row["order_id"], state_of(row)) for row in tx.execute(query).mappings())
        return list(found.values())
