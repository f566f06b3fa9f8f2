"""Changing an order: PUT /v2/orders/{order_id}, and what the control panel's editor does besides.

Put edits here. Do not put events or stock here (handling.py). Sources: facts/bigcommerce.md 3.1, 3.4, 3.11:
sub-resources are patched but `fees`, which are replaced as a whole; a line that is edited loses its
discounts; totals are computed anew; the merchant id of an upstream order is written once, at creation.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.bigcommerce import money, v2
from bcns_pipeline.sandbox.bigcommerce.orders import checkout, handling, statuses
from bcns_pipeline.sandbox.bigcommerce.orders.endpoints import SCOPE, Orders, find
from bcns_pipeline.sandbox.bigcommerce.orders.models import Discount, Fee, Line, Order
from bcns_pipeline.sandbox.bigcommerce.routing import Route
from bcns_pipeline.sandbox.bigcommerce.shop import Shop
from bcns_pipeline.sandbox.web import Answer, Call

TEXTS = {
    "staff_notes": 65_535,
    "customer_message": 65_535,
    "payment_method": 255,
    "external_order_id": 255,
    "external_source": 255,
}
READ_ONLY = frozenset(
    {"id", "date_modified", "date_shipped", "status", "cart_id", "payment_status", "external_merchant_id"}
    | {"store_credit_amount", "gift_certificate_amount", "coupon_discount", "currency_id", "currency_code"}
    | {"currency_exchange_rate", "default_currency_id", "default_currency_code", "external_id", "total_tax"}
    | {"subtotal_tax", "shipping_cost_tax", "handling_cost_tax", "wrapping_cost_tax", "tax_provider_id"}
    | {"shipping_address_count", "is_email_opt_in", "refunded_amount", "is_tax_inclusive_pricing", "coupons"}
)
NOT_DONE = frozenset(
    {"base_handling_cost", "base_shipping_cost", "base_wrapping_cost", "channel_id", "consignments"}
    | {"customer_id", "date_created", "order_source", "geoip_country", "geoip_country_iso2", "ip_address"}
    | {"handling_cost_ex_tax", "handling_cost_inc_tax", "ip_address_v6", "items_shipped", "items_total"}
    | {"order_is_digital", "payment_provider_id", "shipping_cost_ex_tax", "shipping_cost_inc_tax"}
    | {"subtotal_ex_tax", "subtotal_inc_tax", "customer_locale", "total_ex_tax", "total_inc_tax"}
    | {"wrapping_cost_ex_tax", "wrapping_cost_inc_tax", "ebay_order_id", "is_deleted", "shipping_addresses"}
)


class OrderEditing:
    """The endpoint that changes an order."""

    def __init__(self, shop: Shop, orders: Orders) -> None:
        self._shop = shop
        self._orders = orders

    def routes(self) -> list[Route]:
        """What is answered where."""
        return [("PUT", "/v2/orders/{order_id}", "order_put", self.put, SCOPE)]

    def put(self, call: Call, order_id: str) -> Answer:
        """PUT /v2/orders/{order_id}; a refused request changes nothing."""
        shop = self._shop
        order = find(shop, order_id)
        body = v2.body_of(call)
        edits = [self._edit(order, name, value) for name, value in body.items() if name != "status_id"]
        status_id = body.get("status_id", order.status_id)
        if type(status_id) is not int or status_id not in statuses.NAMES:
            raise v2.invalid("status_id")
        revived = order.status_id in statuses.HOLDS_NO_STOCK and status_id not in statuses.HOLDS_NO_STOCK
        if revived and (short := handling.shortage(shop, order)) is not None:
            raise v2.refuse(409, short)
        for edit in edits:
            edit()
        if not handling.set_status(shop, order, status_id):
            handling.changed(shop, order)
        return self._orders.shown(order)

    def _edit(self, order: Order, name: str, value: Any) -> Callable[[], None]:
        """Check one field and return what would change it."""
        if name in READ_ONLY:
            text = f"The field '{name}' cannot be written to. Please remove it from your request before trying again."
            raise v2.refuse(400, text)
        if name in NOT_DONE:
            raise v2.refuse(400, f"The sandbox does not change '{name}' of an order.")
        if name in TEXTS:
            value = "" if value is None and name == "external_order_id" else value
            if not isinstance(value, str) or len(value) > TEXTS[name]:
                raise v2.invalid(name)
            return lambda: setattr(order, name, value)
        if name == "billing_address":
            return _patched(order.billing, name, value)
        if name == "discount_amount":
            amount = _amount(value, name)
            return lambda: discount_by_hand(order, amount)
        if name == "fees":
            fees = _fees(self._shop, order, value)
            return lambda: replace_fees(order, fees)
        if name == "products":
            return self._products(order, value)
        raise v2.refuse(400, f"The field '{name}' is not supported by this resource.")

    def _products(self, order: Order, value: Any) -> Callable[[], None]:
        if not isinstance(value, list):
            raise v2.invalid("products")
        changes: list[tuple[Line, int, Decimal | None]] = []
        for raw in value:
            line = order.line(raw["id"]) if isinstance(raw, dict) and type(raw.get("id")) is int else None
            if line is None:
                raise v2.invalid("products", "the sandbox changes products that are on the order already")
            quantity = raw.get("quantity", line.quantity)
            if type(quantity) is not int or quantity < line.quantity_shipped:
                raise v2.invalid("products", "quantity")
            if line.item is not None and quantity > line.quantity:
                row = self._shop.store.items[line.item]
                free = row.on_hand[line.location] - row.safety_stock[line.location]
                if quantity - line.quantity > free:
                    raise v2.refuse(409, f"The shop has {free} more of {line.sku!r} to sell.")
            side = "price_inc_tax" if order.inclusive else "price_ex_tax"
            price = _amount(raw[side], side) if side in raw else None
            changes.append((line, quantity, price))

        def edit() -> None:
            for line, quantity, price in changes:
                change_line(self._shop, order, line, quantity=quantity, price=price)

        return edit


def change_line(
    shop: Shop, order: Order, line: Line, *, quantity: int, price: Decimal | None = None, keep: bool = False
) -> None:
    """Set a line's quantity and price, as the editor does: its discounts go unless `keep`, 0 removes it.

    Stock follows as the store is set up. The caller says `handling.changed`.
    """
    if price is not None:
        line.price = price
    line.no_discounts = line.no_discounts or not keep
    if shop.settings.edit_order_stock_adjustment:
        handling.give_back(shop, line, line.quantity - quantity)
    line.quantity = quantity
    if quantity == 0:
        order.lines.remove(line)
        if line.address_id and all(one.address_id != line.address_id for one in order.lines):
            order.addresses = [place for place in order.addresses if place.id != line.address_id]
    if order.status_id not in statuses.HOLDS_NO_STOCK and shop.settings.edit_order_stock_adjustment:
        handling.take_stock(shop, order)
    _recompute(order)


def discount_by_hand(order: Order, amount: Decimal) -> None:
    """Let the merchant's own discount be `amount`; promotions stay what they were."""
    order.discounts = [one for one in order.discounts if one.kind != "manual"]
    promotions = sum((one.total for one in order.discounts if one.kind == "promotion"), money.ZERO)
    if amount > promotions:
        order.discounts.append(Discount("manual", 2, amount - promotions, "Manual Discount"))
    _recompute(order)


