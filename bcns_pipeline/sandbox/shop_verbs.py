"""The shop's verbs for whoever started a sandbox: methods of `launch.Control`.

Put one method per verb here. Do not import the doubles here: the starting process must not pay for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class ShopVerbs:
    """What shoppers and the merchant's people do in the shop; each raises `SandboxFailed` where it can't be."""

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Any verb; `launch.Control` sends it."""
        raise NotImplementedError

    def shop_order(self, kind: str = "plain", **order: Any) -> Any:
        """Place an order of a kind (see `shop_kinds`) and return its id, status, total, lines, addresses.

        lines: [{sku, quantity, price, tax_rate | taxes: [{name, rate, priority}], wrapping (price per unit),
        wrapping_message, kind: physical | digital | giftcertificate, to (number of the ship-to address),
        pickup, custom, name, event_name, event_date, children: [{sku, quantity}]}]; a line without SKU takes
        any ordinary product in stock. Who: guest, email, first_name, last_name, customer_id, channel_id,
        country, tax_exempt_category. Where to: billing (fields), ship_to: [fields], shipping: {method, cost,
        tax_rate, handling} or one per address. Off and on top: coupons: [{code, type 0..5, amount, skus}],
        promotions: [{name, type, amount, skus}], manual_discount, fees: [{name, cost, tax_rate}]. Money:
        currency, display_currency, inclusive, rounding, tax_rate | taxes (for every line and taxed shipping),
        override_by. Payment: payment (card, authorise, paypal, braintree, adyen, square, offline, purchase_order,
        test, declined, marketplace, manual, none), gift_certificate and store_credit (amount or "all"), certificate
        (code of one that there is), give_credit.
        Besides: status_id, created_at, location_id, restock (fill up what is short), order_source,
        external_id, customer_message, staff_notes.
        """
        return self.call("POST", "/shop/order", {"kind": kind, **order})

    def shop_orders(self, count: int, **orders: Any) -> list[int]:
        """Place many orders at once; returns their ids.

        returning (share from customer_ids and the shoppers of the others), within_seconds (spread of the
        checkouts before now), most_lines, restock, and every field of `shop_order`.
        """
        return list(self.call("POST", "/shop/orders", {"count": count, **orders})["ids"])

    def shop_kinds(self) -> dict[str, str]:
        """The awkward kinds of orders with what they are."""
        return dict(self.call("GET", "/shop/kinds"))

    def edit_order(self, order_id: int, **edit: Any) -> Any:
        """Edit an order in the control panel.

        lines: [{line_id | sku, quantity, price}] (edited lines lose their discounts unless keep_discounts),
        billing, ship_to ({address_id, fields}), shipping_method, discount_amount, staff_notes,
        customer_message, external_order_id, is_deleted.
        """
        return self.call("POST", "/shop/order/edit", {"order_id": order_id, **edit})

    def cancel_units(self, order_id: int, quantity: int = 1, **line: Any) -> Any:
        """Take units off a line (sku or line_id) by editing it."""
        return self.call(
            "POST", "/shop/order/cancel_units", {"order_id": order_id, "quantity": quantity, **line}
        )

    def order_status(self, order_id: int, status_id: int) -> Any:
        """Set an order's status by hand."""
        return self.call("POST", "/shop/order/status", {"order_id": order_id, "status_id": status_id})

    def pay_order(self, order_id: int, **payment: Any) -> Any:
        """Capture what was authorised, or note that awaited money has come; `amount` for a part."""
        return self.call("POST", "/shop/order/pay", {"order_id": order_id, **payment})

    def refund_order(self, order_id: int, **refund: Any) -> Any:
        """Refund an order and return the refund; nothing named: all that is left of it.

        lines: [{sku | line_id, quantity}], shipping (True), amount (of the order as a whole, without tax),
        reason, payments: [{provider, amount, offline, declined}] (else the way the money came), declined.
        """
        return self.call("POST", "/shop/order/refund", {"order_id": order_id, **refund})

    def decline_refund(self, refund_id: int, payment: int | None = None) -> Any:
        """The provider declines a refund that was taken in before: all of it, or the n-th payment (from 1)."""
        return self.call("POST", "/shop/order/refund/decline", {"refund_id": refund_id, "payment": payment})

    def shop_shipments(self) -> Sequence[Any]:
        """All shipments of the shop, with the number of e-mails that each sent."""
        found: Sequence[Any] = self.call("GET", "/state/bigcommerce/shipments")
        return found

    def shopper(self, **shopper: Any) -> Any:
        """Sign a shopper up, or with `id` change the account; returns it with its addresses.

        email, first_name, last_name, company, phone, notes, tax_exempt_category, customer_group_id,
        channel_id, store_credit, form_fields, address (fields; None for no address).
        """
        return self.call("POST", "/shop/shopper", shopper)

    def certificate(self, **certificate: Any) -> Any:
        """Make a gift certificate (amount), or change one by hand (code; balance, status); returns it with its code."""
        return self.call("POST", "/shop/certificate", certificate)

    def certificates(self) -> Sequence[Any]:
        """All gift certificates: code, original, balance, status."""
        found: Sequence[Any] = self.call("GET", "/state/bigcommerce/certificates")
        return found

    def shopper_address(self, **address: Any) -> Any:
        """Add an address to an account (customer_id), or with `id` change one; id None: it was there already."""
        return self.call("POST", "/shop/shopper/address", address)

    def hook_events(self, action: str, **how: Any) -> Any:
        """Disturb webhooks.

        duplicate (copies), delay (seconds), drop, reorder: the next `count` deliveries, of `scope` if given;
        reordered ones are held until there are that many, then go out backwards. repeat: `copies` of the
        last event, or of `event`. emit: an event without a cause (scope, data). forge: post a false event
        `count` times to a hook (hook_id, scope, data, signature: good, wrong, stale, none; headers: none,
        right, wrong). deactivate, inactive, activate: a hook (hook_id) or all of ours. clear: no more of it.
        """
        return self.call("POST", "/shop/hooks/events", {"action": action, **how})

    def deliveries(self, since: int = 0) -> Any:
        """Deliveries of webhooks (attempts with status or error), how many are pending, mails to the owner."""
        return self.call("GET", "/state/bigcommerce/deliveries", since=since)

    def shop_product(self, sku: str, **product: Any) -> Any:
        """A product born today: name, on_hand."""
        return self.call("POST", "/shop/product", {"sku": sku, **product})

    def shop_settings(self, **settings: Any) -> Any:
        """Change the shop's settings (bigcommerce/settings.py); returns all of them."""
        return self.call("POST", "/shop/settings", settings)

    def shop_state(self, *order_ids: int) -> Any:
        """Orders whole, with transactions, refunds and shipments."""
        query: Mapping[str, str] = {"id": ",".join(map(str, order_ids))} if order_ids else {}
        return self.call("GET", "/state/bigcommerce/orders", **query)

    def shoppers(self) -> Sequence[Any]:
        """All accounts with their addresses."""
        found: Sequence[Any] = self.call("GET", "/state/bigcommerce/customers")
        return found
