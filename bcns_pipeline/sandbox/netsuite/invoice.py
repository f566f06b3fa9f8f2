"""Invoices: what a customer owes for goods that were shipped, made from a sales order or by hand.

Put the rules of the type here. Do not put how an order becomes one here (billing.py) nor what other posting sales do
as well (postedsale.py). Source: facts/netsuite.md 3.5 and 3.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcns_pipeline.sandbox.netsuite.application import Applications
from bcns_pipeline.sandbox.netsuite.applying import Applying
from bcns_pipeline.sandbox.netsuite.billing import bill
from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import (
    Definition,
    Fields,
    Property,
    date,
    number,
    reference,
)
from bcns_pipeline.sandbox.netsuite.errors import Refused
from bcns_pipeline.sandbox.netsuite.kinds import DEPOSIT, INVOICE, SALES_ORDER
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Transaction
from bcns_pipeline.sandbox.netsuite.postedsale import PostedSales, Shown
from bcns_pipeline.sandbox.netsuite.reading import Ref
from bcns_pipeline.sandbox.netsuite.sales_fields import BODY, RETURNS
from bcns_pipeline.sandbox.netsuite.salesorder import SalesOrders
from bcns_pipeline.sandbox.netsuite.showing import plain

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
    sublists=RETURNS,
)


class Invoices(PostedSales):
    """The record type `invoice`."""

    def __init__(
        self, definition: Definition, context: Context, orders: SalesOrders, applications: Applications
    ) -> None:
        super().__init__(INVOICE, definition, context)
        self.applications = applications
        self.applying = Applying(context)
        self.orders = orders

    def transform(self, source: int, given: dict[str, Any]) -> int:
        """An invoice of an order: everything that can be billed and was not, but for what the request says.

        Raises `Refused`, which for a deposit that does not apply itself comes after the invoice was made.
        """
        order = self.orders.order(source)
        number = self.finish(bill(self.sales, order, given), given)
        deposits = [
            one
            for one in self.context.ledger.made_from(source, DEPOSIT.record)
            if self.applying.open((one.id, 0)) > 0
        ]
        if deposits and self.context.interference.fails_deposit(given.get("externalId")):
            raise Refused(
                "USER_ERROR",
                "An error occurred during the automatic application of the deposit to the invoice.",
            )
        if self.context.settings.deposits_apply_themselves:
            for one in deposits:
                if self.applying.open((number, 0)) > 0:
                    self.applications.transform(one.id, {"apply": [{"doc": Ref(number)}]})
        return number

    def shown(self, number: int) -> Shown:
        """The body with what is paid of it, and the lines of each sublist."""
        body, lists = super().shown(number)
        invoice = self.get(number)
        paid = self.context.claims.used((number, 0))
        body["amountPaid"], body["amountRemaining"] = plain(paid), plain(invoice.totals.total - paid)
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
