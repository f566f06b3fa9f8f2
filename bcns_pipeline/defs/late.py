"""Writes that were sent more than once: an earlier call of theirs may still arrive, and nobody is told.

Put here which those are and when they are looked at a second time. What is done with them is in each flow. A call whose
answer was lost, or whose run was killed, is looked up after seconds and sent again where it is not there. NetSuite may
work at a request for 15 minutes (facts/netsuite.md 2), so it may be carried out after that: over a newer edit, or as a
second line, address or shipment. A record that is made twice is refused by its key; these have none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from bcns_pipeline.state.operations import Operation
from bcns_pipeline.state.store import State

# After so long nothing of a request can arrive any more. BigCommerce says nothing of itself, and gets the same.
LATE: Final = timedelta(minutes=15)
# Where we have never looked before.
FIRST: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Late:
    """Operations of a flow, by kind, that have no key of their own on the other side."""

    flow: str
    kinds: tuple[str, ...]

    def due(self, state: State, *, limit: int = 10_000) -> tuple[Sequence[Operation], datetime]:
        """Those that are due for a second look, and the time up to which they were sent (for `looked_at`)."""
        until = datetime.now(UTC) - LATE
        kept = state.cursors.get(self._cursor)
        since = until - FIRST if kept is None else datetime.fromisoformat(kept)
        return state.outbox.sent_again(self.flow, self.kinds, since, until, limit=limit), until

    def looked_at(self, state: State, until: datetime) -> None:
        """Those that were sent up to then need no further look."""
        state.cursors.move(self._cursor, until.isoformat())

    @property
    def _cursor(self) -> str:
        return f"{self.flow}/late"


EDITS: Final = Late("orders", ("sales_order_edit",))
SHIPMENTS: Final = Late("fulfilment", ("shipment", "shipment_update", "order_status"))
CUSTOMERS: Final = Late("customers", ("customer_change",))
