"""How one merchant wants refunds posted: the mapping file's `cash.refunds`, ready for the rules.

Put the frozen policy here that the rules take. Do not read a file here (config/refunds.py). Ids are NetSuite's
internal ids; names of providers are folded, so that case does not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from bcns_pipeline.rules.money import Money

OnDecline = Literal["hold", "reverse"]
# Words of BigCommerce's for a refund that no gateway of the shop's has made.
STORE_CREDIT: Final = frozenset({"storecredit", "store_credit"})
GIFT_CERTIFICATE: Final = frozenset({"giftcertificate", "gift_certificate"})
EXTERNAL: Final = frozenset({"custom", "external"})


@dataclass(frozen=True, slots=True)
class RefundItems:
    """Items without stock that credit memos are made of (facts/netsuite.md 3.6): a refund moves no goods.

    `product` is "Refund, no return"; shipping and the like are None where the order's own item serves, as it does for
    certificates that were sold.
    """

    product: int | None = None
    goodwill: int | None = None
    restocking_fee: int | None = None
    shipping: int | None = None
    handling: int | None = None
    wrapping: int | None = None
    fee: int | None = None
    certificate: int | None = None


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """Everything that a merchant decides about refunds. Accounts by currency, "" for every other currency.

    `receivable` is A/R, `store_credit` and `gift_certificate` the liabilities that stored value goes back to, `bank`
    what offline refunds are paid from, `transfer` what deposits pass through that turn into stored value.
    `payment_methods` by provider, "bank", "transfer", or a pattern: what `payment_field` of a customer refund says
    (facts/netsuite.md 3.6: accounts differ in the field's name, and whether they want it).
    `match_days`: so long a refund outside the gateway may lack a provider's line.
    """

    items: RefundItems = RefundItems()
    receivable: int | None = None
    store_credit: int | None = None
    gift_certificate: int | None = None
    bank: Mapping[str, int] = field(default_factory=dict)
    bank_methods: frozenset[str] = frozenset()
    transfer: Mapping[str, int] = field(default_factory=dict)
    payment_methods: Mapping[str, int] = field(default_factory=dict)
    payment_field: str = "paymentOption"
    marketplace: str = ""
    on_decline: OnDecline = "hold"
    match_days: int = 3
    watch_days: int = 14
    wait_for_capture: bool = True
    max_rounding_lines: int = 5
    memo: str = "BigCommerce refund {id} of order {order}"
    materiality: Mapping[str, Decimal] = field(default_factory=dict)

    def bank_of(self, currency: str) -> int | None:
        """The account that refunds by bank or cheque are paid from."""
        return self.bank.get(currency, self.bank.get(""))

    def transfer_of(self, currency: str) -> int | None:
        """The account that deposits pass through which turn into stored value."""
        return self.transfer.get(currency, self.transfer.get(""))

    def too_large(self, amount: Money) -> str | None:
        """One sentence where an amount is above what may go without a person's approval."""
        limit = self.materiality.get(amount.currency)
        if limit is None or abs(amount) <= Money.of(limit, amount.currency):
            return None
        return f"{amount} is above cash.refunds.materiality of {limit} {amount.currency}."
