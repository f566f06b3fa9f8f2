"""What an accountant has set up in the account: subsidiaries, currencies, tax codes, items for charges.

Put master data that orders refer to here, with its ids. Do not put catalogue items here (world.py), the chart of
accounts (chart.py) nor rules (they live beside the records). Ids differ from their places in the list, so that
swapped ones are noticed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from bcns_pipeline.sandbox.netsuite.chart import ACCOUNTS, LedgerAccount
from bcns_pipeline.sandbox.options import Options

PARENT, EUROPE = 1, 2
BASE_PRICE, CUSTOM_PRICE = 1, -1
Thing = TypeVar("Thing", bound="Named | LedgerAccount")


@dataclass(frozen=True, slots=True)
class Named:
    """Something that a record refers to by id."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Currency(Named):
    """A currency; `rate` is what one unit is worth in the parent's currency."""

    symbol: str
    precision: int
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Subsidiary(Named):
    """A company of the group; `currency` is its base currency."""

    currency: int
    country: str
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class Location(Named):
    """A warehouse of one subsidiary."""

    subsidiary: int


@dataclass(frozen=True, slots=True)
class TaxCode(Named):
    """A tax code; `type` is its tax type (1 sales tax, 2 VAT). Default codes of a place tax it by engine."""

    type: int
    rate: Decimal
    country: str
    state: str = ""
    default: bool = False


@dataclass(frozen=True, slots=True)
class ShipMethod(Named):
    """A shipping item; `carrier` is what fulfilments show (`ups` or `nonups`)."""

    carrier: str


@dataclass(frozen=True, slots=True)
class ServiceItem(Named):
    """An item without stock that orders need; `percent` belongs to discounts that have a rate of their own."""

    kind: str
    key: str
    taxable: bool = False
    percent: Decimal | None = None


CURRENCIES = (
    Currency(1, "US Dollar", "USD", 2, Decimal("1")),
    Currency(2, "Euro", "EUR", 2, Decimal("1.08")),
    Currency(3, "Japanese Yen", "JPY", 0, Decimal("0.0066")),
    Currency(4, "Kuwaiti Dinar", "KWD", 3, Decimal("3.25")),
    Currency(5, "British Pound", "GBP", 2, Decimal("1.27")),
)
SUBSIDIARIES = (
    Subsidiary(PARENT, "Sandbox Trading Inc.", 1, "US"),
    Subsidiary(EUROPE, "Sandbox Europe GmbH", 2, "DE", PARENT),
)
DEPARTMENTS = (Named(4, "E-Commerce"), Named(5, "Wholesale"))
CLASSES = (Named(3, "Online"), Named(7, "Marketplace"))
PRICE_LEVELS = {BASE_PRICE: Decimal(0), 2: Decimal("-0.2")}
PAYMENT_METHODS = (Named(1, "Cash"), Named(2, "Check"), Named(5, "VISA"), Named(9, "PayPal"))
TAX_CODES = (
    TaxCode(11, "US-NY", 1, Decimal("8.875"), "US", "NY", default=True),
    TaxCode(12, "US-TX", 1, Decimal("8.25"), "US", "TX", default=True),
    TaxCode(13, "US-CA", 1, Decimal("9.5"), "US", "CA", default=True),
    TaxCode(14, "US-EXEMPT", 1, Decimal(0), "US", default=True),
    TaxCode(21, "DE-STANDARD", 2, Decimal(19), "DE", default=True),
    TaxCode(22, "DE-REDUCED", 2, Decimal(7), "DE"),
    TaxCode(23, "EU-REVERSE-CHARGE", 2, Decimal(0), "DE"),
    TaxCode(24, "FR-STANDARD", 2, Decimal(20), "FR", default=True),
    TaxCode(25, "EXPORT", 2, Decimal(0), ""),
    TaxCode(31, "GB-STANDARD", 2, Decimal(20), "GB", default=True),
    TaxCode(41, "JP-STANDARD", 2, Decimal(10), "JP", default=True),
)
SHIP_METHODS = (
    ShipMethod(900101, "UPS Ground", "ups"),
    ShipMethod(900104, "UPS Next Day Air", "ups"),
    ShipMethod(900107, "FedEx Ground", "nonups"),
    ShipMethod(900110, "USPS Priority Mail", "nonups"),
    ShipMethod(900113, "Free Shipping", "nonups"),
    ShipMethod(900116, "Pick up in store", "nonups"),
)
# Catalogue items count up from 1001; these stay clear of them.
FIRST_SERVICE_ITEM = 900_001
SERVICE_ITEMS = tuple(
    ServiceItem(FIRST_SERVICE_ITEM + place, name, kind, key, taxable, percent)
    for place, (key, name, kind, taxable, percent) in enumerate(
        (
            ("sales_tax", "BC Sales Tax", "OthCharge", False, None),
            ("rounding", "BC Order Rounding", "OthCharge", False, None),
            ("handling", "BC Handling", "OthCharge", True, None),
            ("gift_wrap", "BC Gift Wrapping", "OthCharge", True, None),
            ("fee", "BC Fee", "OthCharge", True, None),
            ("shipping", "BC Shipping", "OthCharge", False, None),
            ("discount", "BC Discount", "Discount", True, None),
            ("coupon", "BC Coupon", "Discount", True, None),
            ("discount_ten_percent", "Ten Percent Off", "Discount", True, Decimal(-10)),
            ("gift_certificate", "Gift Certificate", "GiftCert", False, None),
            ("store_credit", "BC Store Credit", "OthCharge", False, None),
            ("unmapped", "BC Unmapped Item", "NonInvtPart", True, None),
            ("gift_redemption", "BC Gift Certificate Redeemed", "OthCharge", False, None),
            ("tip", "BC Tip", "OthCharge", False, None),
            ("marketplace_tax", "BC Marketplace Tax", "OthCharge", False, None),
            ("refund_no_return", "BC Refund, No Return", "OthCharge", True, None),
            ("goodwill", "BC Goodwill Allowance", "OthCharge", False, None),
            ("restocking", "BC Restocking Fee", "OthCharge", False, None),
        )
    )
)


