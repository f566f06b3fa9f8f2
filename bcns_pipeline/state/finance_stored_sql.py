"""What certificates and store credit did to their liabilities (FR11), as SQL: as `finance_sql.py`.

Put text here. Do not put arithmetic of rules here.
"""

from __future__ import annotations

from bcns_pipeline.state.finance_sql import ENTRY_LINES, STORED_NOT_BOOKED

# What our records moved, from the first on: issued by refunds, used by orders that are billed, or that went back whole
# before they were, and what payouts posted of channels in summary mode. A credit memo's account is its item's, so it
# names none.
STORED_VALUE = f"""
    select kind, account, currency, coalesce(sum(issued - used + posted) filter (where day < :since), 0)::bigint
            as opening_minor,
        coalesce(sum(issued) filter (where day >= :since), 0)::bigint as issued_by_refunds_minor,
        coalesce(sum(used) filter (where day >= :since), 0)::bigint as used_minor,
        coalesce(sum(posted) filter (where day >= :since), 0)::bigint as summary_mode_minor,
        sum(issued - used + posted)::bigint as closing_minor, count(*) filter (where day >= :since) as records
    from (
        select case replace(t.method, '_', '') when 'giftcertificate' then 'gift_certificate'
                when 'storecredit' then 'store_credit' else 'not known' end as kind,
            case when k.kind = 'deposit' then coalesce(k.read_account, k.account) end as account,
            k.day, k.currency, 0::bigint as issued, k.amount_minor as used, 0::bigint as posted
        from bcns.cash_record k
        left join bcns.tender t on t.store = k.store and t.transaction_id = k.transaction_id
        where k.store = :store and k.day < :until and (k.kind = 'credit'
            or k.kind = 'deposit' and replace(t.method, '_', '') in ('giftcertificate','storecredit'))
        union all
        select way, account, day, currency, amount_minor, 0, 0 from bcns.refund_record
        where store = :store and way in ('store_credit','gift_certificate') and day < :until
        union all
        select case replace(t.method, '_', '') when 'giftcertificate' then 'gift_certificate' else 'store_credit' end,
            null, b.day, t.currency, 0, t.amount_minor, 0
        from bcns.tender t cross join lateral (
            select max(k.day) as day from bcns.refund_state s join bcns.refund_record k on k.store = s.store
                and k.refund_id = s.refund_id and k.n > 0
            where s.store = t.store and s.order_id = t.order_id and s.route = 'deposit'
            having sum(k.amount_minor) = (select captured_minor from bcns.cash_order c where c.store = t.store
                and c.order_id = t.order_id)) b
        where t.store = :store and b.day < :until and {STORED_NOT_BOOKED}
        union all
        select 'summary mode', (l.line->>'account')::bigint, j.tran_date, j.currency, 0, 0,
            coalesce((l.line->>'credit')::bigint, 0) - coalesce((l.line->>'debit')::bigint, 0)
        from bcns.payout_journal j cross join lateral {ENTRY_LINES} as l(line)
        where j.store = :store and j.netsuite_id is not null and j.tran_date < :until
            and l.line->>'role' = 'stored_value'
    ) x group by kind, account, currency order by kind, account, currency
"""
