"""Return authorisations: units of a sale that may come back; what has come of them is told by their receipts.

Put the rules of the type here. Do not put how a sale becomes one here (returning.py) nor receipts (receipt.py). Source:
facts/netsuite.md 3.5 and 3.6: made from a sales order, an invoice or a cash sale. It moves neither goods nor money. No
credit is made of it here, so nothing of it is ever paid back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Definition, Fields, enum
from bcns_pipeline.sandbox.netsuite.errors import Refused, bad_reference, missing
from bcns_pipeline.sandbox.netsuite.kinds import RECEIPT, RETURN
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Line, Transaction
from bcns_pipeline.sandbox.netsuite.returning import give_back
from bcns_pipeline.sandbox.netsuite.sales import Sales
from bcns_pipeline.sandbox.netsuite.sales_fields import BODY, RETURNS
from bcns_pipeline.sandbox.netsuite.sales_shown import shown_sale
from bcns_pipeline.sandbox.netsuite.transactions import Transactions

DEFINITION = Definition(
    name=RETURN.record,
    group="transaction",
    fields=Fields.of({**BODY, "orderStatus": enum("A", "B")}),
    sublists=RETURNS,
)


class ReturnAuthorisations(Transactions):
    """The record type `returnAuthorization`."""

    def __init__(self, definition: Definition, context: Context) -> None:
        super().__init__(definition, context)
        self.sales = Sales(context)

    def create(self, given: dict[str, Any]) -> int:  # noqa: ARG002
        """Here a return is made from a sale."""
        raise missing("createdFrom")

    def shown(self, number: int) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
        """The body, and the lines of each sublist."""
        return shown_sale(self.get(number), self.definition, self.context)

    def transform(self, source: int, given: dict[str, Any]) -> int:
        """A return of a sale, or of parts of it."""
        made = give_back(self.sales, RETURN, self.get(source), given)
        self.sales.sum(made, given.get("taxDetails"))
        made.number = self.context.ledger.take_number(RETURN)
        self._keep(made)
        return made.id

    def change(self, number: int, given: dict[str, Any], replace: frozenset[str]) -> None:  # noqa: ARG002
        """Its header, and which lines are closed: what is open of those will not come."""
        after = self.sales.amend(self.get(number), {n: v for n, v in given.items() if n != "item"})
        for place, raw in enumerate(given.get("item") or ()):
            line, path = after.line(raw.get("line")), f"item.items[{place}]"
            if line is None:
                raise bad_reference(raw.get("line"), "line", f"{path}.line")
            if set(raw) - {"line", "isClosed"}:
                raise Refused("USER_ERROR", "Of a return's lines only isClosed can be changed here.", path)
            line.closed = bool(raw.get("isClosed", line.closed))
        self._keep(after)

    def counted(self, made: Transaction) -> None:
        """What of each line has come follows from its receipts."""
        for line in made.lines:
            line.fulfilled = ZERO
        for receipt in self.context.ledger.made_from(made.id, RECEIPT.record):
            for part in receipt.lines:
                found = made.line(part.order_line) if part.kit_member_of is None else None
                if found is not None:
                    found.fulfilled += part.quantity or ZERO
        self._keep(made)

    def _keep(self, made: Transaction) -> None:
        made.status = status_of(made.values, made.lines)
        self.context.ledger.save(made, self.context.clock.account())


def status_of(values: Mapping[str, Any], lines: list[Line]) -> str:
    """The letter that follows from a return's lines; nothing of it is ever paid back here."""
    if values.get("orderStatus") == "A":
        return "A"
    goods = [line for line in lines if line.item is not None and line.item.fulfilled]
    open_, came = any(line.open for line in goods), any(line.fulfilled for line in goods)
    if open_:
        return "E" if came else "B"
    return "F" if came or not goods else "H"
