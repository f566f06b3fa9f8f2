"""The reports of money as SQL: one statement each, whose columns are the report's columns in their order.

Put text here. Do not put arithmetic of rules here. Parameters: `store`, `since` and `until` (days of the store,
half-open). A column that ends in `_minor` is an amount in minor units of the row's `currency`.
"""

from __future__ import annotations

# The lines of an entry, however it was planned.
ENTRY_LINES = (
    "jsonb_array_elements(case jsonb_typeof(j.entry) when 'array' then j.entry else j.entry->'lines' end)"
)
# Of records of refunds: what left for payments, less what a journal took back once a payment was declined.
_WENT_BACK = "sum(case when n > 0 then amount_minor when record_type = 'journalEntry' then -amount_minor end)"
_SUBJECT = "'payout:' || p.provider || '/' || p.account || '/' || p.payout_id"
# What an instant payout cost, on top of what arrived; nobody itemises it.
_OWN_FEE = "case when p.itemisation = 'never' then coalesce((p.details->>'fee')::bigint, 0) else 0 end"
_NO_BANK = "not exists (select 1 from bcns.bank_line x where x.store = :store)"

# Of tenders t: stored value that paid, and that nothing has settled yet.
STORED_NOT_BOOKED = """t.status = 'ok' and not t.test and t.event in ('purchase','capture')
            and replace(t.method, '_', '') in ('giftcertificate','storecredit')
            and not exists (select 1 from bcns.cash_record k where k.store = t.store and k.order_id = t.order_id
                and k.transaction_id = t.transaction_id and k.kind <> 'application')"""
# Gift certificates and store credit that an order used: a credit memo settles each once the order is billed.
_TO_BILL = f"""
    left join lateral (
        select sum(t.amount_minor) as due from bcns.tender t
        where t.store = o.store and t.order_id = o.order_id and {STORED_NOT_BOOKED}
            and o.total_minor > (select coalesce(sum(i.read_minor), 0) from bcns.cash_record i
                where i.store = o.store and i.order_id = o.order_id and i.kind = 'invoice')
    ) d on true"""

# A line that the bank booked otherwise is known by its question; one that pays several payouts is held to their sum.
PAYOUTS = f"""
    select p.provider, p.account, p.payout_id, p.arrival_date as arrival, p.status, p.currency, l.lines,
        coalesce(l.charges, 0) as charges_minor, coalesce(l.refunds, 0) as refunds_minor,
        coalesce(l.disputes, 0) as disputes_minor, coalesce(l.reserves, 0) as reserves_minor,
        coalesce(l.other, 0) as other_minor, coalesce(l.fees, 0) + {_OWN_FEE} as fees_minor,
        case when p.itemisation = 'never' and l.lines = 0 then p.amount_minor + {_OWN_FEE} else 0 end
            as not_itemised_minor, p.amount_minor,
        case when p.version = 0 or p.itemisation = 'never' and l.lines = 0 then 0
            else p.amount_minor - coalesce(l.net, 0) end as unexplained_minor,
        p.journal_key as journal, j.netsuite_number as netsuite,
        case when j.natural_key is null then 'none' when j.approved then 'approved' else 'awaiting approval' end
            as approval,
        case when d.line is not null then d.line || ', another amount' || d.answer
            when b.line_id is not null then b.account || '/' || b.line_id
            when p.amount_minor = 0 or p.source_status in ('failed','canceled') then 'none is due'
            when {_NO_BANK} then 'not evidenced'
            else coalesce(m.word, 'not yet') end as bank,
        b.amount_minor as bank_amount_minor, b.amount_minor - t.together as bank_difference_minor,
        case when d.answer is null or d.answer = '' then b.amount_minor - t.together else 0 end
            as bank_unexplained_minor, p.code
    from bcns.payout p
    left join lateral (
        select count(*) as lines, sum(net) as net, sum(fee) as fees,
            sum(gross) filter (where cls in ('gross_sales','partial_capture_reversal','charge_failure',
                'sales_discount')) as charges,
            sum(gross) filter (where cls in ('refund','refund_returned')) as refunds,
            sum(gross) filter (where cls like 'chargeback%') as disputes,
            sum(gross) filter (where cls = 'reserve') as reserves,
            sum(gross) filter (where cls not in ('gross_sales','partial_capture_reversal','charge_failure',
                'sales_discount','refund','refund_returned') and cls not like 'chargeback%'
                and cls <> 'reserve') as other
        from bcns.payout_line where payout = p.id and version = p.version and cls <> 'payout_event'
    ) l on true
    left join bcns.payout_journal j on j.store = p.store and j.natural_key = p.journal_key
    left join lateral (
        select e.detail->'members'->>1 as line,
            case when e.resolved_at is null then '' else ' (' || e.resolution || ')' end as answer
        from bcns.exception e
        where e.store = p.store and e.code = 'BANK_DIFF' and e.resolution is distinct from 'healed'
            and e.subject = {_SUBJECT}
        order by e.id desc limit 1
    ) d on p.bank_line is null
    left join lateral (
        select 'missing' || case when e.resolved_at is null then '' else ' (' || e.resolution || ')' end as word
        from bcns.exception e
        where e.store = p.store and e.code = 'BANK_LINE_MISSING' and e.resolution is distinct from 'healed'
            and e.subject = {_SUBJECT}
        order by e.id desc limit 1
    ) m on p.bank_line is null
    left join bcns.bank_line b on b.store = p.store and case when p.bank_line is null
        then b.account || '/' || b.line_id = d.line else b.account = p.bank_account and b.line_id = p.bank_line end
    cross join lateral (
        select case when p.bank_line is null then p.amount_minor else sum(q.amount_minor)::bigint end as together
        from bcns.payout q
        where q.store = p.store and q.bank_account = p.bank_account and q.bank_line = p.bank_line
    ) t
    where p.store = :store and p.arrival_date >= :since and p.arrival_date < :until
    order by p.arrival_date, p.provider, p.account, p.payout_id
"""

