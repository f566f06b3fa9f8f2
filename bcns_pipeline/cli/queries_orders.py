"""What the command line asks the state about orders and no flow does: backlogs, one order's trail, held writes.

Put reads here. Nothing here writes, and nothing here is wording. The tables belong to `state/tables*.py`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import edit_key, order_key
from bcns_pipeline.state.operations import Operation
from bcns_pipeline.state.outbox_reads import COLUMNS, read
from bcns_pipeline.state.store import State
from bcns_pipeline.state.tables import audit, operation, plan
from bcns_pipeline.state.tables_orders import inbox, order_state, plan_line


@dataclass(frozen=True, slots=True)
class Backlog:
    """Open rows of the inbox for one resource, and the newest event that a webhook brought."""

    resource: str
    open: int
    oldest: datetime | None
    newest_event: datetime
    newest_webhook: datetime | None


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """One line of a plan about an order, with the plan it belongs to."""

    plan_id: int
    mode: str
    made_at: datetime
    applied_at: datetime | None
    config_digest: str
    run_id: str
    action: str
    kind: str
    natural_key: str
    reason: str
    amount_minor: int | None
    currency: str | None
    fate: str | None
    operation_id: int | None


def backlogs(state: State) -> list[Backlog]:
    """The inbox by resource."""
    is_open = inbox.c.generation > inbox.c.done_generation
    query = (
        sa.select(
            inbox.c.resource,
            sa.func.count().filter(is_open),
            sa.func.min(inbox.c.opened_at).filter(is_open),
            sa.func.max(inbox.c.last_seen),
            sa.func.max(inbox.c.last_seen).filter(inbox.c.sources.any("webhook")),
        )
        .where(inbox.c.store == state.store)
        .group_by(inbox.c.resource)
        .order_by(inbox.c.resource)
    )
    with state.engine.connect() as conn:
        return [Backlog(*row) for row in conn.execute(query)]


def inbox_row(state: State, order_id: int) -> Any:
    """The inbox row of an order, or None."""
    query = sa.select(inbox).where(
        inbox.c.store == state.store, inbox.c.resource == "order", inbox.c.resource_id == str(order_id)
    )
    with state.engine.connect() as conn:
        return conn.execute(query).one_or_none()


def plan_lines_of(state: State, order_id: int) -> list[PlannedLine]:
    """The lines of all plans about an order, oldest first."""
    query = (
        sa.select(
            plan.c.id,
            plan.c.mode,
            plan.c.created_at,
            plan.c.applied_at,
            plan.c.config_digest,
            plan.c.run_id,
            plan_line.c.action,
            plan_line.c.kind,
            plan_line.c.natural_key,
            plan_line.c.reason,
            plan_line.c.amount_minor,
            plan_line.c.currency,
            plan_line.c.fate,
            plan_line.c.operation_id,
        )
        .join(plan, plan.c.id == plan_line.c.plan_id)
        .where(plan_line.c.store == state.store, plan_line.c.label == f"order:{order_id}")
        .order_by(plan.c.id, plan_line.c.line)
    )
    with state.engine.connect() as conn:
        return [PlannedLine(*row) for row in conn.execute(query)]


def operations_by(
    state: State, *, ids: Collection[int] = (), natural_keys: Collection[str] = ()
) -> list[Operation]:
    """Operations with one of these ids or natural keys, in any state, oldest first."""
    if not ids and not natural_keys:
        return []
    wanted = sa.or_(operation.c.id.in_(list(ids)), operation.c.natural_key.in_(list(natural_keys)))
    query = sa.select(*COLUMNS).where(operation.c.store == state.store, wanted).order_by(operation.c.id)
    with state.engine.connect() as conn:
        return [read(row) for row in conn.execute(query).mappings()]


def writes_since(state: State, order_id: int, after: int) -> list[int]:
    """Ids of operations newer than `after` that were planned for this order: the order itself and its edits."""
    keys = [order_key(state.store, order_id), edit_key(state.store, order_id, "")]
    query = (
        sa.select(operation.c.id)
        .where(
            operation.c.store == state.store,
            operation.c.flow == "orders",
            operation.c.id > after,
            sa.or_(
                operation.c.natural_key == keys[0],
                operation.c.natural_key.startswith(keys[1], autoescape=True),
            ),
        )
        .order_by(operation.c.id)
    )
    with state.engine.connect() as conn:
        return list(conn.execute(query).scalars())


def audit_of(state: State, subjects: Collection[str]) -> list[Any]:
    """Rows of the audit chain about these subjects, oldest first."""
    query = (
        sa.select(audit)
        .where(audit.c.store == state.store, audit.c.subject.in_(list(subjects)))
        .order_by(audit.c.seq)
    )
    with state.engine.connect() as conn:
        return list(conn.execute(query))


@dataclass(frozen=True, slots=True)
class TaxSum:
    """Orders of one month, channel and currency. `tax` and `tax_read` are over those read back, `charged` too.

    `unread` are written and not read back yet, `missing` ours and not in NetSuite. `marketplace`: the marketplace
    remits their tax itself.
    """

    month: date
    channel: int
    marketplace: bool
    currency: str
    orders: int
    charged: Money
    tax: Money
    tax_read: Money
    unread: int
    missing: int

    @property
    def difference(self) -> Money:
        """How much more tax NetSuite shows than was charged."""
        return self.tax_read - self.tax


def tax_sums(state: State, month: date | None = None) -> list[TaxSum]:
    """Tax by the month of the order's day; of one month, given by its first day, or of all. Oldest first."""
    row = order_state.c
    first = sa.cast(sa.func.date_trunc("month", row.day), sa.Date)
    remits = row.source == "marketplace"
    ours = row.disposition.in_(("open", "waiting", "planned", "posted")) | (row.code == "MATERIALITY")
    read = row.read_tax_minor.is_not(None) & row.expected_tax_minor.is_not(None)

    def total(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
        return sa.cast(sa.func.coalesce(sa.func.sum(column).filter(read), 0), sa.BigInteger)

    query = (
        sa.select(
            first,
            row.channel_id,
            remits,
            row.currency,
            sa.func.count().filter(read),
            total(row.total_minor),
            total(row.expected_tax_minor),
            total(row.read_tax_minor),
            sa.func.count().filter(row.netsuite_id.is_not(None) & sa.not_(read)),
            sa.func.count().filter(row.netsuite_id.is_(None)),
        )
        .where(row.store == state.store, ours)
        .group_by(first, row.channel_id, remits, row.currency)
        .order_by(first, row.channel_id, remits, row.currency)
    )
    if month is not None:
        query = query.where(first == month)
    with state.engine.connect() as conn:
        return [
            TaxSum(
                when, channel, marketplace, currency, orders, *(Money(one, currency) for one in sums), *counts
            )
            for when, channel, marketplace, currency, orders, *rest in conn.execute(query)
            for sums, counts in ((rest[:3], rest[3:]),)
        ]
