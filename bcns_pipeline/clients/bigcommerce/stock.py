"""BigCommerce's stock and catalogue as one flow sees them, bound to a client.

Put here which calls make one answer. No HTTP here, and no decision what a quantity or a doubled SKU means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from bcns_pipeline.clients.bigcommerce.adjustments import adjustment_body
from bcns_pipeline.clients.bigcommerce.catalogue import Variants, look_up, read_catalogue
from bcns_pipeline.clients.bigcommerce.client import BigCommerceClient, sku_chunks
from bcns_pipeline.clients.bigcommerce.models import Adjustment, InventoryPage, Location
from bcns_pipeline.outcomes import Outcome


class BigCommerceStock:
    """Reads and the one write of a store's stock; `parallel` reads at a time."""

    def __init__(self, client: BigCommerceClient, *, parallel: int) -> None:
        self._client = client
        self._parallel = parallel

    def locations(self) -> list[Location]:
        """Every stock location of the store."""
        return self._client.locations()

    def page(self, number: int) -> InventoryPage:
        """One page of the whole stock, 1000 items each."""
        return self._client.inventory_page(page=number)

    def pages(self) -> Iterator[InventoryPage]:
        """The whole stock."""
        return self._client.inventory_pages(parallel=self._parallel)

    def of_skus(self, products: Mapping[str, int]) -> Iterator[InventoryPage]:
        """The stock of some SKUs (with their product ids), as many per call as an address may hold."""
        for some in sku_chunks([sku for sku in products if "," not in sku]):
            yield from self._client.inventory_pages(skus=some)
        # A comma separates SKUs in the filter, so such an item is asked for by its product.
        for product in sorted({product for sku, product in products.items() if "," in sku}):
            yield from self._client.inventory_pages(product_ids=[product])

    def of_products(self, products: Sequence[int]) -> Iterator[InventoryPage]:
        """The stock of some products, one call each: the filter takes one id."""
        for product in products:
            yield from self._client.inventory_pages(product_ids=[product])

    def adjustment(self, items: Sequence[Adjustment], reason: str) -> Callable[[], Outcome]:
        """Absolute levels, checked and encoded now, and sent when called: see `BigCommerceClient.set_inventory`."""
        body = adjustment_body(items, reason)
        return lambda: self._client.set_inventory(items, reason, body)

    def catalogue(self) -> Variants:
        """Every variant of the store."""
        return read_catalogue(self._client, parallel=self._parallel)

    def variants_of(self, skus: Sequence[str]) -> Variants:
        """The variants that carry one of these SKUs."""
        return look_up(self._client, skus, parallel=self._parallel)
