"""What the store has sold and NetSuite does not know of: units that a pushed number must not offer again.

Put here how sold units become a demand on NetSuite items: which item a variant is, and what a kit takes of its
members. Do not put here which orders count (state/order_views) nor the subtraction itself (`sellable.py`).

Why a push may subtract them, and when (docs/adr/006-netting.md has it at length). At moment `t` a unit may be
offered if NetSuite has it and no order has taken it: `available(t) - sold(t)`, where `sold(t)` are the units of
orders that the store has taken and NetSuite has not. An absolute push writes `available(r) - sold`, with
`available` read at `r`, later than `s`, when the reading began. Each order is in one of four places:

* not in NetSuite when the orders were counted: subtracted; `available(r)` still holds its units.
* in NetSuite, and noted as posted before `s`: it was there before `r`, so `available(r)` lacks its units. Not
  subtracted.
* noted as posted at `s` or later: it may have arrived before `r` or after it, and nobody can tell. Subtracted. In
  the first case the push is too low by these units, and the next run, whose `s` lies later, puts it right: it
  reads the item again because NetSuite moved at the posting, which lies behind its watermark.
* placed after the orders were counted: not subtracted, and an absolute write takes back what the store took off
  at its checkout. So orders are counted as late as possible, lines that such an order touches are left out while
  a long push goes on, and after each push the orders are counted again and what is too high is lowered at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bcns_pipeline.rules.inventory.kits import units_of_members
from bcns_pipeline.rules.inventory.quantities import MAX_STOCK, QUANTITY_SCALE, Scaled

# No store holds more of an item; what was sold beyond it makes no difference.
_MOST_UNITS: Final = MAX_STOCK


@dataclass(frozen=True, slots=True)
class Sold:
    """Units on order that NetSuite does not know of, at the one BigCommerce `location` that orders take from.

    `item_id` ascending with `units` (scaled): what they take of stock, as itself or as a member of a kit.
    `direct` (scaled): the part of it that was bought as itself, which the store has taken off by itself; a kit has
    this part only, because what it can be sold for follows from its members.
    """

    location: int
    item_id: Scaled
    units: Scaled
    direct: Scaled

    def of(self, items: Scaled) -> Scaled:
        """Units (scaled) demanded of each of `items`."""
        return self._look_up(items, self.units)

    def bought(self, items: Scaled) -> Scaled:
        """Units (scaled) of each of `items` that were bought as themselves."""
        return self._look_up(items, self.direct)

    def _look_up(self, items: Scaled, values: Scaled) -> Scaled:
        if not len(self.item_id):
            return np.zeros(len(items), dtype=np.int64)
        place = np.minimum(np.searchsorted(self.item_id, items), len(self.item_id) - 1)
        return np.where(self.item_id[place] == items, values[place], 0)


def items_sold(units: pd.DataFrame, links: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """NetSuite items behind sold variants: int64 item_id and units, and the SKUs that no link knows.

    `units`: int64 variant_id, product_id (0 = not told), units; sku. `links`: int64 item_id, product_id,
    variant_id; sku, tracking. A line is found by its variant, else by its product where that is tracked as a
    whole or has one variant alone, else by its SKU; what is not linked is not pushed either.
    """
    if units.empty or links.empty:
        return _no_items(), units["sku"].tolist()
    item = links["item_id"].to_numpy(np.int64)
    by_variant = dict(zip(links["variant_id"].tolist(), item.tolist(), strict=True))
    alone = (links["tracking"] == "product").to_numpy() | ~links["product_id"].duplicated(
        keep=False
    ).to_numpy()
    by_product = dict(zip(links["product_id"].to_numpy()[alone].tolist(), item[alone].tolist(), strict=True))
    by_sku = dict(zip(links["sku"].astype(str).str.lower().tolist(), item.tolist(), strict=True))
    found: list[int | None] = []
    for variant, product, sku in zip(
        units["variant_id"].tolist(), units["product_id"].tolist(), units["sku"].tolist(), strict=True
    ):
        by_id = by_variant.get(variant) if variant else None
        by_id = by_id or (by_product.get(product) if product else None)
        found.append(by_id or by_sku.get(str(sku).lower()))
    known = np.array([one is not None for one in found], dtype=np.bool_)
    frame = pd.DataFrame(
        {
            "item_id": np.array([one for one in found if one is not None], dtype=np.int64),
            "units": units["units"].to_numpy(np.int64)[known],
        }
    )
    totals = pd.DataFrame(frame.groupby("item_id", as_index=False).sum())
    return totals, units["sku"][~known].tolist()


def demand(sold: pd.DataFrame, members: pd.DataFrame, location: int) -> Sold:
    """What `sold` (int64 item_id, units) takes of stock, kits resolved by `members` (see `frames.members_frame`).

    NetSuite will commit the members of a kit, not the kit: they are what is demanded, rounded up.
    """
    sold = sold.sort_values("item_id")
    direct = pd.Series(
        np.minimum(sold["units"].to_numpy(np.int64), _MOST_UNITS) * QUANTITY_SCALE,
        index=sold["item_id"].to_numpy(np.int64),
    )
    kit, member, need = units_of_members(members, direct.index.to_numpy(np.int64))
    units = direct.copy()
    units[np.isin(units.index.to_numpy(), kit)] = 0
    if len(kit):
        # Whole kits times an exact need: no rounding is left to be done.
        wanted = (direct.to_numpy() // QUANTITY_SCALE)[np.searchsorted(direct.index.to_numpy(), kit)]
        of_members = pd.Series(_bounded(wanted, need), index=member).groupby(level=0).sum()
        units = units.add(of_members, fill_value=0).astype("int64")
    units = units.sort_index().clip(upper=_MOST_UNITS * QUANTITY_SCALE)
    own = direct.reindex(units.index, fill_value=0)
    return Sold(
        location,
        units.index.to_numpy(np.int64),
        units.to_numpy(np.int64),
        own.to_numpy(np.int64),
    )


def _bounded(times: Scaled, need: Scaled) -> npt.NDArray[np.int64]:
    """The product where it stays within what a quantity may be; beyond that more makes no difference."""
    most = _MOST_UNITS * QUANTITY_SCALE
    return np.where(need > most // np.maximum(times, 1), most, times * need)


def _no_items() -> pd.DataFrame:
    return pd.DataFrame({"item_id": np.zeros(0, np.int64), "units": np.zeros(0, np.int64)})
