"""All journal entries as a ledger in Beancount's language, for a checker that shares no code with us.

Put the language here. Do not put reads here. An entry that does not balance is written as it is: that is for the
checker to find.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from bcns_pipeline.rules.money import Money

# By role of the line; an account of no role known stands under Equity, where a reader sees that it is odd.
_ROOTS = {
    **dict.fromkeys(("bank", "clearing", "disputes", "reserves", "returned_payouts", "fee_tax"), "Assets"),
    **dict.fromkeys(
        (
            "fees",
            "service_fees",
            "selling_fees",
            "fulfilment_fees",
            "dispute_fees",
            "dispute_losses",
            "fx",
            "donations",
        ),
        "Expenses",
    ),
    **dict.fromkeys(("loans", "marketplace_tax", "accrued_fees", "sales_tax", "stored_value"), "Liabilities"),
    **dict.fromkeys(("revenue", "shipping_revenue", "returns"), "Income"),
}

_NO_NUMBERS: Mapping[int, str] = {}


def export(entries: Sequence[Mapping[str, Any]], numbers: Mapping[int, str] = _NO_NUMBERS) -> str:
    """The ledger: an `open` for each account at its first day, then one transaction per entry. `!` awaits approval.

    Accounts are called by `numbers`, by internal id; one without, or with another's, by its id.
    """
    roots: dict[int, str] = {}
    first: dict[int, Any] = {}
    for row in entries:
        # An account has one root, whatever its lines are for.
        roots.setdefault(row["account"], _ROOTS.get(row["role"], "Equity"))
        first[row["account"]] = min(first.get(row["account"], row["tran_date"]), row["tran_date"])
    names = _names(first, numbers)
    written = [
        f"{day} open {roots[account]}:{names[account]}"
        for account, day in sorted(first.items(), key=lambda one: (one[1], one[0]))
    ]
    for key, group in groupby(entries, key=lambda row: row["natural_key"]):
        lines = list(group)
        head = lines[0]
        flag = "*" if head["approved"] else "!"
        text = [f'{head["tran_date"]} {flag} "{_plain(head["kind"])}" "{_plain(key)}"']
        for row in lines:
            amount = Money(row["debit"] - row["credit"], row["currency"]).amount
            account = f"{roots[row['account']]}:{names[row['account']]}"
            text.append(f"  {account}  {amount:f} {row['currency']}")
        written.append("\n".join(text))
    return "\n\n".join(written) + "\n"


def _names(accounts: Iterable[int], numbers: Mapping[int, str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for account in sorted(accounts):
        name = "A" + re.sub(r"[^A-Za-z0-9-]", "-", numbers.get(account, ""))
        found[account] = name if len(name) > 1 and name not in found.values() else f"Id{account}"
    return found


def _plain(text: str) -> str:
    return re.sub(r'["\\\n\r]', " ", text)
