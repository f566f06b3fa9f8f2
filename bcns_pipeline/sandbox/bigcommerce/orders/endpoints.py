"""Reading orders: /v2/orders and what lies below.

Put reading endpoints of orders here. Do not put changes here (editing.py), nor shipments. There is no
endpoint that deletes or archives, because the pipeline must never need one.
"""

# ruff: noqa: ARG002 - a route hands the call to every handler, whether it looks at it or not.

from __future__ import annotations

from bcns_pipeline.sandbox.bigcommerce import v2
from bcns_pipeline.sandbox.bigcommerce.orders import lines as line_shapes
from bcns_pipeline.sandbox.bigcommerce.orders import shapes, statuses
from bcns_pipeline.sandbox.bigcommerce.orders.filters import chosen, in_order
from bcns_pipeline.sandbox.bigcommerce.orders.models import Order
from bcns_pipeline.sandbox.bigcommerce.routing import Route
from bcns_pipeline.sandbox.bigcommerce.shop import Shop
from bcns_pipeline.sandbox.web import Answer, Call, json_answer

SCOPE = "store_v2_orders"
INCLUDES = frozenset({shapes.CONSIGNMENTS, shapes.LINE_ITEMS, shapes.FEES})


def find(shop: Shop, order_id: str) -> Order:
    """The order of a path; raises `Refusal`."""
    order = shop.orders.get(int(order_id)) if order_id.isdigit() else None
    if order is None:
        raise v2.missing()
    return order


class Orders:
    """Endpoints over one shop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def routes(self) -> list[Route]:
        """What is answered where."""
        one = "/v2/orders/{order_id}"
        return [
            ("GET", "/v2/orders", "orders", self.orders, SCOPE),
            ("GET", "/v2/orders/count", "orders_count", self.count, SCOPE),
            ("GET", one, "order", self.order, SCOPE),
            ("GET", f"{one}/products", "order_products", self.products, SCOPE),
            ("GET", f"{one}/products/{{line_id}}", "order_product", self.product, SCOPE),
            ("GET", f"{one}/shipping_addresses", "order_addresses", self.addresses, SCOPE),
            ("GET", f"{one}/shippingaddresses", "order_addresses", self.addresses, SCOPE),
            ("GET", f"{one}/consignments", "order_consignments", self.consignments, SCOPE),
            ("GET", f"{one}/coupons", "order_coupons", self.coupons, SCOPE),
            ("GET", f"{one}/fees", "order_fees", self.fees, SCOPE),
            ("GET", f"{one}/taxes", "order_taxes", self.taxes, SCOPE),
            ("GET", "/v2/order_statuses", "order_statuses", self.statuses, SCOPE),
        ]

    def orders(self, call: Call) -> Answer:
        """GET /v2/orders."""
        shop, settings = self._shop, self._shop.settings
        clamp = settings.order_page_overflow == "clamp"
        asked = v2.window(call, settings.order_page_max, clamp=clamp)
        include, as_object = self._include(call)
        rows = in_order(call, chosen(call, shop.orders.values()))[asked.start : asked.end]
        ids = shop.currency_ids()
        shown = [shapes.rendered(order, shop.hash, ids, include, as_object) for order in rows]
        return v2.listing(settings, shown)

    def order(self, call: Call, order_id: str) -> Answer:
        """GET /v2/orders/{order_id}."""
        order = find(self._shop, order_id)
        include, as_object = self._include(call)
        return self.shown(order, include, as_object=as_object)

    def shown(self, order: Order, include: frozenset[str] = frozenset(), *, as_object: bool = True) -> Answer:
        """One order as an answer."""
        shop = self._shop
        body = shapes.rendered(order, shop.hash, shop.currency_ids(), include, as_object)
        return Answer(200, body.encode())

    def _include(self, call: Call) -> tuple[frozenset[str], bool]:
        wanted = frozenset(part for part in call.query.get("include", "").split(",") if part)
        if wanted - INCLUDES:
            raise v2.invalid("include")
        structure = call.query.get("consignment_structure")
        if structure not in (None, "object"):
            raise v2.invalid("consignment_structure")
        return wanted if self._shop.settings.side_loading else frozenset(), structure == "object"

    def count(self, call: Call) -> Answer:
        """GET /v2/orders/count: per status, and how many pass all filters."""
        found = chosen(call, self._shop.orders.values(), but=frozenset({"status_id"}))
        wanted = v2.integer(call, "status_id")
        by_status = dict.fromkeys(statuses.NAMES, 0)
        for order in found:
            by_status[order.status_id] += 1
        rows = []
        for status_id in sorted(statuses.NAMES, key=lambda one: statuses.PLACES[one]):
            row = statuses.row(status_id)
            row["sort_order"] = row.pop("order")
            rows.append({**row, "count": by_status[status_id]})
        total = len(found) if wanted is None else by_status.get(wanted, 0)
        return json_answer(200, {"statuses": rows, "count": total})

    def products(self, call: Call, order_id: str) -> Answer:
        """GET /v2/orders/{order_id}/products."""
        order = find(self._shop, order_id)
        rows = [line_shapes.product(order, line) for line in order.lines]
        return v2.sublist(call, self._shop.settings, rows)

    def product(self, call: Call, order_id: str, line_id: str) -> Answer:
        """GET /v2/orders/{order_id}/products/{line_id}."""
        order = find(self._shop, order_id)
        line = order.line(int(line_id)) if line_id.isdigit() else None
        if line is None:
            raise v2.missing()
        return json_answer(200, line_shapes.product(order, line))

    def addresses(self, call: Call, order_id: str) -> Answer:
        """GET /v2/orders/{order_id}/shipping_addresses."""
        order = find(self._shop, order_id)
        rows = [shapes.shipping_address(order, place) for place in order.addresses]
        return v2.sublist(call, self._shop.settings, rows)

    def consignments(self, call: Call, order_id: str) -> Answer:
        """GET /v2/orders/{order_id}/consignments."""
        order = find(self._shop, order_id)
        with_lines = call.query.get("include") == shapes.LINE_ITEMS
        return json_answer(200, shapes.consignments(order, self._shop.hash, with_lines=with_lines))

    def coupons(self, call: Call, order_id: str) -> Answer:
        """GET /v2/orders/{order_id}/coupons."""
        return v2.sublist(call, self._shop.settings, shapes.coupons(find(self._shop, order_id)))

    def fees(self, call: Call, order_id: str) -> Answer:
        """GET /v2/orders/{order_id}/fees: an object around the list, unlike its neighbours."""
        return json_answer(200, {"fees": shapes.fees(find(self._shop, order_id))})

    def taxes(self, call: Call, order_id: str) -> Answer:
        """GET /v2/orders/{order_id}/taxes."""
        details = call.query.get("details", "false").lower() == "true"
        rows = shapes.taxes(find(self._shop, order_id), details=details)
        return v2.sublist(call, self._shop.settings, rows)

    def statuses(self, call: Call) -> Answer:
        """GET /v2/order_statuses."""
        return json_answer(200, [statuses.row(status_id) for status_id in statuses.NAMES])
