"""How an order was paid: the transactions of its payment.

Put the records and their endpoint here. Do not put refunds here. Source: facts/bigcommerce.md 3.8: `order_id`
is text, `amount` a number, and there is no list across orders; an order that nobody paid for through the shop
answers 204.
"""

# ruff: noqa: ARG002 - a route hands the call to every handler, whether it looks at it or not.

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.bigcommerce import v3
from bcns_pipeline.sandbox.bigcommerce.money import ZERO, number
from bcns_pipeline.sandbox.bigcommerce.orders.models import Order
from bcns_pipeline.sandbox.bigcommerce.routing import Route
from bcns_pipeline.sandbox.bigcommerce.shop import Shop
from bcns_pipeline.sandbox.web import Answer, Call, json_answer

CARD = {"card_type": "visa", "card_iin": "411111", "card_last4": "1111", "card_expiry_month": 12}
IDS = {"stripe": "ch", "braintree": "bt", "adyen": "psp", "testgateway": "test"}
REFUND_IDS = {**IDS, "stripe": "re"}


def find(shop: Shop, order_id: str) -> Order:
    """The order of a v3 path; raises `Refusal`."""
    order = shop.orders.get(int(order_id)) if order_id.isdigit() else None
    if order is None:
        raise v3.refuse(404)
    return order


def transaction(
    shop: Shop,
    order: Order,
    amount: Decimal,
    *,
    event: str = "purchase",
    method: str = "credit_card",
    gateway: str = "stripe",
    status: str = "ok",
    test: bool = False,
    reference: int | None = None,
    more: dict[str, Any] | None = None,
    at: datetime | None = None,
) -> dict[str, Any]:
    """Enter one transaction on the order, of this moment or `at`, and return it; nobody is told yet."""
    transaction_id = shop.number("transaction")
    ids = REFUND_IDS if event == "refund" else IDS
    stored = gateway in ("giftcertificate", "storecredit")
    row: dict[str, Any] = {
        "id": transaction_id,
        "order_id": str(order.id),
        "event": event,
        "method": method,
        "amount": number(amount),
        "currency": order.currency,
        "gateway": gateway,
        "gateway_transaction_id": ""
        if stored
        else gateway_id(ids.get(gateway, gateway), shop.hash, transaction_id),
        "date_created": (at or shop.now()).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "test": test,
        "status": status,
        "fraud_review": False,
        "avs_result": {"code": "", "message": "", "street_match": "", "postal_match": ""},
        "cvv_result": {"code": "", "message": ""},
        "gift_certificate": None,
        "store_credit": None,
        "offline": None,
        "custom": None,
        "payment_method_id": f"{gateway}.{'card' if method == 'credit_card' else method}",
        "payment_instrument_token": None,
    }
    if method == "credit_card":
        row["credit_card"] = {**CARD, "card_expiry_year": shop.now().year + 3}
    if reference is not None:
        row["reference_transaction_id"] = reference
    row.update(more or {})
    order.transactions.append(row)
    order.rendered.clear()
    return row


def gateway_id(prefix: str, store_hash: str, transaction_id: int) -> str:
    """The id that the payment provider gave it; the same sandbox always gives the same.

    Square's names the payment and the order at Square, joined by a pipe (facts/finance.md 1.1).
    """
    digest = hashlib.sha256(f"{store_hash}/{transaction_id}".encode()).hexdigest()[:24]
    if prefix == "squarev2":
        return f"{prefix}_{digest[:12]}|{digest[12:]}"
    return f"{prefix}_{digest}"


def authorisation(order: Order) -> dict[str, Any] | None:
    """The open authorisation of an order."""
    done = {
        t.get("reference_transaction_id") for t in order.transactions if t["event"] in ("capture", "void")
    }
    return next(
        (
            t
            for t in order.transactions
            if t["event"] == "authorization" and t["status"] == "ok" and t["id"] not in done
        ),
        None,
    )


def received(order: Order) -> Decimal:
    """Money and stored value that came in, without what is only authorised, declined or a test."""
    rows = [t for t in order.transactions if t["status"] == "ok" and not t["test"]]
    return sum((Decimal(str(t["amount"])) for t in rows if t["event"] in ("purchase", "capture")), ZERO)


class Transactions:
    """The endpoint over one shop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def routes(self) -> list[Route]:
        """What is answered where."""
        path = "/v3/orders/{order_id}/transactions"
        return [("GET", path, "transactions", self.list, "store_v2_transactions")]

    def list(self, call: Call, order_id: str) -> Answer:
        """GET /v3/orders/{order_id}/transactions."""
        rows = find(self._shop, order_id).transactions
        if not rows:
            return Answer(204)
        count = len(rows)
        pages = {
            "total": count,
            "count": count,
            "per_page": 250,
            "current_page": 1,
            "total_pages": 1,
            "links": {"current": "?page=1&limit=250"},
        }
        return json_answer(200, {"data": rows, "meta": {"pagination": pages}})
