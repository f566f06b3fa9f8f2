"""Where each BigCommerce order stands: read, decided, posted, read back, referenced.

Put the transitions of `order_state` here. Do not put reads over many orders here (`order_views.py`), nor which
are to be planned (`orders_due.py`), nor what is decided: the rules do that. Each batch transition is one transaction
with one audit row, whose digest covers one `order_step` per order. No personal data: what a shopper gave is in the
sealed documents.

What is in NetSuite stays `posted` or `adopted` whatever is decided later: only code, reason and retry_at move.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.audit import Audit, Evidence, lock_chain
from bcns_pipeline.state.order_models import Adopted, Decision, Noted, OrderSeen, Posted, ReadBack
from bcns_pipeline.state.order_proof import STATE_DIGEST, recompute
from bcns_pipeline.state.orders_due import OrdersDue
from bcns_pipeline.state.planners import among
from bcns_pipeline.state.scope import Scope, canonical
from bcns_pipeline.state.tables_orders import order_state, order_step


class OrderStates(OrdersDue):
    """The orders of one store. Methods that take many do so in one statement; 500 at once is a good number."""

    def __init__(self, scope: Scope, audit: Audit) -> None:
        super().__init__(scope)
        self._audit = audit

    def note(self, seen: Sequence[OrderSeen], *, conn: sa.Connection | None = None) -> Noted:
        """Orders were read. One that was read later than this, or unchanged, stays as it is.

        A new version opens the order again (`open`), unless it is `planned` or in NetSuite already: then the
        difference of `content_hash` and `applied_hash` says that an edit is due.
        """
        newest: dict[int, OrderSeen] = {}
        for one in seen:
            before = newest.get(one.order_id)
            if before is None or before.modified_at <= one.modified_at:
                newest[one.order_id] = one
        rows = [self._seen_row(newest[order_id]) for order_id in sorted(newest)]
        if not rows:
            return Noted((), ())
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            known = set(tx.execute(_KNOWN, self._ids(newest)).scalars())
            changed = set(tx.execute(_NOTE, self._json(rows)).scalars())
            self._steps(tx, "seen", {one: {"document_id": newest[one].document_id} for one in changed})
        return Noted(tuple(sorted(changed - known)), tuple(sorted(changed & known)))

    def decide(self, decisions: Sequence[Decision], *, conn: sa.Connection | None = None) -> list[int]:
        """What was decided about orders; returns those for which it is news. Unknown orders are left out.

        `retry_at` moves every time; a step is written only where disposition, code or reason differ.
        """
        rows = [
            {
                "order_id": one.order_id,
                "disposition": one.disposition,
                "code": one.code,
                "reason": one.reason,
                "retry_at": None if one.retry_at is None else one.retry_at.isoformat(),
            }
            for one in {one.order_id: one for one in decisions}.values()
        ]
        return self._change(_DECIDE, rows, "decided", {}, conn)

    def posted(self, posted: Sequence[Posted], *, conn: sa.Connection | None = None) -> list[int]:
        """These are in NetSuite, by our own write: of a new record, or of an edit. Returns what was known."""
        rows = [
            {
                "order_id": one.order_id,
                "disposition": "posted",
                "record_type": one.record_type,
                "netsuite_id": one.netsuite_id,
                "netsuite_number": one.netsuite_number,
                "expected_total_minor": None if one.expected_total is None else one.expected_total.minor,
                "expected_tax_minor": None if one.expected_tax is None else one.expected_tax.minor,
                "applied_hash": one.applied_hash,
            }
            for one in posted
        ]
        facts = {
            one.order_id: {
                "netsuite_id": one.netsuite_id,
                "how": "written",
                **(
                    {"tax_rows": [[name, how, tax.minor] for name, how, tax in one.taxes]}
                    if one.taxes
                    else {}
                ),
                **({"residual_minor": one.residual.minor} if one.residual else {}),
            }
            for one in posted
        }
        return self._change(_POST, rows, "posted", facts, conn)

    def adopted(self, adopted: Sequence[Adopted], *, conn: sa.Connection | None = None) -> list[int]:
        """These were in NetSuite before us, or made by somebody else: linked and never written again."""
        rows = [
            {
                "order_id": one.order_id,
                "disposition": "adopted",
                "record_type": one.record_type,
                "netsuite_id": one.netsuite_id,
                "netsuite_number": one.netsuite_number,
                "expected_total_minor": None,
                "expected_tax_minor": None,
                "applied_hash": None,
            }
            for one in adopted
        ]
        facts = {one.order_id: {"netsuite_id": one.netsuite_id, "how": one.how} for one in adopted}
        return self._change(_POST, rows, "adopted", facts, conn)

    def absorbed(self, order_ids: Collection[int], *, conn: sa.Connection | None = None) -> list[int]:
        """The newest version changes nothing in NetSuite, so it counts as the one that is there."""
        rows = [{"order_id": order_id} for order_id in set(order_ids)]
        return self._change(_ABSORB, rows, "absorbed", {}, conn)

    def read_back(self, read: Sequence[ReadBack], *, conn: sa.Connection | None = None) -> list[int]:
        """What NetSuite shows of these now: total, tax and document number, where they were read."""
        rows = [
            {
                "order_id": one.order_id,
                "netsuite_number": one.netsuite_number,
                "read_total_minor": None if one.total is None else one.total.minor,
                "read_tax_minor": None if one.tax is None else one.tax.minor,
                "customer_id": one.customer,
            }
            for one in read
        ]
        facts = {one.order_id: _tax_codes(one.tax_codes) for one in read if one.tax_codes}
        return self._change(_READ_BACK, rows, "read_back", facts, conn)

    def taxed(
        self, told: Mapping[int, Mapping[str, Money]], *, conn: sa.Connection | None = None
    ) -> list[int]:
        """NetSuite said by which codes it holds the tax of these: {order: {"code:12": amount}}."""
        facts = {order_id: _tax_codes(codes.items()) for order_id, codes in told.items()}
        return self._change(_KEPT, [{"order_id": order_id} for order_id in told], "taxed", facts, conn)

    def referenced(self, order_ids: Collection[int], *, conn: sa.Connection | None = None) -> list[int]:
        """The NetSuite number stands on these BigCommerce orders now."""
        rows = [{"order_id": order_id} for order_id in set(order_ids)]
        return self._change(_REFERENCE, rows, "referenced", {}, conn)

    def belong(self, customers: Mapping[int, int], *, conn: sa.Connection | None = None) -> None:
        """{order: NetSuite's id of the customer whom its record names now}: people merge and change them."""
        rows = [{"order_id": one, "customer_id": customer} for one, customer in sorted(customers.items())]
        if rows:
            with self._scope.transaction(conn) as tx:
                tx.execute(_OF, self._json(rows))

    def make_due(
        self, order_ids: Collection[int], at: datetime, *, conn: sa.Connection | None = None
    ) -> list[int]:
        """A person or a healed fact says: plan these again from then on. Orders that wait for nothing stay."""
        change = (
            sa.update(order_state)
            .where(
                order_state.c.store == self._scope.store,
                order_state.c.order_id == sa.any_(sa.cast(sorted(order_ids), sa.ARRAY(sa.BigInteger))),
                order_state.c.code.is_not(None),
            )
            .values(retry_at=at)
            .returning(order_state.c.order_id)
        )
        with self._scope.transaction(conn) as tx:
            return sorted(tx.execute(change).scalars())

    def read_again(self, order_ids: Collection[int], *, conn: sa.Connection | None = None) -> None:
        """What NetSuite shows of these is read by the next run: somebody may have changed or mended it."""
        self._read_at(order_ids, None, conn)

    def not_there(self, order_ids: Collection[int], *, conn: sa.Connection | None = None) -> None:
        """NetSuite does not show these any more: their read-back is over, and what it showed last stands."""
        self._read_at(order_ids, sa.func.now(), conn)

    def _read_at(self, order_ids: Collection[int], at: Any, conn: sa.Connection | None) -> None:
        if not order_ids:
            return
        change = (
            sa.update(order_state)
            .where(order_state.c.store == self._scope.store, among(order_state.c.order_id, order_ids))
            .values(read_back_at=at)
        )
        with self._scope.transaction(conn) as tx:
            tx.execute(change)

    def _change(
        self,
        statement: sa.TextClause,
        rows: Sequence[Mapping[str, Any]],
        step: str,
        facts: Mapping[int, Mapping[str, Any]],
        conn: sa.Connection | None,
    ) -> list[int]:
        if not rows:
            return []
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            changed = sorted(tx.execute(statement, self._json(rows)).scalars())
            self._steps(tx, step, {order_id: facts.get(order_id, {}) for order_id in changed})
        return changed

    def _steps(self, tx: sa.Connection, step: str, facts: Mapping[int, Mapping[str, Any]]) -> None:
        """One `order_step` per order, as it stands now, and one audit row for all of them."""
        if not facts:
            return
        ordered = sorted(facts)
        values = {
            "store": self._scope.store,
            "step": step,
            "run_id": self._scope.run_id or None,
            "ids": ordered,
            "facts": [canonical(dict(facts[order_id])) for order_id in ordered],
        }
        ids = list(tx.execute(_STEP, values).scalars())
        where = {"phase": "orders", "ids": ids}
        count, digest = recompute(tx, where)
        body = {"step": step, "orders": len(ordered), "first": ordered[0], "last": ordered[-1]}
        self._audit.append(tx, f"orders.{step}", "orders", body, Evidence(count, digest, where))

    def _seen_row(self, one: OrderSeen) -> dict[str, Any]:
        return {
            "order_id": one.order_id,
            "placed_at": one.placed_at.isoformat(),
            "modified_at": one.modified_at.isoformat(),
            "day": one.day.isoformat(),
            "channel_id": one.channel_id,
            "source": one.source,
            "status_id": one.status_id,
            "currency": one.total.currency,
            "total_minor": one.total.minor,
            "lines": [line.as_json() for line in one.lines],
            "content_hash": one.content_hash,
            "document_id": one.document_id,
            "aliases": list(one.aliases),
        }

    def _json(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {"store": self._scope.store, "rows": canonical([dict(row) for row in rows])}

    def _ids(self, ids: Collection[int]) -> dict[str, Any]:
        return {"store": self._scope.store, "ids": sorted(ids)}


def _tax_codes(codes: Iterable[tuple[str, Money]]) -> dict[str, dict[str, int]]:
    return {"tax_codes": {how: amount.minor for how, amount in codes}}


_S = order_state.fullname
_KNOWN = sa.text(
    f"select order_id from {_S} where store = :store and order_id = any(cast(:ids as bigint[])) for update"
)
_SEEN_COLUMNS = (
    "order_id, placed_at, modified_at, day, channel_id, source, status_id, currency, total_minor, lines, "
    "content_hash, document_id, aliases"
)
# A version read with the same hash only moves the time of change; one that was read before a newer one does
# nothing at all.
_NOTE = sa.text(
    f"""
    with given as (
        select * from jsonb_to_recordset(cast(:rows as jsonb)) as g(order_id bigint, placed_at timestamptz,
            modified_at timestamptz, day date, channel_id int, source text, status_id int, currency text,
            total_minor bigint, lines jsonb, content_hash text, document_id bigint, aliases text[])
    ), touched as (
        update {_S} s set modified_at = g.modified_at
        from given g
        where s.store = :store and s.order_id = g.order_id and s.content_hash = g.content_hash
          and s.modified_at < g.modified_at
    )
    insert into {_S} as s (store, {_SEEN_COLUMNS})
    select :store, {_SEEN_COLUMNS} from given g
    where not exists (
        select from {_S} k where k.store = :store and k.order_id = g.order_id
          and k.content_hash = g.content_hash
    )
    order by order_id
    on conflict (store, order_id) do update
    set placed_at = excluded.placed_at, modified_at = excluded.modified_at, day = excluded.day,
        channel_id = excluded.channel_id, source = excluded.source, status_id = excluded.status_id,
        currency = excluded.currency, total_minor = excluded.total_minor, lines = excluded.lines,
        content_hash = excluded.content_hash, document_id = excluded.document_id, aliases = excluded.aliases,
        read_at = now(),
        disposition = case when s.disposition in ('planned','posted','adopted') then s.disposition
                           else 'open' end
    where s.modified_at <= excluded.modified_at and s.content_hash <> excluded.content_hash
    returning order_id
    """
)
_DECIDE = sa.text(
    f"""
    with given as (
        select * from jsonb_to_recordset(cast(:rows as jsonb)) as g(order_id bigint, disposition text,
            code text, reason text, retry_at timestamptz)
    ), judged as materialized (
        select s.order_id, g.code, g.reason, g.retry_at,
            case when s.disposition in ('posted','adopted') then s.disposition else g.disposition end
                as disposition,
            (s.disposition, s.code, s.reason) is distinct from (
                case when s.disposition in ('posted','adopted') then s.disposition else g.disposition end,
                g.code, g.reason) as is_news
        from given g join {_S} s on s.store = :store and s.order_id = g.order_id
        order by s.order_id for update of s
    ), moved as (
        update {_S} s
        set disposition = j.disposition, code = j.code, reason = j.reason, retry_at = j.retry_at,
            decided_at = now()
        from judged j where s.store = :store and s.order_id = j.order_id
        returning s.order_id
    )
    select order_id from judged where is_news
    """
)
_POST = sa.text(
    f"""
    update {_S} s
    set disposition = g.disposition, record_type = g.record_type,
        netsuite_number = case when s.netsuite_id = g.netsuite_id
            then coalesce(g.netsuite_number, s.netsuite_number) else g.netsuite_number end,
        referenced_at = case when s.netsuite_id = g.netsuite_id then s.referenced_at end,
        netsuite_id = g.netsuite_id, expected_total_minor = g.expected_total_minor,
        expected_tax_minor = g.expected_tax_minor, applied_hash = g.applied_hash,
        read_total_minor = null, read_tax_minor = null, read_back_at = null,
        posted_at = coalesce(s.posted_at, now()), code = null, reason = null, retry_at = null
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(order_id bigint, disposition text, record_type text,
        netsuite_id text, netsuite_number text, expected_total_minor bigint, expected_tax_minor bigint,
        applied_hash text)
    where s.store = :store and s.order_id = g.order_id
    returning s.order_id
    """
)
_READ_BACK = sa.text(
    f"""
    update {_S} s
    set netsuite_number = coalesce(g.netsuite_number, s.netsuite_number),
        read_total_minor = coalesce(g.read_total_minor, s.read_total_minor),
        read_tax_minor = coalesce(g.read_tax_minor, s.read_tax_minor),
        customer_id = coalesce(g.customer_id, s.customer_id), read_back_at = now()
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(order_id bigint, netsuite_number text,
        read_total_minor bigint, read_tax_minor bigint, customer_id bigint)
    where s.store = :store and s.order_id = g.order_id
    returning s.order_id
    """
)
_OF = sa.text(
    f"""
    update {_S} s set customer_id = g.customer_id
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(order_id bigint, customer_id bigint)
    where s.store = :store and s.order_id = g.order_id and s.customer_id is distinct from g.customer_id
    """
)
_KEPT = sa.text(
    f"""
    select s.order_id from {_S} s
    join jsonb_to_recordset(cast(:rows as jsonb)) as g(order_id bigint) on g.order_id = s.order_id
    where s.store = :store order by s.order_id for update of s
    """
)
_ABSORB = sa.text(
    f"""
    update {_S} s set applied_hash = s.content_hash, code = null, reason = null, retry_at = null
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(order_id bigint)
    where s.store = :store and s.order_id = g.order_id and s.netsuite_id is not null
    returning s.order_id
    """
)
_REFERENCE = sa.text(
    f"""
    update {_S} s set referenced_at = now()
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(order_id bigint)
    where s.store = :store and s.order_id = g.order_id and s.referenced_at is null
    returning s.order_id
    """
)
_STEP = sa.text(
    f"""
    insert into {order_step.fullname} (store, order_id, step, disposition, code, reason, facts, state_digest, run_id)
    select s.store, s.order_id, :step, s.disposition, s.code, s.reason, cast(g.facts as jsonb), {STATE_DIGEST}, :run_id
    from unnest(cast(:ids as bigint[]), cast(:facts as text[])) as g(order_id, facts)
    join {_S} s on s.store = :store and s.order_id = g.order_id
    order by s.order_id
    returning id
    """
)
