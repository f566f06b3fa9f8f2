"""The money sections of a mapping file for a sandbox's accounts: what `bcns demo` and `bcns dev` book captures by.

Put here which of the account's own ledger accounts stand where. Do not put files or environments here (local.py). A
merchant writes the same by hand, once, with the chart of accounts beside it (facts/finance.md 2.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def money_sections(accounting: Mapping[str, Any]) -> dict[str, Any]:
    """Where captures are booked and stored value is settled; `accounting` is what the account says of itself."""
    accounts = {number: int(one) for number, one in accounting["accounts"].items()}
    items = {name: int(number) for name, number in accounting["items"].items()}
    shared = {
        "bank": accounts["1010"],
        "fees": accounts["6110"],
        "service_fees": accounts["6111"],
        "disputes": accounts["1140"],
        "dispute_fees": accounts["6120"],
        "dispute_losses": accounts["6130"],
        "reserves": accounts["1150"],
        "returned_payouts": accounts["1160"],
        "fx": accounts["7100"],
        "subsidiary": 1,
    }
    return {
        "payouts": {
            "providers": {
                "stripe": {**shared, "clearing": accounts["1130"]},
                "paypal": {**shared, "clearing": accounts["1131"]},
                "amazon": {
                    **shared,
                    "clearing": accounts["1135"],
                    "selling_fees": accounts["6115"],
                    "fulfilment_fees": accounts["6116"],
                    "marketplace_tax": accounts["2345"],
                },
            }
        },
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
