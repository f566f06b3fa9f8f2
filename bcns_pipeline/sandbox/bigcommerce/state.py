"""What the store holds: products, variants, locations and the stock of each inventory item at each location.

Put state and its changes here. Do not put HTTP here. An inventory item is a variant of a product tracked by
variant, or a whole product tracked by product; a product that is not tracked has none. All changes happen
on the event loop.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from bcns_pipeline.sandbox.world import World


@dataclass(slots=True)
class Location:
    """One place of stock."""

    id: int
    code: str
    label: str
    enabled: bool
    created_at: str


@dataclass(slots=True)
class Product:
    """One product; `variants` are places in `Store.variants`."""

    id: int
    name: str
    sku: str
    tracking: str
    base_variant_id: int | None
    variants: list[int] = field(default_factory=list)
    is_visible: bool = True

    @property
    def price(self) -> Decimal:
        """The catalogue price in the store's default currency, without or with tax as the store is set up."""
        return Decimal(10 + self.id % 90)


@dataclass(slots=True)
class Variant:
    """One variant; `item` is its place among the inventory items, or that of its product, or None."""

    id: int
    product_id: int
    sku: str
    label: str
    item: int | None = None


@dataclass(slots=True)
class Item:
    """One inventory item. The lists run over the locations; `known` says whether stock was ever set there."""

    sku: str
    variant_id: int
    product_id: int
    is_base: bool
    on_hand: list[int]
    known: list[bool]
    before: list[int]
    safety_stock: list[int]
    warning_level: list[int]
    in_stock: list[bool]
    bin: list[str]


