"""What is asked of fees at the end of a month, as SQL: as `finance_sql.py`, with `zone` for the store's own days.

Put text here. Do not put arithmetic of rules here.
"""

from __future__ import annotations

# Charges, refunds and fees of before `until` that no payout of before it took (rules/payouts/accrual.py).
_OPEN_AT_END = """
    select p.provider, p.account, l.currency, coalesce(c.account, r.account) as clearing,
        l.fee - l.fee_tax - case when l.cls like 'fee%' then l.gross else 0 end as fee
    from bcns.payout p join bcns.payout_line l on l.payout = p.id and l.version = p.version
    left join bcns.cash_record c on c.store = p.store and c.natural_key = l.journal_key
    left join bcns.refund_record r on r.store = p.store and r.natural_key = l.journal_key
    where p.store = :store and p.arrival_date >= :until and p.source_status <> 'canceled'
        and l.occurred_at < (:until)::timestamp at time zone :zone
        and l.cls in ('gross_sales','partial_capture_reversal','charge_failure','sales_discount','refund',
            'refund_returned','fee_standalone','fee_selling','fee_fulfilment','fee_dispute')
"""
OPEN_FEES = f"""
    select clearing, currency, sum(fee)::bigint as fees from ({_OPEN_AT_END}) x
    where clearing is not null group by clearing, currency order by clearing, currency
"""
ACCRUED_FEES = f"""
    with told as (
        select provider, account, currency, count(*) filter (where fee <> 0) as lines, sum(fee)::bigint as fees
        from ({_OPEN_AT_END}) x group by provider, account, currency
    ), posted as (
        select j.entry->>'provider' as provider, j.entry->>'account' as account, j.currency, j.natural_key,
            (j.entry->>'reverse_on')::date as reversed_on, coalesce((j.inputs->>'billed_later')::bigint, 0) as billed,
            sum((l.line->>'debit')::bigint - (l.line->>'credit')::bigint)
                filter (where l.line->>'role' = 'fees')::bigint as fees,
            case when j.approved then 'approved' else 'awaiting approval' end as approval
        from bcns.payout_journal j cross join lateral jsonb_array_elements(j.entry->'lines') as l(line)
        where j.store = :store and j.kind = 'accrual' and j.netsuite_id is not null
            and j.tran_date >= :since and j.tran_date < :until
        group by j.id
    )
    select provider, account, currency, coalesce(t.lines, 0) as lines, coalesce(t.fees, 0) as taken_later_minor,
        coalesce(p.billed, 0) as billed_later_minor, coalesce(p.fees, 0) as accrued_minor,
        coalesce(t.fees, 0) + coalesce(p.billed, 0) - coalesce(p.fees, 0) as not_accrued_minor,
        p.natural_key as journal, coalesce(p.approval, 'none') as approval, p.reversed_on
    from told t full join posted p using (provider, account, currency)
    where coalesce(t.fees, 0) <> 0 or p.natural_key is not null
    order by provider, account, currency
"""
