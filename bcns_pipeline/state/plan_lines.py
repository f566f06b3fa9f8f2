"""The lines of a plan of anything but stock: what would be written, why, and how much money it moves.

Put the type of a line and the SQL over `plan_line` here. Do not put here when a plan is applied (`plans.py`).
Payloads of shoppers are sealed; staging copies them as they are, so a line is sealed once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa

from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.scope import parse
from bcns_pipeline.state.tables_orders import plan_line

Action = Literal["create", "patch", "close", "adopt", "link"]
Fate = Literal["planned", "held", "left_out"]
# What is sent to the other side; the others only change what we remember.
SENT: tuple[Action, ...] = ("create", "patch", "close")


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One thing that a plan would do. `kind`, `natural_key` and `group_key` are those of its operation.

    `subject` (a shopper's keyed hash) seals the payload; it is not stored and comes back as None. `label` says
    what it is about ("order:1001"); `amount` is the money it moves. `line`, `fate` and `operation_id` are set
    by the database.
    """

    action: Action
    kind: str
    natural_key: str
    payload: Mapping[str, Any] = field(repr=False)
    reason: str
    label: str
    group_key: str | None = None
    subject: str | None = None
    amount: Money | None = None
    line: int | None = None
    fate: Fate | None = None
    operation_id: int | None = None

    def content(self) -> list[Any]:
        """What a plan's digest covers."""
        return [
            self.action,
            self.kind,
            self.natural_key,
            self.group_key,
            self.label,
            self.payload,
            self.reason,
            None if self.amount is None else [self.amount.minor, self.amount.currency],
        ]


def impact(lines: Sequence[PlanLine]) -> dict[str, Any]:
    """For a plan's summary: lines by action, and the money they move by currency (text, major units)."""
    amounts: dict[str, Decimal] = {}
    for one in lines:
        if one.amount is not None:
            amounts[one.amount.currency] = amounts.get(one.amount.currency, Decimal(0)) + one.amount.amount
    return {
        "actions": dict(sorted(Counter(one.action for one in lines).items())),
        "amounts": {currency: str(amounts[currency]) for currency in sorted(amounts)},
    }


def write(
    conn: sa.Connection,
    store: str,
    plan_id: int,
    lines: Sequence[PlanLine],
    sealed: Sequence[Mapping[str, Any]],
) -> None:
    """Insert the lines in order, from line 0; `sealed` are their payloads as they are stored."""
    rows = [
        {
            "plan_id": plan_id,
            "line": number,
            "store": store,
            "action": one.action,
            "kind": one.kind,
            "natural_key": one.natural_key,
            "group_key": one.group_key,
            "label": one.label,
            "payload": payload,
            "reason": one.reason,
            "amount_minor": None if one.amount is None else one.amount.minor,
            "currency": None if one.amount is None else one.amount.currency,
        }
        for number, (one, payload) in enumerate(zip(lines, sealed, strict=True))
    ]
    conn.execute(sa.insert(plan_line), rows)


def read(conn: sa.Connection, store: str, plan_id: int) -> list[PlanLine]:
    """The lines of a plan in order, payloads as stored."""
    query = (
        sa.select(
            *(column for column in plan_line.columns if column is not plan_line.c.payload),
            sa.cast(plan_line.c.payload, sa.Text).label("payload"),
        )
        .where(plan_line.c.plan_id == plan_id, plan_line.c.store == store)
        .order_by(plan_line.c.line)
    )
    return [
        PlanLine(
            action=row.action,
            kind=row.kind,
            natural_key=row.natural_key,
            payload=parse(row.payload),
            reason=row.reason,
            label=row.label,
            group_key=row.group_key,
            amount=None if row.amount_minor is None else Money(row.amount_minor, row.currency),
            line=row.line,
            fate=row.fate,
            operation_id=row.operation_id,
        )
        for row in conn.execute(query)
    ]


def note_fates(conn: sa.Connection, plan_id: int, fates: Mapping[int, tuple[Fate, int | None]]) -> None:
    """What became of lines when the plan was applied, with the operation's id where there is one."""
    values = {
        "plan_id": plan_id,
        "lines": list(fates),
        "fates": [fate for fate, _ in fates.values()],
        "operations": [operation_id for _, operation_id in fates.values()],
    }
    conn.execute(_FATES, values)


def recompute(conn: sa.Connection, where: Mapping[str, Any]) -> tuple[int, str]:
    """Count and digest of a plan's lines as they stand now, but for what became of them."""
    row = conn.execute(_DIGEST, {"plan_id": where["plan_id"]}).one()
    return row.n, row.digest


_FATES = sa.text(
    f"""
    update {plan_line.fullname} l set fate = g.fate, operation_id = g.operation_id
    from unnest(cast(:lines as int[]), cast(:fates as text[]), cast(:operations as bigint[]))
        as g(line, fate, operation_id)
    where l.plan_id = :plan_id and l.line = g.line
    """
)
_DIGEST = sa.text(
    f"""
    select count(*) as n,
        encode(sha256(convert_to(coalesce(string_agg(
            row(plan_id, line, store, action, kind, natural_key, group_key, label, payload, reason, amount_minor,
                currency)::text, E'\\n' order by line
        ), ''), 'UTF8')), 'hex') as digest
    from {plan_line.fullname} where plan_id = :plan_id
    """
)
