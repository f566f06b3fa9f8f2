"""What tests of NetSuite's money records say and ask, beside the desk.

Put bodies of deposits, payments and journals and looks into the ledger here. Do not put expectations here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.chart import ACCOUNTS
from bcns_pipeline_tests.sandbox.desk import Desk

NUMBERS = {account.id: account.number for account in ACCOUNTS}
IDS = {account.number: str(account.id) for account in ACCOUNTS}
STRIPE = {"account": {"id": IDS["1130"]}, "undepFunds": {"id": "F"}}


def ledger(desk: Desk, transaction: int) -> dict[str, Decimal]:
    """What a transaction does to each account, a debit positive; it must balance."""
    rows = desk.sql(
        """SELECT account, NVL(debit, 0) d, NVL(credit, 0) c, amount, posting
           FROM transactionaccountingline WHERE transaction = ?""",
        str(transaction),
    )
    found: dict[str, Decimal] = {}
    for row in rows:
        amount = Decimal(row["d"]) - Decimal(row["c"])
        assert amount == Decimal(row["amount"])
        number = NUMBERS[int(row["account"])]
        found[number] = found.get(number, Decimal(0)) + amount
    assert sum(found.values()) == 0, found
    return found


def balances(desk: Desk) -> dict[str, Decimal]:
    """The balance of every account that was posted to, a debit positive."""
    rows = desk.sql(
        """SELECT account, SUM(amount) s FROM transactionaccountingline WHERE posting = 'T'
           GROUP BY account ORDER BY account"""
    )
    return {NUMBERS[int(row["account"])]: Decimal(row["s"]) for row in rows}


def opened(desk: Desk, transaction: int) -> Decimal:
    """What is open of a document, in its currency."""
    row = desk.sql(
        "SELECT foreignamountunpaid a, foreignpaymentamountunused b FROM transaction WHERE id = ?",
        str(transaction),
    )[0]
    return Decimal(row.get("a") or row["b"])


def status(desk: Desk, transaction: int) -> str:
    """The letter of a transaction."""
    return desk.sql("SELECT status FROM transaction WHERE id = ?", str(transaction))[0]["status"]


def deposit(desk: Desk, order: int, amount: Any, **changes: Any) -> int:
    """A deposit of an order's customer on the Stripe clearing account."""
    desk.made += 1
    body = {
        "externalId": f"bc-deposit-{desk.made}",
        "customer": desk.get(f"salesOrder/{order}")["entity"],
        "salesOrder": {"id": str(order)},
        "payment": Decimal(str(amount)),
        **STRIPE,
        **changes,
    }
    return desk.post("customerDeposit", {name: value for name, value in body.items() if value is not None})


def shipped(desk: Desk, *lines: dict[str, Any], **changes: Any) -> int:
    """A sales order of which everything was shipped."""
    order = desk.order(*lines, **changes)
    desk.office.fulfil({"order": order, "lines": wanted(desk, order)})
    return order


def wanted(desk: Desk, order: int) -> list[dict[str, Any]]:
    """All that can be shipped of an order, on the shelf or not."""
    items = desk.get(f"salesOrder/{order}")["item"]["items"]
    kinds = ("InvtPart", "Assembly", "Kit", "NonInvtPart")
    return [
        {"line": one["line"], "quantity": float(one["quantity"])}
        for one in items
        if one["itemType"]["id"] in kinds
    ]


def invoice(desk: Desk, order: int, **body: Any) -> int:
    """An invoice of an order."""
    desk.made += 1
    return desk.post(
        f"salesOrder/{order}/!transform/invoice", {"externalId": f"bc-invoice-{desk.made}", **body}
    )
