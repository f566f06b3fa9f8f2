"""Payouts: received, itemised, linked to orders, and moved from status to status.

Put the transitions of `payout` and `payout_line` here. Do not put their journals here (`payout_journals.py`), nor
what is decided: the rules do that. Each transition has an audit row in its transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.rules.payouts.model import Payout, PayoutLine
from bcns_pipeline.state.audit import Entry, Evidence, lock_chain
from bcns_pipeline.state.bulk import copy_in, copy_texts
from bcns_pipeline.state.payout_journals import PayoutJournals
from bcns_pipeline.state.payout_models import (
    Itemised,
    LineLink,
    Move,
    PayoutState,
    Received,
)
from bcns_pipeline.state.payout_proof import PHASE, recompute
from bcns_pipeline.state.payout_views import payout_state
from bcns_pipeline.state.scope import canonical, digest
from bcns_pipeline.state.tables_payouts import (
    payout,
    payout_document,
    payout_line,
)

_BLOCK = 2_000
_COPIED = (
    "line_id", "cls", "category", "kind", "gross", "fee", "net", "fee_tax", "currency", "presentment_amount",
    "presentment_currency", "rate", "occurred_at", "refs", "hints", "method", "country", "row_sha256",
)  # fmt: skip


class Payouts(PayoutJournals):
    """The payouts of one store."""

    def note(
        self, seen: Payout, listed: Received, *, conn: sa.Connection | None = None
    ) -> tuple[PayoutState, bool]:
        """A provider says that this payout is, in the document `listed`; whether that is news."""
        details = {
            "automatic": seen.automatic,
            "instant": seen.instant,
            "fee": seen.fee,
            "failed_on": None if seen.failed_on is None else seen.failed_on.isoformat(),
            "bank_reference": seen.bank_reference,
            "descriptor": seen.descriptor,
            "related": list(seen.related),
            "whole_units_only": seen.whole_units_only,
        }
        values = {
            "currency": seen.currency,
            "amount_minor": seen.amount,
            "source_status": str(seen.status),
            "arrival_date": seen.arrival_date,
            "created_at": seen.created_at,
            "itemisation": str(seen.itemisation),
            "details": details,
        }
        keys = {
            "store": self._scope.store,
            "provider": seen.provider,
            "account": seen.account,
            "payout_id": seen.id,
        }
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            before = self.find(seen.provider, seen.account, seen.id, conn=tx)
            insert = sa.dialects.postgresql.insert(payout).values(**keys, **values)
            written = insert.on_conflict_do_update(index_elements=list(keys), set_=values).returning(payout)
            now = payout_state(tx.execute(written).mappings().one())
            fresh = before is None or _told(before) != _told(now)
            if fresh:
                place = tx.execute(_LIST_PLACE, {"payout": now.id}).scalar_one()
                self._document(tx, now.id, 0, "list", place, listed)
                body = {**values, "arrival_date": seen.arrival_date.isoformat(), "sha256": listed.sha256}
                body.pop("created_at")
                self._audit.append(tx, "payout.noted", now.subject, body)
        return now, fresh

    def itemise(
        self,
        state: PayoutState,
        lines: Sequence[PayoutLine],
        documents: Sequence[Received],
        rows: int,
        *,
        conn: sa.Connection | None = None,
    ) -> Itemised:
        """What the payout is made of, as a version of its own where it says anything new.

        The same lines from other bytes are no news. `rows` counts what was read, also what is no line.
        """
        sources = digest([one.sha256 for one in documents])
        says = lines_digest(lines)
        if state.lines_digest == says:
            return Itemised(state.version, fresh=False, restated=False)
        version = state.version + 1
        where = {"phase": PHASE, "payout": state.id, "version": version}
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            names = ("payout", "version", "line", *_COPIED)
            copy_in(tx, payout_line.fullname, names, (state.id, version), _blocks(lines))
            for place, one in enumerate(documents):
                self._document(tx, state.id, version, "lines", place, one)
            change = (
                sa.update(payout)
                .where(payout.c.id == state.id)
                .values(
                    version=version, sources_digest=sources, lines_digest=says, rows=rows, lines=len(lines),
                    moved_at=sa.func.now(),
                )
            )  # fmt: skip
            tx.execute(change)
            count, proof = recompute(tx, where)
            body = {"version": version, "rows": rows, "sources_digest": sources, "lines_digest": says}
            self._audit.append(tx, "payout.itemised", state.subject, body, Evidence(count, proof, where))
        return Itemised(version, fresh=True, restated=version > 1)

    def move(self, moves: Sequence[Move], *, conn: sa.Connection | None = None) -> list[int]:
        """New statuses; returns those for which it is news. An audit row for each of them."""
        if not moves:
            return []
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            rows = [
                {
                    "id": one.id,
                    "status": one.status,
                    "code": one.code,
                    "reason": one.reason,
                    "retry_at": None if one.retry_at is None else one.retry_at.isoformat(),
                }
                for one in {one.id: one for one in moves}.values()
            ]
            news = tx.execute(_MOVE, {"store": self._scope.store, "rows": canonical(rows)}).all()
            entries = [
                Entry(
                    "payout.moved",
                    f"payout:{row.provider}/{row.account}/{row.payout_id}",
                    {"from": row.before, "to": row.status, "code": row.code},
                )
                for row in news
                if row.news
            ]
            self._audit.append_many(tx, entries)
        return [row.id for row in news if row.news]

    def link(
        self, state: PayoutState, links: Sequence[LineLink], *, conn: sa.Connection | None = None
    ) -> None:
        """What the lines of a payout's newest version mean and which orders they are of."""
        if not links:
            return
        rows = [
            {
                "line": one.line,
                "cls": one.cls,
                "order_id": one.order_id,
                "transaction_id": one.transaction_id,
                "step": one.step,
                "journal_key": one.journal_key,
                "carrying": one.carrying,
            }
            for one in links
        ]
        with self._scope.transaction(conn) as tx:
            for start in range(0, len(rows), _BLOCK):
                values = {"payout": state.id, "version": state.version}
                tx.execute(_LINK, {**values, "rows": canonical(rows[start : start + _BLOCK])})

    def _document(
        self, tx: sa.Connection, number: int, version: int, role: str, place: int, one: Received
    ) -> None:
        row = {
            "payout": number,
            "version": version,
            "role": role,
            "place": place,
            "sha256": one.sha256,
            "document_id": one.document_id,
        }
        insert = sa.dialects.postgresql.insert(payout_document).values(**row)
        tx.execute(insert.on_conflict_do_nothing())


