"""What one run of the payout flow is asked to do.

Put here the names and what the steps share about a run. Do not put reading, planning or sending
here.
"""

from bcns_pipeline.defs.days import Days
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.payout_models import PayoutState

FLOW = "payouts"
BANK_FLOW = "bank"
# What the flow writes into NetSuite.
JOURNAL = "payout_journal"
OWNERS = ["team:finance"]


def require(connections: Connections) -> None:
    """Refuse before any I/O, naming every fault of settings, mapping and what posting payouts needs, all at once."""
    connections.require("bigcommerce", "netsuite", payouts=True)


def question(
    code: str, subject: str, message: str, amount: Money | None = None, **detail: object
) -> Question:
    """An exception of this code about one payout, file or bank line, with the catalogue's severity and owner."""
    kind = CATALOGUE[code]
    return Question(
        code,
        subject,
        message,
        severity=kind.severity,
        owner=kind.owner,
        detail=detail,
        amount_minor=None if amount is None else amount.minor,
        currency=None if amount is None else amount.currency,
    )


def due_on(state: PayoutState, days: Days | None) -> bool:
    """Whether a payout is of the run's days; every payout is of a run without any."""
    return days is None or days[0] <= state.arrival_date <= days[1]
