"""The steps that an audit row about orders speaks of, and the digests that prove them.

Put here how steps and the rows behind them are hashed, for writing and for verifying alike. Do not put here
what moves orders (`orders.py`). Times are left out of the text that is hashed: how they are written depends on
the session.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.tables_orders import order_state, order_step

# sha256 of the row `s` of order_state, in what says where the order stands and with how much money.
STATE_DIGEST = """encode(sha256(convert_to(row(
    s.store, s.order_id, s.day, s.channel_id, s.source, s.status_id, s.currency, s.total_minor, s.lines,
    s.content_hash, s.document_id, s.disposition, s.code, s.reason, s.record_type, s.netsuite_id,
    s.netsuite_number, s.expected_total_minor, s.expected_tax_minor, s.applied_hash, s.read_total_minor,
    s.read_tax_minor, s.posted_at is null, s.referenced_at is null
)::text, 'UTF8')), 'hex')"""


def recompute(conn: sa.Connection, where: Mapping[str, Any]) -> tuple[int, str]:
    """Count and digest of the steps that an audit row's `where` names, as they stand now."""
    row = conn.execute(_DIGEST, {"ids": list(where["ids"])}).one()
    return row.n, row.digest


def strayed(conn: sa.Connection) -> tuple[str, int] | None:
    """(store, order) of the first order that no longer stands where its last step left it; None where all do."""
    row = conn.execute(_STRAYED).one_or_none()
    return (row.store, row.order_id) if row else None


_DIGEST = sa.text(
    f"""
    select count(*) as n,
        encode(sha256(convert_to(coalesce(string_agg(
            row(id, store, order_id, step, disposition, code, reason, facts, state_digest, run_id)::text,
            E'\\n' order by id
        ), ''), 'UTF8')), 'hex') as digest
    from {order_step.fullname} where id = any(cast(:ids as bigint[]))
    """
)
_STRAYED = sa.text(
    f"""
    select coalesce(s.store, l.store) as store, coalesce(s.order_id, l.order_id) as order_id
    from (
        select distinct on (store, order_id) store, order_id, state_digest from {order_step.fullname}
        order by store, order_id, id desc
    ) l
    full join {order_state.fullname} s on s.store = l.store and s.order_id = l.order_id
    where l.state_digest is distinct from {STATE_DIGEST}
    order by 1, 2 limit 1
    """
)
