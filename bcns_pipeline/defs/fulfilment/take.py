"""Extract: fulfilments of our orders that are new or changed in NetSuite, with their parcels and lines, as read.

Put the watermark here, and how a fulfilment becomes a stored document. Nothing is decided here. What is new goes
into the inbox in the same transaction in which it is stored, so a process that dies before it was planned leaves it
to the next run. The watermark is in NetSuite's own clock and overlaps the past; what is read twice and has not
changed goes no further.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bcns_pipeline.clients.netsuite.models import FulfilmentLine as LineRow
from bcns_pipeline.clients.netsuite.models import FulfilmentRow
from bcns_pipeline.defs.account import account_of
from bcns_pipeline.defs.fulfilment.stopped import note_stopped
from bcns_pipeline.defs.polling import cutover_of
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.shipments.model import Fulfilment, FulfilmentLine
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.inbox import Event
from bcns_pipeline.state.scope import parse

CURSOR = "fulfilment/watermark"
KIND = "fulfilment"
CLOCK = "%Y-%m-%d %H:%M:%S"


@dataclass(slots=True)
class Taken:
    """What was read: fulfilments listed, those of our orders, and the ones that are new or changed."""

    listed: int = 0
    ours: int = 0
    fresh: int = 0
    since: str = ""

    @property
    def sentence(self) -> str:
        """The read in one line, as an identity."""
        return (
            f"fulfilments: {self.listed:,} listed since {self.since} = {self.ours:,} of our orders + "
            f"{self.listed - self.ours:,} of others; {self.fresh:,} new or changed"
        )


def take(connections: Connections, progress: Callable[[str], None]) -> Taken:
    """Read what changed since the watermark, and what NetSuite told us of. Raises OutsideError."""
    state, netsuite = connections.state, connections.netsuite(Lane.BULK)
    now = netsuite.clock()
    taken = Taken(since=_since(connections, now))
    oneworld = account_of(connections).oneworld
    for rows in netsuite.fulfilments.changed(taken.since, oneworld=oneworld):
        taken.listed += len(rows)
        _keep(connections, rows, taken)
        progress(taken.sentence)
    note_stopped(connections, taken.since)
    told = [int(one) for one in _told(connections) if one.isdigit()]
    if told:
        _keep(connections, netsuite.fulfilments.by_id(told, oneworld=oneworld), Taken())
    state.cursors.move(CURSOR, {"version": 1, "until": now})
    return taken


def load(connections: Connections, ids: Iterable[int]) -> dict[int, tuple[int, Fulfilment]]:
    """{fulfilment: (NetSuite's order id, the fulfilment)} of stored ones."""
    documents = connections.state.documents
    found = documents.latest(KIND, [f"fulfilment:{one}" for one in ids])
    bodies = documents.load_many([one.id for one in found.values()])
    loaded = {}
    for one in found.values():
        body = bodies.get(one.id)
        if body is not None:
            content = parse(body)
            loaded[int(content["id"])] = (int(content["order_id"]), _fulfilment(content))
    return loaded


def _since(connections: Connections, now: str) -> str:
    kept = connections.state.cursors.get(CURSOR)
    if isinstance(kept, dict) and kept.get("version") == 1:
        overlap = timedelta(minutes=connections.mapping.fulfilment.poll.overlap_minutes)
        return (datetime.strptime(kept["until"], CLOCK) - overlap).strftime(CLOCK)  # noqa: DTZ007 - their frame
    first = cutover_of(connections.mapping)
    # A day earlier than the cutover, because NetSuite's frame may be any zone.
    return (first - timedelta(days=1)).strftime(CLOCK) if first else now


def _told(connections: Connections) -> list[str]:
    """Fulfilments that somebody told us of and that we have never read: a claim would be the plan's."""
    waiting = connections.state.inbox.open_ids("fulfilment")
    known = connections.state.documents.latest(KIND, [f"fulfilment:{one}" for one in waiting])
    return [one for one in waiting if f"fulfilment:{one}" not in known]


def _keep(connections: Connections, rows: Sequence[FulfilmentRow], taken: Taken) -> None:
    """Store those of our orders; what differs from what we have goes into the inbox."""
    state, client = connections.state, connections.netsuite(Lane.BULK).fulfilments
    orders = state.orders.by_netsuite({str(row.order_id) for row in rows})
    ours = [row for row in rows if str(row.order_id) in orders]
    if not ours:
        return
    ids = [row.id for row in ours]
    trackings = client.tracking(ids)
    lines: dict[int, list[LineRow]] = {one: [] for one in ids}
    for line in client.lines(ids):
        lines[line.fulfilment].append(line)
    new = [
        NewDocument(
            "netsuite", KIND, f"fulfilment:{row.id}", _body(row, trackings.get(row.id, ()), lines[row.id])
        )
        for row in ours
    ]
    with state.scope.transaction() as conn:
        kept = state.documents.store_changed(new, conn=conn)
        fresh = [row.id for row, where in zip(ours, kept, strict=True) if where.fresh]
        state.inbox.record([Event("fulfilment", str(one), "poll") for one in fresh], conn=conn)
    taken.ours += len(ours)
    taken.fresh += len(fresh)


def _body(row: FulfilmentRow, trackings: Sequence[str], lines: Sequence[LineRow]) -> bytes:
    content = {
        "id": row.id,
        "number": row.tran_id,
        "status": row.status,
        "order_id": row.order_id,
        "carrier": row.carrier,
        "method": row.method_name,
        "trackings": list(trackings),
        "lines": [{**asdict(line), "quantity": str(line.quantity)} for line in lines],
    }
    return json.dumps(content, sort_keys=True).encode()


def _fulfilment(content: dict[str, Any]) -> Fulfilment:
    return Fulfilment(
        id=int(content["id"]),
        number=content["number"],
        status=content["status"],
        lines=tuple(
            FulfilmentLine(
                line=line["line"],
                item_id=line["item"],
                quantity=Decimal(line["quantity"]),
                kit_line=line["kit_member_of"],
            )
            for line in content["lines"]
        ),
        trackings=tuple(content["trackings"]),
        carrier=content["carrier"],
        method=content["method"],
    )
