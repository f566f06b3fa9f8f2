"""What the command line asks the state and no flow does: newest plans, what waits, one exception.

Put reads here. Nothing here writes, and nothing here is wording. The tables belong to `state/tables.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.exceptions import ExceptionRow
from bcns_pipeline.state.inventory import KIND
from bcns_pipeline.state.operations import OPEN
from bcns_pipeline.state.plans import Plan
from bcns_pipeline.state.store import State
from bcns_pipeline.state.tables import (
    api_usage,
    exception,
    inventory_change,
    inventory_state,
    link,
    operation,
    plan,
)


@dataclass(frozen=True, slots=True)
class Item:
    """A NetSuite item as it is linked now."""

    item_id: int
    sku: str
    product_id: int
    variant_id: int
    tracking: str
    origin: str
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """Operations of one flow in one state: how many, and since when the oldest waits."""

    flow: str
    state: str
    count: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line of a stock plan. `old` is None where nothing was ever confirmed."""

    sku: str
    location_id: int
    old: int | None
    new: int
    reason: str
    outcome: str | None
    read_back: int | None


def items_of_sku(state: State, sku: str) -> list[Item]:
    """Items whose link carries the SKU, whatever its case (BigCommerce's SKUs ignore case, too)."""
    return _items(state, sa.func.lower(link.c.label) == sku.lower())


def item_of_id(state: State, item_id: int) -> Item | None:
    """The item of this NetSuite id."""
    return next(iter(_items(state, link.c.netsuite_id == str(item_id))), None)


def _items(state: State, which: sa.ColumnElement[bool]) -> list[Item]:
    query = sa.select(link).where(link.c.store == state.store, link.c.kind == "item", which)
    with state.engine.connect() as conn:
        rows = conn.execute(query.order_by(link.c.netsuite_id)).all()
    return [
        Item(
            item_id=int(row.netsuite_id),
            sku=row.label or "",
            product_id=int(row.detail.get("product_id", 0)),
            variant_id=int(row.bigcommerce_id),
            tracking=str(row.detail.get("tracking", "")),
            origin=row.origin,
            linked_at=row.linked_at,
        )
        for row in rows
    ]


def stock_of(state: State, item_id: int) -> dict[int, Any]:
    """What we remember of an item now, by BigCommerce location: rows of `inventory_state`."""
    query = sa.select(inventory_state).where(
        inventory_state.c.store == state.store, inventory_state.c.item_id == item_id
    )
    with state.engine.connect() as conn:
        return {row.location_id: row for row in conn.execute(query)}


def plans_by_id(state: State, ids: set[int]) -> dict[int, Plan]:
    """These plans."""
    query = sa.select(plan).where(plan.c.store == state.store, plan.c.id.in_(ids))
    with state.engine.connect() as conn:
        return {row["id"]: Plan(**row) for row in conn.execute(query).mappings()}


def operations_of(state: State, plan_ids: set[int]) -> list[Any]:
    """Rows of `operation` of these plans, oldest first."""
    query = sa.select(operation).where(operation.c.store == state.store, operation.c.plan_id.in_(plan_ids))
    with state.engine.connect() as conn:
        return list(conn.execute(query.order_by(operation.c.id)))


def newest_plan(state: State) -> int:
    """The highest plan id so far, 0 where there is none."""
    with state.engine.connect() as conn:
        return int(conn.execute(sa.select(sa.func.coalesce(sa.func.max(plan.c.id), 0))).scalar_one())


def plans_after(state: State, plan_id: int, flow: str) -> list[Plan]:
    """Plans of a flow that are newer than `plan_id`, oldest first."""
    query = sa.select(plan).where(plan.c.store == state.store, plan.c.flow == flow, plan.c.id > plan_id)
    with state.engine.connect() as conn:
        return [Plan(**row) for row in conn.execute(query.order_by(plan.c.id)).mappings()]


def lines_of_plan(state: State, made: Plan, limit: int = 1_000) -> list[PlanLine]:
    """The first lines of a stock plan."""
    columns = [inventory_change.c[name] for name in PlanLine.__slots__]
    query = (
        sa.select(*columns)
        .where(inventory_change.c.plan_id == made.id, inventory_change.c.planned_at == made.created_at)
        .order_by(inventory_change.c.line)
        .limit(limit)
    )
    with state.engine.connect() as conn:
        return [PlanLine(*row) for row in conn.execute(query)]


def last_plans(state: State) -> list[Plan]:
    """The newest plan of each flow that was to be applied, and the newest that was only looked at."""
    query = (
        sa.select(plan)
        .where(plan.c.store == state.store)
        .distinct(plan.c.flow, plan.c.mode)
        .order_by(plan.c.flow, plan.c.mode, plan.c.id.desc())
    )
    with state.engine.connect() as conn:
        return [Plan(**row) for row in conn.execute(query).mappings()]


def calls_of_run(state: State, run_id: str) -> dict[str, int]:
    """API calls of a run by system."""
    query = sa.select(api_usage.c.system, sa.func.sum(api_usage.c.calls)).where(api_usage.c.run_id == run_id)
    with state.engine.connect() as conn:
        return {system: int(calls) for system, calls in conn.execute(query.group_by(api_usage.c.system))}


def waiting(state: State) -> list[Waiting]:
    """What is not settled, by flow and state."""
    query = (
        sa.select(operation.c.flow, operation.c.state, sa.func.count(), sa.func.min(operation.c.staged_at))
        .where(operation.c.store == state.store, operation.c.state.in_(OPEN))
        .group_by(operation.c.flow, operation.c.state)
        .order_by(operation.c.flow, operation.c.state)
    )
    with state.engine.connect() as conn:
        return [Waiting(*row) for row in conn.execute(query)]


def last_adjustment(state: State, outcome: str) -> tuple[datetime, str | None] | None:
    """When an adjustment call last ended like this, and what was noted of it."""
    query = (
        sa.select(operation.c.settled_at, operation.c.reason)
        .where(operation.c.store == state.store, operation.c.kind == KIND, operation.c.state == outcome)
        .order_by(operation.c.id.desc())
        .limit(1)
    )
    with state.engine.connect() as conn:
        row = conn.execute(query).one_or_none()
    return (row.settled_at, row.reason) if row is not None else None


def exception_by_id(state: State, number: int) -> ExceptionRow | None:
    """One exception, open or not."""
    query = sa.select(exception).where(exception.c.store == state.store, exception.c.id == number)
    with state.engine.connect() as conn:
        row = conn.execute(query).mappings().one_or_none()
    return ExceptionRow(**row) if row is not None else None
