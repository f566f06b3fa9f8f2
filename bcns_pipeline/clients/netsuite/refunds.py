"""Credit memos, cash refunds, customer refunds and their journals: found by key, created, read back with what is open.

Put queries and writes of refunds here, many in one call where NetSuite allows it. What belongs on a record, and whether
what came back is right, is the work of the rules. Facts: facts/netsuite.md 2.4, 3.2, 3.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.models import LedgerRow, RefundRow, Row
from bcns_pipeline.clients.netsuite.reading import (
    ZERO,
    amount,
    by_id,
    by_pair,
    day,
    id_pieces,
    integer,
    letter,
    marks,
    pieces_of,
)
from bcns_pipeline.clients.netsuite.records import Records
from bcns_pipeline.clients.netsuite.suiteql import readable
from bcns_pipeline.outcomes import Outcome


class Refunds:
    """Refunds of one account. Thread-safe. Reads raise OutsideError, writes return an Outcome.

    `oneworld` asks for the subsidiary, which other accounts refuse as an unknown column.
    """

    def __init__(self, records: Records) -> None:
        self._records = records

    def by_key(self, external_ids: Iterable[str], *, oneworld: bool = False) -> dict[str, RefundRow]:
        """{external id: record} of those that exist, of any type, 500 a call."""
        found: dict[str, RefundRow] = {}
        for some in pieces_of(external_ids):
            rows = self._rows(f"t.externalid IN ({marks(some)})", some, oneworld=oneworld)
            found.update((row.external_id, row) for row in rows)
        return found

    def by_id(self, ids: Iterable[int], *, oneworld: bool = False) -> dict[int, RefundRow]:
        """{internal id: record} of those that exist, 500 a call: the orders and sales that refunds are of, as well."""
        found: dict[int, RefundRow] = {}
        for some in id_pieces(ids):
            found.update((row.id, row) for row in self._rows(f"t.id IN ({some})", (), oneworld=oneworld))
        return found

    def ledger(self, ids: Iterable[int]) -> list[LedgerRow]:
        """What these records post, line by line, in their own currency: debits above 0, credits below."""
        found: list[LedgerRow] = []
        for some in id_pieces(ids):
            text = sql.fill("refund_ledger", ids=some)
            for page in by_pair(self._records.query, text, "transaction", "line_id"):
                with readable():
                    found += [_posting(row) for row in page.rows]
        return found

    def create(self, record_type: str, body: Mapping[str, Any]) -> Outcome:
        """A new creditMemo, cashRefund, customerRefund or journalEntry; see `Records.create`."""
        return self._records.create(record_type, body)

    def cut(self, order: int, body: Mapping[str, Any]) -> Outcome:
        """Close lines of a sales order, or take amounts off them: lines carry their `line`, so none is added."""
        return self._records.patch("salesOrder", str(order), body)

    def _rows(self, where: str, params: Sequence[str | int], *, oneworld: bool) -> list[RefundRow]:
        text = sql.fill("refund_records", subsidiary="t.subsidiary, " if oneworld else "", where=where)
        found: list[RefundRow] = []
        for page in by_id(self._records.query, text, params):
            with readable():
                found += [_row(row) for row in page.rows]
        return found


def _row(row: Row) -> RefundRow:
    return RefundRow(
        id=int(row["id"]),
        external_id=row.get("external_id", ""),
        tran_id=row.get("tran_id", ""),
        record_type=row.get("record_type", "").lower(),
        status=letter(row),
        entity=integer(row, "entity"),
        subsidiary=integer(row, "subsidiary"),
        currency=integer(row, "currency"),
        rate=amount(row, "exchange_rate"),
        # Credits and refunds are below 0 in SuiteQL (facts/netsuite.md 2.4).
        total=abs(amount(row, "foreign_total") or ZERO),
        unused=abs(amount(row, "unused") or ZERO),
        tran_date=day(row, "tran_date"),
    )


def _posting(row: Row) -> LedgerRow:
    foreign = abs(amount(row, "amount") or ZERO)
    debit, credit = amount(row, "debit") or ZERO, amount(row, "credit") or ZERO
    return LedgerRow(
        transaction=int(row["transaction"]),
        line=int(row["line_id"]),
        account=int(row["account"]),
        amount=foreign if debit > credit else -foreign,
    )
