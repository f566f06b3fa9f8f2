"""The types of transactions: their codes, numbers, statuses and the letters that stand for them.

Put what SuiteQL and REST call a type here. Do not put what a type does here. Source: facts/netsuite.md 2.2
and 3.6; the letters of a sales order run from A to H, a fulfilment is picked (A), packed (B) or shipped (C).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransactionType:
    """One type: REST's name, SuiteQL's code, what its numbers begin with, and whether it touches the ledger."""

    record: str
    code: str
    label: str
    prefix: str
    posting: bool
    statuses: Mapping[str, str]

    @property
    def recordtype(self) -> str:
        """SuiteQL's `recordtype`."""
        return self.record.lower()


SALES_ORDER = TransactionType(
    "salesOrder",
    "SalesOrd",
    "Sales Order",
    "SO",
    False,
    {
        "A": "Pending Approval",
        "B": "Pending Fulfillment",
        "C": "Cancelled",
        "D": "Partially Fulfilled",
        "E": "Pending Billing/Partially Fulfilled",
        "F": "Pending Billing",
        "G": "Billed",
        "H": "Closed",
    },
)
FULFILMENT = TransactionType(
    "itemFulfillment",
    "ItemShip",
    "Item Fulfillment",
    "IF",
    True,
    {"A": "Picked", "B": "Packed", "C": "Shipped"},
)
CASH_SALE = TransactionType(
    "cashSale", "CashSale", "Cash Sale", "CS", True, {"B": "Not Deposited", "C": "Deposited"}
)
TYPES = (SALES_ORDER, FULFILMENT, CASH_SALE)
FIRST_NUMBER = 1001


def status_rows() -> Iterator[dict[str, str]]:
    """The rows of SuiteQL's `transactionstatus`."""
    for kind in TYPES:
        for letter, name in kind.statuses.items():
            yield {
                "id": letter,
                "trantype": kind.code,
                "name": name,
                "fullname": f"{kind.label} : {name}",
            }
