"""Extract: fulfilments of our orders that are new or changed in NetSuite, with their parcels and lines, as read.

Put the watermark here, and how a fulfilment becomes a stored document. Nothing is decided here. What is new goes
into the inbox in the same transaction in which it is stored, so a process that dies before it was planned leaves it
to the next run. The watermark is in NetSuite's own clock and overlaps the past; what is read twice and has not
changed goes no further.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from bcns_pipeline.clients.netsuite.models import FulfilmentLine as LineRow
from bcns_pipeline.clients.netsuite.models import FulfilmentRow
from bcns_pipeline.defs.account import account_of
from bcns_pipeline.defs.fulfilment.again import (
    asked,
    changed_since_asked,
    linked_since,
    orders_due,
    sales_orders,
    settled_since,
)
from bcns_pipeline.defs.fulfilment.gone import deleted
from bcns_pipeline.defs.fulfilment.stopped import note_stopped
from bcns_pipeline.defs.late import SHIPMENTS
from bcns_pipeline.defs.polling import cutover_of
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.shipments.model import Fulfilment, FulfilmentLine
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.inbox import Event
from bcns_pipeline.state.scope import parse

CURSOR = "fulfilment/watermark"
KIND: Final = "fulfilment"
CLOCK = "%Y-%m-%d %H:%M:%S"


@dataclass(slots=True)
class Taken:
    """What was read: fulfilments listed, those of our orders, and the ones that are new or changed.

    `again` are those of orders that are looked at again: there is a question, a call may have come late, or the order
    is ours since;
    `deleted` are in NetSuite no more.
    `waits`: seconds for which a change had stood in NetSuite when it was read, by NetSuite's clock.
    """

    listed: int = 0
    ours: int = 0
    fresh: int = 0
    again: int = 0
    deleted: int = 0
    since: str = ""
    now: str = ""
    waits: list[float] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The read in one line, as an identity."""
        return (
            f"fulfilments: {self.listed:,} listed since {self.since} = {self.ours:,} of our orders + "
            f"{self.listed - self.ours:,} of others; {self.fresh:,} new or changed"
            + (f"; {self.again:,} looked at again" if self.again else "")
            + (f"; {self.deleted:,} deleted in NetSuite" if self.deleted else "")
        )


def take(connections: Connections, progress: Callable[[str], None]) -> Taken:
    """Read what changed since the watermark, and what NetSuite told us of. Raises OutsideError."""
    state, netsuite = connections.state, connections.netsuite(Lane.BULK)
    now, here, cursor = netsuite.clock(), state.now(), state.cursors.get(CURSOR)
    taken = Taken(since=_since(connections, cursor, now), now=now)
    oneworld = account_of(connections).oneworld
    for rows in netsuite.fulfilments.changed(taken.since, oneworld=oneworld):
        taken.listed += len(rows)
        _keep(connections, rows, taken)
        progress(taken.sentence)
    note_stopped(connections, taken.since)
    told = [int(one) for one in _told(connections) if one.isdigit()]
    if told:
        _keep(connections, netsuite.fulfilments.by_id(told, oneworld=oneworld), Taken())
    late, until = SHIPMENTS.due(state)
    doubtful = {payload["order_id"] for payload in state.outbox.payloads(late) if payload}
    doubtful |= settled_since(connections, cursor, here)
    _look_again(connections, linked_since(connections, cursor, here), doubtful, taken)
    SHIPMENTS.looked_at(state, until)
    taken.deleted = _withdraw(connections, deleted(connections, here))
    state.cursors.move(CURSOR, {"version": 1, "until": now, "linked": here.isoformat()})
    return taken


def _look_again(connections: Connections, linked: set[int], late: set[int], taken: Taken) -> None:
    """Every fulfilment of orders with a question that is due, or of which a call may have arrived `late` or nothing is
    open any more (our ids), and those of `linked` orders that are news to us.
    """
    questions = asked(connections)
    if not questions and not linked and not late:
        return
    state, client = connections.state, connections.netsuite(Lane.BULK).fulfilments
    oneworld = account_of(connections).oneworld
    if linked:
        rows = client.of_orders(linked, oneworld=oneworld)
        _keep(connections, rows, Taken())
        taken.again += len(rows)
    waiting = load(connections, [int(one) for one in state.inbox.open_ids(KIND) if one.isdigit()])
    touched = state.orders.by_netsuite({str(order_id) for order_id, _ in waiting.values()})
    news = {one.order_id for one in touched.values()} | changed_since_asked(connections, questions)
    due = orders_due(questions, news) | late
    if not due:
        return
    records = sales_orders(connections, due)
    rows = client.of_orders(records, oneworld=oneworld)
    _keep(connections, rows, Taken())
    there = {row.id for row in rows}
    known = {int(one) for row in questions for one in row.detail.get("fulfilments", ())}
    of_due = {number: one for number, one in load(connections, known - there).items() if one[0] in records}
    with state.scope.transaction() as conn:
        state.documents.store_changed(_gone(of_due), conn=conn)
        again = sorted(there | of_due.keys())
        state.inbox.record([Event(KIND, str(one), "replay") for one in again], conn=conn)
    taken.again += len(again)


def _withdraw(connections: Connections, numbers: set[int]) -> int:
    """Deleted fulfilments are remembered as such, and planned; how many are news."""
    if not numbers:
        return 0
    state, known = connections.state, load(connections, numbers)
    with state.scope.transaction() as conn:
        kept = state.documents.store_changed(_gone(known), conn=conn)
        fresh = [number for number, where in zip(known, kept, strict=True) if where.fresh]
        state.inbox.record([Event(KIND, str(one), "poll") for one in fresh], conn=conn)
    return len(fresh)


def _gone(known: Mapping[int, tuple[int, Fulfilment]]) -> list[NewDocument]:
    return [
        NewDocument("netsuite", KIND, f"fulfilment:{number}", _withdrawn(order_id, fulfilment))
        for number, (order_id, fulfilment) in known.items()
    ]


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


def _since(connections: Connections, kept: Any, now: str) -> str:
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
        state.inbox.record([Event(KIND, str(one), "poll") for one in fresh], conn=conn)
    taken.ours += len(ours)
    taken.fresh += len(fresh)
    if taken.now:
        news = set(fresh)
        taken.waits += [_seconds(row.last_modified, taken.now) for row in ours if row.id in news]


def _seconds(before: str, after: str) -> float:
    """Between two moments of NetSuite's clock."""
    start, end = (datetime.strptime(one, CLOCK) for one in (before, after))  # noqa: DTZ007 - their frame
    return max((end - start).total_seconds(), 0.0)


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


def _withdrawn(order_id: int, fulfilment: Fulfilment) -> bytes:
    """A fulfilment that NetSuite does not have any more: nothing of it was shipped."""
    content = {
        "id": fulfilment.id,
        "number": fulfilment.number,
        "status": "",
        "order_id": order_id,
        "carrier": "",
        "method": "",
        "trackings": [],
        "lines": [],
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