@dataclass(frozen=True, slots=True)
class Account:
    """The master data of one account, by id."""

    oneworld: bool
    currencies: dict[int, Currency]
    subsidiaries: Mapping[int, Subsidiary]
    locations: Mapping[int, Location]
    departments: Mapping[int, Named]
    classes: Mapping[int, Named]
    ship_methods: Mapping[int, ShipMethod]
    tax_codes: Mapping[int, TaxCode]
    accounts: Mapping[int, LedgerAccount]
    payment_methods: Mapping[int, Named]
    price_levels: Mapping[int, Decimal] = field(default_factory=lambda: dict(PRICE_LEVELS))

    def rate(self, currency: int, subsidiary: int) -> Decimal:
        """What one unit of a currency is worth in the subsidiary's base currency, to eight digits."""
        base = self.currencies[self.subsidiaries[subsidiary].currency]
        return (self.currencies[currency].rate / base.rate).quantize(Decimal("1e-8")).normalize()

    def tax_code(self, country: str, state: str) -> TaxCode | None:
        """The code by which the engine taxes deliveries to a place."""
        fitting = [c for c in self.tax_codes.values() if c.default and c.country == country]
        exact = [c for c in fitting if c.state and c.state == state]
        return next(iter(exact or [c for c in fitting if not c.state]), None)

    def describe(self) -> dict[str, Any]:
        """The ids that a mapping file needs, all of them text, as they stand in it."""
        return {
            "items": {item.key: str(item.id) for item in SERVICE_ITEMS},
            "ship_methods": {method.name: str(method.id) for method in self.ship_methods.values()},
            "tax_codes": {
                code.name: {"id": str(code.id), "type": str(code.type), "rate": str(code.rate)}
                for code in self.tax_codes.values()
            },
            "subsidiaries": {
                str(one.id): {
                    "name": one.name,
                    "currency": self.currencies[one.currency].symbol,
                    "country": one.country,
                }
                for one in self.subsidiaries.values()
            },
            "currencies": {one.symbol: str(one.id) for one in self.currencies.values()},
            "locations_by_subsidiary": {
                str(one): [str(place.id) for place in self.locations.values() if place.subsidiary == one]
                for one in self.subsidiaries
            },
            "departments": {one.name: str(one.id) for one in self.departments.values()},
            "classes": {one.name: str(one.id) for one in self.classes.values()},
            "accounts": {one.number: str(one.id) for one in self.accounts.values()},
            "payment_methods": {one.name: str(one.id) for one in self.payment_methods.values()},
        }


def make_account(places: Sequence[int], options: Options) -> Account:
    """The account over a merchant's locations (their NetSuite ids); without OneWorld there is one company.

    Raises `ValueError` where more locations go abroad than there are.
    """
    companies = SUBSIDIARIES if options.oneworld else SUBSIDIARIES[:1]
    abroad = options.foreign_locations if options.oneworld else 0
    if abroad >= len(places) and abroad:
        raise ValueError(
            f"At most {len(places) - 1} of {len(places)} locations can be the second subsidiary's."
        )
    home = len(places) - abroad
    return Account(
        oneworld=options.oneworld,
        currencies=by_id(CURRENCIES),
        subsidiaries=by_id(companies),
        locations={
            place: Location(place, f"Warehouse {k + 1}", PARENT if k < home else EUROPE)
            for k, place in enumerate(places)
        },
        departments=by_id(DEPARTMENTS),
        classes=by_id(CLASSES),
        ship_methods=by_id(SHIP_METHODS),
        tax_codes=by_id(TAX_CODES),
        accounts=by_id(ACCOUNTS),
        payment_methods=by_id(PAYMENT_METHODS),
    )


def by_id(things: tuple[Thing, ...]) -> dict[int, Thing]:
    """Things under their ids."""
    return {thing.id: thing for thing in things}
