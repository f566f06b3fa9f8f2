"""Which NetSuite account takes what: the merchant's chart for each provider, and since when it holds.

Put roles and the look-up of accounts here. Do not put sums or classes of lines here (`journal.py`). Accounts are
NetSuite's internal ids. Cash and refunds book to `clearing_account`, the payout takes it out again, so all three
must ask here and nowhere else (facts/finance.md 2.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final


class Role(StrEnum):
    """What an account is for. The values are the keys of the mapping file."""

    BANK = "bank"
    CLEARING = "clearing"
    FEES = "fees"
    SERVICE_FEES = "service_fees"
    SELLING_FEES = "selling_fees"
    FULFILMENT_FEES = "fulfilment_fees"
    FEE_TAX = "fee_tax"
    DISPUTES = "disputes"
    DISPUTE_FEES = "dispute_fees"
    DISPUTE_LOSSES = "dispute_losses"
    RESERVES = "reserves"
    RETURNED_PAYOUTS = "returned_payouts"
    LOANS = "loans"
    DONATIONS = "donations"
    ADJUSTMENTS = "adjustments"
    CONVERSION = "conversion"
    CONNECT = "connect"
    FX = "fx"
    MARKETPLACE_TAX = "marketplace_tax"
    ACCRUED_FEES = "accrued_fees"
    PRE_CUTOVER = "pre_cutover"
    # Summary mode only: entries of clearing mode never touch these.
    REVENUE = "revenue"
    SHIPPING_REVENUE = "shipping_revenue"
    RETURNS = "returns"
    SALES_TAX = "sales_tax"
    STORED_VALUE = "stored_value"


# What only an order's own documents may move in clearing mode (facts/finance.md, finding 2).
REVENUE_AND_TAX: Final = frozenset({Role.REVENUE, Role.SHIPPING_REVENUE, Role.RETURNS, Role.SALES_TAX})

# Where the merchant has no account of its own for it, what stands in.
_INSTEAD: Final[Mapping[Role, Role]] = {
    Role.SERVICE_FEES: Role.FEES,
    Role.SELLING_FEES: Role.FEES,
    Role.FULFILMENT_FEES: Role.FEES,
    Role.FEE_TAX: Role.FEES,
    Role.DISPUTE_FEES: Role.FEES,
    Role.SHIPPING_REVENUE: Role.REVENUE,
}

# A currency's own account, or "" for the account of all currencies.
Key = tuple[Role, str]


@dataclass(frozen=True, slots=True)
class Chart:
    """Accounts from the day `since` on: what is not named here stays as it was. None = from the beginning.

    `categories` are accounts of single categories, by the provider's own word: they come before the role's.
    """

    since: date | None = None
    accounts: Mapping[Key, int] = field(default_factory=dict)
    categories: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProviderAccounts:
    """One merchant account at one provider. `subsidiary` is NetSuite's, in OneWorld accounts."""

    provider: str
    account: str
    charts: tuple[Chart, ...] = ()
    subsidiary: int | None = None

    def at(self, role: Role, currency: str, on: date) -> int | None:
        """The account of a role on a day; None where the merchant named none."""
        charts = self._newest_first(on)
        for wanted in (role, _INSTEAD.get(role)):
            if wanted is None:
                continue
            for chart in charts:
                found = chart.accounts.get((wanted, currency), chart.accounts.get((wanted, "")))
                if found is not None:
                    return found
        return None

    def of_category(self, category: str, on: date) -> int | None:
        """The account that the merchant gave a single category or a pattern of them; None: its class's."""
        word = category.casefold()
        for chart in self._newest_first(on):
            for pattern, account in chart.categories.items():
                if fnmatchcase(word, pattern.casefold()):
                    return account
        return None

    def every(self, role: Role) -> frozenset[int]:
        """All accounts that the role ever had."""
        return frozenset(
            account for chart in self.charts for (of, _), account in chart.accounts.items() if of is role
        )

    def _newest_first(self, on: date) -> list[Chart]:
        begun = [chart for chart in self.charts if chart.since is None or chart.since <= on]
        return sorted(begun, key=lambda chart: chart.since or date.min, reverse=True)


@dataclass(frozen=True, slots=True)
class AccountBook:
    """All providers of the merchant."""

    providers: tuple[ProviderAccounts, ...] = ()

    def of(self, provider: str, account: str = "") -> ProviderAccounts | None:
        """A provider's merchant account; without `account`, the provider's only one."""
        named = [one for one in self.providers if one.provider == provider]
        if account:
            return next((one for one in named if one.account == account), None)
        return named[0] if len(named) == 1 else None


def clearing_account(book: AccountBook, provider: str, account: str, currency: str, on: date) -> int | None:
    """The clearing account of a provider's merchant account on a day, `account` "" for its only one.

    None where the mapping file names none: then nothing may be booked, least of all to Undeposited Funds.
    """
    found = book.of(provider, account)
    return None if found is None else found.at(Role.CLEARING, currency, on)
