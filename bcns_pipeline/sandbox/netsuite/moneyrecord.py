"""What deposits, their applications, payments and refunds have in common: a customer, an amount, a header.

Put the way of a money record here. Do not put the rules of a type here (deposit.py, payment.py, ...). Sources:
facts/netsuite.md 3.6 and 4: they name a `customer` where a sale has an `entity`, and they post on their day.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.applying import Applying, shown_apply
from bcns_pipeline.sandbox.netsuite.banks import check_bank
from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import (
    Definition,
    Property,
    date,
    enum,
    number,
    reference,
    text,
)
from bcns_pipeline.sandbox.netsuite.errors import Refused, missing
from bcns_pipeline.sandbox.netsuite.kinds import TransactionType
from bcns_pipeline.sandbox.netsuite.ledger import Transaction
from bcns_pipeline.sandbox.netsuite.pricing import rounded
from bcns_pipeline.sandbox.netsuite.reading import Ref
from bcns_pipeline.sandbox.netsuite.sales import Sales
from bcns_pipeline.sandbox.netsuite.scripted import script_changes
from bcns_pipeline.sandbox.netsuite.showing import show
from bcns_pipeline.sandbox.netsuite.transactions import Transactions

HEADER: Mapping[str, Property] = {
    "id": text("id", read_only=True),
    "externalId": text("externalid"),
    "tranId": text("tranid", read_only=True),
    "transactionNumber": text("transactionnumber", read_only=True),
    "tranDate": date(),
    "createdDate": Property("datetime", read_only=True),
    "lastModifiedDate": Property("datetime", read_only=True),
    "status": enum(read_only=True),
    "customer": reference("customer"),
    "subsidiary": reference("subsidiary", feature="oneworld"),
    "currency": reference("currency"),
    "exchangeRate": number(),
    "memo": text("memo"),
    "department": reference("department"),
    "class": reference("classification"),
    "location": reference("location"),
    "customForm": reference(),
    "postingPeriod": reference(read_only=True),
}
# What of the header a transaction holds in fields of its own, and what never is a plain value.
OWN = frozenset(
    {"externalId", "tranDate", "customer", "subsidiary", "currency", "exchangeRate", "apply", "deposit"}
)
BEGIN = ("externalId", "tranDate", "subsidiary", "currency", "exchangeRate")
# An amount and what it was made of stay as they are, once money has moved.
FIXED = ("customer", "salesOrder", "currency", "subsidiary", "exchangeRate")
Shown = tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]


class MoneyRecords(Transactions):
    """A record type of money."""

    def __init__(self, kind: TransactionType, definition: Definition, context: Context) -> None:
        self.kind = kind
        super().__init__(definition, context)
        self.applying = Applying(context)
        self._sales = Sales(context)

    # -- making ----------------------------------------------------------------------------------------------

    def begin(self, given: Mapping[str, Any]) -> Transaction:
        """A new record with a checked header, on a day that takes postings."""
        if given.get("customer") is None:
            raise missing("customer")
        header = {name: given[name] for name in BEGIN if name in given}
        made = self._sales.begin(
            self.kind, {**header, "entity": given["customer"]}, self.context.clock.account()
        )
        made.values.clear()
        self.context.periods.check(made.day)
        return made

    def values(self, made: Transaction, given: Mapping[str, Any]) -> None:
        """Plain properties of the header; null clears one."""
        for name, value in given.items():
            if name in OWN:
                continue
            if value is None:
                made.values.pop(name, None)
            else:
                made.values[name] = value

    def amount(self, made: Transaction, given: Mapping[str, Any]) -> Decimal:
        """The `payment` of a request. Raises `Refused` where it is none."""
        found = given.get("payment")
        if found is None:
            raise missing("payment")
        return self.checked(made, found)

    def checked(self, made: Transaction, amount: Decimal) -> Decimal:
        """An amount that its currency can have, and that is one."""
        precision = self.context.account.currencies[made.currency].precision
        if amount <= 0 or rounded(amount, precision) != amount:
            raise Refused("USER_ERROR", f"Invalid payment amount {amount}.", "payment")
        return amount

    def worth(self, made: Transaction) -> None:
        """The worth of a record in the base currency follows from its total."""
        precision = self.context.base_precision(made.subsidiary)
        made.totals.base = rounded(made.totals.total * made.exchange_rate, precision)

    def finish(self, made: Transaction) -> int:
        """Number and keep a new record, and let scripts have their way with it; returns its id."""
        self.worth(made)
        made.number = self.context.ledger.take_number(self.kind)
        made.status = "Y" if "Y" in self.kind.statuses else self.applying.status(made)
        self.save(made)
        for change in script_changes(self.definition, self.context, made):
            self.change(made.id, change, frozenset())
        return made.id

    def save(self, made: Transaction) -> None:
        """Keep it."""
        self.context.ledger.save(made, self.context.clock.account())

    # -- changing --------------------------------------------------------------------------------------------

    def change(self, number: int, given: dict[str, Any], replace: frozenset[str]) -> None:
        """The header, in open periods; amounts only as the type allows."""
        made = self.get(number)
        if made.voided:
            raise Refused("USER_ERROR", f"The {self.kind.label.lower()} is void and can't be changed.")
        for name in FIXED:
            if name in given:
                raise Refused(
                    "USER_ERROR", f"The field {name} can't be changed on an existing transaction.", name
                )
        day = given.get("tranDate") or made.day
        for one in {made.day, day}:
            self.context.periods.check(one)
        if "externalId" in given:
            self.context.ledger.check_external(given["externalId"], number)
        before = dict(made.values)
        self.values(made, given)
        try:
            self.amended(made, given, replace)
            if "account" in given or "undepFunds" in given:
                check_bank(self.context, made)
        except Refused:
            made.values = before
            raise
        made.day = day
        if "externalId" in given:
            self.context.ledger.rename(made, given["externalId"])
        self.worth(made)
        made.status = "Y" if "Y" in self.kind.statuses else self.applying.status(made)
        self.save(made)

    def amended(self, made: Transaction, given: Mapping[str, Any], replace: frozenset[str]) -> None:  # noqa: ARG002
        """Amounts of a change: a payment may change as long as what is used of it is covered."""
        if "payment" not in given:
            return
        amount = self.amount(made, given)
        used = self.context.claims.used((made.id, 0))
        if amount < used:
            raise Refused("USER_ERROR", f"The payment can't be less than what is applied, {used}.", "payment")
        made.totals.total = amount

    # -- showing ---------------------------------------------------------------------------------------------

    def shown(self, number: int) -> Shown:
        """The body, and what it applies."""
        made, context = self.get(number), self.context
        customer = context.customers.get(made.entity or 0)
        body = show(
            self.definition.fields,
            {
                **made.values,
                "externalId": made.external,
                "tranId": made.number,
                "transactionNumber": f"{made.kind.code.upper()}{made.id}",
                "tranDate": made.day,
                "createdDate": context.clock.aware(made.created),
                "lastModifiedDate": context.clock.aware(made.modified),
                "customer": None if customer is None else Ref(customer.id, customer.name),
                "subsidiary": Ref(made.subsidiary, context.account.subsidiaries[made.subsidiary].name),
                "currency": Ref(made.currency, context.account.currencies[made.currency].name),
                "exchangeRate": made.exchange_rate,
                **self.more(made),
            },
        )
        body["status"] = {"id": made.status, "refName": made.kind.statuses[made.status]}
        lists: dict[str, list[dict[str, Any]]] = {}
        if "apply" in self.definition.sublists:
            fields = self.definition.sublists["apply"].fields
            lists["apply"] = [show(fields, row) for row in shown_apply(context, made)]
        if "deposit" in self.definition.sublists:
            lists["deposit"] = []
        return body, lists

    def more(self, made: Transaction) -> dict[str, Any]:
        """Further properties of a type."""
        return {"payment": made.totals.total}
