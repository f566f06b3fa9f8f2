"""Customer payments: money for invoices; what is not applied stays the customer's.

Put the rules of the type here. Do not put the checks of an application here (applying.py). Source:
facts/netsuite.md 3.5 and 3.6: made on its own with `apply`, or from an invoice, which it then pays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcns_pipeline.sandbox.netsuite.applying import APPLY
from bcns_pipeline.sandbox.netsuite.banks import MONEY_FIELDS, check_bank
from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import (
    Definition,
    Fields,
    flag,
    number,
    reference,
    sublist,
)
from bcns_pipeline.sandbox.netsuite.errors import Refused
from bcns_pipeline.sandbox.netsuite.kinds import INVOICE, PAYMENT
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Transaction
from bcns_pipeline.sandbox.netsuite.moneyrecord import HEADER, MoneyRecords
from bcns_pipeline.sandbox.netsuite.reading import Ref

DEFINITION = Definition(
    name=PAYMENT.record,
    group="transaction",
    fields=Fields.of(
        {
            **HEADER,
            **MONEY_FIELDS,
            "payment": number(),
            "autoApply": flag(),
            "arAcct": reference("account"),
            "applied": number(read_only=True),
            "unapplied": number(read_only=True),
            "total": number(read_only=True),
            "apply": sublist(),
        }
    ),
    sublists={"apply": APPLY},
)


class Payments(MoneyRecords):
    """The record type `customerPayment`."""

    def __init__(self, definition: Definition, context: Context) -> None:
        super().__init__(PAYMENT, definition, context)

    def create(self, given: dict[str, Any]) -> int:
        """A new payment; without an amount it is what it applies."""
        made = self.begin(given)
        wanted = self._wanted(made, given)
        if given.get("payment") is None and wanted:
            made.totals.total = sum(
                (self.applying.open(one.key) if one.amount is None else one.amount for one in wanted), ZERO
            )
        else:
            made.totals.total = self.amount(made, given)
        self.worth(made)
        self.values(made, given)
        check_bank(self.context, made)
        self.applying.keep(made, self.applying.settle(wanted, made, (made.id, 0)))
        return self.finish(made)

    def transform(self, source: int, given: dict[str, Any]) -> int:
        """A payment of an invoice; without more it pays all that is open."""
        invoice = self.get(source)
        if invoice.voided or self.applying.open((source, 0)) <= 0:
            raise Refused(
                "USER_ERROR", f"You can not initialize customerPayment: invalid reference {source}."
            )
        base: dict[str, Any] = {
            "customer": Ref(invoice.entity or 0),
            "currency": Ref(invoice.currency),
            "subsidiary": Ref(invoice.subsidiary),
            "exchangeRate": invoice.exchange_rate,
            "apply": [{"doc": Ref(source), "apply": True, "amount": given.get("payment")}],
        }
        return self.create({**base, **given})

    def _wanted(self, made: Transaction, given: Mapping[str, Any]) -> list[Any]:
        """What a new payment applies: what the request says, or with `autoApply` the oldest invoices first."""
        wanted = [
            one for one in self.applying.wanted(given.get("apply") or (), made, debits=True) if one.apply
        ]
        if wanted or not given.get("autoApply"):
            return wanted
        found = [
            {"doc": Ref(one.id)}
            for one in self.context.ledger
            if one.kind is INVOICE
            and not one.voided
            and (one.entity, one.currency, one.subsidiary) == (made.entity, made.currency, made.subsidiary)
            and self.applying.open((one.id, 0)) > 0
        ]
        return self.applying.wanted(found, made, debits=True)

    def amended(self, made: Transaction, given: Mapping[str, Any], replace: frozenset[str]) -> None:
        """Another amount, or other applications; never more than the payment."""
        before = made.totals.total
        if "payment" in given:
            made.totals.total = self.amount(made, given)
        self.worth(made)
        try:
            wanted = self.applying.merged(given.get("apply"), made, replace="apply" in replace)
            claims = self.applying.settle(wanted, made, (made.id, 0))
        except Refused:
            made.totals.total = before
            self.worth(made)
            raise
        self.applying.keep(made, claims)

    def more(self, made: Transaction) -> dict[str, Any]:
        """What of it is applied."""
        used = self.context.claims.used((made.id, 0))
        total = made.totals.total
        return {"payment": total, "total": total, "applied": used, "unapplied": total - used}
