"""Refunds: money that went back, and the endpoints that tell of it.

Put the making and the reading of refunds here. Do not put endpoints that make them here: refunds are the
merchant's doing (shop_refunds.py reads what people want). Source: facts/bigcommerce.md 3.9 and
facts/finance.md 4.1: amounts are numbers, `requested_amount` is a number in lists and text alone, and a
payment can be declined after the refund was taken in.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from bcns_pipeline.sandbox.bigcommerce import v3
from bcns_pipeline.sandbox.bigcommerce.money import ZERO, half_up, minor, number
from bcns_pipeline.sandbox.bigcommerce.orders import handling, statuses
from bcns_pipeline.sandbox.bigcommerce.orders.models import Line, Order
from bcns_pipeline.sandbox.bigcommerce.orders.transactions import find, transaction
from bcns_pipeline.sandbox.bigcommerce.paging import integers, listing, window
from bcns_pipeline.sandbox.bigcommerce.routing import Route
from bcns_pipeline.sandbox.bigcommerce.shop import Shop
from bcns_pipeline.sandbox.web import Answer, Call, json_answer

SCOPE = "store_v2_orders|store_v2_transactions"
ItemType = Literal["PRODUCT", "GIFT_WRAPPING", "SHIPPING", "HANDLING", "ORDER", "FEE"]
METHODS = {"storecredit": "store_credit", "giftcertificate": "gift_certificate", "custom": "custom"}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is refunded, with what it comes to; `requested` where an amount was named."""

    type: ItemType
    id: int
    amount: Decimal
    tax: Decimal
    quantity: int | None = None
    requested: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """One way in which money goes back."""

    provider: str
    amount: Decimal
    offline: bool = False
    declined: bool = False


def of_line(order: Order, line: Line, quantity: int) -> Item:
    """Units of a line at what was paid for them.

    Units share the line's paid amount; the last takes what rounding left, so that all of them together are
    the whole.
    """
    unit = minor(order.currency)

    def until(units: int, whole: Decimal) -> Decimal:
        return whole if units >= line.quantity else half_up(whole * units / line.quantity, unit)

    first, last = line.quantity_refunded, line.quantity_refunded + quantity
    paid = until(last, line.discounted) - until(first, line.discounted)
    tax = until(last, line.total.tax) - until(first, line.total.tax)
    return Item("PRODUCT", line.id, paid, tax, quantity)


def refund(
    shop: Shop, order: Order, items: list[Item], payments: list[Payment], reason: str
) -> dict[str, Any]:
    """Refund items of an order; its status, its lines and, as the store is set up, its stock follow.

    `ValueError` for store credit of a guest, who has none (facts/finance.md 4.1).
    """
    if order.customer_id not in shop.customers.customers and any(
        one.provider == "storecredit" for one in payments
    ):
        raise ValueError("A guest gets no store credit.")
    row: dict[str, Any] = {
        "id": shop.number("refund"),
        "order_id": order.id,
        "user_id": 1,
        "created": shop.now().strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "reason": reason,
        "total_amount": number(sum((one.amount for one in items), ZERO)),
        "total_tax": number(sum((one.tax for one in items), ZERO)),
        "uses_merchant_override_values": False,
        "items": [_item(one) for one in items],
        "payments": [_payment(shop, order, one) for one in payments],
    }
    order.refunds.append(row)
    for item in items:
        line = order.line(item.id) if item.type == "PRODUCT" else None
        if line is not None and item.quantity:
            line.quantity_refunded += item.quantity
            if shop.settings.refund_order_stock_adjustment:
                handling.give_back(shop, line, item.quantity)
    handling.told(shop, order, "refund/created", {"refund": {"refund_id": row["id"]}})
    whole = refunded(order) >= order.total.inc
    if order.payment_status:
        order.payment_status = "refunded" if whole else "partially refunded"
    wanted = statuses.REFUNDED if whole else statuses.PARTIALLY_REFUNDED
    if not handling.set_status(shop, order, wanted):
        handling.changed(shop, order)
    return row


def decline(shop: Shop, refund_id: int, payment: int | None = None) -> dict[str, Any]:
    """The payment provider says no later: to all payments, or to the one in this place (from 1). Nobody is told.

    `ValueError` where there is no such refund.
    """
    for order in shop.orders.values():
        for row in order.refunds:
            if row["id"] == refund_id:
                for place, one in enumerate(row["payments"], 1):
                    if payment in (None, place):
                        one["is_declined"] = True
                        one["declined_message"] = "The payment provider declined the refund."
                order.rendered.clear()
                return row
    raise ValueError(f"There is no refund {refund_id}.")


