"""Shipments of an order: what left for one of its addresses.

Put the records, their endpoints and their rules here. Do not put the order's status here (handling.py).
Source: facts/bigcommerce.md 3.10. A shipment writes to the shopper when it is made and never again; it can be
changed but for its items; deleting one leaves the order's status as it is; there is no key that makes a repeated
POST harmless.
"""

from __future__ import annotations

import re
from typing import Any

from bcns_pipeline.sandbox.bigcommerce import v2
from bcns_pipeline.sandbox.bigcommerce.orders import handling, statuses
from bcns_pipeline.sandbox.bigcommerce.orders.endpoints import find
from bcns_pipeline.sandbox.bigcommerce.orders.models import PHYSICAL, Line, Order, ShipTo
from bcns_pipeline.sandbox.bigcommerce.orders.shapes import rfc2822
from bcns_pipeline.sandbox.bigcommerce.routing import Route
from bcns_pipeline.sandbox.bigcommerce.shop import Shop
from bcns_pipeline.sandbox.web import Answer, Call, json_answer

SCOPE = "store_v2_orders"
PROVIDERS = {
    "": "",
    "auspost": "Australia Post",
    "canadapost": "Canada Post",
    "endicia": "Endicia",
    "usps": "USPS",
    "fedex": "FedEx",
    "royalmail": "Royal Mail",
    "ups": "UPS",
    "upsready": "UPS Ready",
    "upsonline": "UPS Online",
    "shipperhq": "ShipperHQ",
}
LENGTHS = {
    "tracking_number": 50,
    "tracking_link": 500,
    "tracking_carrier": 100,
    "shipping_method": 255,
    "shipping_provider": 100,
    "merchant_shipping_cost": 30,
    "comments": 65_535,
}
CARRIER = re.compile(r"carrier_[A-Za-z0-9]+")
SLUG = re.compile(r"[a-z0-9-]*")
# What only the sandbox's own state shows.
PRIVATE = frozenset({"emails"})


