"""Cash sales: paid and delivered at once, posted to the ledger on their day.

Put the rules of the type here. Do not put what other posting sales do as well here (postedsale.py). Source:
facts/netsuite.md 3.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcns_pipeline.sandbox.netsuite.applying import banked
from bcns_pipeline.sandbox.netsuite.banks import MONEY_FIELDS, check_bank
from bcns_pipeline.sandbox.netsuite.definition import Definition, Fields, Property
from bcns_pipeline.sandbox.netsuite.kinds import CASH_SALE
from bcns_pipeline.sandbox.netsuite.ledger import Transaction
from bcns_pipeline.sandbox.netsuite.postedsale import PostedSales
from bcns_pipeline.sandbox.netsuite.sales_fields import BODY, SUBLISTS

DEFINITION = Definition(
    name=CASH_SALE.record,
    group="transaction",
    fields=Fields.of(
        {**BODY, **MONEY_FIELDS, "postingPeriod": Property("reference", read_only=True)},
    ),
    sublists=SUBLISTS,
)
NOT_DEPOSITED, DEPOSITED = "B", "C"


class CashSales(PostedSales):
    """The record type `cashSale`."""

    def settle(self, sale: Transaction, given: Mapping[str, Any]) -> None:  # noqa: ARG002
        """The money goes to an account, or to the undeposited funds."""
        check_bank(self.context, sale)

    def status(self, sale: Transaction) -> str:
        """Deposited, or waiting to be."""
        return NOT_DEPOSITED if banked(sale) is None else DEPOSITED
