"""How a shopper pays: stored value first, then one of the payment methods.

Put payment of a placed order here. Do not put carts here. A method leaves the order its payment fields, its
transactions and, where it decides that, its status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.money import amount, number
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

    `gift_certificate` and `store_credit` are amounts, or `all` for as much as is due (and as a certificate has);
    `certificate` is the code of one that there is. What is left goes to the method that `payment` names.
    """
    name = str(body.get("payment", "card"))
    if name not in METHODS:
        raise BadCart(f"There is no payment {name!r}; there are {', '.join(METHODS)}.")
    method = METHODS[name]
    due = order.total.inc
    due -= _stored_value(shop, order, body, due)
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


def _certificate(shop: Shop, body: Mapping[str, Any], due: Decimal) -> tuple[Decimal, str]:
    """What a gift certificate pays, and the code of the one that `certificate` names; "" for a new one."""
    used, code = _wanted(body, "gift_certificate", due), str(body.get("certificate", ""))
    if used and code:
        if body["gift_certificate"] == "all":
            used = min(used, shop.certificates.get(code).balance)
        shop.certificates.usable(code, used)
    return used, code


def _credit(shop: Shop, order: Order, body: Mapping[str, Any], due: Decimal) -> Decimal:
    """What the shopper's store credit pays."""
    used = _wanted(body, "store_credit", due)
    customer = shop.customers.customers.get(order.customer_id)
    if used and customer is None:
        raise BadCart("A guest has no store credit.")
    if customer is not None and customer.store_credit < used:
        raise BadCart(f"The shopper has {customer.store_credit} of store credit and can't use {used}.")
    return used


def _stored_value(shop: Shop, order: Order, body: Mapping[str, Any], due: Decimal) -> Decimal:
    """Pay with a certificate and with store credit; nothing moves where either can't."""
    by_certificate, code = _certificate(shop, body, due)
    by_credit = _credit(shop, order, body, due - by_certificate)
    order.gift_certificate, order.store_credit = by_certificate, by_credit
    if by_certificate:
        # A new certificate was sold for a little more than this order takes of it.
        one = shop.certificates.get(code) if code else shop.certificate(by_certificate + 10)
        transaction(
            shop,
            order,
            by_certificate,
            method="gift_certificate",
            gateway="giftcertificate",
            more={"gift_certificate": one.moved(-by_certificate)},
            at=order.created,
        )
    if by_credit:
        customer = shop.customers.customers[order.customer_id]
        customer.store_credit -= by_credit
        transaction(
            shop,
            order,
            by_credit,
            method="store_credit",
            gateway="storecredit",
            more={"store_credit": {"remaining_balance": number(customer.store_credit)}},
            at=order.created,
        )
    return by_certificate + by_credit
