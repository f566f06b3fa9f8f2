"""The payouts section of a mapping file for a sandbox's accounts: what `bcns demo` and `bcns dev` post by.

Put here which of the account's own ids stand where. Do not put files or environments here (local.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def payouts_section(accounting: Mapping[str, Any]) -> dict[str, Any]:
    """Every account that a payout of these providers may need; `accounting` is what the account says of itself."""
    number = {name: int(one) for name, one in accounting["accounts"].items()}
    shared = {
        "subsidiary": 1,
        "bank": number["1010"],
        "fees": number["6110"],
        "service_fees": number["6111"],
        "fee_tax": number["1180"],
        "disputes": number["1140"],
        "dispute_fees": number["6120"],
        "dispute_losses": number["6130"],
        "reserves": number["1150"],
        "returned_payouts": number["1160"],
        "loans": number["2500"],
        "fx": number["7100"],
        "adjustments": number["6111"],
        "accrued_fees": number["2395"],
        "pre_cutover": number["1195"],
    }
    marketplace = {"selling_fees": number["6115"], "fulfilment_fees": number["6116"]}
    clearing = {"stripe": "1130", "paypal": "1131", "adyen": "1132", "braintree": "1134", "amazon": "1135"}
    # As the sandbox's files name the merchant; the others name nobody.
    named = {"paypal": "SANDBOXMERCH1", "adyen": "SandboxTradingECOM", "braintree": "sandboxtrading"}
    return {
        "providers": {
            provider: {
                **shared,
                "account": named.get(provider, "acct1"),
                "clearing": number[account],
                **(marketplace | {"marketplace_tax": number["2345"]} if provider == "amazon" else {}),
            }
            for provider, account in clearing.items()
        }
    }
