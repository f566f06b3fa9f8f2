"""BigCommerce as it answers HTTP: the store's REST API below /stores/{hash}.

Put routing, the token and scope check and the quota here. Do not put endpoints here. There is no verb that
deletes or archives anything, because the pipeline must never need one.
"""

# ruff: noqa: ARG002 - a route hands the call to every handler, whether it looks at it or not.

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from bcns_pipeline.sandbox.bigcommerce import errors
from bcns_pipeline.sandbox.bigcommerce.catalog import Catalog
from bcns_pipeline.sandbox.bigcommerce.customers.endpoints import Customers
from bcns_pipeline.sandbox.bigcommerce.customers.writing import CustomerWriting
from bcns_pipeline.sandbox.bigcommerce.hooks.courier import Courier
from bcns_pipeline.sandbox.bigcommerce.hooks.endpoints import Hooks
from bcns_pipeline.sandbox.bigcommerce.inventory import Inventory
from bcns_pipeline.sandbox.bigcommerce.metafields.endpoints import Metafields
from bcns_pipeline.sandbox.bigcommerce.orders.editing import OrderEditing
from bcns_pipeline.sandbox.bigcommerce.orders.endpoints import Orders
from bcns_pipeline.sandbox.bigcommerce.orders.refunds import Refunds
from bcns_pipeline.sandbox.bigcommerce.orders.shipments import Shipments
from bcns_pipeline.sandbox.bigcommerce.orders.transactions import Transactions
from bcns_pipeline.sandbox.bigcommerce.paging import Refusal
from bcns_pipeline.sandbox.bigcommerce.ratelimit import Quota
from bcns_pipeline.sandbox.bigcommerce.settings import from_pairs
from bcns_pipeline.sandbox.bigcommerce.shop import Shop
from bcns_pipeline.sandbox.bigcommerce.state import Store
from bcns_pipeline.sandbox.bigcommerce.store import StoreInformation
from bcns_pipeline.sandbox.clock import Clock
from bcns_pipeline.sandbox.faults import Fault
from bcns_pipeline.sandbox.options import Options
from bcns_pipeline.sandbox.web import Answer, Call, Routes

# Marks a 429 that a strained platform gives, which comes without the quota headers.
BARE = "bare"


class BigCommerce:
    """One store and one API account."""

    name = "bigcommerce"

    def __init__(self, options: Options, clock: Clock, store_hash: str) -> None:
        self.options = options
        self.clock = clock
        self.token = secrets.token_hex(20)
        self.client_id = secrets.token_hex(16)
        self.client_secret = secrets.token_hex(32)
        self.scopes = set(options.scopes)
        self.shop = Shop(store_hash, clock, self.client_id, from_pairs(options.shop))
        self.courier = Courier(self.shop, self.client_secret)
        self.quota = Quota(options.quota, options.quota_window_ms)
        self.routes = Routes()
        self.inventory = Inventory(lambda: self.store, options.adjustment_delay_ms)
        self.catalog = Catalog(lambda: self.store)
        self.information = StoreInformation(self.shop)
        orders = Orders(self.shop)
        items = "/v3/inventory/items"
        at_location = "/v3/inventory/locations/{location_id}/items"
        adjustments = "/v3/inventory/adjustments"
        self.add("GET", items, "inventory", self.inventory.items, "store_inventory")
        self.add("GET", at_location, "location_inventory", self.inventory.location_items, "store_inventory")
        self.add("PUT", at_location, "inventory_settings", self.inventory.settings, "store_inventory")
        self.add("PUT", f"{adjustments}/absolute", "absolute", self.inventory.absolute, "store_inventory")
        self.add("POST", f"{adjustments}/relative", "relative", self.inventory.relative, "store_inventory")
        products = "/v3/catalog/products"
        variants = f"{products}/{{product_id}}/variants"
        for path, name, handler, scope in (
            (products, "products", self.catalog.products, "store_v2_products"),
            (f"{products}/{{product_id}}", "product", self.catalog.product, "store_v2_products"),
            (variants, "product_variants", self.catalog.product_variants, "store_v2_products"),
            ("/v3/catalog/variants", "variants", self.catalog.variants, "store_v2_products"),
        ):
            self.add("GET", path, name, handler, scope)
        for part in (
            self.information,
            orders,
            OrderEditing(self.shop, orders),
            Transactions(self.shop),
            Customers(self.shop),
            CustomerWriting(self.shop),
            Shipments(self.shop),
            Refunds(self.shop),
            Metafields(self.shop),
            Hooks(self.courier),
        ):
            for route in part.routes():
                self.add(*route)

    def load(self, store: Store, options: Options) -> None:
        """Another merchant: no orders, no hooks, settings as at the start; credentials and limits stay."""
        self.options = options
        self.shop.settings.change(from_pairs(options.shop).show())
        self.shop.open(store)
        self.courier.forget()

    @property
    def store(self) -> Store:
        """The catalogue that is sold from."""
        return self.shop.store

    def add(
        self, method: str, path: str, name: str, handler: Callable[..., Answer], scope: str | None
    ) -> None:
        """Register an endpoint.

        `scope` is what changes need (`a|b`: either), and reads take its read-only form too.
        """

        v2 = path.startswith("/v2/")

        def guarded(call: Call, **names: Any) -> Answer:
            names.pop("store_hash")
            if scope is not None and not self._allowed(scope, method):
                return errors.v2_problem(403, errors.TITLES[403]) if v2 else errors.problem(403)
            try:
                return handler(call, **names)
            except Refusal as refusal:
                return refusal.answer

        self.routes.add(method, "/stores/{store_hash}" + path, name, guarded)

    def _allowed(self, scope: str, method: str) -> bool:
        return any(
            one in self.scopes or (method == "GET" and f"{one}_read_only" in self.scopes)
            for one in scope.split("|")
        )

    def enter(self, call: Call) -> Answer | None:
        """Check the token, then count the request."""
        if not call.path.startswith(f"/stores/{self.store.hash}/"):
            return errors.problem(404, "Store not found")
        if not secrets.compare_digest(call.headers.get("x-auth-token", "").encode(), self.token.encode()):
            return errors.problem(401)
        if not self.quota.take():
            return errors.problem(429)
        return None

    def leave(self, call: Call) -> None:
        """Nothing is held by a call."""

    def finish(self, call: Call, answer: Answer) -> Answer:
        """Every answer tells the quota, but for those that a strained platform gives."""
        if answer.content_type != BARE:
            answer.headers = (*answer.headers, *self.quota.headers())
        else:
            answer.content_type = errors.PROBLEM
        return answer

    def not_found(self, call: Call, allowed: list[str]) -> Answer:
        """No such path, or not with this method."""
        if allowed:
            return errors.problem(405, headers=(("Allow", ", ".join(sorted(set(allowed)))),))
        return errors.problem(404)

    def struck(self, fault: Fault) -> Answer:
        """How BigCommerce is unwell.

        A 429 with headers can come while quota is left (its own docs show one).
        """
        if fault.kind == "429_bare":
            answer = errors.problem(429)
            answer.content_type = BARE
            return answer
        if fault.kind == "429":
            return errors.problem(429, headers=(("X-Retry-After", str(max(round(fault.ms / 1000), 1))),))
        return errors.problem(fault.status)
