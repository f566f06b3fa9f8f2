"""What a BigCommerce order is, typed: the shapes that every rule of an order works on.

Put shapes here and what follows from one of them alone. Do not read JSON here (`reading.py`), nor decide
anything. Amounts are `Decimal` as BigCommerce gave them, in the order's `currency` (what the shopper was
charged in), often with four digits; they become whole minor units in `totals.py` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Literal

ZERO: Final = Decimal(0)

LineKind = Literal["physical", "digital", "giftcertificate"]
ConsignmentKind = Literal["shipping", "pickup", "download", "email"]


@dataclass(frozen=True, slots=True)
class Cost:
    """One amount three ways. Which of `ex` and `inc` is exact says `Order.prices_include_tax`."""

    ex: Decimal = ZERO
    inc: Decimal = ZERO
    tax: Decimal = ZERO

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.ex + other.ex, self.inc + other.inc, self.tax + other.tax)

    def __bool__(self) -> bool:
        return bool(self.ex or self.inc or self.tax)


@dataclass(frozen=True, slots=True)
class Address:
    """A billing or shipping address. `state` is a full name ("Texas"), `country_code` ISO alpha-2 or ""."""

    first_name: str = field(default="", repr=False)
    last_name: str = field(default="", repr=False)
    company: str = field(default="", repr=False)
    street_1: str = field(default="", repr=False)
    street_2: str = field(default="", repr=False)
    city: str = field(default="", repr=False)
    state: str = field(default="", repr=False)
    zip: str = field(default="", repr=False)
    country: str = ""
    country_code: str = ""
    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    form_fields: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class AppliedDiscount:
    """What one coupon, promotion or manual discount took off one line; `amount` >= 0, for all its units."""

    id: str
    amount: Decimal
    name: str = field(default="", repr=False)  # merchants write shoppers' names into manual discounts
    code: str = field(default="", repr=False)
    target: str = ""  # order | product


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the order; `id` is BigCommerce's order_product_id, which shipments and refunds name.

    `price` is per unit, `total` for all units before discounts of the whole order. `product_id` and
    `variant_id` are 0 where there is none (custom products). `consignment_id` is the shipping address' id
    (order_address_id), or the pickup's, 0 for what is not delivered. `discounted_total` includes tax and all
    discounts; None where BigCommerce does not say.
    """

    id: int
    kind: LineKind
    product_id: int
    variant_id: int
    sku: str
    name: str
    quantity: int
    price: Cost
    total: Cost
    discounted_total: Decimal | None = None
    discounts: tuple[AppliedDiscount, ...] = ()
    wrapping: Cost = Cost()
    quantity_shipped: int = 0
    quantity_refunded: int = 0
    consignment_id: int = 0
    parent_line_id: int | None = None
    bundled: bool = False
    event_date: date | None = None
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Consignment:
    """Lines that go one way to one place. Only a shipping consignment has costs and an address of its own."""

    id: int
    kind: ConsignmentKind
    line_ids: tuple[int, ...]
    method: str = ""
    address: Address = Address()
    shipping: Cost = Cost()
    handling: Cost = Cost()


@dataclass(frozen=True, slots=True)
class Fee:
    """A custom fee of the whole order."""

    id: int
    name: str
    cost: Cost


@dataclass(frozen=True, slots=True)
class Order:
    """One version of one order. Times are aware and in UTC.

    `charged` is what the shopper was charged, before gift certificates and store credit, which are tenders:
    `charged.inc` is the authority for the total in NetSuite (facts/finance.md 3.1). `subtotal` is before
    discounts. `exchange_rate`: units of `currency` for one unit of `store_currency`, None where the store has
    one currency. `status_id` 0..14 (`status.py`). `document` is the order as read, for mapped fields.
    """

    id: int
    customer_id: int
    channel_id: int
    status_id: int
    placed_at: datetime
    modified_at: datetime
    currency: str
    charged: Cost
    subtotal: Cost
    shipping: Cost = Cost()
    handling: Cost = Cost()
    wrapping: Cost = Cost()
    discount_amount: Decimal = ZERO
    coupon_discount: Decimal = ZERO
    store_credit: Decimal = ZERO
    gift_certificate: Decimal = ZERO
    prices_include_tax: bool | None = None
    store_currency: str = ""
    exchange_rate: Decimal | None = None
    payment_method: str = ""
    payment_status: str = ""
    order_source: str = ""
    external_source: str = ""
    external_id: str = ""
    external_merchant_id: str = ""
    external_order_id: str = ""
    tax_provider: str = ""
    archived: bool = False
    digital: bool = False
    billing: Address = Address()
    lines: tuple[Line, ...] = ()
    consignments: tuple[Consignment, ...] = ()
    fees: tuple[Fee, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def guest(self) -> bool:
        """Bought without an account: BigCommerce has no customer record then."""
        return self.customer_id == 0

    @property
    def ship_to(self) -> tuple[Consignment, ...]:
        """The consignments that a parcel goes to, in the order's own order; empty for digital goods."""
        return tuple(one for one in self.consignments if one.kind == "shipping")


class Detail(StrEnum):
    """What costs a call of its own per order."""

    COUPONS = "coupons"
    TAXES = "taxes"
    TRANSACTIONS = "transactions"


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon that was used. `kind`: 0 per item, 1 percentage, 2 per total, 3 shipping, 4 free shipping."""

    id: int
    code: str = field(repr=False)
    kind: int
    discount: Decimal


@dataclass(frozen=True, slots=True)
class TaxRow:
    """What one rate took on one line. `rate` in percent; `line_id` None where it is not a product's tax."""

    name: str
    tax_class: str
    rate: Decimal
    amount: Decimal
    line_type: str = ""  # item | shipping | handling | gift-wrapping
    line_id: int | None = None
    consignment_id: int = 0


@dataclass(frozen=True, slots=True)
class StoredValue:
    """What BigCommerce tells of the certificate or store credit that a transaction moved; None where it does not.

    `code` is a certificate's, and whoever has it may spend it: it goes nowhere but into sealed documents. Balances:
    when it was sold, before the transaction, and after it (facts/bigcommerce.md 3.8).
    """

    code: str = field(default="", repr=False)
    original: Decimal | None = None
    starting: Decimal | None = None
    remaining: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Tender:
    """One v3 transaction: money or stored value that moved, or tried to. `amount` in `currency`, >= 0."""

    id: int
    event: str  # purchase | authorization | capture | refund | void | pending | settled
    method: str
    amount: Decimal
    currency: str
    status: str  # ok | error
    test: bool
    gateway: str = ""
    gateway_transaction_id: str = ""
    reference_id: int | None = None
    happened_at: datetime | None = None
    stored: StoredValue | None = None


@dataclass(frozen=True, slots=True)
class Details:
    """What was read beside the order; None = not read, which is not the same as none there."""

    coupons: Sequence[Coupon] | None = None
    taxes: Sequence[TaxRow] | None = None
    transactions: Sequence[Tender] | None = None
