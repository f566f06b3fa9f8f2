"""Orders in the hands of the run that plans them: nobody else plans them as long as that run's session lives.

Put here the hold itself, which orders and their cash share. Do not put here which of them are due.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.worker import LIVING_WORKERS, Worker


def free(orders: sa.Table, planner: Worker | None = None) -> sa.ColumnElement[bool]:
    """In no living run's hands, or in those of `planner`; true where nobody has looked at the order yet."""
    column = orders.c.planner
    found = sa.or_(column.is_(None), column.not_in(LIVING_WORKERS))
    return found if planner is None else sa.or_(found, column == planner.id)


def hand_over(
    tx: sa.Connection, orders: sa.Table, store: str, order_ids: Collection[int], planner: Worker
) -> None:
    """These orders, locked by `tx`, are in the hands of `planner` until it ends.

    Raises `WorkerLost` where its session has ended, and nothing is handed over.
    """
    tx.execute(
        sa.update(orders)
        .where(orders.c.store == store, among(orders.c.order_id, order_ids))
        .values(planner=planner.id)
    )
    # Last, so that nothing is in the hands of one that was lost meanwhile.
    planner.assert_alive()


def among(column: sa.Column[Any], ids: Collection[int]) -> sa.ColumnElement[bool]:
    """Whether `column` is one of these ids; one parameter, however many there are."""
    return column == sa.any_(sa.cast(sorted(ids), sa.ARRAY(sa.BigInteger)))
