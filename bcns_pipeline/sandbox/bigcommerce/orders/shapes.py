"""An order as /v2/orders shows it.

Put the JSON of orders and of their parts here. Do not put filters, arithmetic or changes here. Sources:
facts/bigcommerce.md 3.2 to 3.6 and the order file of the store's own OpenAPI set: amounts are text with 4
decimals, those of a consignment are numbers, dates are RFC 2822 in UTC. What the live API gives as null
although the file forbids it (`order_product_id` of shipping tax) is left out.
"""

from __future__ import annotations

import json
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.money import ZERO, number, text
from bcns_pipeline.sandbox.bigcommerce.orders import lines as line_shapes
from bcns_pipeline.sandbox.bigcommerce.orders.models import (
    DIGITAL,
    GIFT_CERTIFICATE,
    PERCENT,
    PHYSICAL,
    Cost,
    Line,
    Order,
    ShipTo,
)
from bcns_pipeline.sandbox.bigcommerce.orders.statuses import NAMES

ROOT = "https://api.bigcommerce.com/stores/{hash}/v2"
CONSIGNMENTS, LINE_ITEMS, FEES = "consignments", "consignments.line_items", "fees"


def rfc2822(moment: datetime | None) -> str:
    """A date as v2 writes it; empty where there is none."""
    return "" if moment is None else format_datetime(moment)


def rendered(
    order: Order, store_hash: str, currency_ids: dict[str, int], include: frozenset[str], as_object: bool
) -> str:
    """The order's JSON; kept until the order changes."""
    key = f"{','.join(sorted(include))}|{as_object}"
    found = order.rendered.get(key)
    if found is None:
        body = header(order, store_hash, currency_ids)
        if include & {CONSIGNMENTS, LINE_ITEMS}:
            whole = consignments(order, store_hash, with_lines=LINE_ITEMS in include)
            body["consignments"] = whole if as_object else [whole]
        if FEES in include:
            body["fees"] = fees(order)
        found = order.rendered[key] = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return found


def header(order: Order, store_hash: str, currency_ids: dict[str, int]) -> dict[str, Any]:
    """The order without its parts, which are stubs with their addresses."""

    def stub(name: str) -> dict[str, str]:
        path = f"/orders/{order.id}/{name}"
        return {"url": ROOT.format(hash=store_hash) + path, "resource": path}

    display = order.display_currency or order.currency
    shippable = [line for line in order.lines if line.kind == PHYSICAL]
    return {
        "id": order.id,
        "customer_id": order.customer_id,
        "date_created": rfc2822(order.created),
        "date_modified": rfc2822(order.modified),
        "date_shipped": rfc2822(order.shipped_at),
        "status_id": order.status_id,
        "status": NAMES[order.status_id],
        "subtotal_ex_tax": text(order.subtotal.ex),
        "subtotal_inc_tax": text(order.subtotal.inc),
        "subtotal_tax": text(order.subtotal.tax),
        **_cost("shipping_cost", order.shipping, 2),
        **_cost("handling_cost", order.handling, 2),
        **_cost("wrapping_cost", order.wrapping, 3),
        "total_ex_tax": text(order.total.ex),
        "total_inc_tax": text(order.total.inc),
        "total_tax": text(order.total.tax),
        "is_tax_inclusive_pricing": order.inclusive,
        "items_total": sum(line.quantity for line in order.lines),
        "items_shipped": sum(line.quantity_shipped for line in order.lines),
        "payment_method": order.payment_method,
        "payment_provider_id": order.payment_provider_id,
        "payment_status": order.payment_status,
        "refunded_amount": text(ZERO),
        "order_is_digital": bool(order.lines) and all(line.kind == DIGITAL for line in order.lines),
        "store_credit_amount": text(order.store_credit),
        "gift_certificate_amount": text(order.gift_certificate),
        "ip_address": order.ip_address,
        "ip_address_v6": "",
        "geoip_country": order.billing.get("country", ""),
        "geoip_country_iso2": order.billing.get("country_iso2", ""),
        "currency_id": currency_ids.get(display, 1),
        "currency_code": display,
        "currency_exchange_rate": f"{order.display_rate:.10f}",
        "default_currency_id": currency_ids.get(order.currency, 1),
        "default_currency_code": order.currency,
        "staff_notes": order.staff_notes,
        "customer_message": order.customer_message,
        "discount_amount": text(order.discount_amount),
        "coupon_discount": text(order.coupon_discount),
        "shipping_address_count": len(order.addresses) if shippable else 0,
        "is_deleted": order.is_deleted,
        "ebay_order_id": "0",
        "cart_id": order.cart_id,
        "billing_address": order.billing,
        "is_email_opt_in": False,
        "order_source": order.order_source,
        "channel_id": order.channel_id,
        "external_source": order.external_source,
        "consignments": stub("consignments"),
        "products": stub("products"),
        "shipping_addresses": stub("shippingaddresses"),
        "coupons": stub("coupons"),
        "fees": stub("fees"),
        "external_id": order.external_id,
        "external_merchant_id": order.external_merchant_id,
        "tax_provider_id": order.tax_provider_id,
        "store_default_currency_code": order.store_currency,
        "store_default_to_transactional_exchange_rate": f"{order.rate:.10f}",
        "custom_status": NAMES[order.status_id],
        "customer_locale": order.locale,
        "external_order_id": order.external_order_id,
    }


