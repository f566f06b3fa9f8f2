"""Turns one JSON answer of BigCommerce into the shapes of `models.py`.

Put only reading here: ValueError for an answer of another shape, which the transport takes for a broken one
and asks again. No HTTP and no defaults that hide a missing quantity: an inventory row without its numbers
is refused, because unknown is not zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from bcns_pipeline.clients.bigcommerce.models import InventoryPage, Levels, Paging, ProductsPage, VariantsPage
from bcns_pipeline.clients.http.body import decode_exact

T = TypeVar("T")


def page_of(body: bytes, page: int, limit: int) -> tuple[list[Any], Paging]:
    """Rows and position of a v3 page; a bare `[]` is an empty one. Fractions are Decimals."""
    rows, meta = _rows_and_meta(body)
    return rows, _paging(rows, meta, page, limit)


def _rows_and_meta(body: bytes) -> tuple[list[Any], Any]:
    value = decode_exact(body)
    if isinstance(value, list):
        return value, None
    if not isinstance(value, dict) or not isinstance(value.get("data"), list):
        raise ValueError("no list in the answer")  # noqa: TRY004 - the transport retries it
    return value["data"], value.get("meta")


def _paging(rows: list[Any], meta: Any, page: int, limit: int) -> Paging:
    pagination = meta.get("pagination") if isinstance(meta, dict) else None
    if not isinstance(pagination, dict):
        return Paging(page, len(rows), limit, key=_key(rows))
    return Paging(
        page=page,
        count=len(rows),
        limit=limit,
        total_pages=_int(pagination.get("total_pages")),
        total=_int(pagination.get("total")),
        current=_int(pagination.get("current_page")),
        key=_key(rows),
    )


def cursor_page(body: bytes) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Rows of a v3 page, and the parameters that ask for the next one: {after} or {page}, None at the end."""
    rows, meta = _rows_and_meta(body)
    paging = _paging(rows, meta, 1, 1)
    cursor = meta.get("cursor_pagination") if isinstance(meta, dict) else None
    if isinstance(cursor, dict) and cursor.get("end_cursor"):
        links = cursor.get("links")
        more = bool(links.get("next")) if isinstance(links, dict) else len(rows) >= int(cursor["per_page"])
        return rows, {"after": str(cursor["end_cursor"])} if more else None
    if paging.current is not None and paging.total_pages is not None and paging.current < paging.total_pages:
        return rows, {"page": paging.current + 1}
    return rows, None


def read_shape(read: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """`read` with every fault of shape as ValueError, which is what the transport understands."""

    def reading(body: bytes) -> T:
        try:
            return read(body)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError(f"an answer of another shape ({type(error).__name__})") from None

    return reading


class _Settings(msgspec.Struct):
    safety_stock: int | None = None


class _Place(msgspec.Struct):
    location_id: int
    total_inventory_onhand: int
    available_to_sell: int | None = None
    settings: _Settings | None = None
    location_enabled: bool | None = None


class _Identity(msgspec.Struct):
    sku: str | None = None
    variant_id: int | None = None
    product_id: int | None = None


class _Item(msgspec.Struct):
    identity: _Identity
    locations: list[_Place]


class _Items(msgspec.Struct):
    data: list[_Item]
    meta: Any = None


# A page of 600 kB, most of which we do not want: read as JSON first, it would keep every other thread of a full sync
# waiting for 20 ms.
_INVENTORY = msgspec.json.Decoder(_Items | list[_Item])


def inventory_page(body: bytes, page: int, limit: int) -> InventoryPage:
    """One page of inventory items as columns: 1000 items in 2 locations take under 5 ms."""
    try:
        answer = _INVENTORY.decode(body)
    except msgspec.MsgspecError as error:
        raise ValueError(f"an answer of another shape: {error}") from None
    items, meta = (answer.data, answer.meta) if isinstance(answer, _Items) else (answer, None)
    levels = Levels()
    sku, variant, product, location, on_hand, available, safety, enabled = (
        levels.sku.append,
        levels.variant_id.append,
        levels.product_id.append,
        levels.location_id.append,
        levels.on_hand.append,
        levels.available_to_sell.append,
        levels.safety_stock.append,
        levels.enabled.append,
    )
    for item in items:
        name = item.identity.sku or ""
        variant_id = item.identity.variant_id or 0
        product_id = item.identity.product_id or 0
        for place in item.locations:
            buffer = (place.settings.safety_stock or 0) if place.settings else 0
            count = place.total_inventory_onhand
            sku(name)
            variant(variant_id)
            product(product_id)
            location(place.location_id)
            on_hand(count)
            available(count - buffer if place.available_to_sell is None else place.available_to_sell)
            safety(buffer)
            enabled(place.location_enabled is not False)
    return InventoryPage(levels, _paging(items, meta, page, limit), body)


def variants_page(body: bytes, page: int, limit: int) -> VariantsPage:
    """One page of `GET /v3/catalog/variants`."""
    rows, paging = page_of(body, page, limit)
    return VariantsPage(
        variant_id=[int(r["id"]) for r in rows],
        product_id=[int(r["product_id"]) for r in rows],
        sku=[r.get("sku") or "" for r in rows],
        paging=paging,
        body=body,
    )


def products_page(body: bytes, page: int, limit: int) -> ProductsPage:
    """One page of `GET /v3/catalog/products`."""
    rows, paging = page_of(body, page, limit)
    return ProductsPage(
        product_id=[int(r["id"]) for r in rows],
        sku=[r.get("sku") or "" for r in rows],
        tracking=[str(r["inventory_tracking"]) for r in rows],
        visible=[r.get("is_visible") is not False for r in rows],
        base_variant_id=[_int(r.get("base_variant_id")) for r in rows],
        paging=paging,
        body=body,
    )


def _key(rows: list[Any]) -> int:
    """Equal for equal pages: what the first and the last row say is enough, with their number."""
    return hash((len(rows), repr(rows[0]), repr(rows[-1]))) if rows else 0


def _int(value: Any) -> int | None:
    return None if value is None or isinstance(value, bool) else int(value)
