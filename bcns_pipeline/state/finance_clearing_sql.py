"""What the ledger export and the roll-forward of clearing are made of, as SQL: as `finance_sql.py`.

Put text here. Do not put arithmetic of rules here.
"""

from __future__ import annotations

from bcns_pipeline.state.finance_sql import ENTRY_LINES

# Lines of journals that are in NetSuite, in order: for the ledger export and for the roll-forward. What NetSuite
# reverses by itself on a later day (an accrual) is there on both days. `kept_by`: the provider that holds it back, or
# pays out what it held back before; it is in that balance meanwhile.
ENTRIES = f"""
    select j.natural_key || d.suffix as natural_key, j.kind, d.day as tran_date, j.currency, j.approved, j.payout,
        j.version, j.reversed_by, j.reverses, j.netsuite_number, (l.line->>'account')::bigint as account,
        coalesce(l.line->>'role', '') as role, coalesce((l.line->>d.debit)::bigint, 0) as debit,
        coalesce((l.line->>d.credit)::bigint, 0) as credit, coalesce(l.line->>'memo', '') as memo,
        case when l.line->>'cls' = 'reserve_minbal' or l.line->>'part' = 'remainder'
            then concat(j.entry->>'provider', ' ', j.entry->>'account') end as kept_by,
        coalesce(l.line->>'part' = 'transfer', false) as not_itemised
    from bcns.payout_journal j cross join lateral {ENTRY_LINES} with ordinality as l(line, place)
    cross join lateral (values (j.tran_date, '', 'debit', 'credit'),
        ((j.entry->>'reverse_on')::date, '-reversed', 'credit', 'debit')) as d(day, suffix, debit, credit)
    where j.store = :store and j.netsuite_id is not null and d.day >= :since and d.day < :until
    order by d.day, j.id, d.suffix, l.place
"""

# What captures and refunds put on the accounts that payouts settle; what a journal takes back of a refund that was
# declined closes it.
BOOKED = """
    select natural_key, coalesce(read_account, account) as account, currency, amount_minor as amount, day, order_id,
        'capture' as movement
    from bcns.cash_record
    where store = :store and coalesce(read_account, account) is not null and kind in ('deposit','payment','cash_sale')
        and day < :until
    union all
    select natural_key, account, currency, -amount_minor, day, order_id, 'refund'
    from bcns.refund_record
    where store = :store and account is not null and n > 0 and way not in ('store_credit','gift_certificate')
        and day < :until
    union all
    select coalesce((select min(s.natural_key) from bcns.refund_record s
            where s.store = r.store and s.refund_id = r.refund_id and s.n > 0 and s.account = r.account
                and s.amount_minor = r.amount_minor), r.natural_key),
        r.account, r.currency, r.amount_minor, r.day, r.order_id, 'refund'
    from bcns.refund_record r
    where r.store = :store and r.account is not null and r.n = 0 and r.record_type = 'journalEntry' and r.day < :until
    order by 5, 1
"""

# What payouts settle of them, one row a line: what it moves in the entry's currency, and `given`, without sign, in that
# of the record, all of it where NetSuite's value of all of it is what was taken out. Entries that were reversed count:
# their reversals take it back. What was taken over at the cutover settles the opening entry. Lines that touch revenue
# or the account of before the cutover settle nothing.
SETTLED = """
    with j as materialized (
        select id, store, natural_key, payout, version, currency, inputs->'treatments' as treatments
        from bcns.payout_journal
        where store = :store and netsuite_id is not null and kind = 'payout' and tran_date < :until
    ), opened as materialized (
        select o.provider, o.account, o.line_id, k.natural_key
        from bcns.opening_item o join bcns.payout_journal k on k.store = o.store and k.kind = 'opening'
            and k.currency = o.currency and k.entry->>'provider' = o.provider and k.entry->>'account' = o.account
        where o.store = :store
    )
    select j.natural_key as journal,
        coalesce(l.journal_key, o.natural_key, p.payout_id || '/' || l.line_id) as key,
        l.order_id, l.line_id, l.gross, j.currency, coalesce(c.read_account, c.account, r.account) as account,
        coalesce(c.currency, r.currency) as record_currency,
        case when l.carrying is null and l.presentment_currency = coalesce(c.currency, r.currency)
            then l.presentment_amount else coalesce(c.amount_minor, r.amount_minor) end as given,
        case when l.carrying is null then -l.gross else -sign(l.gross)::bigint * l.carrying end as amount
    from j
    join bcns.payout p on p.id = j.payout
    join bcns.payout_line l on l.payout = j.payout and l.version = j.version and l.currency = j.currency
    left join bcns.cash_record c on c.store = j.store and c.natural_key = l.journal_key
    left join bcns.refund_record r on r.store = j.store and r.natural_key = l.journal_key
    left join opened o on o.provider = p.provider and o.account = p.account and o.line_id = l.line_id
    where l.cls in ('gross_sales','partial_capture_reversal','charge_failure','sales_discount','refund',
            'refund_returned') and coalesce(j.treatments->>l.line_id, 'clearing') = 'clearing'
    order by j.id, l.line
"""

# Payouts that were posted and that their provider does not itemise, with what the transfer itself cost: nobody can say
# which captures they paid.
NOT_ITEMISED = """
    select p.provider, p.account, p.payout_id, p.arrival_date, p.currency,
        p.amount_minor + coalesce((p.details->>'fee')::bigint, 0) as amount_minor
    from bcns.payout p
    where p.store = :store and p.itemisation = 'never' and p.lines = 0 and p.journal_key is not null
        and p.source_status not in ('failed','canceled') and p.arrival_date < :until
    order by p.arrival_date, p.provider, p.account, p.payout_id
"""
