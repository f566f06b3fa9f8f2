"""NetSuite's record API for customers: create, patch, upsert by external id, get, metadata.

Put rules of records here: property names, references, external ids, sublists. Do not put HTTP headers of
other services here. Source: facts/netsuite.md 3.1 to 3.3 and 3.6. There is no DELETE, because nothing of
ours may need it; record types that the sandbox does not hold do not exist in it.
"""

# ruff: noqa: ARG002 - a route hands the call to every handler, whether it looks at it or not.

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from bcns_pipeline.sandbox.clock import Clock
from bcns_pipeline.sandbox.netsuite import errors
from bcns_pipeline.sandbox.netsuite.addresses import AddressBook, BadAddress
from bcns_pipeline.sandbox.netsuite.customer import CUSTOMER, LOWER, REFERENCED, schema
from bcns_pipeline.sandbox.netsuite.database import Database
from bcns_pipeline.sandbox.web import Answer, Call, Headers, json_answer

BASE = "/services/rest/record/v1"
SINGULAR = "application/vnd.oracle.resource+json; type=singular"
FIRST_ID = 3001
EXTERNAL_ID = re.compile(r"^[A-Za-z0-9_-]{1,255}$")


class Refused(Exception):
    """A record that NetSuite does not take."""

    def __init__(self, code: str, detail: str, path: str | None = None) -> None:
        super().__init__(detail)
        where = {"o_errorPath": path} if path else {}
        self.answer = errors.problem(400, code, detail, headers=(), **where)


