"""The mapping file's `orders`: which orders are posted, and as what their parts arrive in NetSuite.

Put keys of the order flow here, with their defaults and what contradicts them. Tax has a module of its own
(`tax.py`), and so have storefronts (`channels.py`). Do not put arithmetic here (rules/orders). Ids are
NetSuite's internal ids; status ids are BigCommerce's (rules/orders/status.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, field_validator

from bcns_pipeline.config.base import (
    Calls,
    Currency,
    Exact,
    FieldName,
    Flag,
    Id,
    LinePath,
    Name,
    OrderPath,
    Section,
    Text,
    Whole,
    may_be_off,
    off,
)
from bcns_pipeline.config.tax import TaxMapping
from bcns_pipeline.rules.orders.paths import As, Path, parse_path
from bcns_pipeline.rules.orders.policy import Capture, Sources, Updates
from bcns_pipeline.rules.orders.status import NEVER_POSTED, POSTED_BY_DEFAULT, Status, label

StatusId = Annotated[Whole, Field(ge=0, le=max(Status))]
_PAID_LATER: Final = (
    *("Bank Deposit", "Cash", "Cash on Delivery", "Check", "Cheque", "Money Order"),
    *("Pay in Store", "Purchase Order", "Manual"),
)
OnStop = Literal["exception", "ignore"] | StatusId


class DiscountsMapping(Section):
    """Who decides about discounts, and how those of BigCommerce are shown in NetSuite."""

    owner: Literal["bigcommerce", "netsuite"] | None = Field(
        None, description="Required for orders. netsuite: a discount given by BigCommerce is an exception."
    )
    as_: Literal["net", "lines"] = Field(
        "net", alias="as", description="net: taken off each line's amount. lines: a discount line under it."
    )
    item: Id | None = Field(None, description="The discount item, for as: lines.")


class ShippingMapping(Section):
    """What shipping costs, and which of NetSuite's ship methods it goes by."""

    as_: Literal["header", "line"] = Field("header", alias="as", description="Header field, or a line.")
    item: Id | None = Field(None, description="Item of the line; also where the header can't hold its tax.")
    methods: dict[Name, Id] = Field(
        default_factory=dict, description="BigCommerce's name, or a pattern such as ups*, to ship method."
    )
    default: Id | None = None
    unmapped: Literal["exception", "default"] = "exception"


class ItemMapping(Section):
    """A charge that goes to an item of its own."""

    item: Id | None = None


class FeesMapping(ItemMapping):
    """Custom fees of the whole order."""

    by_name: dict[Name, Id] = Field(default_factory=dict, description="Items for fees of these names.")


class RoundingMapping(ItemMapping):
    """The line that closes what is left between the parts and the charged total."""

    max_lines: Annotated[Whole, Field(ge=0, le=100)] = Field(
        5, description="At most this many minor units, and never more than the order has priced lines."
    )


class SourcesMapping(Section):
    """How the origin of an order is told; * stands for anything."""

    marketplace: tuple[Name, ...] = Field(
        Sources().marketplace, description="Values of order_source or external_source."
    )
    subscription: tuple[Name, ...] = Field((), description="The same, for rebills of subscriptions.")
    quote: tuple[Name, ...] = Field((), description="The same, for quotes that became orders.")


class StoppedMapping(Section):
    """What to do when somebody stops a sales order in NetSuite: exception, ignore, or a status id."""

    closed: OnStop = "exception"
    cancelled: OnStop = "exception"
    held: OnStop = Field("exception", description="Put back to Pending Approval.")


class PollMapping(Section):
    """How new and changed orders are looked for, beside webhooks."""

    seconds: Annotated[Whole, Field(ge=30, le=86_400)] = 60
    overlap_minutes: Annotated[Whole, Field(ge=1, le=1440)] = 5
    page_size: Annotated[Whole, Field(ge=1, le=250)] = 250


class FieldMapping(Section):
    """A NetSuite field of the order in the long form."""

    path: OrderPath
    as_: As = Field("text", alias="as", description="text, number, flag, or reference (an internal id).")


class LineFieldMapping(Section):
    """A NetSuite field of a line in the long form."""

    path: LinePath
    as_: As = Field("text", alias="as", description="text, number, flag, or reference (an internal id).")