class Shipments:
    """Endpoints over one shop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def routes(self) -> list[Route]:
        """What is answered where."""
        path = "/v2/orders/{order_id}/shipments"
        return [
            ("GET", path, "shipments", self.list, SCOPE),
            ("GET", f"{path}/count", "shipments_count", self.count, SCOPE),
            ("POST", path, "shipment_post", self.create, SCOPE),
            ("GET", f"{path}/{{shipment_id}}", "shipment", self.one, SCOPE),
            ("PUT", f"{path}/{{shipment_id}}", "shipment_put", self.update, SCOPE),
            ("DELETE", f"{path}/{{shipment_id}}", "shipment_delete", self.delete, SCOPE),
        ]

    def list(self, call: Call, order_id: str) -> Answer:
        """GET /v2/orders/{order_id}/shipments: 204 where there is none."""
        order = find(self._shop, order_id)
        return v2.sublist(call, self._shop.settings, [shown(order, row) for row in order.shipments])

    def count(self, call: Call, order_id: str) -> Answer:  # noqa: ARG002 - as routed
        """GET /v2/orders/{order_id}/shipments/count."""
        return json_answer(200, {"count": len(find(self._shop, order_id).shipments)})

    def one(self, call: Call, order_id: str, shipment_id: str) -> Answer:  # noqa: ARG002 - as routed
        """GET /v2/orders/{order_id}/shipments/{shipment_id}."""
        order = find(self._shop, order_id)
        return json_answer(200, shown(order, _find(order, shipment_id)))

    def create(self, call: Call, order_id: str) -> Answer:
        """POST /v2/orders/{order_id}/shipments."""
        shop, order, body = self._shop, find(self._shop, order_id), v2.body_of(call)
        values = _texts({k: v for k, v in body.items() if k not in ("order_address_id", "items")})
        place = order.address(body["order_address_id"]) if type(body.get("order_address_id")) is int else None
        if place is None:
            raise v2.invalid("order_address_id", "it is not an address of this order")
        items = _items(order, place, body.get("items"))
        row = {
            "id": shop.number("shipment"),
            "order_address_id": place.id,
            "date_created": rfc2822(shop.now()),
            **dict.fromkeys(LENGTHS, ""),
            "merchant_shipping_cost": "0.0000",
            **values,
            "items": [
                {"order_product_id": line.id, "product_id": line.product_id, "quantity": quantity}
                for line, quantity in items
            ],
            # The shopper is written to once; a change of the shipment sends nothing.
            "emails": 1,
        }
        for line, quantity in items:
            line.quantity_shipped += quantity
        order.shipments.append(row)
        shop.tell("shipment/created", _event(order, row), order.channel_id)
        wanted = handling.shipped_status(order)
        moves = shop.settings.auto_ship_status and order.status_id not in statuses.SETTLED
        if not (moves and handling.set_status(shop, order, wanted)):
            handling.changed(shop, order)
        return json_answer(201, shown(order, row))

    def update(self, call: Call, order_id: str, shipment_id: str) -> Answer:
        """PUT /v2/orders/{order_id}/shipments/{shipment_id}; its items stay what they are."""
        order = find(self._shop, order_id)
        row, body = _find(order, shipment_id), v2.body_of(call)
        if "items" in body:
            raise v2.invalid("items", "the items of a shipment can't be changed")
        if body.pop("order_address_id", row["order_address_id"]) != row["order_address_id"]:
            raise v2.invalid("order_address_id", "the sandbox leaves a shipment at its address")
        row.update(_texts(body))
        self._shop.tell("shipment/updated", _event(order, row), order.channel_id)
        handling.changed(self._shop, order)
        return json_answer(200, shown(order, row))

    def delete(self, call: Call, order_id: str, shipment_id: str) -> Answer:  # noqa: ARG002 - as routed
        """DELETE /v2/orders/{order_id}/shipments/{shipment_id}: its units are to be shipped again."""
        order = find(self._shop, order_id)
        row = _find(order, shipment_id)
        order.shipments.remove(row)
        for item in row["items"]:
            line = order.line(item["order_product_id"])
            if line is not None:
                line.quantity_shipped -= item["quantity"]
        self._shop.tell("shipment/deleted", _event(order, row), order.channel_id)
        handling.changed(self._shop, order)
        return Answer(204)


def _find(order: Order, shipment_id: str) -> dict[str, Any]:
    for row in order.shipments:
        if str(row["id"]) == shipment_id:
            return row
    raise v2.missing()


def _texts(body: dict[str, Any]) -> dict[str, str]:
    for name, value in body.items():
        if name not in LENGTHS:
            raise v2.refuse(400, f"The field '{name}' is not supported by this resource.")
        if not isinstance(value, str) or len(value) > LENGTHS[name]:
            raise v2.invalid(name)
    provider = body.get("shipping_provider", "")
    if provider not in PROVIDERS and CARRIER.fullmatch(provider) is None:
        raise v2.invalid("shipping_provider")
    if SLUG.fullmatch(body.get("tracking_carrier", "")) is None:
        raise v2.invalid("tracking_carrier")
    return body


def _items(order: Order, place: ShipTo, raw: Any) -> list[tuple[Line, int]]:
    """The lines and quantities of a new shipment; all of them go to its address, none above what is left."""
    if not isinstance(raw, list) or not raw:
        raise v2.invalid("items", "at least one item is required")
    quantities: dict[int, int] = {}
    for item in raw:
        number, quantity = (
            (item.get("order_product_id"), item.get("quantity")) if isinstance(item, dict) else (0, 0)
        )
        if type(number) is not int or type(quantity) is not int or quantity < 1:
            raise v2.invalid("items", "each has order_product_id and quantity")
        quantities[number] = quantities.get(number, 0) + quantity
    found = []
    for number, quantity in quantities.items():
        line = order.line(number)
        if line is None or line.kind != PHYSICAL or line.address_id != place.id:
            raise v2.invalid("items", f"product {number} does not go to this address")
        if quantity > line.unshipped:
            raise v2.invalid("items", f"{line.unshipped} of product {number} are left to ship")
        found.append((line, quantity))
    return found


def _event(order: Order, row: dict[str, Any]) -> dict[str, Any]:
    return {"type": "shipment", "id": row["id"], "orderId": order.id}


def shown(order: Order, row: dict[str, Any]) -> dict[str, Any]:
    """A shipment as the API shows it."""
    place = order.address(row["order_address_id"])
    fields = {k: v for k, v in order.billing.items() if k != "form_fields"}
    address = {} if place is None else {k: v for k, v in place.address.items() if k != "form_fields"}
    provider = row["shipping_provider"]
    return {
        **{name: value for name, value in row.items() if name not in PRIVATE},
        "order_id": order.id,
        "customer_id": order.customer_id,
        "billing_address": fields,
        "shipping_address": address,
        "shipping_provider_display_name": PROVIDERS.get(provider, provider),
        "generated_tracking_link": _link(row),
    }


def _link(row: dict[str, Any]) -> str:
    """The shop's own link to the carrier; none beside a link that was given."""
    number, carrier = row["tracking_number"], row["shipping_provider"] or row["tracking_carrier"]
    if row["tracking_link"] or not number or not carrier:
        return ""
    return f"https://track.example.com/{carrier}/{number}"