def replace_fees(order: Order, fees: list[Fee]) -> None:
    """These are the order's fees now, and no others."""
    order.fees = fees
    _recompute(order)


def _recompute(order: Order) -> None:
    """An edit computes the total anew, whatever total the order was once made with."""
    order.override = None
    checkout.price(order)


def _fees(shop: Shop, order: Order, value: Any) -> list[Fee]:
    if not isinstance(value, list):
        raise v2.invalid("fees")
    rates = {fee.id: fee.rates for fee in order.fees}
    fees = []
    for raw in value:
        if not isinstance(raw, dict) or raw.get("type", "custom_fee") != "custom_fee":
            raise v2.invalid("fees")
        name = raw.get("display_name_merchant") or raw.get("display_name_customer")
        if not isinstance(name, str):
            raise v2.invalid("fees", "a display name is required")
        cost = _amount(raw.get("cost_ex_tax", raw.get("cost_inc_tax")), "fees")
        fee_id = raw["id"] if type(raw.get("id")) is int else shop.number("fee")
        fees.append(Fee(fee_id, name, cost, rates.get(fee_id, ()), source=str(raw.get("source", ""))))
    return fees


def _amount(raw: Any, name: str) -> Decimal:
    try:
        amount = money.amount(raw, name)
    except ValueError as fault:
        raise v2.invalid(name) from fault
    if amount < 0:
        raise v2.invalid(name, "it can't be negative")
    return amount


def _patched(address: dict[str, Any], name: str, value: Any) -> Callable[[], None]:
    if not isinstance(value, dict) or set(value) - set(address):
        raise v2.invalid(name)
    if any(not isinstance(one, str) for field, one in value.items() if field != "form_fields"):
        raise v2.invalid(name)
    return lambda: address.update(value)
