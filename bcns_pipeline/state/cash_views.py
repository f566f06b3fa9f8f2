"""Questions about money: what is due, what was paid, what NetSuite has of it.

Put read-only queries over `cash_order`, `tender` and `cash_record` here. Do not put anything here that moves a row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.cash_models import RECEIPTS, CashOrder, CashRecord, TenderRow, Unlooked
from bcns_pipeline.state.planners import among, free
from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.tables_cash import cash_order, cash_record, tender
from bcns_pipeline.state.tables_orders import order_state
from bcns_pipeline.state.worker import Worker

# Ids that are two in one, "a|b". OFFSET 0 asks the index once for each wanted id: left to itself the database takes
# a third of the table for composite, and reads all of it for each payout.
_OF_PARTS: Final = sa.text(
    " union ".join(
        f"""
        select t.transaction_id from unnest(cast(:given as text[])) wanted(id), lateral (
            select transaction_id from bcns.tender
            where store = :store and strpos(gateway_id, '|') > 0 and split_part(gateway_id, '|', {part}) = wanted.id
            offset 0
        ) t"""
        for part in (1, 2)
    )
)


class CashViews:
    """What is asked of the money of one store's orders."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def unlooked(
        self,
        now: datetime,
        limit: int,
        *,
        after: int = 0,
        days: tuple[date, date] | None = None,
        conn: sa.Connection | None = None,
    ) -> list[Unlooked]:
        """Orders that we posted and that changed since, or whose payments are to be read again by `now`; oldest first.

        `after` is the last id of the page before. With `days` (first and last, both included), every posted order of
        these. What a run has in hand is left out: it decides by what it has read.
        """
        again: sa.ColumnElement[bool] = sa.literal(True)
        if days is None:
            again = sa.func.coalesce(cash_order.c.read_again_at <= now, False)
        changed = cash_order.c.content_hash.is_distinct_from(order_state.c.content_hash)
        query = (
            sa.select(
                order_state.c.order_id,
                order_state.c.document_id,
                order_state.c.content_hash,
                cash_order.c.mark,
                again.label("again"),
            )
            .select_from(
                order_state.outerjoin(
                    cash_order,
                    sa.and_(
                        cash_order.c.store == order_state.c.store,
                        cash_order.c.order_id == order_state.c.order_id,
                    ),
                )
            )
            .where(
                order_state.c.store == self._scope.store,
                order_state.c.disposition == "posted",
                order_state.c.netsuite_id.is_not(None),
                order_state.c.order_id > after,
                sa.or_(changed, again),
                free(cash_order),
            )
            .order_by(order_state.c.order_id)
            .limit(limit)
        )
        if days is not None:
            query = query.where(order_state.c.day.between(*days))
        with self._scope.transaction(conn) as tx:
            return [Unlooked(**row) for row in tx.execute(query).mappings()]

    def due(
        self,
        now: datetime,
        limit: int,
        *,
        days: tuple[date, date] | None = None,
        conn: sa.Connection | None = None,
    ) -> list[CashOrder]:
        """Orders whose money is to be looked at: open ones, and those that wait and whose time has come.

        With `days`, every order of these whose payments were read. What a run has in hand is left out.
        """
        with self._scope.transaction(conn) as tx:
            return [order_of(row) for row in tx.execute(self._due(now, limit, days, None)).mappings()]

    def _due(
        self, now: datetime, limit: int, days: tuple[date, date] | None, planner: Worker | None
    ) -> sa.Select[tuple[Any, ...]]:
        wanted: list[sa.ColumnElement[bool]] = [free(cash_order, planner)]
        if days is None:
            wanted.append(
                sa.or_(
                    cash_order.c.disposition == "open",
                    sa.and_(cash_order.c.disposition == "waiting", cash_order.c.retry_at <= now),
                )
            )
        else:
            of_days = sa.select(order_state.c.order_id).where(
                order_state.c.store == self._scope.store, order_state.c.day.between(*days)
            )
            wanted.append(cash_order.c.order_id.in_(of_days))
        return self._query(wanted, limit)

    def in_hand(self, order_ids: Collection[int], *, conn: sa.Connection | None = None) -> set[int]:
        """Those of these orders that a living run has planned and not applied yet."""
        query = sa.select(cash_order.c.order_id).where(
            cash_order.c.store == self._scope.store,
            among(cash_order.c.order_id, order_ids),
            sa.not_(free(cash_order)),
        )
        with self._scope.transaction(conn) as tx:
            return set(tx.execute(query).scalars()) if order_ids else set()

    def many(self, order_ids: Collection[int], *, conn: sa.Connection | None = None) -> dict[int, CashOrder]:
        """Where the money of these orders stands; those never looked at are missing."""
        found = self._orders([among(cash_order.c.order_id, order_ids)], None, conn) if order_ids else []
        return {one.order_id: one for one in found}

    def of_days(
        self, since: date, *, after: int = 0, limit: int = 1000, conn: sa.Connection | None = None
    ) -> list[CashOrder]:
        """Orders placed since that day whose payments were read, by id; `after` is the last id of the page before."""
        of_days = sa.select(order_state.c.order_id).where(
            order_state.c.store == self._scope.store, order_state.c.day >= since
        )
        wanted = [
            cash_order.c.order_id.in_(of_days),
            cash_order.c.order_id > after,
            cash_order.c.read_at.is_not(None),
        ]
        return self._orders(wanted, limit, conn)

    def tenders(
        self, order_ids: Collection[int], *, conn: sa.Connection | None = None
    ) -> dict[int, list[TenderRow]]:
        """{order: its transactions as read last, by id}."""
        found: dict[int, list[TenderRow]] = {}
        if order_ids:
            for one in self._tenders(among(tender.c.order_id, order_ids), conn):
                found.setdefault(one.order_id, []).append(one)
        return found

    def by_gateway_ids(
        self, gateway_ids: Collection[str], *, conn: sa.Connection | None = None
    ) -> dict[str, list[TenderRow]]:
        """{provider's id: transactions that carry it}; of an id that is written "a|b", either part."""
        if not gateway_ids:
            return {}
        wanted = {one for one in gateway_ids if one}
        given = sa.cast(sorted(wanted), sa.ARRAY(sa.Text))
        whole = sa.and_(sa.text("tender.gateway_id <> ''"), tender.c.gateway_id == sa.any_(given))
        with self._scope.transaction(conn) as tx:
            apart = (
                tx.execute(_OF_PARTS, {"store": self._scope.store, "given": sorted(wanted)}).scalars().all()
            )
            rows = self._tenders(whole, tx)
            rows += self._tenders(among(tender.c.transaction_id, apart), tx) if apart else []
        found: dict[str, list[TenderRow]] = {}
        for _, one in sorted({one.transaction_id: one for one in rows}.items()):
            for name in wanted & {one.gateway_id, *one.gateway_id.split("|")}:
                found.setdefault(name, []).append(one)
        return found

    def records(
        self, order_ids: Collection[int], *, conn: sa.Connection | None = None
    ) -> dict[int, list[CashRecord]]:
        """{order: the records of its money, by key}."""
        found: dict[int, list[CashRecord]] = {}
        if order_ids:
            for one in self._records([among(cash_record.c.order_id, order_ids)], None, conn):
                found.setdefault(one.order_id, []).append(one)
        return found

    def postings(
        self, transaction_ids: Collection[int], *, conn: sa.Connection | None = None
    ) -> dict[int, CashRecord]:
        """{capture: its posting record}. A capture that is missing here is not booked yet."""
        if not transaction_ids:
            return {}
        wanted = [
            among(cash_record.c.transaction_id, transaction_ids),
            cash_record.c.kind.in_(RECEIPTS),
        ]
        return {one.transaction_id or 0: one for one in self._records(wanted, None, conn)}

    def unread(
        self, limit: int = 500, *, after: int = 0, conn: sa.Connection | None = None
    ) -> list[CashRecord]:
        """Records of orders with one that was written and not read back since: all records of those orders."""
        stale = (
            sa.select(cash_record.c.order_id)
            .where(
                cash_record.c.store == self._scope.store,
                cash_record.c.read_back_at.is_(None),
                cash_record.c.order_id > after,
            )
            .distinct()
            .order_by(cash_record.c.order_id)
            .limit(limit)
        )
        return self._records([cash_record.c.order_id.in_(stale)], None, conn)

    def doubled(self, *, conn: sa.Connection | None = None) -> list[str]:
        """NetSuite records that stand for more than one capture or invoice, which must be none, but for cash sales."""
        query = (
            sa.select(cash_record.c.netsuite_id)
            .where(cash_record.c.store == self._scope.store, cash_record.c.kind != "cash_sale")
            .group_by(cash_record.c.netsuite_id)
            .having(sa.func.count() > 1)
            .order_by(cash_record.c.netsuite_id)
        )
        with self._scope.transaction(conn) as tx:
            return list(tx.execute(query).scalars())

    def _orders(
        self, wanted: Sequence[sa.ColumnElement[bool]], limit: int | None, conn: sa.Connection | None
    ) -> list[CashOrder]:
        with self._scope.transaction(conn) as tx:
            return [order_of(row) for row in tx.execute(self._query(wanted, limit)).mappings()]

    def _query(
        self, wanted: Sequence[sa.ColumnElement[bool]], limit: int | None
    ) -> sa.Select[tuple[Any, ...]]:
        return (
            sa.select(cash_order)
            .where(cash_order.c.store == self._scope.store, *wanted)
            .order_by(cash_order.c.order_id)
            .limit(limit)
        )

    def _tenders(self, wanted: sa.ColumnElement[bool], conn: sa.Connection | None) -> list[TenderRow]:
        query = (
            sa.select(tender)
            .where(tender.c.store == self._scope.store, wanted)
            .order_by(tender.c.transaction_id)
        )
        with self._scope.transaction(conn) as tx:
            return [
                TenderRow(
                    amount=Money(row["amount_minor"], row["currency"]),
                    **{name: row[name] for name in TenderRow.__dataclass_fields__ if name in row},
                )
                for row in tx.execute(query).mappings()
            ]

    def _records(
        self, wanted: Sequence[sa.ColumnElement[bool]], limit: int | None, conn: sa.Connection | None
    ) -> list[CashRecord]:
        query = (
            sa.select(cash_record)
            .where(cash_record.c.store == self._scope.store, *wanted)
            .order_by(cash_record.c.order_id, cash_record.c.natural_key)
            .limit(limit)
        )
        with self._scope.transaction(conn) as tx:
            return [_record(row) for row in tx.execute(query).mappings()]


def _money(row: Mapping[Any, Any], name: str) -> Money | None:
    minor = row[name]
    return None if minor is None else Money(minor, row["currency"])


def order_of(row: Mapping[Any, Any]) -> CashOrder:
    """A row of `cash_order` as it is spoken of."""
    values = {name: row[name] for name in CashOrder.__dataclass_fields__ if name in row}
    for name in ("captured", "authorised", "refunded"):
        values[name] = _money(row, f"{name}_minor")
    return CashOrder(**values)


def _record(row: Mapping[Any, Any]) -> CashRecord:
    values = {name: row[name] for name in CashRecord.__dataclass_fields__ if name in row}
    return CashRecord(
        **values,
        amount=_money(row, "amount_minor"),
        read=_money(row, "read_minor"),
        read_open=_money(row, "read_open_minor"),
    )
