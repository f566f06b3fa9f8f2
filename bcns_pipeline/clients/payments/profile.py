"""What a reader must know about the merchant that no file says.

Put choices here that change how bytes are read, and nothing about accounts in the ledger. The same bytes with the same
profile give the same settlements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

# Where a file names no merchant account of its own, and the profile does not either.
DEFAULT_ACCOUNT: Final = "default"


@dataclass(frozen=True, slots=True)
class FileProfile:
    """`accounts`: the merchant account's name by provider, for files that name none (Stripe, generic CSV without the
    column). `braintree_fees`: "netted" where Braintree keeps its fees from each disbursement, "monthly" where it bills
    them. `stripe_zone`: the time zone of a Stripe report that has no _utc columns. `paypal_digits`: digits of PayPal's
    whole numbers by currency, where they are not those of ISO 4217.
    """

    accounts: Mapping[str, str] = field(default_factory=dict)
    braintree_fees: Literal["netted", "monthly"] = "netted"
    stripe_zone: str = "UTC"
    paypal_digits: Mapping[str, int] = field(default_factory=dict)

    def account(self, provider: str) -> str:
        """The merchant account's name for a file that names none."""
        return self.accounts.get(provider, DEFAULT_ACCOUNT)
