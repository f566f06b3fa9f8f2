"""The BigCommerce store as the flows see it: stock, locations, catalogue identities and settings.

Put one method per call here, with its limits; orders, customers and hooks have a module and an attribute each.
There is no method that deletes an order, a product or a
transaction, and none that writes stock through the catalogue (it would switch tracking modes, and knows one
location only). Facts: `facts/bigcommerce.md` 1, 2 and 5.1; every request is checked against the store's
OpenAPI.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from bcns_pipeline.clients.bigcommerce import parsing, shop
from bcns_pipeline.clients.bigcommerce.adjustments import adjustment_body
from bcns_pipeline.clients.bigcommerce.api import StoreApi, at_most, joined
from bcns_pipeline.clients.bigcommerce.customers import BigCommerceCustomers
from bcns_pipeline.clients.bigcommerce.errors import explain, named_adjustments
from bcns_pipeline.clients.bigcommerce.hooks import BigCommerceHooks
from bcns_pipeline.clients.bigcommerce.models import (
    Adjustment,
    Channel,
    Currency,
    InventoryPage,
    InventorySettings,
    Levels,
    Location,
    Paging,
    ProductsPage,
    Store,
    VariantsPage,
)
from bcns_pipeline.clients.bigcommerce.orders import BigCommerceOrders
from bcns_pipeline.clients.bigcommerce.paging import all_pages
from bcns_pipeline.clients.http.body import Encoded, Params
from bcns_pipeline.clients.http.exchange import HttpClient, Timeouts
from bcns_pipeline.clients.http.pacing import Pacer, QuotaPacer
from bcns_pipeline.clients.http.retry import RetryPolicy
from bcns_pipeline.clients.http.transport import Transport
from bcns_pipeline.outcomes import Gate, Meter, Outcome, Refused, System

PUBLIC_API: Final = "https://api.bigcommerce.com"
MAX_INVENTORY_ITEMS: Final = 1000
MAX_CATALOG_ROWS: Final = 250
# Many servers cut a request line at 8 KiB; the rest of the line needs some of it.
MAX_FILTER_BYTES: Final = 6000

_VARIANT_FIELDS: Final = "id,product_id,sku"
_PRODUCT_FIELDS: Final = "sku,inventory_tracking,is_visible,base_variant_id"


class BigCommerceClient:
    """One store. Thread-safe, no I/O when made. Reads raise OutsideError, writes return an Outcome."""

    def __init__(
        self,
        base_url: str,
        store_hash: str,
        access_token: str,
        *,
        gate: Gate,
        meter: Meter,
        retry: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
        pacer: Pacer | None = None,
        client: HttpClient | None = None,
        order_metafields: Collection[tuple[str, str]] = (),
        **clockwork: Any,
    ) -> None:
        """`base_url` is the API root in front of `/stores/`; `clockwork` goes to the Transport (tests).

        `order_metafields` (namespace, key) are read with every whole order: see `OrderMetafields`.
        """
        self._store = f"/stores/{store_hash}"
        self._transport = Transport(
            System.BIGCOMMERCE,
            base_url or PUBLIC_API,
            gate=gate,
            meter=meter,
            headers={"X-Auth-Token": access_token},
            secrets=(access_token,),
            pacer=pacer or QuotaPacer(),
            retry=retry,
            explain=explain,
            timeouts=timeouts,
            client=client,
            **clockwork,
        )
        self._api = StoreApi(self._transport, store_hash)
        clock = clockwork.get("clock", time.monotonic)
        self.orders = BigCommerceOrders(self._api, clock=clock, metafields=order_metafields)
        self.customers = BigCommerceCustomers(self._api, clock=clock)
        self.hooks = BigCommerceHooks(self._api)

    # --- stock ---------------------------------------------------------------------------------------

    def inventory_page(
        self,
        page: int = 1,
        limit: int = MAX_INVENTORY_ITEMS,
        skus: Sequence[str] | None = None,
        product_ids: Sequence[int] | None = None,
        location_ids: Sequence[int] | None = None,
    ) -> InventoryPage:
        """`GET /v3/inventory/items`: on hand and sellable per item and location, at most 1000 items a page.

        `skus` may hold no comma (it would split one SKU into two): read such an item by `product_ids`, which
        takes one id a call, as the store's own API description types that filter as one integer. Several
        `location_ids` are filtered here after the read for the same reason. Without a filter: everything.
        """
        at_most("limit", limit, MAX_INVENTORY_ITEMS)
        at_most("product_ids", len(product_ids or ()), 1)
        if skus is not None and any("," in sku or not sku for sku in skus):
            raise ValueError(
                "a SKU that is blank or holds a comma can't be filtered for: read it by product id"
            )
        places = list(location_ids or ())
        params: Params = {
            "page": page,
            "limit": limit,
            "sku:in": ",".join(skus) if skus else None,
            "product_id:in": product_ids[0] if product_ids else None,
            "location_id:in": places[0] if len(places) == 1 else None,
        }
        found: InventoryPage = self._api.get(
            "/v3/inventory/items",
            params,
            lambda body: parsing.inventory_page(body, page, limit),
            InventoryPage(Levels(), Paging(page, 0, limit), b""),
        )
        return replace(found, levels=_only(found.levels, set(places))) if len(places) > 1 else found

    def inventory_pages(
        self, *, limit: int = MAX_INVENTORY_ITEMS, parallel: int = 1, **wanted: Any
    ) -> Iterator[InventoryPage]:
        """The whole stock, or that `wanted` (filters of `inventory_page`), page by page in order, `parallel` at a time.

        A store may give fewer items a page than were asked for; its meta says so.
        """
        operation = "GET /v3/inventory/items"
        return all_pages(
            lambda n: self.inventory_page(n, limit, **wanted), operation=operation, parallel=parallel
        )

    def set_inventory(self, items: Sequence[Adjustment], reason: str, body: Encoded | None = None) -> Outcome:
        """`PUT /v3/inventory/adjustments/absolute`: sets on-hand levels, at most 2000 per call.

        Sent means accepted, not applied: the store works asynchronously and its transaction id can't be
        looked up, so read back. A Refused names what it can in `named` ("variant_id:106", "sku:RE-130",
        "location_id:3"); whether the rest was applied is not documented. Call it serially per store.
        `body` is what `adjustment_body` made of the same items and reason ahead of the call; see there for
        its ValueError.
        """
        outcome = self._transport.write(
            "PUT",
            f"{self._store}/v3/inventory/adjustments/absolute",
            operation="PUT /v3/inventory/adjustments/absolute",
            json=body or adjustment_body(items, reason),
        )
        if isinstance(outcome, Refused) and outcome.status in {400, 404, 409, 422}:
            return replace(outcome, named=named_adjustments(outcome.detail, outcome.named, items))
        return outcome

    def locations(self) -> list[Location]:
        """`GET /v3/inventory/locations`, all pages; `default` only where the row says so."""
        return self._api.rows("/v3/inventory/locations", shop.location, limit=250)

    def default_location_ids(self) -> list[int]:
        """Ids of the locations that the store calls its default: the storefront sells from that one."""
        found = self._api.rows("/v3/inventory/locations", shop.location, limit=250, is_default=True)
        return [one.id for one in found]

    # --- catalogue -----------------------------------------------------------------------------------

    def variants_page(
        self,
        page: int = 1,
        limit: int = MAX_CATALOG_ROWS,
        sku: str | None = None,
        product_ids: Sequence[int] | None = None,
    ) -> VariantsPage:
        """`GET /v3/catalog/variants`: SKU, variant and product ids; a simple product has one base variant."""
        at_most("limit", limit, MAX_CATALOG_ROWS)
        params: Params = {
            "page": page,
            "limit": limit,
            "include_fields": _VARIANT_FIELDS,
            "sku": sku,
            "product_id:in": joined(product_ids),
        }
        empty = VariantsPage([], [], [], Paging(page, 0, limit), b"")
        return self._api.get(
            "/v3/catalog/variants", params, lambda body: parsing.variants_page(body, page, limit), empty
        )

    def variants_pages(self, *, parallel: int = 1, sku: str | None = None) -> Iterator[VariantsPage]:
        """Every variant of the store, or those that carry this SKU."""
        operation = "GET /v3/catalog/variants"
        return all_pages(lambda n: self.variants_page(n, sku=sku), operation=operation, parallel=parallel)

    def products_page(
        self,
        page: int = 1,
        limit: int = MAX_CATALOG_ROWS,
        skus: Sequence[str] | None = None,
        ids: Sequence[int] | None = None,
    ) -> ProductsPage:
        """`GET /v3/catalog/products`: id, main SKU, inventory tracking, visibility, base variant.

        One SKU goes as `sku`, so it may hold a comma; several may not (ValueError).
        """
        at_most("limit", limit, MAX_CATALOG_ROWS)
        several = len(skus or ()) > 1
        if several and any("," in sku for sku in skus or ()):
            raise ValueError("a SKU that holds a comma can't be filtered for together with others")
        params: Params = {
            "page": page,
            "limit": limit,
            "include_fields": _PRODUCT_FIELDS,
            "sku": skus[0] if skus and not several else None,
            "sku:in": ",".join(skus) if skus and several else None,
            "id:in": joined(ids),
        }
        empty = ProductsPage([], [], [], [], [], Paging(page, 0, limit), b"")
        return self._api.get(
            "/v3/catalog/products", params, lambda body: parsing.products_page(body, page, limit), empty
        )

    def products_pages(
        self, *, parallel: int = 1, ids: Sequence[int] | None = None
    ) -> Iterator[ProductsPage]:
        """Every product of the store, or those of these ids."""
        operation = "GET /v3/catalog/products"
        return all_pages(lambda n: self.products_page(n, ids=ids), operation=operation, parallel=parallel)

    # --- the store itself ----------------------------------------------------------------------------

    def store(self) -> Store:
        """`GET /v2/store`: time zone, currency, plan; contact data is dropped."""
        return self._api.one("/v2/store", shop.store)

    def time(self) -> int:
        """`GET /v2/time`: the store's clock as Unix seconds; the cheapest probe of credentials and quota."""
        return self._api.one("/v2/time", lambda row: int(row["time"]))

    def now(self) -> datetime:
        """The end of the second that runs at the store, whose clock dates orders and may be ahead of ours."""
        return datetime.fromtimestamp(self.time() + 1, UTC)

    def channels(self) -> list[Channel]:
        """`GET /v3/channels` with their currencies."""
        return self._api.rows("/v3/channels", shop.channel, limit=250, include="currencies")

    def inventory_settings(self, channel_id: int | None = None) -> InventorySettings:
        """`GET /v3/settings/inventory`: when the store moves stock by itself; of one channel where given."""
        return self._api.one("/v3/settings/inventory", shop.inventory_settings, channel_id=channel_id)

    def currencies(self) -> list[Currency]:
        """`GET /v2/currencies`, in pages of 50: v2 lists have no total, so a short page must mean the end."""
        return self._api.rows("/v2/currencies", shop.currency, limit=50)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


def sku_chunks(skus: Sequence[str], *, most: int = MAX_INVENTORY_ITEMS) -> Iterator[list[str]]:
    """`skus` cut so that each piece fits a `sku:in` filter: by number, and by encoded length."""
    piece: list[str] = []
    size = 0
    for sku in skus:
        width = 3 * len(sku.encode()) - 2 * sum(c.isalnum() and c.isascii() for c in sku) + 1
        if piece and (len(piece) >= most or size + width > MAX_FILTER_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(sku)
        size += width
    if piece:
        yield piece


def _only(levels: Levels, places: set[int]) -> Levels:
    keep = [i for i, place in enumerate(levels.location_id) if place in places]
    return Levels(
        sku=[levels.sku[i] for i in keep],
        variant_id=[levels.variant_id[i] for i in keep],
        product_id=[levels.product_id[i] for i in keep],
        location_id=[levels.location_id[i] for i in keep],
        on_hand=[levels.on_hand[i] for i in keep],
        available_to_sell=[levels.available_to_sell[i] for i in keep],
        safety_stock=[levels.safety_stock[i] for i in keep],
        enabled=[levels.enabled[i] for i in keep],
    )