DETAIL = """
    select p.provider, p.payout_id, l.line, l.line_id, l.cls as class, l.category, l.currency,
        l.gross as gross_minor, l.fee as fee_minor, l.net as net_minor, l.order_id as order, l.transaction_id
        as transaction, l.journal_key as record, coalesce(c.netsuite_id, r.netsuite_id) as netsuite, i.invoices,
        (p.arrival_date - l.occurred_at::date) as days_to_payout, coalesce(l.step, 'not linked') as match,
        replace(l.refs, E'\\n', ' ') as references
    from bcns.payout p
    join bcns.payout_line l on l.payout = p.id and l.version = p.version
    left join bcns.cash_record c on c.store = p.store and c.natural_key = l.journal_key
    left join bcns.refund_record r on r.store = p.store and r.natural_key = l.journal_key
    left join lateral (select string_agg(netsuite_id, ' ' order by natural_key) as invoices from bcns.cash_record
        where store = p.store and order_id = l.order_id and kind = 'invoice') i on true
    where p.store = :store and p.arrival_date >= :since and p.arrival_date < :until
    order by p.arrival_date, p.provider, p.account, p.payout_id, l.line
"""

# A difference that a person let stand is a decision, of that amount: another difference of the order is not covered.
ORDERS = f"""
    select o.order_id as order, o.day, o.channel_id as channel, o.currency, o.total_minor,
        o.record_type, o.netsuite_number as netsuite, o.read_total_minor as in_netsuite_minor,
        case when o.netsuite_id is not null and o.read_total_minor is not null
            then o.read_total_minor - o.total_minor end as difference_minor, l.left_minor as let_stand_minor,
        l.decision, case when o.netsuite_id is not null and o.read_total_minor is not null
            then o.read_total_minor - o.total_minor - coalesce(l.left_minor, 0) end as unexplained_minor,
        w.off as rounding_minor, r.invoiced as invoiced_minor, c.captured_minor, v.certificates as by_certificate_minor,
        v.credit as by_store_credit_minor, coalesce(r.booked, 0) as booked_minor,
        d.due as stored_value_to_bill_minor,
        coalesce(c.captured_minor, 0) - coalesce(r.booked, 0) - coalesce(d.due, 0) as not_booked_minor,
        r.open as unapplied_minor, f.paid as refunded_minor, o.disposition, coalesce(o.code, c.code) as code
    from bcns.order_state o
    left join bcns.cash_order c on c.store = o.store and c.order_id = o.order_id
    left join lateral (
        select sum(read_minor) filter (where kind = 'invoice') as invoiced,
            sum(amount_minor) filter (where kind in ('deposit','payment','credit','cash_sale')) as booked,
            sum(read_open_minor) filter (where kind in ('deposit','payment','credit')) as open
        from bcns.cash_record where store = o.store and order_id = o.order_id
    ) r on true
    left join lateral (
        select coalesce((t.facts->>'residual_minor')::bigint, 0) as off from bcns.order_step t
        where t.store = o.store and t.order_id = o.order_id and t.step = 'posted' order by t.id desc limit 1
    ) w on true
    left join lateral (
        select sum(amount_minor) filter (where replace(method, '_', '') = 'giftcertificate') as certificates,
            sum(amount_minor) filter (where replace(method, '_', '') = 'storecredit') as credit
        from bcns.tender where store = o.store and order_id = o.order_id and status = 'ok' and not test
            and event in ('purchase','capture')
    ) v on true
    left join lateral (
        select sum(paid_minor) as paid from bcns.refund_state
        where store = o.store and order_id = o.order_id and disposition <> 'declined'
    ) f on true
    left join lateral (
        select e.amount_minor as left_minor,
            e.resolution || ' by ' || e.resolved_by || ': ' || e.resolution_reason as decision
        from bcns.exception e
        where e.store = o.store and e.flow = 'orders' and e.code = 'ORDER_TOTAL_LEFT'
            and e.subject = 'order:' || o.order_id and e.resolution in ('dismissed','approved')
            and e.currency = o.currency and e.amount_minor = o.read_total_minor - o.total_minor
            and o.netsuite_id is not null
        order by e.id desc limit 1
    ) l on true{_TO_BILL}
    where o.store = :store and o.day >= :since and o.day < :until
    order by o.day, o.order_id
"""

