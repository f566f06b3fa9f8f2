"""What sales orders and cash sales have in common: header, lines, sums, taxes.

Put the checks and sums of a sales transaction here. Do not put stock, status or posting here (salesorder.py,
cashsale.py). Sources: facts/netsuite.md 3.3, 3.6, 3.7 and 4. Everything works on a proposed transaction, so
that a refusal leaves the books as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import Any

from bcns_pipeline.sandbox.netsuite import tax
from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.entity import Customer
from bcns_pipeline.sandbox.netsuite.errors import Refused, bad_reference, invalid_field, missing
from bcns_pipeline.sandbox.netsuite.kinds import TransactionType
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, TaxRow, Totals, Transaction
from bcns_pipeline.sandbox.netsuite.pricing import rounded
from bcns_pipeline.sandbox.netsuite.reading import Ref
from bcns_pipeline.sandbox.netsuite.sales_fields import BODY_FIELDS

FIXED = ("entity", "subsidiary", "currency")


class Sales:
    """Headers and sums of sales transactions."""

    def __init__(self, context: Context) -> None:
        self.context = context

    # -- header ----------------------------------------------------------------------------------------------

    def begin(self, kind: TransactionType, given: Mapping[str, Any], now: datetime) -> Transaction:
        """A new transaction with a checked header and no lines."""
        context = self.context
        context.ledger.check_external(given.get("externalId"), None)
        customer = self.customer(given)
        subsidiary = self._subsidiary(given, customer)
        currency = self._currency(given, customer)
        transaction = Transaction(
            id=context.ledger.take_id(),
            kind=kind,
            number="",
            created=now,
            modified=now,
            day=given.get("tranDate") or now.date(),
            status="",
            entity=customer.id,
            subsidiary=subsidiary,
            currency=currency,
            external=given.get("externalId"),
        )
        self._exchange(transaction, given)
        self._body(transaction, given)
        for name, listed, purpose in (
            ("shippingAddress", "shipAddressList", "defaultShipping"),
            ("billingAddress", "billAddressList", "defaultBilling"),
        ):
            if name not in transaction.values:
                chosen = transaction.values.get(listed)
                entry = customer.book.entries.get(chosen.id) if chosen is not None else None
                found = customer.book.default(purpose)
                address = entry["address"] if entry is not None else (found[1] if found else None)
                if address:
                    transaction.values[name] = dict(address)
        return transaction

    def amend(self, before: Transaction, given: Mapping[str, Any]) -> Transaction:
        """The transaction as it would be with another header; its lines are copies."""
        context = self.context
        after = copy(before)
        after.values = dict(before.values)
        after.lines = [copy(line) for line in before.lines]
        after.extra_lines = dict(before.extra_lines)
        if "externalId" in given:
            context.ledger.check_external(given["externalId"], before.id)
            after.external = given["externalId"]
        for name in FIXED:
            value = given.get(name)
            if isinstance(value, Ref) and value.id != getattr(before, name):
                raise Refused(
                    "USER_ERROR", f"The field {name} can't be changed on an existing transaction.", name
                )
        after.day = given.get("tranDate") or before.day
        if "exchangeRate" in given:
            self._exchange(after, given)
        self._body(after, given)
        return after

    def customer(self, given: Mapping[str, Any]) -> Customer:
        """The customer of a request."""
        entity = given.get("entity")
        if entity is None:
            raise missing("entity")
        customer = self.context.customers.get(entity.id)
        if customer is None or customer.inactive:
            raise bad_reference(entity.id, "entity", "entity")
        return customer

    def _subsidiary(self, given: Mapping[str, Any], customer: Customer) -> int:
        chosen = given.get("subsidiary")
        if chosen is None:
            return customer.subsidiary
        allowed = {customer.subsidiary}
        if self.context.settings.multi_subsidiary_customers:
            allowed |= set(customer.subsidiaries)
        if chosen.id not in allowed:
            raise invalid_field(chosen.id, "subsidiary", "subsidiary")
        return int(chosen.id)

    def _currency(self, given: Mapping[str, Any], customer: Customer) -> int:
        chosen = given.get("currency")
        if chosen is None:
            return customer.currency
        if chosen.id not in (customer.currency, *customer.currencies):
            raise invalid_field(chosen.id, "currency", "currency")
        return int(chosen.id)

    def _exchange(self, transaction: Transaction, given: Mapping[str, Any]) -> None:
        """The rate of the request, else of the account's table; a base currency is always worth one."""
        account = self.context.account
        rate = account.rate(transaction.currency, transaction.subsidiary)
        own = transaction.currency == account.subsidiaries[transaction.subsidiary].currency
        wanted = given.get("exchangeRate")
        if wanted is not None and wanted <= 0:
            raise invalid_field(wanted, "exchangeRate", "exchangeRate")
        transaction.exchange_rate = rate if wanted is None or own else wanted

    def _body(self, transaction: Transaction, given: Mapping[str, Any]) -> None:
        """Further properties of the header; null clears one."""
        for name, value in given.items():
            if name in BODY_FIELDS:
                continue
            if value is None:
                transaction.values.pop(name, None)
            else:
                transaction.values[name] = value
        place = transaction.values.get("location")
        if place is not None:
            self.check_location(transaction, place.id, "location")
        item = transaction.values.get("discountItem")
        found = None if item is None else self.context.items.get(item.id)
        if item is not None and (found is None or not found.is_discount or found.inactive):
            raise bad_reference(item.id, "discountItem", "discountItem")

    def check_location(self, transaction: Transaction, location: int, path: str) -> None:
        """A location must be the subsidiary's own."""
        if self.context.account.locations[location].subsidiary != transaction.subsidiary:
            raise invalid_field(location, "location", path)

    # -- sums ------------------------------------------------------------------------------------------------

    def sum(
        self,
        transaction: Transaction,
        details: Sequence[Mapping[str, Any]] | None,
        *,
        strict: bool = True,
        replace: bool = False,
    ) -> None:
        """All totals and taxes of a transaction whose lines are priced.

        `details` are the request's tax details: they stand in for the rows of the same lines, or with `replace`
        for all. A script's change is not `strict`: nobody makes it name them.
        """
        context, values = self.context, transaction.values
        precision = context.account.currencies[transaction.currency].precision
        totals = transaction.totals = Totals()
        totals.subtotal = sum((line.amount for line in transaction.lines), ZERO)
        if context.settings.shipping_needs_method and "shipMethod" not in values:
            for name in ("shippingCost", "handlingCost"):
                values.pop(name, None)
        totals.shipping = rounded(values.get("shippingCost") or ZERO, precision)
        totals.handling = rounded(values.get("handlingCost") or ZERO, precision)
        discount_item = context.items.get(values["discountItem"].id) if "discountItem" in values else None
        if discount_item is not None:
            flat = values.get("discountRate")
            percent = totals.subtotal * (discount_item.percent or ZERO) / 100
            totals.discount = rounded(percent if flat is None else flat, precision)
        taxed = discount_item is not None and discount_item.taxable
        things = list(
            tax.taxables(
                transaction, shipping_taxable=context.settings.shipping_taxable, discount_taxable=taxed
            )
        )
        transaction.taxes = self._taxes(
            transaction, details, things, precision, strict=strict, replace=replace
        )
        totals.tax = sum((row.amount for row in transaction.taxes), ZERO)
        totals.total = totals.subtotal + totals.discount + totals.shipping + totals.handling + totals.tax
        base = context.account.subsidiaries[transaction.subsidiary].currency
        totals.base = rounded(
            totals.total * transaction.exchange_rate, context.account.currencies[base].precision
        )

    def _taxes(
        self,
        transaction: Transaction,
        details: Sequence[Mapping[str, Any]] | None,
        things: Sequence[tax.Taxable],
        precision: int,
        *,
        strict: bool,
        replace: bool,
    ) -> list[TaxRow]:
        context = self.context
        if context.tax_engine == "suitetax" and transaction.values.get("taxDetailsOverride"):
            given = tax.overridden(details or (), things, context.account, precision)
            said = {row.reference for row in given}
            before = [] if replace else tax.kept(transaction.taxes, things)
            rows = [row for row in before if row.reference not in said] + given
            if strict:
                tax.complete(rows, things)
            return rows
        legacy = context.tax_engine == "legacy"
        customer = context.customers.get(transaction.entity or 0)
        if context.tax_engine == "none" or (legacy and not context.settings.legacy_taxes):
            return []
        if customer is None or not customer.taxable:
            return []
        address = transaction.values.get("shippingAddress") or transaction.values.get("billingAddress")
        home = {"country": context.account.subsidiaries[transaction.subsidiary].country}
        header = legacy or context.settings.tax_rounding == "header"
        return tax.engine(things, address or home, context.account, precision, header=header)
