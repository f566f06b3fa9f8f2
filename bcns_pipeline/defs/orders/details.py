"""What an order's own fields do not say: coupons, taxes by name, transactions, and refunds; read only where needed.

Put the extra calls here. Which order needs which is decided by `rules.orders.needs`.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bcns_pipeline.defs.polling import subject_of
from bcns_pipeline.outcomes import Lane, Rejected
from bcns_pipeline.resources.connections import BIGCOMMERCE_SLOTS, RESERVED_FOR_FAST_LANE, Connections
from bcns_pipeline.rules.orders import reading
from bcns_pipeline.rules.orders.model import Detail, Details, Order
from bcns_pipeline.rules.orders.needs import needs
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.scope import canonical
from bcns_pipeline.state.store import State

# The kind of the documents in which they are kept.
KIND = "order_details"


def keep_rows(state: State, kind: str, read: Sequence[tuple[Order, Any]]) -> None:
    """What was read beside an order, kept as evidence of what was decided, under the shopper's own key."""
    state.documents.store_changed(
        [
            NewDocument(
                "bigcommerce",
                kind,
                f"order:{order.id}",
                canonical(rows).encode(),
                subject=subject_of(state, order.document, order.id),
            )
            for order, rows in read
        ]
    )


# These say something of us or of the address, not of the one order.
_OF_ALL = frozenset({401, 403, 405})


def read_details(
    connections: Connections, orders: Iterable[Order]
) -> tuple[dict[int, Details], dict[int, Problem]]:
    """{order: what was read beside it}, and the orders whose details can't be understood. Raises OutsideError.

    One call per order and detail, several at once; by default no order needs any. An order whose details are
    refused, because it was deleted meanwhile, keeps no other from being read.
    """
    found = list(orders)
    wanted = {order.id: needs(order, connections.order_policy) for order in found}
    client = connections.bigcommerce(Lane.BULK).orders
    calls: Mapping[Detail, Any] = {
        Detail.COUPONS: client.coupons,
        Detail.TAXES: client.taxes,
        Detail.TRANSACTIONS: client.transactions,
    }
    asked = [(one, detail) for one, details in wanted.items() for detail in sorted(details)]

    def read(pair: tuple[int, Detail]) -> Any:
        try:
            return calls[pair[1]](pair[0])
        except Rejected as refused:
            if refused.status in _OF_ALL:
                raise
            return refused

    with ThreadPoolExecutor(BIGCOMMERCE_SLOTS - RESERVED_FOR_FAST_LANE, thread_name_prefix="details") as pool:
        answers = list(pool.map(read, asked))
    rows: dict[int, dict[Detail, Any]] = {order.id: {} for order in found}
    details: dict[int, Details] = {}
    unreadable: dict[int, Problem] = {}
    for (one, detail), answer in zip(asked, answers, strict=True):
        if isinstance(answer, Rejected):
            said = f"its {detail.value} can't be read: BigCommerce says {answer.status} {answer.code}."
            unreadable[one] = Problem("ORDER_UNREADABLE", said)
        else:
            rows[one][detail] = answer
    by_id = {order.id: order for order in found}
    keep_rows(connections.state, KIND, [(by_id[one], given) for one, given in rows.items() if given])
    for one in rows.keys() - unreadable.keys():
        try:
            details[one] = understood(rows[one])
        except reading.Unreadable as fault:
            unreadable[one] = Problem("ORDER_UNREADABLE", str(fault))
    return details, unreadable


def understood(given: Mapping[Detail, Any]) -> Details:
    """What was read beside one order, by detail; raises Unreadable."""
    return reading.read_details(
        coupons=given.get(Detail.COUPONS),
        taxes=given.get(Detail.TAXES),
        transactions=given.get(Detail.TRANSACTIONS),
    )
