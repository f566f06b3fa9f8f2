"""How one merchant wants orders posted: the mapping file's orders and channels, ready for the rules.

Put the frozen policy here that the rules take. Do not read a file here: `config/orders.py` makes a policy
from the merchant's mapping. Ids are NetSuite's internal ids unless a name says otherwise; names that the
merchant maps (ship methods, payment methods, taxes) are folded, so case and outer blanks do not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.facts import Account
from bcns_pipeline.rules.orders.paths import Path
from bcns_pipeline.rules.orders.status import POSTED_BY_DEFAULT

Updates = Literal["off", "status_only", "full"]
Record = Literal["salesOrder", "cashSale"]
TaxMode = Literal["bc_final", "ns_recalc"]
TaxMethod = Literal["auto", "suitetax", "item_line"]
Capture = Literal["off", "block", "residual", "flag"]
OnMismatch = Literal["block", "residual", "flag"]
PurchaseOrder = Literal["auto", "order_id", "off"]
Stopped = Literal["exception"] | int

SALES_ORDER: Final[Record] = "salesOrder"
CASH_SALE: Final[Record] = "cashSale"


@dataclass(frozen=True, slots=True)
class Channel:
    """Where the orders of one storefront go. `fields` are NetSuite fields with the same value on each order.

    `marketplace` None: the order's own source tells. `cash_account` is where cash sales go.
    """

    id: int
    subsidiary: int | None = None
    location: int | None = None
    department: int | None = None
    class_id: int | None = None
    record: Record = SALES_ORDER
    cash_account: int | None = None
    tax_mode: TaxMode | None = None
    prices_include_tax: bool | None = None
    marketplace: bool | None = None
    zone: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaxCode:
    """How one tax is posted: `code` of `type` with SuiteTax, or `item` as a line. `rate` in percent."""

    code: int | None = None
    type: str = ""
    rate: Decimal | None = None
    item: int | None = None


@dataclass(frozen=True, slots=True)
class ReverseCharge:
    """Orders into `countries` (ISO alpha-2) without tax are taken for reverse charge and must prove it.

    `company_only`: only where the shopper gave a company. `evidence` is where the VAT number stands in the
    order; `field` is the NetSuite field that keeps it, "" for none.
    """

    post: TaxCode
    countries: frozenset[str]
    evidence: Path
    company_only: bool = False
    field: str = ""


@dataclass(frozen=True, slots=True)
class TaxPolicy:
    """How tax is posted. `codes` by folded name or class of a BigCommerce tax; `default` for all others."""

    mode: TaxMode = "bc_final"
    method: TaxMethod = "auto"
    source: Literal["order", "lines"] = "order"
    on_mismatch: OnMismatch = "block"
    tolerance: Mapping[str, Decimal] = field(default_factory=dict)
    default: TaxCode = TaxCode()
    codes: Mapping[str, TaxCode] = field(default_factory=dict)
    exempt: TaxCode | None = None
    reverse_charge: ReverseCharge | None = None
    marketplace_item: int | None = None


@dataclass(frozen=True, slots=True)
class ShippingPolicy:
    """`as_line`: the cost is a line of its own, else the header's. `methods` by folded name or pattern."""

    as_line: bool = False
    item: int | None = None
    methods: Mapping[str, int] = field(default_factory=dict)
    default: int | None = None
    use_default: bool = False

    def method(self, name: str) -> int | None:
        """The ship method of BigCommerce's `name`; None where it is not mapped and no default may stand in."""
        found = named(self.methods, name)
        return self.default if found is None and self.use_default else found


