"""Where each BigCommerce refund stands: read, decided, posted, read back; and the records that it became.

Put the transitions of `refund_state` and the writing of `refund_record` here. Do not put reads here
(`refund_views.py`), nor what is decided: the rules do that. Each batch of transitions is one
audit row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.audit import Audit, lock_chain
from bcns_pipeline.state.refund_models import (
    RefundDecision,
    RefundPlanned,
    RefundRead,
    RefundRecordRow,
    RefundSeen,
)
from bcns_pipeline.state.refund_views import RefundViews
from bcns_pipeline.state.scope import Scope, canonical, digest
from bcns_pipeline.state.tables_refunds import refund_record, refund_state


class Refunds(RefundViews):
    """The refunds of one store. Methods that take many do so in one statement."""

    def __init__(self, scope: Scope, audit: Audit) -> None:
        super().__init__(scope)
        self._audit = audit

    def note(self, seen: Sequence[RefundSeen], *, conn: sa.Connection | None = None) -> list[int]:
        """Refunds were read; returns those that are new or changed, which are open (again) from then on."""
        rows = [
            {
                "refund_id": one.refund_id,
                "order_id": one.order_id,
                "created_at": one.created_at.isoformat(),
                "day": one.day.isoformat(),
                "currency": one.total.currency,
                "total_minor": one.total.minor,
                "tax_minor": one.tax.minor,
                "paid_minor": one.paid.minor,
                "content_hash": one.content_hash,
                "document_id": one.document_id,
            }
            for one in {one.refund_id: one for one in seen}.values()
        ]
        return self._change(_NOTE, rows, "seen", conn)

    def decide(self, decisions: Sequence[RefundDecision], *, conn: sa.Connection | None = None) -> list[int]:
        """What was decided; returns those for which it is news. `retry_at` moves every time."""
        rows = [
            {
                "refund_id": one.refund_id,
                "disposition": one.disposition,
                "code": one.code,
                "reason": one.reason,
                "retry_at": None if one.retry_at is None else one.retry_at.isoformat(),
            }
            for one in {one.refund_id: one for one in decisions}.values()
        ]
        return self._change(_DECIDE, rows, "decided", conn)

    def planned(self, planned: Sequence[RefundPlanned], *, conn: sa.Connection | None = None) -> list[int]:
        """These records are on their way; a refund is posted once all of them are there."""
        rows = [
            {"refund_id": one.refund_id, "route": one.route, "expected": list(one.expected)}
            for one in planned
        ]
        return self._change(_PLANNED, rows, "planned", conn)

    def record(self, records: Sequence[RefundRecordRow], *, conn: sa.Connection | None = None) -> int:
        """These are in NetSuite; returns how many are news."""
        rows = [
            {
                "store": self._scope.store,
                "natural_key": one.natural_key,
                "refund_id": one.refund_id,
                "order_id": one.order_id,
                "n": one.n,
                "record_type": one.record_type,
                "netsuite_id": one.netsuite_id,
                "amount_minor": one.amount.minor,
                "currency": one.amount.currency,
                "day": one.day,
                "account": one.account,
                "way": one.way,
                "provider": one.provider,
                "provider_refs": list(one.provider_refs),
                "transaction_id": one.transaction_id,
            }
            for one in records
        ]
        if not rows:
            return 0
        insert = sa.dialects.postgresql.insert(refund_record).on_conflict_do_nothing()
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            made = tx.execute(insert.returning(refund_record.c.natural_key), rows).scalars().all()
            self._note(tx, "recorded", sorted(made))
        return len(made)

    def finish(self, refund_ids: Collection[int], *, conn: sa.Connection | None = None) -> list[int]:
        """Those of which every expected record is there are posted; returns them."""
        rows = [{"refund_id": one} for one in sorted(set(refund_ids))]
        return self._change(_FINISH, rows, "posted", conn)

    def read_back(self, read: Sequence[RefundRead], *, conn: sa.Connection | None = None) -> list[int]:
        """What NetSuite shows of these now."""
        rows = [
            {
                "refund_id": one.refund_id,
                "read_total_minor": one.total.minor,
                "open_minor": one.open.minor,
            }
            for one in read
        ]
        return self._change(_READ_BACK, rows, "read_back", conn)

    def _change(
        self,
        statement: sa.TextClause,
        rows: Sequence[Mapping[str, Any]],
        step: str,
        conn: sa.Connection | None,
    ) -> list[int]:
        if not rows:
            return []
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            values = {"store": self._scope.store, "rows": canonical([dict(row) for row in rows])}
            changed = sorted(tx.execute(statement, values).scalars())
            self._note(tx, step, changed)
        return changed

    def _note(self, tx: sa.Connection, step: str, changed: Sequence[Any]) -> None:
        """One audit row for all of them; its digest covers which they are."""
        if changed:
            body = {
                "refunds": len(changed),
                "first": changed[0],
                "last": changed[-1],
                "digest": digest(changed),
            }
            self._audit.append(tx, f"refunds.{step}", "refunds", body)


_S = refund_state.fullname
_SEEN = "refund_id, order_id, created_at, day, currency, total_minor, tax_minor, paid_minor, content_hash, document_id"
_NOTE = sa.text(
    f"""
    insert into {_S} as s (store, {_SEEN})
    select :store, {_SEEN}
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(refund_id bigint, order_id bigint, created_at timestamptz,
        day date, currency text, total_minor bigint, tax_minor bigint, paid_minor bigint, content_hash text,
        document_id bigint)
    order by refund_id
    on conflict (store, refund_id) do update
    set total_minor = excluded.total_minor, tax_minor = excluded.tax_minor, paid_minor = excluded.paid_minor,
        content_hash = excluded.content_hash, document_id = excluded.document_id, read_at = now(),
        disposition = 'open', retry_at = null
    where s.content_hash <> excluded.content_hash
    returning refund_id
    """
)
_DECIDE = sa.text(
    f"""
    with given as (
        select * from jsonb_to_recordset(cast(:rows as jsonb)) as g(refund_id bigint, disposition text, code text,
            reason text, retry_at timestamptz)
    ), judged as materialized (
        select g.*, (s.disposition, s.code, s.reason) is distinct from (g.disposition, g.code, g.reason) as is_news
        from given g join {_S} s on s.store = :store and s.refund_id = g.refund_id
        order by s.refund_id for update of s
    ), moved as (
        update {_S} s
        set disposition = j.disposition, code = j.code, reason = j.reason, retry_at = j.retry_at
        from judged j where s.store = :store and s.refund_id = j.refund_id
        returning s.refund_id
    )
    select refund_id from judged where is_news
    """
)
_PLANNED = sa.text(
    f"""
    update {_S} s
    set disposition = 'planned', code = null, reason = null, retry_at = null, route = g.route,
        expected = g.expected, read_back_at = null
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(refund_id bigint, route text, expected jsonb)
    where s.store = :store and s.refund_id = g.refund_id
    returning s.refund_id
    """
)
_FINISH = sa.text(
    f"""
    update {_S} s
    set disposition = 'posted', posted_at = coalesce(s.posted_at, now()), code = null, reason = null,
        retry_at = null
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(refund_id bigint)
    where s.store = :store and s.refund_id = g.refund_id and s.disposition = 'planned'
      and not exists (
        select from jsonb_array_elements_text(s.expected) as e(key)
        where not exists (
            select from {refund_record.fullname} r where r.store = s.store and r.natural_key = e.key
        )
      )
    returning s.refund_id
    """
)
_READ_BACK = sa.text(
    f"""
    update {_S} s
    set read_total_minor = g.read_total_minor, open_minor = g.open_minor, read_back_at = now()
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(refund_id bigint, read_total_minor bigint, open_minor bigint)
    where s.store = :store and s.refund_id = g.refund_id
    returning s.refund_id
    """
)
