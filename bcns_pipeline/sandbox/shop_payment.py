"""How a shopper pays: stored value first, then one of the payment methods.

Put payment of a placed order here. Do not put carts here. A method leaves the order its payment fields, its
transactions and, where it decides that, its status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.money import ZERO, amount, number
from bcns_pipeline.sandbox.bigcommerce.orders import statuses
from bcns_pipeline.sandbox.bigcommerce.orders.models import DIGITAL, GIFT_CERTIFICATE, Order
from bcns_pipeline.sandbox.bigcommerce.orders.transactions import transaction
from bcns_pipeline.sandbox.bigcommerce.shop import Shop
from bcns_pipeline.sandbox.shop_cart import BadCart


@dataclass(frozen=True, slots=True)
class Method:
    """What a payment method does. No `event`: the shop itself receives no money."""

    name: str
    payment_status: str
    event: str = ""
    method: str = "credit_card"
    gateway: str = "stripe"
    status_id: int = statuses.AWAITING_FULFILLMENT
    ok: bool = True
    test: bool = False


METHODS = {
    "card": Method("Credit Card", "captured", "purchase"),
    "authorise": Method("Credit Card", "authorized", "authorization"),
    "paypal": Method("PayPal", "captured", "purchase", "electronic_wallet", "paypalexpress"),
    "braintree": Method("Credit Card", "captured", "purchase", gateway="braintree"),
    "adyen": Method("Credit Card", "captured", "purchase", gateway="adyen"),
    "square": Method("Credit Card", "captured", "purchase", gateway="squarev2"),
    "offline": Method(
        "Bank Deposit", "pending", "pending", "offline", "bankdeposit", statuses.AWAITING_PAYMENT
    ),
    "purchase_order": Method("Purchase Order", "pending", "pending", "offline", "custom"),
    "test": Method("Test Payment Gateway", "captured", "purchase", gateway="testgateway", test=True),
    "declined": Method("Credit Card", "declined", "purchase", status_id=statuses.DECLINED, ok=False),
    "marketplace": Method("Amazon", "paid"),
    "manual": Method("Manual", ""),
    "none": Method("", "", status_id=statuses.INCOMPLETE),
}


def pay(shop: Shop, order: Order, body: Mapping[str, Any]) -> None:
    """Pay the priced order.

    `gift_certificate` and `store_credit` are amounts, or `all` for as much as is due; what is left goes to
    the method that `payment` names.
    """
    name = str(body.get("payment", "card"))
    if name not in METHODS:
        raise BadCart(f"There is no payment {name!r}; there are {', '.join(METHODS)}.")
    method = METHODS[name]
    due = order.total.inc
    due -= _gift_certificate(shop, order, body, due)
    due -= _store_credit(shop, order, body, due)
    order.payment_method, order.payment_status = method.name, method.payment_status
    if order.total.inc and not due:
        order.payment_method = "Gift Certificate" if order.gift_certificate else "Store Credit"
        order.payment_status = "paid"
    elif due and method.event:
        row = transaction(
            shop,
            order,
            due,
            event=method.event,
            method=method.method,
            gateway=method.gateway,
            status="ok" if method.ok else "error",
            test=method.test,
            at=order.created,
            more={"offline": {"display_name": method.name}} if method.method == "offline" else None,
        )
        if method.method != "offline":
            order.payment_provider_id = row["gateway_transaction_id"]
    order.status_id = int(body.get("status_id", _status(order, method)))
    if order.status_id not in statuses.NAMES:
        raise BadCart(f"There is no order status {order.status_id}.")


def _status(order: Order, method: Method) -> int:
    """Nothing is left to do for an order that was downloaded or e-mailed and paid."""
    sent = all(line.kind in (DIGITAL, GIFT_CERTIFICATE) for line in order.lines)
    if sent and method.status_id == statuses.AWAITING_FULFILLMENT:
        return statuses.COMPLETED
    return method.status_id


def _wanted(body: Mapping[str, Any], name: str, due: Decimal) -> Decimal:
    raw = body.get(name, 0)
    return due if raw == "all" else min(amount(raw, name), due)


def _gift_certificate(shop: Shop, order: Order, body: Mapping[str, Any], due: Decimal) -> Decimal:
    used = _wanted(body, "gift_certificate", due)
    if used:
        # Every certificate was sold for a little more than this order takes of it.
        balance = used + 10
        order.gift_certificate = used
        certificate = {
            "code": f"GIFT-{order.id:06d}",
            "original_balance": number(balance),
            "starting_balance": number(balance),
            "remaining_balance": number(balance - used),
            "status": "active",
        }
        more = {"gift_certificate": certificate}
        transaction(
            shop,
            order,
            used,
            method="gift_certificate",
            gateway="giftcertificate",
            more=more,
            at=order.created,
        )
    return used


def _store_credit(shop: Shop, order: Order, body: Mapping[str, Any], due: Decimal) -> Decimal:
    used = _wanted(body, "store_credit", due)
    if not used:
        return ZERO
    customer = shop.customers.customers.get(order.customer_id)
    if customer is None:
        raise BadCart("A guest has no store credit.")
    if customer.store_credit < used:
        raise BadCart(f"The shopper has {customer.store_credit} of store credit and can't use {used}.")
    customer.store_credit -= used
    order.store_credit = used
    more = {"store_credit": {"remaining_balance": number(customer.store_credit)}}
    transaction(
        shop,
        order,
        used,
        method="store_credit",
        gateway="storecredit",
        more=more,
        at=order.created,
    )
    return used
