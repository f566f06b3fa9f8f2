"""Questions about refunds: one, many, by order, by day, by where they stand; and the records that they became.

Put read-only queries over `refund_state` and `refund_record` here. Do not put anything here that moves a row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.refund_models import Disposition, RefundCount, RefundRecordRow, RefundState
from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.tables_refunds import refund_record, refund_state


class RefundViews:
    """What is asked of the refunds of one store."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def get(self, refund_id: int, *, conn: sa.Connection | None = None) -> RefundState | None:
        """Where this refund stands; None where it was never read."""
        return self.many([refund_id], conn=conn).get(refund_id)

    def many(
        self, refund_ids: Collection[int], *, conn: sa.Connection | None = None
    ) -> dict[int, RefundState]:
        """Where these refunds stand; unknown ones are missing."""
        wanted = _any_of(refund_state.c.refund_id, refund_ids)
        return {one.refund_id: one for one in self._select([wanted], None, conn)} if refund_ids else {}

    def of_orders(
        self, order_ids: Collection[int], *, conn: sa.Connection | None = None
    ) -> dict[int, list[RefundState]]:
        """{order: its refunds by id}."""
        found: dict[int, list[RefundState]] = {one: [] for one in order_ids}
        for one in (
            self._select([_any_of(refund_state.c.order_id, order_ids)], None, conn) if order_ids else ()
        ):
            found[one.order_id].append(one)
        return found

    def find(
        self,
        *,
        disposition: Disposition | Sequence[Disposition] | None = None,
        days: tuple[date, date] | None = None,
        due_before: datetime | None = None,
        created_since: datetime | None = None,
        limit: int = 10_000,
        conn: sa.Connection | None = None,
    ) -> list[RefundState]:
        """Refunds that match everything given, by id.

        `days`: first and last, both included. `due_before`: `retry_at` has come by then.
        """
        wanted: list[sa.ColumnElement[bool]] = []
        if disposition is not None:
            names = [disposition] if isinstance(disposition, str) else list(disposition)
            wanted.append(refund_state.c.disposition.in_(names))
        if days is not None:
            wanted.append(refund_state.c.day.between(*days))
        if due_before is not None:
            wanted.append(refund_state.c.retry_at <= due_before)
        if created_since is not None:
            wanted.append(refund_state.c.created_at >= created_since)
        return self._select(wanted, limit, conn)

    def booked(self, refund_ids: Collection[int], *, conn: sa.Connection | None = None) -> set[int]:
        """Those that need no booking any more: they are in NetSuite, or nothing of them went back."""
        done = ("posted", "declined", "reversed")
        return {one.refund_id for one in self.many(refund_ids, conn=conn).values() if one.disposition in done}

    def unread(self, limit: int = 500, *, conn: sa.Connection | None = None) -> list[RefundState]:
        """Posted and not read back since, by id."""
        wanted = [refund_state.c.disposition == "posted", refund_state.c.read_back_at.is_(None)]
        return self._select(wanted, limit, conn)

    def records(
        self, refund_ids: Collection[int], *, conn: sa.Connection | None = None
    ) -> dict[int, list[RefundRecordRow]]:
        """{refund: its records in NetSuite}, the credit first."""
        return self._records(refund_record.c.refund_id, refund_ids, "refund_id", conn)

    def records_of_orders(
        self, order_ids: Collection[int], *, conn: sa.Connection | None = None
    ) -> dict[int, list[RefundRecordRow]]:
        """{order: records of its refunds}."""
        return self._records(refund_record.c.order_id, order_ids, "order_id", conn)

    def by_provider(
        self, references: Collection[str], *, conn: sa.Connection | None = None
    ) -> list[RefundRecordRow]:
        """The settlements that a payment provider knows by one of these ids: for whoever books its payouts."""
        if not references:
            return []
        wanted = refund_record.c.provider_refs.op("&&")(sa.cast(sorted(references), sa.ARRAY(sa.Text)))
        return self._rows([wanted], conn)

    def kept_of_cancelled(self, *, conn: sa.Connection | None = None) -> dict[int, Money]:
        """{order: what was taken of it and has not gone back}, of orders that were cancelled once they were posted."""
        with self._scope.transaction(conn) as tx:
            rows = tx.execute(_KEPT_OF_CANCELLED, {"store": self._scope.store}).all()
        return {row.order_id: Money(row.kept, row.currency) for row in rows}

    def counts(self, since: date | None = None, *, conn: sa.Connection | None = None) -> list[RefundCount]:
        """Refunds by day, disposition, code and currency, with their totals on both sides."""
        keys = (
            *(refund_state.c.day, refund_state.c.disposition, refund_state.c.code, refund_state.c.currency),
        )
        sums = [
            sa.cast(sa.func.coalesce(sa.func.sum(column), 0), sa.BigInteger)
            for column in (refund_state.c.total_minor, refund_state.c.read_total_minor)
        ]
        query = (
            sa.select(*keys, sa.func.count(), *sums)
            .where(refund_state.c.store == self._scope.store)
            .group_by(*keys)
            .order_by(*keys)
        )
        if since is not None:
            query = query.where(refund_state.c.day >= since)
        with self._scope.transaction(conn) as tx:
            return [
                RefundCount(day, disposition, code, count, Money(total, currency), Money(read, currency))
                for day, disposition, code, currency, count, total, read in tx.execute(query)
            ]

    def _records(
        self,
        column: sa.Column[int],
        ids: Collection[int],
        name: str,
        conn: sa.Connection | None,
    ) -> dict[int, list[RefundRecordRow]]:
        found: dict[int, list[RefundRecordRow]] = {one: [] for one in ids}
        for row in self._rows([_any_of(column, ids)], conn) if ids else ():
            found[getattr(row, name)].append(row)
        return found

    def _rows(
        self, wanted: Sequence[sa.ColumnElement[bool]], conn: sa.Connection | None
    ) -> list[RefundRecordRow]:
        query = (
            sa.select(refund_record)
            .where(refund_record.c.store == self._scope.store, *wanted)
            .order_by(refund_record.c.refund_id, refund_record.c.n, refund_record.c.natural_key)
        )
        with self._scope.transaction(conn) as tx:
            return [_record(row) for row in tx.execute(query).mappings()]

    def _select(
        self, wanted: Sequence[sa.ColumnElement[bool]], limit: int | None, conn: sa.Connection | None
    ) -> list[RefundState]:
        query = (
            sa.select(refund_state)
            .where(refund_state.c.store == self._scope.store, *wanted)
            .order_by(refund_state.c.refund_id)
            .limit(limit)
        )
        with self._scope.transaction(conn) as tx:
            return [_state(row) for row in tx.execute(query).mappings()]


