"""The statuses of a BigCommerce order: one table for code, mapping file and documents.

Put the ids, their names and what they mean to us here. Do not put what is done about them here (`gate.py`).
Shops rename their labels, so everything goes by id (facts/bigcommerce.md 3.7).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Status(IntEnum):
    """A status by BigCommerce's own id."""

    INCOMPLETE = 0
    PENDING = 1
    SHIPPED = 2
    PARTIALLY_SHIPPED = 3
    REFUNDED = 4
    CANCELLED = 5
    DECLINED = 6
    AWAITING_PAYMENT = 7
    AWAITING_PICKUP = 8
    AWAITING_SHIPMENT = 9
    COMPLETED = 10
    AWAITING_FULFILLMENT = 11
    MANUAL_VERIFICATION_REQUIRED = 12
    DISPUTED = 13
    PARTIALLY_REFUNDED = 14

    @property
    def label(self) -> str:
        """BigCommerce's own name: "Awaiting Fulfillment"."""
        return self.name.replace("_", " ").title()


# Paid for, or promised to be, and not called off. Refunded orders are among them: they were sold.
POSTED_BY_DEFAULT: Final = (
    Status.SHIPPED,
    Status.PARTIALLY_SHIPPED,
    Status.AWAITING_PICKUP,
    Status.AWAITING_SHIPMENT,
    Status.COMPLETED,
    Status.AWAITING_FULFILLMENT,
    Status.PARTIALLY_REFUNDED,
    Status.REFUNDED,
)
# The checkout was not finished or not paid: `order/created` fires for these too (facts/bigcommerce.md 3.7).
NEVER_POSTED: Final = frozenset({Status.INCOMPLETE, Status.DECLINED, Status.CANCELLED})
REFUNDED: Final = frozenset({Status.REFUNDED, Status.PARTIALLY_REFUNDED})


def label(status_id: int) -> str:
    """The name of a status, also of one that BigCommerce added since: "status 15"."""
    try:
        return Status(status_id).label
    except ValueError:
        return f"status {status_id}"
