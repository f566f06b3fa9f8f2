"""Payouts as they stand: one, many, their lines and their documents.

Put reads here. Do not put transitions here (`payouts.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.rules.payouts.model import Itemisation, LineClass, Payout, PayoutLine, PayoutStatus
from bcns_pipeline.state.payout_models import PayoutState, Received, Status
from bcns_pipeline.state.payout_sql import ELSEWHERE, RECORDS, SUMMARISED, SUMS
from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.tables_cash import tender
from bcns_pipeline.state.tables_payouts import (
    opening_item,
    payout,
    payout_document,
    payout_line,
    settlement_document,
)

_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A line of a payout with its link. `number` is its place in the provider's order, `step` of the ladder."""

    number: int
    line: PayoutLine
    step: str | None
    journal_key: str | None
    carrying: int | None


@dataclass(slots=True)
class Sums:
    """Of a payout's newest version: lines, those whose net is not gross - fee, ids that come twice, net by currency."""

    lines: int = 0
    off: int = 0
    twice: int = 0
    net: dict[str, int] = field(default_factory=dict)


class PayoutViews:
    """Reads over the payouts of one store."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    # --- payouts -------------------------------------------------------------------------------------

    def find(
        self, provider: str, account: str, payout_id: str, *, conn: sa.Connection | None = None
    ) -> PayoutState | None:
        """The payout of that name, or None."""
        wanted = (
            payout.c.provider == provider, payout.c.account == account, payout.c.payout_id == payout_id
        )  # fmt: skip
        found = self._payouts(*wanted, conn=conn)
        return found[0] if found else None

    def named(self, payout_id: str, *, conn: sa.Connection | None = None) -> list[PayoutState]:
        """Payouts with this id, whoever made them."""
        return self._payouts(payout.c.payout_id == payout_id, conn=conn)

    def many(self, ids: Collection[int], *, conn: sa.Connection | None = None) -> dict[int, PayoutState]:
        """Payouts by our own number."""
        wanted = payout.c.id == sa.any_(sa.cast(sorted(set(ids)), sa.ARRAY(sa.BigInteger)))
        return {one.id: one for one in self._payouts(wanted, conn=conn)} if ids else {}

    def on_line(self, account: str, line_id: str, *, conn: sa.Connection | None = None) -> list[PayoutState]:
        """Payouts that the bank paid by this line, which may be several together."""
        return self._payouts(payout.c.bank_account == account, payout.c.bank_line == line_id, conn=conn)

    def having(
        self,
        statuses: Collection[Status] = (),
        *,
        since: date | None = None,
        until: date | None = None,
        conn: sa.Connection | None = None,
    ) -> list[PayoutState]:
        """Payouts of these statuses (any, without) that arrive on `since` or later and before `until`, in order."""
        wanted: list[Any] = []
        if statuses:
            wanted.append(payout.c.status.in_(sorted(statuses)))
        if since is not None:
            wanted.append(payout.c.arrival_date >= since)
        if until is not None:
            wanted.append(payout.c.arrival_date < until)
        return self._payouts(*wanted, conn=conn)

    def unread(self, *, conn: sa.Connection | None = None) -> list[PayoutState]:
        """Payouts of which nobody has read yet what they are made of."""
        return self._payouts(payout.c.version == 0, payout.c.status == "new", conn=conn)

    # --- lines ---------------------------------------------------------------------------------------

    def lines(
        self, state: PayoutState, version: int | None = None, *, conn: sa.Connection | None = None
    ) -> list[StoredLine]:
        """The lines of a payout, of its newest version by default, in the provider's order."""
        query = (
            sa.select(payout_line)
            .where(payout_line.c.payout == state.id)
            .where(payout_line.c.version == (state.version if version is None else version))
            .order_by(payout_line.c.line)
        )
        with self._scope.transaction(conn) as tx:
            return [_stored(row) for row in tx.execute(query).yield_per(_AT_ONCE)]

    def of_order(
        self, order_id: int, *, conn: sa.Connection | None = None
    ) -> list[tuple[PayoutState, StoredLine]]:
        """The lines of the newest versions that are linked to an order, with their payouts."""
        return self._with_payouts(payout_line.c.order_id == order_id, conn)

    def of_reference(
        self, reference: str, *, conn: sa.Connection | None = None
    ) -> list[tuple[PayoutState, StoredLine]]:
        """The lines whose id this is, in the newest versions, with their payouts."""
        return self._with_payouts(payout_line.c.line_id == reference, conn)

    def of_classes(
        self, classes: Collection[str], *, conn: sa.Connection | None = None
    ) -> list[tuple[PayoutState, StoredLine]]:
        """The lines of these classes in the newest versions, with their payouts."""
        return self._with_payouts(payout_line.c.cls.in_(sorted(classes)), conn)

    def settled_records(
        self, state: PayoutState, *, conn: sa.Connection | None = None
    ) -> dict[int, str | None]:
        """{line: NetSuite's id of the capture or refund that it settles}, None where none is known."""
        values = {"payout": state.id, "version": state.version, "store": self._scope.store}
        with self._scope.transaction(conn) as tx:
            return {row.line: row.netsuite_id for row in tx.execute(RECORDS, values)}

    def summarised(self, orders: Collection[int], *, conn: sa.Connection | None = None) -> set[int]:
        """Of these orders, those whose revenue a live entry of a payout has posted."""
        values = {"orders": sorted(set(orders)), "store": self._scope.store}
        with self._scope.transaction(conn) as tx:
            return set(tx.execute(SUMMARISED, values).scalars()) if orders else set()

    def elsewhere(self, state: PayoutState, *, conn: sa.Connection | None = None) -> list[tuple[str, str]]:
        """(line id, payout id) of lines of this payout that another payout of the account has as well (FI9)."""
        values = {"payout": state.id, "version": state.version}
        with self._scope.transaction(conn) as tx:
            return [(row.line_id, row.payout_id) for row in tx.execute(ELSEWHERE, values)]

    def opened(
        self, state: PayoutState, line_ids: Sequence[str], *, conn: sa.Connection | None = None
    ) -> list[str]:
        """Of these lines of a payout's account, those that the opening balance has."""
        query = sa.select(opening_item.c.line_id).where(
            opening_item.c.store == self._scope.store,
            opening_item.c.provider == state.provider,
            opening_item.c.account == state.account,
            opening_item.c.line_id == sa.any_(sa.cast(list(line_ids), sa.ARRAY(sa.Text))),
        )
        with self._scope.transaction(conn) as tx:
            return list(tx.execute(query).scalars())

    def taken(
        self, state: PayoutState, transactions: Collection[int], *, conn: sa.Connection | None = None
    ) -> set[int]:
        """Of these BigCommerce transactions, those that lines of other payouts are linked to."""
        query = sa.select(payout_line.c.transaction_id).where(
            payout_line.c.payout != state.id,
            payout_line.c.transaction_id
            == sa.any_(sa.cast(sorted(set(transactions)), sa.ARRAY(sa.BigInteger))),
        )
        with self._scope.transaction(conn) as tx:
            return set(tx.execute(query).scalars()) if transactions else set()

    def descriptors(self, *, conn: sa.Connection | None = None) -> list[str]:
        """The texts by which payouts are shown on bank statements, as their providers say."""
        text = payout.c.details["descriptor"].astext
        query = sa.select(text).distinct().where(payout.c.store == self._scope.store, text != "")
        with self._scope.transaction(conn) as tx:
            return sorted(tx.execute(query).scalars())

    def orders_near(
        self, amounts: Collection[int], since: datetime, until: datetime, *, conn: sa.Connection | None = None
    ) -> list[int]:
        """Orders with a transaction of one of these amounts (minor units) in that time."""
        query = (
            sa.select(tender.c.order_id)
            .distinct()
            .where(
                tender.c.store == self._scope.store,
                tender.c.happened_at.between(since, until),
                tender.c.amount_minor == sa.any_(sa.cast(sorted(amounts), sa.ARRAY(sa.BigInteger))),
            )
            .order_by(tender.c.order_id)
        )
        with self._scope.transaction(conn) as tx:
            return list(tx.execute(query).scalars())

    def came_back(self, state: PayoutState, *, conn: sa.Connection | None = None) -> bool:
        """Whether a later payout of the account has a line that brings this one's money back."""
        query = (
            sa.select(payout_line.c.line)
            .join(
                payout,
                sa.and_(payout.c.id == payout_line.c.payout, payout.c.version == payout_line.c.version),
            )
            .where(
                payout.c.store == self._scope.store,
                payout.c.provider == state.provider,
                payout.c.account == state.account,
                payout.c.id != state.id,
                payout_line.c.cls == "payout_returned",
                payout_line.c.currency == state.currency,
                payout_line.c.gross == state.amount_minor,
            )
            .limit(1)
        )
        with self._scope.transaction(conn) as tx:
            return tx.execute(query).first() is not None

    def sums(self, ids: Collection[int], *, conn: sa.Connection | None = None) -> dict[int, Sums]:
        """What the lines of these payouts come to, computed by the database: for whoever proves them."""
        with self._scope.transaction(conn) as tx:
            rows = tx.execute(SUMS, {"ids": sorted(ids)}).all()
        found: dict[int, Sums] = {}
        for row in rows:
            one = found.setdefault(row.payout, Sums())
            one.lines += row.lines
            one.off += row.off
            one.twice += row.lines - row.distinct_lines
            one.net[row.currency] = int(row.net)
        return found

    def reads(self, state: PayoutState, *, conn: sa.Connection | None = None, details: bool = True) -> Payout:
        """The payout with its lines, as the rules take it."""
        lines = tuple(one.line for one in self.lines(state, conn=conn)) if details else ()
        sources = tuple(one.sha256 for one in self.documents(state, conn=conn))
        return payout_of(state, lines, sources)

    # --- documents -----------------------------------------------------------------------------------

    def documents(
        self,
        state: PayoutState,
        version: int | None = None,
        *,
        role: str = "lines",
        conn: sa.Connection | None = None,
    ) -> list[Received]:
        """What a version of a payout was read from, in order; role `list`: what said that it is."""
        wanted = 0 if role == "list" else state.version if version is None else version
        query = (
            sa.select(
                payout_document.c.sha256, payout_document.c.document_id, settlement_document.c.origin,
                settlement_document.c.name, settlement_document.c.fetched_at, settlement_document.c.fate,
            )
            .join(
                settlement_document,
                sa.and_(
                    settlement_document.c.sha256 == payout_document.c.sha256,
                    settlement_document.c.store == self._scope.store,
                ),
            )
            .where(
                payout_document.c.payout == state.id,
                payout_document.c.version == wanted,
                payout_document.c.role == role,
            )
            .order_by(payout_document.c.place)
        )  # fmt: skip
        with self._scope.transaction(conn) as tx:
            return [Received(**row) for row in tx.execute(query).mappings()]

    # --- the same for all ----------------------------------------------------------------------------

    def _payouts(self, *wanted: Any, conn: sa.Connection | None) -> list[PayoutState]:
        query = (
            sa.select(payout)
            .where(payout.c.store == self._scope.store, *wanted)
            .order_by(payout.c.arrival_date, payout.c.id)
        )
        with self._scope.transaction(conn) as tx:
            return [payout_state(row) for row in tx.execute(query).mappings()]

    def _with_payouts(self, wanted: Any, conn: sa.Connection | None) -> list[tuple[PayoutState, StoredLine]]:
        query = (
            sa.select(payout_line)
            .join(
                payout,
                sa.and_(payout.c.id == payout_line.c.payout, payout.c.version == payout_line.c.version),
            )
            .where(payout.c.store == self._scope.store, wanted)
            .order_by(payout_line.c.payout, payout_line.c.line)
        )
        with self._scope.transaction(conn) as tx:
            rows = tx.execute(query).all()
            states = self.many({row.payout for row in rows}, conn=tx)
        return [(states[row.payout], _stored(row)) for row in rows]


