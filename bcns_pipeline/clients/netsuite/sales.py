"""Sales orders and cash sales in NetSuite: found by key, read back with lines and totals, created and patched.

Put queries and writes of sales transactions here. What belongs on an order, and whether what came back is
right, is the work of the rules. Facts: facts/netsuite.md 2.4, 3.2, 3.3, 3.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, Literal

from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.models import Page, Row, SalesLine, SalesMatch, SalesRow, SalesTotals
from bcns_pipeline.clients.netsuite.reading import (
    ZERO,
    Tolerant,
    amount,
    by_id,
    by_pair,
    columns,
    day,
    id_pieces,
    integer,
    letter,
    marks,
    pieces_of,
    rate,
)
from bcns_pipeline.clients.netsuite.records import Records
from bcns_pipeline.clients.netsuite.suiteql import readable
from bcns_pipeline.outcomes import Outcome

# What another connector may have made of an order: not payments, fulfilments or refunds of it.
ORDER_TYPES: Final = ("SalesOrd", "CashSale", "CustInvc")
_SINCE: Final = "TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS')"
_LINE_DATE: Final = "linelastmodifieddate"
# An account with one currency need not have the column: which ones exist depends on features (facts/netsuite.md 2.2).
_CURRENCY: Final = {"currency": "t.currency"}
_SUBSIDIARY: Final = {"subsidiary": "t.subsidiary"}
_SHIP_ITEM: Final = "shipitem"
# SuiteTax's rows, joined by scripts of others on transaction and line; the help does not describe the table.
TAX_ROWS: Final = "transactiontaxdetail"
TAX_COLUMNS: Final = ("transaction", "line", "taxcode", "taxamount")
_TAX_NAMES: Final = (TAX_ROWS, *TAX_COLUMNS)


class Sales:
    """Sales transactions of one account. Thread-safe. Reads raise OutsideError, writes return an Outcome.

    `oneworld` asks for the subsidiary, which other accounts refuse as an unknown column.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._tolerant = Tolerant()

    # --- finding -------------------------------------------------------------------------------------

    def by_external_id(self, external_ids: Iterable[str], *, oneworld: bool = False) -> dict[str, SalesRow]:
        """{external id: header} of those that exist, 500 a call; of any type, as all share one namespace."""
        found: dict[str, SalesRow] = {}
        for some in pieces_of(external_ids):
            rows = self._headers(f"t.externalid IN ({marks(some)})", some, oneworld=oneworld)
            found.update((row.external_id, row) for page in rows for row in page)
        return found

    def by_id(self, ids: Iterable[int], *, oneworld: bool = False) -> dict[int, SalesRow]:
        """{internal id: header} of those that exist, 500 a call."""
        found: dict[int, SalesRow] = {}
        for some in id_pieces(ids):
            pages = self._headers(f"t.id IN ({some})", (), oneworld=oneworld)
            found.update((row.id, row) for page in pages for row in page)
        return found

    def changed(
        self,
        since: str,
        *,
        prefix: str = "",
        start_after: int = 0,
        oneworld: bool = False,
    ) -> Iterator[list[SalesRow]]:
        """Sales orders that changed since `since` (NetSuite's clock), header or line, by ascending id.

        `prefix` keeps those whose external id starts with it. Each row says how many of its lines are closed:
        one more call per page.
        """

        def pages(lacks: frozenset[str]) -> Iterator[Page]:
            where, params = f"t.type = 'SalesOrd' AND t.lastmodifieddate >= {_SINCE}", [since]
            if _LINE_DATE not in lacks:
                # A change of a line may leave the header's date as it was (facts/netsuite.md 2.3).
                where = (
                    f"t.type = 'SalesOrd' AND (t.lastmodifieddate >= {_SINCE} OR t.id IN (SELECT l.transaction "
                    f"FROM transactionline l WHERE l.{_LINE_DATE} >= {_SINCE}))"
                )
                params = [since, since]
            if prefix:
                where, params = f"{where} AND t.externalid LIKE ?", [*params, f"{prefix}%"]
            return by_id(self._records.query, _text(where, oneworld, lacks), params, start_after)

        for page in self._tolerant.pages(pages, [_LINE_DATE, *_CURRENCY]):
            # The underscore is a wildcard of LIKE, and store hashes may hold one.
            rows = [row for row in _rows(page) if row.external_id.startswith(prefix)]
            closed = self._closed([row.id for row in rows])
            yield [replace(row, closed_lines=closed.get(row.id, 0)) for row in rows]

    def legacy(
        self,
        *,
        other_ref_nums: Iterable[str] = (),
        external_ids: Iterable[str] = (),
        custom: tuple[str, Iterable[str]] | None = None,
        types: Sequence[str] = ORDER_TYPES,
        oneworld: bool = False,
    ) -> list[SalesMatch]:
        """Transactions that carry an order's number in one of these places, for adoption; 500 values a call.

        `custom` is (name of a body field, values). `otherRefNum` is no key: expect several matches per value,
        and other people's purchase orders.
        """
        keys = {"otherrefnum": other_ref_nums, "externalid": external_ids}
        if custom is not None:
            keys[sql.identifier(custom[0])] = custom[1]
        if not set(types) <= set(ORDER_TYPES):
            raise ValueError(f"types of transactions are some of {', '.join(ORDER_TYPES)}")
        kinds = ", ".join(f"'{one}'" for one in types)
        found = []
        for name, values in keys.items():
            for some in pieces_of(values):
                where = f"t.type IN ({kinds}) AND t.{name} IN ({marks(some)})"
                for page in self._pages(where, some, oneworld=oneworld, more=f", t.{name} AS matched"):
                    for row, header in zip(page.rows, _rows(page), strict=True):
                        found.append(SalesMatch(name, row.get("matched", ""), header))
        return found

    # --- reading back --------------------------------------------------------------------------------

    def lines(self, ids: Iterable[int], *, custom_fields: Sequence[str] = ()) -> list[SalesLine]:
        """Every line of these transactions, tax and shipping lines included, by transaction and line.

        `custom_fields` are line fields (custcol_…) to read as well; an unknown one raises Rejected.
        """
        names = [sql.identifier(one.lower()) for one in custom_fields]
        found: list[SalesLine] = []
        for some in id_pieces(ids):

            def pages(lacks: frozenset[str], some: str = some) -> Iterator[Page]:
                ships = _SHIP_ITEM not in lacks
                text = sql.fill(
                    "sales_lines",
                    ids=some,
                    custom="".join(f", tl.{name}" for name in names),
                    ship_item="s.id AS ship_item, " if ships else "",
                    ship_join=f"LEFT JOIN {_SHIP_ITEM} s ON s.id = tl.item\n" if ships else "",
                )
                return by_pair(self._records.query, text, "transaction", "line_id")

            for page in self._tolerant.pages(pages, [_SHIP_ITEM]):
                with readable():
                    found += [_line(row, names) for row in page.rows]
        return found

    def totals(self, ids: Iterable[int]) -> dict[int, SalesTotals]:
        """{internal id: totals as NetSuite has them now}, 500 a call."""
        found: dict[int, SalesTotals] = {}
        for some in id_pieces(ids):

            def pages(lacks: frozenset[str], some: str = some) -> Iterator[Page]:
                currency = "".join(f"{one}, " for name, one in _CURRENCY.items() if name not in lacks)
                return self._records.query.all(sql.fill("sales_totals", ids=some, currency=currency))

            for page in self._tolerant.pages(pages, list(_CURRENCY)):
                with readable():
                    found.update((int(row["id"]), _totals(row)) for row in page.rows)
        return found

    def taxes(
        self, ids: Iterable[int], *, by: Literal["line", "taxcode"] = "line"
    ) -> dict[int, dict[int, Decimal]] | None:
        """{internal id: {line, or tax code: SuiteTax's tax on it}}, 500 a call; None where its rows can't be read.

        Positive on a sale where they have the sign of lines; whether all accounts have it so is not known.
        """
        found: dict[int, dict[int, Decimal]] = {}
        for some in id_pieces(ids):

            def pages(lacks: frozenset[str], some: str = some) -> Iterator[Page]:
                if lacks.intersection(_TAX_NAMES):
                    return iter(())
                return by_pair(
                    self._records.query, sql.fill("sales_taxes", ids=some, by=by), "transaction", "part"
                )

            for page in self._tolerant.pages(pages, _TAX_NAMES):
                with readable():
                    for row in page.rows:
                        on = found.setdefault(int(row["transaction"]), {})
                        on[int(row["part"])] = -(amount(row, "amount") or ZERO)
        return None if self._tolerant.lacks.intersection(_TAX_NAMES) else found

    # --- writing -------------------------------------------------------------------------------------

    def create(self, record_type: str, body: Mapping[str, Any]) -> Outcome:
        """A new salesOrder, cashSale, …; see `Records.create`."""
        return self._records.create(record_type, body)

    def patch(self, record_type: str, key: int | str, body: Mapping[str, Any]) -> Outcome:
        """Change what `body` names; lines with their `line`, or they are added. See `Records.patch`."""
        return self._records.patch(record_type, str(key), body)

    # --- the same for all ----------------------------------------------------------------------------

    def _headers(
        self, where: str, params: Sequence[str | int], *, oneworld: bool
    ) -> Iterator[list[SalesRow]]:
        for page in self._pages(where, params, oneworld=oneworld):
            yield _rows(page)

    def _pages(
        self, where: str, params: Sequence[str | int], *, oneworld: bool, more: str = ""
    ) -> Iterator[Page]:
        def pages(lacks: frozenset[str]) -> Iterator[Page]:
            return by_id(self._records.query, _text(where, oneworld, lacks, more), params)

        return self._tolerant.pages(pages, list(_CURRENCY))

    def _closed(self, ids: Sequence[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for some in id_pieces(ids):
            for page in self._records.query.all(sql.fill("sales_closed", ids=some)):
                with readable():
                    found.update((int(row["transaction"]), int(row["closed"])) for row in page.rows)
        return found


def _text(where: str, oneworld: bool, lacks: frozenset[str], more: str = "") -> str:
    optional = columns({**(_SUBSIDIARY if oneworld else {}), **_CURRENCY}, lacks)
    return sql.fill("sales", optional=optional, more=more, where=where)


def _rows(page: Page) -> list[SalesRow]:
    with readable():
        return [_row(row) for row in page.rows]


def _row(row: Row) -> SalesRow:
    return SalesRow(
        id=int(row["id"]),
        external_id=row.get("external_id", ""),
        tran_id=row.get("tran_id", ""),
        record_type=row.get("record_type", "").lower(),
        status=letter(row),
        entity=integer(row, "entity"),
        subsidiary=integer(row, "subsidiary"),
        currency=integer(row, "currency"),
        foreign_total=amount(row, "foreign_total") or ZERO,
        total=amount(row, "total") or ZERO,
        tran_date=day(row, "tran_date"),
        last_modified=row.get("modified_at", ""),
        other_ref_num=row.get("other_ref_num", ""),
    )


def _line(row: Row, names: Sequence[str]) -> SalesLine:
    quantity = amount(row, "quantity")
    return SalesLine(
        transaction=int(row["transaction"]),
        line=int(row["line_id"]),
        sequence=integer(row, "line_number") or 0,
        item=integer(row, "item"),
        item_type=row.get("item_type", ""),
        # Stored with the sign of the stock and of the ledger: sales are negative (facts/netsuite.md 2.4).
        quantity=None if quantity is None else -quantity,
        rate=rate(row, "rate"),
        amount=-(amount(row, "amount") or ZERO),
        is_tax=row.get("taxline") == "T",
        is_shipping=row.get("item_type") == "ShipItem" or "ship_item" in row,
        closed=row.get("isclosed") == "T",
        quantity_fulfilled=abs(amount(row, "fulfilled") or ZERO),
        quantity_billed=abs(amount(row, "billed") or ZERO),
        location=integer(row, "location"),
        department=integer(row, "department"),
        classification=integer(row, "classification"),
        custom={name: row[name] for name in names if name in row},
    )


def _totals(row: Row) -> SalesTotals:
    return SalesTotals(
        id=int(row["id"]),
        foreign_total=amount(row, "foreign_total") or ZERO,
        total=amount(row, "total") or ZERO,
        currency=integer(row, "currency"),
        status=letter(row),
        last_modified=row.get("modified_at", ""),
        tax=-(amount(row, "tax") or ZERO) if integer(row, "tax_lines") else None,
        net=-(amount(row, "net") or ZERO),
        lines=integer(row, "other_lines") or 0,
    )
