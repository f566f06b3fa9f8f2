"""What an order is made of.

Put the records of an order here: what went into the cart, and beside it what the checkout computed
(checkout.py). Do not put arithmetic, JSON or HTTP here. Amounts are `Decimal` in the currency that the
shopper pays in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from bcns_pipeline.sandbox.bigcommerce.money import ZERO

PHYSICAL, DIGITAL, GIFT_CERTIFICATE = "physical", "digital", "giftcertificate"
LineKind = Literal["physical", "digital", "giftcertificate"]
DiscountKind = Literal["coupon", "promotion", "manual"]
# Coupon types of facts/bigcommerce.md 3.6.
PER_ITEM, PERCENT, PER_TOTAL, SHIPPING, FREE_SHIPPING, PROMOTION = range(6)


@dataclass(frozen=True, slots=True)
class Rate:
    """One tax rate in percent. Rates of a higher priority are charged on the tax of the lower ones too."""

    name: str
    percent: Decimal
    priority: int = 0
    id: str = "1"


@dataclass(slots=True)
class Cost:
    """An amount as entered (`base`), without and with tax, and the tax."""

    base: Decimal = ZERO
    ex: Decimal = ZERO
    inc: Decimal = ZERO
    tax: Decimal = ZERO

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.base + other.base, self.ex + other.ex, self.inc + other.inc, self.tax + other.tax)


@dataclass(slots=True)
class TaxRow:
    """Tax of one rate on one part of the order; `kind` is the API's `line_item_type`, empty for fees."""

    rate: Rate
    amount: Decimal
    kind: str
    line_id: int | None = None
    address_id: int = 0


@dataclass(frozen=True, slots=True)
class Applied:
    """A line's share of a discount, on the side of the tax on which prices are entered."""

    id: str
    amount: Decimal
    name: str
    code: str | None
    target: Literal["order", "product"]


@dataclass(slots=True)
class Discount:
    """A coupon, an automatic promotion or what a merchant took off by hand.

    `type` is a coupon type; `amount` a percentage for PERCENT; `skus` limits it to some lines. `total` is
    what it came to.
    """

    kind: DiscountKind
    type: int
    amount: Decimal
    name: str
    code: str | None = None
    skus: frozenset[str] | None = None
    id: int = 0
    total: Decimal = ZERO


@dataclass(slots=True)
class ShipTo:
    """A ship-to address with its shipping and handling, as entered and as priced."""

    id: int
    address: dict[str, Any]
    method: str
    cost: Decimal = ZERO
    handling: Decimal = ZERO
    rates: tuple[Rate, ...] = ()
    handling_rates: tuple[Rate, ...] = ()
    zone_id: int = 1
    zone_name: str = "United States"
    shipping: Cost = field(default_factory=Cost)
    handled: Cost = field(default_factory=Cost)


@dataclass(slots=True)
class Pickup:
    """Collection at one of the merchant's locations."""

    id: int
    location_id: int
    name: str


@dataclass(slots=True)
class Fee:
    """A fee of the whole order."""

    id: int
    name: str
    cost: Decimal
    rates: tuple[Rate, ...] = ()
    source: str = "AA"
    tax_class_id: int | None = None
    priced: Cost = field(default_factory=Cost)


@dataclass(slots=True)
class Line:
    """One product on an order. `item` and `location` are places in the store where its stock was taken."""

    id: int
    sku: str
    name: str
    kind: LineKind
    quantity: int
    price: Decimal
    rates: tuple[Rate, ...] = ()
    product_id: int = 0
    variant_id: int = 0
    label: str = ""
    address_id: int = 0
    pickup_id: int = 0
    item: int | None = None
    location: int = 0
    taken: int = 0
    wrap_price: Decimal | None = None
    wrap_message: str = ""
    parent_id: int | None = None
    bundled: bool = False
    event_name: str | None = None
    event_date: str | None = None
    gift_certificate_id: int | None = None
    recipient_email: str = ""
    external_id: str | None = None
    # An edit takes a line's share of every discount away for good (facts 3.11).
    no_discounts: bool = False
    quantity_shipped: int = 0
    quantity_refunded: int = 0
    entered: Decimal = ZERO
    unit: Cost = field(default_factory=Cost)
    total: Cost = field(default_factory=Cost)
    discounts: list[Applied] = field(default_factory=list)
    discounted: Decimal = ZERO
    wrapping: Cost = field(default_factory=Cost)

    @property
    def left(self) -> Decimal:
        """What discounts have left of the line so far, on the side on which prices are entered."""
        return self.entered - sum((one.amount for one in self.discounts), ZERO)

    @property
    def unshipped(self) -> int:
        """Units that no shipment holds yet, refunded ones included."""
        return self.quantity - self.quantity_shipped


@dataclass(slots=True)
class Order:
    """One order. The groups of fields: who and when, cart, payment, notes, what the checkout computed."""

    id: int
    created: datetime
    modified: datetime
    status_id: int
    customer_id: int
    billing: dict[str, Any]
    currency: str
    store_currency: str
    rate: Decimal
    inclusive: bool
    rounding: str
    channel_id: int = 1
    shipped_at: datetime | None = None
    display_currency: str = ""
    display_rate: Decimal = Decimal(1)

    lines: list[Line] = field(default_factory=list)
    addresses: list[ShipTo] = field(default_factory=list)
    pickups: list[Pickup] = field(default_factory=list)
    discounts: list[Discount] = field(default_factory=list)
    fees: list[Fee] = field(default_factory=list)
    override: tuple[Decimal, Decimal] | None = None

    payment_method: str = ""
    payment_provider_id: str = ""
    payment_status: str = ""
    store_credit: Decimal = ZERO
    gift_certificate: Decimal = ZERO
    transactions: list[dict[str, Any]] = field(default_factory=list)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    shipments: list[dict[str, Any]] = field(default_factory=list)

    cart_id: str = ""
    staff_notes: str = ""
    customer_message: str = ""
    order_source: str = "www"
    external_id: str | None = None
    external_order_id: str = ""
    external_source: str | None = None
    external_merchant_id: str | None = None
    tax_provider_id: str = "BasicTaxProvider"
    tax_class: str = "Default Tax Class"
    ip_address: str = "192.0.2.10"
    locale: str = "en"
    is_deleted: bool = False

    subtotal: Cost = field(default_factory=Cost)
    shipping: Cost = field(default_factory=Cost)
    handling: Cost = field(default_factory=Cost)
    wrapping: Cost = field(default_factory=Cost)
    discount_amount: Decimal = ZERO
    coupon_discount: Decimal = ZERO
    total: Cost = field(default_factory=Cost)
    taxes: list[TaxRow] = field(default_factory=list)
    # JSON of the order by what is included; emptied whenever the order changes.
    rendered: dict[str, str] = field(default_factory=dict)

    def line(self, line_id: int) -> Line | None:
        """The line with this id."""
        return next((one for one in self.lines if one.id == line_id), None)

    def address(self, address_id: int) -> ShipTo | None:
        """The ship-to address with this id."""
        return next((one for one in self.addresses if one.id == address_id), None)