@dataclass(frozen=True, slots=True)
class Sources:
    """How the origin of an order is told: folded values of order_source and patterns of external_source."""

    marketplace: tuple[str, ...] = ("amazon", "ebay", "facebookmarketplace", "walmart", "etsy", "tiktok*")
    subscription: tuple[str, ...] = ()
    quote: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderPolicy:
    """Everything that a merchant decides about orders. See `bcns.yaml` for what each means.

    `channels` by BigCommerce's channel id; `any_channel` stands in for all where the file names none.
    `cutover` is aware, or None. `discount_owner` is "" while nobody has decided.
    """

    channels: Mapping[int, Channel] = field(default_factory=dict)
    any_channel: Channel | None = None
    store_zone: str = "UTC"
    cutover: datetime | None = None
    statuses: frozenset[int] = frozenset(POSTED_BY_DEFAULT)
    test_methods: frozenset[str] = frozenset({"test payment gateway"})
    sources: Sources = Sources()
    updates: Updates = "full"
    stopped: Mapping[str, Stopped] = field(default_factory=dict)
    gross_lines: bool = False
    discount_owner: Literal["", "bigcommerce", "netsuite"] = ""
    discount_lines: bool = False
    discount_item: int | None = None
    tax: TaxPolicy = TaxPolicy()
    shipping: ShippingPolicy = ShippingPolicy()
    handling_item: int | None = None
    wrapping_item: int | None = None
    fee_item: int | None = None
    fee_items: Mapping[str, int] = field(default_factory=dict)
    certificate_item: int | None = None
    custom_item: int | None = None
    rounding_item: int | None = None
    max_rounding_lines: int = 5
    currencies: Mapping[str, int] = field(default_factory=dict)
    exchange_rate: Literal["netsuite", "bigcommerce"] = "netsuite"
    payment_methods: Mapping[str, int] = field(default_factory=dict)
    payment_field: str = "paymentOption"
    unmapped_payment: Literal["ignore", "exception"] = "ignore"
    capture: Capture = "off"
    offline_methods: frozenset[str] = frozenset()
    fields: Mapping[str, Path] = field(default_factory=dict)
    line_fields: Mapping[str, Path] = field(default_factory=dict)
    line_id_field: str = ""
    line_dimensions: bool = False
    memo: str = "BigCommerce order {id}"
    purchase_order: PurchaseOrder | Path = "auto"
    price_level: int = -1
    order_status: Literal["A", "B"] = "B"
    expected_ship_date: bool = True
    send_email: bool = True
    materiality: Mapping[str, Decimal] = field(default_factory=dict)

    def channel(self, channel_id: int) -> Channel | None:
        """Where orders of that BigCommerce channel go; None where nobody said."""
        return self.channels.get(channel_id, self.any_channel)

    @property
    def metafields(self) -> frozenset[tuple[str, str]]:
        """Namespace and key of each metafield of orders that some path asks for."""
        paths = list(self.fields.values())
        if isinstance(self.purchase_order, Path):
            paths.append(self.purchase_order)
        if self.tax.reverse_charge is not None:
            paths.append(self.tax.reverse_charge.evidence)
        return frozenset(one.metafield for one in paths if one.metafield is not None)

    def zone(self, channel: Channel | None) -> tzinfo:
        """The time zone in which the day of an order is told: the subsidiary's, else the store's."""
        return ZoneInfo((channel.zone if channel else "") or self.store_zone)

    def too_large(self, impact: Money) -> str | None:
        """One sentence where an amount is above what may go without a person's approval."""
        limit = self.materiality.get(impact.currency)
        if limit is None or abs(impact) <= Money.of(limit, impact.currency):
            return None
        return f"{impact} is above orders.materiality of {limit} {impact.currency}."


def account_faults(policy: OrderPolicy, account: Account) -> list[str]:
    """What of the policy this account can't do, as sentences for whoever keeps the mapping file."""
    faults = []
    if policy.tax.method == "suitetax" and not account.suitetax:
        faults.append(
            "orders.tax.method is suitetax, but the account has no SuiteTax; set it to item_line and name "
            "orders.tax.item."
        )
    if policy.tax.method == "auto" and not account.described:
        faults.append(
            "orders.tax.method is auto, and NetSuite does not describe its records to this role, so whether it has "
            "SuiteTax is not known; set it to suitetax or item_line."
        )
    if not account.currencies and not account.base_currency:
        faults.append(
            "NetSuite lists no currencies, as accounts with one currency do, so which one it keeps is not known; name "
            "it as orders.currencies, e.g. {USD: 1}."
        )
    if account.oneworld:
        known = account.subsidiaries
        for channel in policy.channels.values():
            if channel.subsidiary is None and len(known) != 1:
                faults.append(f"channels.{channel.id}.subsidiary is missing; a OneWorld account needs it.")
            elif channel.subsidiary is not None and known and channel.subsidiary not in known:
                faults.append(f"channels.{channel.id}.subsidiary {channel.subsidiary} is not in the account.")
    return faults


def fold(name: str) -> str:
    """What two names have in common when they are the same to a merchant."""
    return " ".join(name.split()).casefold()


def named(table: Mapping[str, int], name: str) -> int | None:
    """The entry of `name` in a folded table: by itself first, then by the first pattern that fits."""
    wanted = fold(name)
    if wanted in table:
        return table[wanted]
    return next((value for pattern, value in table.items() if fnmatchcase(wanted, pattern)), None)
