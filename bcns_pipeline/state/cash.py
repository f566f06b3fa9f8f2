"""Where the money of each order stands: payments read, receipts and invoices written, and what NetSuite shows.

Put what moves rows of `cash_order`, `tender` and `cash_record` here. Do not put reads here (`cash_views.py`), nor
what is decided: the rules do that. What is written in NetSuite has an audit row, in the transaction of its operation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.audit import Audit, lock_chain
from bcns_pipeline.state.cash_models import CashDecision, CashOrder, MoneyRead, Recorded, RecordRead
from bcns_pipeline.state.cash_views import CashViews, order_of
from bcns_pipeline.state.planners import among, free, hand_over
from bcns_pipeline.state.scope import Scope, canonical, digest
from bcns_pipeline.state.tables_cash import cash_order, cash_record, tender
from bcns_pipeline.state.worker import Worker


class Cash(CashViews):
    """The money of one store's orders. Methods that take many do so in one statement."""

    def __init__(self, scope: Scope, audit: Audit) -> None:
        super().__init__(scope)
        self._audit = audit

    def looked(
        self, versions: Mapping[int, str], marks: Mapping[int, str], *, conn: sa.Connection | None = None
    ) -> None:
        """These versions (content hashes) say nothing new of payments: what was read stands."""
        rows = [
            {"order_id": one, "content_hash": version, "mark": marks[one]}
            for one, version in versions.items()
        ]
        self._run(_LOOKED, rows, conn)

    def read(self, read: Sequence[MoneyRead], *, conn: sa.Connection | None = None) -> None:
        """The payments of these orders as they are now; their plans are due."""
        rows = [
            {
                "order_id": one.order_id,
                "content_hash": one.content_hash,
                "mark": one.mark,
                "document_id": one.document_id,
                "currency": one.captured.currency,
                "captured_minor": one.captured.minor,
                "authorised_minor": one.authorised.minor,
                "refunded_minor": one.refunded.minor,
                "read_again_at": None if one.read_again_at is None else one.read_again_at.isoformat(),
                "shopper_id": one.shopper_id,
            }
            for one in read
        ]
        tenders = [
            {
                "transaction_id": row.transaction_id,
                "order_id": row.order_id,
                "event": row.event,
                "method": row.method,
                "gateway": row.gateway,
                "gateway_id": row.gateway_id,
                "reference_id": row.reference_id,
                "amount_minor": row.amount.minor,
                "currency": row.amount.currency,
                "status": row.status,
                "test": row.test,
                "happened_at": None if row.happened_at is None else row.happened_at.isoformat(),
                "holder": row.holder,
                "original_minor": row.original_minor,
                "starting_minor": row.starting_minor,
                "remaining_minor": row.remaining_minor,
            }
            for one in read
            for row in one.tenders
        ]
        with self._scope.transaction(conn) as tx:
            self._run(_READ, rows, tx)
            self._run(_TENDERS, tenders, tx)

    def take_due(
        self,
        planner: Worker,
        now: datetime,
        limit: int,
        *,
        days: tuple[date, date] | None = None,
        more: bool = False,
        conn: sa.Connection | None = None,
    ) -> list[CashOrder]:
        """As `due`, and in the hands of `planner` from now on, until it ends. What it has already is due to it, unless
        it asks for `more`.

        Raises `WorkerLost` where its session has ended.
        """
        # Another planner that is just taking some goes on with the next ones.
        query = self._due(now, limit, days, None if more else planner).with_for_update(skip_locked=True)
        with self._scope.transaction(conn) as tx:
            found = [order_of(row) for row in tx.execute(query).mappings()]
            hand_over(tx, cash_order, self._scope.store, [one.order_id for one in found], planner)
        return found

    def reopen(
        self,
        order_ids: Collection[int],
        billed: Collection[int] = (),
        *,
        conn: sa.Connection | None = None,
    ) -> int:
        """Something changed in NetSuite: look at these again. Orders whose payments were never read stay out.

        So do those of `billed` (all of the order is on invoices) that are settled by records of ours of which nothing
        is open: what changed there is mostly that we billed them.
        """
        over = sa.and_(
            cash_order.c.disposition == "settled",
            among(cash_order.c.order_id, billed),
            sa.exists().where(*_OF_ORDER, cash_record.c.kind == "invoice"),
            ~sa.exists().where(
                *_OF_ORDER,
                sa.or_(cash_record.c.read_back_at.is_(None), cash_record.c.read_open_minor != 0),
            ),
        )
        change = (
            sa.update(cash_order)
            .where(
                cash_order.c.store == self._scope.store,
                among(cash_order.c.order_id, order_ids),
                cash_order.c.disposition.in_(("settled", "waiting")),
                free(cash_order),
                ~over,
            )
            .values(disposition="open", retry_at=None)
        )
        with self._scope.transaction(conn) as tx:
            return tx.execute(change).rowcount if order_ids else 0

    def decide(self, decisions: Sequence[CashDecision], *, conn: sa.Connection | None = None) -> None:
        """Write decisions down; unknown orders are left out."""
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
        self._run(_DECIDE, rows, conn)

    def recorded(self, records: Sequence[Recorded], *, conn: sa.Connection | None = None) -> None:
        """These are in NetSuite now; one that was known keeps when it was posted, and is read back anew."""
        if not records:
            return
        rows = [
            {
                "natural_key": one.natural_key,
                "order_id": one.order_id,
                "transaction_id": one.transaction_id,
                "kind": one.kind,
                "netsuite_id": one.netsuite_id,
                "currency": one.currency,
                "amount_minor": None if one.amount is None else one.amount.minor,
                "account": one.account,
                "day": one.day.isoformat(),
                "invoice_id": one.invoice_id,
                "origin": one.origin,
            }
            for one in {one.natural_key: one for one in records}.values()
        ]
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            self._run(_RECORDED, rows, tx)
            body = {"records": len(rows), "digest": digest(rows)}
            self._audit.append(tx, "cash.recorded", "cash", body)

    def stale(self, natural_keys: Collection[str], *, conn: sa.Connection | None = None) -> None:
        """What NetSuite shows of these has changed by a write of ours: read them back again."""
        change = (
            sa.update(cash_record)
            .where(
                cash_record.c.store == self._scope.store,
                cash_record.c.natural_key == sa.any_(sa.cast(sorted(natural_keys), sa.ARRAY(sa.Text))),
            )
            .values(read_back_at=None)
        )
        with self._scope.transaction(conn) as tx:
            if natural_keys:
                tx.execute(change)

    def stale_orders(self, order_ids: Collection[int], *, conn: sa.Connection | None = None) -> None:
        """Somebody may have mended the records of these orders: read them back again."""
        change = (
            sa.update(cash_record)
            .where(
                cash_record.c.store == self._scope.store,
                among(cash_record.c.order_id, order_ids),
            )
            .values(read_back_at=None)
        )
        with self._scope.transaction(conn) as tx:
            if order_ids:
                tx.execute(change)

    def read_back(self, reads: Sequence[RecordRead], *, conn: sa.Connection | None = None) -> None:
        """What NetSuite shows of these now."""
        rows = [
            {
                "natural_key": one.natural_key,
                "read_minor": one.amount.minor,
                "read_open_minor": None if one.open is None else one.open.minor,
                "read_account": one.account,
            }
            for one in reads
        ]
        self._run(_READ_BACK, rows, conn)

    def _run(
        self, statement: sa.TextClause, rows: Sequence[Mapping[str, Any]], conn: sa.Connection | None
    ) -> None:
        if rows:
            with self._scope.transaction(conn) as tx:
                given = canonical([dict(row) for row in rows])
                tx.execute(statement, {"store": self._scope.store, "rows": given})


