"""The mapping file's `cash.refunds`: as what refunds decided in BigCommerce arrive in NetSuite.

Put keys of the refund flow here, with their defaults and what is missed where nothing is safe. Do not put arithmetic
here (rules/refunds). Ids are NetSuite's internal ids. Which account is which provider's clearing account stands under
`payouts.providers` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from bcns_pipeline.config.base import Calls, Currency, Exact, FieldName, Flag, Id, Name, Section, Text, Whole
from bcns_pipeline.rules.orders.policy import fold
from bcns_pipeline.rules.refunds.policy import OnDecline, RefundItems, RefundPolicy

_PAID_BY_BANK = ("bank deposit", "cash", "cash on delivery", "check", "cheque", "money order", "offline")


class RefundItemsMapping(Section):
    """Items without stock that credit memos are made of: a refund moves no goods, a receipt does."""

    product: Id | None = Field(
        None, description="Units given back: 'Refund, no return', on a returns account."
    )
    goodwill: Id | None = Field(None, description="Amounts given back of the whole order; not taxable.")
    restocking_fee: Id | None = Field(None, description="What the shop keeps; its lines are negative.")
    shipping: Id | None = Field(None, description="Default: orders.shipping.item.")
    handling: Id | None = Field(None, description="Default: orders.handling.item.")
    gift_wrapping: Id | None = Field(None, description="Default: orders.gift_wrapping.item.")
    fee: Id | None = Field(None, description="Default: orders.fees.")
    gift_certificate: Id | None = Field(
        None,
        description="Certificates that were sold and come back; default: orders.gift_certificates.item.",
    )


class RefundPollMapping(Section):
    """How new refunds are looked for, beside webhooks."""

    seconds: Annotated[Whole, Field(ge=30, le=86_400)] = 95
    overlap_minutes: Annotated[Whole, Field(ge=1, le=1440)] = 10


class RefundsMapping(Section):
    """Refunds, from BigCommerce to NetSuite."""

    sync: Flag = Field(True, description="Refunds become credit memos and settlements in NetSuite.")
    items: RefundItemsMapping = RefundItemsMapping()
    receivable: Id | None = Field(
        None, description="A/R, through which stored value is given back by a journal."
    )
    store_credit: Id | None = Field(None, description="The liability account of store credit.")
    gift_certificate: Id | None = Field(None, description="The liability account of gift certificates.")
    bank: dict[Currency, Id] = Field(
        default_factory=dict, description="By currency, the account that offline refunds are paid from."
    )
    transfer: dict[Currency, Id] = Field(
        default_factory=dict,
        description="By currency, an account of type bank that deposits pass through which turn into stored value "
        "before their order is billed; it ends every day at 0.00.",
    )
    bank_methods: tuple[Name, ...] = Field(
        _PAID_BY_BANK, description="Refund methods of BigCommerce's that are paid by bank or cheque."
    )
    payment_methods: dict[Name, Id] = Field(
        default_factory=dict,
        description="NetSuite's payment method of a refund, by provider, bank, or a pattern such as *.",
    )
    payment_field: FieldName = Field("paymentOption", description="The field that carries it.")
    marketplace: Text = Field(
        "", description="Provider of a marketplace's refunds; default: what the order's source is called."
    )
    on_decline: OnDecline = Field(
        "hold", description="A posted refund is declined later: hold it for a person, or reverse it."
    )
    match_days: Annotated[Whole, Field(ge=0, le=60)] = Field(
        3, description="So long a refund made outside the gateway may lack the provider's own line."
    )
    watch_days: Annotated[Whole, Field(ge=0, le=90)] = Field(
        14, description="So long a refund is looked at again, because a decline comes late and silently."
    )
    goods_days: Annotated[Whole, Field(ge=1, le=90)] | None = Field(
        None,
        description="Ask NetSuite at the close whether goods of refunds came back; so many days after a refund they "
        "should have, where a return was authorised (REFUND_NOT_RECEIVED). null: not asked.",
    )
    wait_for_capture: Flag = Field(
        True, description="Refunds wait until the payment that they give back is booked in NetSuite."
    )
    memo: Annotated[Text, Field(max_length=300)] = Field(
        "BigCommerce refund {id} of order {order}", description="{id}, {order}: their ids."
    )
    materiality: dict[Currency, Exact] = Field(
        default_factory=dict, description="Refunds above wait for approval, by currency."
    )
    poll: RefundPollMapping = RefundPollMapping()
    batch: Annotated[Whole, Field(ge=1, le=500)] = Field(
        200, description="Refunds that one run takes at most."
    )
    call_budget: Calls = Field(
        5000, description="API calls that one run should not exceed; more is reported, never refused."
    )

    def policy(self, max_rounding_lines: int) -> RefundPolicy:
        """What the rules need; the cap of the rounding line is that of orders."""
        items = self.items
        return RefundPolicy(
            items=RefundItems(
                product=items.product,
                goodwill=items.goodwill,
                restocking_fee=items.restocking_fee,
                shipping=items.shipping,
                handling=items.handling,
                wrapping=items.gift_wrapping,
                fee=items.fee,
                certificate=items.gift_certificate,
            ),
            receivable=self.receivable,
            store_credit=self.store_credit,
            gift_certificate=self.gift_certificate,
            bank=dict(self.bank),
            transfer=dict(self.transfer),
            bank_methods=frozenset(fold(name) for name in self.bank_methods),
            payment_methods={fold(name): method for name, method in self.payment_methods.items()},
            payment_field=self.payment_field,
            marketplace=self.marketplace,
            on_decline=self.on_decline,
            match_days=self.match_days,
            watch_days=self.watch_days,
            wait_for_capture=self.wait_for_capture,
            max_rounding_lines=max_rounding_lines,
            memo=self.memo,
            materiality=dict(self.materiality),
        )

    def faults(self) -> Iterator[str]:
        """What posting refunds needs and the file does not say, a sentence each."""
        if self.items.product is None:
            yield (
                "cash.refunds.items.product is missing; name an item without stock, for a credit memo must not "
                "book goods back."
            )
        if self.items.goodwill is None:
            yield "cash.refunds.items.goodwill is missing; name the item of amounts given back of an order."
