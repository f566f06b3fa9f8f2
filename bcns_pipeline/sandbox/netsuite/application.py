"""Deposit applications: a deposit becomes the payment of invoices.

Put the rules of the type here. Do not put the checks of an application here (applying.py). Source:
facts/netsuite.md 3.5: it is made from a deposit, and its `apply` names the invoices. A deposit on an order pays that
order's invoices only.
"""

from __future__ import annotations

from typing import Any

from bcns_pipeline.sandbox.netsuite.applying import APPLY, Wanted
from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import (
    Definition,
    Fields,
    Property,
    number,
    reference,
    sublist,
)
from bcns_pipeline.sandbox.netsuite.errors import Refused, bad_reference, missing
from bcns_pipeline.sandbox.netsuite.kinds import APPLICATION, SALES_ORDER
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Transaction
from bcns_pipeline.sandbox.netsuite.moneyrecord import HEADER, MoneyRecords
from bcns_pipeline.sandbox.netsuite.reading import Ref

DEFINITION = Definition(
    name=APPLICATION.record,
    group="transaction",
    fields=Fields.of(
        {
            **HEADER,
            "customer": Property("reference", target="customer", read_only=True),
            "deposit": reference("transaction", read_only=True),
            "total": number(read_only=True),
            "applied": number(read_only=True),
            "apply": sublist(),
        }
    ),
    sublists={"apply": APPLY},
)


class Applications(MoneyRecords):
    """The record type `depositApplication`."""

    def __init__(self, definition: Definition, context: Context) -> None:
        super().__init__(APPLICATION, definition, context)

    def create(self, given: dict[str, Any]) -> int:  # noqa: ARG002
        """An application is made from a deposit."""
        raise missing("deposit")

    def transform(self, source: int, given: dict[str, Any]) -> int:
        """An application of a deposit; returns its id."""
        context = self.context
        deposit = self.get(source)
        if deposit.voided or self.applying.open((source, 0)) <= 0:
            detail = f"You can not initialize depositApplication: invalid reference {source}."
            raise Refused("USER_ERROR", detail)
        customer = context.customers.get(deposit.entity or 0)
        header = {n: v for n, v in given.items() if n in ("externalId", "tranDate")}
        made = self.begin(
            {
                **header,
                "customer": Ref(deposit.entity or 0, "" if customer is None else customer.name),
                "currency": Ref(deposit.currency),
                "subsidiary": Ref(deposit.subsidiary),
            }
        )
        made.exchange_rate, made.source = deposit.exchange_rate, deposit.id
        self.values(made, given)
        wanted = [
            one for one in self.applying.wanted(given.get("apply") or (), made, debits=True) if one.apply
        ]
        for one in wanted:
            self._of_the_order(deposit, one)
        claims = self.applying.settle(wanted, made, (deposit.id, 0))
        if not claims:
            raise Refused(
                "USER_ERROR", "Please choose at least one invoice to apply the deposit to.", "apply"
            )
        made.totals.total = sum((claim.amount for claim in claims), ZERO)
        self.applying.keep(made, claims)
        return self.finish(made)

    def _of_the_order(self, deposit: Transaction, wanted: Wanted) -> None:
        order = self.context.ledger.get(deposit.source or 0)
        doc = self.context.ledger.get(wanted.key[0])
        if order is not None and order.kind is SALES_ORDER and doc is not None and doc.source != order.id:
            raise bad_reference(doc.id, "doc", f"{wanted.path}.doc")

    def amended(self, made: Transaction, given: Any, replace: frozenset[str]) -> None:  # noqa: ARG002
        """What it applies stays as it is."""
        if "apply" in given:
            raise Refused("USER_ERROR", "The applications of a deposit can't be changed here.", "apply")

    def more(self, made: Transaction) -> dict[str, Any]:
        """The deposit and how much of it."""
        deposit = self.context.ledger.get(made.source or 0)
        return {
            "deposit": None if deposit is None else Ref(deposit.id, deposit.number),
            "total": made.totals.total,
            "applied": made.totals.total,
        }
