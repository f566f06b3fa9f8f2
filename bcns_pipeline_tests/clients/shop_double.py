"""A small order list for the client tests: v2's filters, sorting, limits and shapes, behind `httpx.MockTransport`.

Put what `GET /v2/orders` and `GET /v3/customers` do here, with the choices that BigCommerce does not document as
attributes. It shares no code with the sandbox on purpose: a second, simpler double notices a mistake that the
sandbox and the client have in common.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx

from bcns_pipeline.clients.bigcommerce.client import BigCommerceClient
from bcns_pipeline_tests.clients.fakes import CountingMeter, FakeTime, OpenGate, client_of, timing

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
_FIELDS = {"date_modified": "modified", "date_created": "created", "id": "id"}


class OrderList:
    """Rows {id, modified, created} in memory.

    `low_inclusive` and `high_inclusive` are whether date bounds include their second, `cap` silently lowers
    `limit`, `descending` is what a bare sort field means, `honours_include` whether line items are embedded,
    `legacy` embeds the older shape. `before_answer(n)` is called ahead of the n-th answer and may change rows.
    """

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, Any]] = {}
        self.requests: list[httpx.Request] = []
        self.low_inclusive = True
        self.high_inclusive = True
        self.cap = 250
        self.descending = False
        self.honours_include = True
        self.legacy = False
        self.before_answer: Callable[[int], None] = lambda _n: None

    def add(self, id: int, modified: int = 0, created: int = 0, **more: Any) -> None:
        """One order, changed and placed so many seconds after START."""
        self.rows[id] = {"id": id, "modified": at(modified), "created": at(created), **more}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.requests.append(request)
        self.before_answer(len(self.requests))
        parts = request.url.path.removeprefix("/stores/abc").split("/")[2:]
        if parts[0] == "customers":
            return self._customers(request)
        if len(parts) == 1:
            found = self._some(request.url.params)
            return _list([self._order(row, request.url.params) for row in found])
        if parts[1] == "count":
            return httpx.Response(
                200, json={"count": len(self._filtered(request.url.params)), "statuses": []}
            )
        row = self.rows.get(int(parts[1]))
        if row is None:
            return httpx.Response(
                404, json=[{"status": 404, "message": "The requested resource was not found."}]
            )
        if len(parts) == 2:
            return httpx.Response(200, json=self._order(row, request.url.params))
        if parts[2] == "fees":
            return httpx.Response(200, json={"fees": row.get("fees", [])})
        return _list(row.get(parts[2], []))

    def _customers(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        renamed = {
            "min_date_modified": params.get("date_modified:min"),
            "max_date_modified": params.get("date_modified:max"),
        }
        asked = {
            **{name: value for name, value in renamed.items() if value},
            **{name: params[name] for name in ("sort", "page", "limit") if name in params},
        }
        rows = [
            {
                "id": row["id"],
                "date_modified": row["modified"].isoformat(),
                "address_count": 0,
                "addresses": [],
            }
            for row in self._some(asked)
        ]
        total = len(self._filtered(asked))
        page, limit = int(asked.get("page", 1)), min(int(asked.get("limit", 50)), self.cap)
        pagination = {
            "total": total, "count": len(rows), "current_page": page, "total_pages": max(1, -(-total // limit)),
        }  # fmt: skip
        return httpx.Response(200, json={"data": rows, "meta": {"pagination": pagination}})

    def _filtered(self, params: Any) -> list[dict[str, Any]]:
        rows = list(self.rows.values())
        for name, field in (("date_modified", "modified"), ("date_created", "created")):
            if low := params.get(f"min_{name}"):
                edge = _parse(low) - timedelta(seconds=self.low_inclusive)
                rows = [row for row in rows if row[field] > edge]
            if high := params.get(f"max_{name}"):
                edge = _parse(high) + timedelta(seconds=self.high_inclusive)
                rows = [row for row in rows if row[field] < edge]
        if low := params.get("min_id"):
            rows = [row for row in rows if row["id"] >= int(low)]
        if high := params.get("max_id"):
            rows = [row for row in rows if row["id"] <= int(high)]
        for name in ("status_id", "channel_id", "external_order_id"):
            if wanted := params.get(name):
                rows = [row for row in rows if str(row.get(name, "")) == wanted]
        return rows

    def _some(self, params: Any) -> list[dict[str, Any]]:
        field, _, direction = params.get("sort", "id:asc").partition(":")
        down = direction == "desc" or (not direction and self.descending)
        rows = sorted(self._filtered(params), key=lambda row: (row[_FIELDS[field]], row["id"]), reverse=down)
        limit, page = min(int(params.get("limit", 50)), self.cap), int(params.get("page", 1))
        return rows[(page - 1) * limit : page * limit]

    def _order(self, row: dict[str, Any], params: Any) -> dict[str, Any]:
        stub = {"url": "https://shop.test/x", "resource": f"/orders/{row['id']}/x"}
        lines: Any = stub
        if params.get("include") and self.honours_include:
            lines = {
                "pickups": [],
                "shipping": [
                    {"id": 900 + row["id"], "cost_inc_tax": 9.95, "line_items": row.get("products", [])}
                ],
                "downloads": [],
                "email": {"gift_certificates": []},
            }
            lines = [lines] if self.legacy else lines
        return {
            "id": row["id"],
            "status_id": row.get("status_id", 11),
            "date_modified": format_datetime(row["modified"]),
            "date_created": format_datetime(row["created"]),
            "total_inc_tax": row.get("total_inc_tax", "10.0000"),
            "default_currency_code": "USD",
            "consignments": lines,
            "fees": row.get("fees", []) if params.get("include") and self.honours_include else stub,
        }


def at(seconds: int) -> datetime:
    """So many seconds after START."""
    return START + timedelta(seconds=seconds)


def shop(server: Callable[[httpx.Request], httpx.Response]) -> BigCommerceClient:
    """A client of `server`."""
    gate = OpenGate()
    return BigCommerceClient(
        "https://shop.test", "abc", "store-token", gate=gate, meter=CountingMeter(), client=client_of(server),
        **timing(FakeTime(gate)),
    )  # fmt: skip


def _parse(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    assert found.tzinfo is not None, "a date without a zone means another one to the store"
    return found


def _list(rows: list[Any]) -> httpx.Response:
    """v2's lists: a bare array, and 204 instead of an empty one."""
    return httpx.Response(200, content=json.dumps(rows)) if rows else httpx.Response(204)
