"""What NetSuite's ledger has on an account as of a day, whoever booked it, and what of it has no key of ours.

Put reads of balances here. Do not put what follows from them here (rules/close). Nothing personal is read: no memo, no
name; who wrote a record is an internal id. Facts: facts/netsuite.md 2.4
(accounting lines with `posting`, one row for each accounting book).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.journal_rows import BalanceRow, RecordRow
from bcns_pipeline.clients.netsuite.models import Page, Row
from bcns_pipeline.clients.netsuite.reading import TOUCH, ZERO, Tolerant, amount, integer, touch, touched
from bcns_pipeline.clients.netsuite.records import Records
from bcns_pipeline.clients.netsuite.suiteql import readable

# How the keys of entries about providers begin (rules/natural_keys.py).
_OF_PROVIDERS: Final = "psp-%"


class ClearingAccounts:
    """Balances of one account's ledger. Thread-safe. Reads raise OutsideError.

    `oneworld` asks for the subsidiary, which other accounts refuse as an unknown column.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._tolerant = Tolerant()

    def balances(
        self, accounts: Iterable[int], as_of: date, store: str, *, oneworld: bool = False
    ) -> list[BalanceRow]:
        """One row per account, currency, subsidiary, type of record and whether it posts; one call.

        Only the primary book counts. What this store's refunds did is told by their keys (rules/natural_keys.py).
        """
        of = "t.subsidiary, " if oneworld else ""
        text = sql.fill(
            "clearing_balances",
            accounts=sql.numbers(sorted(set(accounts))),
            subsidiary=of,
            ordered="t.subsidiary ASC, " if oneworld else "",
        )
        found: dict[tuple[int, int | None, int | None, str, bool], BalanceRow] = {}
        refunds = f"bc-{store}-refund-%"
        for page in self._records.query.all(text, [refunds, refunds, as_of.isoformat()]):
            with readable():
                for row in page.rows:
                    one = BalanceRow(
                        *_where(row),
                        lines=int(row["line_count"]),
                        type=row["type"],
                        back_base=amount(row, "back_base") or ZERO,
                        back_foreign=amount(row, "back_foreign") or ZERO,
                    )
                    # The first of several accounting books is the primary one.
                    found.setdefault((one.account, one.currency, one.subsidiary, one.type, one.posting), one)
        return list(found.values())

    def others(
        self, accounts: Iterable[int], as_of: date, store: str, *, oneworld: bool = False
    ) -> list[RecordRow]:
        """What stands there without an external id of this store's or of a provider's; 1,000 a call."""
        whose = "(t.externalid IS NULL OR (t.externalid NOT LIKE ? AND t.externalid NOT LIKE ?))"
        return self._records_of(whose, accounts, as_of, store, oneworld=oneworld)

    def keyed(
        self, accounts: Iterable[int], as_of: date, store: str, *, oneworld: bool = False
    ) -> list[RecordRow]:
        """What stands there with such an external id; 1,000 a call."""
        whose = "(t.externalid LIKE ? OR t.externalid LIKE ?)"
        return self._records_of(whose, accounts, as_of, store, oneworld=oneworld)

    def _records_of(
        self, whose: str, accounts: Iterable[int], as_of: date, store: str, *, oneworld: bool
    ) -> list[RecordRow]:
        wanted = sql.numbers(sorted(set(accounts)))
        bound = [as_of.isoformat(), f"bc-{store}-%", _OF_PROVIDERS]

        def pages(lacks: frozenset[str]) -> Iterator[Page]:
            text = sql.fill(
                "clearing_records",
                accounts=wanted,
                subsidiary="t.subsidiary, " if oneworld else "",
                who=touch(lacks, "MAX({})"),
                whose=whose,
            )
            return self._records.query.keyset(
                text,
                (0, -1),
                lambda after: [*bound, after[0], after[0], after[1]],
                lambda row: (int(row["id"]), int(row["account"])),
            )

        found: dict[tuple[int, int], RecordRow] = {}
        for page in self._tolerant.pages(pages, TOUCH):
            with readable():
                for row in page.rows:
                    one = RecordRow(
                        *_where(row),
                        int(row["id"]),
                        row.get("tran_id", ""),
                        row.get("type", ""),
                        date.fromisoformat(row["tran_date"]),
                        touched(row),
                    )
                    found.setdefault((one.id, one.account), one)
        return list(found.values())


def _where(row: Row) -> tuple[int, int | None, int | None, bool, Decimal, Decimal]:
    return (
        int(row["account"]),
        integer(row, "currency"),
        integer(row, "subsidiary"),
        row.get("posting") == "T",
        amount(row, "base") or ZERO,
        amount(row, "foreign_amount") or ZERO,
    )
