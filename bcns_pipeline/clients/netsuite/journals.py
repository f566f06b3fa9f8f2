"""Journal entries in NetSuite: created once, found by key, read back with their lines; and what they post to.

Put queries and writes of the ledger here: journals, accounts, periods, what a record carries on an account. Which
journal is due, and whether what came back is right, is the work of the rules. Facts: facts/netsuite.md 2.4, 3.6, 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.journal_rows import (
    AccountRow,
    CarryingRow,
    JournalLine,
    JournalRow,
    PeriodRow,
)
from bcns_pipeline.clients.netsuite.models import Page, Row
from bcns_pipeline.clients.netsuite.reading import (
    TOUCH,
    ZERO,
    Tolerant,
    amount,
    by_pair,
    day,
    id_pieces,
    integer,
    letter,
    marks,
    pieces_of,
    touch,
    touched,
)
from bcns_pipeline.clients.netsuite.records import Records
from bcns_pipeline.clients.netsuite.suiteql import readable
from bcns_pipeline.outcomes import Outcome

JOURNAL: Final = "journalEntry"
_BOOLEANS: Final = {"T": True, "F": False}
_COLUMNS: Final = "id, acctnumber AS number, fullname AS name, accttype AS type, currency, isinactive"


class Journals:
    """The ledger of one account. Thread-safe. Reads raise OutsideError, writes return an Outcome.

    `oneworld` asks for the subsidiary, which other accounts refuse as an unknown column.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._tolerant = Tolerant()

    # --- journals ------------------------------------------------------------------------------------

    def find(self, external_ids: Iterable[str]) -> dict[str, int]:
        """{external id: internal id} of the journals that exist, whatever their state; 500 a call."""
        found = self._records.find_by_external_id("transaction", JOURNAL, list(external_ids))
        return {key: int(number) for key, number in found.items()}

    def by_external_id(self, external_ids: Iterable[str], *, oneworld: bool = False) -> dict[str, JournalRow]:
        """{external id: journal with all of its lines} of those that exist."""
        found: dict[str, JournalRow] = {}
        for some in pieces_of(external_ids):
            for one in self._read(f"t.externalid IN ({marks(some)})", some, oneworld=oneworld):
                found[one.external_id] = one
        return found

    def by_id(self, ids: Iterable[int], *, oneworld: bool = False) -> dict[int, JournalRow]:
        """{internal id: journal with all of its lines} of those that exist, 1,000 lines a call."""
        found: dict[int, JournalRow] = {}
        for some in id_pieces(ids):
            found |= {one.id: one for one in self._read(f"t.id IN ({some})", (), oneworld=oneworld)}
        return found

    def create(self, body: Mapping[str, Any]) -> Outcome:
        """A new journal entry; see `Records.create`. Its fields go in alphabetical order, so that equal bodies are
        equal bytes."""
        return self._records.create(JOURNAL, in_order(body))

    # --- what they post to ---------------------------------------------------------------------------

    def accounts(self, ids: Iterable[int] = (), *, numbers: Iterable[str] = ()) -> dict[int, AccountRow]:
        """{internal id: account} of those that exist, by internal id and by number, inactive ones included."""
        found: dict[int, AccountRow] = {}
        wanted: list[tuple[str, list[str]]] = [(f"id IN ({some})", []) for some in id_pieces(ids)]
        wanted += [(f"acctnumber IN ({marks(some)})", some) for some in pieces_of(numbers)]
        for where, params in wanted:
            text = f"SELECT {_COLUMNS} FROM account WHERE {where} ORDER BY id ASC"
            for page in self._records.query.all(text, params):
                with readable():
                    found.update((int(row["id"]), _account(row)) for row in page.rows)
        return found

    def periods(self, start: date, end: date) -> list[PeriodRow]:
        """Posting periods that touch these days, oldest first; none is left out for being closed."""
        days = [start.isoformat(), end.isoformat()]
        found: list[PeriodRow] = []
        for page in self._records.query.all(sql.text("periods"), days):
            with readable():
                found += [_period(row) for row in page.rows]
        return found

    def carrying(self, transactions: Iterable[int], accounts: Iterable[int]) -> list[CarryingRow]:
        """What each of these records carries on each of these accounts, 500 records a call."""
        numbers = sql.numbers(sorted(set(accounts)))
        found: dict[tuple[int, int], CarryingRow] = {}
        for some in id_pieces(transactions):
            for page in self._records.query.all(sql.fill("carrying", ids=some, accounts=numbers)):
                with readable():
                    for row in page.rows:
                        one = CarryingRow(
                            int(row["transaction"]),
                            int(row["account"]),
                            amount(row, "base") or ZERO,
                            amount(row, "foreign_amount") or ZERO,
                        )
                        # The first of several accounting books is the primary one.
                        found.setdefault((one.transaction, one.account), one)
        return list(found.values())

    # --- the same for all ----------------------------------------------------------------------------

    def _read(self, where: str, params: Iterable[str], *, oneworld: bool) -> Iterator[JournalRow]:
        subsidiary = "t.subsidiary, " if oneworld else ""
        bound = list(params)

        def pages(lacks: frozenset[str]) -> Iterator[Page]:
            text = sql.fill("journals", subsidiary=subsidiary, who=touch(lacks), where=where)
            return by_bound_pair(self._records, text, bound)

        header: JournalRow | None = None
        lines: list[JournalLine] = []
        for row in _rows(self._tolerant.pages(pages, TOUCH)):
            with readable():
                one, line = _header(row), _line(row)
            if header is not None and header.id != one.id:
                yield replace(header, lines=tuple(lines))
                lines = []
            header = one
            lines.append(line)
        if header is not None:
            yield replace(header, lines=tuple(lines))


