"""What of an order says how it was paid: as long as it stays the same, its payments need not be read again.

Put the choice of fields here. Do not put reading here. There is no list of transactions across orders, so each
order costs a call (facts/bigcommerce.md 3.8); an order changes several times after it was paid, by parcels and by
our own number on it, and none of that is worth one.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

from bcns_pipeline.rules.orders.model import Order
from bcns_pipeline.rules.orders.status import REFUNDED, Status

# Statuses that say something of money; the others are about goods.
_OF_MONEY: Final = REFUNDED | {
    Status.CANCELLED,
    Status.DECLINED,
    Status.AWAITING_PAYMENT,
    Status.PENDING,
    Status.DISPUTED,
}


def money_mark(order: Order) -> str:
    """16 hex digits that change when the payments of the order may have changed."""
    said = [
        order.payment_status,
        order.payment_method,
        str(order.document.get("payment_provider_id") or ""),
        order.status_id if order.status_id in _OF_MONEY else None,
        order.currency,
        *(str(one.normalize()) for one in (order.charged.inc, order.store_credit, order.gift_certificate)),
        [line.quantity_refunded for line in order.lines],
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