def refunded(order: Order) -> Decimal:
    """What was refunded of an order, declined payments included."""
    return sum((Decimal(str(row["total_amount"])) for row in order.refunds), ZERO)


def _item(one: Item) -> dict[str, Any]:
    row: dict[str, Any] = {"item_type": one.type, "item_id": one.id, "reason": "", "adjustments": []}
    if one.quantity is not None:
        row["quantity"] = one.quantity
    if one.requested is not None:
        row["requested_amount"] = number(one.requested)
    return row


def _payment(shop: Shop, order: Order, one: Payment) -> dict[str, Any]:
    paid = next(
        (
            t
            for t in order.transactions
            if t["gateway"] == one.provider and t["event"] in ("purchase", "capture")
        ),
        None,
    )
    back = transaction(
        shop,
        order,
        one.amount,
        event="refund",
        method=METHODS.get(one.provider, paid["method"] if paid else "custom"),
        gateway=one.provider,
        status="error" if one.declined else "ok",
        reference=paid["id"] if paid else None,
        more=_stored_back(shop, order, one, paid),
    )
    handling.transaction_told(shop, order, back)
    return {
        "id": shop.number("refund_payment"),
        "provider_id": one.provider,
        "amount": number(one.amount),
        "offline": one.offline,
        "is_declined": one.declined,
        "declined_message": "The payment provider declined the refund." if one.declined else "",
        "transaction_id": str(back["id"]),
    }


def _stored_back(shop: Shop, order: Order, one: Payment, paid: dict[str, Any] | None) -> dict[str, Any]:
    """Stored value grows by what goes back as it: the certificate that paid, else a new one; or store credit."""
    if one.declined or one.provider not in ("storecredit", "giftcertificate"):
        return {}
    if one.provider == "storecredit":
        customer = shop.customers.customers[order.customer_id]
        customer.store_credit += one.amount
        return {"store_credit": {"remaining_balance": number(customer.store_credit)}}
    if paid is not None:
        certificate = shop.certificates.get(paid["gift_certificate"]["code"])
    else:
        certificate = shop.certificate(one.amount)
        certificate.balance = ZERO
    return {"gift_certificate": certificate.moved(one.amount)}


class Refunds:
    """Reading endpoints over one shop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def routes(self) -> list[Route]:
        """What is answered where."""
        whole = "/v3/orders/payment_actions/refunds"
        mine = "/v3/orders/{order_id}/payment_actions/refunds"
        return [
            ("GET", whole, "refunds", self.list, SCOPE),
            ("GET", f"{whole}/{{refund_id}}", "refund", self.one, SCOPE),
            ("GET", mine, "order_refunds", self.of_order, SCOPE),
        ]

    def _all(self) -> list[dict[str, Any]]:
        rows = [row for order in self._shop.orders.values() for row in order.refunds]
        return sorted(rows, key=lambda row: int(row["id"]))

    def list(self, call: Call) -> Answer:
        """GET /v3/orders/payment_actions/refunds, by refund id."""
        asked = window(call, v3.DEFAULT_LIMIT, v3.LIMIT)
        orders, ids = integers(call, "order_id:in"), integers(call, "id:in")
        created, wanted = v3.between(call, "created"), call.query.get("transaction_id")
        rows = [
            row
            for row in self._all()
            if (orders is None or row["order_id"] in orders)
            and (ids is None or row["id"] in ids)
            and created(v3.parsed(row["created"]))
            and (wanted is None or any(one["transaction_id"] == wanted for one in row["payments"]))
        ]
        shown = [json_answer(200, row).body.decode() for row in rows[asked.start : asked.end]]
        return listing(asked, shown, len(rows))

    def one(self, call: Call, refund_id: str) -> Answer:  # noqa: ARG002 - as routed
        """GET /v3/orders/payment_actions/refunds/{refund_id}."""
        found = next((row for row in self._all() if str(row["id"]) == refund_id), None)
        if found is None:
            raise v3.refuse(404)
        items = [
            {
                **one,
                "requested_amount": None if (asked := one.get("requested_amount")) is None else str(asked),
            }
            for one in found["items"]
        ]
        return json_answer(200, {"data": {**found, "items": items}, "meta": {}})

    def of_order(self, call: Call, order_id: str) -> Answer:  # noqa: ARG002 - as routed
        """GET /v3/orders/{order_id}/payment_actions/refunds."""
        return json_answer(200, {"data": find(self._shop, order_id).refunds, "meta": {}})