_OF_ORDER = (cash_record.c.store == cash_order.c.store, cash_record.c.order_id == cash_order.c.order_id)
_O, _T, _R = cash_order.fullname, tender.fullname, cash_record.fullname
_LOOKED = sa.text(
    f"""
    update {_O} o set content_hash = g.content_hash, mark = g.mark
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(order_id bigint, content_hash text, mark text)
    where o.store = :store and o.order_id = g.order_id
    """
)
_READ_COLUMNS = (
    "order_id, content_hash, mark, document_id, currency, captured_minor, authorised_minor, refunded_minor, "
    "read_again_at, shopper_id"
)
_READ = sa.text(
    f"""
    insert into {_O} as o (store, read_at, {_READ_COLUMNS})
    select :store, now(), {_READ_COLUMNS}
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(order_id bigint, content_hash text, mark text,
        document_id bigint, currency text, captured_minor bigint, authorised_minor bigint,
        refunded_minor bigint, read_again_at timestamptz, shopper_id bigint)
    order by order_id
    on conflict (store, order_id) do update
    set content_hash = excluded.content_hash, mark = excluded.mark, document_id = excluded.document_id,
        read_at = excluded.read_at, currency = excluded.currency, captured_minor = excluded.captured_minor,
        authorised_minor = excluded.authorised_minor, refunded_minor = excluded.refunded_minor,
        read_again_at = excluded.read_again_at, shopper_id = excluded.shopper_id,
        disposition = 'open', retry_at = null
    """
)
_TENDER_COLUMNS = (
    "transaction_id, order_id, event, method, gateway, gateway_id, reference_id, amount_minor, currency, status, "
    "test, happened_at, holder, original_minor, starting_minor, remaining_minor"
)
_TENDERS = sa.text(
    f"""
    insert into {_T} (store, {_TENDER_COLUMNS})
    select :store, {_TENDER_COLUMNS}
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(transaction_id bigint, order_id bigint, event text,
        method text, gateway text, gateway_id text, reference_id bigint, amount_minor bigint, currency text,
        status text, test boolean, happened_at timestamptz, holder text, original_minor bigint,
        starting_minor bigint, remaining_minor bigint)
    order by transaction_id
    on conflict (store, transaction_id) do update
    set order_id = excluded.order_id, event = excluded.event, method = excluded.method,
        gateway = excluded.gateway, gateway_id = excluded.gateway_id, reference_id = excluded.reference_id,
        amount_minor = excluded.amount_minor, currency = excluded.currency, status = excluded.status,
        test = excluded.test, happened_at = excluded.happened_at, holder = excluded.holder,
        original_minor = excluded.original_minor, starting_minor = excluded.starting_minor,
        remaining_minor = excluded.remaining_minor, read_at = now()
    """
)
_DECIDE = sa.text(
    f"""
    update {_O} o
    set disposition = g.disposition, code = g.code, reason = g.reason, retry_at = g.retry_at, decided_at = now()
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(order_id bigint, disposition text, code text, reason text,
        retry_at timestamptz)
    where o.store = :store and o.order_id = g.order_id
    """
)
_RECORD_COLUMNS = (
    "natural_key, order_id, transaction_id, kind, netsuite_id, currency, amount_minor, account, day, invoice_id, "
    "origin"
)
_RECORDED = sa.text(
    f"""
    insert into {_R} as r (store, {_RECORD_COLUMNS})
    select :store, {_RECORD_COLUMNS}
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(natural_key text, order_id bigint, transaction_id bigint,
        kind text, netsuite_id text, currency text, amount_minor bigint, account bigint, day date,
        invoice_id bigint, origin text)
    order by natural_key
    on conflict (store, natural_key) do update
    set order_id = excluded.order_id, transaction_id = excluded.transaction_id, kind = excluded.kind,
        netsuite_id = excluded.netsuite_id, currency = excluded.currency, amount_minor = excluded.amount_minor,
        account = excluded.account, day = excluded.day, invoice_id = excluded.invoice_id, read_back_at = null
    """
)
_READ_BACK = sa.text(
    f"""
    update {_R} r
    set read_minor = g.read_minor, read_open_minor = g.read_open_minor,
        read_account = coalesce(g.read_account, r.read_account), read_back_at = now()
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(natural_key text, read_minor bigint, read_open_minor bigint,
        read_account bigint)
    where r.store = :store and r.natural_key = g.natural_key
    """
)
