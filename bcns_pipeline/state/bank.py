"""Bank lines: what statements showed, and which payout each of them is.

Put the rows of `bank_line` here. Do not decide here what matches: the rules do.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from bcns_pipeline.state.audit import Audit, Entry, lock_chain
from bcns_pipeline.state.payout_models import BankRow
from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.tables_payouts import bank_line, payout


class Bank:
    """The bank lines of one store."""

    def __init__(self, scope: Scope, audit: Audit) -> None:
        self._scope = scope
        self._audit = audit

    def put(self, rows: Sequence[BankRow], *, conn: sa.Connection | None = None) -> int:
        """Remember movements; one that two statements show is one row. Returns how many are new."""
        if not rows:
            return 0
        values = [
            {
                "store": self._scope.store,
                "account": one.account,
                "line_id": one.line_id,
                "currency": one.currency,
                "amount_minor": one.amount_minor,
                "booked_on": one.booked_on,
                "value_date": one.value_date,
                "descriptor": one.descriptor,
                "refs": "\n".join(one.refs),
                "returned": one.returned,
                "row_sha256": one.row_sha256,
                "sha256": one.sha256,
            }
            for one in {(one.account, one.line_id): one for one in rows}.values()
        ]
        insert = sa.dialects.postgresql.insert(bank_line).on_conflict_do_nothing()
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            new = len(tx.execute(insert.returning(bank_line.c.line_id), values).all())
            if new:
                body = {"lines": new, "statements": sorted({one.sha256 for one in rows})}
                self._audit.append(tx, "bank.lines", f"bank:{rows[0].account}", body)
        return new

    def match(
        self, number: int, account: str, line_id: str, how: str, *, conn: sa.Connection | None = None
    ) -> None:
        """This movement is that payout (our number of it)."""
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            matched = (
                sa.update(bank_line)
                .where(
                    bank_line.c.store == self._scope.store,
                    bank_line.c.account == account,
                    bank_line.c.line_id == line_id,
                )
                .values(payout=number, matched_by=how, matched_at=sa.func.now())
            )
            tx.execute(matched)
            tx.execute(
                sa.update(payout)
                .where(payout.c.id == number, payout.c.store == self._scope.store)
                .values(bank_account=account, bank_line=line_id)
            )
            entry = Entry("bank.matched", f"bank:{account}/{line_id}", {"payout": number, "how": how})
            self._audit.append_many(tx, [entry])

    def lines(
        self,
        *,
        since: date | None = None,
        until: date | None = None,
        open_only: bool = False,
        payout_number: int | None = None,
        conn: sa.Connection | None = None,
    ) -> list[BankRow]:
        """Movements booked on `since` or later and before `until`, oldest first; `open_only`: not matched yet."""
        query = sa.select(bank_line).where(bank_line.c.store == self._scope.store)
        if since is not None:
            query = query.where(bank_line.c.booked_on >= since)
        if until is not None:
            query = query.where(bank_line.c.booked_on < until)
        if open_only:
            query = query.where(bank_line.c.payout.is_(None))
        if payout_number is not None:
            # By the payout's own word: a line that pays several of them has the number of one.
            query = query.join(
                payout,
                sa.and_(
                    payout.c.store == bank_line.c.store,
                    payout.c.bank_account == bank_line.c.account,
                    payout.c.bank_line == bank_line.c.line_id,
                ),
            ).where(payout.c.id == payout_number)
        with self._scope.transaction(conn) as tx:
            rows = tx.execute(query.order_by(bank_line.c.booked_on, bank_line.c.line_id)).mappings().all()
        return [
            BankRow(
                **{
                    **{name: row[name] for name in BankRow.__dataclass_fields__ if name != "refs"},
                    "refs": tuple(row["refs"].split("\n")) if row["refs"] else (),
                }
            )
            for row in rows
        ]

    def find(self, line_id: str, *, conn: sa.Connection | None = None) -> list[BankRow]:
        """Movements with this id, whichever account has them."""
        return [one for one in self.lines(conn=conn) if one.line_id == line_id]

    def evidenced(self, *, conn: sa.Connection | None = None) -> dict[str, tuple[date, date]]:
        """{bank account: first and last day of its movements}: where nothing is known, nothing is evidenced."""
        query = (
            sa.select(
                bank_line.c.account,
                sa.func.min(bank_line.c.booked_on),
                sa.func.max(bank_line.c.booked_on),
            )
            .where(bank_line.c.store == self._scope.store)
            .group_by(bank_line.c.account)
        )
        with self._scope.transaction(conn) as tx:
            return {account: (first, last) for account, first, last in tx.execute(query)}
