"""The shop's verbs of the control endpoint.

Put routes and the reading of bodies here. Do not put happenings here (shop_events.py). Each handler takes the
call and its JSON body and returns what is to be answered; what can't happen raises, and control.py words it.
"""

# ruff: noqa: ARG002 - a route hands the call to every handler, whether it looks at it or not.

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.certificates import Certificate
from bcns_pipeline.sandbox.bigcommerce.customers.book import Customer
from bcns_pipeline.sandbox.bigcommerce.orders import shapes
from bcns_pipeline.sandbox.bigcommerce.orders.refunds import decline
from bcns_pipeline.sandbox.shop_events import ShopEvents, summary
from bcns_pipeline.sandbox.shop_hooks import HookHand
from bcns_pipeline.sandbox.shop_kinds import KINDS
from bcns_pipeline.sandbox.web import Call

Verb = tuple[str, str, Callable[[Call, Any], Any]]


class ShopControl:
    """Verbs over one shop."""

    def __init__(self, events: ShopEvents, hooks: HookHand) -> None:
        self.shop = events.shop
        self.events = events
        self.hooks = hooks

    def verbs(self) -> list[Verb]:
        """What is answered where."""
        return [
            ("POST", "/shop/order", self._order),
            ("POST", "/shop/orders", self._orders),
            ("GET", "/shop/kinds", self._kinds),
            ("POST", "/shop/order/edit", self._edit),
            ("POST", "/shop/order/cancel_units", self._cancel_units),
            ("POST", "/shop/order/status", self._status),
            ("POST", "/shop/order/pay", self._pay),
            ("POST", "/shop/order/refund", self._refund),
            ("POST", "/shop/order/refund/decline", self._decline),
            ("POST", "/shop/shopper", self._shopper),
            ("POST", "/shop/shopper/address", self._shopper_address),
            ("POST", "/shop/certificate", self._certificate),
            ("POST", "/shop/product", self._product),
            ("POST", "/shop/settings", self._settings),
            ("GET", "/shop/settings", self._settings),
            ("GET", "/state/bigcommerce/orders", self._state_orders),
            ("POST", "/shop/hooks/events", self._hook_events),
            ("GET", "/state/bigcommerce/deliveries", self._state_deliveries),
            ("GET", "/state/bigcommerce/customers", self._state_customers),
            ("GET", "/state/bigcommerce/shipments", self._state_shipments),
            ("GET", "/state/bigcommerce/certificates", self._state_certificates),
        ]

    def _order(self, call: Call, body: Any) -> Any:
        return summary(self.events.order(body))

    def _orders(self, call: Call, body: Any) -> Any:
        placed = self.events.orders(body)
        return {"ids": [order.id for order in placed]}

    def _kinds(self, call: Call, body: Any) -> Any:
        return {name: doc for name, (doc, _) in KINDS.items()}

    def _edit(self, call: Call, body: Any) -> Any:
        return summary(self.events.edit(body))

    def _cancel_units(self, call: Call, body: Any) -> Any:
        return summary(self.events.cancel_units(body))

    def _status(self, call: Call, body: Any) -> Any:
        return summary(self.events.status(body))

    def _pay(self, call: Call, body: Any) -> Any:
        return summary(self.events.pay(body))

    def _refund(self, call: Call, body: Any) -> Any:
        return self.events.refund(body)

    def _decline(self, call: Call, body: Any) -> Any:
        return decline(self.shop, int(body["refund_id"]), body.get("payment"))

    def _shopper(self, call: Call, body: Any) -> Any:
        return customer_state(self.events.shoppers.shopper(body))

    def _shopper_address(self, call: Call, body: Any) -> Any:
        address = self.events.shoppers.address(body)
        return {"id": None if address is None else address.id}

    def _certificate(self, call: Call, body: Any) -> Any:
        return certificate_state(self.events.certificate(body))

    def _state_certificates(self, call: Call, body: Any) -> Any:
        return [certificate_state(one) for one in self.shop.certificates.by_code.values()]

    def _product(self, call: Call, body: Any) -> Any:
        return {"product_id": self.events.product(body)}

    def _hook_events(self, call: Call, body: Any) -> Any:
        return self.hooks.do(body)

    def _state_deliveries(self, call: Call, body: Any) -> Any:
        return self.hooks.deliveries(int(call.query.get("since", 0)))

    def _settings(self, call: Call, body: Any) -> Any:
        self.shop.settings.change(body)
        return self.shop.settings.show()

    def _state_orders(self, call: Call, body: Any) -> Any:
        """Orders whole: as the API shows them, with what was paid, refunded and shipped."""
        wanted = call.query.get("id")
        chosen = (
            self.shop.orders.values()
            if wanted is None
            else [order for one in wanted.split(",") if (order := self.shop.orders.get(int(one)))]
        )
        include = frozenset({shapes.LINE_ITEMS, shapes.FEES})
        ids = self.shop.currency_ids()
        return [
            {
                **json.loads(shapes.rendered(order, self.shop.hash, ids, include, True)),
                "transactions": order.transactions,
                "refunds": order.refunds,
                "shipments": order.shipments,
            }
            for order in chosen
        ]

    def _state_shipments(self, call: Call, body: Any) -> Any:
        """All shipments; `emails` is how often the shopper was written to about it."""
        return [
            {**row, "order_id": order.id} for order in self.shop.orders.values() for row in order.shipments
        ]

    def _state_customers(self, call: Call, body: Any) -> Any:
        return [customer_state(customer) for customer in self.shop.customers.customers.values()]


def certificate_state(one: Certificate) -> dict[str, Any]:
    """A gift certificate with its code, as the control panel shows it."""
    return {
        "code": one.code,
        "original": str(one.original),
        "balance": str(one.balance),
        "status": one.status,
    }


def customer_state(customer: Customer) -> dict[str, Any]:
    """An account with its addresses."""
    return {
        "id": customer.id,
        "email": customer.email,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "company": customer.company,
        "tax_exempt_category": customer.tax_exempt_category,
        "customer_group_id": customer.customer_group_id,
        "store_credit": str(customer.store_credit),
        "origin_channel_id": customer.origin_channel_id,
        "date_created": customer.created.isoformat(),
        "date_modified": customer.modified.isoformat(),
        "addresses": [{"id": one.id, "country": one.country, **one.values} for one in customer.addresses],
    }
