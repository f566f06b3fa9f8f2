"""The Inventory API: levels and adjustments.

Put inventory endpoints here. Do not put other stock movements here (orders and the control panel are
state.py's callers too). Source: facts/bigcommerce.md 2.2; whether the good lines of a refused request are
applied is documented nowhere, and here they are not.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from bcns_pipeline.sandbox.bigcommerce import errors
from bcns_pipeline.sandbox.bigcommerce.paging import Refusal, Window, integers, listing, texts, window
from bcns_pipeline.sandbox.bigcommerce.state import Store
from bcns_pipeline.sandbox.web import Answer, Call, json_answer

MOST_ITEMS = 2000
PAGE_LIMIT = 1000
DEFAULT_LIMIT = 50
INT32_MAX = 2_147_483_647
SETTINGS: dict[str, type] = {
    "safety_stock": int,
    "warning_level": int,
    "is_in_stock": bool,
    "bin_picking_number": str,
}
IDENTITIES = ("product_id", "variant_id", "sku")

# item place, location place, quantity, relative
Line = tuple[int, int, int]


class Inventory:
    """Endpoints over one store. `delay_ms` lies between an accepted adjustment and its effect."""

    def __init__(self, store: Callable[[], Store], delay_ms: float) -> None:
        self._store = store
        self.delay_ms = delay_ms
        self.pending = 0

    # -- reading ---------------------------------------------------------------------------------------------

    def items(self, call: Call, stale: bool = False) -> Answer:
        """GET /v3/inventory/items."""
        store = self._store()
        asked = window(call, DEFAULT_LIMIT, PAGE_LIMIT)
        locations = self._location_filter(call)
        places, total = self._chosen(call, asked)
        return listing(asked, store.render(places, locations, stale=stale), total)

    def location_items(self, call: Call, location_id: str, stale: bool = False) -> Answer:
        """GET /v3/inventory/locations/{location_id}/items."""
        store = self._store()
        place = store.location_place.get(int(location_id)) if location_id.isdigit() else None
        if place is None:
            return errors.problem(404, "Location not found")
        asked = window(call, DEFAULT_LIMIT, PAGE_LIMIT)
        places, total = self._chosen(call, asked)
        rows = [
            f'{{"identity":{store.identity(item)},' + store.levels(item, place, stale=stale)
            for item in (store.items[p] for p in places)
        ]
        return listing(asked, rows, total)

    def _location_filter(self, call: Call) -> list[int] | None:
        store = self._store()
        ids, codes = integers(call, "location_id:in"), texts(call, "location_code:in")
        if ids is None and codes is None:
            return None
        return [
            place
            for place, location in enumerate(store.locations)
            if (ids is None or location.id in ids) and (codes is None or location.code in codes)
        ]

    def _chosen(self, call: Call, asked: Window) -> tuple[Sequence[int], int]:
        """Places of the items on the page, and how many there are over all pages."""
        store = self._store()
        skus = texts(call, "sku:in")
        variants, products = integers(call, "variant_id:in"), integers(call, "product_id:in")
        if skus is None and variants is None and products is None:
            every = store.places()
            return every[asked.start : asked.end], len(every)
        chosen: set[int] | None = None
        for wanted in (
            None if skus is None else {store.by_sku.get(s.lower()) for s in skus},
            None if variants is None else {v.item for i in variants if (v := store.variant(i))},
            None
            if products is None
            else {store.variants[n].item for i in products if (p := store.product(i)) for n in p.variants},
        ):
            if wanted is not None:
                found = {place for place in wanted if place is not None}
                chosen = found if chosen is None else chosen & found
        places = sorted(chosen or ())
        return places[asked.start : asked.end], len(places)

    # -- writing ---------------------------------------------------------------------------------------------

    def absolute(self, call: Call) -> Answer:
        """PUT /v3/inventory/adjustments/absolute."""
        return self._adjust(call, relative=False)

    def relative(self, call: Call) -> Answer:
        """POST /v3/inventory/adjustments/relative."""
        return self._adjust(call, relative=True)

    def _adjust(self, call: Call, *, relative: bool) -> Answer:
        lines = self._lines(body_list(call, "items"), relative=relative)
        if not relative:
            items = self._store().items
            for item, location, _ in lines:
                items[item].known[location] = True
        self.later(lambda store: apply(store, lines, relative=relative))
        return transaction()

    def later(self, change: Callable[[Store], None]) -> None:
        """Apply a change as the real system does: after the answer, in the order of acceptance."""
        store = self._store()
        self.pending += 1

        def run() -> None:
            self.pending -= 1
            change(store)

        asyncio.get_running_loop().call_later(self.delay_ms / 1000, run)

    def _lines(self, raw: list[Any], *, relative: bool) -> list[Line]:
        """Check all lines; one bad line refuses the request."""
        store = self._store()
        lines: list[Line] = []
        fields: dict[str, str] = {}
        wrong_way: list[str] = []
        unknown: list[str] = []
        lost: set[int] = set()
        unset: list[str] = []
        places, products, variants, by_sku = (
            store.location_place,
            store.product_place,
            store.variant_place,
            store.by_sku,
        )
        for number, line in enumerate(raw):
            if not isinstance(line, dict):
                fields[f"items.{number}"] = "must be an object"
                continue
            location, quantity = line.get("location_id"), line.get("quantity")
            given = [name for name in IDENTITIES if name in line]
            if type(location) is not int or type(quantity) is not int or len(given) != 1:
                fields.update(explain(number, line, given))
                continue
            if not (-INT32_MAX if relative else 0) <= quantity <= INT32_MAX:
                fields[f"items.{number}.quantity"] = f"must be between 0 and {INT32_MAX}"
                continue
            place = places.get(location)
            if place is None:
                lost.add(location)
                continue
            if not store.locations[place].enabled:
                fields[f"items.{number}.location_id"] = f"Location {location} is disabled"
                continue
            name = given[0]
            value = line[name]
            if name == "product_id":
                at = products.get(value) if type(value) is int else None
                product = None if at is None else store.products[at]
                variant = (
                    None if product is None or not product.variants else store.variants[product.variants[0]]
                )
                right = "product"
            elif name == "variant_id":
                at = variants.get(value) if type(value) is int else None
                variant = None if at is None else store.variants[at]
                product = None if variant is None else store.products[products[variant.product_id]]
                right = "variant"
            else:
                at = by_sku.get(value.lower()) if isinstance(value, str) and value else None
                variant = None if at is None else store.variants[variants[store.items[at].variant_id]]
                product = None if variant is None else store.products[products[variant.product_id]]
                right = "variant"
            if product is None or variant is None:
                unknown.append(f"{name} {value}")
            elif product.tracking != right:
                wrong_way.append(tracked_otherwise(name, value, product.tracking))
            else:
                item = variant.item
                assert item is not None
                if relative and not store.items[item].known[place]:
                    unset.append(f"{name} {value}")
                lines.append((item, place, quantity))
        if fields:
            raise Refusal(errors.invalid_fields(fields))
        if lost:
            listed = ",".join(str(i) for i in sorted(lost))
            raise Refusal(errors.problem(422, f"Location not found, identities: [{listed}]"))
        if unknown:
            raise Refusal(errors.problem(422, f"Items not found, identities: [{', '.join(unknown)}]"))
        if wrong_way:
            raise Refusal(errors.problem(422, f"[{', '.join(wrong_way)}]"))
        if unset:
            listed = ", ".join(unset)
            title = f"Items with identity: [{listed}] requires absolute adjustment before relative"
            raise Refusal(errors.problem(422, title))
        return lines

    def settings(self, call: Call, location_id: str) -> Answer:
        """PUT /v3/inventory/locations/{location_id}/items; what is left out keeps its value."""
        store = self._store()
        place = store.location_place.get(int(location_id)) if location_id.isdigit() else None
        if place is None:
            return errors.problem(404, "Location not found")
        changes = [self._setting(number, raw) for number, raw in enumerate(body_list(call, "settings"))]

        def change(now: Store) -> None:
            for item, values in changes:
                row = now.items[item]
                for column, value in (
                    (row.safety_stock, values.get("safety_stock")),
                    (row.warning_level, values.get("warning_level")),
                    (row.in_stock, values.get("is_in_stock")),
                    (row.bin, values.get("bin_picking_number")),
                ):
                    if value is not None:
                        column[place] = value
                now.touch(item)

        self.later(change)
        return transaction()

    def _setting(self, number: int, raw: Any) -> tuple[int, dict[str, Any]]:
        store = self._store()
        identity = raw.get("identity") if isinstance(raw, dict) else None
        if not isinstance(identity, dict) or len(identity) != 1:
            raise Refusal(
                errors.invalid_fields({f"setting.{number}.identity": "One identity must be specified"})
            )
        values = {k: v for k, v in raw.items() if k != "identity"}
        if not values:
            text = "At least one setting must be specified: warning_level, is_in_stock or safety_stock"
            raise Refusal(errors.invalid_fields({f"setting.{number}.settings": text}))
        for name, value in values.items():
            if type(value) is not SETTINGS.get(name) or (type(value) is int and value < 0):
                raise Refusal(errors.invalid_fields({f"setting.{number}.{name}": "is not valid"}))
        name, value = next(iter(identity.items()))
        item: int | None = None
        if name == "sku" and isinstance(value, str):
            item = store.by_sku.get(value.lower())
        elif name == "variant_id" and type(value) is int and (variant := store.variant(value)):
            item = variant.item
        elif name == "product_id" and type(value) is int and (product := store.product(value)):
            item = store.variants[product.variants[0]].item
        if item is None:
            raise Refusal(errors.problem(422, f"Items not found, identities: [{name} {value}]"))
        return item, values


def apply(store: Store, lines: list[Line], *, relative: bool) -> None:
    """Let accepted lines take effect.

    A relative line that would go below safety stock leaves the stock alone.
    """
    for item, location, quantity in lines:
        if relative:
            row = store.items[item]
            quantity += row.on_hand[location]
            if not row.safety_stock[location] <= quantity <= INT32_MAX:
                continue
        store.set_stock(item, location, quantity)


def body_list(call: Call, name: str) -> list[Any]:
    """The one list of a request body; raises `Refusal`."""
    try:
        body = call.json()
    except ValueError as fault:
        raise Refusal(errors.problem(400, "Input is invalid")) from fault
    rows = body.get(name) if isinstance(body, dict) else None
    if not isinstance(rows, list) or not rows:
        raise Refusal(errors.invalid_fields({name: "must be a list with at least one element"}))
    if len(rows) > MOST_ITEMS:
        raise Refusal(errors.problem(413, f"The limit of {MOST_ITEMS} items per request is exceeded"))
    reason = body.get("reason")
    if reason is not None and not isinstance(reason, str):
        raise Refusal(errors.invalid_fields({"reason": "must be a string"}))
    return rows


def explain(number: int, line: dict[str, Any], given: list[str]) -> dict[str, str]:
    """What is wrong with the build of a line."""
    fields = {
        f"items.{number}.{name}": "must be an integer"
        for name in ("location_id", "quantity")
        if type(line.get(name)) is not int
    }
    if len(given) != 1:
        fields[f"items.{number}"] = "One of sku, product_id or variant_id is required"
    return fields


def tracked_otherwise(name: str, value: Any, tracking: str) -> str:
    """BigCommerce's words for stock sent to the wrong level."""
    if tracking == "none":
        return f"Item with {name} {value} is not tracked"
    return f"Item with {name} {value} is tracked by {tracking}, please update stock by {tracking} id"


def transaction() -> Answer:
    """All that is ever said about an accepted change."""
    return json_answer(200, {"transaction_id": str(uuid.uuid4())})
