"""A refund as people ask for one: so many of these, the shipping, or just an amount.

Put the reading of a `refund_order` body here. Do not put what a refund does here (orders/refunds.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.money import ZERO, amount, half_up, minor
from bcns_pipeline.sandbox.bigcommerce.orders.models import Line, Order
from bcns_pipeline.sandbox.bigcommerce.orders.refunds import Item, Payment, of_line


def items_of(
    order: Order, raw: Mapping[str, Any], line_of: Callable[[Mapping[str, Any]], Line]
) -> list[Item]:
    """What is refunded: `lines` (sku or line_id, quantity), `shipping` (true), `amount` (of the order).

    Nothing named: every unit that is left, and the shipping. Raises `ValueError`.
    """
    whole = not {"lines", "shipping", "amount"} & set(raw)
    items = []
    if whole:
        items = [
            of_line(order, one, left) for one in order.lines if (left := one.quantity - one.quantity_refunded)
        ]
    for given in raw.get("lines", ()):
        line = line_of(given)
        quantity = int(given.get("quantity", 1))
        if not 0 < quantity <= line.quantity - line.quantity_refunded:
            raise ValueError(f"{line.quantity - line.quantity_refunded} units of the line can be refunded.")
        items.append(of_line(order, line, quantity))
    if whole or raw.get("shipping"):
        done = {
            one["item_id"] for row in order.refunds for one in row["items"] if one["item_type"] == "SHIPPING"
        }
        for place in order.addresses:
            if place.shipping.inc and place.id not in done:
                items.append(Item("SHIPPING", place.id, place.shipping.inc, place.shipping.tax))
    if "amount" in raw:
        asked = half_up(amount(raw["amount"], "amount"), minor(order.currency))
        items.append(Item("ORDER", order.id, asked, ZERO, requested=asked))
    if not items:
        raise ValueError(f"Order {order.id} has nothing left to refund.")
    return items


def payments_of(order: Order, raw: Mapping[str, Any], due: Decimal) -> list[Payment]:
    """How it goes back: as `payments` (provider, amount, offline, declined) says, or the way it came.

    One of `payments` may name no amount: it takes what the others leave.

    The way it came: to the payment provider up to what it received, the rest as store credit. `declined`
    marks all of them.
    """
    declined = bool(raw.get("declined", False))
    if "payments" in raw:
        named = sum((amount(one["amount"], "amount") for one in raw["payments"] if "amount" in one), ZERO)
        return [
            Payment(
                str(one["provider"]),
                amount(one["amount"], "amount") if "amount" in one else due - named,
                bool(one.get("offline", False)),
                bool(one.get("declined", declined)),
            )
            for one in raw["payments"]
        ]
    left = dict[str, Decimal]()
    for row in order.transactions:
        if row["status"] == "ok" and row["event"] in ("purchase", "capture", "refund"):
            sign = -1 if row["event"] == "refund" else 1
            left[row["gateway"]] = left.get(row["gateway"], ZERO) + sign * Decimal(str(row["amount"]))
    found = []
    for provider in sorted(left, key=lambda one: one in ("giftcertificate", "storecredit")):
        part = min(left[provider], due)
        if part > 0 and provider != "giftcertificate":
            found.append(Payment(provider, part, declined=declined))
            due -= part
    if due or not found:
        found.append(
            Payment("storecredit" if order.customer_id else "custom", due, offline=True, declined=declined)
        )
    return found
