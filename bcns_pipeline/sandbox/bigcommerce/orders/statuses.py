"""The 14 statuses of an order.

Put the table and what a status means to the shop here. Do not put changes of status here. Source:
facts/bigcommerce.md 3.7.
"""

from __future__ import annotations

from typing import Any

INCOMPLETE, PENDING, SHIPPED, PARTIALLY_SHIPPED, REFUNDED, CANCELLED, DECLINED = range(7)
AWAITING_PAYMENT, AWAITING_PICKUP, AWAITING_SHIPMENT, COMPLETED = range(7, 11)
AWAITING_FULFILLMENT, MANUAL_VERIFICATION, DISPUTED, PARTIALLY_REFUNDED = range(11, 15)

# id, name, place in the control panel's list
_TABLE = (
    (INCOMPLETE, "Incomplete", 0),
    (PENDING, "Pending", 1),
    (SHIPPED, "Shipped", 8),
    (PARTIALLY_SHIPPED, "Partially Shipped", 6),
    (REFUNDED, "Refunded", 11),
    (CANCELLED, "Cancelled", 9),
    (DECLINED, "Declined", 10),
    (AWAITING_PAYMENT, "Awaiting Payment", 2),
    (AWAITING_PICKUP, "Awaiting Pickup", 5),
    (AWAITING_SHIPMENT, "Awaiting Shipment", 4),
    (COMPLETED, "Completed", 7),
    (AWAITING_FULFILLMENT, "Awaiting Fulfillment", 3),
    (MANUAL_VERIFICATION, "Manual Verification Required", 13),
    (DISPUTED, "Disputed", 12),
    (PARTIALLY_REFUNDED, "Partially Refunded", 14),
)
NAMES = {status: name for status, name, _ in _TABLE}
PLACES = {status: place for status, _, place in _TABLE}
# A shopper who never got through the checkout holds no stock.
HOLDS_NO_STOCK = frozenset({INCOMPLETE, DECLINED})
# Where a shop is set to take stock at shipping, this is when.
SHIPPED_OR_COMPLETED = frozenset({SHIPPED, COMPLETED})
# A shipment does not bring these back among the open orders.
SETTLED = frozenset({INCOMPLETE, REFUNDED, CANCELLED, DECLINED, COMPLETED, DISPUTED})


def row(status_id: int) -> dict[str, Any]:
    """A row of /v2/order_statuses."""
    name = NAMES[status_id]
    return {
        "id": status_id,
        "name": name,
        "system_label": name,
        "custom_label": name,
        "system_description": f"The order is {name.lower()}.",
        "order": PLACES[status_id],
    }
