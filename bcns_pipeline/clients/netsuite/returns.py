"""Return authorisations and what was received of them: read, never written, for returns are NetSuite's own business.

Put queries of returns here. Which refund their units belong to is the work of the rules (rules/close/goods.py). Facts:
facts/netsuite.md 2.2 (types), 2.4 (signs; createdfrom of the main line), 2.6 (lines of the ledger's side), 3.5 and 3.6:
a return is made from a sales order, an invoice or a cash sale, a receipt from the return. In no fact: the letters of a
return's status, so one that awaits approval counts as authorised; and whether a receipt shows stocked items a second
time in another way than a fulfilment does.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.account import Account
from bcns_pipeline.clients.netsuite.levels import leaf
from bcns_pipeline.clients.netsuite.models import ReturnLine, Row
from bcns_pipeline.clients.netsuite.reading import ZERO, amount, by_pair, id_pieces, integer
from bcns_pipeline.clients.netsuite.records import Records
from bcns_pipeline.clients.netsuite.suiteql import readable

# What the role has to see; an account without the feature has neither.
RETURN_TYPES: Final = ("returnAuthorization", "itemReceipt")


class Returns:
    """The returns of one account. Thread-safe. Reads raise OutsideError.

    `sku_field` is the item's field that holds the SKU.
    """

    def __init__(self, records: Records, account: Account) -> None:
        self._records = records
        self._account = account

    def lacking(self) -> list[str]:
        """The record types that the role does not see, or the account does not have: nothing is known of them then."""
        described = self._account.described(RETURN_TYPES)
        return [one for one in RETURN_TYPES if one not in described]

    def of_sales(self, sale_ids: Iterable[int], sku_field: str = "itemid") -> list[ReturnLine]:
        """Lines of the returns of these sales orders and cash sales, also of those made from an order's invoices.

        500 sales a call, and one more for every 1,000 lines.
        """
        return [
            line
            for some in id_pieces(sale_ids)
            for line in self._lines(
                f"t.type = 'RtnAuth' AND (ml.createdfrom IN ({some}) OR src.createdfrom IN ({some}))",
                sku_field,
            )
        ]

    def received(self, return_ids: Iterable[int], sku_field: str = "itemid") -> list[ReturnLine]:
        """Lines of the receipts of these returns; 500 a call, and one more for every 1,000 lines."""
        return [
            line
            for some in id_pieces(return_ids)
            for line in self._lines(f"t.type = 'ItemRcpt' AND ml.createdfrom IN ({some})", sku_field)
        ]

    def _lines(self, where: str, sku_field: str) -> list[ReturnLine]:
        text = sql.fill("returned_lines", sku=sql.identifier(sku_field), where=where)
        found: list[ReturnLine] = []
        for page in by_pair(self._records.query, text, "id", "line_id"):
            with readable():
                found += [_line(row) for row in page.rows]
        return found


def _line(row: Row) -> ReturnLine:
    return ReturnLine(
        id=int(row["id"]),
        number=row.get("tran_id", ""),
        day=date.fromisoformat(row["tran_date"]),
        made_from=integer(row, "made_from"),
        source_from=integer(row, "source_from"),
        line=int(row["line_id"]),
        sku=leaf(row.get("sku")),
        quantity=abs(amount(row, "quantity") or ZERO),
        closed=row.get("closed") == "T",
    )
