"""What certificates and store credit did to their liabilities (FR11), as SQL: as `finance_sql.py`.

Put text here. Do not put arithmetic of rules here.
"""

from __future__ import annotations

from bcns_pipeline.state.finance_sql import ENTRY_LINES, STORED_NOT_BOOKED

# Of tenders t.
_KIND = """case replace(t.method, '_', '') when 'giftcertificate' then 'gift_certificate'
                when 'storecredit' then 'store_credit' else 'not known' end"""
# Whose stored value it is, where a transaction does not tell it: c is the cash_order.
_WHOSE = "coalesce({holder}, case when {kind} = 'store_credit' then c.shopper_id::text end, 'not known')"
# What our records moved, from the first on: issued by refunds, used by orders that are billed, or that went back whole
# before they were, and what payouts posted of channels in summary mode. A credit memo's account is its item's, so it
# names none.
_MOVED = f"""
        select {_KIND} as kind,
            case when k.kind = 'deposit' then coalesce(k.read_account, k.account) end as account,
            k.day, k.currency, 0::bigint as issued, k.amount_minor as used, 0::bigint as posted, k.order_id,
            k.transaction_id
        from bcns.cash_record k
        left join bcns.tender t on t.store = k.store and t.transaction_id = k.transaction_id
        where k.store = :store and k.day < :until and (k.kind = 'credit'
            or k.kind = 'deposit' and replace(t.method, '_', '') in ('giftcertificate','storecredit'))
        union all
        select way, account, day, currency, amount_minor, 0, 0, order_id, transaction_id from bcns.refund_record
        where store = :store and way in ('store_credit','gift_certificate') and day < :until
        union all
        select {_KIND}, null, b.day, t.currency, 0, t.amount_minor, 0, t.order_id, t.transaction_id
        from bcns.tender t cross join lateral (
            select max(k.day) as day from bcns.refund_state s join bcns.refund_record k on k.store = s.store
                and k.refund_id = s.refund_id and k.n > 0
            where s.store = t.store and s.order_id = t.order_id and s.route = 'deposit'
            having sum(k.amount_minor) = (select captured_minor from bcns.cash_order c where c.store = t.store
                and c.order_id = t.order_id)) b
        where t.store = :store and b.day < :until and {STORED_NOT_BOOKED}
        union all
        select 'summary mode', (l.line->>'account')::bigint, j.tran_date, j.currency, 0, 0,
            coalesce((l.line->>'credit')::bigint, 0) - coalesce((l.line->>'debit')::bigint, 0), null, null
        from bcns.payout_journal j cross join lateral {ENTRY_LINES} as l(line)
        where j.store = :store and j.netsuite_id is not null and j.tran_date < :until
            and l.line->>'role' = 'stored_value'
"""
STORED_VALUE = f"""
    select kind, account, currency, coalesce(sum(issued - used + posted) filter (where day < :since), 0)::bigint
            as opening_minor,
        coalesce(sum(issued) filter (where day >= :since), 0)::bigint as issued_by_refunds_minor,
        coalesce(sum(used) filter (where day >= :since), 0)::bigint as used_minor,
        coalesce(sum(posted) filter (where day >= :since), 0)::bigint as summary_mode_minor,
        sum(issued - used + posted)::bigint as closing_minor, count(*) filter (where day >= :since) as records
    from ({_MOVED}
    ) x group by kind, account, currency order by kind, account, currency
"""

# The same by certificate and by shopper, beside what BigCommerce told of each balance with its transactions. `steps`
# are those, and refunds of which it named none, in their order; what moved between the first and the last told balance
# and is none of them moved otherwise. Of store credit it tells only what was left, so what there was before is
# that with the transaction taken back; so it is where value came back, of which nothing says what "starting" means.
STORED_HOLDERS = f"""
    with moved as (
        select m.kind, {_WHOSE.format(holder="t.holder", kind="m.kind")} as holder, m.currency, m.day, m.issued, m.used
        from ({_MOVED}) m
        left join bcns.tender t on t.store = :store and t.transaction_id = m.transaction_id and {_KIND} = m.kind
        left join bcns.cash_order c on c.store = :store and c.order_id = m.order_id
        where m.kind <> 'summary mode'
    ), steps as (
        select {_KIND} as kind, {_WHOSE.format(holder="t.holder", kind=f"({_KIND})")} as holder, t.currency,
            coalesce(t.happened_at, o.placed_at) as at, t.transaction_id,
            t.amount_minor * case when t.event in ('purchase','capture') then -1 else 1 end as by,
            t.amount_minor * case t.event when 'refund' then 0 when 'void' then -1 else 1 end as paid,
            t.original_minor, case when t.event in ('purchase','capture') then t.starting_minor end as starting,
            case when t.holder is not null then t.remaining_minor end as remaining
        from bcns.tender t join bcns.order_state o on o.store = t.store and o.order_id = t.order_id
        left join bcns.cash_order c on c.store = t.store and c.order_id = t.order_id
        where t.store = :store and t.status = 'ok' and not t.test
            and t.event in ('purchase','capture','refund','void')
            and replace(t.method, '_', '') in ('giftcertificate','storecredit')
        union all
        select r.way, {_WHOSE.format(holder="null", kind="r.way")}, r.currency, s.created_at, 0, r.amount_minor, 0,
            null, null, null
        from bcns.refund_record r join bcns.refund_state s on s.store = r.store and s.refund_id = r.refund_id
        left join bcns.cash_order c on c.store = r.store and c.order_id = r.order_id
        where r.store = :store and r.way in ('store_credit','gift_certificate') and not exists (
            select 1 from bcns.tender t where t.store = r.store and t.transaction_id = r.transaction_id)
    ), numbered as (
        select *, row_number() over (partition by kind, holder, currency order by at, transaction_id) as n
        from steps where (at at time zone :zone)::date < :until
    ), edged as (
        select *, min(n) filter (where remaining is not null) over (partition by kind, holder, currency) as first,
            max(n) filter (where remaining is not null) over (partition by kind, holder, currency) as last
        from numbered
    ), told as (
        select kind, holder, currency, max(original_minor) as original, sum(paid) as paid,
            max(at) filter (where n = first) as first_told,
            max(coalesce(starting, remaining - by)) filter (where n = first) as before,
            max(at) filter (where n = last) as last_told, max(remaining) filter (where n = last) as balance,
            sum(by) filter (where n between first and last) as explained
        from edged group by kind, holder, currency
    ), booked as (
        select kind, holder, currency, coalesce(sum(issued) filter (where day < :since), 0) as issued_before,
            coalesce(sum(used) filter (where day < :since), 0) as used_before,
            coalesce(sum(issued) filter (where day >= :since), 0) as issued,
            coalesce(sum(used) filter (where day >= :since), 0) as used
        from moved group by kind, holder, currency
    )
    select kind, holder, currency, original as original_minor, first_told, before as before_minor,
        coalesce(issued_before, 0)::bigint as issued_before_minor,
        coalesce(used_before, 0)::bigint as used_before_minor,
        coalesce(issued, 0)::bigint as issued_by_refunds_minor, coalesce(used, 0)::bigint as used_minor,
        (coalesce(paid, 0) - coalesce(used_before + used, 0))::bigint as not_booked_minor,
        last_told, balance as balance_minor, (balance - before - explained)::bigint as moved_otherwise_minor
    from told full join booked using (kind, holder, currency)
    order by kind, currency, holder
"""
