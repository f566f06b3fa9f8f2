"""Edits of orders that were sent more than once: an earlier call of theirs may still arrive, and nobody is told.

Put here which those are and when they are looked at a second time. What is done with them is in the flow. A call whose
answer was lost, or whose run was killed, is looked up after seconds and sent again where it is not there. NetSuite may
work at a request for 15 minutes (facts/netsuite.md 2), so it may be carried out after that, over a newer edit, or add
a line a second time. A record that is made twice is refused by its key; an edit has none.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from bcns_pipeline.state.operations import Operation
from bcns_pipeline.state.store import State

CURSOR: Final = "orders/late"
FLOW, KINDS = "orders", ("sales_order_edit",)
# After so long nothing of a request can arrive any more.
LATE: Final = timedelta(minutes=15)
# Where we have never looked before.
FIRST: Final = timedelta(days=1)


def late_edits(state: State, *, limit: int = 10_000) -> tuple[Sequence[Operation], datetime]:
    """Edits that are due for a second look, and the time up to which they were sent (`looked_at` remembers it)."""
    until = datetime.now(UTC) - LATE
    kept = state.cursors.get(CURSOR)
    since = until - FIRST if kept is None else datetime.fromisoformat(kept)
    return state.outbox.sent_again(FLOW, KINDS, since, until, limit=limit), until


def looked_at(state: State, until: datetime) -> None:
    """Edits that were sent up to then need no further look."""
    state.cursors.move(CURSOR, until.isoformat())
