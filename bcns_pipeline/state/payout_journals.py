"""Journal entries of payouts: planned, sent, read back, taken back. Never changed once they were sent.

Put the transitions of `payout_journal` and `payout_member` here. Do not put what an entry consists of here: the
rules say that. Each transition has an audit row in its transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.audit import Audit, lock_chain
from bcns_pipeline.state.payout_models import Journal
from bcns_pipeline.state.payout_views import PayoutViews
from bcns_pipeline.state.scope import Scope, digest
from bcns_pipeline.state.tables_payouts import payout, payout_journal, payout_member


class PayoutJournals(PayoutViews):
    """The journal entries of one store's payouts."""

    def __init__(self, scope: Scope, audit: Audit) -> None:
        super().__init__(scope)
        self._audit = audit

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
            "entry": list(journal.entry),
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
        conn: sa.Connection | None = None,
    ) -> None:
        """What NetSuite shows of it, compared line by line; no difference is []."""
        change = (
            sa.update(payout_journal)
            .where(payout_journal.c.store == self._scope.store, payout_journal.c.natural_key == natural_key)
            .values(
                netsuite_number=number,
                approved=approved,
                differences=list(differences),
                read_back_at=sa.func.now(),
            )
        )
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            tx.execute(change)
            body = {"number": number, "approved": approved, "differences": len(differences)}
            self._audit.append(tx, "payout.journal_read", f"journal:{natural_key}", body)


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