def _cost(name: str, cost: Cost, tax_class: int) -> dict[str, Any]:
    return {
        f"base_{name}": text(cost.base),
        f"{name}_ex_tax": text(cost.ex),
        f"{name}_inc_tax": text(cost.inc),
        f"{name}_tax": text(cost.tax),
        f"{name}_tax_class_id": tax_class,
    }


def consignments(order: Order, store_hash: str, *, with_lines: bool) -> dict[str, Any]:
    """Where everything goes: collected, shipped, downloaded, or sent by e-mail."""

    def shown(chosen: list[Line]) -> list[dict[str, Any]]:
        if with_lines:
            return [line_shapes.product(order, line) for line in chosen]
        paths = [f"/orders/{order.id}/products/{line.id}" for line in chosen]
        return [{"url": ROOT.format(hash=store_hash) + path, "resource": path} for path in paths]

    digital = [line for line in order.lines if line.kind == DIGITAL]
    gifts = [line for line in order.lines if line.kind == GIFT_CERTIFICATE]
    email = str(order.billing.get("email", ""))
    return {
        "pickups": [
            {
                "id": pickup.id,
                "pickup_method_id": 1,
                "pickup_method_display_name": "Pick up in store",
                "collection_instructions": "Bring your ID",
                "collection_time_description": "9am - 6pm",
                "location": {
                    "id": pickup.location_id,
                    "name": pickup.name,
                    "code": f"BC-LOCATION-{pickup.location_id}",
                    "address_line_1": f"{pickup.location_id} Loopback Street",
                    "address_line_2": "",
                    "city": "Austin",
                    "state": "Texas",
                    "postal_code": "78701",
                    "country_alpha2": "US",
                    "email": "warehouse@example.com",
                    "phone": "",
                },
                "line_items": shown([line for line in order.lines if line.pickup_id == pickup.id]),
            }
            for pickup in order.pickups
        ],
        "shipping": [
            _shipping(order, place, shown([line for line in order.lines if line.address_id == place.id]))
            for place in order.addresses
        ],
        "downloads": [{"recipient_email": email, "line_items": shown(digital)}] if digital else [],
        "email": {
            "gift_certificates": [
                {"recipient_email": line.recipient_email or email, "line_items": shown([line])}
                for line in gifts
            ]
        },
    }


def _shipping(order: Order, place: ShipTo, items: list[dict[str, Any]]) -> dict[str, Any]:
    path = f"/orders/{order.id}/consignments/shipping/{place.id}/shipping_quotes"
    return {
        "id": place.id,
        **place.address,
        "shipping_method": place.method,
        "line_items": items,
        **_counts(order, place),
        "base_cost": number(place.shipping.base),
        "cost_ex_tax": number(place.shipping.ex),
        "cost_inc_tax": number(place.shipping.inc),
        "cost_tax": number(place.shipping.tax),
        "cost_tax_class_id": 2,
        "base_handling_cost": number(place.handled.base),
        "handling_cost_ex_tax": number(place.handled.ex),
        "handling_cost_inc_tax": number(place.handled.inc),
        "handling_cost_tax": number(place.handled.tax),
        "handling_cost_tax_class_id": 2,
        "shipping_zone_id": place.zone_id,
        "shipping_zone_name": place.zone_name,
        "shipping_quotes": {"url": f"https://api.bigcommerce.com/v2{path}", "resource": path},
    }


