"""What one run of the cash flow is asked to do.

Put the names and what the steps share about a run. Do not put reading, planning or sending here.
"""

from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import order_key
from bcns_pipeline.state.exceptions import Question

FLOW = "cash"
OWNERS = ["team:finance"]
# A run that drains takes its batch in so many pieces: the next is read and planned while one is written.
PIECES = 5
# Held by whoever reads payments or takes orders into its hands: no payments are read anew that somebody plans with.
READING = "cash/reading"


def require(connections: Connections) -> None:
    """Refuse before any I/O, naming every fault of settings and mapping, all at once."""
    connections.require("bigcommerce", "netsuite", cash=True)


def piece(connections: Connections) -> int:
    """How many orders of `cash.batch` are read, planned and staged together."""
    return -(-connections.mapping.cash.batch // PIECES)


def order_prefix(store: str) -> str:
    """What the keys of all our sales orders begin with."""
    return order_key(store, 0)[:-1]


def question(
    code: str,
    order_id: int,
    message: str,
    amount: Money | None = None,
    *,
    subject: str | None = None,
    **detail: object,
) -> Question:
    """An exception of this code about one order, with the catalogue's severity and owner."""
    kind = CATALOGUE[code]
    return Question(
        code,
        subject or f"order:{order_id}",
        message,
        severity=kind.severity,
        owner=kind.owner,
        detail={"order": order_id, **detail},
        amount_minor=None if amount is None else amount.minor,
        currency=None if amount is None else amount.currency,
    )
