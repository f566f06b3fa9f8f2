"""What the clearing accounts hold by our own records: booked, settled, open, and what is left over.

Put the sums over cash, refunds and payouts here. Do not put NetSuite's side here: the close asks for it. A capture or
refund and the lines of payouts that settle it are one key; what a settled key does not come to is unexplained.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.tables_cash import cash_record
from bcns_pipeline.state.tables_payouts import payout, payout_line
from bcns_pipeline.state.tables_refunds import refund_record


@dataclass(frozen=True, slots=True)
class Clearing:
    """One account in one currency, in minor units, a debit positive.

    closing = open + unexplained: captures and refunds that no payout has settled, and what those that were settled do
    not come to. Lines that settle nothing we know are exceptions of their own.
    """

    account: int
    currency: str
    booked: int
    settled: int
    open_items: int
    open_amount: int
    unexplained: int

    @property
    def closing(self) -> int:
        """What stands on the account by our records, entries that wait for approval included."""
        return self.booked + self.settled


def clearing(scope: Scope, accounts: Collection[int], *, conn: sa.Connection | None = None) -> list[Clearing]:
    """The clearing accounts that anything was booked to.

    A line in another currency than its record takes out what NetSuite carries, which is what was booked.
    """
    if not accounts:
        return []
    values = {"store": scope.store, "accounts": sorted(accounts)}
    with scope.transaction(conn) as tx:
        return [Clearing(**row) for row in tx.execute(_CLEARING, values).mappings()]


_CLEARING = sa.text(
    f"""
    with booked as (
        select natural_key as key, coalesce(read_account, account) as account, currency, amount_minor as amount
        from {cash_record.fullname}
        where store = :store and kind in ('deposit','payment','cash_sale') and amount_minor is not null
        union all
        select natural_key, account, currency, -amount_minor
        from {refund_record.fullname} where store = :store and n > 0 and account is not null
        union all
        select natural_key, account, currency, amount_minor from {refund_record.fullname}
        where store = :store and n = 0 and record_type = 'journalEntry' and account is not null
    ), settled as (
        select l.journal_key as key, sum(-l.gross) as amount, bool_or(l.carrying is not null) as foreign_line,
            min(l.currency) as currency
        from {payout_line.fullname} l
        join {payout.fullname} p on p.id = l.payout and p.version = l.version
        where p.store = :store and p.status in ('draft_posted','approved','bank_matched','closed','failed')
            and l.journal_key is not null
        group by l.journal_key
    ), keys as (
        select b.account, b.currency, b.amount,
            case when s.foreign_line or s.currency <> b.currency then -b.amount else s.amount end as back
        from booked b left join settled s on s.key = b.key where b.account = any(cast(:accounts as bigint[]))
    )
    select account, currency, sum(amount)::bigint as booked, coalesce(sum(back), 0)::bigint as settled,
        count(*) filter (where back is null)::int as open_items,
        coalesce(sum(amount) filter (where back is null), 0)::bigint as open_amount,
        coalesce(sum(amount + back) filter (where back is not null), 0)::bigint as unexplained
    from keys group by account, currency order by account, currency
    """
)
