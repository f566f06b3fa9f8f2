"""Questions about orders: one, many, by where they stand, by day; and what of the stock they hold.

Put read-only queries over `order_state` and `order_step` here. Do not put anything here that moves a row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.order_models import (
    Completeness,
    Count,
    Disposition,
    OrderLine,
    OrderState,
    Rounded,
    Step,
    TaxHeld,
)
from bcns_pipeline.state.order_units import OrderUnits
from bcns_pipeline.state.tables_orders import order_state, order_step

# What a person may select orders by, and the type of each value.
ASKED_BY: dict[str, type[int] | type[str] | type[date]] = {
    "status_id": int,
    "channel_id": int,
    "day": date,
    "source": str,
    "currency": str,
    "disposition": str,
    "code": str,
    "record_type": str,
}

_BY_ALIAS = sa.text(
    f"""
    select name, min(order_id) as order_id from {order_state.fullname} cross join lateral unnest(aliases) as a(name)
    where store = :store and aliases && cast(:names as text[]) and name = any(cast(:names as text[]))
    group by name having count(distinct order_id) = 1
    """
)


class OrderViews(OrderUnits):
    """What is asked of the orders of one store."""

    def get(self, order_id: int, *, conn: sa.Connection | None = None) -> OrderState | None:
        """Where this order stands; None where it was never read."""
        return self.many([order_id], conn=conn).get(order_id)

    def many(self, order_ids: Collection[int], *, conn: sa.Connection | None = None) -> dict[int, OrderState]:
        """Where these orders stand; unknown ones are missing."""
        if not order_ids:
            return {}
        wanted = order_state.c.order_id == sa.any_(sa.cast(sorted(order_ids), sa.ARRAY(sa.BigInteger)))
        return {one.order_id: one for one in self._select([wanted], None, conn)}

    def by_alias(self, names: Collection[str], *, conn: sa.Connection | None = None) -> dict[str, int]:
        """{name: the one order that payment providers and marketplaces call so}; what several are called is missing."""
        with self._scope.transaction(conn) as tx:
            values = {"store": self._scope.store, "names": sorted(names)}
            return {row.name: row.order_id for row in tx.execute(_BY_ALIAS, values)}

    def by_netsuite(
        self, netsuite_ids: Collection[str], *, conn: sa.Connection | None = None
    ) -> dict[str, OrderState]:
        """The orders behind these NetSuite internal ids; others are missing."""
        if not netsuite_ids:
            return {}
        wanted = order_state.c.netsuite_id == sa.any_(sa.cast(sorted(netsuite_ids), sa.ARRAY(sa.Text)))
        return {str(one.netsuite_id): one for one in self._select([wanted], None, conn)}

    def find(
        self,
        *,
        disposition: Disposition | Sequence[Disposition] | None = None,
        day: date | None = None,
        code: str | None = None,
        due_before: datetime | None = None,
        edited: bool | None = None,
        status_id: int | None = None,
        read_since: datetime | None = None,
        after: int = 0,
        limit: int = 10_000,
        conn: sa.Connection | None = None,
    ) -> list[OrderState]:
        """Orders that match everything given, by id; `after` is the last id of the page before.

        `due_before`: `retry_at` has come by then. `edited`: we wrote them, and BigCommerce has a newer version.
        `read_since`: their newest version was read then or later.
        """
        wanted: list[sa.ColumnElement[bool]] = [order_state.c.order_id > after]
        if disposition is not None:
            names = [disposition] if isinstance(disposition, str) else list(disposition)
            wanted.append(order_state.c.disposition.in_(names))
        if day is not None:
            wanted.append(order_state.c.day == day)
        if code is not None:
            wanted.append(order_state.c.code == code)
        if due_before is not None:
            wanted.append(order_state.c.retry_at <= due_before)
        if status_id is not None:
            wanted.append(order_state.c.status_id == status_id)
        if read_since is not None:
            wanted.append(order_state.c.read_at >= read_since)
        if edited is not None:
            differs = order_state.c.applied_hash != order_state.c.content_hash
            wanted.append(differs if edited else sa.not_(sa.func.coalesce(differs, False)))
        return self._select(wanted, limit, conn)

    def ids(
        self,
        *,
        placed_since: datetime | None = None,
        placed_before: datetime | None = None,
        conn: sa.Connection | None = None,
        **equal: str | int | date,
    ) -> list[int]:
        """Ids of orders placed in the half-open window whose columns equal what is given (`ASKED_BY`), ascending.

        ValueError for a column that is not to be asked by.
        """
        if not set(equal) <= ASKED_BY.keys():
            raise ValueError(f"orders are asked for by {', '.join(ASKED_BY)}")
        query = sa.select(order_state.c.order_id).where(order_state.c.store == self._scope.store)
        for name, value in equal.items():
            query = query.where(order_state.c[name] == value)
        if placed_since is not None:
            query = query.where(order_state.c.placed_at >= placed_since)
        if placed_before is not None:
            query = query.where(order_state.c.placed_at < placed_before)
        with self._scope.transaction(conn) as tx:
            return list(tx.execute(query.order_by(order_state.c.order_id)).scalars())

    def unreferenced(self, limit: int = 500, *, conn: sa.Connection | None = None) -> list[OrderState]:
        """In NetSuite with a number that does not stand on the BigCommerce order yet, by id."""
        wanted = [
            order_state.c.netsuite_id.is_not(None),
            order_state.c.netsuite_number.is_not(None),
            order_state.c.referenced_at.is_(None),
        ]
        return self._select(wanted, limit, conn)

    def unread(
        self, limit: int = 500, *, after: int = 0, conn: sa.Connection | None = None
    ) -> list[OrderState]:
        """Written to NetSuite and not read back since, by id; `after` is the last id of the batch before."""
        wanted = [
            order_state.c.order_id > after,
            order_state.c.netsuite_id.is_not(None),
            order_state.c.read_back_at.is_(None),
        ]
        return self._select(wanted, limit, conn)

    def taxed_by_netsuite(
        self, since: date, until: date, *, conn: sa.Connection | None = None
    ) -> list[TaxHeld]:
        """Orders of ours from `since` to before `until` whose tax NetSuite itself holds: not as lines of ours."""
        values = {"store": self._scope.store, "since": since, "until": until}
        with self._scope.transaction(conn) as tx:
            return [
                TaxHeld(row["order_id"], row["netsuite_id"], Money(row["tax"], row["currency"]), row["codes"])
                for row in tx.execute(_TAXED, values).mappings()
            ]

    def doubled(self, *, conn: sa.Connection | None = None) -> list[str]:
        """NetSuite records that stand for more than one order, which must be none, by id."""
        query = (
            sa.select(order_state.c.netsuite_id)
            .where(order_state.c.store == self._scope.store, order_state.c.netsuite_id.is_not(None))
            .group_by(order_state.c.netsuite_id)
            .having(sa.func.count() > 1)
            .order_by(order_state.c.netsuite_id)
        )
        with self._scope.transaction(conn) as tx:
            return list(tx.execute(query).scalars())

    def missing(self, order_ids: Collection[int], *, conn: sa.Connection | None = None) -> list[int]:
        """Those of `order_ids` that were never read, ascending."""
        query = sa.select(order_state.c.order_id).where(
            order_state.c.store == self._scope.store,
            order_state.c.order_id == sa.any_(sa.cast(sorted(order_ids), sa.ARRAY(sa.BigInteger))),
        )
        with self._scope.transaction(conn) as tx:
            return sorted(set(order_ids) - set(tx.execute(query).scalars()))

    def steps(self, order_id: int, *, conn: sa.Connection | None = None) -> list[Step]:
        """The life of one order, oldest step first."""
        query = (
            sa.select(*(order_step.c[name] for name in Step.__dataclass_fields__))
            .where(order_step.c.store == self._scope.store, order_step.c.order_id == order_id)
            .order_by(order_step.c.id)
        )
        with self._scope.transaction(conn) as tx:
            return [Step(**row) for row in tx.execute(query).mappings()]

    def counts(self, day: date | None = None, *, conn: sa.Connection | None = None) -> list[Count]:
        """All orders (of one day) by disposition, code and currency, with their totals on both sides."""
        keys = (order_state.c.disposition, order_state.c.code, order_state.c.currency)
        sums = [
            sa.cast(sa.func.coalesce(sa.func.sum(column), 0), sa.BigInteger)
            for column in (
                order_state.c.total_minor,
                order_state.c.expected_total_minor,
                order_state.c.read_total_minor,
            )
        ]
        query = (
            sa.select(*keys, sa.func.count(), *sums)
            .where(order_state.c.store == self._scope.store)
            .group_by(*keys)
            .order_by(*keys)
        )
        if day is not None:
            query = query.where(order_state.c.day == day)
        with self._scope.transaction(conn) as tx:
            return [
                Count(disposition, code, orders, *(Money(int(amount), currency) for amount in amounts))
                for disposition, code, currency, orders, *amounts in tx.execute(query)
            ]

    def completeness(self, first: date, last: date, *, conn: sa.Connection | None = None) -> Completeness:
        """Whether every order placed from the first to the last day is in NetSuite, or says why it is not."""
        of_days = (order_state.c.store == self._scope.store, order_state.c.day.between(first, last))
        counts = (
            sa.select(order_state.c.disposition, sa.func.count().label("orders"))
            .where(*of_days)
            .group_by(order_state.c.disposition)
        )
        unexplained = (
            sa.select(order_state.c.order_id)
            .where(
                *of_days,
                order_state.c.disposition.not_in(("posted", "adopted", "planned")),
                order_state.c.reason.is_(None),
            )
            .order_by(order_state.c.order_id)
        )
        with self._scope.transaction(conn) as tx:
            orders = {row.disposition: row.orders for row in tx.execute(counts)}
            return Completeness(orders, tuple(tx.execute(unexplained).scalars()))

    def rounding(self, first: date, last: date, *, conn: sa.Connection | None = None) -> list[Rounded]:
        """What rounding lines close, by currency, on orders of ours placed from the first to the last day."""
        values = {"store": self._scope.store, "first": first, "last": last}
        with self._scope.transaction(conn) as tx:
            return [
                Rounded(
                    row.orders,
                    row.rounded,
                    Money(int(row.off), row.currency),
                    Money(int(row.total), row.currency),
                )
                for row in tx.execute(_ROUNDED, values)
            ]

    def backlog(self, now: datetime, *, conn: sa.Connection | None = None) -> tuple[int, datetime | None]:
        """How many orders are read and not decided, or due again by `now`, and since when the oldest of them is."""
        fresh = order_state.c.disposition == "open"
        due = sa.and_(order_state.c.disposition == "waiting", order_state.c.retry_at <= now)
        since = sa.case((fresh, order_state.c.read_at), else_=order_state.c.retry_at)
        query = sa.select(sa.func.count(), sa.func.min(since)).where(
            order_state.c.store == self._scope.store, sa.or_(fresh, due)
        )
        with self._scope.transaction(conn) as tx:
            count, oldest = tx.execute(query).one()
        return count, oldest

    def undecided(self, first: date, last: date, *, conn: sa.Connection | None = None) -> set[int]:
        """Orders placed from the first to the last day that were read and that no plan has looked at yet."""
        query = sa.select(order_state.c.order_id).where(
            order_state.c.store == self._scope.store,
            order_state.c.day.between(first, last),
            order_state.c.disposition == "open",
        )
        with self._scope.transaction(conn) as tx:
            return set(tx.execute(query).scalars())

    def _select(
        self, wanted: Sequence[sa.ColumnElement[bool]], limit: int | None, conn: sa.Connection | None
    ) -> list[OrderState]:
        query = (
            sa.select(order_state)
            .where(order_state.c.store == self._scope.store, *wanted)
            .order_by(order_state.c.order_id)
            .limit(limit)
        )
        with self._scope.transaction(conn) as tx:
            return [state_of(row) for row in tx.execute(query).mappings()]


_ROUNDED = sa.text(
    f"""
    select s.currency, count(*) as orders, count(*) filter (where w.off <> 0) as rounded,
        coalesce(sum(abs(w.off)), 0) as off, sum(s.expected_total_minor) as total
    from {order_state.fullname} s
    cross join lateral (
        select coalesce((t.facts->>'residual_minor')::bigint, 0) as off from {order_step.fullname} t
        where t.store = s.store and t.order_id = s.order_id and t.step = 'posted' order by t.id desc limit 1
    ) w
    where s.store = :store and s.day between :first and :last and s.expected_total_minor is not null
    group by s.currency
    order by s.currency
    """
)
_TAXED = sa.text(
    f"""
    select s.order_id, s.netsuite_id, s.currency, s.read_tax_minor as tax, n.codes
    from {order_state.fullname} s
    left join lateral (
        select t.facts->'tax_codes' as codes from {order_step.fullname} t
        where t.store = s.store and t.order_id = s.order_id and t.facts ? 'tax_codes' order by t.id desc limit 1
    ) n on true
    where s.store = :store and s.day >= :since and s.day < :until and s.netsuite_id is not null
        and s.expected_tax_minor is not null and s.read_tax_minor <> 0
        and not exists (select from jsonb_object_keys(n.codes) k where starts_with(k, 'item:'))
    order by s.order_id
    """
)


def state_of(row: Mapping[Any, Any]) -> OrderState:
    """A row of `order_state` as it is spoken of."""
    values = {name: row[name] for name in OrderState.__dataclass_fields__ if name in row}
    for name in ("total", "expected_total", "expected_tax", "read_total", "read_tax"):
        minor = row[f"{name}_minor"]
        values[name] = None if minor is None else Money(minor, row["currency"])
    values["lines"] = tuple(OrderLine(**line) for line in row["lines"])
    return OrderState(**values)
