"""What NetSuite says that an order's plan depends on: the account, items, the customer, and a written order.

Put plain frozen shapes here; the flow fills them from what the clients read. Do not put decisions here. Ids
are NetSuite's internal ids. None means "not known", which is never taken for "none".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from bcns_pipeline.rules.identity import sku_key
from bcns_pipeline.rules.orders.model import ZERO, Line


@dataclass(frozen=True, slots=True)
class NetSuiteCurrency:
    """A currency of the account; `digits` are those that NetSuite keeps after the point."""

    id: int
    digits: int = 2


@dataclass(frozen=True, slots=True)
class Subsidiary:
    """A subsidiary; `currency` is the symbol of its base currency, "" where not known."""

    id: int
    currency: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """One NetSuite account. `currencies` by symbol, empty where the account has one currency only.

    `locations` gives each location's subsidiary; None where they were not read. `described` is False where NetSuite
    did not describe its records, so that `suitetax` is what the mapping file says.
    """

    oneworld: bool
    suitetax: bool
    base_currency: str
    currencies: Mapping[str, NetSuiteCurrency] = field(default_factory=dict)
    subsidiaries: Mapping[int, Subsidiary] = field(default_factory=dict)
    locations: Mapping[int, int] | None = None
    described: bool = True


@dataclass(frozen=True, slots=True)
class ItemRef:
    """A NetSuite item. `kind` is its `itemtype` (InvtPart, Kit, Group, ...), `matrix` PARENT, CHILD or ""."""

    id: int
    sku: str
    kind: str = "InvtPart"
    matrix: str = ""
    inactive: bool = False
    subsidiaries: frozenset[int] | None = None


KITS: Final = frozenset({"Kit"})
GROUPS: Final = frozenset({"Group"})


@dataclass(frozen=True, slots=True)
class Items:
    """How a line's item is found: by the variant's link, which survives a new SKU, then by SKU.

    `by_sku` has folded SKUs (`identity.sku_key`); a SKU of several items has all of them.
    """

    by_variant: Mapping[int, ItemRef] = field(default_factory=dict)
    by_sku: Mapping[str, tuple[ItemRef, ...]] = field(default_factory=dict)

    def find(self, line: Line) -> tuple[ItemRef, ...]:
        """The items that `line` may be: one if all is well, none if unknown, several if ambiguous."""
        linked = self.by_variant.get(line.variant_id) if line.variant_id else None
        return (linked,) if linked is not None else self.by_sku.get(sku_key(line.sku), ())

    def as_once_sold(self) -> Items:
        """The same items as if none had been made inactive since: for orders that NetSuite took already."""
        return Items(
            {variant: replace(item, inactive=False) for variant, item in self.by_variant.items()},
            {
                sku: tuple(replace(item, inactive=False) for item in items)
                for sku, items in self.by_sku.items()
            },
        )


@dataclass(frozen=True, slots=True)
class CustomerRef:
    """The NetSuite customer of the order: its id, or the external id under which it is about to be made.

    `tax_exempt` is NetSuite's view. `subsidiaries` and `currencies` are all that the customer may be used
    with, the primary one included.
    """

    id: int | None = None
    external_id: str = ""
    subsidiaries: frozenset[int] | None = None
    currencies: frozenset[int] | None = None
    tax_exempt: bool | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything an order's plan needs to know of NetSuite. `store` is the store hash."""

    store: str
    account: Account
    customer: CustomerRef
    items: Items = Items()


@dataclass(frozen=True, slots=True)
class ShownLine:
    """An item line as NetSuite shows it; quantities and amounts are positive on a sale.

    `line` is NetSuite's line number, which a patch names; `key` what our line-id field holds, "" without
    one. `tax_reference` is the line's taxDetailsReference, "" where not read.
    """

    line: int
    item: int
    quantity: Decimal
    amount: Decimal
    key: str = ""
    fulfilled: Decimal = ZERO
    billed: Decimal = ZERO
    closed: bool = False
    tax_reference: str = ""

    @property
    def untouchable(self) -> Decimal:
        """Units that have left or are on an invoice; a line can't go below them."""
        return max(self.fulfilled, self.billed)


@dataclass(frozen=True, slots=True)
class Shown:
    """A sales order or cash sale as NetSuite shows it, in the order's currency.

    `status` is the letter A..H (facts/netsuite.md 3.6). `lines` are item lines, without NetSuite's own tax
    and shipping lines, in NetSuite's order; `shipping` and `handling` are the header's.
    """

    id: int
    status: str
    total: Decimal
    tax: Decimal
    currency: str
    lines: tuple[ShownLine, ...] = ()
    shipping: Decimal = ZERO
    handling: Decimal = ZERO
    base_total: Decimal | None = None  # in the subsidiary's currency, where it was read
    header: Mapping[str, Any] = field(default_factory=dict, repr=False)
