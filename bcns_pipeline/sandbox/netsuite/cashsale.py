"""Cash sales: paid and delivered at once, posted to the ledger on their day.

Put the rules of the type here. Do not put lines and sums here (lines.py, sales.py). Sources: facts/netsuite.md
3.6 and 4: a posting record needs an open period; goods leave the shelf when it is saved, whether they are
there or not.
"""

from __future__ import annotations

from typing import Any

from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Definition, Fields, Property, enum, reference
from bcns_pipeline.sandbox.netsuite.errors import Refused, missing
from bcns_pipeline.sandbox.netsuite.items import KITS
from bcns_pipeline.sandbox.netsuite.kinds import CASH_SALE
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Line, Transaction
from bcns_pipeline.sandbox.netsuite.lines import Lines
from bcns_pipeline.sandbox.netsuite.sales import Sales
from bcns_pipeline.sandbox.netsuite.sales_fields import BODY, SUBLISTS
from bcns_pipeline.sandbox.netsuite.sales_shown import shown_sale
from bcns_pipeline.sandbox.netsuite.scripted import script_changes

DEFINITION = Definition(
    name=CASH_SALE.record,
    group="transaction",
    fields=Fields.of(
        {
            **BODY,
            "account": reference("account"),
            "undepFunds": enum("T", "F"),
            "postingPeriod": Property("reference", read_only=True),
            "checkNumber": Property("text"),
        }
    ),
    sublists=SUBLISTS,
)
NOT_DEPOSITED, DEPOSITED = "B", "C"


class CashSales:
    """The record type `cashSale`."""

    def __init__(self, definition: Definition, context: Context) -> None:
        self.definition = definition
        self.context = context
        self.sales = Sales(context)
        self.lines = Lines(self.sales)

    def find(self, key: str) -> int | None:
        """The internal id that a path names."""
        found = self.context.ledger.find(self.definition.name, key)
        return None if found is None else found.id

    def create(self, given: dict[str, Any]) -> int:
        """A new cash sale; returns its id."""
        context = self.context
        sale = self.sales.begin(CASH_SALE, given, context.clock.account())
        context.periods.check(sale.day)
        self.lines.merge(sale, given.get("item") or (), replace=False)
        self._check(sale)
        self.sales.sum(sale, given.get("taxDetails"))
        self._positive(sale)
        sale.number = context.ledger.take_number(CASH_SALE)
        self._keep(None, sale)
        for change in script_changes(self.definition, context, sale):
            current = self._sale(sale.id)
            self._amend(current, change, frozenset(), strict=False)
        return sale.id

    def change(self, number: int, given: dict[str, Any], replace: frozenset[str]) -> None:
        """Only what is given changes, in an open period."""
        self._amend(self._sale(number), given, replace)

    def shown(self, number: int) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
        """The body, and the lines of each sublist."""
        return shown_sale(self._sale(number), self.definition, self.context)

    def _sale(self, number: int) -> Transaction:
        found = self.context.ledger.get(number)
        assert found is not None
        return found

    def _amend(
        self, before: Transaction, given: dict[str, Any], replace: frozenset[str], *, strict: bool = True
    ) -> None:
        after = self.sales.amend(before, given)
        for day in {before.day, after.day}:
            self.context.periods.check(day)
        if "item" in given:
            self.lines.merge(after, given["item"], replace="item" in replace)
            self._check(after)
        renewed = "taxDetails" in replace
        self.sales.sum(after, given.get("taxDetails"), strict=strict, replace=renewed)
        self._positive(after)
        self._keep(before, after)

    def _check(self, sale: Transaction) -> None:
        """A posting record has lines, and what is stocked leaves from somewhere."""
        if not sale.lines:
            raise missing("item")
        if any(line.location is None and stocked(line) for line in sale.lines):
            raise missing("location")

    def _positive(self, sale: Transaction) -> None:
        if sale.totals.total < 0:
            raise Refused("USER_ERROR", "The total amount of a cash sale can't be negative.", "item")

    def _keep(self, before: Transaction | None, after: Transaction) -> None:
        """Goods of the earlier lines come back, those of the later ones go."""
        for sale, sign in ((before, -1), (after, 1)):
            for line in sale.lines if sale is not None else ():
                if stocked(line) and line.item is not None and line.location is not None:
                    self.context.stock.ship(line.item, line.location, sign * (line.quantity or ZERO), ZERO)
        after.status = DEPOSITED if "account" in after.values else NOT_DEPOSITED
        self.context.ledger.save(after, self.context.clock.account())


def stocked(line: Line) -> bool:
    """Whether goods go with a line."""
    return line.item is not None and (line.item.stocked or line.item.kind in KITS)