def by_bound_pair(records: Records, text: str, bound: list[str]) -> Iterator[Page]:
    """As `by_pair` by journal and line, for a query with values of its own in front."""

    def key(row: Row) -> tuple[int, ...]:
        return int(row["id"]), int(row["line_id"])

    if not bound:
        return by_pair(records.query, text, "id", "line_id")
    return records.query.keyset(text, (0, -1), lambda after: [*bound, after[0], after[0], after[1]], key)


def in_order(value: Any) -> Any:
    """The same JSON value with the fields of every object in alphabetical order."""
    if isinstance(value, Mapping):
        return {name: in_order(value[name]) for name in sorted(value)}
    return [in_order(one) for one in value] if isinstance(value, (list, tuple)) else value


def _rows(pages: Iterator[Page]) -> Iterator[Row]:
    """Every row once: an account with several accounting books has one for each of them."""
    before = ("", "")
    for page in pages:
        for row in page.rows:
            here = (row.get("id", ""), row.get("line_id", ""))
            if here != before:
                yield row
            before = here


def _header(row: Row) -> JournalRow:
    return JournalRow(
        id=int(row["id"]),
        external_id=row.get("external_id", ""),
        tran_id=row.get("tran_id", ""),
        status=letter(row),
        posting=_BOOLEANS.get(row.get("posting", "F"), False),
        tran_date=day(row, "tran_date"),
        subsidiary=integer(row, "subsidiary"),
        currency=integer(row, "currency"),
        exchange_rate=amount(row, "exchange_rate"),
        memo=row.get("memo", ""),
        touched=touched(row),
    )


def _line(row: Row) -> JournalLine:
    debit, credit = amount(row, "debit"), amount(row, "credit")
    base: Decimal | None = None if debit is None and credit is None else (debit or ZERO) - (credit or ZERO)
    foreign = amount(row, "amount")
    return JournalLine(
        journal=int(row["id"]),
        line=int(row["line_id"]),
        sequence=integer(row, "line_number") or 0,
        account=int(row["account"]),
        amount=foreign if foreign is not None else base or ZERO,
        base=base,
        memo=row.get("line_memo", ""),
        entity=integer(row, "line_entity"),
    )


def _account(row: Row) -> AccountRow:
    return AccountRow(
        id=int(row["id"]),
        number=row.get("number", ""),
        name=row.get("name", ""),
        type=row.get("type", ""),
        currency=integer(row, "currency"),
        inactive=row.get("isinactive") == "T",
    )


def _period(row: Row) -> PeriodRow:
    return PeriodRow(
        id=int(row["id"]),
        name=row.get("name", ""),
        start=date.fromisoformat(row["start_date"]),
        end=date.fromisoformat(row["end_date"]),
        closed=row.get("closed") == "T",
        locked=row.get("locked") == "T",
    )
