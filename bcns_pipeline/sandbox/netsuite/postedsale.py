"""What cash sales, invoices, credit memos and cash refunds have in common: a sale that posts on its day.

Put the way of a posting sale here: period, lines, sums, goods, save. Do not put the rules of a type here
(cashsale.py, invoice.py, ...) nor lines and sums (lines.py, sales.py). Sources: facts/netsuite.md 3.6 and 4: a
posting record needs an open period; goods move when it is saved, whether they are there or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Definition
from bcns_pipeline.sandbox.netsuite.errors import Refused, missing
from bcns_pipeline.sandbox.netsuite.items import KITS
from bcns_pipeline.sandbox.netsuite.kinds import TransactionType
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Line, Transaction
from bcns_pipeline.sandbox.netsuite.lines import Lines
from bcns_pipeline.sandbox.netsuite.sales import Sales
from bcns_pipeline.sandbox.netsuite.sales_shown import shown_sale
from bcns_pipeline.sandbox.netsuite.scripted import script_changes
from bcns_pipeline.sandbox.netsuite.transactions import Transactions

Shown = tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]


class PostedSales(Transactions):
    """A record type of posting sales. Goods go out with a sale and come back with a return (`kind.sign`)."""

    def __init__(self, kind: TransactionType, definition: Definition, context: Context) -> None:
        self.kind = kind
        super().__init__(definition, context)
        self.sales = Sales(context)
        self.lines = Lines(self.sales)

    # -- what records.py asks --------------------------------------------------------------------------------

    def create(self, given: dict[str, Any]) -> int:
        """A new record; returns its id."""
        sale = self.sales.begin(self.kind, given, self.context.clock.account())
        self.lines.merge(sale, given.get("item") or (), replace=False)
        return self.finish(sale, given)

    def change(self, number: int, given: dict[str, Any], replace: frozenset[str]) -> None:
        """Only what is given changes, in an open period."""
        self._amend(self.get(number), given, replace)

    def shown(self, number: int) -> Shown:
        """The body, and the lines of each sublist."""
        return shown_sale(self.get(number), self.definition, self.context)

    # -- the way through -------------------------------------------------------------------------------------

    def finish(self, sale: Transaction, given: Mapping[str, Any]) -> int:
        """Check, sum and keep a new record whose lines are in place, and let scripts have their way with it."""
        context = self.context
        context.periods.check(sale.day)
        self._check(sale)
        self.sales.sum(sale, given.get("taxDetails"))
        self._positive(sale)
        self.settle(sale, given)
        sale.number = context.ledger.take_number(self.kind)
        self._keep(None, sale)
        for change in script_changes(self.definition, context, sale):
            self._amend(self.get(sale.id), change, frozenset(), strict=False)
        return sale.id

    def _amend(
        self, before: Transaction, given: dict[str, Any], replace: frozenset[str], *, strict: bool = True
    ) -> None:
        if before.voided:
            raise Refused("USER_ERROR", f"The {self.kind.label.lower()} is void and can't be changed.")
        after = self.sales.amend(before, given)
        for day in {before.day, after.day}:
            self.context.periods.check(day)
        if "item" in given:
            self.lines.merge(after, given["item"], replace="item" in replace)
            self._check(after)
        renewed = "taxDetails" in replace
        self.sales.sum(after, given.get("taxDetails"), strict=strict, replace=renewed)
        self._positive(after)
        self.settle(after, given)
        self._keep(before, after)

    def _check(self, sale: Transaction) -> None:
        """A posting record has lines, and what is stocked moves to or from somewhere."""
        if not sale.lines:
            raise missing("item")
        if any(line.location is None and moves(line, self.kind) for line in sale.lines):
            raise missing("location")

    def _positive(self, sale: Transaction) -> None:
        if sale.totals.total < 0:
            detail = f"The total amount of a {self.kind.label.lower()} can't be negative."
            raise Refused("USER_ERROR", detail, "item")

    def _keep(self, before: Transaction | None, after: Transaction) -> None:
        """Goods of the earlier lines go back where they were, those of the later ones move."""
        self.goods(before, after)
        after.status = self.status(after)
        self.context.ledger.save(after, self.context.clock.account())
        self.kept(before, after)

    def goods(self, before: Transaction | None, after: Transaction | None) -> None:
        """Move the goods of a record from one state to the next; None stands for no record."""
        for sale, sign in ((before, -1), (after, 1)):
            for line in sale.lines if sale is not None else ():
                if moves(line, self.kind) and line.item is not None and line.location is not None:
                    quantity = sign * self.kind.sign * (line.quantity or ZERO)
                    self.context.stock.ship(line.item, line.location, quantity, ZERO)

    # -- what a type says ------------------------------------------------------------------------------------

    def settle(self, sale: Transaction, given: Mapping[str, Any]) -> None:
        """Check and prepare where the money of a summed record comes from or goes to. Raises `Refused`."""
        raise NotImplementedError

    def status(self, sale: Transaction) -> str:
        """The letter that follows from the record."""
        raise NotImplementedError

    def kept(self, before: Transaction | None, after: Transaction) -> None:
        """What else follows from a save."""


def moves(line: Line, kind: TransactionType) -> bool:
    """Whether goods move with a line: an invoice's line of an order was shipped before, a return comes back."""
    item = line.item
    if item is None or not (item.stocked or item.kind in KITS):
        return False
    return kind.sign < 0 or line.order_line is None
