"""What the BigCommerce client hands out: columns where rows are many, frozen records where they are few.

Put shapes here, with the reading of one JSON answer into them in `parsing.py`. No HTTP, no decisions:
quantities are what the store said. Field facts: `facts/bigcommerce.md` 2 to 6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

MAX_QUANTITY = 2_147_483_647
# Of the metafields that we write.
OUR_NAMESPACE = "netsuite"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One absolute stock level: `quantity` on hand at `location_id` for exactly one identity.

    The identity is `variant_id` or `sku` where the product tracks by variant, else `product_id`.
    """

    location_id: int
    quantity: int
    product_id: int | None = None
    variant_id: int | None = None
    sku: str | None = None

    def identity(self) -> tuple[str, int | str]:
        """("variant_id", 78), ("product_id", 120) or ("sku", "RE-130"); ValueError unless one is set."""
        given: list[tuple[str, int | str]] = []
        if self.variant_id is not None:
            given.append(("variant_id", self.variant_id))
        if self.product_id is not None:
            given.append(("product_id", self.product_id))
        if self.sku is not None:
            given.append(("sku", self.sku))
        if len(given) != 1:
            raise ValueError("an adjustment names exactly one of variant_id, product_id and sku")
        return given[0]


@dataclass(frozen=True, slots=True)
class AdjustmentColumns(Sequence[Adjustment]):
    """Adjustments as columns of equal length; `kind` is "variant_id" or "product_id".

    To make 2,000 objects and to encode them one by one takes 10 ms, for which a full sync waits a hundred times;
    the columns take one.
    """

    location_id: list[int]
    kind: list[str]
    identity: list[int]
    quantity: list[int]

    def __len__(self) -> int:
        return len(self.quantity)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        named = {self.kind[index]: self.identity[index]}
        return Adjustment(self.location_id[index], self.quantity[index], **named)


@dataclass(frozen=True, slots=True)
class Levels:
    """Stock as columns of equal length, one row per item and location. All quantities are whole units."""

    sku: list[str] = field(default_factory=list)
    variant_id: list[int] = field(default_factory=list)
    product_id: list[int] = field(default_factory=list)
    location_id: list[int] = field(default_factory=list)
    on_hand: list[int] = field(default_factory=list)
    available_to_sell: list[int] = field(default_factory=list)
    safety_stock: list[int] = field(default_factory=list)
    enabled: list[bool] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sku)


@dataclass(frozen=True, slots=True)
class Paging:
    """Where a page stands. `total_pages`, `total` and `current` are None where the answer carried no `meta`.

    `page` is the number asked for, `current` the one that the answer claims; `key` is equal for equal rows.
    """

    page: int
    count: int
    limit: int
    total_pages: int | None = None
    total: int | None = None
    current: int | None = None
    key: int = 0

    @property
    def last(self) -> bool:
        """Nothing follows: an empty page, the last of a known number, or a short page of an unknown one."""
        if self.count == 0:
            return True
        if self.total_pages is not None:
            return self.page >= self.total_pages
        return self.count < self.limit


@dataclass(frozen=True, slots=True)
class InventoryPage:
    """One page of `GET /v3/inventory/items`; `items` counts items, of which each has a row per location."""

    levels: Levels
    paging: Paging
    body: bytes

    @property
    def items(self) -> int:
        """Items on the page."""
        return self.paging.count

    @property
    def total_pages(self) -> int | None:
        """Pages in all, None where the answer does not say."""
        return self.paging.total_pages


@dataclass(frozen=True, slots=True)
class VariantsPage:
    """Variants as columns. `sku` is "" where blank; a simple product shows its base variant here."""

    variant_id: list[int]
    product_id: list[int]
    sku: list[str]
    paging: Paging
    body: bytes

    @property
    def total_pages(self) -> int | None:
        """Pages in all, None where the answer does not say."""
        return self.paging.total_pages


@dataclass(frozen=True, slots=True)
class ProductsPage:
    """Products as columns. `tracking` is none, product or variant; `base_variant_id` is None where absent."""

    product_id: list[int]
    sku: list[str]
    tracking: list[str]
    visible: list[bool]
    base_variant_id: list[int | None]
    paging: Paging
    body: bytes

    @property
    def total_pages(self) -> int | None:
        """Pages in all, None where the answer does not say."""
        return self.paging.total_pages


