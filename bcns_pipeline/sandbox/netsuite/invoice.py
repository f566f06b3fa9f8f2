"""Invoices: what a customer owes for goods that were shipped, made from a sales order or by hand.

Put the rules of the type here. Do not put how an order becomes one here (billing.py) nor what other posting sales do
as well (postedsale.py). Source: facts/netsuite.md 3.5 and 3.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcns_pipeline.sandbox.netsuite.applying import Applying
from bcns_pipeline.sandbox.netsuite.billing import bill
from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import (
    Definition,
    Fields,
    Property,
    Sublist,
    date,
    number,
    reference,
)
from bcns_pipeline.sandbox.netsuite.errors import Refused
from bcns_pipeline.sandbox.netsuite.kinds import INVOICE, SALES_ORDER
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Transaction
from bcns_pipeline.sandbox.netsuite.postedsale import PostedSales, Shown
from bcns_pipeline.sandbox.netsuite.sales_fields import BODY, LINE, SUBLISTS
from bcns_pipeline.sandbox.netsuite.salesorder import SalesOrders
from bcns_pipeline.sandbox.netsuite.showing import plain

ITEM = SUBLISTS["item"]
DEFINITION = Definition(
    name=INVOICE.record,
    group="transaction",
    fields=Fields.of(
        {
            **BODY,
            "account": reference("account"),
            "amountPaid": number(read_only=True),
            "amountRemaining": number(read_only=True),
            "amountRemainingTotalBox": number(read_only=True),
            "dueDate": date(),
            "postingPeriod": Property("reference", read_only=True),
        }
    ),
    sublists={
        **SUBLISTS,
        "item": Sublist(
            Fields.of({**LINE, "orderLine": Property("integer")}), existing=ITEM.existing, new=ITEM.new
        ),
    },
)


class Invoices(PostedSales):
    """The record type `invoice`."""

    def __init__(self, definition: Definition, context: Context, orders: SalesOrders) -> None:
        super().__init__(INVOICE, definition, context)
        self.applying = Applying(context)
        self.orders = orders

    def transform(self, source: int, given: dict[str, Any]) -> int:
        """An invoice of an order: everything that can be billed and was not, but for what the request says."""
        order = self.orders.order(source)
        invoice = bill(self.sales, order, given)
        return self.finish(invoice, given)

    def shown(self, number: int) -> Shown:
        """The body with what is paid of it, and the lines of each sublist."""
        body, lists = super().shown(number)
        invoice = self.get(number)
        paid = self.context.claims.used((number, 0))
        body["amountPaid"], body["amountRemaining"] = plain(paid), plain(invoice.totals.total - paid)
        by_id = {line.id: line for line in invoice.lines}
        for row in lists["item"]:
            if (line := by_id[row["line"]]).order_line is not None:
                row["orderLine"] = line.order_line
        return body, lists

    def settle(self, sale: Transaction, given: Mapping[str, Any]) -> None:  # noqa: ARG002
        """What was paid of it before still is."""
        paid = self.context.claims.used((sale.id, 0))
        if sale.totals.total < paid:
            raise Refused(
                "USER_ERROR", f"The total can't be less than what was paid, which is {paid}.", "item"
            )

    def status(self, sale: Transaction) -> str:
        """Open or paid in full."""
        return self.applying.status(sale)

    def kept(self, before: Transaction | None, after: Transaction) -> None:
        """The order's lines are billed by as much as the invoice's have grown."""
        if after.source is not None:
            self.recount(before, after)

    def recount(self, before: Transaction | None, after: Transaction | None) -> None:
        """What is billed of an order follows from its invoices, and its status from that."""
        known = after if after is not None else before
        order = None if known is None else self.context.ledger.get(known.source or 0)
        if order is None or order.kind is not SALES_ORDER:
            return
        for invoice, sign in ((before, -1), (after, 1)):
            for line in invoice.lines if invoice is not None and not invoice.voided else ():
                found = order.line(line.order_line)
                if found is not None:
                    # A discount has no quantity: it is billed or not.
                    found.billed += sign * (1 if line.quantity is None else line.quantity)
                    found.billed = max(found.billed, ZERO)
        self.orders.counted(order, set())
