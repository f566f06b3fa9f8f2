"""Questions about lines of payouts that are written as SQL: the database answers them for all lines at once.

Put statements here; what is made of their rows is in `payout_views.py`.
"""

from __future__ import annotations

import sqlalchemy as sa

from bcns_pipeline.state.tables_cash import cash_record
from bcns_pipeline.state.tables_payouts import payout, payout_journal, payout_line
from bcns_pipeline.state.tables_refunds import refund_record

# Lines of the class `payout_event` are the transfer itself.
SUMS = sa.text(
    f"""
    select l.payout, l.currency, count(*) as lines, count(distinct l.line_id) as distinct_lines,
        count(*) filter (where l.net <> l.gross - l.fee) as off,
        coalesce(sum(l.net) filter (where l.cls <> 'payout_event'), 0) as net
    from {payout_line.fullname} l
    join {payout.fullname} p on p.id = l.payout and p.version = l.version
    where l.payout = any(cast(:ids as bigint[]))
    group by l.payout, l.currency
    """
)
RECORDS = sa.text(
    f"""
    select l.line, coalesce(c.netsuite_id, r.netsuite_id) as netsuite_id
    from {payout_line.fullname} l
    left join {cash_record.fullname} c on c.store = :store and c.natural_key = l.journal_key
    left join {refund_record.fullname} r on r.store = :store and r.natural_key = l.journal_key
    where l.payout = :payout and l.version = :version
        and l.cls in ('gross_sales','partial_capture_reversal','charge_failure','sales_discount','refund',
            'refund_returned')
    order by l.line
    """
)
SUMMARISED = sa.text(
    f"""
    select distinct l.order_id
    from {payout_line.fullname} l
    join {payout.fullname} p on p.id = l.payout and p.version = l.version and p.store = :store
    join {payout_journal.fullname} j on j.payout = p.id and j.kind = 'payout' and j.sent_at is not null
        and j.reversed_by is null
    where l.order_id = any(cast(:orders as bigint[])) and j.inputs->'treatments'->>l.line_id = 'summary'
    """
)
ELSEWHERE = sa.text(
    f"""
    select l.line_id, q.payout_id
    from {payout_line.fullname} l
    join {payout.fullname} p on p.id = l.payout
    join {payout_line.fullname} m on m.line_id = l.line_id and m.payout <> l.payout
    join {payout.fullname} q on q.id = m.payout and q.version = m.version and q.store = p.store
        and q.provider = p.provider and q.account = p.account
    where l.payout = :payout and l.version = :version
    order by l.line
    """
)
