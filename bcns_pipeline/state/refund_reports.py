"""Refunds as reports show them: each with its records (FR4), and what went back as stored value (FR11).

Put read-only queries for reports here. Do not put layout here, nor what another flow knows: a payout finds the refund
that it settles by the ids in `provider_refs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.refund_views import RefundViews
from bcns_pipeline.state.tables_refunds import refund_record, refund_state


@dataclass(frozen=True, slots=True)
class RefundLine:
    """One refund on all sides (FR4): what BigCommerce gives back, what is credited, and by which records it is settled.

    `settled` are the money and stored value that left; `open` what of the credit nothing settles, None where it was not
    read back. `records` are NetSuite's ids, the credit first.
    """

    refund_id: int
    order_id: int
    day: date
    total: Money
    tax: Money
    paid: Money
    disposition: str
    code: str | None
    route: str | None
    credited: Money
    settled: Money
    open: Money | None
    records: tuple[str, ...]
    providers: tuple[str, ...]
    posted_at: datetime | None

    @property
    def difference(self) -> Money:
        """What BigCommerce gave back and nothing in NetSuite has settled yet; 0 for a refund that is booked."""
        return self.paid - self.settled


@dataclass(frozen=True, slots=True)
class StoredValueBack:
    """What refunds put back on one liability on one day (FR11). `way`: store_credit | gift_certificate."""

    day: date
    way: str
    refunds: int
    amount: Money


class RefundReports(RefundViews):
    """What reports ask of the refunds of one store."""

    def reconciliation(
        self, since: date, until: date, *, conn: sa.Connection | None = None
    ) -> list[RefundLine]:
        """Every refund made on `since` or later and before `until`, by day and id."""
        values = {"store": self._scope.store, "since": since, "until": until}
        with self._scope.transaction(conn) as tx:
            return [_line(row) for row in tx.execute(_RECONCILIATION, values).mappings()]

    def stored_value(
        self, since: date, until: date, *, conn: sa.Connection | None = None
    ) -> list[StoredValueBack]:
        """What went back as stored value, by day of posting, kind and currency."""
        keys = (refund_record.c.day, refund_record.c.way, refund_record.c.currency)
        query = (
            sa.select(
                *keys, sa.func.count(), sa.cast(sa.func.sum(refund_record.c.amount_minor), sa.BigInteger)
            )
            .where(
                refund_record.c.store == self._scope.store,
                refund_record.c.way.in_(("store_credit", "gift_certificate")),
                refund_record.c.day >= since,
                refund_record.c.day < until,
            )
            .group_by(*keys)
            .order_by(*keys)
        )
        with self._scope.transaction(conn) as tx:
            return [
                StoredValueBack(day, way, count, Money(int(amount), currency))
                for day, way, currency, count, amount in tx.execute(query)
            ]


def _line(row: Any) -> RefundLine:
    currency = row["currency"]

    def money(name: str) -> Money:
        return Money(int(row[name] or 0), currency)

    return RefundLine(
        refund_id=row["refund_id"],
        order_id=row["order_id"],
        day=row["day"],
        total=money("total_minor"),
        tax=money("tax_minor"),
        paid=money("paid_minor"),
        disposition=row["disposition"],
        code=row["code"],
        route=row["route"],
        credited=money("credited"),
        settled=money("settled"),
        open=None if row["open_minor"] is None else money("open_minor"),
        records=tuple(row["records"] or ()),
        providers=tuple(row["providers"] or ()),
        posted_at=row["posted_at"],
    )


# A cash refund is credit and money in one record: it settles payment n, and credits.
_RECONCILIATION = sa.text(
    f"""
    select s.refund_id, s.order_id, s.day, s.currency, s.total_minor, s.tax_minor, s.paid_minor, s.disposition,
        s.code, s.route, s.open_minor, s.posted_at, r.credited, r.settled, r.records, r.providers
    from {refund_state.fullname} s
    left join lateral (
        select sum(amount_minor) filter (where record_type in ('creditMemo','cashRefund')) as credited,
            sum(amount_minor) filter (where n > 0) as settled,
            array_agg(netsuite_id order by n, natural_key) filter (where way <> 'cut') as records,
            array_agg(distinct provider order by provider) filter (where provider <> '') as providers
        from {refund_record.fullname} r where r.store = s.store and r.refund_id = s.refund_id
    ) r on true
    where s.store = :store and s.day >= :since and s.day < :until
    order by s.day, s.refund_id
    """
)
