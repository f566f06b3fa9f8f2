"""Identify: which BigCommerce record each NetSuite item is, by id pair, found by SKU once and kept.

Put the look-ups and what is remembered of them here. Do not decide here what matches (rules/identity). A few
unknown SKUs are asked for one by one; many, or a reconciliation, read the whole catalogue.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bcns_pipeline.clients.bigcommerce.models import Levels
from bcns_pipeline.defs.inventory.linked import forget_links, item_links
from bcns_pipeline.defs.inventory.run import FLOW
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.identity import Matched, match_skus, sku_key

# Looking one SKU up costs a call; a page of the catalogue one per 250, twice. Beyond this the pages are cheaper.
FEW = 50
LIVE_COLUMNS = ("variant_id", "product_id", "location_id", "on_hand", "safety_stock")


@dataclass(frozen=True, slots=True)
class Identified:
    """What a look-up found.

    `matched` is None where nothing was unknown; `adopted` counts values taken over from the store, of which it
    holds back at most `held_back` units each; `whole` says that its whole catalogue was read.
    """

    matched: Matched | None
    adopted: int = 0
    whole: bool = False
    held_back: int = 0


def identify(
    connections: Connections,
    items: pd.DataFrame,
    *,
    whole: bool,
    lane: Lane,
    progress: Callable[[str], None],
    complete: bool = False,
) -> Identified:
    """Link what can be linked, and adopt what the store shows for newly linked items.

    `items`: item_id (int64), sku. With `whole` they are all active items and everything is matched anew, so
    that what is left over on either side is an orphan; else only those without a link are looked up, some of those
    whose stock was refused, and where `complete` says that all active items are there, blocked ones as well.
    """
    state, shop = connections.state, connections.shop_stock(lane)
    known = item_links(connections)
    unknown = items if whole else _unknown(connections, items, known, complete=complete)
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
    forget_links(connections)
    before = links["item_id"].map(known.set_index("item_id")["variant_id"])
    # What was confirmed of a product says nothing of the one that was made in its place.
    state.inventory.forget(links.loc[before.notna() & (before != links["variant_id"]), "item_id"].tolist())
    fresh = links[before != links["variant_id"]]
    adopted, held_back = _adopt(connections, fresh, lane, progress)
    return Identified(matched, adopted, entire, held_back)


def blocked_items(connections: Connections) -> dict[int, str]:
    """NetSuite items that are blocked because their SKU is used twice or blank, and that SKU."""
    found = connections.state.exceptions.find(flow=FLOW, code="SKU_AMBIGUOUS")
    return {int(row.detail["item"]): str(row.detail["sku"]) for row in found}


def _unknown(
    connections: Connections, items: pd.DataFrame, known: pd.DataFrame, *, complete: bool
) -> pd.DataFrame:
    """The items to be looked up. Who shares a SKU with whom is known only where all items are there."""
    blocked = blocked_items(connections)
    is_blocked, linked = items["item_id"].isin(list(blocked)), items["item_id"].isin(known["item_id"])
    # The store may have deleted what it refuses, and made it anew with the same SKU.
    refused = connections.state.exceptions.find(flow=FLOW, code="STOCK_REFUSED")
    skus = [row.subject.removeprefix("sku:") for row in refused]
    doubtful = known.loc[known["sku"].isin(skus), "item_id"]
    doubted = items[items["item_id"].isin(doubtful) & ~is_blocked]
    unknown = items[~linked | is_blocked] if complete else items[~linked & ~is_blocked]
    # Never so many that the whole catalogue would be read for their sake.
    unknown = pd.concat([unknown, doubted.head(max(FEW - len(unknown), 0))], ignore_index=True)
    if complete:
        return unknown
    if unknown.empty or not blocked:
        return unknown
    # A new item that takes a SKU which others share already must not look like its only owner.
    skus = {sku_key(sku) for sku in unknown["sku"].tolist()}
    sharing = [(item, sku) for item, sku in blocked.items() if sku_key(sku) in skus]
    if not sharing:
        return unknown
    return pd.concat([unknown, pd.DataFrame(sharing, columns=["item_id", "sku"])], ignore_index=True)


def _adopt(
    connections: Connections, links: pd.DataFrame, lane: Lane, progress: Callable[[str], None]
) -> tuple[int, int]:
    """What the store shows for items never linked before counts as confirmed: an equal value is not sent.

    Returns how many values that were, and the most that the store itself holds back of one of them.
    """
    if links.empty:
        return 0, 0
    shop = connections.shop_stock(lane)
    progress(f"adopting the stock of {len(links):,} newly linked items")
    if len(links) > FEW:
        pages = [page.levels for page in shop.pages()]
    else:
        products = dict(zip(links["sku"].tolist(), links["product_id"].tolist(), strict=True))
        pages = [page.levels for page in shop.of_skus(products)]
    live = by_item(live_frame(pages), links)
    return connections.state.inventory.adopt(live), int(live["safety_stock"].max()) if len(live) else 0


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
    # What was read later is nearer to the truth: an earlier look may have come before a push was applied.
    return found.drop_duplicates(["item_id", "location_id"], keep="last").rename(columns={"on_hand": "live"})
