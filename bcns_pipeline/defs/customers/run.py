"""What one run of the customer flow is asked to do.

Put here the names and what the steps share about a run. Do not put reading, planning or sending
here.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.state.exceptions import ExceptionRow, Question

FLOW = "customers"
OWNERS = ["team:service"]
# What somebody has to mend is looked at again this often; NetSuite is asked again less often, for each try is a write.
RETRY_AFTER = timedelta(minutes=5)
RETRY_REFUSED_AFTER = timedelta(minutes=15)
# Nothing waits for the end of a warning, and a record that can't be read is read again when it changes.
LOOK_AGAIN_AFTER = timedelta(hours=1)
_SLOW = frozenset({"CUSTOMER_UNREADABLE"})


def require(connections: Connections) -> None:
    """Refuse before any I/O, naming every fault of settings and mapping, all at once."""
    connections.require("bigcommerce", "netsuite", orders=True)


def subject_of(customer_id: int) -> str:
    """What an exception about a shopper is about; the number is BigCommerce's."""
    return f"customer:{customer_id}"


def question(code: str, customer_id: int, message: str, **detail: object) -> Question:
    """An exception of this code about one shopper, with the catalogue's severity and owner."""
    kind = CATALOGUE[code]
    return Question(
        code, subject_of(customer_id), message, severity=kind.severity, owner=kind.owner, detail=detail
    )


def due(connections: Connections) -> list[int]:
    """Shoppers whose exception is worth another look now: its time has come, or a person asked for it."""
    now = datetime.now(UTC)
    return shoppers_of(
        one
        for one in connections.state.exceptions.find(flow=FLOW)
        if one.retry_requested_at is not None or now - one.last_seen_at >= _pause(one)
    )


def shoppers_of(rows: Iterable[ExceptionRow]) -> list[int]:
    """The shoppers that these exceptions are about, each once."""
    numbers = (one.subject.removeprefix("customer:") for one in rows)
    return sorted({int(one) for one in numbers if one.isdigit()})


def _pause(one: ExceptionRow) -> timedelta:
    if one.severity != "error" or one.code in _SLOW:
        return LOOK_AGAIN_AFTER
    return RETRY_REFUSED_AFTER if one.code == "CUSTOMER_REFUSED" else RETRY_AFTER