REFUNDS = f"""
    select s.refund_id as refund, s.order_id as order, s.day, s.currency, s.total_minor, s.tax_minor, s.paid_minor,
        coalesce(r.credited, 0) as credited_minor, coalesce(r.settled, 0) as settled_minor,
        s.paid_minor - coalesce(r.settled, 0) as difference_minor, s.open_minor, s.route, s.disposition, s.code,
        r.records, r.providers, r.references, p.payouts
    from bcns.refund_state s
    left join lateral (
        select sum(amount_minor) filter (where record_type in ('creditMemo','cashRefund')) as credited,
            {_WENT_BACK} as settled,
            string_agg(netsuite_id, ' ' order by n, natural_key) as records,
            string_agg(distinct provider, ' ') filter (where provider <> '') as providers,
            string_agg(array_to_string(provider_refs, ' '), ' ' order by n) filter (where provider_refs <> '{{}}')
                as references, array_agg(natural_key) as keys
        from bcns.refund_record r where r.store = s.store and r.refund_id = s.refund_id
    ) r on true
    left join lateral (
        select string_agg(distinct p.payout_id, ' ') as payouts
        from bcns.payout_line l join bcns.payout p on p.id = l.payout and p.version = l.version
        where p.store = s.store and l.order_id = s.order_id and l.journal_key = any (r.keys)
    ) p on true
    where s.store = :store and s.day >= :since and s.day < :until
    order by s.day, s.refund_id
"""

UNAPPLIED = """
    select kind, natural_key as record, x.netsuite_id as netsuite, x.order_id as order,
        coalesce(o.customer_id::text, 'not known') as customer, x.day, (:until - 1 - x.day) as age, x.currency,
        amount_minor, open_minor, action from (
        select c.kind, c.natural_key, c.netsuite_id, c.order_id, c.day, c.currency, c.amount_minor,
            c.read_open_minor as open_minor,
            case c.kind when 'deposit' then 'applied when its order is billed'
                when 'invoice' then 'wants a payment' else 'apply it' end as action
        from bcns.cash_record c
        where c.store = :store and c.day < :until and c.read_open_minor <> 0
        union all
        select 'credit memo', 'refund ' || s.refund_id, null, s.order_id, s.day, s.currency, s.read_total_minor,
            s.open_minor, 'apply or pay it back'
        from bcns.refund_state s where s.store = :store and s.day < :until and s.open_minor <> 0
    ) x left join bcns.order_state o on o.store = :store and o.order_id = x.order_id
    order by x.day, natural_key
"""

