"""The types of transactions: their codes, numbers, statuses and the letters that stand for them.

Put what SuiteQL and REST call a type here. Do not put what a type does here. Source: facts/netsuite.md 2.2
and 3.6; the letters of a sales order run from A to H, a fulfilment is picked (A), packed (B) or shipped (C). Those of a
return authorisation are unverified. Receipts, refunds and deposit applications have no status of their own; NetSuite
calls it Undefined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransactionType:
    """One type: REST's name, SuiteQL's code, what its numbers begin with, and whether it touches the ledger.

    `sign` is what its main line does: 1 debits, -1 credits. SuiteQL shows the header's totals with it. `link` is
    how a link calls it from what it was made of.
    """

    record: str
    code: str
    label: str
    prefix: str
    posting: bool
    statuses: Mapping[str, str]
    sign: int = 1
    link: str = "OrdBill"

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
INVOICE = TransactionType(
    "invoice",
    "CustInvc",
    "Invoice",
    "INV",
    True,
    {"A": "Open", "B": "Paid In Full", "V": "Voided"},
)
CREDIT_MEMO = TransactionType(
    "creditMemo",
    "CustCred",
    "Credit Memo",
    "CM",
    True,
    {"A": "Open", "B": "Fully Applied", "V": "Voided"},
    sign=-1,
    link="SaleRet",
)
CASH_REFUND = TransactionType(
    "cashRefund", "CashRfnd", "Cash Refund", "CR", True, {"Y": "Undefined"}, sign=-1, link="SaleRet"
)
RETURN = TransactionType(
    "returnAuthorization",
    "RtnAuth",
    "Return Authorization",
    "RMA",
    False,
    {
        "A": "Pending Approval",
        "B": "Pending Receipt",
        "C": "Cancelled",
        "D": "Partially Received",
        "E": "Pending Refund/Partially Received",
        "F": "Pending Refund",
        "G": "Refunded",
        "H": "Closed",
    },
    sign=-1,
    link="SaleRet",
)
RECEIPT = TransactionType(
    "itemReceipt", "ItemRcpt", "Item Receipt", "IR", True, {"Y": "Undefined"}, sign=-1, link="ShipRcpt"
)
DEPOSIT = TransactionType(
    "customerDeposit",
    "CustDep",
    "Customer Deposit",
    "CD",
    True,
    {"A": "Not Deposited", "B": "Deposited", "C": "Fully Applied", "V": "Voided"},
    link="OrdDep",
)
APPLICATION = TransactionType(
    "depositApplication",
    "DepAppl",
    "Deposit Application",
    "DA",
    True,
    {"Y": "Undefined", "V": "Voided"},
    link="DepAppl",
)
PAYMENT = TransactionType(
    "customerPayment",
    "CustPymt",
    "Payment",
    "PYMT",
    True,
    {"B": "Not Deposited", "C": "Deposited", "V": "Voided"},
    link="Payment",
)
REFUND = TransactionType(
    "customerRefund",
    "CustRfnd",
    "Customer Refund",
    "RFND",
    True,
    {"Y": "Undefined", "V": "Voided"},
    sign=-1,
    link="Payment",
)
JOURNAL = TransactionType(
    "journalEntry",
    "Journal",
    "Journal",
    "JE",
    True,
    {"A": "Pending Approval", "B": "Approved for Posting", "V": "Voided"},
    link="RevJrnl",
)
TYPES = (
    SALES_ORDER,
    FULFILMENT,
    CASH_SALE,
    INVOICE,
    CREDIT_MEMO,
    CASH_REFUND,
    RETURN,
    RECEIPT,
    DEPOSIT,
    APPLICATION,
    PAYMENT,
    REFUND,
    JOURNAL,
)
# Goods move with their lines, and no money.
MOVEMENTS = (FULFILMENT, RECEIPT)
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
