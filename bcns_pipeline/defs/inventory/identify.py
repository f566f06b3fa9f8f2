"""Identify: which BigCommerce record each NetSuite item is, by id pair, found by SKU once and kept.

Put the look-ups and what is remembered of them here. Do not decide here what matches (rules/identity). A few
unknown SKUs are asked for one by one; many, or a reconciliation, read the whole catalogue.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bcns_pipeline.clients.bigcommerce.models import Levels
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.identity import Matched, match_skus

# Looking one SKU up costs a call; a page of the catalogue one per 250, twice. Beyond this the pages are cheaper.
FEW = 50
LIVE_COLUMNS = ("variant_id", "product_id", "location_id", "on_hand", "safety_stock")


@dataclass(frozen=True, slots=True)
class Identified:
    """What a look-up found: `matched`, how many values were adopted from the store, and whether all was read."""

    matched: Matched | None
    adopted: int = 0
    whole: bool = False


def identify(
    connections: Connections,
    items: pd.DataFrame,
    *,
    whole: bool,
    lane: Lane,
    progress: Callable[[str], None],
) -> Identified:
    """Link what can be linked, and adopt what the store shows for newly linked items.

    `items`: item_id (int64), sku. With `whole` they are all active items and everything is matched anew, so
    that what is left over on either side is an orphan; else only those without a link are looked up.
    """
    state, shop = connections.state, connections.shop_stock(lane)
    known = state.links.items()
    unknown = items if whole else items[~items["item_id"].isin(known["item_id"])]
    if unknown.empty:
        return Identified(None)
    skus = [sku for sku in unknown["sku"].tolist() if sku]
    entire = whole or len(skus) > FEW
    progress("reading BigCommerce's catalogue" if entire else f"looking up {len(skus)} SKUs in BigCommerce")
    found = shop.catalogue() if entire else shop.variants_of(skus)
    variants = pd.DataFrame(
        {
            "sku": pd.Series(found.sku, dtype=object),
            "product_id": np.array(found.product_id, dtype=np.int64),
            "variant_id": np.array(found.variant_id, dtype=np.int64),
            "tracking": pd.Series(found.tracking, dtype=object),
        }
    ).drop_duplicates("variant_id")
    matched = match_skus(unknown, variants, known, complete=whole)
    # The store is asked for its stock by the SKU that it writes itself, whatever NetSuite calls the item.
    of_variant = variants.set_index("variant_id")["sku"]
    links = matched.links.assign(sku=of_variant.reindex(matched.links["variant_id"]).to_numpy())
    state.links.put_items(links)
    if whole and len(matched.lost):
        state.links.remove("item", [str(item) for item in matched.lost.tolist()])
    fresh = links[~links["item_id"].isin(known["item_id"])]
    return Identified(matched, _adopt(connections, fresh, lane, progress), entire)


def _adopt(connections: Connections, links: pd.DataFrame, lane: Lane, progress: Callable[[str], None]) -> int:
    """What the store shows for items never linked before counts as confirmed: an equal value is not sent."""
    if links.empty:
        return 0
    shop = connections.shop_stock(lane)
    progress(f"adopting the stock of {len(links):,} newly linked items")
    if len(links) > FEW:
        pages = [page.levels for page in shop.pages()]
    else:
        products = dict(zip(links["sku"].tolist(), links["product_id"].tolist(), strict=True))
        pages = [page.levels for page in shop.of_skus(products)]
    return connections.state.inventory.adopt(by_item(live_frame(pages), links))


def live_frame(pages: list[Levels]) -> pd.DataFrame:
    """Pages of the store's stock as one frame of int64 LIVE_COLUMNS."""
    return pd.DataFrame(
        {
            name: np.fromiter((value for page in pages for value in getattr(page, name)), dtype=np.int64)
            for name in LIVE_COLUMNS
        }
    )


def by_item(live: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """The store's rows of linked items: item_id, location_id, live, safety_stock (all int64), each pair once.

    An item that BigCommerce tracks by product is found by its product id, the others by their variant id.
    """
    by_product = links["tracking"] == "product"
    columns = ["item_id", "location_id", "on_hand", "safety_stock"]
    found = pd.concat(
        [
            live.merge(links.loc[~by_product, ["item_id", "variant_id"]], on="variant_id")[columns],
            live.merge(links.loc[by_product, ["item_id", "product_id"]], on="product_id")[columns],
        ],
        ignore_index=True,
    )
    return found.drop_duplicates(["item_id", "location_id"]).rename(columns={"on_hand": "live"})