def _any_of(column: sa.Column[int], ids: Collection[int]) -> sa.ColumnElement[bool]:
    return column == sa.any_(sa.cast(sorted(set(ids)), sa.ARRAY(sa.BigInteger)))


def _state(row: Mapping[Any, Any]) -> RefundState:
    values = {name: row[name] for name in RefundState.__dataclass_fields__ if name in row}
    for name in ("total", "tax", "paid", "read_total", "open"):
        minor = row[f"{name}_minor"]
        values[name] = None if minor is None else Money(minor, row["currency"])
    values["expected"] = tuple(row["expected"])
    return RefundState(**values)


def _record(row: Mapping[Any, Any]) -> RefundRecordRow:
    values = {name: row[name] for name in RefundRecordRow.__dataclass_fields__ if name in row}
    values["amount"] = Money(row["amount_minor"], row["currency"])
    values["provider_refs"] = tuple(row["provider_refs"])
    return RefundRecordRow(**values)


# 5 is BigCommerce's Cancelled. What is on its way back is not kept, and what a person has let stand is asked no more.
_KEPT_OF_CANCELLED = sa.text(
    f"""
    select o.order_id, c.currency, c.captured_minor - coalesce(r.back, 0) as kept
    from bcns.order_state o join bcns.cash_order c on c.store = o.store and c.order_id = o.order_id
    left join lateral (select sum(s.paid_minor)::bigint as back from {refund_state.fullname} s
        where s.store = o.store and s.order_id = o.order_id) r on true
    where o.store = :store and o.status_id = 5 and o.netsuite_id is not null and c.disposition <> 'skipped'
        and c.captured_minor > coalesce(r.back, 0)
        and not exists (select 1 from bcns.exception e where e.store = o.store and e.code = 'REFUND_WITHOUT_RECORD'
            and e.subject = 'order:' || o.order_id and e.resolution in ('dismissed','approved')
            and e.amount_minor = c.captured_minor - coalesce(r.back, 0))
    """
)
