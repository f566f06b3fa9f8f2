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
    subsidiary TEXT, lastmodifieddate TEXT, quantityavailable, quantityonhand, quantitycommitted, quantitybackordered,
    quantityonorder);
CREATE TABLE aggregateitemlocation ({_LOCATION_COLUMNS});
CREATE TABLE itemmember (parentitem INTEGER, item INTEGER, quantity);
CREATE TABLE location (id INTEGER, name TEXT, isinactive TEXT, makeinventoryavailable TEXT, subsidiary TEXT);
CREATE TABLE "transaction" (id INTEGER, externalid TEXT, recordtype TEXT, type TEXT, tranid TEXT, status TEXT,
    entity INTEGER, subsidiary INTEGER, currency INTEGER, foreigntotal NUMERIC, total NUMERIC, trandate TEXT,
    lastmodifieddate TEXT, otherrefnum TEXT, shipcarrier TEXT, custbody_bc_order_id TEXT,
    foreignamountunpaid NUMERIC, foreignpaymentamountunused NUMERIC, createddate TEXT, createdby INTEGER,
    lastmodifiedby INTEGER);
CREATE TABLE transactionline (id INTEGER, "transaction" INTEGER, linesequencenumber INTEGER, item INTEGER,
    quantity NUMERIC, rate, foreignamount NUMERIC, mainline TEXT DEFAULT 'F', taxline TEXT DEFAULT 'F',
    iscogs TEXT, isclosed TEXT DEFAULT 'F', quantityshiprecv NUMERIC, quantitybilled NUMERIC, location INTEGER,
    department INTEGER, class INTEGER, createdfrom INTEGER, kitcomponent TEXT, kitmemberof INTEGER,
    linelastmodifieddate TEXT, custcol_bc_line_id TEXT);
CREATE TABLE transactionaccountingline ("transaction" INTEGER, transactionline INTEGER, accountingbook INTEGER,
    account INTEGER, amount NUMERIC);
CREATE TABLE transactiontaxdetail ("transaction" INTEGER, line INTEGER, taxcode INTEGER, taxamount NUMERIC);
CREATE TABLE shipitem (id INTEGER, itemid TEXT);
CREATE TABLE transactionshipment (doc INTEGER, shippingmethod INTEGER);
CREATE TABLE trackingnumber (id INTEGER, trackingnumber TEXT);
CREATE TABLE trackingnumbermap ("transaction" INTEGER, trackingnumber INTEGER);
CREATE TABLE customer (id INTEGER, externalid TEXT, email TEXT, isperson TEXT, companyname TEXT, firstname TEXT,
    lastname TEXT, phone TEXT, isinactive TEXT DEFAULT 'F', currency INTEGER, subsidiary INTEGER, taxable TEXT,
    lastmodifieddate TEXT);
CREATE TABLE customeraddressbook (entity INTEGER, addressbookaddress INTEGER, internalid INTEGER,
    defaultshipping TEXT, defaultbilling TEXT);
CREATE TABLE customeraddressbookentityaddress (nkey INTEGER, addressee TEXT, addr1 TEXT, addr2 TEXT, city TEXT,
    state TEXT, zip TEXT, country TEXT, addrphone TEXT);
CREATE TABLE customersubsidiaryrelationship (entity INTEGER, subsidiary INTEGER);
CREATE TABLE currency (id INTEGER, symbol TEXT, currencyprecision INTEGER, isbasecurrency TEXT);
CREATE TABLE subsidiary (id INTEGER, name TEXT, currency INTEGER, country TEXT, isinactive TEXT);
"""


class NetSuiteDouble:
    """Tables in memory and a request log; `page_rows` caps a page, and the role may not see the table `hidden`."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:", check_same_thread=False)
        self.db.executescript(_SCHEMA)
        self.db.create_function("NVL", 2, lambda a, b: b if a is None else a)
        self.db.create_function("TO_CHAR", 2, lambda value, _form: value)
        self.db.create_function("TO_DATE", 2, lambda value, _form: value)
        self.db.create_function("BUILTIN_DF", 1, lambda value: None if value is None else f"shown {value}")
        self.queries: list[tuple[str, list[str]]] = []
        self.lock = threading.Lock()
        self.page_rows = 1000
        self.hidden = ""
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
        text = _sqlite(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})")
        self.db.execute(text, list(row.values()))

    def drop(self, table: str, column: str | None = None) -> None:
        """Take a table or a column away, as a missing permission or feature does."""
        with self.lock:
            self.db.execute(f"ALTER TABLE {table} DROP COLUMN {column}" if column else f"DROP TABLE {table}")

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
            if self.hidden and f"FROM {self.hidden} " in body["q"]:
                return refusal(self.hidden)
            try:
                cursor = self.db.execute(_sqlite(body["q"]), params)
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


def _sqlite(text: str) -> str:
    """The query as SQLite says it, to which `transaction` is a word of its own."""
    text = re.sub(r"FETCH FIRST (\d+) ROWS ONLY", r"LIMIT \1", text)
    return re.sub(r"\btransaction\b", '"transaction"', text.replace("BUILTIN.DF(", "BUILTIN_DF("))


def refusal(reason: str) -> httpx.Response:
    """INVALID_PARAMETER in NetSuite's words for what SQLite did not know."""
    if "no such table" in reason:
        detail = f"Invalid search type: {reason.rpartition(' ')[2]}."
    elif " " not in reason:
        detail = f"Record '{reason}' was not found."
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
