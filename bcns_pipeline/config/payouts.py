"""The mapping file's `payouts`: which accounts take what of a payout, and how payouts are posted.

Put keys of the payout flow here, with their defaults and what contradicts them. Do not put rules here
(rules/payouts). Accounts are NetSuite's internal ids. Cash and refunds take their clearing accounts from here
too, so that what they book is what the payout takes out again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator

from bcns_pipeline.config.base import (
    Calls,
    Currency,
    Exact,
    FieldName,
    Flag,
    Id,
    Name,
    Section,
    Text,
    TimeZone,
    Whole,
)
from bcns_pipeline.config.text import Several
from bcns_pipeline.rules.payouts.accounts import AccountBook, Chart, Key, ProviderAccounts, Role
from bcns_pipeline.rules.payouts.model import LineClass
from bcns_pipeline.rules.payouts.policy import (
    ORDER_HINTS,
    BankPolicy,
    FeeBand,
    PayoutPolicy,
    ProviderPolicy,
    Residual,
    Shift,
    Window,
    hint_fault,
)

# One account for all currencies, or one for each.
Account = Id | dict[Currency, Id]
_ROLES: Final = {role.value: role for role in Role}
_PLAIN: Final = PayoutPolicy()
_BAND: Final = FeeBand(Decimal(0))
ClassName = Literal[
    "gross_sales", "partial_capture_reversal", "charge_failure", "sales_discount", "refund", "refund_returned",
    "chargeback", "chargeback_returned", "chargeback_lost", "fee_standalone", "fee_selling", "fee_fulfilment",
    "fee_dispute", "fee_tax", "reserve", "reserve_minbal", "marketplace_tax", "loan", "donation", "adjustment",
    "conversion", "transfer_in", "connect", "payout_returned",
]  # fmt: skip


class CategoryMapping(Section):
    """What one of the provider's categories means, where the pipeline does not know it or knows it otherwise."""

    class_: ClassName = Field(alias="class", description="What a line of the category means for the books.")
    account: Id | None = Field(None, description="Its own account; default: the one of its class.")


class AccountsMapping(Section):
    """NetSuite's accounts, one for all currencies or {USD: 1130, EUR: 1131}."""

    bank: Account | None = Field(None, description="Where payouts arrive.")
    clearing: Account | None = Field(
        None, description="One per provider, merchant account and currency; type Bank."
    )
    fees: Account | None = Field(None, description="Fees of charges and refunds, and all others' default.")
    service_fees: Account | None = Field(None, description="Fees that stand alone, e.g. Stripe Radar.")
    selling_fees: Account | None = Field(None, description="Marketplaces: commission.")
    fulfilment_fees: Account | None = Field(None, description="Marketplaces: picking, packing, storage.")
    fee_tax: Account | None = Field(None, description="Input tax on fees.")
    disputes: Account | None = Field(None, description="What is in dispute: a receivable.")
    dispute_fees: Account | None = None
    dispute_losses: Account | None = Field(None, description="Disputes that were lost.")
    reserves: Account | None = Field(None, description="What the provider holds back.")
    returned_payouts: Account | None = Field(
        None, description="Payouts that failed and are on their way back."
    )
    loans: Account | None = Field(None, description="The provider's loans to the merchant.")
    donations: Account | None = None
    adjustments: Account | None = None
    conversion: Account | None = Field(None, description="Between the provider's balances of two currencies.")
    connect: Account | None = Field(None, description="Transfers between accounts of a platform.")
    fx: Account | None = Field(None, description="Realised gain or loss of exchange rates.")
    marketplace_tax: Account | None = Field(None, description="Tax that a marketplace remits: always a wash.")
    accrued_fees: Account | None = Field(None, description="For payouts.accrual.")
    pre_cutover: Account | None = Field(None, description="Lines older than cutover.at.")
    revenue: Account | None = Field(None, description="For payouts.summary_channels only, as the next four.")
    shipping_revenue: Account | None = None
    returns: Account | None = None
    sales_tax: Account | None = None
    stored_value: Account | None = None

    def accounts(self) -> dict[Key, int]:
        """By role and currency, "" for all currencies."""
        found: dict[Key, int] = {}
        for name, role in _ROLES.items():
            given = getattr(self, name)
            if isinstance(given, int):
                found[role, ""] = given
            elif given is not None:
                found.update({(role, currency): account for currency, account in given.items()})
        return found