class Records:
    """The customers of one account. All changes happen on the event loop."""

    def __init__(self, database: Database, clock: Clock, *, oneworld: bool) -> None:
        self._database = database
        self._clock = clock
        self._oneworld = oneworld
        self._bodies: dict[int, dict[str, Any]] = {}
        self._books: dict[int, AddressBook] = {}
        # Entities of all types share one namespace of external ids; here only customers live in it.
        self._by_external: dict[str, int] = {}
        self._by_entity: dict[str, int] = {}

    def clear(self) -> None:
        """No customers, as after a new seed."""
        for kept in (self._bodies, self._books, self._by_external, self._by_entity):
            kept.clear()

    # -- endpoints -------------------------------------------------------------------------------------------

    def create(self, call: Call, record: str) -> Answer:
        """POST /record/v1/customer: 204 and the place of the new record."""
        if record.lower() != "customer":
            return unknown_record(record)
        try:
            given, warnings = self._read(call)
            number = max(self._bodies, default=FIRST_ID - 1) + 1
            self._write(number, given, new=True)
        except Refused as refused:
            return refused.answer
        return Answer(204, headers=[location(call, number), *warnings])

    def patch(self, call: Call, record: str, key: str) -> Answer:
        """PATCH /record/v1/customer/{id or eid:X}.

        Only what is given changes; addresses without id are added.
        """
        return self._change(call, record, key, replace=False)

    def put(self, call: Call, record: str, key: str) -> Answer:
        """PUT /record/v1/customer/eid:X: creates or changes, and does not say which."""
        if record.lower() != "customer":
            return unknown_record(record)
        if not key.startswith("eid:"):
            return errors.problem(400, "INVALID_REQUEST", "PUT needs an external id in the form eid:<id>.")
        if key.removeprefix("eid:") in self._by_external:
            return self._change(
                call, record, key, replace="addressbook" in call.query.get("replace", "").lower()
            )
        try:
            given, warnings = self._read(call)
            given["externalId"] = key.removeprefix("eid:")
            number = max(self._bodies, default=FIRST_ID - 1) + 1
            self._write(number, given, new=True)
        except Refused as refused:
            return refused.answer
        return Answer(204, headers=warnings)

    def _change(self, call: Call, record: str, key: str, *, replace: bool) -> Answer:
        if record.lower() != "customer":
            return unknown_record(record)
        number = self._find(key)
        if number is None:
            return no_such(call)
        try:
            given, warnings = self._read(call)
            if replace:
                self._books[number].clear()
            self._write(number, given, new=False)
        except Refused as refused:
            return refused.answer
        return Answer(204, headers=[location(call, number), *warnings])

    def get(self, call: Call, record: str, key: str) -> Answer:
        """GET /record/v1/customer/{id or eid:X}."""
        if record.lower() != "customer":
            return unknown_record(record)
        number = self._find(key)
        if number is None:
            return no_such(call)
        base = f"http://{call.host}{BASE}/customer/{number}"
        body: dict[str, Any] = {
            "links": [{"rel": "self", "href": base}],
            **self._bodies[number],
            "id": str(number),
        }
        full = call.query.get("expandSubResources", "false").lower() == "true"
        sublist: dict[str, Any] = {"links": [{"rel": "self", "href": f"{base}/addressBook"}]}
        if full:
            sublist["items"] = self._books[number].shown()
            sublist["totalResults"] = len(sublist["items"])
        body["addressBook"] = sublist
        if wanted := call.query.get("fields"):
            chosen = {LOWER.get(name.strip().lower()) for name in wanted.split(",")} | {"links", "id"}
            body = {name: value for name, value in body.items() if name in chosen}
        return json_answer(200, body, SINGULAR)

    # -- rules -----------------------------------------------------------------------------------------------

    def _find(self, key: str) -> int | None:
        if key.startswith("eid:"):
            return self._by_external.get(key.removeprefix("eid:"))
        return int(key) if key.isdigit() and int(key) in self._bodies else None

    def _read(self, call: Call) -> tuple[dict[str, Any], Headers]:
        """The body with the names that NetSuite knows; what else it has is dropped, reported or refused."""
        try:
            raw = call.json()
        except ValueError as fault:
            raise Refused("INVALID_REQUEST", "Invalid JSON in the request body.") from fault
        if not isinstance(raw, dict):
            raise Refused("INVALID_REQUEST", "The request body must be a JSON object.")
        mode = call.headers.get("x-netsuite-propertynamevalidation", "Warning").lower()
        if mode not in ("error", "warning", "ignore"):
            raise Refused("INVALID_HEADER", "X-NetSuite-PropertyNameValidation is Error, Warning or Ignore.")
        known: dict[str, Any] = {}
        dropped: list[str] = []
        for name, value in raw.items():
            # Oracle's own samples spell names in lower case; with Error the exact spelling counts.
            exact = name if name in CUSTOMER else (None if mode == "error" else LOWER.get(name.lower()))
            if exact is None:
                if mode == "error":
                    raise Refused("INVALID_CONTENT", f"Invalid property name: '{name}'.", name)
                dropped.append(name)
            elif CUSTOMER[exact].shape != "read_only":
                known[exact] = value
        if dropped and mode == "warning":
            text = "; ".join(f"Unknown property: {name}" for name in dropped)
            return known, [("X-NetSuite-Warning", text.encode("ascii", "replace").decode())]
        return known, []

    def _write(self, number: int, given: dict[str, Any], *, new: bool) -> None:
        """Check everything, then change everything."""
        before = self._bodies.get(number, {})
        after = dict(before)
        for name, value in given.items():
            if name != "addressBook":
                after[name] = self._value(name, value)
        after = {name: value for name, value in after.items() if value is not None}
        self._mandatory(after)
        self._unique(number, after)
        book = self._books.get(number) or AddressBook()
        try:
            changed = book.merged(given.get("addressBook"))
        except BadAddress as fault:
            raise Refused("INVALID_CONTENT", str(fault), "addressBook") from fault
        now = self._clock.utc().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        after["lastModifiedDate"] = now
        if new:
            after.setdefault("dateCreated", now)
            after.setdefault("isInactive", False)
            after.setdefault("entityId", f"CUST{number}")
            after.setdefault("currency", self._shown("currency", "1"))
        for index, name in ((self._by_external, "externalId"), (self._by_entity, "entityId")):
            if name in before:
                index.pop(before[name], None)
            if name in after:
                index[after[name]] = number
        self._bodies[number] = after
        self._books[number] = changed
        self._store(number, after, changed)

    def _value(self, name: str, value: Any) -> Any:
        """A property as it is kept; null clears it."""
        if value is None:
            return None
        shape = CUSTOMER[name].shape
        if shape == "bool":
            if not isinstance(value, bool):
                raise Refused("INVALID_CONTENT", f"Invalid value for the property '{name}'.", name)
            return value
        if shape == "text":
            if not isinstance(value, (str, int, float)) or isinstance(value, bool):
                raise Refused("INVALID_CONTENT", f"Invalid value for the property '{name}'.", name)
            return str(value) or None
        identity = value.get("id") if isinstance(value, dict) else value
        if isinstance(value, dict) and identity is None and name == "parent" and "externalId" in value:
            identity = self._by_external.get(str(value["externalId"]))
        if identity is None or isinstance(identity, (dict, list, bool)):
            raise Refused("INVALID_CONTENT", f"Invalid reference in the property '{name}'.", name)
        return self._shown(name, str(identity))

    def _shown(self, name: str, identity: str) -> dict[str, str]:
        """A reference with its name, where the account has what it points at."""
        table = REFERENCED.get(name)
        if table is None:
            return {"id": identity}
        label = "entityid" if table == "customer" else "name"
        found = (
            self._database.rows(f"SELECT {label} FROM ns.{table} WHERE id = ?", [int(identity)])
            if identity.isdigit()
            else []
        )
        if not found:
            raise Refused(
                "USER_ERROR", f"Invalid Field Value {identity} for the following field: {name.lower()}", name
            )
        return {"id": identity, "refName": str(found[0][0])}

    def _mandatory(self, body: Mapping[str, Any]) -> None:
        needed = ["lastName"] if body.get("isPerson") else ["companyName"]
        if self._oneworld:
            needed.append("subsidiary")
        for name in needed:
            if name not in body:
                raise Refused("USER_ERROR", f"You must enter a value for {name}.")
        email = body.get("email")
        if email is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
            raise Refused(
                "USER_ERROR", f"Invalid Field Value {email} for the following field: email", "email"
            )

    def _unique(self, number: int, body: Mapping[str, Any]) -> None:
        external = body.get("externalId")
        if external is not None and not EXTERNAL_ID.match(external):
            raise Refused("USER_ERROR", f"Invalid external id '{external}'.", "externalId")
        for index, name in ((self._by_external, "externalId"), (self._by_entity, "entityId")):
            if index.get(body.get(name, ""), number) != number:
                raise Refused("USER_ERROR", "Error while accessing a resource. This entity already exists.")

    def _store(self, number: int, body: Mapping[str, Any], book: AddressBook) -> None:
        """Show the customer in SuiteQL."""
        now = self._clock.account()
        row: dict[str, Any] = {"id": number, "lastmodifieddate": now}
        for name, rule in CUSTOMER.items():
            if rule.column is None or rule.shape == "read_only" or name not in body:
                continue
            value = body[name]
            if rule.shape == "bool":
                value = "T" if value else "F"
            row[rule.column] = value["id"] if rule.shape == "reference" else value
        row.setdefault("isperson", "F")
        created = self._database.rows("SELECT datecreated FROM ns.customer WHERE id = ?", [number])
        row["datecreated"] = created[0][0] if created else now
        for key, table in (
            ("id", "customer"),
            ("nkey", "customeraddressbookentityaddress"),
            ("entity", "customeraddressbook"),
        ):
            if key == "nkey":
                self._database.write(
                    """DELETE FROM ns.customeraddressbookentityaddress WHERE nkey IN (
                       SELECT addressbookaddress FROM ns.customeraddressbook WHERE entity = ?)""",
                    [number],
                )
            else:
                self._database.write(f"DELETE FROM ns.{table} WHERE {key} = ?", [number])
        for place, (entry, address) in enumerate(book.rows(number)):
            self._database.insert("customeraddressbook", entry)
            self._database.insert("customeraddressbookentityaddress", address)
            if entry["defaultshipping"] == "T" or place == 0:
                row["defaultshippingaddress"] = entry["addressbookaddress"]
            if entry["defaultbilling"] == "T" or place == 0:
                row["defaultbillingaddress"] = entry["addressbookaddress"]
        self._database.insert("customer", row)

    # -- metadata --------------------------------------------------------------------------------------------

    def catalog(self, call: Call) -> Answer:
        """GET /record/v1/metadata-catalog: what record types there are, or the OpenAPI of chosen ones."""
        chosen = [name for name in call.query.get("select", "").split(",") if name]
        if unknown := [name for name in chosen if name.lower() != "customer"]:
            return unknown_record(unknown[0])
        if "swagger+json" in call.headers.get("accept", ""):
            schemas = {"customer": schema(oneworld=self._oneworld)}
            paths: dict[str, Any] = {
                "/customer": {"get": {}, "post": {}},
                "/customer/{id}": {"get": {}, "patch": {}, "put": {}},
            }
            body = {
                "openapi": "3.0.1",
                "info": {"title": "NetSuite REST API", "version": "1.0"},
                "paths": paths,
            }
            return json_answer(200, {**body, "components": {"schemas": schemas}}, "application/swagger+json")
        href = f"http://{call.host}{BASE}/metadata-catalog/customer"
        item = {
            "name": "customer",
            "links": [{"rel": "canonical", "href": href, "mediaType": "application/json"}],
        }
        return json_answer(200, {"items": [item]})

    def describe(self, call: Call, record: str) -> Answer:
        """GET /record/v1/metadata-catalog/customer."""
        if record.lower() != "customer":
            return unknown_record(record)
        return json_answer(200, schema(oneworld=self._oneworld), "application/schema+json")


def location(call: Call, number: int) -> tuple[str, str]:
    """Where a record lives."""
    return ("Location", f"http://{call.host}{BASE}/customer/{number}")


def unknown_record(name: str) -> Answer:
    """A record type that the account does not have."""
    return errors.problem(404, "NOT_FOUND", f"Record type '{name}' does not exist.", o_errorPath=name)


def no_such(call: Call) -> Answer:
    """A record that is not there."""
    detail = "The record instance does not exist. Provide a valid record instance ID. Record does not exist."
    return errors.problem(404, "NONEXISTENT_ID", detail, o_errorUrl=call.path)
