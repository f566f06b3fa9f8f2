"""Net of orders: what the store has sold and NetSuite does not know of is not offered again.

Put here when orders are counted, and what a run reads again because of them. Which orders count is in the state,
what they take of stock in rules/inventory/netting; the argument stands there and in docs/adr/006-netting.md. Orders
are listed anew each time, so that stock does not depend on how far the order flow has got.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.inventory.lasting import lasting
from bcns_pipeline.defs.inventory.linked import item_links
from bcns_pipeline.defs.inventory.places import Places
from bcns_pipeline.defs.polling import poll_orders
from bcns_pipeline.outcomes import Lane, System, Unavailable
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.inventory.netting import Sold, demand, items_sold
from bcns_pipeline.rules.inventory.quantities import QUANTITY_SCALE

# Units that were subtracted from an item when it was last computed: {item id: [demanded, bought as itself]}.
NETTED = "inventory.netted"
SOLD = "inventory.sold"
# 50,000 orders. More have changed since the last poll only where orders go live with a past.
MOST_PAGES = 200
MOST_SECONDS = 120.0


def moment(connections: Connections) -> str:
    """Now, by the clock that also notes when an order was posted."""
    return connections.state.now().isoformat()


def catch_up(connections: Connections, lane: Lane) -> None:
    """List every order that changed since the last poll. Raises Unavailable where they do not end.

    A number that leaves out some of them would sell their units again, so it is better not to have one.
    """
    polled = poll_orders(connections, pages=MOST_PAGES, seconds=MOST_SECONDS, lane=lane)
    if not polled.complete:
        raise Unavailable(
            System.BIGCOMMERCE, "GET /v2/orders", f"{polled.listed:,} orders listed and more to come"
        )


def count(connections: Connections, places: Places, since: str | None) -> Sold | None:
    """What orders that are known take of stock; None where orders are not netted.

    `since` is the moment before NetSuite's stock was read: what was posted later may not be in it.
    """
    location = places.orders_take_from
    if location is None or not connections.mapping.nets_orders:
        return None
    state = connections.state
    units = state.orders.unposted_units(posted_since=None if since is None else datetime.fromisoformat(since))
    sold, _ = items_sold(units, item_links(connections))
    return demand(sold, kits(connections), location)


def kits(connections: Connections) -> pd.DataFrame:
    """The kits as they are remembered, read once per run."""
    kept = connections.scratch.get("inventory.kits")
    if kept is None:
        kept = connections.scratch["inventory.kits"] = connections.state.kits.all()
    frame: pd.DataFrame = kept
    return frame


def keep_kits(connections: Connections, members: pd.DataFrame, *, complete: bool) -> None:
    """Remember these kits, where orders are netted."""
    if connections.mapping.nets_orders:
        connections.state.kits.keep(members, complete=complete)
        connections.scratch.pop("inventory.kits", None)


def kits_of(connections: Connections, items: Collection[int], known: pd.DataFrame) -> pd.DataFrame:
    """Members of remembered kits that `known` does not have and that `items`, which were read, are enough for."""
    every = kits(connections)
    fresh = every[~every["parent_id"].isin(known["parent_id"])]
    # A member that is a kit itself has no stock to be read; its outer kit waits for the run that asks for it.
    lacking = fresh.loc[~fresh["item_id"].isin(list(items)), "parent_id"]
    found = fresh[~fresh["parent_id"].isin(lacking)]
    return found.assign(stocked=True, inactive=False)


def to_read_again(connections: Connections, places: Places, already: Collection[int]) -> list[int]:
    """Items whose number moves although NetSuite stands still, ascending; `already` were read in this run.

    A unit less on order is one more to sell. What a kit takes of its members, and members of the kit, the store
    does not take off by itself; where it takes stock at shipping only, it takes nothing off at checkout at all.
    """
    sold = count(connections, places, None)
    if sold is None:
        return []
    before = {int(item): units for item, (units, _) in (connections.state.cursors.get(NETTED) or {}).items()}
    now = dict(zip(sold.item_id.tolist(), sold.units.tolist(), strict=True))
    changed = {item for item in {*before, *now} if before.get(item, 0) != now.get(item, 0)}
    members = kits(connections)
    parts = set(members["item_id"].tolist())
    again = {
        item
        for item in changed
        if now.get(item, 0) < before.get(item, 0) or item in parts or not places.taken_at_checkout
    }
    # What the store has shown too little of for long is raised to a number that was read, and to no other.
    again |= set(lasting(connections, places))
    touched = members.loc[members["item_id"].isin(list(again)), "parent_id"]
    again |= set(members.loc[members["parent_id"].isin(touched), "item_id"].tolist())
    again -= set(members["parent_id"].tolist())
    return sorted(again - set(already))


def remember(connections: Connections, sold: Sold | None, wanted: pd.DataFrame, *, complete: bool) -> None:
    """These units are in the numbers just computed."""
    if sold is None:
        return
    cursors = connections.state.cursors
    computed = set(wanted["item_id"].unique().tolist())
    before: dict[str, Any] = {} if complete else cursors.get(NETTED) or {}
    kept = {item: units for item, units in before.items() if int(item) not in computed}
    for item, units, bought in zip(
        sold.item_id.tolist(), sold.units.tolist(), sold.direct.tolist(), strict=True
    ):
        if item in computed and units:
            kept[str(item)] = [units, bought]
    if kept != before or complete:
        cursors.move(NETTED, kept)


def explained(
    sold: Sold | None, found: pd.DataFrame, places: Places, mapping: Mapping
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which lines of a diff are lower in the store by no more than was bought and is not in NetSuite yet.

    Only of items that were not read: the number of one that was is net of these units already.
    """
    if sold is None or found.empty:
        return np.zeros(len(found), dtype=np.bool_)
    bought = sold.bought(found["item_id"].to_numpy(np.int64)) // QUANTITY_SCALE
    missing = found["new"].to_numpy() - found["live"].to_numpy()
    shares = mapping.stock_policy(places.routes, places.suspended).shares
    of_pool = [sold.location, *(one.location for one in shares if one.of == sold.location)]
    here = found["location_id"].isin(of_pool).to_numpy() & (found["wanted_row"] < 0).to_numpy()
    return np.asarray(here & (missing <= bought), dtype=np.bool_)


def grew(before: Sold | None, now: Sold | None) -> bool:
    """Whether anything was sold between two counts."""
    if before is None or now is None:
        return False
    return bool((now.units > before.of(now.item_id)).any())


def sentence(sold: Sold | None) -> str:
    """What was subtracted, in a line for a person."""
    if sold is None:
        return "orders are not netted"
    units = int(sold.direct.sum()) // QUANTITY_SCALE
    return f"{units:,} units of {int((sold.direct > 0).sum()):,} SKUs are sold and not in NetSuite yet"
