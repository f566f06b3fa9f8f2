"""Item fulfilments: which changed, their parcels and lines, and one in full, which alone names order lines.

Put queries of fulfilments here, and the one write that puts our shipment id on them. What becomes a shipment
is decided by the rules. Facts: facts/netsuite.md 2.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.fulfilment_detail import read_detail
from bcns_pipeline.clients.netsuite.models import FulfilmentDetail, FulfilmentLine, FulfilmentRow, Page, Row
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
)
from bcns_pipeline.clients.netsuite.records import Records
from bcns_pipeline.clients.netsuite.suiteql import readable
from bcns_pipeline.outcomes import Outcome

_SHIPMENT: Final = "transactionshipment"
_METHOD: Final = {
    "method_id": "ts.shippingmethod",
    "method_name": "BUILTIN.DF(ts.shippingmethod)",
}
_CARRIER: Final = {"shipcarrier": "f.shipcarrier"}


class Fulfilments:
    """Item fulfilments of sales orders. Thread-safe. Reads raise OutsideError, writes return an Outcome.

    `oneworld` asks for the subsidiary, which other accounts refuse as an unknown column.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._tolerant = Tolerant()

    def changed(
        self, since: str, *, after_id: int = 0, prefix: str = "", oneworld: bool = False
    ) -> Iterator[list[FulfilmentRow]]:
        """Fulfilments that changed since `since` (NetSuite's clock), in any status, by ascending id.

        `prefix` keeps those whose sales order has an external id that starts with it.
        """
        where, params = "f.lastmodifieddate >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS')", [since]
        if prefix:
            where, params = f"{where} AND so.externalid LIKE ?", [since, f"{prefix}%"]
        for rows in self._read(where, params, oneworld=oneworld, after=after_id):
            yield [row for row in rows if row.order_external_id.startswith(prefix)]

    def by_id(self, ids: Iterable[int], *, oneworld: bool = False) -> list[FulfilmentRow]:
        """These fulfilments, 500 a call; deleted ones are missing."""
        found = []
        for some in id_pieces(ids):
            for rows in self._read(f"f.id IN ({some})", (), oneworld=oneworld):
                found += rows
        return found

    def there(self, ids: Iterable[int]) -> set[int]:
        """Those of these fulfilments that exist, 500 a call."""
        found: set[int] = set()
        for some in id_pieces(ids):
            for page in by_id(self._records.query, sql.fill("fulfilments_there", ids=some)):
                with readable():
                    found.update(int(row["id"]) for row in page.rows)
        return found

    def of_orders(self, order_ids: Iterable[int], *, oneworld: bool = False) -> list[FulfilmentRow]:
        """Every fulfilment of these sales orders (internal ids), 500 orders a call."""
        found = []
        for some in id_pieces(order_ids):
            for rows in self._read(f"ml.createdfrom IN ({some})", (), oneworld=oneworld):
                found += rows
        return found

    def tracking(self, ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """{fulfilment: tracking numbers in the order they came}; those without any are not in it."""
        found: dict[int, list[str]] = {}
        for some in id_pieces(ids):
            text = sql.fill("fulfilment_tracking", ids=some)
            for page in by_pair(self._records.query, text, "transaction", "number_id"):
                with readable():
                    for row in page.rows:
                        numbers = found.setdefault(int(row["transaction"]), [])
                        number = row.get("tracking", "").strip()
                        if number and number not in numbers:
                            numbers.append(number)
        return {one: tuple(numbers) for one, numbers in found.items() if numbers}

    def lines(self, ids: Iterable[int]) -> list[FulfilmentLine]:
        """What these fulfilments hold, by item; which order line that is only `detail` says."""
        found: list[FulfilmentLine] = []
        for some in id_pieces(ids):
            text = sql.fill("fulfilment_lines", ids=some)
            for page in by_pair(self._records.query, text, "transaction", "line_id"):
                with readable():
                    found += [_line(row) for row in page.rows]
        return found

    def detail(self, fulfilment_id: int) -> FulfilmentDetail | None:
        """One fulfilment as a record with its order lines, parcels and custom fields; None if it is gone."""
        record = self._records.record("itemFulfillment", str(fulfilment_id))
        if record is None:
            return None
        with readable():
            return read_detail(fulfilment_id, record)

    def patch(self, fulfilment_id: int, body: Mapping[str, Any]) -> Outcome:
        """Set header fields, such as the one that holds the shipment's id. Safe to repeat."""
        return self._records.patch("itemFulfillment", str(fulfilment_id), body)

    def _read(
        self, where: str, params: Iterable[str], *, oneworld: bool, after: int = 0
    ) -> Iterator[list[FulfilmentRow]]:
        bound = list(params)
        subsidiary = {"subsidiary": "f.subsidiary"} if oneworld else {}

        def pages(lacks: frozenset[str]) -> Iterator[Page]:
            ships = _SHIPMENT not in lacks
            wanted = {**subsidiary, **_CARRIER, **(_METHOD if ships else {})}
            text = sql.fill(
                "fulfilments",
                optional=columns(wanted, lacks),
                shipment_join=f"LEFT JOIN {_SHIPMENT} ts ON ts.doc = f.id\n" if ships else "",
                where=where,
            )
            return by_id(self._records.query, text, bound, after)

        for page in self._tolerant.pages(pages, [_SHIPMENT, *_CARRIER]):
            with readable():
                # One with several shipping rows comes several times: the first of them stands for all.
                rows = {int(row["id"]): row for row in reversed(page.rows)}
                found = [_row(rows[number]) for number in sorted(rows)]
            yield found


def _row(row: Row) -> FulfilmentRow:
    return FulfilmentRow(
        id=int(row["id"]),
        tran_id=row.get("tran_id", ""),
        external_id=row.get("external_id", ""),
        status=letter(row),
        last_modified=row.get("modified_at", ""),
        ship_date=day(row, "ship_date"),
        order_id=int(row["order_id"]),
        order_number=row.get("order_number", ""),
        order_external_id=row.get("order_external_id", ""),
        order_other_ref_num=row.get("order_other_ref_num", ""),
        location=integer(row, "location"),
        carrier=row.get("shipcarrier", ""),
        method_id=integer(row, "method_id"),
        method_name=row.get("method_name", ""),
        subsidiary=integer(row, "subsidiary"),
    )


def _line(row: Row) -> FulfilmentLine:
    return FulfilmentLine(
        fulfilment=int(row["transaction"]),
        line=int(row["line_id"]),
        item=int(row["item"]),
        quantity=abs(amount(row, "quantity") or ZERO),
        location=integer(row, "location"),
        kit_component=row.get("kit_component") == "T",
        kit_member_of=integer(row, "kit_member_of"),
    )
