"""Questions about stock that a person or a check asks: what is out of step, what was planned, what is oversold.

Put read-only queries over several tables here. Do not put anything here that moves a row.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import sqlalchemy as sa

from bcns_pipeline.state.bulk import array_text
from bcns_pipeline.state.inventory import Batch
from bcns_pipeline.state.inventory_proof import steer
from bcns_pipeline.state.plans import Plan
from bcns_pipeline.state.store import State
from bcns_pipeline.state.tables import inventory_change, inventory_state, link, operation, plan
from bcns_pipeline.state.worker import Worker


def pending_items(state: State) -> list[int]:
    """Items with a line that should have changed and is not confirmed, ascending: to be read anew."""
    query = (
        sa.select(inventory_state.c.item_id)
        .where(inventory_state.c.store == state.store, inventory_state.c.pending_since.is_not(None))
        .distinct()
        .order_by(inventory_state.c.item_id)
    )
    with state.engine.connect() as conn:
        return list(conn.execute(query).scalars())


def pending_longer_than(state: State, minutes: float) -> list[tuple[str, float]]:
    """(SKU, minutes) of items that have been out of step for longer, the longest first."""
    age = sa.func.extract("epoch", sa.func.now() - sa.func.min(inventory_state.c.pending_since)) / 60
    sku = sa.func.coalesce(link.c.label, sa.cast(inventory_state.c.item_id, sa.Text))
    query = (
        sa.select(sku.label("sku"), age.label("minutes"))
        .select_from(
            inventory_state.outerjoin(
                link,
                sa.and_(
                    link.c.store == inventory_state.c.store,
                    link.c.kind == "item",
                    link.c.netsuite_id == sa.cast(inventory_state.c.item_id, sa.Text),
                ),
            )
        )
        .where(
            inventory_state.c.store == state.store,
            inventory_state.c.pending_since
            < sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, minutes * 60),
        )
        .group_by(sku)
        .order_by(sa.desc("minutes"))
    )
    with state.engine.connect() as conn:
        return [(row.sku, float(row.minutes)) for row in conn.execute(query)]


def fresh_lines(state: State, worker: Worker, batch: Batch) -> pd.DataFrame:
    """The lines of a claimed batch that nothing newer has overtaken since the claim; ask under the store's lock.

    Only another worker's claim can overtake them, and where there was none the lines need not be looked at.
    Raises WorkerLost where ours is no longer alive.
    """
    op = batch.operation
    if not worker.ask(_OTHERS_SENT, (state.store, op.sending_at, op.worker)):
        return batch.lines
    values: dict[str, object] = {
        name: array_text(batch.lines[name].tolist()) for name in ("item_id", "location_id", "read_seq")
    }
    with state.engine.begin() as conn:
        steer(conn)
        overtaken = set(conn.execute(_OVERTAKEN, {"store": state.store, **values}).scalars())
    if not overtaken:
        return batch.lines
    return batch.lines[~batch.lines["line"].isin(batch.lines["line"].iloc[sorted(overtaken)])]


# Claims take the chain's lock before they take their time, so these times are in the order of the claims.
_OTHERS_SENT = f"""
    select exists (
        select from {operation.fullname} where store = %s and sending_at >= %s and worker <> %s
    )
"""
_OVERTAKEN = sa.text(
    f"""
    select (g.place - 1)::int
    from unnest(cast(:item_id as bigint[]), cast(:location_id as int[]), cast(:read_seq as bigint[])) with ordinality
        as g(item_id, location_id, read_seq, place)
    join {inventory_state.fullname} s
        on s.store = :store and s.item_id = g.item_id and s.location_id = g.location_id
    where s.sent_seq > g.read_seq
    """
)


def plan_lines(state: State, made: Plan) -> pd.DataFrame:
    """All lines of a plan in sending order, every column of `inventory_change`; `old` is -1 where never confirmed."""
    query = (
        sa.select(inventory_change)
        .where(inventory_change.c.plan_id == made.id, inventory_change.c.planned_at == made.created_at)
        .order_by(inventory_change.c.line)
    )
    with state.engine.connect() as conn:
        rows = conn.execute(query).mappings().all()
    frame = pd.DataFrame(rows, columns=[column.name for column in inventory_change.columns])
    frame["old"] = frame["old"].fillna(-1).astype("int64")
    return frame


def history(
    state: State,
    *,
    sku: str | None = None,
    item_id: int | None = None,
    at: datetime | None = None,
    limit: int = 50,
) -> pd.DataFrame:
    """Lines of a SKU or item planned up to `at` (default: now), newest first, all columns of `inventory_change`.

    `outcome` and `pushed` are missing until a line is settled; that it is on its way is what its operation says.
    """
    query = (
        sa.select(inventory_change)
        .where(
            inventory_change.c.store == state.store,
            inventory_change.c.planned_at <= (at or datetime.now(UTC)),
            # A run that died while it wrote its lines has left no plan.
            sa.exists().where(plan.c.id == inventory_change.c.plan_id),
        )
        .order_by(inventory_change.c.planned_at.desc(), inventory_change.c.line)
        .limit(limit)
    )
    if item_id is not None:
        query = query.where(inventory_change.c.item_id == item_id)
    if sku is not None:
        query = query.where(sa.func.lower(inventory_change.c.sku) == sku.lower())
    with state.engine.connect() as conn:
        rows = conn.execute(query).mappings().all()
    return pd.DataFrame(rows, columns=[column.name for column in inventory_change.columns])


def oversold(state: State, run_id: str) -> tuple[int, int, int]:
    """(pushed above what the plan allowed, shown above what is confirmed, lines) of one run.

    The first is a bug of ours if it is not 0; the second is what healing has left.
    """
    lines = (
        sa.select(
            sa.func.count(),
            sa.func.count().filter(inventory_change.c.pushed > inventory_change.c.new),
        )
        .select_from(inventory_change.join(plan, plan.c.id == inventory_change.c.plan_id))
        .where(plan.c.store == state.store, plan.c.run_id == run_id)
    )
    above = sa.select(sa.func.count()).where(
        inventory_state.c.store == state.store,
        inventory_state.c.live > inventory_state.c.confirmed,
    )
    with state.engine.connect() as conn:
        total, pushed_above = conn.execute(lines).one()
        return pushed_above, conn.execute(above).scalar_one(), total
