"""What one run of the fulfilment flow is asked to do.

Put here the names and what the steps share about a run. Do not put reading, planning or sending
here.
"""

from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.state.exceptions import Question

FLOW = "fulfilment"
OWNERS = ["team:operations"]


def require(connections: Connections) -> None:
    """Refuse before any I/O, naming every fault of settings and mapping, all at once."""
    connections.require("bigcommerce", "netsuite", orders=True)


def question(code: str, order_id: int, message: str, **detail: object) -> Question:
    """An exception of this code about one order, with the catalogue's severity and owner."""
    kind = CATALOGUE[code]
    return Question(
        code, f"order:{order_id}", message, severity=kind.severity, owner=kind.owner, detail=detail
    )
