"""A NetSuite double in this process, for tests of its rules: no port, no token, no waiting.

Put what tests of records need to ask and to say here. Do not put expectations here.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.merchant import Merchant
from bcns_pipeline.sandbox.netsuite.account import SERVICE_ITEMS, SHIP_METHODS
from bcns_pipeline.sandbox.netsuite.errors import SuiteQLError
from bcns_pipeline.sandbox.netsuite.settings import Settings
from bcns_pipeline.sandbox.office_events import Office
from bcns_pipeline.sandbox.office_people import Administrator
from bcns_pipeline.sandbox.options import Options, Troubles
from bcns_pipeline.sandbox.web import Answer, Call

ITEMS = {item.key: str(item.id) for item in SERVICE_ITEMS}
METHODS = {method.name: str(method.id) for method in SHIP_METHODS}
NEW_YORK = {
    "addressee": "Jane Roe",
    "addr1": "1 High St",
    "city": "New York",
    "state": "NY",
    "zip": "10001",
    "country": {"id": "US"},
}


class Desk:
    """One account and whoever sits before it."""

    def __init__(self, **options: Any) -> None:
        self.merchant = Merchant(Options(**{"skus": 40, "troubles": Troubles.none(), **options}))
        self.books = self.merchant.netsuite.books
        self.office = Office(self.books)
        self.people = Administrator(self.office)
        self.made = 0

    @property
    def settings(self) -> Settings:
        """The account's switches."""
        return self.books.context.settings

    # -- requests --------------------------------------------------------------------------------------------

    def send(self, method: str, path: str, body: Any = None, mode: str = "Error") -> Answer:
        """`path` is `salesOrder`, `salesOrder/5001?replace=item`, `salesOrder/1/!transform/itemFulfillment`."""
        bare, _, query = path.partition("?")
        record, *rest = bare.split("/")
        headers = {"x-netsuite-propertynamevalidation": mode}
        sent = b"" if body is None else json.dumps(body, default=float).encode()
        call = Call(method, "/" + bare, query, headers, sent, "ns")
        api = self.books.api
        if len(rest) == 3:
            return api.transform(call, record, rest[0], rest[2])
        if method == "POST":
            return api.create(call, record)
        return {"GET": api.get, "PATCH": api.patch, "PUT": api.put}[method](call, record, rest[0])

    def post(self, path: str, body: Any) -> int:
        """A create or transform that must work; returns the new record's id."""
        answer = self.send("POST", path, body)
        assert answer.status == 204, answer.body.decode()
        return int(dict(answer.headers)["Location"].rsplit("/", 1)[1])

    def patch(self, path: str, body: Any) -> None:
        """A change that must work."""
        answer = self.send("PATCH", path, body)
        assert answer.status == 204, answer.body.decode()

    def get(self, path: str) -> dict[str, Any]:
        """A record with its sublists."""
        answer = self.send("GET", f"{path}?expandSubResources=true")
        assert answer.status == 200, answer.body.decode()
        found: dict[str, Any] = json.loads(answer.body, parse_float=Decimal)
        return found

    def refused(self, method: str, path: str, body: Any) -> tuple[str, str, str | None]:
        """Code, text and path of a refusal."""
        answer = self.send(method, path, body)
        assert answer.status == 400, (answer.status, answer.body)
        error = json.loads(answer.body)["o:errorDetails"][0]
        return error["o:errorCode"], error["detail"], error.get("o:errorPath")

    def sql(self, query: str, *params: str) -> list[dict[str, str]]:
        """Rows of SuiteQL without their links."""
        page = self.merchant.netsuite.engine.page(query, list(params), 1000, 0)
        return [
            {name: value for name, value in row.items() if name != "links"}
            for row in json.loads(b"[" + page.items + b"]")
        ]

    def refuses_sql(self, query: str) -> str:
        """The text of a refused query."""
        try:
            self.sql(query)
        except SuiteQLError as fault:
            return str(fault)
        raise AssertionError(query)

    # -- bodies ----------------------------------------------------------------------------------------------

    def customer(self, **changes: Any) -> int:
        """A new customer."""
        self.made += 1
        body = {
            "externalId": f"bc-customer-{self.made}",
            "isPerson": True,
            "firstName": "Jane",
            "lastName": "Roe",
            "email": "jane@example.com",
            "subsidiary": {"id": "1"},
            **changes,
        }
        return self.post("customer", {name: value for name, value in body.items() if value is not None})

    def body(self, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """A sales order, of one line where none is given, for a customer of its own where none is named."""
        self.made += 1
        body: dict[str, Any] = {
            "externalId": f"bc-order-{self.made}",
            "otherRefNum": str(self.made),
            "location": {"id": "1"},
            "shippingAddress": NEW_YORK,
            "item": {"items": list(lines) or [line(1001, 2, "19.99")]},
            **changes,
        }
        if "entity" not in body:
            body["entity"] = {"id": str(self.customer())}
        return {name: value for name, value in body.items() if value is not None}

    def order(self, *lines: dict[str, Any], **changes: Any) -> int:
        """A sales order that NetSuite takes."""
        return self.post("salesOrder", self.body(*lines, **changes))

    # -- stock -----------------------------------------------------------------------------------------------

    def put(self, item: int, location: int, on_hand: int) -> None:
        """So much lies there, and nothing is promised."""
        self.books.context.stock.reset(item, location, Decimal(on_hand))

    def level(self, item: int, location: int) -> tuple[str, str, str, str]:
        """On hand, committed, back-ordered and available, from SuiteQL."""
        row = self.sql(
            """SELECT quantityonhand h, quantitycommitted c, quantitybackordered b, quantityavailable a
               FROM aggregateitemlocation WHERE item = ? AND location = ?""",
            str(item),
            str(location),
        )[0]
        return row["h"], row["c"], row["b"], row["a"]


def line(item: int | str, quantity: Any = 1, rate: Any = None, **changes: Any) -> dict[str, Any]:
    """An order line at a custom price."""
    body = {
        "item": {"id": str(item)},
        "quantity": quantity,
        "price": {"id": "-1"},
        "rate": None if rate is None else Decimal(str(rate)),
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def tax(
    reference: str, basis: Any, rate: Any, amount: Any, code: int = 11, kind: str = "1"
) -> dict[str, Any]:
    """A row of overridden tax details."""
    return {
        "taxDetailsReference": {"id": reference},
        "taxType": kind,
        "taxCode": {"id": str(code)},
        "taxBasis": Decimal(str(basis)),
        "taxRate": Decimal(str(rate)),
        "taxAmount": Decimal(str(amount)),
    }
