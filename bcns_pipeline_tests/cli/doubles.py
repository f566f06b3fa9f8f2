"""Two healthy accounts behind `httpx.MockTransport`, of which a test changes one answer.

Put answers here that several tests need. Do not put assertions here. What the sandbox can be told to be
(scopes, hidden tables, faults) is tested against the sandbox; these doubles are for accounts that it can't
be.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

Answer = Any | Callable[[httpx.Request], Any]

SHOP: Mapping[str, Answer] = {
    "/v2/time": lambda _: {"time": int(time.time())},
    "/v2/store": {
        "id": "abc123",
        "name": "Test Trading",
        "status": "live",
        "plan_name": "Pro",
        "currency": "USD",
        "timezone": {"name": "America/New_York"},
        "default_channel_id": 1,
    },
    "/v2/currencies": [
        {"id": 1, "currency_code": "USD", "is_default": True, "enabled": True, "decimal_places": 2}
    ],
    "/v3/channels": [
        {"id": 1, "name": "Web", "type": "storefront", "platform": "bigcommerce", "status": "active"}
    ],
    "/v3/settings/inventory": {
        "data": {"update_stock_behavior": "order_placed", "refund_order_stock_adjustment": False}
    },
    "/v3/hooks": [],
    "/v3/inventory/locations": [
        {
            "id": 1,
            "code": "A",
            "label": "Main",
            "enabled": True,
            "managed_by_external_source": True,
            "is_default": True,
        }
    ],
    "/v3/inventory/items": [
        {
            "identity": {"sku": "A-1", "variant_id": 11, "product_id": 10},
            "locations": [
                {"location_id": 1, "total_inventory_onhand": 5, "available_to_sell": 5, "settings": {}}
            ],
        }
    ],
    "/v3/catalog/variants": [{"id": 11, "product_id": 10, "sku": "A-1"}],
}


def stocked(sku: str, safety_stock: int, location: int = 1) -> dict[str, Any]:
    """One row of `/v3/inventory/items` that holds stock back."""
    place = {"location_id": location, "total_inventory_onhand": 9, "settings": {"safety_stock": safety_stock}}
    return {"identity": {"sku": sku, "variant_id": 1, "product_id": 1}, "locations": [place]}


def shop(
    changes: Mapping[str, Answer] | None = None, headers: Mapping[str, str] | None = None
) -> httpx.Client:
    """A BigCommerce store. `changes` by path replace answers: a list is a v3 page, an int a status."""
    answers = {**SHOP, **(changes or {})}

    def answer(request: httpx.Request) -> httpx.Response:
        path = re.sub(r"^/stores/[^/]+", "", request.url.path)
        found = answers[path]
        value = found(request) if callable(found) else found
        if isinstance(value, int):
            return httpx.Response(
                value, json={"status": value, "title": f"refused with {value}"}, headers=headers
            )
        if isinstance(value, list) and path.startswith("/v3"):
            total = {"total_pages": 1, "total": len(value), "current_page": 1}
            value = {"data": value, "meta": {"pagination": total}}
        return httpx.Response(200, json=value, headers=headers)

    return httpx.Client(transport=httpx.MockTransport(answer))


# The first pattern that is found in a query gives its rows; a text is NetSuite's refusal.
ROWS: Mapping[str, Any] = {
    "SYSDATE": lambda: [{"now": (datetime.now(UTC) - timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")}],
    r"MIN\(i\.id\)": [{"low": "7", "high": "9"}],
    r"name, isinactive, makeinventoryavailable FROM location": [
        {"id": "1", "name": "Austin", "isinactive": "F", "makeinventoryavailable": "T"}
    ],
    r"GROUP BY a\.location": [{"location_id": "1", "n": "3"}],
    r"safetystocklevel": [{"n": "0"}],
    r"symbol": [{"id": "1", "symbol": "USD", "isinactive": "F"}],
    r"subsidiary FROM location": "Unknown identifier 'subsidiary'. Available identifiers are: {location}",
    r"FETCH FIRST": [{"id": "1"}],
}


def books(
    rows: Mapping[str, Any] | None = None,
    paths: Mapping[str, Callable[[httpx.Request], httpx.Response]] | None = None,
) -> httpx.Client:
    """A NetSuite account. `rows` by pattern come before ROWS, `paths` by the end of the path before both."""
    own = rows or {}
    known = {**own, **{pattern: value for pattern, value in ROWS.items() if pattern not in own}}

    def query(request: httpx.Request) -> httpx.Response:
        text = json.loads(request.content)["q"]
        found = next(value for pattern, value in known.items() if re.search(pattern, text))
        value = found() if callable(found) else found
        if isinstance(value, str):
            return refusal(400, "INVALID_PARAMETER", value)
        return httpx.Response(
            200, json={"items": value, "hasMore": False, "count": len(value), "totalResults": len(value)}
        )

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        for ending, special in (paths or {}).items():
            if path.endswith(ending):
                return special(request)
        if path.endswith("/token"):
            return httpx.Response(
                200, json={"access_token": "t" * 40, "expires_in": 3600, "token_type": "bearer"}
            )
        if path.endswith("/suiteql"):
            return query(request)
        if path.endswith("/serverTime"):
            return httpx.Response(200, json={"serverTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")})
        return refusal(403, "INSUFFICIENT_PERMISSION", "Permission Violation")

    return httpx.Client(transport=httpx.MockTransport(answer))


def refusal(status: int, code: str, detail: str) -> httpx.Response:
    """A refusal in NetSuite's form."""
    details = [{"detail": detail, "o:errorCode": code}]
    return httpx.Response(status, json={"title": "Refused", "status": status, "o:errorDetails": details})
