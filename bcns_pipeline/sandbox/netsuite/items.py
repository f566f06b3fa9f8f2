"""What records know of items: kind, price, subsidiaries, members of kits.

Put the look at an item here. Do not put stock here (stock.py). Everything is read at once and kept, because
one look into DuckDB costs as much as a whole order; when an item was changed by hand, all are read anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bcns_pipeline.sandbox.netsuite.account import BASE_PRICE, Account
from bcns_pipeline.sandbox.netsuite.database import Database

STOCKED = frozenset({"InvtPart", "Assembly"})
KITS = frozenset({"Kit"})
GROUPS = frozenset({"Group"})
# What a warehouse ships; services, charges, discounts and certificates sold are never fulfilled.
FULFILLED = STOCKED | KITS | {"NonInvtPart"}


@dataclass(frozen=True, slots=True)
class Item:
    """An item as a line sees it. `price` is the base price; `percent` is a discount item's own rate."""

    id: int
    name: str
    kind: str
    is_parent: bool
    inactive: bool
    subsidiaries: frozenset[int]
    price: Decimal | None
    taxable: bool
    percent: Decimal | None

    @property
    def stocked(self) -> bool:
        """Whether it lies on a shelf itself."""
        return self.kind in STOCKED

    @property
    def fulfilled(self) -> bool:
        """Whether a line of it is shipped."""
        return self.kind in FULFILLED

    @property
    def is_discount(self) -> bool:
        """A discount line has no quantity and takes from the line above."""
        return self.kind == "Discount"

    def sold_by(self, subsidiary: int, *, oneworld: bool) -> bool:
        """Whether a subsidiary may sell it."""
        return not oneworld or subsidiary in self.subsidiaries


class Items:
    """All items of the account."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items: dict[int, Item] = {}
        self._external: dict[str, int] = {}
        self._members: dict[int, list[tuple[int, Decimal]]] = {}
        self._version = -1

    def get(self, item: int) -> Item | None:
        """The item with this id."""
        self._refresh()
        return self._items.get(item)

    def by_external(self, external: str) -> Item | None:
        """The item with this external id."""
        self._refresh()
        found = self._external.get(external)
        return None if found is None else self._items[found]

    def members(self, kit: int) -> list[tuple[int, Decimal]]:
        """What one of a kit or group is made of: item and quantity."""
        self._refresh()
        return self._members.get(kit, [])

    def price(self, item: Item, level: int, account: Account) -> Decimal | None:
        """The price of an item at a price level; None where it has none."""
        if item.price is None or level not in account.price_levels:
            return None
        if level == BASE_PRICE:
            return item.price
        return item.price * (1 + account.price_levels[level])

    def _refresh(self) -> None:
        if self._version == self._database.item_version:
            return
        self._version = self._database.item_version
        self._items.clear()
        self._external.clear()
        self._members.clear()
        rows = self._database.rows(
            """SELECT id, itemid, itemtype, matrixtype = 'PARENT', isinactive = 'T', subsidiary, _price,
                      COALESCE(_taxable, 'T') = 'T', _percent, externalid FROM ns.item"""
        )
        owners: dict[str, frozenset[int]] = {}
        for row in rows:
            told = str(row[5] or "")
            if told not in owners:
                owners[told] = frozenset(int(part) for part in told.replace(",", " ").split())
            self._items[row[0]] = Item(
                row[0], row[1], row[2], bool(row[3]), row[4], owners[told], row[6], row[7], row[8]
            )
            if row[9] is not None:
                self._external[row[9]] = row[0]
        for kit, member, quantity in self._database.rows(
            "SELECT parentitem, item, quantity FROM ns.itemmember ORDER BY parentitem, linenumber"
        ):
            self._members.setdefault(kit, []).append((member, quantity))
