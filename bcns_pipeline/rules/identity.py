"""Which NetSuite item is which BigCommerce variant: found by SKU once, followed by their ids from then on.

Put the matching of SKUs here. Do not look anything up here. BigCommerce compares SKUs without case, so we
do; a SKU that is blank or used twice on either side blocks the items that carry it, and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bcns_pipeline.rules.inventory.quantities import Scaled


class Ambiguity(NamedTuple):
    """An item for which no stock is sent, with the rest of the sentence "The SKU ... is"."""

    item_id: int
    sku: str
    why: str


@dataclass(frozen=True, slots=True)
class Matched:
    """What pairs with what.

    `links`: int64 item_id, product_id, variant_id; object sku (NetSuite's), tracking ("product" or
    "variant"). `ambiguous`: blocked items. `untracked`: SKUs of linked pairs of which BigCommerce counts no
    stock. `netsuite_only`: item_id, sku. `bigcommerce_only`: sku, product_id, variant_id. `renamed`: pairs
    followed by their link although the SKUs differ: item_id, variant_id, netsuite_sku, bigcommerce_sku.
    `lost`: item ids of known links that no longer stand (int64, ascending); only a complete look can tell.
    """

    links: pd.DataFrame
    ambiguous: tuple[Ambiguity, ...]
    untracked: tuple[str, ...]
    netsuite_only: pd.DataFrame
    bigcommerce_only: pd.DataFrame
    renamed: pd.DataFrame
    lost: Scaled


class _Variant(NamedTuple):
    sku: str
    product_id: int
    variant_id: int
    tracking: str


@dataclass(slots=True)
class _Found:
    links: dict[int, tuple[str, _Variant]] = field(default_factory=dict)
    blocked: dict[int, Ambiguity] = field(default_factory=dict)
    untracked: dict[int, str] = field(default_factory=dict)
    alone: list[tuple[int, str]] = field(default_factory=list)
    renamed: list[tuple[int, int, str, str]] = field(default_factory=list)


def sku_key(sku: object) -> str:
    """What two SKUs have in common when they are the same: case and outer blanks do not count."""
    return sku.strip().lower() if isinstance(sku, str) else ""


def match_skus(
    items: pd.DataFrame, variants: pd.DataFrame, known: pd.DataFrame, *, complete: bool
) -> Matched:
    """Pair `items` (item_id, sku) with `variants` (sku, product_id, variant_id, tracking).

    `known` are the links of earlier runs (item_id, sku, product_id, variant_id, tracking), of these items
    or others. `complete` says that `items` and `variants` are all there are: then links that miss a side
    are `lost`, and the two frames of what is alone mean orphans. ValueError for an item or variant that
    comes twice.
    """
    skus = dict(zip(items["item_id"].tolist(), items["sku"].tolist(), strict=True))
    shop = {variant.variant_id: variant for variant in _variants(variants)}
    if len(skus) < len(items) or len(shop) < len(variants):
        raise ValueError("an item or a variant comes twice")
    old = dict(zip(known["item_id"].tolist(), _variants(known), strict=True))
    if complete:
        old = {item: link for item, link in old.items() if item in skus and link.variant_id in shop}
    owner = {link.variant_id: item for item, link in old.items()}
    items_of = _by_key((sku_key(sku), item) for item, sku in skus.items())
    variants_of = _by_key((sku_key(variant.sku), number) for number, variant in shop.items())
    found = _Found()
    for item, sku in skus.items():
        linked = shop.get(old[item].variant_id) if item in old else None
        _place(found, item, sku, linked, items_of, variants_of, shop, owner)
    _one_item_per_counter(found, old)
    gone = _lost(known, found) if complete else []
    taken = {variant.variant_id for _, variant in found.links.values()}
    taken |= {owner_variant for owner_variant, item in owner.items() if item not in found.links}
    spoken = {sku_key(sku) for sku in skus.values()} - {""}
    return Matched(
        links=_frame(
            [
                (item, variant.product_id, variant.variant_id, sku, variant.tracking)
                for item, (sku, variant) in sorted(found.links.items())
            ],
            ("item_id", "product_id", "variant_id"),
            ("sku", "tracking"),
        ),
        ambiguous=tuple(found.blocked[item] for item in sorted(found.blocked)),
        untracked=tuple(sorted(found.untracked.values())),
        netsuite_only=_frame(sorted(found.alone), ("item_id",), ("sku",)),
        bigcommerce_only=_frame(
            [
                (variant.product_id, number, variant.sku)
                for number, variant in sorted(shop.items())
                if number not in taken and sku_key(variant.sku) not in spoken
            ],
            ("product_id", "variant_id"),
            ("sku",),
        ),
        renamed=_frame(sorted(found.renamed), ("item_id", "variant_id"), ("netsuite_sku", "bigcommerce_sku")),
        lost=np.array(gone, dtype=np.int64),
    )


def _place(
    found: _Found,
    item: int,
    sku: Any,
    linked: _Variant | None,
    items_of: Mapping[str, list[int]],
    variants_of: Mapping[str, list[int]],
    shop: Mapping[int, _Variant],
    owner: Mapping[int, int],
) -> None:
    """Link `item`, block it, or leave it alone."""
    key = sku_key(sku)
    text = sku.strip() if key else ""
    carriers, twins = variants_of.get(key, []), items_of[key]

    def block(why: str) -> None:
        found.blocked[item] = Ambiguity(item, text, why)

    if not key:
        return block("blank")
    if len(twins) > 1:
        return block(f"used by NetSuite items {_list(twins)}")
    if linked is None:
        if not carriers:
            found.alone.append((item, text))
            return None
        linked = shop[carriers[0]]
        held_by = owner.get(linked.variant_id, item)
        if held_by != item:
            return block(
                f"carried by BigCommerce variant {linked.variant_id}, which is linked to item {held_by}"
            )
    if len(carriers) > 1:
        return block(f"used by BigCommerce variants {_list(carriers)}")
    theirs = sku_key(linked.sku)
    if theirs != key:
        # One side was renamed: the link is followed, unless either SKU now also belongs to somebody else.
        if carriers:
            return block(f"new for its item, and BigCommerce variant {carriers[0]} carries it already")
        if items_of.get(theirs):
            return block(
                f"new for its item, whose BigCommerce variant {linked.variant_id} now carries the SKU of "
                f"item {_list(items_of[theirs])}"
            )
        found.renamed.append((item, linked.variant_id, text, linked.sku))
    if linked.tracking not in {"product", "variant"}:
        found.untracked[item] = text
    else:
        found.links[item] = (text, linked)
    return None


def _one_item_per_counter(found: _Found, old: Mapping[int, _Variant]) -> None:
    """A product that counts stock as a whole has one number, which two items would overwrite in turn."""
    feeding: dict[int, set[int]] = defaultdict(set)
    for item, link in old.items():
        if link.tracking == "product" and item not in found.links:
            feeding[link.product_id].add(item)
    for item, (_, variant) in found.links.items():
        if variant.tracking == "product":
            feeding[variant.product_id].add(item)
    for product, feeders in feeding.items():
        if len(feeders) > 1:
            why = (
                f"one of {len(feeders)} items of BigCommerce product {product}, which counts stock as a whole"
            )
            for item in sorted(feeders & found.links.keys()):
                found.blocked[item] = Ambiguity(item, found.links.pop(item)[0], why)


def _lost(known: pd.DataFrame, found: _Found) -> list[int]:
    """Known links that are neither confirmed nor merely blocked until a person has looked."""
    still = found.links.keys() | found.blocked.keys()
    return sorted(item for item in known["item_id"].tolist() if item not in still)


def _variants(frame: pd.DataFrame) -> Iterable[_Variant]:
    columns = (frame[name].tolist() for name in ("sku", "product_id", "variant_id", "tracking"))
    for sku, product, variant, tracking in zip(*columns, strict=True):
        yield _Variant(sku.strip() if isinstance(sku, str) else "", int(product), int(variant), str(tracking))


def _by_key(pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for key, number in pairs:
        found[key].append(number)
    return dict(found)


def _list(numbers: Sequence[int]) -> str:
    words = [str(number) for number in sorted(numbers)[:5]]
    more = f" and {len(numbers) - 5} more" if len(numbers) > 5 else ""
    return ", ".join(words) + more


def _frame(rows: Sequence[tuple[Any, ...]], integers: Sequence[str], texts: Sequence[str]) -> pd.DataFrame:
    columns = list(zip(*rows, strict=True)) or [()] * (len(integers) + len(texts))
    data: dict[str, Any] = {
        name: np.array(column, dtype=np.int64)
        for name, column in zip(integers, columns[: len(integers)], strict=True)
    }
    for name, column in zip(texts, columns[len(integers) :], strict=True):
        data[name] = pd.Series(column, dtype=object)
    return pd.DataFrame(data)