def payout_of(state: PayoutState, lines: Sequence[PayoutLine], sources: Sequence[str] = ()) -> Payout:
    """A payout as the rules take it."""
    details: Mapping[str, Any] = state.details
    failed = details.get("failed_on")
    return Payout(
        provider=state.provider,
        account=state.account,
        id=state.payout_id,
        currency=state.currency,
        amount=state.amount_minor,
        status=PayoutStatus(state.source_status),
        arrival_date=state.arrival_date,
        lines=tuple(lines),
        itemisation=Itemisation(state.itemisation),
        created_at=state.created_at,
        automatic=bool(details.get("automatic", True)),
        instant=bool(details.get("instant", False)),
        fee=int(details.get("fee", 0)),
        failed_on=None if failed is None else date.fromisoformat(failed),
        bank_reference=details.get("bank_reference", ""),
        descriptor=details.get("descriptor", ""),
        related=tuple(details.get("related", ())),
        whole_units_only=bool(details.get("whole_units_only", False)),
        sources=tuple(sources),
    )


def payout_state(row: sa.RowMapping) -> PayoutState:
    """A row of `payout`."""
    return PayoutState(**{name: row[name] for name in PayoutState.__dataclass_fields__})


def _stored(row: Any) -> StoredLine:
    moment: datetime | None = row.occurred_at
    line = PayoutLine(
        id=row.line_id,
        category=row.category,
        gross=row.gross,
        fee=row.fee,
        net=row.net,
        currency=row.currency,
        cls=LineClass(row.cls),
        kind=row.kind,
        fee_tax=row.fee_tax,
        presentment_amount=row.presentment_amount,
        presentment_currency=row.presentment_currency,
        rate=row.rate,
        occurred_at=moment,
        references=_split(row.refs),
        order_hints=_split(row.hints),
        method=row.method,
        order_id=row.order_id,
        transaction_id=row.transaction_id,
        raw_sha256=row.row_sha256,
    )
    return StoredLine(row.line, line, row.step, row.journal_key, row.carrying)


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n")) if text else ()
