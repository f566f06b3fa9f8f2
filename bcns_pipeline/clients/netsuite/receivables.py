"""Receipts, invoices and what settles what in NetSuite: found by key and by order, created once, read back.

Put queries and writes of deposits, payments, invoices, applications and credit memos here. Which of them is due, and
whether what came back is right, is the work of the rules. Facts: facts/netsuite.md 2.4, 3.5, 3.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.models import MoneyRow, Row
from bcns_pipeline.clients.netsuite.reading import (
    ZERO,
    amount,
    by_id,
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

# What is made from a sales order and says how far it is billed and shipped.
_OF_ORDERS: Final = "t.type IN ('CustInvc', 'ItemShip') AND ml.createdfrom IN"


class Receivables:
    """The receivables of one account. Thread-safe. Reads raise OutsideError, writes return an Outcome."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def find(self, external_ids: Sequence[str]) -> dict[str, str]:
        """{external id: internal id} of those that exist, of any type; 500 a call."""
        return self._records.find_by_external_id("transaction", None, external_ids)

    def of(self, external_ids: Iterable[str], order_ids: Iterable[int]) -> list[MoneyRow]:
        """Everything with one of these keys, and every invoice and fulfilment of these sales orders (internal ids).

        Both together in one call for up to 500 of each.
        """
        found: dict[int, MoneyRow] = {}
        for keys, orders in zip_longest(pieces_of(external_ids), id_pieces(order_ids)):
            wanted = [f"t.externalid IN ({marks(keys)})"] if keys else []
            wanted += [f"({_OF_ORDERS} ({orders}))"] if orders else []
            found |= {one.id: one for one in self._rows(f"({' OR '.join(wanted)})", keys or ())}
        return list(found.values())

    def by_id(self, ids: Iterable[int]) -> dict[int, MoneyRow]:
        """{internal id: record} of those that exist, 500 a call."""
        found: dict[int, MoneyRow] = {}
        for some in id_pieces(ids):
            found |= {one.id: one for one in self._rows(f"t.id IN ({some})", ())}
        return found

    def by_prefix(self, prefix: str, since: str) -> Iterator[MoneyRow]:
        """Every record whose external id starts with `prefix`, dated since that day (YYYY-MM-DD), 1,000 a call."""
        where = "t.externalid LIKE ? AND t.trandate >= TO_DATE(?, 'YYYY-MM-DD')"
        for one in self._rows(where, [f"{prefix}%", since]):
            # The underscore is a wildcard of LIKE, and store hashes may hold one.
            if one.external_id.startswith(prefix):
                yield one

    def moved(self, prefix: str, since: str) -> dict[int, tuple[str, str]]:
        """{sales order: (changed at, status)} of those that changed since then and can be billed or are over.

        Times are NetSuite's own.
        """
        found = {}
        for page in by_id(self._records.query, sql.text("sales_moved"), [since, f"{prefix}%"]):
            with readable():
                for row in page.rows:
                    if row.get("external_id", "").startswith(prefix):
                        found[int(row["id"])] = (row["modified_at"], letter(row))
        return found

    def create(self, record_type: str, body: Mapping[str, Any]) -> Outcome:
        """A new customerDeposit, customerPayment or creditMemo; see `Records.create`."""
        return self._records.create(record_type, body)

    def transform(self, record_type: str, number: int, target: str, body: Mapping[str, Any]) -> Outcome:
        """Make a `target` (invoice, depositApplication) of a record; see `Records.transform`."""
        return self._records.transform(record_type, number, target, body)

    def _rows(self, where: str, params: Sequence[str | int]) -> Iterator[MoneyRow]:
        before = 0
        for page in by_id(self._records.query, sql.fill("money", where=where), params):
            with readable():
                for row in page.rows:
                    one = _row(row)
                    # An account with several accounting books has a line for each; the first is the primary one.
                    if one.id != before:
                        yield one
                    before = one.id


def _row(row: Row) -> MoneyRow:
    return MoneyRow(
        id=int(row["id"]),
        external_id=row.get("external_id", ""),
        tran_id=row.get("tran_id", ""),
        type=row.get("type", ""),
        status=letter(row),
        entity=integer(row, "entity"),
        currency=integer(row, "currency"),
        # A credit memo's header is below 0 in SuiteQL (facts/netsuite.md 2.4).
        total=abs(amount(row, "foreign_total") or ZERO),
        unpaid=abs(amount(row, "unpaid") or ZERO),
        unused=abs(amount(row, "unused") or ZERO),
        tran_date=day(row, "tran_date"),
        created_from=integer(row, "created_from"),
        account=integer(row, "account"),
    )
