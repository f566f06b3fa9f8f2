"""What we write onto an order: our reference, its status, and shipments. Nothing that touches money.

Put single writes here; whether and when they are sent is decided by the flows. Every method returns an Outcome
whose answer holds ids and states only: the store echoes the whole order, names and addresses included. Facts:
`facts/bigcommerce.md` 3.4, 3.7, 3.10, 3.11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bcns_pipeline.clients.bigcommerce.api import Subject
from bcns_pipeline.outcomes import Outcome

_ORDER: Final = ("id", "status_id", "external_order_id", "date_modified")
_SHIPMENT: Final = ("id", "order_id", "order_address_id", "date_created", "items")


class OrderWrites(Subject):
    """Writes to orders; part of `BigCommerceOrders`."""

    def put_reference(self, order_id: int, external_order_id: str) -> Outcome:
        """Set `external_order_id`, which the store can filter by. Safe to repeat."""
        return self._put(order_id, {"external_order_id": external_order_id})

    def put_status(self, order_id: int, status_id: int) -> Outcome:
        """Move an order to another status. Safe to repeat; the store may e-mail the shopper."""
        return self._put(order_id, {"status_id": status_id})

    def create_shipment(self, order_id: int, body: Mapping[str, Any]) -> Outcome:
        """One shipment to one ship-to address; Sent has its id. The store e-mails the shopper.

        Required: `order_address_id`, `items` [{order_product_id, quantity}]. There is no key that would stop a
        second one: after an Ambiguous, look through `shipments` before anything is sent again.
        """
        path, operation = f"/v2/orders/{order_id}/shipments", "POST /v2/orders/{id}/shipments"
        return self._api.write("POST", path, dict(body), operation, _SHIPMENT)

    def update_shipment(self, order_id: int, shipment_id: int, body: Mapping[str, Any]) -> Outcome:
        """Change tracking, carrier or comments; items can't be changed. Safe to repeat, sends no e-mail."""
        path = f"/v2/orders/{order_id}/shipments/{shipment_id}"
        return self._api.write("PUT", path, dict(body), "PUT /v2/orders/{id}/shipments/{id}", _SHIPMENT)

    def _put(self, order_id: int, body: Mapping[str, Any]) -> Outcome:
        return self._api.write("PUT", f"/v2/orders/{order_id}", dict(body), "PUT /v2/orders/{id}", _ORDER)
