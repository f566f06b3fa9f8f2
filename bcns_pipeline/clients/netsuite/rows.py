"""Sales, customers, items, fulfilments and the account's features as typed rows.

Put shapes here. Flows import them from `models.py`. Money is Decimal in the currency that the field names; times
are text "YYYY-MM-DD HH24:MI:SS" in the frame of NetSuite's own clock, which watermarks are compared in. Facts:
facts/netsuite.md 2.4, 2.6 and 3.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class SalesRow:
    """The header of a sales order, cash sale or whatever else holds that external id.

    `record_type` is the lower-case script id ("salesorder"), `status` the single letter (facts/netsuite.md
    3.6). `foreign_total` is in the transaction's currency, `total` in the subsidiary's base currency; both
    include tax. `subsidiary` is None where it was not asked for. `closed_lines` is filled by `sales.changed`.
    """

    id: int
    external_id: str
    tran_id: str
    record_type: str
    status: str
    entity: int | None
    subsidiary: int | None
    currency: int | None
    foreign_total: Decimal
    total: Decimal
    tran_date: date | None
    last_modified: str
    other_ref_num: str
    closed_lines: int | None = None


@dataclass(frozen=True, slots=True)
class SalesMatch:
    """A transaction that another connector may have made of an order. `by` is "otherrefnum", "externalid" or
    the name of the custom field, `value` what it holds there.
    """

    by: str
    value: str
    row: SalesRow


@dataclass(frozen=True, slots=True)
class SalesLine:
    """One line of a sales transaction, signs as a seller sees them: what was sold is positive.

    `amount` is in the transaction's currency; a discount's is negative. `quantity` and `rate` are None where
    the line has none (tax, shipping, discounts in per cent). `line` is the key of the line in a PATCH.
    `custom` are the custom fields asked for, as text.
    """

    transaction: int
    line: int
    sequence: int
    item: int | None
    item_type: str
    quantity: Decimal | None
    rate: Decimal | None
    amount: Decimal
    is_tax: bool
    is_shipping: bool
    closed: bool
    quantity_fulfilled: Decimal
    quantity_billed: Decimal
    location: int | None
    department: int | None
    classification: int | None
    custom: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SalesTotals:
    """What NetSuite made of a transaction: totals as in `SalesRow`, and sums of its lines as in `SalesLine`.

    `tax` is the sum of tax lines, None where there is no tax line at all: then the account keeps tax
    elsewhere, or there is none, and `foreign_total - net` is all that is known. `net` is every other line.
    """

    id: int
    foreign_total: Decimal
    total: Decimal
    currency: int | None
    status: str
    last_modified: str
    tax: Decimal | None
    net: Decimal
    lines: int


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A customer. `taxable` and `subsidiary` are None where the account does not show them to us.

    `custom` are the further fields asked for, as text, "" where blank; what the account does not show is missing.
    """

    id: int
    external_id: str
    email: str = field(repr=False)
    is_person: bool
    company: str = field(repr=False)
    first: str = field(repr=False)
    last: str = field(repr=False)
    phone: str = field(repr=False)
    inactive: bool
    currency: int | None
    last_modified: str
    subsidiary: int | None = None
    taxable: bool | None = None
    custom: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class AddressRow:
    """A line of a customer's address book. `internal_id` is its key in a PATCH, None where not shown to us.

    `country` is what SuiteQL shows, usually the ISO-2 code.
    """

    customer: int
    nkey: int
    internal_id: int | None
    default_shipping: bool
    default_billing: bool
    addressee: str = field(repr=False)
    addr1: str = field(repr=False)
    addr2: str = field(repr=False)
    city: str = field(repr=False)
    state: str
    zip: str = field(repr=False)
    country: str
    phone: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item as an order line needs it. `sku` is its own name, without that of a matrix parent.

    `type` is NetSuite's ("InvtPart", "Kit", …), `matrix` "PARENT", "CHILD" or "". `subsidiaries` is empty
    where it was not asked for.
    """

    id: int
    sku: str
    type: str
    matrix: str
    inactive: bool
    subsidiaries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FulfilmentRow:
    """An item fulfilment and the sales order that it was made from. `status` A picked, B packed, C shipped."""

    id: int
    tran_id: str
    external_id: str
    status: str
    last_modified: str
    ship_date: date | None
    order_id: int
    order_number: str
    order_external_id: str
    order_other_ref_num: str
    location: int | None
    carrier: str
    method_id: int | None
    method_name: str
    subsidiary: int | None = None


@dataclass(frozen=True, slots=True)
class FulfilmentLine:
    """A line of a fulfilment; `quantity` is what was shipped, positive. `kit_member_of` is the line of its kit."""

    fulfilment: int
    line: int
    item: int
    quantity: Decimal
    location: int | None
    kit_component: bool
    kit_member_of: int | None


@dataclass(frozen=True, slots=True)
class DetailLine:
    """A line of `fulfilments.detail`. `order_line` is the `line` of the sales order line that it ships."""

    order_line: int | None
    line: int | None
    item: int | None
    quantity: Decimal
    shipped: bool
    kit_member_of: int | None
    location: int | None


@dataclass(frozen=True, slots=True)
class Parcel:
    """A package of a fulfilment; `kind` is the sublist that it stood in: package, packageUps, …"""

    kind: str
    tracking: str
    description: str = ""
    weight: Decimal | None = None


@dataclass(frozen=True, slots=True)
class FulfilmentDetail:
    """A fulfilment read as a record, which alone ties its lines to the lines of the sales order."""

    id: int
    status: str
    order_id: int | None
    ship_date: date | None
    method_id: int | None
    method_name: str
    lines: Sequence[DetailLine]
    parcels: Sequence[Parcel]
    custom: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class AccountCurrency:
    """A currency of the account. `precision` is its decimals; amounts are rounded to them."""

    id: int
    precision: int
    base: bool


@dataclass(frozen=True, slots=True)
class Subsidiary:
    """A subsidiary; `currency` is the id of its base currency, `country` ISO-2."""

    id: int
    name: str
    currency: int | None
    country: str
    inactive: bool


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the account's features make possible, and which custom fields it has, all in lower case.

    `currencies` by ISO symbol, `subsidiaries` by id (none without OneWorld, or where the role may not see them).
    `record_types` are those of `account.RECORD_TYPES` that the role may use, spelt as they were asked for.
    `locations` gives each location's subsidiary; None without OneWorld, or where the role may not see them.
    `described` is False where NetSuite describes no record to the role: then `suitetax`, fields and record types
    say nothing.
    """

    oneworld: bool
    suitetax: bool
    multi_currency: bool
    currencies: Mapping[str, AccountCurrency]
    subsidiaries: Mapping[int, Subsidiary]
    order_fields: frozenset[str]
    line_fields: frozenset[str]
    customer_fields: frozenset[str]
    fulfilment_fields: frozenset[str]
    record_types: frozenset[str]
    locations: Mapping[int, int] | None = None
    described: bool = True
