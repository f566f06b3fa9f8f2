"""Cash refunds: money paid back for what was sold for cash; on their own, or made from a cash sale.

Put the rules of the type here. Do not put what other posting sales do as well here (postedsale.py). Source:
facts/netsuite.md 3.5 and 3.6; facts/finance.md 2.2: the account is a cash or bank account. Of one cash sale never more
is paid back than was paid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcns_pipeline.sandbox.netsuite.banks import MONEY_FIELDS, check_bank
from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Definition, Fields, Property
from bcns_pipeline.sandbox.netsuite.errors import Refused
from bcns_pipeline.sandbox.netsuite.kinds import CASH_REFUND, CASH_SALE
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Transaction
from bcns_pipeline.sandbox.netsuite.postedsale import PostedSales
from bcns_pipeline.sandbox.netsuite.returning import give_back
from bcns_pipeline.sandbox.netsuite.sales_fields import BODY, RETURNS

DEFINITION = Definition(
    name=CASH_REFUND.record,
    group="transaction",
    fields=Fields.of({**BODY, **MONEY_FIELDS, "postingPeriod": Property("reference", read_only=True)}),
    sublists=RETURNS,
)


class CashRefunds(PostedSales):
    """The record type `cashRefund`."""

    def __init__(self, definition: Definition, context: Context) -> None:
        super().__init__(CASH_REFUND, definition, context)

    def transform(self, source: int, given: dict[str, Any]) -> int:
        """A refund of a cash sale, or of parts of it, from the account that the sale's money went to."""
        made = give_back(self.sales, CASH_REFUND, self.get(source), given, "account", "undepFunds")
        return self.finish(made, given)

    def settle(self, sale: Transaction, given: Mapping[str, Any]) -> None:  # noqa: ARG002
        """The money leaves an account, and there is so much to be paid back."""
        check_bank(self.context, sale, needed=True)
        source = self.context.ledger.get(sale.source or 0)
        if source is None or source.kind is not CASH_SALE:
            return
        others = [
            one
            for one in self.context.ledger.made_from(source.id, CASH_REFUND.record)
            if one.id != sale.id and not one.voided
        ]
        left = source.totals.total - sum((one.totals.total for one in others), ZERO)
        if sale.totals.total > left:
            detail = f"The refund can't exceed what is left of the cash sale, which is {left}."
            raise Refused("USER_ERROR", detail, "item")

    def status(self, sale: Transaction) -> str:  # noqa: ARG002
        """It has none."""
        return "Y"