class ChangeMapping(AccountsMapping):
    """Other accounts from a day on; what is not named stays as it was."""

    since: date = Field(description="The first day that they hold for.")
    categories: dict[Name, ClassName | CategoryMapping] = Field(default_factory=dict)


class FeeBandMapping(Section):
    """What the contract says a charge costs; a fee outside is told, and posted all the same."""

    percent: Annotated[Exact, Field(le=100)]
    fixed: dict[Currency, Exact] = Field(default_factory=dict, description="Per charge, by currency.")
    tolerance_percent: Annotated[Exact, Field(le=100)] = Field(
        _BAND.tolerance_percent, description="Of the expected fee, up or down."
    )


class ProviderMapping(AccountsMapping):
    """One merchant account at one provider."""

    provider: Annotated[Text, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=30)] | None = Field(
        None, description="stripe, paypal, adyen, braintree, amazon or a file's; default: the key above."
    )
    account: Annotated[Text, Field(min_length=1, max_length=60)] = Field(
        "default", description="The merchant account at the provider, as natural keys name it."
    )
    subsidiary: Id | None = Field(None, description="NetSuite subsidiary; needed in OneWorld accounts.")
    categories: dict[Name, ClassName | CategoryMapping] = Field(
        default_factory=dict, description="The provider's word, or a pattern such as transfer*."
    )
    fee_band: FeeBandMapping | None = None
    reserve_days: Annotated[Whole, Field(ge=1, le=3660)] | None = Field(
        None, description="Days after which the contract gives a reserve back: `bcns report reserves`."
    )
    changes: tuple[ChangeMapping, ...] = Field((), description="Accounts that changed, and since when.")

    @field_validator("changes")
    @classmethod
    def _one_a_day(cls, changes: tuple[ChangeMapping, ...]) -> tuple[ChangeMapping, ...]:
        if len({one.since for one in changes}) < len(changes):
            raise ValueError("two changes begin on the same day; make one of them")
        return changes

    def charts(self) -> tuple[Chart, ...]:
        """What the rules need, oldest first."""
        first = Chart(None, self.accounts(), _categories(self.categories))
        later = (Chart(one.since, one.accounts(), _categories(one.categories)) for one in self.changes)
        return (first, *sorted(later, key=lambda chart: chart.since or date.min))

    def classes(self) -> dict[str, LineClass]:
        """The merchant's words, those of `changes` included: what a word means does not depend on the day."""
        groups = (self.categories, *(one.categories for one in self.changes))
        return {
            word: LineClass(one if isinstance(one, str) else one.class_)
            for group in groups
            for word, one in group.items()
        }


class WindowMapping(Section):
    """The days on which entries may be posted, by the date they carry."""

    days_back: Annotated[Whole, Field(ge=0, le=3660)] | None = Field(
        None, description="Not older than this; a payout older still waits for a person."
    )
    days_ahead: Annotated[Whole, Field(ge=0, le=366)] = Field(
        0, description="Not later than this; providers name arrival dates in the future."
    )


class BankMapping(Section):
    """How payouts and the bank's lines find each other."""

    days: Annotated[Whole, Field(ge=0, le=15)] = Field(
        _PLAIN.bank.days, description="Business days after arrival that a line may be booked on."
    )
    holidays: tuple[date, ...] = Field(
        (), description="Days besides Saturday and Sunday on which no bank books."
    )
    descriptors: dict[Name, tuple[Name, ...]] = Field(
        default_factory=dict,
        description="By provider: what its lines have in their text; case does not count.",
    )