@dataclass(frozen=True, slots=True)
class Location:
    """A stock location. `external` = BigCommerce refuses edits in its control panel."""

    id: int
    code: str
    label: str
    enabled: bool
    type_id: str
    external: bool
    default: bool | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """What `GET /v2/store` says that we use; contact data stays behind. `timezone` is an IANA name."""

    hash: str
    name: str
    timezone: str
    currency: str
    plan_name: str
    plan_level: str
    status: str
    default_channel_id: int
    multi_storefront: bool
    prices_include_tax: bool


@dataclass(frozen=True, slots=True)
class Channel:
    """A sales channel. `type` is storefront, pos, marketplace or marketing."""

    id: int
    name: str
    type: str
    platform: str
    status: str
    external_id: str
    currencies: Sequence[str] = ()
    default_currency: str = ""


@dataclass(frozen=True, slots=True)
class InventorySettings:
    """When the store moves stock by itself; None = inherited from the store's own settings."""

    update_stock_behavior: str | None
    edit_order_stock_adjustment: bool | None
    refund_order_stock_adjustment: bool | None
    product_out_of_stock_behavior: str | None
    option_out_of_stock_behavior: str | None


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook of our own API account; its header values are secrets and are not kept.

    `matches` says whether its headers were those that `hooks.list` was asked to compare with; None if it was
    not asked. `updated_at` is Unix seconds, 0 where unknown.
    """

    id: int
    scope: str
    destination: str
    active: bool
    header_names: Sequence[str] = ()
    matches: bool | None = None
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class BlockedDomain:
    """A destination's domain that the store sends nothing to for `seconds_left` more."""

    domain: str
    seconds_left: int
    reasons: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class HookHealth:
    """`GET /v3/hooks/admin`: {hook id: active, inactive or deactivated}, and the domains blocked now."""

    status: Mapping[int, str]
    blocked: Sequence[BlockedDomain] = ()


@dataclass(frozen=True, slots=True)
class OrderDocument:
    """One order as read, with fractions as Decimal.

    `consignments` is the object {pickups, shipping, downloads, email}, whichever of its shapes the store
    answered in, and holds the line items. `raw` is `document` as canonical JSON (sorted keys, digits kept), so
    equal orders have equal bytes.
    """

    id: int
    modified_at: datetime
    document: Mapping[str, Any] = field(repr=False)
    raw: bytes = field(repr=False)

    @property
    def status_id(self) -> int:
        """Where the order stands, by number (facts/bigcommerce.md 3.7)."""
        return int(self.document["status_id"])


@dataclass(frozen=True, slots=True)
class OrdersPage:
    """Some orders, each at most once per walk.

    In a walk over changes everything that changed before `through` has been handed out; `last` means that the
    walk came to its end. A walk whose budget ran out ends without such a page, so go on from `through`.
    """

    orders: Sequence[OrderDocument]
    paging: Paging
    through: datetime | None = None
    last: bool = False


@dataclass(frozen=True, slots=True)
class OrderHead:
    """What the completeness check needs of an order. `total` includes tax, in `currency` (ISO 4217)."""

    id: int
    status_id: int
    total: Decimal
    currency: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Metafield:
    """A metafield of an order. `id` is None before it is created. Unique per account, namespace, key and order."""

    order_id: int
    key: str
    value: str = field(repr=False)
    namespace: str
    permission_set: str = "read"
    id: int | None = None


@dataclass(frozen=True, slots=True)
class CustomerDocument:
    """One customer as read, all addresses included; `raw` is canonical JSON of `document`."""

    id: int
    modified_at: datetime
    document: Mapping[str, Any] = field(repr=False)
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CustomersPage:
    """Some customers; `through` and `last` as in `OrdersPage`."""

    customers: Sequence[CustomerDocument]
    paging: Paging
    through: datetime | None = None
    last: bool = False


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency of the store; `code` is ISO 4217."""

    id: int
    code: str
    enabled: bool
    default: bool
    decimal_places: int
