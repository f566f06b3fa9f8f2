"""A small NetSuite for the client tests: SuiteQL really runs, on SQLite, behind `httpx.MockTransport`.

Put what the protocol does here (text values, NULLs left out, page limits, INVALID_PARAMETER). It shares no
code with the sandbox on purpose: a second, simpler double notices a mistake that the sandbox and the client
have in common.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Sequence
from typing import Any

import httpx

from bcns_pipeline.clients.http.retry import RetryPolicy
from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline_tests.clients.fakes import CountingMeter, FakeTime, OpenGate, client_of, timing

_LOCATION_COLUMNS = (
    "item INTEGER, location INTEGER, quantityavailable, quantityonhand, quantitycommitted, "
    "quantityintransit, quantitybackordered, quantityonorder, lastquantityavailablechange TEXT"
)
_SCHEMA = f"""
CREATE TABLE item (id INTEGER, itemid TEXT, itemtype TEXT, isinactive TEXT, matrixtype TEXT, upccode TEXT,
    lastmodifieddate TEXT, quantityavailable, quantityonhand, quantitycommitted, quantitybackordered,
    quantityonorder);
CREATE TABLE aggregateitemlocation ({_LOCATION_COLUMNS});
CREATE TABLE itemmember (parentitem INTEGER, item INTEGER, quantity);
CREATE TABLE location (id INTEGER, name TEXT, isinactive TEXT, makeinventoryavailable TEXT);
CREATE TABLE "transaction" (id INTEGER, externalid TEXT, recordtype TEXT);
"""


class NetSuiteDouble:
    """Tables in memory and a request log; `limit_shown` caps a page as NetSuite would."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:", check_same_thread=False)
        self.db.executescript(_SCHEMA)
        self.db.create_function("NVL", 2, lambda a, b: b if a is None else a)
        self.db.create_function("TO_CHAR", 2, lambda value, _form: value)
        self.db.create_function("TO_DATE", 2, lambda value, _form: value)
        self.queries: list[tuple[str, list[str]]] = []
        self.lock = threading.Lock()
        self.page_rows = 1000
        self.key_case = str.lower

    def item(self, id: int, sku: str, kind: str = "InvtPart", **more: Any) -> None:
        """Add an item."""
        row = {
            "id": id,
            "itemid": sku,
            "itemtype": kind,
            "isinactive": "F",
            "lastmodifieddate": "2026-01-01",
            **more,
        }
        self.insert("item", row)

    def stock(
        self,
        item: int,
        location: int,
        available: Any,
        *,
        table: str = "aggregateitemlocation",
        at: str = "2026-01-01",
    ) -> None:
        """Add a stock row."""
        row = {
            "item": item,
            "location": location,
            "quantityavailable": available,
            "quantityonhand": available,
        }
        self.insert(table, {**row, "lastquantityavailablechange": at})

    def insert(self, table: str, row: dict[str, Any]) -> None:
        """Add any row."""
        marks = ", ".join("?" * len(row))
        self.db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))

    def drop(self, table: str) -> None:
        """Take a table away, as a missing permission does."""
        with self.lock:
            self.db.execute(f"DROP TABLE {table}")

    def family(self, *tables: str) -> None:
        """Create tables of the inventoryitemlocations family."""
        for table in tables:
            self.db.execute(f"CREATE TABLE {table} ({_LOCATION_COLUMNS})")

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
        assert request.headers["prefer"] == "transient"
        assert request.headers["authorization"] == "Bearer t"
        body = json.loads(request.content)
        limit, offset = int(request.url.params["limit"]), int(request.url.params["offset"])
        params = body.get("params", [])
        assert all(isinstance(one, str) for one in params)
        with self.lock:
            self.queries.append((body["q"], params))
            try:
                text = re.sub(r"FETCH FIRST (\d+) ROWS ONLY", r"LIMIT \1", body["q"])
                cursor = self.db.execute(text.replace("FROM transaction", 'FROM "transaction"'), params)
                found = cursor.fetchall()
            except sqlite3.OperationalError as error:
                return refusal(str(error))
            names = [self.key_case(column[0]) for column in cursor.description]
        limit = min(limit, self.page_rows)
        rows = found[offset : offset + limit]
        items = [
            {"links": [], **{n: str(v) for n, v in zip(names, row, strict=True) if v is not None}}
            for row in rows
        ]
        more = offset + limit < len(found)
        return httpx.Response(
            200, json={"items": items, "count": len(items), "hasMore": more, "totalResults": len(found)}
        )


def refusal(reason: str) -> httpx.Response:
    """INVALID_PARAMETER in NetSuite's words for what SQLite did not know."""
    if "no such table" in reason:
        detail = f"Invalid search type: {reason.rpartition(' ')[2]}."
    else:
        name = reason.rpartition(" ")[2].rpartition(".")[2]
        detail = f"Unknown identifier '{name}'. Available identifiers are: {{}}"
    return httpx.Response(
        400,
        json={
            "title": "Bad Request",
            "status": 400,
            "o:errorDetails": [
                {
                    "detail": f"Invalid search query. Search error occurred: {detail}",
                    "o:errorQueryParam": "q",
                    "o:errorCode": "INVALID_PARAMETER",
                }
            ],
        },
    )


def netsuite(
    server: Any, pem: str, steps: Sequence[Any] = (), **given: Any
) -> tuple[NetSuiteClient, FakeTime]:
    """A client of `server`."""
    time = FakeTime()
    client = NetSuiteClient(
        "https://ns.test",
        "",
        "client",
        "certificate",
        pem,
        gate=OpenGate(),
        meter=CountingMeter(),
        client=client_of(server),
        retry=RetryPolicy(attempts=3, total_seconds=60),
        **timing(time),
        **given,
    )
    return client, time
