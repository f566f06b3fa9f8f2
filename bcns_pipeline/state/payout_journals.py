"""Journal entries of payouts: planned, sent, read back, taken back. Never changed once they were sent.

Put the transitions of `payout_journal` and `payout_member` here. Do not put what an entry consists of here: the
rules say that. Each transition has an audit row in its transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.audit import Audit, lock_chain
from bcns_pipeline.state.payout_models import Journal, OpeningItem
from bcns_pipeline.state.payout_views import PayoutViews
from bcns_pipeline.state.scope import Scope, digest
from bcns_pipeline.state.tables_payouts import opening_item, payout, payout_journal, payout_member


@dataclass(frozen=True, slots=True)
class Member:
    """Which payout lines stand behind a line of a journal: [first, last] runs of line numbers."""

    place: int
    runs: Sequence[Sequence[int]]
    count: int
    digest: str

    def __contains__(self, line: int) -> bool:
        return any(first <= line <= last for first, last in self.runs)


class PayoutJournals(PayoutViews):
    """The journal entries of one store's payouts."""

    def __init__(self, scope: Scope, audit: Audit) -> None:
        super().__init__(scope)
        self._audit = audit

    def journals(
        self,
        payouts: Collection[int] | None = None,
        *,
        keys: Collection[str] | None = None,
        kind: str | None = None,
        conn: sa.Connection | None = None,
    ) -> list[Journal]:
        """Journals of these payouts, or by natural key, oldest first; all of them without either."""
        query = sa.select(payout_journal).where(payout_journal.c.store == self._scope.store)
        if payouts is not None:
            query = query.where(payout_journal.c.payout.in_(sorted(set(payouts))))
        if keys is not None:
            query = query.where(payout_journal.c.natural_key.in_(sorted(set(keys))))
        if kind is not None:
            query = query.where(payout_journal.c.kind == kind)
        with self._scope.transaction(conn) as tx:
            rows = tx.execute(query.order_by(payout_journal.c.id)).mappings().all()
        return [_journal(row) for row in rows]

    def journal(self, natural_key: str, *, conn: sa.Connection | None = None) -> Journal | None:
        """The journal of this natural key, or None."""
        found = self.journals(keys=[natural_key], conn=conn)
        return found[0] if found else None

    def journal_of(self, netsuite_id: str, *, conn: sa.Connection | None = None) -> Journal | None:
        """The journal that NetSuite has under this internal id or document number, or None."""
        either = sa.or_(
            payout_journal.c.netsuite_id == netsuite_id, payout_journal.c.netsuite_number == netsuite_id
        )
        query = sa.select(payout_journal).where(payout_journal.c.store == self._scope.store, either)
        with self._scope.transaction(conn) as tx:
            row = tx.execute(query.order_by(payout_journal.c.id).limit(1)).mappings().one_or_none()
        return None if row is None else _journal(row)

    def unapproved(self, *, conn: sa.Connection | None = None) -> list[Journal]:
        """Journals in NetSuite that nobody had approved there when they were last read, or that were not read yet."""
        query = (
            sa.select(payout_journal)
            .where(payout_journal.c.store == self._scope.store, payout_journal.c.netsuite_id.is_not(None))
            .where(payout_journal.c.approved.is_not(True))
            .order_by(payout_journal.c.id)
        )
        with self._scope.transaction(conn) as tx:
            return [_journal(row) for row in tx.execute(query).mappings()]

    def members(self, journal_id: int, *, conn: sa.Connection | None = None) -> dict[int, Member]:
        """Which payout lines stand behind each line of a journal, by its place (from 1)."""
        query = sa.select(payout_member).where(payout_member.c.journal == journal_id)
        with self._scope.transaction(conn) as tx:
            rows = tx.execute(query.order_by(payout_member.c.place)).mappings().all()
        return {row["place"]: Member(row["place"], row["lines"], row["count"], row["digest"]) for row in rows}

    # --- transitions ----------------------------------------------------------------------------------

    def plan_journal(
        self,
        journal: Journal,
        members: Mapping[int, Sequence[int]],
        *,
        conn: sa.Connection | None = None,
    ) -> int:
        """Write down a journal that is to be sent; returns its id. `members`: payout lines by line of the journal.

        One that was planned before and never sent takes the place of the older plan; one that was sent stays, and
        ValueError says so.
        """
        row = {
            "store": self._scope.store,
            "natural_key": journal.natural_key,
            "payout": journal.payout,
            "kind": journal.kind,
            "version": journal.version,
            "reverses": journal.reverses,
            "currency": journal.currency,
            "total_minor": journal.total_minor,
            "tran_date": journal.tran_date,
            "economic_date": journal.economic_date,
            "entry": dict(journal.entry),
            "inputs": dict(journal.inputs),
            "body_sha256": journal.body_sha256,
            "mapping_digest": journal.mapping_digest,
            "code_version": journal.code_version,
        }
        insert = sa.dialects.postgresql.insert(payout_journal).values(**row)
        kept = {name: insert.excluded[name] for name in row if name not in ("store", "natural_key")}
        written = insert.on_conflict_do_update(
            constraint="payout_journal_is_one",
            set_={**kept, "planned_at": sa.func.now()},
            where=payout_journal.c.sent_at.is_(None),
        ).returning(payout_journal.c.id)
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            number = tx.execute(written).scalar_one_or_none()
            if number is None:
                raise ValueError(f"{journal.natural_key} was sent already, and a journal is never changed")
            tx.execute(sa.delete(payout_member).where(payout_member.c.journal == number))
            if members:
                tx.execute(sa.insert(payout_member), [_member(number, *one) for one in members.items()])
            body = {"kind": journal.kind, "body_sha256": journal.body_sha256, "total": journal.total_minor}
            self._audit.append(tx, "payout.journal_planned", f"journal:{journal.natural_key}", body)
        return int(number)

    def journal_sent(
        self,
        natural_key: str,
        netsuite_id: str,
        operation_id: int | None,
        *,
        conn: sa.Connection | None = None,
    ) -> None:
        """It is in NetSuite under this id. The journal that it takes back, if any, is known as reversed from now on."""
        with self._scope.transaction(conn) as tx:
            row = tx.execute(
                sa.update(payout_journal)
                .where(
                    payout_journal.c.store == self._scope.store,
                    payout_journal.c.natural_key == natural_key,
                )
                .values(
                    netsuite_id=netsuite_id,
                    operation_id=operation_id,
                    sent_at=sa.func.coalesce(payout_journal.c.sent_at, sa.func.now()),
                )
                .returning(payout_journal.c.payout, payout_journal.c.kind, payout_journal.c.reverses)
            ).one_or_none()
            if row is None:
                return
            if row.reverses is not None:
                tx.execute(
                    sa.update(payout_journal)
                    .where(
                        payout_journal.c.store == self._scope.store,
                        payout_journal.c.natural_key == row.reverses,
                    )
                    .values(reversed_by=natural_key)
                )
            if row.kind in ("payout", "reversal") and row.payout is not None:
                live = natural_key if row.kind == "payout" else None
                tx.execute(sa.update(payout).where(payout.c.id == row.payout).values(journal_key=live))

    def journal_read(
        self,
        natural_key: str,
        *,
        number: str,
        approved: bool,
        differences: Sequence[str],
        touched: Mapping[str, int | str],
        conn: sa.Connection | None = None,
    ) -> None:
        """What NetSuite shows of it, compared line by line; no difference is []. `touched`: who and when, as known."""
        change = (
            sa.update(payout_journal)
            .where(payout_journal.c.store == self._scope.store, payout_journal.c.natural_key == natural_key)
            .values(
                netsuite_number=number,
                approved=approved,
                differences=list(differences),
                touched=dict(touched),
                read_back_at=sa.func.now(),
            )
        )
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            tx.execute(change)
            body = {"number": number, "approved": approved, "differences": len(differences)}
            body |= {"touched": dict(touched)}
            self._audit.append(tx, "payout.journal_read", f"journal:{natural_key}", body)

    def open_with(
        self,
        items: Sequence[OpeningItem],
        *,
        actor: str,
        reason: str,
        conn: sa.Connection | None = None,
    ) -> None:
        """What a provider held at the cutover: taken over by a person's decision, each line once."""
        if not items:
            return
        rows = [
            {
                "store": self._scope.store,
                "provider": one.provider,
                "account": one.account,
                "line_id": one.line_id,
                "currency": one.currency,
                "category": one.category,
                "gross": one.gross,
                "net": one.net,
                "occurred_at": one.occurred_at,
                "refs": "\n".join(one.refs),
                "row_sha256": one.row_sha256,
                "actor": actor,
                "reason": reason,
            }
            for one in items
        ]
        insert = sa.dialects.postgresql.insert(opening_item).on_conflict_do_nothing()
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            tx.execute(insert, rows)
            body = {"lines": len(rows), "reason": reason, "digest": digest([one.line_id for one in items])}
            subject = f"opening:{items[0].provider}/{items[0].account}"
            self._audit.append(tx, "payout.opening", subject, body, actor=actor)


def runs(numbers: Sequence[int]) -> list[list[int]]:
    """Line numbers as [first, last] runs, both included."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def _member(journal: int, place: int, lines: Sequence[int]) -> dict[str, Any]:
    held = runs(lines)
    return {
        "journal": journal,
        "place": place,
        "lines": held,
        "count": len(lines),
        "digest": digest(sorted(lines)),
    }


def _journal(row: sa.RowMapping) -> Journal:
    return Journal(**{name: row[name] for name in Journal.__dataclass_fields__})