# What was open at the end of the store's last day, whenever it was answered since.
EXCEPTIONS = """
    select code, severity, owner, subject, opened_at as opened,
        case when age <= 1 then '0-1' when age <= 7 then '2-7' when age <= 30 then '8-30' when age <= 60 then '31-60'
            when age <= 90 then '61-90' else '>90' end as days,
        currency, amount_minor, message, assigned_to, resolved_at as answered, resolution
    from (select e.*, (:until - 1) - (e.opened_at at time zone :zone)::date as age
        from bcns.exception e cross join lateral (select (:until)::timestamp at time zone :zone as ends) p
        where e.store = :store and e.opened_at < p.ends and (e.resolved_at is null or e.resolved_at >= p.ends)) e
    order by opened_at, id
"""

FEES = f"""
    select p.provider, p.account, l.cls as class, l.method, l.country, l.currency, count(*) as lines,
        sum(l.gross)::bigint as gross_minor, sum(l.fee)::bigint as fee_minor,
        sum(case when l.cls like 'fee%' then -l.gross else 0 end)::bigint as standalone_fee_minor,
        case when l.cls = 'gross_sales' and sum(l.gross) <> 0
            then round(100.0 * sum(l.fee) / sum(l.gross), 4) end as percent
    from bcns.payout p join bcns.payout_line l on l.payout = p.id and l.version = p.version
    where p.store = :store and p.arrival_date >= :since and p.arrival_date < :until
        and (l.fee <> 0 or l.cls like 'fee%' or l.cls = 'gross_sales')
    group by 1, 2, 3, 4, 5, 6
    union all
    select p.provider, p.account, 'instant payouts', '', '', p.currency, count(*), 0, sum({_OWN_FEE})::bigint, 0, null
    from bcns.payout p
    where p.store = :store and p.arrival_date >= :since and p.arrival_date < :until and {_OWN_FEE} <> 0
    group by p.provider, p.account, p.currency order by 1, 2, 3, 4, 5, 6
"""

# Lines of disputes of all time: what was opened last year may end now.
DISPUTE_LINES = """
    select p.provider, p.account, p.id as payout, p.payout_id, l.line_id, l.category, l.cls, l.gross, l.fee, l.net,
        l.currency, l.refs, l.order_id, coalesce(l.occurred_at::date, p.arrival_date) as day
    from bcns.payout p join bcns.payout_line l on l.payout = p.id and l.version = p.version
    where p.store = :store and p.arrival_date < :until
        and l.cls in ('chargeback','chargeback_returned','chargeback_lost')
    order by day, p.id, l.line
"""
DISPUTE_LOSSES = """
    select j.entry->>'provider' as provider, j.entry->>'account' as account, j.entry->>'subject' as dispute,
        j.kind, j.total_minor as amount, j.natural_key, j.tran_date, j.approved is true as approved
    from bcns.payout_journal j
    where j.store = :store and j.kind in ('dispute_lost','dispute_won') and j.netsuite_id is not null
        and j.reversed_by is null
        and j.tran_date < :until
    order by j.tran_date, j.id
"""
# rules/close/reserves.py makes the report's columns of them.
# What stood before the period is a row without a line. A minimum balance stays in the clearing account, not in `held`.
RESERVES = """
    with moved as (
        select p.provider, p.account, p.payout_id, p.arrival_date as arrival, l.line, l.line_id, l.cls as class,
            l.category, l.currency, l.gross as amount_minor, l.fee as fee_minor, l.order_id as order,
            l.occurred_at::date as day, p.journal_key as journal,
            (sum(-l.gross) filter (where l.cls = 'reserve') over (partition by p.provider, p.account, l.currency
                order by p.arrival_date, p.payout_id, l.line))::bigint as held_minor
        from bcns.payout p join bcns.payout_line l on l.payout = p.id and l.version = p.version
        where p.store = :store and p.arrival_date < :until and l.cls in ('reserve','reserve_minbal')
            and l.category not in ('balance_brought_forward','balance_carried_forward')
    ), before as (
        select distinct on (provider, account, currency) provider, account, currency, held_minor from moved
        where arrival < :since order by provider, account, currency, arrival desc, payout_id desc, line desc
    )
    select provider, account, payout_id, arrival, line, line_id, class, category, currency, amount_minor, fee_minor,
        "order", day, (:until - 1) - day as age, journal, held_minor
    from moved where arrival >= :since
    union all
    select provider, account, null, null, null, null, 'reserve', 'held before', currency, null, null, null, null, null,
        null, held_minor
    from before where held_minor <> 0
    order by provider, account, currency, arrival nulls first, payout_id, line
"""