def _counts(order: Order, place: ShipTo) -> dict[str, int]:
    lines = [line for line in order.lines if line.address_id == place.id]
    return {
        "items_total": sum(line.quantity for line in lines),
        "items_shipped": sum(line.quantity_shipped for line in lines),
    }


def shipping_address(order: Order, place: ShipTo) -> dict[str, Any]:
    """A row of /orders/{id}/shipping_addresses; here, costs are text."""
    path = f"/orders/{order.id}/shipping_addresses/{place.id}/shipping_quotes"
    return {
        "id": place.id,
        "order_id": order.id,
        **place.address,
        **_counts(order, place),
        "base_cost": text(place.shipping.base),
        "cost_ex_tax": text(place.shipping.ex),
        "cost_inc_tax": text(place.shipping.inc),
        "cost_tax": text(place.shipping.tax),
        "cost_tax_class_id": 2,
        "base_handling_cost": text(place.handled.base),
        "handling_cost_ex_tax": text(place.handled.ex),
        "handling_cost_inc_tax": text(place.handled.inc),
        "handling_cost_tax": text(place.handled.tax),
        "handling_cost_tax_class_id": 2,
        "shipping_zone_id": place.zone_id,
        "shipping_zone_name": place.zone_name,
        "shipping_method": place.method,
        "shipping_quotes": {"url": f"https://api.bigcommerce.com/v2{path}", "resource": path},
    }


def fees(order: Order) -> list[dict[str, Any]]:
    """The order's fees."""
    return [
        {
            "id": fee.id,
            "type": "custom_fee",
            "display_name_customer": fee.name,
            "display_name_merchant": fee.name,
            "source": fee.source,
            "base_cost": text(fee.priced.base),
            "cost_ex_tax": text(fee.priced.ex),
            "cost_inc_tax": text(fee.priced.inc),
            "cost_tax": text(fee.priced.tax),
            "tax_class_id": fee.tax_class_id,
        }
        for fee in order.fees
    ]


def coupons(order: Order) -> list[dict[str, Any]]:
    """Rows of /orders/{id}/coupons; promotions that need no code are not among them."""
    return [
        {
            "id": place,
            "coupon_id": discount.id,
            "order_id": order.id,
            "code": discount.code,
            "amount": number(discount.amount) if discount.type == PERCENT else text(discount.amount),
            "type": discount.type,
            "discount": number(discount.total),
        }
        for place, discount in enumerate(order.discounts, 1)
        if discount.kind == "coupon"
    ]


def taxes(order: Order, *, details: bool) -> list[dict[str, Any]]:
    """Rows of /orders/{id}/taxes: one per part of the order and rate, or summed up per address and rate."""
    rows: list[dict[str, Any]] = []
    summed: dict[tuple[int, str], dict[str, Any]] = {}
    amounts = {}
    for tax in order.taxes:
        key = (tax.address_id, tax.rate.id)
        found = None if details else summed.get(key)
        if found is None:
            found = {
                "id": order.id * 100 + len(rows) + 1,
                "order_id": order.id,
                "order_address_id": tax.address_id,
                "tax_rate_id": 1,
                "sales_tax_id": tax.rate.id,
                "tax_class_id": 0,
                "name": tax.rate.name,
                "class": order.tax_class,
                "rate": text(tax.rate.percent),
                "priority": tax.rate.priority,
                "order_pickup_method_id": 0,
            }
            if details and tax.kind:
                found["line_item_type"] = tax.kind
            if details and tax.line_id is not None:
                found["order_product_id"] = str(tax.line_id)
            rows.append(found)
            summed[key] = found
            amounts[found["id"]] = ZERO
        amounts[found["id"]] += tax.amount
    for found in rows:
        found["priority_amount"] = found["line_amount"] = text(amounts[found["id"]])
    return rows
