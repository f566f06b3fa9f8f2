"""Parts of an order that no list of orders includes: one call each, for the orders that need them.

Put reads of an order's sub-resources here, all as read with exact decimals. Facts: `facts/bigcommerce.md` 3.5
to 3.10.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from bcns_pipeline.clients.bigcommerce import documents
from bcns_pipeline.clients.bigcommerce.api import MAX_ROWS, Document, Subject, joined
from bcns_pipeline.clients.http.body import decode_exact

_REFUNDS = "/v3/orders/payment_actions/refunds"


class OrderDetails(Subject):
    """Sub-resources of orders; part of `BigCommerceOrders`."""

    def lines(self, order_id: int) -> list[Document]:
        """Order products, as `page` includes them by consignment."""
        return self._part(order_id, "products")

    def shipping_addresses(self, order_id: int) -> list[Document]:
        """Ship-to addresses with their costs; the id is a line's `order_address_id`."""
        return self._part(order_id, "shipping_addresses")

    def fees(self, order_id: int) -> list[Document]:
        """Fees, as `page` includes them."""
        operation = "GET /v2/orders/{id}/fees"
        return self._api.get(f"/v2/orders/{order_id}/fees", {}, _fees, [], operation=operation)

    def coupons(self, order_id: int) -> list[Document]:
        """Coupons with code, type (0 to 5) and discount."""
        return self._part(order_id, "coupons")

    def taxes(self, order_id: int) -> list[Document]:
        """Tax by rate and by what it was charged on (`details=true`: line, shipping, handling, wrapping)."""
        return self._part(order_id, "taxes", details="true")

    def shipments(self, order_id: int) -> list[Document]:
        """Shipments of an order; none is [] (204)."""
        return self._part(order_id, "shipments")

    def transactions(self, order_id: int) -> list[Document]:
        """Payment transactions (v3): amounts are Decimal, `order_id` is text; none is [] (204).

        Raises Rejected INCOMPLETE where the store says that it has more than it gave.
        """
        operation = "GET /v3/orders/{id}/transactions"
        return self._api.unpaged_v3(f"/v3/orders/{order_id}/transactions", operation)

    def refunds(
        self,
        *,
        ids: Sequence[int] | None = None,
        order_ids: Sequence[int] | None = None,
        created_min: datetime | None = None,
        created_max: datetime | None = None,
        limit: int = MAX_ROWS,
    ) -> list[Document]:
        """Refunds over all orders by ascending id, filtered as given; amounts are Decimal.

        The greatest `limit` is not documented: a store that takes less says in its meta what it took, which the
        walk obeys. Many `ids` or `order_ids` are asked for in pieces; at most one of the two may be given.
        """
        if ids is not None and order_ids is not None:
            raise ValueError("refunds are asked for by their ids or by those of orders")
        found: list[Document] = []
        for some in _pieces(ids if ids is not None else order_ids):
            params: dict[str, Any] = {
                "id:in" if ids is not None else "order_id:in": joined(some),
                "created:min": documents.stamp(created_min),
                "created:max": documents.stamp(created_max),
            }
            found += self._api.rows(_REFUNDS, dict, limit=limit, **params)
        return sorted(found, key=lambda row: int(row["id"]))

    def _part(self, order_id: int, part: str, **params: str) -> list[Document]:
        operation = f"GET /v2/orders/{{id}}/{part}"
        return self._api.rows_v2(f"/v2/orders/{order_id}/{part}", params, operation)


def _fees(body: bytes) -> list[Document]:
    """Unlike all other parts these come in an object, {"fees": […]}; a bare list is taken as well."""
    value = decode_exact(body)
    rows = value["fees"] if isinstance(value, dict) else value
    if not isinstance(rows, list):
        raise TypeError("no list of fees")
    return rows


def _pieces(order_ids: Sequence[int] | None) -> Iterator[Sequence[int] | None]:
    """One question without a filter, or one per hundred ids: an address may not grow without bound."""
    if order_ids is None:
        yield None
        return
    wanted = sorted(set(order_ids))
    for start in range(0, len(wanted), 100):
        yield wanted[start : start + 100]
