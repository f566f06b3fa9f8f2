"""What NetSuite and the providers said of the clearing accounts, and what of ours stands against it.

Put the rows of `clearing_evidence` here, and what our own tables know of the same moment. Do not put sums or labels
here (rules/close/evidence.py). Nothing is overwritten: who asks again adds a row, and the newest of a day counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.audit import Audit
from bcns_pipeline.state.finance_sql import ENTRY_LINES
from bcns_pipeline.state.scope import Scope, canonical
from bcns_pipeline.state.tables_payouts import clearing_evidence


@dataclass(frozen=True, slots=True)
class Said:
    """What one source said of the end of a day. `source` is "netsuite" or "provider/account"."""

    source: str
    as_of: date
    asked_at: datetime
    said: Mapping[str, Any]
    sha256: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Lines of one merchant account in one currency against the ledger at a moment, minor units, a debit positive.

    `on_the_way` left the provider, and its entry is not in the ledger; `never_booked` is in entries of the ledger, and
    no capture or refund was booked for it; `taken` is what the provider has taken off lines that it paid out later;
    `returned` are payouts that came back to it, on an account of their own in the ledger until a later one brings them.
    `foreign`: lines that are in no entry of the ledger yet were booked in another currency than they are paid out in.
    """

    provider: str
    account: str
    currency: str
    on_the_way: int
    never_booked: int
    taken: int
    returned: int = 0
    foreign: bool = False

    @property
    def parts(self) -> dict[str, int]:
        """Why the ledger shows more than the provider holds, in words."""
        return {
            "paid out, entry not in the ledger yet": self.on_the_way,
            "paid out, and nothing booked for it": self.never_booked,
            "fees and more that the provider took off lines paid out since": self.taken,
            "paid out, and back at the provider": self.returned,
        }


@dataclass(frozen=True, slots=True)
class Booked:
    """One record of ours on one account, by its natural key; minor units, a debit positive."""

    key: str
    amount: int


