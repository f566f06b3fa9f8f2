"""The statements behind the outbox.

Put SQL over `operation` here that changes it. Do not put here when it is run, nor the audit rows (`outbox.py`).
Payloads are returned as text, for `outbox_reads.read`.
"""

from __future__ import annotations

import sqlalchemy as sa

from bcns_pipeline.state.outbox_reads import COLUMNS
from bcns_pipeline.state.tables import operation

_READ = ", ".join(
    "o.payload::text" if one.name == "payload" else f"o.{one.name}" for one in operation.columns
)
DRAW_IDS = sa.text(
    f"select nextval(pg_get_serial_sequence('{operation.fullname}', 'id')) from generate_series(1, :count)"
)
INSERT = (
    sa.dialects.postgresql.insert(operation)
    .on_conflict_do_nothing(
        index_elements=["store", "kind", "natural_key"],
        index_where=sa.text("state in ('planned','sending','held','ambiguous')"),
    )
    .returning(*COLUMNS)
)
MOVE = sa.text(
    f"""
    update {operation.fullname} o
    set state = g.state, reason = coalesce(g.reason, o.reason),
        answer = coalesce(cast(g.answer as jsonb), o.answer),
        settled_at = case when g.state in ('confirmed','failed','superseded') then now() else o.settled_at end
    from unnest(cast(:ids as bigint[]), cast(:were as text[]), cast(:attempts as int[]),
        cast(:workers as bigint[]), cast(:states as text[]), cast(:reasons as text[]),
        cast(:answers as text[])) as g(id, was, attempts, worker, state, reason, answer)
    where o.id = g.id and o.store = :store and o.state = g.was and o.attempts = g.attempts
      and o.worker is not distinct from g.worker
    returning {_READ}
    """
)
CAN_LOCK = sa.text("select pg_try_advisory_xact_lock(:worker)")
# Materialized: as a subquery it may be run anew for each row it is joined with, and then takes more than the limit.
CLAIM = sa.text(
    f"""
    with next as materialized (
        select id from {operation.fullname} p
        where store = :store and flow = :flow and state = 'planned' and kind = any(:kinds)
          and (cast(:plan_id as bigint) is null or plan_id = :plan_id)
          and (cast(:ids as bigint[]) is null or id = any(cast(:ids as bigint[])))
          and (group_key is null or not exists (
              select from {operation.fullname} earlier
              where earlier.store = :store and earlier.group_key = p.group_key and earlier.id < p.id
                and earlier.state in ('planned','sending','ambiguous')
          ))
        order by id limit :limit
        for update skip locked
    )
    update {operation.fullname} o
    set state = 'sending', worker = :worker, attempts = attempts + 1, sending_at = clock_timestamp(), answer = null
    from next
    where o.id = next.id
    returning {_READ}
    """
)
SENDING_WORKERS = sa.text(
    f"""
    select distinct worker from {operation.fullname}
    where store = :store and flow = :flow and state = 'sending'
    """
)
DOUBT_DEAD = sa.text(
    f"""
    update {operation.fullname} o
    set state = 'ambiguous', reason = 'the worker died before it wrote down how the call ended'
    where id in (
        select id from {operation.fullname}
        where store = :store and flow = :flow and state = 'sending'
          and (worker is null or worker = any(:dead))
        for update
    )
    returning {_READ}
    """
)