def lines_digest(lines: Sequence[PayoutLine]) -> str:
    """sha256 over what the lines say, in the order of their ids: the same payout told again gives the same one."""
    found = hashlib.sha256()
    for one in sorted(lines, key=lambda line: line.id):
        says = (one.id, one.category, one.kind, one.gross, one.fee, one.net, one.currency,
                one.presentment_amount, one.presentment_currency)  # fmt: skip
        found.update(json.dumps(says, separators=(",", ":")).encode())
        found.update(b"\n")
    return found.hexdigest()


def _blocks(lines: Sequence[PayoutLine]) -> Iterator[list[list[Any]]]:
    for start in range(0, len(lines), _BLOCK):
        some = lines[start : start + _BLOCK]
        columns: list[list[Any]] = [list(range(start, start + len(some)))]
        columns += [copy_texts(values) for values in zip(*map(_row, some), strict=True)]
        yield columns


def _row(one: PayoutLine) -> tuple[Any, ...]:
    return (
        one.id, str(one.cls), one.category, one.kind, one.gross, one.fee, one.net, one.fee_tax, one.currency,
        one.presentment_amount, one.presentment_currency,
        None if one.rate is None else format(one.rate, "f"),
        None if one.occurred_at is None else one.occurred_at.isoformat(),
        "\n".join(one.references), "\n".join(one.order_hints), one.method, one.country,
        one.raw_sha256,
    )  # fmt: skip


def _told(one: PayoutState) -> tuple[Any, ...]:
    return (one.currency, one.amount_minor, one.source_status, one.arrival_date, one.itemisation, one.details)


_LIST_PLACE = sa.text(
    f"select count(*) from {payout_document.fullname} where payout = :payout and version = 0 and role = 'list'"
)
_MOVE = sa.text(
    f"""
    with given as (
        select * from jsonb_to_recordset(cast(:rows as jsonb))
            as g(id bigint, status text, code text, reason text, retry_at timestamptz)
    ), before as (
        select p.id, p.status, p.code, p.reason from {payout.fullname} p join given g on g.id = p.id
        where p.store = :store for update of p
    )
    update {payout.fullname} p set status = g.status, code = g.code, reason = g.reason, retry_at = g.retry_at,
        moved_at = case when b.status = g.status then p.moved_at else now() end
    from given g join before b on b.id = g.id
    where p.id = g.id
    returning p.id, p.provider, p.account, p.payout_id, b.status as before, p.status, p.code,
        (b.status, b.code) is distinct from (p.status, p.code) as news
    """
)
_LINK = sa.text(
    f"""
    update {payout_line.fullname} l
    set cls = g.cls, order_id = g.order_id, transaction_id = g.transaction_id, step = g.step,
        journal_key = g.journal_key, carrying = g.carrying
    from jsonb_to_recordset(cast(:rows as jsonb)) as g(line int, cls text, order_id bigint, transaction_id bigint,
        step text, journal_key text, carrying bigint)
    where l.payout = :payout and l.version = :version and l.line = g.line
    """
)
