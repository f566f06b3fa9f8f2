"""Customer deposits: money taken before anything is billed, owed to the customer until it is applied.

Put the rules of the type here. Do not put what other money records do as well here (moneyrecord.py). Sources:
facts/netsuite.md 3.6: the field is `customer`, the amount is `payment`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcns_pipeline.sandbox.netsuite.banks import MONEY_FIELDS, check_bank
from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Definition, Fields, number, reference
from bcns_pipeline.sandbox.netsuite.errors import bad_reference
from bcns_pipeline.sandbox.netsuite.kinds import DEPOSIT, SALES_ORDER
from bcns_pipeline.sandbox.netsuite.ledger import Transaction
from bcns_pipeline.sandbox.netsuite.moneyrecord import HEADER, MoneyRecords

DEFINITION = Definition(
    name=DEPOSIT.record,
    group="transaction",
    fields=Fields.of({**HEADER, **MONEY_FIELDS, "salesOrder": reference("transaction"), "payment": number()}),
)
DEAD = ("C", "H")


class Deposits(MoneyRecords):
    """The record type `customerDeposit`."""

    def __init__(self, definition: Definition, context: Context) -> None:
        super().__init__(DEPOSIT, definition, context)

    def create(self, given: dict[str, Any]) -> int:
        """A new deposit; returns its id."""
        made = self.begin(given)
        self._order(made, given)
        made.totals.total = self.amount(made, given)
        self.values(made, given)
        check_bank(self.context, made)
        return self.finish(made)

    def _order(self, made: Transaction, given: Mapping[str, Any]) -> None:
        """The order must be the customer's, in the deposit's currency, and alive."""
        chosen = given.get("salesOrder")
        if chosen is None:
            return
        order = self.context.ledger.get(chosen.id)
        if (
            order is None
            or order.kind is not SALES_ORDER
            or order.status in DEAD
            or (order.entity, order.currency) != (made.entity, made.currency)
        ):
            raise bad_reference(chosen.id, "salesOrder", "salesOrder")
        made.source, made.subsidiary = order.id, order.subsidiary