class ClearingEvidence:
    """The evidence of one store."""

    def __init__(self, scope: Scope, audit: Audit) -> None:
        self._scope = scope
        self._audit = audit

    def keep(self, source: str, as_of: date, said: Mapping[str, Any]) -> str:
        """Remember an answer and note its hash, which is returned, in the audit chain."""
        text = canonical(said)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        row = {"store": self._scope.store, "source": source, "as_of": as_of, "said": said, "sha256": sha256,
               "run_id": self._scope.run_id or None}  # fmt: skip
        with self._scope.transaction() as tx:
            tx.execute(sa.insert(clearing_evidence), row)
            self._audit.append(tx, "clearing.evidence", f"{source}:{as_of}", {"sha256": sha256})
        return sha256

    def of(self, as_of: date) -> dict[str, Said]:
        """{source: its newest answer about the end of that day}; without an entry it was never asked."""
        table = clearing_evidence
        newest = (
            sa.select(table.c.source, table.c.as_of, table.c.asked_at, table.c.said, table.c.sha256)
            .where(table.c.store == self._scope.store, table.c.as_of == as_of)
            .distinct(table.c.source)
            .order_by(table.c.source, table.c.id.desc())
        )
        with self._scope.transaction() as tx:
            return {row["source"]: Said(**row) for row in tx.execute(newest).mappings()}

    def first_of_liability(self, account: int) -> Said | None:
        """The newest answer about the first day for which NetSuite was asked about this account of stored value."""
        table = clearing_evidence
        query = (
            sa.select(table.c.source, table.c.as_of, table.c.asked_at, table.c.said, table.c.sha256)
            .where(
                table.c.store == self._scope.store,
                table.c.source == "netsuite",
                table.c.said["liabilities"]["accounts"].contains([account]),
            )
            .order_by(table.c.as_of, table.c.id.desc())
            .limit(1)
        )
        with self._scope.transaction() as tx:
            row = tx.execute(query).mappings().first()
        return None if row is None else Said(**row)

    def is_newest(self, as_of: date, source: str = "netsuite") -> bool:
        """Whether this source has told of no later day, but for the end of a month that was still running."""
        table = clearing_evidence
        asked_on = sa.cast(sa.func.timezone("UTC", table.c.asked_at), sa.Date)
        later = sa.exists().where(
            table.c.store == self._scope.store,
            table.c.source == source,
            table.c.as_of > as_of,
            table.c.as_of <= asked_on,
        )
        with self._scope.transaction() as tx:
            return not tx.execute(sa.select(later)).scalar_one()

    def ours(self, ids: Collection[int]) -> set[int]:
        """Of these records of NetSuite, by internal id, those that we made or have taken for an order's."""
        if not ids:
            return set()
        values = {"store": self._scope.store, "ids": [str(one) for one in ids]}
        with self._scope.transaction() as tx:
            return {int(one) for one in tx.execute(_OURS, values).scalars()}

    def records(self, last: date) -> dict[tuple[int, int, str], Booked]:
        """{(NetSuite's id, account, currency): what of ours should stand there at the end of `last`}."""
        values = {"store": self._scope.store, "last": last}
        with self._scope.transaction() as tx:
            rows = tx.execute(_RECORDS, values).all()
        return {(int(row.id), row.account, row.currency): Booked(row.key, row.amount) for row in rows}

    def moved(self, last: date, at: datetime) -> list[Moved]:
        """How lines of payouts stand to the ledger at the end of `last`, which is the moment `at`."""
        values = {"store": self._scope.store, "last": last, "at": at}
        with self._scope.transaction() as tx:
            return [Moved(**row) for row in tx.execute(_MOVED, values).mappings()]

    def not_itemised(self, last: date) -> dict[tuple[int, str], int]:
        """{(account, currency): how many records booked until then no payout has named}, where there are any."""
        values = {"store": self._scope.store, "last": last}
        with self._scope.transaction() as tx:
            rows = tx.execute(_NOT_ITEMISED, values).all()
        return {(row.account, row.currency): row.records for row in rows}


_OURS = sa.text(
    """
    select netsuite_id from bcns.cash_record where store = :store and netsuite_id = any(:ids)
    union select netsuite_id from bcns.refund_record where store = :store and netsuite_id = any(:ids)
    union select netsuite_id from bcns.payout_journal where store = :store and netsuite_id = any(:ids)
    """
)

_RECORDS = sa.text(
    f"""
    select netsuite_id::bigint as id, min(natural_key) as key, account, currency, sum(amount)::bigint as amount from (
        select netsuite_id, natural_key, coalesce(read_account, account) as account, currency, amount_minor as amount,
            day
        from bcns.cash_record where store = :store and kind in ('deposit','payment','cash_sale')
        union all
        select netsuite_id, natural_key, account, currency, -amount_minor, day from bcns.refund_record
        where store = :store and n > 0 and way not in ('store_credit','gift_certificate')
        union all
        select netsuite_id, natural_key, account, currency, amount_minor, day from bcns.refund_record
        where store = :store and n = 0 and record_type = 'journalEntry'
        union all
        select j.netsuite_id, j.natural_key, (l.line->>'account')::bigint, j.currency,
            coalesce((l.line->>'debit')::bigint, 0) - coalesce((l.line->>'credit')::bigint, 0), j.tran_date
        from bcns.payout_journal j cross join lateral {ENTRY_LINES} as l(line)
        where j.store = :store
    ) r
    where netsuite_id ~ '^[0-9]+$' and account is not null and day <= :last
    group by 1, 3, 4
    """
).bindparams(sa.bindparam("last", type_=sa.Date()))

