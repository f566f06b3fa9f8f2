"""What records know of items: kind, price, subsidiaries, members of kits.

Put the look at an item here. Do not put stock here (stock.py). Everything is read at once and kept, because
one look into DuckDB costs as much as a whole order; when an item was changed by hand, all are read anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.account import BASE_PRICE, Account
from bcns_pipeline.sandbox.netsuite.chart import REVENUE
from bcns_pipeline.sandbox.netsuite.database import Database

STOCKED = frozenset({"InvtPart", "Assembly"})
KITS = frozenset({"Kit"})
GROUPS = frozenset({"Group"})
# What a warehouse ships; services, charges, discounts and certificates sold are never fulfilled.
FULFILLED = STOCKED | KITS | {"NonInvtPart"}


@dataclass(frozen=True, slots=True)
class Item:
    """An item as a line sees it. `price` is the base price; `percent` is a discount item's own rate.

    `income` is the account that its sales post to, which of a certificate or a charge may be a liability.
    """

    id: int
    name: str
    kind: str
    is_parent: bool
    inactive: bool
    subsidiaries: frozenset[int]
    price: Decimal | None
    taxable: bool
    percent: Decimal | None
    income: int = REVENUE

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
    """All items of the account. Their rows are read at once, an `Item` is made of one when it is asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: dict[int, tuple[Any, ...]] = {}
        self._items: dict[int, Item] = {}
        self._owners: dict[str, frozenset[int]] = {}
        self._external: dict[str, int] = {}
        self._members: dict[int, list[tuple[int, Decimal]]] = {}
        self._version = -1

    def get(self, item: int) -> Item | None:
        """The item with this id."""
        self._refresh()
        found = self._items.get(item)
        if found is None and item in self._rows:
            found = self._items[item] = self._made(self._rows[item])
        return found

    def by_external(self, external: str) -> Item | None:
        """The item with this external id."""
        self._refresh()
        found = self._external.get(external)
        return None if found is None else self.get(found)

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
        for kept in (self._rows, self._items, self._owners, self._external, self._members):
            kept.clear()
        rows = self._database.rows(
            """SELECT id, itemid, itemtype, matrixtype = 'PARENT', isinactive = 'T', subsidiary, _price,
                      COALESCE(_taxable, 'T') = 'T', _percent, incomeaccount FROM ns.item"""
        )
        self._rows.update((row[0], row) for row in rows)
        self._external.update(
            self._database.rows("SELECT externalid, id FROM ns.item WHERE externalid IS NOT NULL")
        )
        for kit, member, quantity in self._database.rows(
            "SELECT parentitem, item, quantity FROM ns.itemmember ORDER BY parentitem, linenumber"
        ):
            self._members.setdefault(kit, []).append((member, quantity))

    def _made(self, row: tuple[Any, ...]) -> Item:
        number, name, kind, is_parent, inactive, told, price, taxable, percent, income = row
        owners = str(told or "")
        if owners not in self._owners:
            self._owners[owners] = frozenset(int(part) for part in owners.replace(",", " ").split())
        return Item(
            number,
            name,
            kind,
            bool(is_parent),
            inactive,
            self._owners[owners],
            price,
            taxable,
            percent,
            REVENUE if income is None else income,
        )
