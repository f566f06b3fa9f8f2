"""Credit memos: what a customer need not pay any more, or gets back; on their own, or made from an invoice.

Put the rules of the type here. Do not put what other posting sales do as well here (postedsale.py) nor the checks of
an application (applying.py). Source: facts/netsuite.md 3.6: `apply` names what it pays, at its making or later; made
from an invoice it must name that one too, else it stays open. Goods on it come back to their location.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcns_pipeline.sandbox.netsuite.applying import APPLY, Applying, shown_apply
from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Definition, Fields, Property, flag, number, sublist
from bcns_pipeline.sandbox.netsuite.errors import Refused
from bcns_pipeline.sandbox.netsuite.kinds import CREDIT_MEMO
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Transaction
from bcns_pipeline.sandbox.netsuite.postedsale import PostedSales, Shown
from bcns_pipeline.sandbox.netsuite.returning import give_back
from bcns_pipeline.sandbox.netsuite.sales_fields import BODY, RETURNS
from bcns_pipeline.sandbox.netsuite.showing import plain, show

DEFINITION = Definition(
    name=CREDIT_MEMO.record,
    group="transaction",
    fields=Fields.of(
        {
            **BODY,
            "autoApply": flag(),
            "applied": number(read_only=True),
            "unapplied": number(read_only=True),
            "amountPaid": number(read_only=True),
            "amountRemaining": number(read_only=True),
            "postingPeriod": Property("reference", read_only=True),
            "apply": sublist(),
        }
    ),
    sublists={**RETURNS, "apply": APPLY},
)


class CreditMemos(PostedSales):
    """The record type `creditMemo`."""

    def __init__(self, definition: Definition, context: Context) -> None:
        super().__init__(CREDIT_MEMO, definition, context)
        self.applying = Applying(context)

    def transform(self, source: int, given: dict[str, Any]) -> int:
        """A credit memo over an invoice, or over parts of it."""
        return self.finish(give_back(self.sales, CREDIT_MEMO, self.get(source), given), given)

    def settle(self, sale: Transaction, given: Mapping[str, Any]) -> None:
        """What it applies is covered by its total, together with what was paid back of it."""
        refunded = sum((c.amount for c in self.context.claims.on((sale.id, 0)) if c.owner != sale.id), ZERO)
        if sale.totals.total < refunded:
            detail = f"The total can't be less than what was refunded, which is {refunded}."
            raise Refused("USER_ERROR", detail, "item")
        wanted = self.applying.merged(given.get("apply"), sale, replace=False)
        self.applying.keep(sale, self.applying.settle(wanted, sale, (sale.id, 0)))

    def status(self, sale: Transaction) -> str:
        """Open or fully applied."""
        return self.applying.status(sale)

    def shown(self, number: int) -> Shown:
        """The body with what is applied of it, and the lines of each sublist."""
        body, lists = super().shown(number)
        memo = self.get(number)
        used = self.context.claims.used((number, 0))
        body |= {"applied": plain(used), "unapplied": plain(memo.totals.total - used)}
        fields = self.definition.sublists["apply"].fields
        lists["apply"] = [show(fields, row) for row in shown_apply(self.context, memo)]
        return body, lists
