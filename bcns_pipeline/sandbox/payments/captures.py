"""What the shop captured and refunded, as its payment providers saw it.

Put the reading of the shop's orders here. Do not put fees or balances here. Only the provider's own knowledge is
taken over: the id it gave, the amount, the moment and the order number it was told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.orders.models import Order
from bcns_pipeline.sandbox.bigcommerce.shop import MARKETPLACE, Shop

Part = tuple[str, str, Decimal, str]


@dataclass(frozen=True, slots=True)
class Capture:
    """Money that a shopper paid (`charge`) or got back (`refund`) through a provider; `amount` is positive.

    `reference` of a refund is the provider's id of the charge. `parts` are a marketplace's components of what
    comes in (a refund's are negative): its two words for each, how much, and the SKU.
    """

    kind: str
    id: str
    reference: str
    order_id: str
    amount: Decimal
    currency: str
    created: int
    parts: tuple[Part, ...] = ()


def captures(shop: Shop, gateways: frozenset[str], seen: set[str]) -> Iterator[Capture]:
    """Captures and refunds through `gateways` that are not in `seen`, which then holds them."""
    for order in shop.orders.values():
        for row in order.transactions:
            if row["gateway"] not in gateways or row["gateway_transaction_id"] in seen:
                continue
            if row["status"] != "ok" or row["test"] or row["event"] not in ("purchase", "capture", "refund"):
                continue
            seen.add(row["gateway_transaction_id"])
            back = row["event"] == "refund"
            yield Capture(
                kind="refund" if back else "charge",
                id=row["gateway_transaction_id"],
                reference=_charge_of(order, row) if back else row["gateway_transaction_id"],
                order_id=row["order_id"],
                amount=Decimal(str(row["amount"])),
                currency=row["currency"],
                created=int(datetime.fromisoformat(row["date_created"]).timestamp()),
            )


def _charge_of(order: Order, refund: dict[str, Any]) -> str:
    """The provider's id of what a refund goes back to."""
    wanted = refund.get("reference_transaction_id")
    return next((str(t["gateway_transaction_id"]) for t in order.transactions if t["id"] == wanted), "")


def sales(shop: Shop, seen: set[str]) -> Iterator[Capture]:
    """Orders of the marketplace channel and their refunds, by the marketplace's own order number.

    The marketplace collects the tax from the buyer and keeps it for the state, so it is not in the amount.
    """
    for order in shop.orders.values():
        if order.channel_id != MARKETPLACE or not order.external_id:
            continue
        number = order.external_id
        if number not in seen:
            seen.add(number)
            yield _capture("charge", number, number, order, int(order.created.timestamp()), _sold(order))
        for row in order.refunds:
            name = f"{number}-R{row['id']}"
            if name in seen:
                continue
            seen.add(name)
            amount, tax = Decimal(str(row["total_amount"])), Decimal(str(row["total_tax"]))
            moment = int(datetime.fromisoformat(row["created"]).timestamp())
            back = [
                ("ItemPrice", "Principal", tax - amount, ""),
                ("ItemPrice", "Tax", -tax, ""),
                ("ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", tax, ""),
            ]
            yield _capture("refund", name, number, order, moment, back)


def _capture(kind: str, name: str, number: str, order: Order, moment: int, parts: list[Part]) -> Capture:
    kept = tuple(one for one in parts if one[2])
    amount = abs(sum((one[2] for one in kept), Decimal(0)))
    return Capture(kind, name, number, str(order.id), amount, order.currency, moment, kept)


def _sold(order: Order) -> list[Part]:
    """What the buyer paid, by component; discounts of all lines together."""
    tax = order.total.tax - order.shipping.tax
    parts = [
        *(("ItemPrice", "Principal", line.total.ex, line.sku) for line in order.lines),
        ("ItemPrice", "Tax", tax, ""),
        ("ItemPrice", "Shipping", order.shipping.ex, ""),
        ("ItemPrice", "ShippingTax", order.shipping.tax, ""),
    ]
    rest = order.total.inc - sum((one[2] for one in parts), Decimal(0))
    return [
        *parts,
        ("Promotion", "Principal", rest, ""),
        ("ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", -tax, ""),
        ("ItemWithheldTax", "MarketplaceFacilitatorTax-Shipping", -order.shipping.tax, ""),
    ]
