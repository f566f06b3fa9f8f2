"""Fulfilments that somebody deleted in NetSuite after the store had shown their parcels: no change tells of them.

Put the comparison here: ids of parcels that we know of, of the last weeks, against those that NetSuite still has. What
a gone fulfilment means is the rules' to say (rules/shipments). One that the list lacks is asked for by itself before it
is believed gone, so that a role that lost sight of records takes no parcel back.
"""

from datetime import datetime, timedelta

from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections

CURSOR, LINK = "fulfilment/gone", "shipment"
# One column of 500 fulfilments a call: for 1,000 parcels a week, four calls.
EVERY = timedelta(minutes=30)
# Nobody deletes more in half an hour; the rest is asked for by the next look.
MOST = 50


def deleted(connections: Connections, now: datetime) -> set[int]:
    """Fulfilments with a shipment of ours from the last `fulfilment.watch_days` that are gone. Raises OutsideError."""
    state, watched = connections.state, connections.mapping.fulfilment.watch_days
    kept = state.cursors.get(CURSOR)
    last = datetime.fromisoformat(kept["at"]) if isinstance(kept, dict) else None
    if not watched or (last is not None and now - last < EVERY):
        return set()
    since = now - timedelta(days=watched)
    links = [one for origin in ("created", "found") for one in state.links.since(LINK, since, origin=origin)]
    known = {int(one.detail["fulfilment_id"]) for one in links}
    client = connections.netsuite(Lane.BULK).fulfilments
    missing = sorted(known - client.there(known))[-MOST:]
    gone = {one for one in missing if client.detail(one) is None}
    state.cursors.move(CURSOR, {"at": now.isoformat()})
    return gone
