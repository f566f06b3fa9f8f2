"""The catalogue as pairs of SKU and record: everything, or a few SKUs.

Put here which two lists make one row. Do not put here what a SKU that comes twice means: that is a rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from bcns_pipeline.clients.bigcommerce.client import MAX_CATALOG_ROWS, BigCommerceClient

# A product that the variants' list names but the products' list does not was made between the two reads.
UNKNOWN_TRACKING: Final = "none"


@dataclass(frozen=True, slots=True)
class Variants:
    """Columns of equal length: one row per variant, a simple product being its own base variant.

    `tracking` is its product's: none, product or variant.
    """

    sku: list[str] = field(default_factory=list)
    product_id: list[int] = field(default_factory=list)
    variant_id: list[int] = field(default_factory=list)
    tracking: list[str] = field(default_factory=list)


def read_catalogue(client: BigCommerceClient, *, parallel: int) -> Variants:
    """Every variant of the store; two calls per 250 of them."""
    tracking: dict[int, str] = {}
    for page in client.products_pages(parallel=parallel):
        tracking.update(zip(page.product_id, page.tracking, strict=True))
    found = Variants()
    for variants in client.variants_pages(parallel=parallel):
        found.sku.extend(variants.sku)
        found.product_id.extend(variants.product_id)
        found.variant_id.extend(variants.variant_id)
    found.tracking.extend(tracking.get(product, UNKNOWN_TRACKING) for product in found.product_id)
    return found


def look_up(client: BigCommerceClient, skus: Iterable[str], *, parallel: int) -> Variants:
    """The variants that carry one of these SKUs: one call a SKU, and one per 250 products."""
    found = Variants()
    with ThreadPoolExecutor(parallel, thread_name_prefix="look-up") as pool:
        pages = list(pool.map(lambda sku: list(client.variants_pages(sku=sku)), sorted(set(skus))))
    for page in chain.from_iterable(pages):
        found.sku.extend(page.sku)
        found.product_id.extend(page.product_id)
        found.variant_id.extend(page.variant_id)
    tracking: dict[int, str] = {}
    products = sorted(set(found.product_id))
    for start in range(0, len(products), MAX_CATALOG_ROWS):
        for some in client.products_pages(ids=products[start : start + MAX_CATALOG_ROWS]):
            tracking.update(zip(some.product_id, some.tracking, strict=True))
    found.tracking.extend(tracking.get(product, UNKNOWN_TRACKING) for product in found.product_id)
    return found
