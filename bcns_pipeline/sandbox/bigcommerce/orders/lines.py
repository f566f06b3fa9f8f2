"""A product of an order as the API shows it, alone or inside its consignment.

Put the JSON of one line here. Do not put the order around it here. Source: facts/bigcommerce.md 3.5.
"""

from __future__ import annotations

from typing import Any

from bcns_pipeline.sandbox.bigcommerce.money import ZERO, text
from bcns_pipeline.sandbox.bigcommerce.orders.models import PHYSICAL, Line, Order

_NOTHING = text(ZERO)


def product(order: Order, line: Line) -> dict[str, Any]:
    """A row of /orders/{id}/products; a custom product has no `variant_id`."""
    weight = "1.0000" if line.kind == PHYSICAL else _NOTHING
    size = _NOTHING
    row: dict[str, Any] = {
        "id": line.id,
        "order_id": order.id,
        "product_id": line.product_id,
        "order_pickup_method_id": line.pickup_id,
        "order_address_id": line.address_id,
        "name": line.name,
        "name_customer": line.name,
        "name_merchant": line.name,
        "sku": line.sku,
        "upc": "",
        "type": line.kind,
        "base_price": text(line.price),
        "price_ex_tax": text(line.unit.ex),
        "price_inc_tax": text(line.unit.inc),
        "price_tax": text(line.unit.tax),
        "base_total": text(line.total.base),
        "total_ex_tax": text(line.total.ex),
        "total_inc_tax": text(line.total.inc),
        "total_tax": text(line.total.tax),
        "weight": weight,
        "width": size,
        "height": size,
        "depth": size,
        "quantity": line.quantity,
        "base_cost_price": _NOTHING,
        "cost_price_inc_tax": _NOTHING,
        "cost_price_ex_tax": _NOTHING,
        "cost_price_tax": _NOTHING,
        "is_refunded": line.quantity_refunded >= line.quantity > 0,
        "quantity_refunded": line.quantity_refunded,
        "refund_amount": _NOTHING,
        "return_id": 0,
        "wrapping_id": 0 if line.wrap_price is None else 1,
        "wrapping_name": "" if line.wrap_price is None else "Gift wrap",
        "base_wrapping_cost": text(line.wrapping.base),
        "wrapping_cost_ex_tax": text(line.wrapping.ex),
        "wrapping_cost_inc_tax": text(line.wrapping.inc),
        "wrapping_cost_tax": text(line.wrapping.tax),
        "wrapping_message": line.wrap_message,
        "quantity_shipped": line.quantity_shipped,
        "event_name": line.event_name,
        "event_date": line.event_date,
        "fixed_shipping_cost": _NOTHING,
        "ebay_item_id": "",
        "ebay_transaction_id": "",
        "option_set_id": None,
        "parent_order_product_id": line.parent_id,
        "is_bundled_product": line.bundled,
        "bin_picking_number": "",
        "external_id": line.external_id,
        "brand": "",
        "applied_discounts": [
            {
                "id": one.id,
                "amount": text(one.amount),
                "name": one.name,
                "code": one.code,
                "target": one.target,
            }
            for one in line.discounts
        ],
        "product_options": [_option(line)] if line.label else [],
        "configurable_fields": [],
        "gift_certificate_id": line.gift_certificate_id,
        "discounted_total_inc_tax": text(line.discounted),
    }
    if line.product_id:
        row["variant_id"] = line.variant_id
    return row


def _option(line: Line) -> dict[str, Any]:
    return {
        "id": line.id,
        "option_id": line.product_id + 500_000,
        "order_product_id": line.id,
        "product_option_id": line.product_id + 600_000,
        "display_name": "Size",
        "display_name_customer": "Size",
        "display_name_merchant": "Size",
        "display_value": line.label,
        "display_value_customer": line.label,
        "display_value_merchant": line.label,
        "value": str(line.variant_id + 200_000),
        "type": "Multiple choice",
        "name": "Size",
        "display_style": "Rectangle",
    }