FX = """
    select p.provider, p.payout_id, p.arrival_date as arrival, l.line_id, l.order_id as order,
        l.presentment_currency, l.presentment_amount, l.rate as settled_rate, l.currency, l.gross as settled_minor,
        l.carrying as carrying_base_minor, sign(l.gross)::bigint * (abs(l.gross) - l.carrying) as gain_minor,
        l.journal_key as record
    from bcns.payout p join bcns.payout_line l on l.payout = p.id and l.version = p.version
    where p.store = :store and p.arrival_date >= :since and p.arrival_date < :until
        and (l.presentment_currency <> l.currency or l.carrying is not null)
    union all
    select p.provider, p.payout_id, p.arrival_date, 'all lines together', null, p.currency, null, null, j.currency,
        null, null, coalesce((select sum((x.line->>'credit')::bigint - (x.line->>'debit')::bigint)
            from jsonb_array_elements(j.entry->'lines') as x(line) where x.line->>'role' = 'fx'), 0)::bigint,
        j.natural_key
    from bcns.payout p join bcns.payout_journal j on j.payout = p.id
    where p.store = :store and p.arrival_date >= :since and p.arrival_date < :until
        and j.kind in ('fx_residual','fx_reversal') and j.netsuite_id is not null
    order by arrival, payout_id, line_id
"""

COMPLETENESS = f"""
    with days as (
        select day, 'orders' as object, currency, count(*) as source_rows, sum(total_minor)::bigint as source_minor,
            count(*) filter (where netsuite_id is not null) as target_rows,
            coalesce(sum(total_minor) filter (where netsuite_id is not null), 0)::bigint as target_minor,
            count(*) filter (where netsuite_id is null and disposition in ('ignored','listed'))
                as skipped_rows,
            coalesce(sum(total_minor) filter (where netsuite_id is null and disposition in ('ignored','listed')), 0)
                ::bigint as skipped_minor
        from bcns.order_state where store = :store and day >= :since and day < :until group by day, currency
        union all
        select o.day, 'captures', c.currency, count(*), sum(c.captured_minor)::bigint,
            count(*) filter (where r.booked is not null), coalesce(sum(r.booked), 0)::bigint,
            count(*) filter (where c.disposition = 'skipped' or r.booked is null and d.due is not null),
            sum(case when c.disposition = 'skipped' then c.captured_minor else coalesce(d.due, 0) end)::bigint
        from bcns.cash_order c join bcns.order_state o on o.store = c.store and o.order_id = c.order_id
        left join lateral (select sum(amount_minor) as booked from bcns.cash_record k where k.store = c.store
            and k.order_id = c.order_id and k.kind in ('deposit','payment','credit','cash_sale')) r on true{_TO_BILL}
        where c.store = :store and o.day >= :since and o.day < :until and c.captured_minor <> 0
        group by o.day, c.currency
        union all
        select s.day, 'refunds', s.currency, count(*), sum(s.paid_minor)::bigint,
            count(*) filter (where r.settled is not null), coalesce(sum(r.settled), 0)::bigint,
            count(*) filter (where r.settled is null and s.disposition in ('declined','reversed','ignored')),
            coalesce(sum(s.paid_minor) filter (where r.settled is null
                and s.disposition in ('declined','reversed','ignored')), 0)::bigint
        from bcns.refund_state s
        left join lateral (select nullif({_WENT_BACK}, 0) as settled from bcns.refund_record k
            where k.store = s.store and k.refund_id = s.refund_id) r on true
        where s.store = :store and s.day >= :since and s.day < :until group by s.day, s.currency
    )
    select day, object, currency, source_rows, source_minor, target_rows, target_minor, skipped_rows, skipped_minor,
        source_rows - target_rows - skipped_rows as gap_rows, source_minor - target_minor - skipped_minor as gap_minor
    from days order by day, object, currency
"""

