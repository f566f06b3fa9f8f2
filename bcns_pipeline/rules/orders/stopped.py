"""A sales order that somebody stopped in NetSuite: what the shop is told, or who is.

Put the consequence of a NetSuite status for BigCommerce here. Do not put statuses that follow from shipments
here (rules/shipments).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bcns_pipeline.rules.orders.policy import OrderPolicy
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.status import Status, label

_NAMES: Final = {"A": "pending approval", "C": "cancelled", "H": "closed"}
# The shop's order is at its end too, or has left: nobody has to be told.
_OVER: Final = frozenset(
    {
        Status.INCOMPLETE,
        Status.SHIPPED,
        Status.REFUNDED,
        Status.CANCELLED,
        Status.DECLINED,
        Status.COMPLETED,
        Status.DISPUTED,
    }
)


@dataclass(frozen=True, slots=True)
class SetStatus:
    """The status that the BigCommerce order is to get, and why."""

    status_id: int
    reason: str


def resumed(before: int, now: int) -> bool:
    """Whether an order that was over, by its status `before`, is open again: NetSuite's may still be closed."""
    return before in _OVER and now not in _OVER


def stopped(record_id: int, letter: str, status_id: int, policy: OrderPolicy) -> SetStatus | Problem | None:
    """What follows where the record, with NetSuite's status `letter`, is closed, cancelled or held while the
    shop's order with `status_id` is open.

    None where it is neither, where the shop's order is over as well, or where the merchant wants it so.
    """
    if letter not in _NAMES or status_id in _OVER:
        return None
    if letter == "A" and policy.order_status == "A":
        return None  # that is how we make them
    wanted = policy.stopped.get(letter)
    if wanted is None or wanted == status_id:
        return None
    said = f"Sales order {record_id} is {_NAMES[letter]} in NetSuite, and the order is {label(status_id)}."
    if isinstance(wanted, int):
        return SetStatus(wanted, said)
    return Problem("ORDER_STOPPED_IN_NETSUITE", said)
