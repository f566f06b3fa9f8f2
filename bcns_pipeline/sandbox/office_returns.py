"""What people at the returns desk do in NetSuite: authorise what may come back, receive what came, close what will not.

Put happenings of returns here. Do not put HTTP here (office_control.py) nor what the records refuse
(netsuite/returned.py, receipt.py): they go through the same rules as requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcns_pipeline.sandbox.netsuite.kinds import RETURN
from bcns_pipeline.sandbox.netsuite.ledger import Transaction
from bcns_pipeline.sandbox.office_events import Office


class ReturnsDesk:
    """The people who take goods back."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._returns, self._receipts = office.books.returns, office.books.receipts

    def authorise(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """A return of an `order`, or of the sale with the id `sale` (an invoice, a cash sale).

        Each of `lines` has sku, item or line, and quantity; without any, all that the shopper has may come back.
        """
        source = self._sale(raw)
        body = {name: raw[own] for own, name in (("date", "tranDate"), ("memo", "memo")) if own in raw}
        if "lines" in raw:
            body["item"] = {"items": self._office.lines_of(source, raw["lines"], {"quantity": 0})}
        made = self._returns.get(
            self._returns.transform(source.id, self._office.read(self._returns.definition, body))
        )
        return {"return": made.id, "number": made.number, "status": made.status, "from": source.id}

    def receive(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """What came of a `return`: `lines` with sku, item or line, quantity and restock, or all that is open."""
        back = self._return(raw)
        body = {name: raw[own] for own, name in (("date", "tranDate"), ("memo", "memo")) if own in raw}
        if "lines" in raw:
            rest = {"itemReceive": False}
            body["item"] = {"items": self._office.lines_of(back, raw["lines"], rest)}
        made = self._receipts.get(
            self._receipts.transform(back.id, self._office.read(self._receipts.definition, body))
        )
        return {"receipt": made.id, "number": made.number, "status": self._returns.get(back.id).status}

    def close(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """What is open of a `return` will not come."""
        back = self._return(raw)
        lines = [{"line": line.id, "isClosed": True} for line in back.lines]
        body = self._office.read(self._returns.definition, {"item": {"items": lines}})
        self._returns.change(back.id, body, frozenset())
        return {"return": back.id, "status": self._returns.get(back.id).status}

    def _sale(self, raw: Mapping[str, Any]) -> Transaction:
        if "order" in raw:
            return self._office.order(raw["order"])
        found = self._office.context.ledger.get(int(raw["sale"]))
        if found is None or found.kind.record not in ("invoice", "cashSale"):
            raise ValueError(f"NetSuite has no invoice or cash sale {raw['sale']}.")
        return found

    def _return(self, raw: Mapping[str, Any]) -> Transaction:
        found = self._office.context.ledger.get(int(raw["return"]))
        if found is None or found.kind is not RETURN:
            raise ValueError(f"NetSuite has no return {raw['return']}.")
        return found
