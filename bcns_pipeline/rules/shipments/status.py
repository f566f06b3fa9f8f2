"""The status that an order has by what was shipped of it.

Put the one decision here. Do not put here whether the merchant wants statuses moved: that is the policy's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from bcns_pipeline.rules.orders.model import Line, Order
from bcns_pipeline.rules.orders.status import Status
from bcns_pipeline.rules.shipments.matching import shippable

# Feature L5: what was called off, refunded or is disputed is never moved. A completed order is past shipping.
NEVER_MOVED: Final = frozenset(
    {
        Status.INCOMPLETE,
        Status.REFUNDED,
        Status.CANCELLED,
        Status.DECLINED,
        Status.COMPLETED,
        Status.DISPUTED,
    }
)


def order_status(
    order: Order, shipped: Mapping[int, int] | None = None, kept: Collection[int] = ()
) -> Status | None:
    """Shipped or Partially Shipped by the units of `order`; None where its status is to stay.

    `shipped` are units by line where they are newer than the order's own. An order is Shipped when nothing is
    open of what was ordered and not cancelled, Partially Shipped when something is open and something was
    shipped. Downloads and goods that are picked up do not count. `kept` are further statuses to leave alone.
    """
    if order.status_id in NEVER_MOVED or order.status_id in kept:
        return None
    counts = shipped or {}
    lines = list(shippable(order).values())
    sent = {line.id: counts.get(line.id, line.quantity_shipped) for line in lines}
    if not any(sent.values()):
        return None
    parts: dict[int, list[Line]] = {}
    for line in lines:
        if line.parent_line_id is not None:
            parts.setdefault(line.parent_line_id, []).append(line)

    def done(line: Line) -> bool:
        return sent[line.id] + _cancelled(line, sent[line.id]) >= line.quantity

    def settled(line: Line) -> bool:
        """A bundle is shipped as itself or as its parts, whichever way the warehouse knows it."""
        below = parts.get(line.id, [])
        return done(line) or (bool(below) and all(done(part) for part in below))

    roots = [line for line in lines if line.parent_line_id not in sent]
    wanted = Status.SHIPPED if all(settled(line) for line in roots) else Status.PARTIALLY_SHIPPED
    return None if wanted == order.status_id else wanted


def _cancelled(line: Line, sent: int) -> int:
    return min(line.quantity_refunded, max(line.quantity - sent, 0))