class OrdersMapping(Section):
    """Orders, from BigCommerce to NetSuite."""

    statuses: tuple[StatusId, ...] = Field(
        tuple(int(status) for status in POSTED_BY_DEFAULT), description="Statuses that are posted."
    )
    test_methods: tuple[Name, ...] = Field(
        ("Test Payment Gateway",), description="Payment methods of orders that may be tests."
    )
    sources: SourcesMapping = SourcesMapping()
    updates: Annotated[Updates, *may_be_off("status_only", "full")] = Field(
        "full", description="What later versions of a posted order change."
    )
    stopped: StoppedMapping = StoppedMapping()
    prices: Literal["net", "gross"] = Field(
        "net", description="gross: amounts with tax in them, and no tax posted in NetSuite."
    )
    discounts: DiscountsMapping = DiscountsMapping()
    tax: TaxMapping = TaxMapping()
    shipping: ShippingMapping = ShippingMapping()
    handling: ItemMapping = ItemMapping()
    gift_wrapping: ItemMapping = ItemMapping()
    fees: FeesMapping = FeesMapping()
    gift_certificates: ItemMapping = Field(
        ItemMapping(), description="Certificates that were sold: an item on a liability account."
    )
    custom_products: ItemMapping = Field(ItemMapping(), description="Products typed in by hand, without SKU.")
    rounding: RoundingMapping = RoundingMapping()
    currencies: dict[Currency, Id] = Field(
        default_factory=dict, description="NetSuite currency by ISO code; default: found by its symbol."
    )
    exchange_rate: Literal["netsuite", "bigcommerce"] = Field(
        "netsuite", description="Whose rate; netsuite takes its rate of the order's day."
    )
    payment_methods: dict[Name, Id] = Field(
        default_factory=dict, description="BigCommerce's name, or a pattern, to payment method."
    )
    payment_field: FieldName = "paymentOption"
    unmapped_payment: Literal["ignore", "exception"] = "ignore"
    capture_policy: Annotated[Capture, *may_be_off("block", "residual", "flag")] = Field(
        "off", description="Compare the total with the money taken; costs one call per order."
    )
    offline_methods: tuple[Name, ...] = Field(
        _PAID_LATER, description="Payment methods that are paid later, outside BigCommerce."
    )
    fields: dict[FieldName, OrderPath | FieldMapping] = Field(
        default_factory=dict,
        description="NetSuite field of the order: path into BigCommerce's order, or metafields.namespace.key, "
        "which costs one call a page of orders, one an order where it is old.",
    )
    line_fields: dict[FieldName, LinePath | LineFieldMapping] = Field(
        default_factory=dict, description="NetSuite field of a line: path into BigCommerce's line, or $net."
    )
    line_id_field: FieldName | None = Field(
        None, description="Line field that keeps BigCommerce's line id, e.g. custcol_bc_line_id."
    )
    line_dimensions: Flag = Field(False, description="Department and class on each line as well.")
    memo: Annotated[Text, Field(max_length=300)] = Field(
        "BigCommerce order {id}", description="{id}: its id."
    )
    purchase_order: Annotated[OrderPath, BeforeValidator(off)] = Field(
        "auto", description="auto (the shopper's PO number, else the order id), order_id, off, or a path."
    )
    price_level: Annotated[Whole, Field(ge=-1)] = Field(-1, description="-1 is NetSuite's custom price.")
    order_status: Literal["A", "B"] = Field("B", description="A Pending Approval, B Pending Fulfillment.")
    expected_ship_date: Flag = Field(True, description="Pre-orders: a line's event date, where it has one.")
    email: Flag = Field(True, description="The shopper's e-mail on the order; NetSuite never mails it.")
    materiality: dict[Currency, Exact] = Field(
        default_factory=dict, description="Orders above wait for approval, by currency."
    )
    poll: PollMapping = PollMapping()
    batch: Annotated[Whole, Field(ge=1, le=500)] = Field(
        500, description="Orders that one run takes at most."
    )
    call_budget: Calls = Field(
        5000, description="API calls that one run should not exceed; more is reported, never refused."
    )

    @field_validator("statuses")
    @classmethod
    def _sold(cls, statuses: tuple[int, ...]) -> tuple[int, ...]:
        never = [status for status in statuses if status in NEVER_POSTED]
        if never:
            names = ", ".join(f"{status} ({label(status)})" for status in never)
            raise ValueError(f"{names} is never posted; remove it")
        if not statuses:
            raise ValueError("an empty list would post nothing; name at least one status, or remove the key")
        return statuses

    def faults(self) -> Iterator[str]:
        """What posting orders needs and is not there, as sentences."""
        if self.discounts.owner is None:
            yield (
                "orders.discounts.owner is missing; say which system decides about discounts, bigcommerce "
                "or netsuite."
            )
        if self.discounts.as_ == "lines" and self.discounts.item is None:
            yield "orders.discounts.item is missing; discounts as lines need NetSuite's discount item."
        if self.rounding.item is None:
            yield "orders.rounding.item is missing; name the item that takes what rounding leaves over."
        if self.shipping.as_ == "line" and self.shipping.item is None:
            yield "orders.shipping.item is missing; shipping as a line needs an item."
        if self.shipping.unmapped == "default" and self.shipping.default is None:
            yield "orders.shipping.default is missing, although unmapped methods are to use it."
        if self.prices == "gross" and self.tax.mode == "ns_recalc":
            yield "orders.prices gross would be taxed again by orders.tax.mode ns_recalc; change one of them."
        yield from self.tax.faults()


def field_paths(
    table: Mapping[str, str | FieldMapping | LineFieldMapping], *, computed: bool = False
) -> dict[str, Path]:
    """The mapped fields as paths."""
    return {
        name: parse_path(given, computed=computed)
        if isinstance(given, str)
        else parse_path(given.path, given.as_, computed=computed)
        for name, given in table.items()
    }
