"""Safety stock has one owner: where the store holds back stock beside us, nothing is sent until that is mended.

Put here what was seen of the store's own safety stock, and the refusal. What counts as a double buffer, and its
sentence, is a rule (rules/inventory/policy). Nothing is read for this alone but to see whether it was mended:
every look at the store's stock shows its safety stock as well.
"""

from dataclasses import replace

import pandas as pd

from bcns_pipeline.defs.inventory.identify import by_item, live_frame
from bcns_pipeline.defs.inventory.run import FLOW
from bcns_pipeline.defs.inventory.trouble import question
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import PermanentFailure
from bcns_pipeline.rules.inventory.policy import double_buffer

# The most units of one item that the store was seen to hold back.
SEEN = "inventory.store_holds_back"
CODE = "DOUBLE_BUFFER"


def note(connections: Connections, units: int, *, whole: bool) -> None:
    """`units` are the most that a look at the store showed; only a look at all of it can lower what is known."""
    cursors = connections.state.cursors
    known = int(cursors.get(SEEN) or 0)
    now = units if whole else max(units, known)
    if now != known:
        cursors.move(SEEN, now)


def most_held_back(live: pd.DataFrame) -> int:
    """The greatest safety stock in rows of the store's stock."""
    return int(live["safety_stock"].max()) if len(live) else 0


def refuse(connections: Connections, *, look_again: bool, lane: Lane = Lane.BULK) -> None:
    """Raise PermanentFailure where the store and we (or NetSuite) both hold back stock.

    Before that the store is read once more if `look_again` says so, because a merchant may have mended it. Where
    the mapping names no owner it is an open question only: what the store shows for sale is then less than it is
    sent, and nobody is sold anything that is not there.
    """
    owner = connections.mapping.inventory.safety_stock.owner
    seen = int(connections.state.cursors.get(SEEN) or 0)
    if look_again and owner != "none" and double_buffer(owner, seen):
        pages = [page.levels for page in connections.shop_stock(lane).pages()]
        seen = most_held_back(by_item(live_frame(pages), connections.state.links.items()))
        note(connections, seen, whole=True)
    said = double_buffer(owner, seen)
    exceptions = connections.state.exceptions
    if said is None:
        if exceptions.is_open(FLOW, CODE):
            exceptions.keep_only(FLOW, CODE, [])
        return
    found = question(CODE, "flow:inventory", said, units=seen)
    if owner == "none":
        exceptions.open(FLOW, replace(found, severity="warning"))
        return
    exceptions.open(FLOW, found)
    raise PermanentFailure(said)
