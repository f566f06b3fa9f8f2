"""Stripe's three lists as an in-memory API: pages by starting_after, filters, and faults that a test asks for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from bcns_pipeline.clients.http.retry import RetryPolicy
from bcns_pipeline.clients.payments.stripe import StripeSource
from bcns_pipeline_tests.clients.fakes import CountingMeter, FakeTime, OpenGate, timing

KEY = "sk_test_51SecretSecret"
NOW = datetime(2026, 3, 20, tzinfo=UTC)


class StripeDouble:
    """Payouts, and balance transactions by payout. `faults` are answers to give first, one a call."""

    def __init__(self) -> None:
        self.payouts: list[dict[str, Any]] = []
        self.transactions: dict[str, list[dict[str, Any]]] = {}
        self.disputes: list[dict[str, Any]] = []
        self.balance: dict[str, Any] = {"object": "balance", "available": [], "pending": []}
        self.asked: list[httpx.URL] = []
        self.headers: list[httpx.Headers] = []
        self.faults: list[httpx.Response | Callable[[httpx.Request], httpx.Response]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        self.headers.append(request.headers)
        if self.faults:
            fault = self.faults.pop(0)
            return fault if isinstance(fault, httpx.Response) else fault(request)
        if request.headers["Authorization"] != f"Bearer {KEY}":
            error = {"type": "invalid_request_error", "message": "Invalid API Key provided: sk_test_****cret"}
            return httpx.Response(401, json={"error": error})
        params = request.url.params
        if request.url.path == "/v1/balance":
            return httpx.Response(200, json=self.balance)
        since = int(params.get("created[gte]", 0))
        if request.url.path == "/v1/payouts":
            return self._page([row for row in self.payouts if row["created"] >= since], params)
        if request.url.path == "/v1/disputes":
            return self._page([row for row in self.disputes if row["created"] >= since], params)
        if "payout" in params:
            return self._page(self.transactions[params["payout"]], params)
        until = int(params.get("created[lt]", NOW.timestamp()))
        every = [row for rows in self.transactions.values() for row in rows]
        return self._page([row for row in every if since <= row["created"] < until], params)

    @staticmethod
    def _page(rows: list[dict[str, Any]], params: httpx.QueryParams) -> httpx.Response:
        after, limit = params.get("starting_after"), int(params.get("limit", 10))
        start = next((at + 1 for at in range(limit - 1, len(rows), limit) if rows[at]["id"] == after), 0)
        part = rows[start : start + limit]
        more = start + limit < len(rows)
        return httpx.Response(200, json={"object": "list", "has_more": more, "data": part})


def source(
    double: StripeDouble, *, key: str = KEY, expand: bool = True
) -> tuple[StripeSource, CountingMeter, OpenGate]:
    """A source that talks to the double, with its meter and its gate."""
    gate, meter = OpenGate(), CountingMeter()
    made = StripeSource(
        "https://stripe.test",
        key,
        account="acct1",
        gate=gate,
        meter=meter,
        expand=expand,
        retry=RetryPolicy(attempts=4, total_seconds=60.0),
        client=httpx.Client(transport=httpx.MockTransport(double)),
        now=lambda: NOW,
        **timing(FakeTime(gate)),
    )
    return made, meter, gate
