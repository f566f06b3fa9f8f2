"""The money sections of a mapping file for a sandbox's accounts, and all sections together, for `bcns demo` and `dev`.

Put here which of the account's own ledger accounts stand where; those of providers are in local_payouts.py, because
cash and refunds book to what payouts take from. Do not put files or environments here (local.py). A merchant writes
the same by hand, once, with the chart of accounts beside it (facts/finance.md 2.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcns_pipeline.cli.local_orders import order_sections
from bcns_pipeline.cli.local_payouts import payouts_section


def merchant_sections(accounting: Mapping[str, Any]) -> dict[str, Any]:
    """Every section that a merchant of orders and money writes; `accounting` is what the account says of itself."""
    return {**order_sections(accounting), **money_sections(accounting)}


def money_sections(accounting: Mapping[str, Any]) -> dict[str, Any]:
    """Where captures are booked, refunds and stored value are settled, and payouts are posted."""
    accounts = {number: int(one) for number, one in accounting["accounts"].items()}
    items = {name: int(number) for name, number in accounting["items"].items()}
    return {
        "payouts": payouts_section(accounting),
        "cash": {
            "accounts": {"bankdeposit": accounts["1010"]},
            "marketplaces": {"amazon": "amazon"},
            "gift_certificates": {"item": items["gift_redemption"]},
            "store_credit": {"item": items["store_credit"]},
            "refunds": _refunds(accounting),
        },
    }


def _refunds(accounting: Mapping[str, Any]) -> dict[str, Any]:
    """`cash.refunds`: items without stock, and the accounts that are no provider's."""
    items = {name: int(number) for name, number in accounting["items"].items()}
    accounts = {number: int(one) for number, one in accounting["accounts"].items()}
    return {
        "items": {
            "product": items["refund_no_return"],
            "goodwill": items["goodwill"],
            "restocking_fee": items["restocking"],
        },
        "receivable": accounts["1200"],
        "store_credit": accounts["2320"],
        "gift_certificate": accounts["2310"],
        "bank": {"USD": accounts["1010"]},
        "transfer": {"USD": accounts["1170"]},
    }
