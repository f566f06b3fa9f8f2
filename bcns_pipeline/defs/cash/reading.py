"""Orders from their documents, each opened and read once a run: its payments, its plan and what follows ask for it.

Put nothing else here. A document never changes, so what was read of one holds for the run.
"""

from collections.abc import Iterable

from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.orders.model import Order
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.state.scope import parse

KEPT = "cash/orders"
# Two batches; a backfill's day may be larger, and then is read again.
MOST = 1_000


def orders_read(
    connections: Connections, document_ids: Iterable[int | None]
) -> dict[int, Order | Unreadable | None]:
    """{document: its order}; None where its shopper was erased, the fault where it can't be read."""
    kept: dict[int, Order | Unreadable | None] = connections.scratch.setdefault(KEPT, {})
    wanted = {one for one in document_ids if one is not None}
    found = {one: kept[one] for one in wanted & kept.keys()}
    bodies = connections.state.documents.load_many(wanted - kept.keys())
    fresh = {one: None if body is None else _read(body) for one, body in bodies.items()}
    if len(kept) + len(fresh) > MOST:
        kept.clear()
    if len(fresh) <= MOST:
        kept.update(fresh)
    return found | fresh


def _read(body: bytes) -> Order | Unreadable:
    try:
        return read_order(parse(body))
    except Unreadable as fault:
        return fault