class AccrualMapping(Section):
    """Fees of charges that no payout of the month has settled."""

    post: Flag = Field(False, description="Post it, with a reversal on the next day; it is always shown.")
    days: Annotated[Whole, Field(ge=0, le=27)] = Field(
        _PLAIN.accrual_days,
        description="Days of the next month to wait: what payouts of these days say is what can be accrued.",
    )
    materiality_percent: Annotated[Exact, Field(le=100)] = Field(
        _PLAIN.accrual_percent, description="Of the month's fees; less is shown and never posted."
    )


class FilesMapping(Section):
    """How settlement files are read where they do not say it themselves."""

    braintree_fees: Literal["netted", "monthly"] = Field(
        "netted",
        description="Whether Braintree keeps its fees from each disbursement, or bills them by the month.",
    )
    stripe_zone: TimeZone = Field(
        "UTC", description="Time zone of a Stripe report without _utc columns, e.g. America/New_York."
    )
    paypal_digits: dict[Currency, Annotated[Whole, Field(ge=0, le=4)]] = Field(
        default_factory=dict,
        description="Digits after the point in PayPal's whole numbers, where they are not those of ISO 4217.",
    )


class PayoutsMapping(Section):
    """Payouts, from providers and banks to journal entries."""

    providers: dict[Name, ProviderMapping] = Field(
        default_factory=dict, description="By provider, or by a name of yours where one has several accounts."
    )
    summary_channels: tuple[Id, ...] = Field(
        (), description="BigCommerce channels whose orders are never billed one by one; payouts post them."
    )
    approved: Flag = Field(False, description="False: a person approves each entry in NetSuite.")
    window: WindowMapping = WindowMapping()
    closed_period: Shift = Field(
        "next_open_day", description="Where the day's period is closed: the next open day, or park."
    )
    fx_residual: Residual = Field(
        "revaluation", description="Payouts in the shopper's currency: revaluation | companion (an entry)."
    )
    fx_band_percent: Annotated[Exact, Field(le=100)] = Field(
        _PLAIN.fx_band_percent, description="Exchange differences of a line above this are told."
    )
    unmatched: Literal["post", "wait"] = Field(
        "post",
        description="Lines of no known order: post them in the clearing account, or let the payout wait.",
    )
    order_hints: tuple[Name, ...] = Field(
        ORDER_HINTS, description="Patterns whose one group is the order number in a provider's text."
    )
    files: FilesMapping = FilesMapping()
    bank: BankMapping = BankMapping()
    accrual: AccrualMapping = AccrualMapping()
    stale_days: Annotated[Whole, Field(ge=1, le=366)] = Field(
        _PLAIN.stale_days, description="Open lines of a clearing account older than this are told."
    )
    ask_ledger: bool = Field(
        _PLAIN.asks_ledger,
        description="Ask NetSuite for the balance of each clearing account, and what others booked there.",
    )
    payout_field: FieldName | None = Field(None, description="E.g. custbody_psp_payout_id: the payout's id.")
    economic_date_field: FieldName | None = Field(
        None, description="E.g. custbody_economic_date: the arrival date, where another day was posted to."
    )
    source_field: FieldName | None = Field(None, description="E.g. custbody_src_sha256: hash of the source.")
    materiality: dict[Currency, Exact] = Field(
        default_factory=dict, description="By currency; payouts above it are held until somebody approves."
    )
    call_budget: Calls = Field(
        5000, description="API calls that one run should not exceed; more is reported, never refused."
    )

    @field_validator("order_hints")
    @classmethod
    def _patterns(cls, hints: tuple[str, ...]) -> tuple[str, ...]:
        faults = [fault for hint in hints if (fault := hint_fault(hint))]
        if faults:
            raise Several(faults)
        return hints

    @field_validator("providers")
    @classmethod
    def _each_once(cls, providers: dict[str, ProviderMapping]) -> dict[str, ProviderMapping]:
        seen: dict[tuple[str, str], str] = {}
        faults = []
        for name, one in providers.items():
            key = (one.provider or name, one.account)
            if key in seen:
                faults.append(f"{name} and {seen[key]} are the same account {key[1]!r} of {key[0]}")
            seen[key] = name
        if faults:
            raise Several(faults)
        return providers

    def book(self) -> AccountBook:
        """Accounts of all providers: what cash, refunds and payouts post to."""
        return AccountBook(
            tuple(
                ProviderAccounts(one.provider or name, one.account, one.charts(), one.subsidiary)
                for name, one in self.providers.items()
            )
        )

    def reserve_days(self) -> dict[tuple[str, str], int]:
        """By provider and account: after how many days a reserve is given back, where the merchant says so."""
        return {
            (one.provider or name, one.account): one.reserve_days
            for name, one in self.providers.items()
            if one.reserve_days is not None
        }

    def fee_bands(self) -> dict[tuple[str, str], FeeBand]:
        """By provider and account: what a charge should cost, where the merchant says so."""
        return {
            (one.provider or name, one.account): band
            for name, one in self.providers.items()
            if (band := _band(one.fee_band)) is not None
        }

    def policy(self) -> PayoutPolicy:
        """What the rules need."""
        return PayoutPolicy(
            book=self.book(),
            providers={
                (one.provider or name, one.account): ProviderPolicy(one.classes(), _band(one.fee_band))
                for name, one in self.providers.items()
            },
            summary_channels=frozenset(self.summary_channels),
            approved=self.approved,
            window=Window(self.window.days_back, self.window.days_ahead),
            closed_period=self.closed_period,
            residual=self.fx_residual,
            fx_band_percent=self.fx_band_percent,
            unmatched_waits=self.unmatched == "wait",
            order_hints=self.order_hints,
            bank=BankPolicy(
                self.bank.days,
                frozenset(self.bank.holidays),
                {
                    name: tuple(word.casefold() for word in words)
                    for name, words in self.bank.descriptors.items()
                },
            ),
            accrues=self.accrual.post,
            accrual_days=self.accrual.days,
            accrual_percent=self.accrual.materiality_percent,
            stale_days=self.stale_days,
            asks_ledger=self.ask_ledger,
            payout_field=self.payout_field or "",
            economic_date_field=self.economic_date_field or "",
            source_field=self.source_field or "",
            materiality=dict(self.materiality),
        )

    def faults(self) -> Iterator[str]:
        """What posting payouts needs and is not there, as sentences."""
        if not self.providers:
            yield "payouts.providers is empty; name each provider's clearing, bank and fees account."
        for name, one in self.providers.items():
            for key in ("clearing", "bank", "fees"):
                if getattr(one, key) is None:
                    yield f"payouts.providers.{name}.{key} is missing; name the NetSuite account."
            if self.summary_channels:
                for key in ("revenue", "returns", "sales_tax"):
                    if getattr(one, key) is None:
                        yield (
                            f"payouts.providers.{name}.{key} is missing; payouts of payouts.summary_channels "
                            "post to it."
                        )
            if self.accrual.post and one.accrued_fees is None:
                yield f"payouts.providers.{name}.accrued_fees is missing, as payouts.accrual.post is true."
            if one.conversion is None and len(_currencies(one.clearing)) > 1 and one.fx is None:
                yield f"payouts.providers.{name}.fx is missing; several currencies leave differences behind."


def _categories(given: Mapping[str, str | CategoryMapping]) -> dict[str, int]:
    return {
        word: one.account
        for word, one in given.items()
        if not isinstance(one, str) and one.account is not None
    }


def _band(given: FeeBandMapping | None) -> FeeBand | None:
    return FeeBand(given.percent, dict(given.fixed), given.tolerance_percent) if given else None


def _currencies(given: Any) -> tuple[str, ...]:
    return tuple(given) if isinstance(given, dict) else ()
