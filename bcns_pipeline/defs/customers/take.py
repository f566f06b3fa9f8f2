"""Extract: shoppers that changed, as BigCommerce has them now, kept as read.

Put here how ids become stored documents. Nothing is decided here. The inbox rows stay open until the plan that
answers them is staged, so a process that dies in between leaves them to the next run; which event of each row the
documents are newer than is noted beside them, so that one that comes later is not taken for answered.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bcns_pipeline.defs.customers.poll import as_documents, included, poll_customers, sweep, sweep_due
from bcns_pipeline.resources.connections import Connections

CURSOR = "customers/read"


@dataclass(slots=True)
class Taken:
    """What was read, as BigCommerce ids. `gone` are those that BigCommerce does not know (any more)."""

    asked: int = 0
    read: list[int] = field(default_factory=list)
    changed: int = 0
    gone: list[int] = field(default_factory=list)
    swept: int = 0

    @property
    def sentence(self) -> str:
        """The read in one line, as an identity: asked = read + gone."""
        return (
            f"customers: {self.asked:,} asked for = {len(self.read):,} read ({self.changed:,} new or changed) + "
            f"{len(self.gone):,} gone"
        )


def drain(connections: Connections, progress: Callable[[str], None]) -> Taken:
    """Poll, then read a batch of what the inbox holds; never more than `customers.batch`. Raises OutsideError."""
    state, taken = connections.state, Taken()
    progress(poll_customers(connections).sentence)
    if sweep_due(connections):
        taken.swept = sweep(connections)
        progress(f"{taken.swept:,} shoppers that we know had changed without a word")
    with state.worker() as worker:
        rows = state.inbox.claim("customer", connections.mapping.customers.batch, worker)
        claims = [one for one in rows if one.resource_id.isdigit()]
        # A row that names no shopper can't be answered.
        state.inbox.done([one for one in rows if not one.resource_id.isdigit()])
        try:
            ids = [int(one.resource_id) for one in claims]
            found = (
                connections.bigcommerce().customers.by_id(ids, include=included(connections.customer_policy))
                if ids
                else {}
            )
            worker.assert_alive()
            with state.scope.transaction() as conn:
                kept = state.documents.store_changed(as_documents(state, found.values()), conn=conn)
                note = {
                    "version": 1,
                    "generations": {one.resource_id: one.generation for one in claims},
                    "gone": sorted(set(ids) - found.keys()),
                }
                state.cursors.move(CURSOR, note, conn=conn)
        finally:
            state.inbox.release(claims)
    taken.asked, taken.read = len(ids), sorted(found)
    taken.changed = sum(one.fresh for one in kept)
    taken.gone = sorted(set(ids) - found.keys())
    return taken


@dataclass(frozen=True, slots=True)
class LastRead:
    """What the last extract read: {inbox row: its generation}, which the documents are newer than, and who is gone."""

    generations: dict[str, int] = field(default_factory=dict)
    gone: frozenset[int] = frozenset()


def last_read(connections: Connections) -> LastRead:
    """As the last extract noted it; a lost note makes the next one read again."""
    kept: Any = connections.state.cursors.get(CURSOR)
    if not isinstance(kept, dict) or kept.get("version") != 1:
        return LastRead()
    return LastRead({str(one): int(at) for one, at in kept["generations"].items()}, frozenset(kept["gone"]))
