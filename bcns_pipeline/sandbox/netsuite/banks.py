"""Where money may be put or taken from.

Put the check of a money account here. Do not put postings here. Sources: facts/finance.md 2.2: cash and refund
records name a cash or bank account, without one money lands among the undeposited funds. A bank account in a foreign
currency takes no other one.
"""

from __future__ import annotations

from typing import Any

from bcns_pipeline.sandbox.netsuite.chart import BANK
from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Property, enum, reference
from bcns_pipeline.sandbox.netsuite.errors import invalid_field, missing
from bcns_pipeline.sandbox.netsuite.ledger import Transaction

MONEY_FIELDS: dict[str, Property] = {
    "account": reference("account"),
    "undepFunds": enum("T", "F"),
    "paymentOption": reference("paymentmethod"),
    "checkNumber": Property("text"),
}


def check_bank(context: Context, transaction: Transaction, *, needed: bool = False) -> None:
    """Refuse an account that takes no money, is closed down, or holds another currency.

    `needed` is for money that leaves: it comes from somewhere.
    """
    chosen: Any = transaction.values.get("account")
    if chosen is None:
        if needed or transaction.values.get("undepFunds") == "F":
            raise missing("account")
        return
    account = context.account.accounts[chosen.id]
    foreign = account.currency not in (None, transaction.currency)
    if account.kind != BANK or account.inactive or foreign:
        raise invalid_field(chosen.id, "account", "account")
