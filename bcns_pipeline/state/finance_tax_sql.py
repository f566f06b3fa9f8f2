"""The tax report: charged against NetSuite's, as a whole, by jurisdiction and by what it was posted as.

Put the statement here. Do not put sums or layout here (rules/close/reports.py). Amounts are in minor units of the
orders' own currencies, months those of the store's days.
"""

from __future__ import annotations

# Of orders that are ours to post. A marketplace's own tax has rows of its own; what was not read back yet is in no sum.
# Below the row of all taxes stand the jurisdictions that the orders' own tax rows name, by the version posted last, and
# then the codes and items: charged as posted with each, and what NetSuite holds by it. An order is in these rows only
# where both are known in full (`told`); all others are `not named` with both sides, so that each column adds up to the
# row of all taxes.
TAX = """
    with o as (
        select s.*, s.read_tax_minor is not null and s.expected_tax_minor is not null as read,
            date_trunc('month', s.day)::date as month,
            case when s.source = 'marketplace' then 'marketplace' else 'us' end as remitted_by
        from bcns.order_state s
        where s.store = :store and s.day >= :since and s.day < :until
            and (s.disposition in ('open','waiting','planned','posted') or s.code = 'MATERIALITY')
    ), said as (
        select o.month, o.channel_id, o.remitted_by, o.currency, o.order_id, o.expected_tax_minor, o.read_tax_minor,
            coalesce(p.facts->'tax_rows', '[]') as rows, coalesce(p.facts->'taxes', '{}') as names,
            coalesce(n.facts->'tax_codes', '{}') as codes
        from o
        left join lateral (
            select t.facts from bcns.order_step t
            where t.store = o.store and t.order_id = o.order_id and t.step = 'posted' order by t.id desc limit 1
        ) p on true
        left join lateral (
            select t.facts from bcns.order_step t
            where t.store = o.store and t.order_id = o.order_id and t.facts ? 'tax_codes' order by t.id desc limit 1
        ) n on true
        where o.read and (o.expected_tax_minor <> 0 or o.read_tax_minor <> 0)
    ), charged as (
        select month, channel_id, remitted_by, currency, order_id, e->>0 as name, nullif(e->>1, '') as code,
            (e->>2)::bigint as minor
        from said, jsonb_array_elements(rows) e
        union all
        select month, channel_id, remitted_by, currency, order_id, e.key, null, e.value::bigint
        from said, jsonb_each_text(names) e
    ), named as (
        select month, channel_id, remitted_by, currency, order_id, name, code, minor from charged where name <> ''
        union all
        select s.month, s.channel_id, s.remitted_by, s.currency, s.order_id, null, null,
            s.expected_tax_minor - coalesce(sum(c.minor), 0)
        from said s left join charged c on c.order_id = s.order_id and c.name <> ''
        group by s.month, s.channel_id, s.remitted_by, s.currency, s.order_id, s.expected_tax_minor
    ), told as (
        select s.*, coalesce(c.minor, 0) = s.expected_tax_minor
            and coalesce((select sum(e.value::bigint) from jsonb_each_text(s.codes) e), 0) = s.read_tax_minor as told
        from said s
        left join (select order_id, sum(minor) as minor from charged where code is not null group by order_id) c
            on c.order_id = s.order_id
    ), coded as (
        select c.month, c.channel_id, c.remitted_by, c.currency, c.order_id, c.code, c.minor as charged, 0 as held
        from charged c join told t on t.order_id = c.order_id and t.told
        union all
        select t.month, t.channel_id, t.remitted_by, t.currency, t.order_id, e.key, 0, e.value::bigint
        from told t, jsonb_each_text(t.codes) e where t.told
        union all
        select month, channel_id, remitted_by, currency, order_id, null, expected_tax_minor, read_tax_minor
        from told where not told
    )
    select month, channel, remitted_by, currency, jurisdiction,
        regexp_replace(regexp_replace(posted_as, '^code:', 'tax code '), '^item:', 'item ') as posted_as,
        orders, charged_minor, tax_minor, tax_in_netsuite_minor, difference_minor, tax_named_minor, tax_by_code_minor,
        tax_in_netsuite_by_code_minor, difference_by_code_minor, not_read_back, not_in_netsuite
    from (
        select month, channel_id as channel, remitted_by, currency, 'all' as jurisdiction, 'all' as posted_as,
            0 as place, count(*) filter (where read) as orders,
            coalesce(sum(total_minor) filter (where read), 0)::bigint as charged_minor,
            coalesce(sum(expected_tax_minor) filter (where read), 0)::bigint as tax_minor,
            coalesce(sum(read_tax_minor) filter (where read), 0)::bigint as tax_in_netsuite_minor,
            coalesce(sum(read_tax_minor - expected_tax_minor) filter (where read), 0)::bigint as difference_minor,
            null::bigint as tax_named_minor, null::bigint as tax_by_code_minor,
            null::bigint as tax_in_netsuite_by_code_minor, null::bigint as difference_by_code_minor,
            count(*) filter (where netsuite_id is not null and not read) as not_read_back,
            count(*) filter (where netsuite_id is null) as not_in_netsuite
        from o group by 1, 2, 3, 4
        union all
        select month, channel_id, remitted_by, currency, coalesce(name, 'not named'), code,
            case when name is null then 2 else 1 end, count(distinct order_id), null, null, null, null,
            sum(minor)::bigint, null, null, null, null, null
        from named where minor <> 0 group by month, channel_id, remitted_by, currency, name, code
        union all
        select month, channel_id, remitted_by, currency, 'all', coalesce(code, 'not named'),
            case when code is null then 4 else 3 end, count(distinct order_id), null, null, null, null, null,
            sum(charged)::bigint, sum(held)::bigint, sum(held - charged)::bigint, null, null
        from coded where charged <> 0 or held <> 0 group by month, channel_id, remitted_by, currency, code
    ) x order by month, channel, remitted_by, currency, place, jurisdiction, x.posted_as
"""
