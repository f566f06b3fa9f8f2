"""What one run of the order flow is asked to do.

Put here the names and what the steps share about a run. Do not put reading, planning or sending
here.
"""

from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.exceptions import Question

FLOW = "orders"
# What the flow writes into NetSuite: kinds of operations.
CUSTOMER, CURRENCY, ORDER, EDIT = "customer", "customer_currency", "sales_order", "sales_order_edit"
# Opened by adoption, for a person; until then the order is not posted.
NOT_ADOPTED = "ORDER_NOT_ADOPTED"
# Writing back has a lane of its own, so that it never delays a sales order.
REFERENCE_FLOW = "order_references"
# A shopper waits for an order, and nobody for a full sync of stock: orders may use the slot of NetSuite that bulk
# reads leave free, together with low stock, which waits for one call at most.
LANE = Lane.FAST
OWNERS = ["team:service"]


def require(connections: Connections) -> None:
    """Refuse before any I/O, naming every fault of settings, mapping and what posting orders needs, all at once."""
    connections.require("bigcommerce", "netsuite", orders=True)


def question(
    code: str, order_id: int, message: str, amount: Money | None = None, **detail: object
) -> Question:
    """An exception of this code about one order, with the catalogue's severity and owner."""
    kind = CATALOGUE[code]
    return Question(
        code,
        f"order:{order_id}",
        message,
        severity=kind.severity,
        owner=kind.owner,
        detail=detail,
        amount_minor=None if amount is None else amount.minor,
        currency=None if amount is None else amount.currency,
    )
