"""The mapping file's `cash`: how captures are booked, who bills, and what settles stored value.

Put keys of the cash flow here, with their defaults and what contradicts them. Do not put rules here (rules/cash).
Clearing accounts stand under `payouts.providers`, where payouts and refunds look as well; what differs by
storefront (receipts, cash_account) stands under `channels`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from bcns_pipeline.config.base import Calls, CronLine, Currency, Exact, Flag, Id, Name, Section, Text, Whole
from bcns_pipeline.config.channels import ChannelMapping
from bcns_pipeline.config.payouts import PayoutsMapping
from bcns_pipeline.config.refunds import RefundsMapping
from bcns_pipeline.rules.cash.policy import (
    GATEWAYS,
    Billing,
    BillWhen,
    CashPolicy,
    ClosedPeriod,
    StoredAs,
    StoredValue,
)
from bcns_pipeline.rules.orders.policy import fold

Provider = Annotated[Text, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=30)]


class StoredValueMapping(Section):
    """How a used gift certificate, or store credit, is taken off its liability."""

    as_: StoredAs = Field(
        "credit_memo",
        alias="as",
        description="credit_memo over item, applied to the invoice | deposit on account.",
    )
    item: Id | None = Field(None, description="A non-taxable item that posts to the liability.")
    account: Id | None = Field(
        None, description="The liability account; default: that of cash.refunds. as: deposit needs it."
    )
    moved_by_others: Flag = Field(
        True,
        description="People move the account as well: what expired, what was given by hand. false: whatever is neither "
        "ours nor sold is a question (LIABILITY_DRIFT).",
    )

    def value(self) -> StoredValue:
        """What the rules need."""
        return StoredValue(self.as_, self.item, self.account)


class CashPollMapping(Section):
    """How often captures and fulfilled orders are looked for. NetSuite's clock, so the overlap is larger."""

    seconds: Annotated[Whole, Field(ge=30, le=86_400)] = 110
    overlap_minutes: Annotated[Whole, Field(ge=1, le=1440)] = 15


class CashMapping(Section):
    """Captures, deposits and invoices, from BigCommerce to NetSuite."""

    sync: Flag = Field(True, description="Captures are booked, once payouts.providers says where.")
    gateways: dict[Name, Provider] = Field(
        default_factory=lambda: dict(GATEWAYS),
        description="BigCommerce's gateway, or a pattern, to the provider that settles it.",
    )
    accounts: dict[Name, Id] = Field(
        default_factory=dict,
        description="Accounts of gateways that no provider settles, e.g. {bankdeposit: 1010}.",
    )
    marketplaces: dict[Name, Provider] = Field(
        default_factory=dict,
        description="order_source, or a pattern, to the provider whose settlement pays it.",
    )
    gift_certificates: StoredValueMapping = StoredValueMapping()
    store_credit: StoredValueMapping = StoredValueMapping()
    billing: Billing = Field(
        "pipeline",
        description="pipeline invoices what was fulfilled | netsuite: its invoices are recognised.",
    )
    bill_when: BillWhen = Field(
        "shipped", description="shipped: an invoice per state | complete: one, at the end."
    )
    closed_period: ClosedPeriod = Field(
        "next_open", description="Where a record's day is in a closed period: next_open day, or hold it."
    )
    memo: Annotated[Text, Field(max_length=200)] = Field(
        "BigCommerce order {id}", description="{id}: its id."
    )
    authorised_hours: Annotated[Whole, Field(ge=1, le=720)] = Field(
        6, description="An order with an open authorisation is read again so often, besides when it changes."
    )
    materiality: dict[Currency, Exact] = Field(
        default_factory=dict, description="By currency; records above it are held until somebody approves."
    )
    check_schedule: CronLine = Field(
        "17 4 * * *", description="When captured less refunded is compared with NetSuite, order by order."
    )
    check_days: Annotated[Whole, Field(ge=1, le=400)] = Field(35, description="How far back that looks.")
    refunds: RefundsMapping = RefundsMapping()
    poll: CashPollMapping = CashPollMapping()
    batch: Annotated[Whole, Field(ge=1, le=500)] = Field(
        500, description="Orders that one run takes at most."
    )
    call_budget: Calls = Field(
        5000, description="API calls that one run should not exceed; more is reported, never refused."
    )

    def liabilities(self) -> dict[str, int]:
        """{kind of stored value: its liability account} of those that are named."""
        named = {
            "gift_certificate": self.gift_certificates.account or self.refunds.gift_certificate,
            "store_credit": self.store_credit.account or self.refunds.store_credit,
        }
        return {kind: account for kind, account in named.items() if account is not None}

    def moved_by_us_alone(self) -> frozenset[int]:
        """Liability accounts that nobody else moves, by the merchant's word for every kind on them."""
        told = {"gift_certificate": self.gift_certificates, "store_credit": self.store_credit}
        named = self.liabilities()
        theirs = {account for kind, account in named.items() if told[kind].moved_by_others}
        return frozenset(named.values()) - theirs

    def policy(self, payouts: PayoutsMapping, channels: Mapping[int, ChannelMapping]) -> CashPolicy:
        """What the rules need."""
        return CashPolicy(
            book=payouts.book(),
            gateways={fold(name): provider for name, provider in self.gateways.items()},
            accounts={fold(name): account for name, account in self.accounts.items()},
            marketplaces={fold(name): provider for name, provider in self.marketplaces.items()},
            post_as={number: one.receipts for number, one in channels.items()},
            cash_sale_accounts={
                number: one.cash_account for number, one in channels.items() if one.cash_account is not None
            },
            gift_certificates=self.gift_certificates.value(),
            store_credit=self.store_credit.value(),
            billing=self.billing,
            bill_when=self.bill_when,
            closed_period=self.closed_period,
            summary_channels=frozenset(payouts.summary_channels),
            memo=self.memo,
            materiality=dict(self.materiality),
        )

    def faults(self, payouts: PayoutsMapping, channels: Mapping[int, ChannelMapping]) -> Iterator[str]:
        """What booking captures needs and is not there, as sentences."""
        if not payouts.providers and not self.accounts:
            yield "payouts.providers is empty; name each provider's clearing account, or captures can't be booked."
        for name, one in (("gift_certificates", self.gift_certificates), ("store_credit", self.store_credit)):
            if one.as_ == "deposit" and one.account is None:
                yield f"cash.{name}.account is missing; as: deposit needs the liability account."
        for number, channel in channels.items():
            if channel.record == "cash_sale" and channel.cash_account is None:
                yield (
                    f"channels.{number}.cash_account is missing; its cash sales would go to Undeposited Funds, "
                    "where no payout looks for them."
                )
