"""How one merchant wants captures booked and orders billed: the mapping file's cash, ready for the rules.

Put the frozen policy here, and which account or item a tender is booked to. Do not read a file here
(`config/cash.py`). Names are folded; ids are NetSuite's internal ids. Which clearing account a provider has stands
in one place, `rules/payouts/accounts.py`, where payouts and refunds look as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final, Literal, TypeVar

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.policy import fold
from bcns_pipeline.rules.payouts.accounts import AccountBook, clearing_account

T = TypeVar("T")
Billing = Literal["pipeline", "netsuite"]
BillWhen = Literal["shipped", "complete"]
PostAs = Literal["deposit", "payment"]
StoredAs = Literal["credit_memo", "deposit"]
ClosedPeriod = Literal["next_open", "hold"]

# BigCommerce's names of gateways (facts/finance.md 1.1), where they are not the provider's own.
GATEWAYS: Final[Mapping[str, str]] = {
    "stripe*": "stripe",
    "paypal*": "paypal",
    "braintree*": "braintree",
    "adyen*": "adyen",
    "checkout*": "checkoutcom",
    "square*": "square",
}


@dataclass(frozen=True, slots=True)
class StoredValue:
    """How gift certificates, or store credit, are settled against their liability.

    `credit_memo`: a credit memo over `item`, which posts to the liability, applied to the invoice. `deposit`: a
    customer deposit on the liability's `account`, for NetSuite forms that offer it there.
    """

    as_: StoredAs = "credit_memo"
    item: int | None = None
    account: int | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a tender is booked: an account, or the item whose account it is. `provider` "" where none settles it."""

    account: int | None = None
    item: int | None = None
    provider: str = ""


@dataclass(frozen=True, slots=True)
class CashPolicy:
    """Everything that a merchant decides about cash. See `bcns.yaml` for what each means.

    `gateways` and `marketplaces` give providers by pattern, `accounts` an account for what no provider settles.
    `post_as` and `cash_sale_accounts` are by BigCommerce channel.
    """

    book: AccountBook = field(default_factory=AccountBook)
    gateways: Mapping[str, str] = field(default_factory=lambda: dict(GATEWAYS))
    accounts: Mapping[str, int] = field(default_factory=dict)
    marketplaces: Mapping[str, str] = field(default_factory=dict)
    post_as: Mapping[int, PostAs] = field(default_factory=dict)
    cash_sale_accounts: Mapping[int, int] = field(default_factory=dict)
    gift_certificates: StoredValue = StoredValue()
    store_credit: StoredValue = StoredValue()
    billing: Billing = "pipeline"
    bill_when: BillWhen = "shipped"
    closed_period: ClosedPeriod = "next_open"
    summary_channels: frozenset[int] = frozenset()
    memo: str = "BigCommerce order {id}"
    materiality: Mapping[str, Decimal] = field(default_factory=dict)

    def destination(self, gateway: str, currency: str, on: date) -> Destination | None:
        """Where money through that gateway is booked; None where nobody said."""
        account = _named(self.accounts, gateway)
        if account is not None:
            return Destination(account)
        return self._of_provider(_named(self.gateways, gateway) or fold(gateway), currency, on)

    def marketplace(self, source: str, currency: str, on: date) -> Destination | None:
        """Where the money of a marketplace's orders is booked; None where its settlements are not ours to post."""
        provider = _named(self.marketplaces, source)
        return None if provider is None else self._of_provider(provider, currency, on)

    def too_large(self, amount: Money) -> str | None:
        """One sentence where an amount is above what may go without a person's approval."""
        limit = self.materiality.get(amount.currency)
        if limit is None or abs(amount) <= Money.of(limit, amount.currency):
            return None
        return f"{amount} is above cash.materiality of {limit} {amount.currency}."

    def _of_provider(self, provider: str, currency: str, on: date) -> Destination | None:
        account = clearing_account(self.book, provider, "", currency, on)
        return None if account is None else Destination(account, provider=provider)


def _named(table: Mapping[str, T], name: str) -> T | None:
    """The entry of `name`: by itself first, then by the first pattern that fits."""
    wanted = fold(name)
    if wanted in table:
        return table[wanted]
    return next((value for pattern, value in table.items() if fnmatchcase(wanted, pattern)), None)
