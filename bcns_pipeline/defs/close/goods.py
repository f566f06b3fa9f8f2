"""Asks NetSuite whether the goods of refunds came back, and keeps what it says.

Put the asking here. Do not put here what follows from the answers (rules/close/goods.py). One call for what the role
may see, one for the returns of 500 orders, one for the receipts of 500 returns; none where nothing was given back, or
where the mapping file does not ask. NetSuite says how it stands now, so of an earlier day counts what is dated by then.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from bcns_pipeline.clients.netsuite.models import ReturnLine
from bcns_pipeline.defs.close import reports
from bcns_pipeline.defs.close.run import FLOW
from bcns_pipeline.defs.days import WHOLE_RANGE
from bcns_pipeline.outcomes import Lane, Rejected
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.close.goods import GOODS, at_the_end_of, units_of
from bcns_pipeline.rules.close.reports import About
from bcns_pipeline.rules.identity import sku_key
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.rules.refunds.reading import read_refund
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.refund_models import RefundState
from bcns_pipeline.state.scope import parse

NOT_RECEIVED = "REFUND_NOT_RECEIVED"
# So many days more than the mapping file waits for goods a refund is asked about; one with an open question always is.
LOOK_BACK = 60
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Looked:
    """What was asked: of how many refunds, the fewest calls for it, the hashes of what was kept by day, and why not."""

    refunds: int = 0
    calls: int = 0
    hashes: Mapping[date, str] = field(default_factory=dict)
    silent: str = ""

    @property
    def sentence(self) -> str:
        """In one line."""
        return f"not asked: {self.silent}" if self.silent else f"{self.refunds:,} refunds looked at"


def ask_goods(connections: Connections, spans: Sequence[About]) -> Looked:
    """Ask about refunds of these days, and about older ones whose goods may be late; keep it day by day.

    Raises OutsideError, but not for what the role may not see: then it is kept that nobody was asked.
    """
    state, days = connections.state, connections.mapping.cash.refunds.goods_days
    if days is None:
        return Looked()
    lasts = [reports.last_of(span) for span in spans]
    first = min(*(span.since for span in spans), min(lasts) - timedelta(days=days + LOOK_BACK))
    questions = state.exceptions.find(flow=FLOW, code=NOT_RECEIVED)
    open_ = {int(one.subject.partition(":")[2]) for one in questions}
    refunds, sales = _given(connections, first, max(lasts), open_)
    said, calls = _asked(connections, refunds, sales) if refunds else (_answer(refunds), 0)
    hashes = {last: state.clearing.keep(GOODS, last, at_the_end_of(said, last)) for last in lasts}
    return Looked(len(refunds), calls, hashes, said.get("not_asked", ""))


def _given(
    connections: Connections, first: date, last: date, asked: Collection[int]
) -> tuple[list[dict[str, Any]], dict[int, int]]:
    """All refunds of orders with one on these days or in `asked`, and {NetSuite's id: order} of those with goods."""
    state = connections.state
    found = [
        *state.refunds.find(days=(first, last), limit=WHOLE_RANGE),
        *state.refunds.many(asked).values(),
    ]
    orders = sorted({one.order_id for one in found})
    rows: list[dict[str, Any]] = []
    sales: dict[int, int] = {}
    for start in range(0, len(orders), _BATCH):
        some = orders[start : start + _BATCH]
        states = state.orders.many(some)
        for row in _rows(connections, states, state.refunds.of_orders(some)):
            rows.append(row)
            number = states[row["order"]].netsuite_id
            if row["units"] and number is not None:
                sales[int(number)] = row["order"]
    return rows, sales


def _rows(
    connections: Connections,
    states: Mapping[int, OrderState],
    of_orders: Mapping[int, Sequence[RefundState]],
) -> Iterator[dict[str, Any]]:
    """What these refunds give back in units; what is not known of a shopper any more is left out."""
    refunds = [
        one for some in of_orders.values() for one in some if one.document_id and one.order_id in states
    ]
    documents = [one.document_id for one in refunds if one.document_id]
    documents += [one.document_id for one in states.values() if one.document_id]
    bodies = connections.state.documents.load_many(documents)
    for one in refunds:
        order, refund = bodies.get(states[one.order_id].document_id or 0), bodies.get(one.document_id or 0)
        if order is None or refund is None:
            continue
        try:
            units = units_of(read_refund(parse(refund), one.total.currency), read_order(parse(order)))
        except Unreadable:
            continue
        yield {"refund": one.refund_id, "order": one.order_id, "day": str(one.day), "units": units}


def _asked(
    connections: Connections, refunds: Sequence[Mapping[str, Any]], sales: Mapping[int, int]
) -> tuple[dict[str, Any], int]:
    """The answer about all of them, and the fewest calls for it."""
    client, sku_field = connections.netsuite(Lane.BULK).returns, connections.mapping.inventory.sku_field
    if not sales:
        return _answer(refunds), 0
    try:
        lacking = client.lacking()
        if lacking:
            return {"not_asked": f"NetSuite describes no {' and no '.join(lacking)} to the role"}, 1
        returns = client.of_sales(sales, sku_field)
        numbers = {one.id for one in returns}
        receipts = client.received(numbers, sku_field)
    except Rejected as refused:
        if refused.status == 401:
            raise
        return {"not_asked": f"NetSuite refused: {refused.detail}"}, 1
    answer = _answer(
        refunds,
        [{**_line(one), "order": _order(one, sales), "closed": one.closed} for one in returns],
        [{**_line(one), "return": one.made_from} for one in receipts],
    )
    return answer, 1 + _pieces(sales) + _pieces(numbers)


def _answer(
    refunds: Sequence[Mapping[str, Any]],
    returns: Sequence[Mapping[str, Any]] = (),
    receipts: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    return {"refunds": list(refunds), "returns": list(returns), "receipts": list(receipts)}


def _order(line: ReturnLine, sales: Mapping[int, int]) -> int:
    """The order whose sale, or whose sale's invoice, a return was made of."""
    return sales[number if (number := line.made_from or 0) in sales else line.source_from or 0]


def _line(one: ReturnLine) -> dict[str, Any]:
    return {
        "id": one.id,
        "number": one.number,
        "day": str(one.day),
        "sku": sku_key(one.sku),
        "units": f"{one.quantity:f}",
    }


def _pieces(ids: Collection[int]) -> int:
    return -(-len(ids) // _BATCH)