_SETTLES = (
    "('gross_sales','partial_capture_reversal','charge_failure','sales_discount','refund','refund_returned')"
)
_MOVED = sa.text(
    f"""
    with lines as (
        select p.provider, p.account, coalesce(l.currency, p.currency) as currency, p.amount_minor, l.line, l.cls,
            l.gross, l.net, l.journal_key is not null or o.line_id is not null as booked, l.occurred_at, x.gone,
            x.posted, coalesce(c.currency, r.currency) as booked_in
        from bcns.payout p
        left join bcns.payout_line l on l.payout = p.id and l.version = p.version
        left join bcns.payout_journal j on j.store = p.store and j.natural_key = p.journal_key
        left join bcns.cash_record c on c.store = p.store and c.natural_key = l.journal_key
        left join bcns.refund_record r on r.store = p.store and r.natural_key = l.journal_key
        left join bcns.opening_item o on o.store = p.store and o.provider = p.provider and o.account = p.account
            and o.line_id = l.line_id
        cross join lateral (select coalesce(p.created_at < :at, p.arrival_date <= :last) as gone,
            j.netsuite_id is not null and j.approved is true and j.tran_date <= :last as posted) x
        where p.store = :store and (l.line is not null or p.itemisation = 'never')
            and (p.source_status <> 'canceled' or p.journal_key is not null)
    ), sums as (
        select provider, account, currency,
            coalesce(sum(case when line is null then amount_minor when booked or cls = 'payout_returned' then gross end)
                filter (where gone and not posted
                    and (line is null or cls in {_SETTLES} or cls = 'payout_returned')), 0)::bigint as on_the_way,
            coalesce(sum(-gross) filter (where gone and posted and not booked and cls in {_SETTLES}), 0)
                ::bigint as never_booked,
            coalesce(sum(case when booked then gross else 0 end - net)
                filter (where not gone and occurred_at < :at and cls not in ('payout_event','payout_returned')), 0)
                ::bigint as taken,
            0::bigint as returned,
            false as "foreign"
        from lines group by 1, 2, 3
        union all
        select distinct provider, account, one, 0, 0, 0, 0, true
        from lines cross join lateral unnest(array[currency, booked_in]) as one
        where not posted and booked_in <> currency
        union all
        select j.entry->>'provider', j.entry->>'account', j.currency, 0, 0, 0,
            sum((l.line->>'credit')::bigint - (l.line->>'debit')::bigint)::bigint, false
        from bcns.payout_journal j cross join lateral {ENTRY_LINES} as l(line)
        where j.store = :store and j.netsuite_id is not null and j.tran_date <= :last
            and j.entry->>'provider' is not null and l.line->>'role' = 'returned_payouts'
        group by 1, 2, 3
    )
    select provider, account, currency, sum(on_the_way)::bigint as on_the_way,
        sum(never_booked)::bigint as never_booked, sum(taken)::bigint as taken, sum(returned)::bigint as returned,
        bool_or("foreign") as "foreign"
    from sums group by 1, 2, 3 order by 1, 2, 3
    """
).bindparams(sa.bindparam("last", type_=sa.Date()), sa.bindparam("at", type_=sa.DateTime(timezone=True)))

_NOT_ITEMISED = sa.text(
    """
    select account, currency, count(*) as records from (
        select natural_key, coalesce(read_account, account) as account, currency from bcns.cash_record
        where store = :store and kind in ('deposit','payment','cash_sale') and day <= :last
        union all
        select natural_key, account, currency from bcns.refund_record k
        where store = :store and n > 0 and way not in ('store_credit','gift_certificate') and day <= :last
            and not exists (select 1 from bcns.refund_record b where b.store = k.store and b.refund_id = k.refund_id
                and b.n = 0 and b.record_type = 'journalEntry' and b.amount_minor = k.amount_minor)
    ) r
    where account is not null and not exists (select 1 from bcns.payout_line l join bcns.payout p
        on p.id = l.payout and p.version = l.version where p.store = :store and l.journal_key = r.natural_key)
    group by account, currency
    """
).bindparams(sa.bindparam("last", type_=sa.Date()))