class Store:
    """One shop."""

    def __init__(self, store_hash: str, created: datetime) -> None:
        self.hash = store_hash
        self.created = created
        self.locations: list[Location] = []
        self.location_place: dict[int, int] = {}
        self.products: list[Product] = []
        self.product_place: dict[int, int] = {}
        self.variants: list[Variant] = []
        self.variant_place: dict[int, int] = {}
        self.items: list[Item] = []
        self.by_sku: dict[str, int] = {}
        # Items of deleted products: orders name items by their places, which therefore stay.
        self.gone: set[int] = set()
        self._rendered: list[str | None] = []
        self._labels: list[tuple[int, str]] = []

    def load(self, world: World) -> None:
        """Fill an empty shop with a merchant's catalogue and stock."""
        created = self.created.strftime("%Y-%m-%dT%H:%M:%SZ")
        for place, location in enumerate(world.store_locations):
            enabled = location != world.suspended_location
            label = "Default location" if place == 0 else f"Location {location}"
            self.locations.append(Location(location, f"BC-LOCATION-{location}", label, enabled, created))
            self.location_place[location] = place
        self._label_locations()
        for product_id, sku, tracking, base in world.products.itertuples(index=False):
            self.product_place[product_id] = len(self.products)
            name = f"Product {sku or product_id}"
            self.products.append(Product(int(product_id), name, sku, tracking, int(base) or None))
        onhand = world.store_stock["onhand"].tolist()
        known = world.store_stock["known"].tolist()
        width = len(self.locations)
        rows = world.variants[["id", "product_id", "sku", "label"]].itertuples(index=False)
        for place, (variant_id, product_id, sku, label) in enumerate(rows):
            product = self.products[self.product_place[product_id]]
            variant = Variant(int(variant_id), int(product_id), sku, label)
            product.variants.append(place)
            self.variant_place[variant.id] = place
            self.variants.append(variant)
            if product.tracking == "none":
                continue
            variant.item = len(self.items)
            self.items.append(
                Item(
                    sku,
                    variant.id,
                    product.id,
                    product.base_variant_id == variant.id,
                    onhand[place],
                    known[place],
                    list(onhand[place]),
                    [0] * width,
                    [0] * width,
                    [True] * width,
                    [""] * width,
                )
            )
            if sku:
                self.by_sku[sku.lower()] = variant.item
        self._rendered = [None] * len(self.items)

    def add_product(self, sku: str, name: str, on_hand: int) -> Product:
        """A simple product that the merchant created today, with the same stock everywhere."""
        product_id = max((one.product_id for one in self.variants), default=100) + 1
        variant_id = max((one.id for one in self.variants), default=50_000) + 1
        product = Product(product_id, name, sku, "product", variant_id, [len(self.variants)])
        width = len(self.locations)
        self.product_place[product_id] = len(self.products)
        self.products.append(product)
        self.variant_place[variant_id] = len(self.variants)
        self.variants.append(Variant(variant_id, product_id, sku, "", len(self.items)))
        self.by_sku[sku.lower()] = len(self.items)
        stock, nothing = [on_hand] * width, [0] * width
        known, bins = [True] * width, [""] * width
        self.items.append(
            Item(
                sku,
                variant_id,
                product_id,
                True,
                stock,
                known,
                list(stock),
                nothing,
                list(nothing),
                list(known),
                bins,
            )
        )
        self._rendered.append(None)
        return product

    def delete_product(self, product: Product) -> None:
        """Take a product with its variants out of every list; orders keep what they say of it."""
        self.products.remove(product)
        self.product_place = {one.id: place for place, one in enumerate(self.products)}
        for variant in (self.variants[place] for place in product.variants):
            del self.variant_place[variant.id]
            if variant.item is not None:
                self.gone.add(variant.item)
                self.by_sku.pop(variant.sku.lower(), None)

    def places(self) -> Sequence[int]:
        """Of the items that are there."""
        every = range(len(self.items))
        return [place for place in every if place not in self.gone] if self.gone else every

    def _label_locations(self) -> None:
        self._labels = [
            (
                loc.id,
                f'{{"location_id":{loc.id},"location_code":{json.dumps(loc.code)},'
                f'"location_name":{json.dumps(loc.label)},"location_enabled":{json.dumps(loc.enabled)},',
            )
            for loc in self.locations
        ]

    def enable(self, location_id: int, enabled: bool) -> None:
        """Open or suspend a location, as a person does in the control panel."""
        self.locations[self.location_place[location_id]].enabled = enabled
        self._label_locations()
        self._rendered = [None] * len(self.items)

    def product(self, product_id: int) -> Product | None:
        """The product with this id."""
        place = self.product_place.get(product_id)
        return None if place is None else self.products[place]

    def variant(self, variant_id: int) -> Variant | None:
        """The variant with this id."""
        place = self.variant_place.get(variant_id)
        return None if place is None else self.variants[place]

    def set_stock(self, item: int, location: int, quantity: int) -> None:
        """Put the stock of an item at a location (by place) to a number."""
        row = self.items[item]
        row.before[location] = row.on_hand[location]
        row.on_hand[location] = quantity
        row.known[location] = True
        self._rendered[item] = None

    def touch(self, item: int) -> None:
        """Something shown of this item has changed."""
        self._rendered[item] = None

    def render(self, places: Iterable[int], locations: list[int] | None, *, stale: bool) -> list[str]:
        """Inventory items as JSON, all locations or those at the given places.

        `stale` shows what was before.
        """
        if locations is not None or stale:
            return [self._render(place, locations, stale) for place in places]
        rendered = self._rendered
        out = []
        for place in places:
            text = rendered[place]
            if text is None:
                text = rendered[place] = self._render(place, None, False)
            out.append(text)
        return out

    def identity(self, item: Item) -> str:
        """The identity object.

        `sku_id` is left out for a base variant (BigCommerce's null breaks its own schema).
        """
        tail = "" if item.is_base else f',"sku_id":{item.variant_id - 40_000}'
        ids = f'"variant_id":{item.variant_id},"product_id":{item.product_id}'
        return f'{{"sku":{json.dumps(item.sku)},{ids}{tail}}}'

    def _render(self, place: int, locations: list[int] | None, stale: bool) -> str:
        item = self.items[place]
        chosen = range(len(self._labels)) if locations is None else locations
        shown = ",".join([self._labels[k][1] + self.levels(item, k, stale=stale) for k in chosen])
        return f'{{"identity":{self.identity(item)},"locations":[{shown}]}}'

    def levels(self, item: Item, k: int, *, stale: bool) -> str:
        """The end of a location's object: quantities and settings."""
        on_hand = item.before[k] if stale else item.on_hand[k]
        safety = item.safety_stock[k]
        return (
            f'"available_to_sell":{on_hand - safety},"total_inventory_onhand":{on_hand},'
            f'"settings":{{"safety_stock":{safety},"is_in_stock":{"true" if item.in_stock[k] else "false"},'
            f'"warning_level":{item.warning_level[k]},"bin_picking_number":{json.dumps(item.bin[k])}}}}}'
        )
