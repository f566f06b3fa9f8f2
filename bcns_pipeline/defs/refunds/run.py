"""What one run of the refund flow is asked to do.

Put here the names and what the steps share about a run. Do not put reading, planning or sending
here.
"""

from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import PermanentFailure
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.refunds.policy import RefundPolicy
from bcns_pipeline.rules.refunds.records import CASH_REFUND, CREDIT_MEMO, CUSTOMER_REFUND, JOURNAL
from bcns_pipeline.state.exceptions import Question

FLOW = "refunds"
RESOURCE = "refund"
OWNERS = ["team:finance"]
# What the flow writes into NetSuite: kinds of operations, by the record that each makes.
KINDS = {
    JOURNAL: "refund_journal",
    CREDIT_MEMO: "credit_memo",
    CASH_REFUND: "cash_refund",
    CUSTOMER_REFUND: "customer_refund",
}
CUT, RELEASE, REVERSAL = "order_cut", "deposit_release", "refund_reversal"


def faults(connections: Connections) -> list[str]:
    """What posting refunds needs of the mapping file and is not there."""
    return [*connections.mapping.order_faults(), *connections.mapping.cash.refunds.faults()]


def require(connections: Connections) -> None:
    """Refuse before any I/O, naming every fault of settings and mapping, all at once."""
    connections.require("bigcommerce", "netsuite", orders=True)
    missing = list(connections.mapping.cash.refunds.faults())
    if missing:
        raise PermanentFailure.of_faults(missing)


def policy_of(connections: Connections) -> RefundPolicy:
    """What the merchant decided about refunds, ready for the rules."""
    found: RefundPolicy = connections.mapping.cash.refunds.policy(connections.order_policy.max_rounding_lines)
    return found


def subject_of_refund(refund_id: int) -> str:
    """How questions and groups of operations name a refund."""
    return f"refund:{refund_id}"


def question(
    code: str, refund_id: int, message: str, amount: Money | None = None, **detail: object
) -> Question:
    """An exception of this code about one refund, with the catalogue's severity and owner."""
    return about(code, subject_of_refund(refund_id), message, amount, **detail)


def about(code: str, subject: str, message: str, amount: Money | None = None, **detail: object) -> Question:
    """An exception of this code about any subject."""
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
