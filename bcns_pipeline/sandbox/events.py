"""What people and shoppers do to the two systems: receipts, renames, hand edits, orders.

Put happenings of the outside world here. Do not put HTTP here. Each touches one system only, as in life: an
order placed in the shop takes stock there at once, and NetSuite commits stock when the sales order is
posted to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bcns_pipeline.sandbox.bigcommerce.orders.handling import OutOfStock
from bcns_pipeline.sandbox.bigcommerce.state import Item, Store
from bcns_pipeline.sandbox.merchant import Merchant
from bcns_pipeline.sandbox.netsuite.account import FIRST_SERVICE_ITEM
from bcns_pipeline.sandbox.office_events import Office
from bcns_pipeline.sandbox.shop_events import ShopEvents

TERMS = {
    "committed": "quantitycommitted",
    "on_order": "quantityonorder",
    "in_transit": "quantityintransit",
    "backordered": "quantitybackordered",
}


class BadEvent(Exception):
    """What was asked for can't happen; the text says why in one sentence."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order in the shop."""

    id: int
    sku: str
    quantity: int
    location_id: int


class Events:
    """The hand that moves the sandbox."""

    def __init__(self, merchant: Merchant) -> None:
        self.merchant = merchant
        self.orders: dict[int, Order] = {}
        self.office = Office(merchant.netsuite.books)
        self.shop = ShopEvents(merchant.bigcommerce.shop, lambda: merchant.options.seed)

    # -- NetSuite --------------------------------------------------------------------------------------------

    def _item(self, raw: Mapping[str, Any]) -> int:
        """The NetSuite item that a body names by `item` (id) or `sku` (item number.

        The lowest id of several).
        """
        database = self.merchant.netsuite.database
        if "item" in raw:
            found = database.rows("SELECT id FROM ns.item WHERE id = ?", [int(raw["item"])])
            if not found:
                raise BadEvent(f"NetSuite has no item {raw['item']}.")
            return int(found[0][0])
        ids = database.find_items(str(raw.get("sku", "")))
        if not ids:
            raise BadEvent(f"NetSuite has no item with the number {raw.get('sku')!r}.")
        return ids[0]

    def stock(self, changes: Sequence[Mapping[str, Any]]) -> int:
        """Receipts and counts: each names an item, a location, and `on_hand`, `delta` or other terms."""
        database = self.merchant.netsuite.database
        known = {int(r[0]) for r in database.rows("SELECT id FROM ns.location")}
        moves: list[tuple[int, int, float | None, float | None]] = []
        terms: list[tuple[int, int, dict[str, float]]] = []
        numbers = self._numbers(changes)
        for change in changes:
            item = numbers.get(str(change.get("sku"))) if "item" not in change and len(changes) > 1 else None
            item = item if item is not None else self._item(change)
            location = int(change.get("location", min(known)))
            if location not in known:
                raise BadEvent(f"NetSuite has no location {location}; it has {sorted(known)}.")
            on_hand, delta = change.get("on_hand"), change.get("delta")
            other = {TERMS[name]: float(change[name]) for name in TERMS if name in change}
            if on_hand is None and delta is None and not other:
                raise BadEvent("A stock change has on_hand, delta or one of " + ", ".join(TERMS) + ".")
            if on_hand is not None or delta is not None:
                moves.append(
                    (
                        item,
                        location,
                        None if on_hand is None else float(on_hand),
                        None if delta is None else float(delta),
                    )
                )
            if other:
                terms.append((item, location, other))
        moved = 0
        if moves:
            frame = pd.DataFrame(moves, columns=["item", "location", "on_hand", "delta"])
            moved = database.set_levels(frame.astype({"on_hand": "float64", "delta": "float64"}))
        for item, location, values in terms:
            database.set_terms(item, location, values)
        self.office.stock_came()
        return moved + len(terms)

    def _numbers(self, changes: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """Item ids of many item numbers at once."""
        skus = [str(c["sku"]) for c in changes if "sku" in c and "item" not in c]
        if len(skus) < 2:
            return {}
        rows = self.merchant.netsuite.database.rows(
            "SELECT itemid, min(id) FROM ns.item WHERE list_contains(?, itemid) GROUP BY itemid", [skus]
        )
        return {str(sku): int(item) for sku, item in rows}

    def stock_everywhere(self, delta: float) -> int:
        """Move the stock of every item at every location."""
        moved = self.merchant.netsuite.database.move_all(delta)
        self.office.stock_came()
        return moved

    def item(self, raw: Mapping[str, Any]) -> int:
        """Change an item's master data, or with `create` add one; returns its id."""
        database = self.merchant.netsuite.database
        now = self.merchant.clock.account()
        fields = {k: v for k, v in raw.items() if k not in ("sku", "item", "create")}
        for name in ("isinactive",):
            if isinstance(fields.get(name), bool):
                fields[name] = "T" if fields[name] else "F"
        allowed = {
            "isinactive",
            "itemid",
            "fullname",
            "displayname",
            "itemtype",
            "matrixtype",
            "parent",
            "externalid",
        }
        allowed |= {"upccode", "custitem_brand", "subsidiary"}
        if unknown := sorted(set(fields) - allowed):
            raise BadEvent(f"An item's {unknown[0]} can't be changed here; {', '.join(sorted(allowed))} can.")
        if raw.get("create"):
            item = int(
                database.rows("SELECT max(id) + 1 FROM ns.item WHERE id < ?", [FIRST_SERVICE_ITEM])[0][0]
            )
            values = {
                "itemid": raw.get("sku"),
                "fullname": raw.get("sku"),
                "itemtype": "InvtPart",
                "isinactive": "F",
                "subsidiary": self.office.everywhere(),
            }
            database.insert("item", {"id": item, **values, **fields, "lastmodifieddate": now})
            database.item_version += 1
            return item
        item = self._item(raw)
        if "itemid" in fields and "fullname" not in fields:
            fields["fullname"] = fields["itemid"]
        marks = "".join(f'"{name}" = ?, ' for name in fields)
        database.write(
            f"UPDATE ns.item SET {marks}lastmodifieddate = ? WHERE id = ?", [*fields.values(), now, item]
        )
        database.item_version += 1
        return item

    def members(self, raw: Mapping[str, Any]) -> int:
        """Give a kit (`sku` or `item`) other `members`: a list of sku or item, and quantity. Returns its id."""
        database = self.merchant.netsuite.database
        kit = self._item(raw)
        lines = [(self._item(line), float(line["quantity"])) for line in raw["members"]]
        database.write("DELETE FROM ns.itemmember WHERE parentitem = ?", [kit])
        for number, (member, quantity) in enumerate(lines, 1):
            row = {"parentitem": kit, "item": member, "quantity": quantity, "linenumber": number}
            database.insert("itemmember", row)
        self.item({"item": kit})
        return kit

    def sales_order(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Post a sales order to NetSuite: what is available is committed, the rest is backordered."""
        placed = self.orders.get(int(raw["order_id"])) if "order_id" in raw else None
        if "order_id" in raw and placed is None:
            raise BadEvent(f"The shop has no order {raw['order_id']}.")
        sku = placed.sku if placed else str(raw.get("sku", ""))
        quantity = placed.quantity if placed else int(raw.get("quantity", 1))
        location = self._netsuite_location(raw, placed)
        reference = str(placed.id) if placed else None
        return self.office.post_order(self._item({"sku": sku}), quantity, location, reference)

    def _netsuite_location(self, raw: Mapping[str, Any], placed: Order | None) -> int:
        if "location" in raw:
            return int(raw["location"])
        world = self.merchant.world
        at = placed.location_id if placed else int(raw.get("location_id", world.store_locations[0]))
        return world.netsuite_locations[world.store_locations.index(at)]

    def delete_item(self, raw: Mapping[str, Any]) -> int:
        """Delete an item with its stock rows, as an administrator may; it leaves a `deletedrecord`."""
        item = self._item(raw)
        database = self.merchant.netsuite.database
        for sql in ("DELETE FROM ns.level WHERE item = ?", "DELETE FROM ns.item WHERE id = ?"):
            database.write(sql, [item])
        database.item_version += 1
        database.stock_version += 1
        database.insert(
            "deletedrecord",
            {"recordid": item, "type": "Inventory Item", "deleteddate": self.merchant.clock.account()},
        )
        return item

    # -- BigCommerce -----------------------------------------------------------------------------------------

    def _store_item(self, raw: Mapping[str, Any]) -> int:
        """The inventory item that a body names by sku, variant_id or product_id."""
        store = self.merchant.bigcommerce.store
        found: int | None = None
        if "sku" in raw:
            found = store.by_sku.get(str(raw["sku"]).lower())
        elif "variant_id" in raw and (variant := store.variant(int(raw["variant_id"]))):
            found = variant.item
        elif "product_id" in raw and (product := store.product(int(raw["product_id"]))):
            found = store.variants[product.variants[0]].item
        if found is None:
            raise BadEvent(f"The shop has no inventory item like {dict(raw)}.")
        return found

    def _store_location(self, raw: Mapping[str, Any]) -> int:
        store = self.merchant.bigcommerce.store
        location = int(raw.get("location_id", store.locations[0].id))
        if location not in store.location_place:
            raise BadEvent(f"The shop has no location {location}.")
        return store.location_place[location]

    def hand_edit(self, changes: Sequence[Mapping[str, Any]]) -> int:
        """Stock set in the control panel: at once, and whatever the tracking rule says."""
        store = self.merchant.bigcommerce.store
        ready = [(self._store_item(c), self._store_location(c), int(c["quantity"])) for c in changes]
        for item, location, quantity in ready:
            store.set_stock(item, location, quantity)
        return len(ready)

    def place_order(self, raw: Mapping[str, Any]) -> Order:
        """A guest's order of one product takes stock in the shop at once; NetSuite is not told."""
        store = self.merchant.bigcommerce.store
        row, location = store.items[self._store_item(raw)], store.locations[self._store_location(raw)]
        quantity = int(raw.get("quantity", 1))
        line = {"variant_id": row.variant_id, "quantity": quantity}
        try:
            placed = self.shop.order({"kind": "guest", "lines": [line], "location_id": location.id})
        except OutOfStock as fault:
            raise BadEvent(str(fault)) from fault
        order = Order(placed.id, row.sku, quantity, location.id)
        self.orders[order.id] = order
        return order

    def change_product(self, raw: Mapping[str, Any]) -> int:
        """Rename a SKU (`new_sku`), hide a product (`is_visible`) or delete it (`deleted`); returns its id."""
        store = self.merchant.bigcommerce.store
        item = store.items[self._store_item(raw)]
        product = store.product(item.product_id)
        assert product is not None
        if "is_visible" in raw:
            product.is_visible = bool(raw["is_visible"])
        if "new_sku" in raw:
            rename(store, item, str(raw["new_sku"]))
        if raw.get("deleted"):
            store.delete_product(product)
        return product.id

    def inventory(self, sku: str | None) -> list[dict[str, Any]]:
        """The shop's stock as it is, without what adjustments will still change."""
        store = self.merchant.bigcommerce.store
        places = store.places() if sku is None else [self._store_item({"sku": sku})]
        return [
            {
                "sku": item.sku,
                "variant_id": item.variant_id,
                "product_id": item.product_id,
                "on_hand": {str(loc.id): item.on_hand[k] for k, loc in enumerate(store.locations)},
                "safety_stock": {str(loc.id): item.safety_stock[k] for k, loc in enumerate(store.locations)},
            }
            for item in (store.items[place] for place in places)
        ]

    def levels(self, sku: str) -> list[dict[str, Any]]:
        """NetSuite's stock rows of the items with this number."""
        ids = self.merchant.netsuite.database.find_items(sku)
        names = ("item", "location", "available", "on_hand", "committed", "backordered", "changed_at")
        rows = self.merchant.netsuite.database.rows(
            """SELECT item, location, quantityavailable::DOUBLE, quantityonhand::DOUBLE,
                      quantitycommitted::DOUBLE, quantitybackordered::DOUBLE,
                      strftime(lastquantityavailablechange, '%Y-%m-%d %H:%M:%S')
               FROM ns.aggregateitemlocation WHERE list_contains(?, item) ORDER BY item, location""",
            [ids],
        )
        return [dict(zip(names, row, strict=True)) for row in rows]

    def books(self) -> dict[str, list[dict[str, Any]]]:
        """What NetSuite holds: items, what is available of each where, and what each kit needs of what."""
        database = self.merchant.netsuite.database
        found = {
            "items": (
                ("item", "sku", "type", "matrix", "inactive"),
                "SELECT id, itemid, itemtype, matrixtype, isinactive = 'T' FROM ns.item ORDER BY id",
            ),
            "levels": (
                ("item", "location", "available"),
                """SELECT item, location, quantityavailable::DOUBLE FROM ns.aggregateitemlocation
                   ORDER BY item, location""",
            ),
            "members": (
                ("kit", "item", "quantity"),
                """SELECT parentitem, item, quantity::DOUBLE FROM ns.itemmember
                   ORDER BY parentitem, linenumber""",
            ),
        }
        return {
            name: [dict(zip(columns, row, strict=True)) for row in database.rows(sql)]
            for name, (columns, sql) in found.items()
        }


def rename(store: Store, item: Item, sku: str) -> None:
    """Give an inventory item another SKU; SKUs are unique whatever their case."""
    if sku and store.by_sku.get(sku.lower()) not in (None, store.by_sku.get(item.sku.lower())):
        raise BadEvent(f"The SKU {sku!r} is taken.")
    place = store.by_sku.pop(item.sku.lower())
    item.sku = sku
    if sku:
        store.by_sku[sku.lower()] = place
    store.variants[store.variant_place[item.variant_id]].sku = sku
    product = store.product(item.product_id)
    if product is not None and item.is_base:
        product.sku = sku
    store.touch(place)
