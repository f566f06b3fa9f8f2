"""What orders and fulfilments do to stock: commit, release, ship.

Put the quantities per item and location here. Do not put lines of orders here. A commitment takes what is
available and leaves the rest on back order; a shipment takes the goods and their commitment. Stock rows live
in DuckDB; here is what was touched, written behind through the backlog.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from bcns_pipeline.sandbox.clock import Clock
from bcns_pipeline.sandbox.netsuite.backlog import Level
from bcns_pipeline.sandbox.netsuite.database import Database
from bcns_pipeline.sandbox.netsuite.items import Item, Items

ZERO = Decimal(0)
PLACES = 1 << 20  # locations' ids are below this, so that item and location make one integer key


@dataclass(slots=True)
class Cell:
    """The quantities of one item at one location."""

    on_hand: Decimal
    committed: Decimal
    backordered: Decimal

    @property
    def available(self) -> Decimal:
        """On hand and not promised to anybody; negative where stock is."""
        return self.on_hand - self.committed


class Stock:
    """The shelves, as far as records touch them. All changes happen on the event loop."""

    def __init__(self, database: Database, items: Items, clock: Clock) -> None:
        self._database = database
        self._items = items
        self._clock = clock
        self._version = -1
        self._cells: dict[tuple[int, int], Cell] = {}
        self._keys = np.empty(0, dtype=np.int64)
        self._rows: dict[str, np.ndarray] = {}

    def cell(self, item: int, location: int) -> Cell:
        """The quantities at a place; zeroes where the item never was there."""
        if self._version != self._database.stock_version:
            self._load()
        key = (item, location)
        found = self._cells.get(key)
        if found is None:
            found = self._cells[key] = self._stored(item * PLACES + location)
        return found

    def commit(self, item: Item, location: int, quantity: Decimal) -> Decimal:
        """Promise `quantity`; returns what could be promised. The rest is on back order.

        Of a kit only whole ones are promised, and only where all members are there.
        """
        needs = self._needs(item)
        taken = quantity
        for member, each in needs:
            free = max(self.cell(member, location).available, ZERO)
            taken = min(taken, free if item.stocked else free // each)
        for member, each in needs:
            cell = self.cell(member, location)
            cell.committed += taken * each
            cell.backordered += (quantity - taken) * each
            self._put(member, location, cell, moved=taken != 0)
        return taken

    def release(self, item: Item, location: int, committed: Decimal, backordered: Decimal) -> None:
        """Take a promise back."""
        if not committed and not backordered:
            return
        for member, each in self._needs(item):
            cell = self.cell(member, location)
            cell.committed = max(cell.committed - committed * each, ZERO)
            cell.backordered = max(cell.backordered - backordered * each, ZERO)
            self._put(member, location, cell, moved=committed != 0)

    def ship(self, item: Item, location: int, quantity: Decimal, committed: Decimal) -> None:
        """Goods leave the shelf and take `committed` of their promise along; negative puts both back."""
        for member, each in self._needs(item):
            cell = self.cell(member, location)
            cell.on_hand -= quantity * each
            cell.committed = max(cell.committed - committed * each, ZERO)
            self._put(member, location, cell, moved=quantity != committed)

    def reset(self, item: int, location: int, on_hand: Decimal) -> None:
        """A count: this much is there, nothing is promised and nothing on back order."""
        cell = self.cell(item, location)
        cell.on_hand, cell.committed, cell.backordered = on_hand, ZERO, ZERO
        self._put(item, location, cell, moved=True)

    def places(self) -> list[tuple[int, int]]:
        """Every item and location that has a stock row."""
        if self._version != self._database.stock_version:
            self._load()
        stored = [(int(key) // PLACES, int(key) % PLACES) for key in self._keys]
        return list(dict.fromkeys([*stored, *self._cells]))

    def _needs(self, item: Item) -> list[tuple[int, Decimal]]:
        """What lies on shelves of one of an item: itself, or a kit's members that are stocked."""
        if item.stocked:
            return [(item.id, Decimal(1))]
        found = []
        for member, each in self._items.members(item.id):
            part = self._items.get(member)
            if part is not None and part.stocked:
                found.append((member, each))
        return found

    def _put(self, item: int, location: int, cell: Cell, *, moved: bool) -> None:
        at = str(self._clock.account())
        self._database.backlog.put_level(
            item, location, Level(cell.on_hand, cell.committed, cell.backordered, moved, at)
        )

    def _stored(self, key: int) -> Cell:
        place = int(np.searchsorted(self._keys, key))
        if place == len(self._keys) or int(self._keys[place]) != key:
            return Cell(ZERO, ZERO, ZERO)
        on_hand, committed, backordered = (
            Decimal(str(self._rows[name][place])) for name in ("onhand", "committed", "backordered")
        )
        return Cell(on_hand, committed, backordered)

    def _load(self) -> None:
        """Read all stock rows: after somebody moved stock by other ways than ours."""
        self._version = self._database.stock_version
        self._cells.clear()
        self._database.flush()
        found = (
            self._database.cursor()
            .execute(
                f"""SELECT item * {PLACES} + location AS k, quantityonhand::DOUBLE AS onhand,
                       quantitycommitted::DOUBLE AS committed, quantitybackordered::DOUBLE AS backordered
                FROM ns.level ORDER BY k"""
            )
            .fetchnumpy()
        )
        self._keys = np.asarray(found["k"])
        self._rows = {name: np.ma.filled(found[name], 0.0) for name in ("onhand", "committed", "backordered")}
