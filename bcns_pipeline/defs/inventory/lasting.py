"""Drift that lasts: where the store shows less than was confirmed, and for so long that nobody can have bought it.

Put here since when that is so, and which items may be raised for it. Only where orders are netted: then a number that
was read anew lacks every unit that was sold, so a lower one in the store is a hand edit. Where an order may take stock
unseen (one that can't be read, an edit that NetSuite does not have, sales orders that commit nothing, stock taken at
shipping), a person decides.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from bcns_pipeline.defs.inventory.places import Places
from bcns_pipeline.resources.connections import Connections

# {item id: since when, by the database's clock}.
BELOW = "inventory.below"


def note_below(connections: Connections, below: Collection[int], looked_at: Collection[int]) -> None:
    """Of the items that were looked at, `below` show too little; what shows enough again begins anew next time."""
    cursors, now = connections.state.cursors, connections.state.now().isoformat()
    before = cursors.get(BELOW) or {}
    seen = {str(item) for item in looked_at}
    kept = {item: since for item, since in before.items() if item not in seen}
    kept |= {str(item): before.get(str(item), now) for item in below}
    if kept != before:
        cursors.move(BELOW, kept)


def lasting(connections: Connections, places: Places) -> list[int]:
    """Items that have shown too little for `inventory.netting.raise_after_hours`, ascending."""
    mapping, state = connections.mapping, connections.state
    hours = mapping.inventory.netting.raise_after_hours
    counted = mapping.nets_orders and places.orders_take_from is not None and places.taken_at_checkout
    told = mapping.orders.order_status == "B" and mapping.orders.updates == "full"
    if not hours or not counted or not told:
        return []
    limit = state.now() - timedelta(hours=hours)
    found = [
        int(item)
        for item, since in (state.cursors.get(BELOW) or {}).items()
        if datetime.fromisoformat(since) <= limit
    ]
    if not found or state.exceptions.is_open("orders", "ORDER_UNREADABLE"):
        return []
    # Units that were added to an order are counted nowhere until NetSuite has the edit.
    return [] if state.orders.find(edited=True, limit=1) else sorted(found)
