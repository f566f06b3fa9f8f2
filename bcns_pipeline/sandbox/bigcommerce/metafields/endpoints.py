"""The endpoints of orders' metafields, and their rules.

Put reading and writing of metafields here. Do not put the records here (book.py). Source:
facts/bigcommerce.md 3.11: unique per namespace, key and order (one app works with this store), 250 an order;
a batch that fails in part answers 422 with what was done and why the rest was not, by order (or by metafield
where it was to be changed). There is no endpoint that deletes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bcns_pipeline.sandbox.bigcommerce import errors, v3
from bcns_pipeline.sandbox.bigcommerce.metafields.book import Metafield
from bcns_pipeline.sandbox.bigcommerce.orders.models import Order
from bcns_pipeline.sandbox.bigcommerce.orders.transactions import find
from bcns_pipeline.sandbox.bigcommerce.paging import texts
from bcns_pipeline.sandbox.bigcommerce.routing import Route
from bcns_pipeline.sandbox.bigcommerce.shop import Shop
from bcns_pipeline.sandbox.web import Answer, Call, json_answer

SCOPE = "store_v2_orders"
AN_ORDER = 250
PERMISSIONS = ("app_only", "read", "write", "read_and_sf_access", "write_and_sf_access")
LENGTHS = {"namespace": (1, 64), "key": (1, 64), "value": (1, 65_535), "description": (0, 255)}
REQUIRED = ("permission_set", "namespace", "key", "value")
KNOWN = frozenset(
    {"page", "limit", "after", "before", "key", "key:in", "namespace", "namespace:in", "direction"}
    | {"include_fields", "date_created", "date_created:min", "date_created:max"}
    | {"date_modified", "date_modified:min", "date_modified:max"}
)


class Unfit(Exception):
    """One metafield that can't be written: its status and why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Metafields:
    """Endpoints over one shop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def routes(self) -> list[Route]:
        """What is answered where."""
        whole, mine = "/v3/orders/metafields", "/v3/orders/{order_id}/metafields"
        return [
            ("GET", whole, "metafields", self.list, SCOPE),
            ("POST", whole, "metafields_post", self.create_many, SCOPE),
            ("PUT", whole, "metafields_put", self.update_many, SCOPE),
            ("GET", mine, "order_metafields", self.list, SCOPE),
            ("POST", mine, "order_metafield_post", self.create, SCOPE),
            ("GET", f"{mine}/{{field_id}}", "order_metafield", self.one, SCOPE),
            ("PUT", f"{mine}/{{field_id}}", "order_metafield_put", self.update, SCOPE),
        ]

    # -- reading ---------------------------------------------------------------------------------------------

    def list(self, call: Call, order_id: str | None = None) -> Answer:
        """GET /v3/orders/metafields, and those of one order."""
        if unknown := sorted(set(call.query) - KNOWN):
            raise v3.refuse(422, f"The sandbox does not filter metafields by {unknown[0]}")
        book = self._shop.metafields
        if order_id is None:
            rows = list(book.fields.values())
        else:
            rows = book.orders.get(find(self._shop, order_id).id, [])
        for name in ("key", "namespace"):
            wanted = texts(call, f"{name}:in")
            if name in call.query:
                wanted = [call.query[name]]
            if wanted is not None:
                rows = [one for one in rows if one.values[name] in wanted]
        created, modified = v3.between(call, "date_created"), v3.between(call, "date_modified")
        rows = [one for one in rows if created(one.created) and modified(one.modified)]
        down = call.query.get("direction") == "desc"
        return v3.collection(call, rows, self._shown, lambda one: (0, one.id), down=down)

    def one(self, call: Call, order_id: str, field_id: str) -> Answer:  # noqa: ARG002 - as routed
        """GET /v3/orders/{order_id}/metafields/{metafield_id}."""
        return json_answer(200, {"data": self._shown(self._of(order_id, field_id)), "meta": {}})

    def _of(self, order_id: str, field_id: str) -> Metafield:
        order = find(self._shop, order_id)
        found = self._shop.metafields.fields.get(int(field_id)) if field_id.isdigit() else None
        if found is None or found.order_id != order.id:
            raise v3.refuse(404)
        return found

    def _shown(self, one: Metafield) -> dict[str, Any]:
        return {
            "id": one.id,
            **one.values,
            "resource_type": "order",
            "resource_id": one.order_id,
            "date_created": v3.iso(one.created),
            "date_modified": v3.iso(one.modified),
            "owner_client_id": self._shop.client_id,
        }

    # -- writing ---------------------------------------------------------------------------------------------

    def create(self, call: Call, order_id: str) -> Answer:
        """POST /v3/orders/{order_id}/metafields."""
        order = find(self._shop, order_id)
        return self._single(call, lambda raw: self._create(order, raw))

    def update(self, call: Call, order_id: str, field_id: str) -> Answer:
        """PUT /v3/orders/{order_id}/metafields/{metafield_id}."""
        one = self._of(order_id, field_id)
        return self._single(call, lambda raw: self._update(one, raw))

    def _single(self, call: Call, write: Callable[[dict[str, Any]], Metafield]) -> Answer:
        try:
            raw = call.json()
        except ValueError as fault:
            raise v3.refuse(400, "Input is invalid") from fault
        if not isinstance(raw, dict):
            raise v3.refuse(422, "The request body must be an object")
        try:
            return json_answer(200, {"data": self._shown(write(raw)), "meta": {}})
        except Unfit as fault:
            raise v3.refuse(fault.status, str(fault), {"metafield": str(fault)}) from fault

    def create_many(self, call: Call) -> Answer:
        """POST /v3/orders/metafields."""

        def create(raw: dict[str, Any]) -> Metafield:
            order = self._shop.orders.get(raw.get("resource_id", 0))
            if order is None:
                raise Unfit(422, "The order does not exist")
            return self._create(order, {k: v for k, v in raw.items() if k != "resource_id"})

        return self._batch(call, "resource_id", create)

    def update_many(self, call: Call) -> Answer:
        """PUT /v3/orders/metafields."""

        def update(raw: dict[str, Any]) -> Metafield:
            one = self._shop.metafields.fields.get(raw.get("id", 0))
            if one is None:
                raise Unfit(422, "Metafield does not exist")
            return self._update(one, {k: v for k, v in raw.items() if k != "id"})

        return self._batch(call, "id", update)

    def _batch(self, call: Call, key: str, write: Callable[[dict[str, Any]], Metafield]) -> Answer:
        settings = self._shop.settings
        if not settings.metafield_batches:
            raise v3.refuse(404)
        rows = v3.array(call, settings.metafield_batch_max)
        done, failed = [], []
        for raw in rows:
            try:
                done.append(self._shown(write(raw)))
            except Unfit as fault:
                about = {str(raw.get(key)): str(fault)}
                title = "Conflict" if fault.status == 409 else "Unprocessable Entity"
                failed.append({"status": fault.status, "title": title, "type": errors.TYPE, "errors": about})
        meta = {"total": len(rows), "success": len(done), "failed": len(failed)}
        return json_answer(422 if failed else 200, {"data": done, "errors": failed, "meta": meta})

    def _create(self, order: Order, raw: dict[str, Any]) -> Metafield:
        book = self._shop.metafields
        values = _fitted(raw, REQUIRED)
        if (order.id, values["namespace"], values["key"]) in book.places:
            raise Unfit(409, "A metafield with this namespace and key exists already")
        if len(book.orders.get(order.id, ())) >= AN_ORDER:
            raise Unfit(422, f"An order has at most {AN_ORDER} metafields")
        now = self._shop.now()
        one = Metafield(self._shop.number("metafield"), order.id, {"description": "", **values}, now, now)
        book.add(one)
        self._told(one, "created")
        return one

    def _update(self, one: Metafield, raw: dict[str, Any]) -> Metafield:
        book = self._shop.metafields
        values = {**one.values, **_fitted(raw, ())}
        place = (one.order_id, values["namespace"], values["key"])
        if book.places.get(place, one.id) != one.id:
            raise Unfit(409, "A metafield with this namespace and key exists already")
        del book.places[one.place]
        one.values = values
        book.places[place] = one.id
        one.modified = self._shop.now()
        self._told(one, "updated")
        return one

    def _told(self, one: Metafield, what: str) -> None:
        data = {
            "metafield_id": one.id,
            "resource_id": str(one.order_id),
            "namespace": one.values["namespace"],
            "type": "metafield",
        }
        self._shop.tell(f"order/metafield/{what}", data, self._shop.orders[one.order_id].channel_id)


def _fitted(raw: dict[str, Any], required: tuple[str, ...]) -> dict[str, str]:
    for name in required:
        if name not in raw:
            raise Unfit(422, f"{name} is required")
    for name, value in raw.items():
        if name == "permission_set":
            if value not in PERMISSIONS:
                raise Unfit(422, f"permission_set is one of {', '.join(PERMISSIONS)}")
            continue
        least, most = LENGTHS.get(name, (1, 0))
        if not isinstance(value, str) or not least <= len(value) <= most:
            raise Unfit(422, f"{name} is not valid")
    return dict(raw)