_WHO = ", ".join(
    f"coalesce(j.touched->>'{name}', 'not known') as {name}"
    for name in ("created_by", "created_at", "modified_by", "modified_at")
)
JOURNALS = f"""
    select j.natural_key as journal, j.kind, j.tran_date as date, j.economic_date, j.currency, j.total_minor,
        j.netsuite_number as netsuite, case when j.netsuite_id is null then 'not posted'
            when j.approved then 'approved' when j.approved is null then 'not read back' else 'awaiting approval' end
            as approval,
        case when j.netsuite_id is not null and j.approved is not true then (:until - 1) - j.tran_date end as waits,
        case when j.differences is null then 'not read back' when jsonb_array_length(j.differences) = 0 then 'none'
            else j.differences #>> '{{}}' end as touched_by_hand,
        {_WHO},
        j.reverses, j.reversed_by, (j.entry->>'reverse_on')::date as reversed_on, j.body_sha256, j.mapping_digest,
        j.code_version
    from bcns.payout_journal j
    where j.store = :store and j.tran_date >= :since and j.tran_date < :until
    order by j.tran_date, j.natural_key
"""

# Of each order: what was taken and given back, what the ledger has of it, what payouts and the bank show.
TIE_OUT = f"""
    select o.order_id, o.day, o.currency, o.total_minor, o.netsuite_id is not null as posted,
        o.disposition, coalesce(c.captured_minor, 0) as captured, coalesce(f.paid, 0) as refunded,
        coalesce(k.booked, 0) as booked, coalesce(k.stored, 0) as stored, coalesce(r.settled, 0) as given_back,
        coalesce(r.stored, 0) as stored_back, coalesce(p.paid_out, 0) as paid_out, coalesce(p.banked, 0) as banked,
        coalesce(p.waits, 0) as unapproved, coalesce(p.disputed, 0) as disputed, coalesce(d.due, 0) as to_bill,
        c.order_id is not null as read, x.codes
    from bcns.order_state o
    left join bcns.cash_order c on c.store = o.store and c.order_id = o.order_id
    left join lateral (select sum(paid_minor) as paid from bcns.refund_state s where s.store = o.store
        and s.order_id = o.order_id and s.disposition not in ('declined','reversed')) f on true
    left join lateral (select sum(amount_minor) as booked, sum(amount_minor) filter (where kind = 'credit') as stored
        from bcns.cash_record k where k.store = o.store and k.order_id = o.order_id
        and k.kind in ('deposit','payment','credit','cash_sale')) k on true
    left join lateral (select {_WENT_BACK} as settled, sum(amount_minor) filter (where n > 0 and way in
        ('store_credit','gift_certificate')) as stored from bcns.refund_record k where k.store = o.store
        and k.order_id = o.order_id) r on true
    left join lateral (
        select sum(a) filter (where not of_dispute) as paid_out, -sum(a) filter (where of_dispute) as disputed,
            sum(a) filter (where bank_line is not null) as banked,
            count(*) filter (where approved is not true) as waits from (
            select l.cls like 'chargeback%' as of_dispute,
                coalesce(case when l.presentment_currency = o.currency and l.currency <> o.currency
                    then sign(l.gross)::bigint * abs(l.presentment_amount) end, l.gross) as a, q.bank_line, j.approved
            from bcns.payout_line l join bcns.payout q on q.id = l.payout and q.version = l.version
            join bcns.payout_journal j on j.store = q.store and j.natural_key = q.journal_key
            where q.store = o.store and l.order_id = o.order_id and j.netsuite_id is not null
                and l.cls in ('gross_sales','partial_capture_reversal','charge_failure','sales_discount','refund',
                    'refund_returned','chargeback','chargeback_returned')
        ) y) p on true
    left join lateral (select string_agg(distinct e.code, ' ') as codes from bcns.exception e where e.store = o.store
        and e.resolved_at is null and e.flow <> 'close'
        and (e.subject in ('order:' || o.order_id, 'cash:' || o.order_id)
            or e.subject in (select 'refund:' || s.refund_id from bcns.refund_state s
                where s.store = o.store and s.order_id = o.order_id))) x on true{_TO_BILL}
    where o.store = :store and o.day >= :since and o.day < :until
    order by o.day, o.order_id
"""

# What only a person does, by whatever name the machine's own work stands in the chain. Days are UTC's, as the chain's.
DECISIONS = """
    select seq, to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as at, actor, kind, subject,
        body::jsonb ->> 'reason' as reason, hash
    from bcns.audit
    where store = :store and (at at time zone 'UTC') >= :since and (at at time zone 'UTC') < :until
        and kind in ('exception.resolved','exception.assigned','exception.retry_requested','operation.approved',
            'operation.cancelled','payout.correction_asked','payout.opening','customer.merged','orders.replayed',
            'subject.erased')
    order by seq
"""
