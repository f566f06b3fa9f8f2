"""NetSuite's record API over all record types: create, patch, upsert by external id, transform, get, metadata.

Put HTTP here: paths, keys, headers, the form of answers. Do not put rules of a type here (customers.py,
salesorder.py, ...). Source: facts/netsuite.md 3.1 to 3.5. There is no DELETE, because nothing of ours may need
it; record types that the sandbox does not hold do not exist in it.
"""

# ruff: noqa: ARG002 - a route hands the call to every handler, whether it looks at it or not.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from bcns_pipeline.sandbox.netsuite import errors
from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Definition
from bcns_pipeline.sandbox.netsuite.errors import Refused
from bcns_pipeline.sandbox.netsuite.metadata import openapi, schemas
from bcns_pipeline.sandbox.netsuite.reading import read
from bcns_pipeline.sandbox.web import Answer, Call, Headers, json_answer

BASE = "/services/rest/record/v1"
SINGULAR = "application/vnd.oracle.resource+json; type=singular"
Lists = dict[str, list[dict[str, Any]]]


class Records(Protocol):
    """One record type, as its rules offer it."""

    definition: Definition

    def find(self, key: str) -> int | None:
        """The internal id that `{id}` or `eid:{external id}` names."""

    def create(self, given: dict[str, Any]) -> int:
        """A new record; returns its internal id. Raises `Refused`."""

    def change(self, number: int, given: dict[str, Any], replace: frozenset[str]) -> None:
        """Change what is given; `replace` names the sublists that the request has in full."""

    def shown(self, number: int) -> tuple[dict[str, Any], Lists]:
        """The body, and the lines of each sublist."""


class Transformed(Records, Protocol):
    """A record type that is made from another one."""

    def transform(self, source: int, given: dict[str, Any]) -> int:
        """A new record from a source record; returns its internal id."""


class RecordApi:
    """The endpoints. All changes happen on the event loop."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._types: dict[str, Records] = {}
        self._transforms: dict[tuple[str, str], Transformed] = {}
        # Record types (lower case) on which the integration's role has no right.
        self.hidden: frozenset[str] = frozenset()

    def add(self, records: Records) -> None:
        """The account has this record type."""
        self._types[records.definition.name.lower()] = records

    def add_transform(self, source: str, records: Transformed) -> None:
        """A record of the type `source` can be made into one of these."""
        self._transforms[source.lower(), records.definition.name.lower()] = records

    def of(self, record: str) -> Records:
        """The rules of a record type that the account has."""
        return self._types[record.lower()]

    # -- endpoints -------------------------------------------------------------------------------------------

    def create(self, call: Call, record: str) -> Answer:
        """POST /record/v1/{record}: 204 and the place of the new record."""
        records = self._of(record)
        if records is None:
            return self._missing(record)
        return self._answer(call, records, lambda given: self._create(records, given))

    def transform(self, call: Call, record: str, key: str, target: str) -> Answer:
        """POST /record/v1/{record}/{key}/!transform/{target}."""
        source, made = self._of(record), self._transforms.get((record.lower(), target.lower()))
        if source is None or made is None or self._of(target) is None:
            return self._missing(record if source is None else target)
        number = source.find(key)
        if number is None:
            return no_such(call)

        def run(given: dict[str, Any]) -> int:
            self._context.interference.check(source.definition.name, number, None)
            self._context.interference.check(made.definition.name, None, given.get("externalId"))
            return made.transform(number, given)

        return self._answer(call, made, run)

    def patch(self, call: Call, record: str, key: str) -> Answer:
        """PATCH /record/v1/{record}/{id or eid:X}: only what is given changes; lines without key are added."""
        records = self._of(record)
        if records is None:
            return self._missing(record)
        number = records.find(key)
        if number is None:
            return no_such(call)
        return self._answer(call, records, lambda given: self._change(records, number, given, call))

    def put(self, call: Call, record: str, key: str) -> Answer:
        """PUT /record/v1/{record}/eid:X: creates or changes, and does not say which."""
        records = self._of(record)
        if records is None:
            return self._missing(record)
        if not key.startswith("eid:"):
            return errors.problem(400, "INVALID_REQUEST", "PUT needs an external id in the form eid:<id>.")
        number = records.find(key)
        if number is not None:
            return self._answer(call, records, lambda given: self._change(records, number, given, call))
        external = key.removeprefix("eid:")
        return self._answer(
            call,
            records,
            lambda given: self._create(records, {**given, "externalId": external}),
            located=False,
        )

    def get(self, call: Call, record: str, key: str) -> Answer:
        """GET /record/v1/{record}/{id or eid:X}. It loads the record for editing, so that a lock bites."""
        records = self._of(record)
        if records is None:
            return self._missing(record)
        number = records.find(key)
        if number is None:
            return no_such(call)
        name = records.definition.name
        try:
            self._context.interference.check(name, number, None, reading=True)
        except Refused as refused:
            return refused.answer
        base = f"http://{call.host}{BASE}/{name}/{number}"
        values, lists = records.shown(number)
        body: dict[str, Any] = {"links": [{"rel": "self", "href": base}], **values, "id": str(number)}
        full = call.query.get("expandSubResources", "false").lower() == "true"
        for sublist, lines in lists.items():
            shown: dict[str, Any] = {"links": [{"rel": "self", "href": f"{base}/{sublist}"}]}
            if full:
                shown |= {
                    "count": len(lines),
                    "hasMore": False,
                    "items": [{"links": [], **line} for line in lines],
                    "offset": 0,
                    "totalResults": len(lines),
                }
            body[sublist] = shown
        if wanted := call.query.get("fields"):
            lower = records.definition.fields.lower
            chosen = {lower.get(one.strip().lower()) for one in wanted.split(",")} | {"links", "id"}
            body = {one: value for one, value in body.items() if one in chosen}
        return json_answer(200, body, SINGULAR)

    # -- the way through -------------------------------------------------------------------------------------

    def _of(self, record: str) -> Records | None:
        found = None if record.lower() in self.hidden else self._types.get(record.lower())
        if found is not None and found.definition.name == "customerSubsidiaryRelationship":
            return found if self._context.settings.multi_subsidiary_customers else None
        return found

    def _missing(self, record: str) -> Answer:
        """Why a record type can't be used: the account does not have it, or the role lacks the right."""
        return errors.no_permission() if record.lower() in self.hidden else unknown_record(record)

    def _answer(self, call: Call, records: Records, run: Any, *, located: bool = True) -> Answer:
        """Read the body, run the rules, say where the record is."""
        try:
            given, warnings = read(call, records.definition, self._context)
            number: int = run(given)
        except Refused as refused:
            return refused.answer
        headers: Headers = warnings
        if located:
            headers = [location(call, records.definition.name, number), *warnings]
        return Answer(204, headers=headers)

    def _create(self, records: Records, given: dict[str, Any]) -> int:
        self._context.interference.check(records.definition.name, None, given.get("externalId"))
        return records.create(given)

    def _change(self, records: Records, number: int, given: dict[str, Any], call: Call) -> int:
        self._context.interference.check(records.definition.name, number, given.get("externalId"))
        replace = {one.strip().lower() for one in call.query.get("replace", "").split(",")}
        named = frozenset(name for name in records.definition.sublists if name.lower() in replace)
        records.change(number, given, named)
        return number

    # -- metadata --------------------------------------------------------------------------------------------

    def catalog(self, call: Call) -> Answer:
        """GET /record/v1/metadata-catalog: what record types there are, or the OpenAPI of chosen ones."""
        chosen = [name.strip() for name in call.query.get("select", "").split(",") if name.strip()]
        if unknown := [name for name in chosen if self._of(name) is None]:
            return unknown_record(unknown[0])
        shown = [records for name, records in self._types.items() if name not in self.hidden]
        found = [self._types[name.lower()] for name in chosen] or shown
        definitions = [one.definition for one in found]
        if "swagger+json" in call.headers.get("accept", ""):
            sources = [(source, made.definition.name) for (source, _), made in self._transforms.items()]
            return json_answer(200, openapi(definitions, sources), "application/swagger+json")
        base = f"http://{call.host}{BASE}/metadata-catalog"
        items = [
            {
                "name": one.name,
                "links": [
                    {"rel": "canonical", "href": f"{base}/{one.name}", "mediaType": "application/json"}
                ],
            }
            for one in definitions
        ]
        return json_answer(200, {"items": items})

    def describe(self, call: Call, record: str) -> Answer:
        """GET /record/v1/metadata-catalog/{record}."""
        records = self._of(record)
        if records is None:
            return self._missing(record)
        found: Mapping[str, Any] = schemas(records.definition)
        name = records.definition.name
        body = {**found[name], "definitions": {n: s for n, s in found.items() if n != name}}
        return json_answer(200, body, "application/schema+json")


def location(call: Call, record: str, number: int) -> tuple[str, str]:
    """Where a record lives."""
    return ("Location", f"http://{call.host}{BASE}/{record}/{number}")


def unknown_record(name: str) -> Answer:
    """A record type that the account does not have."""
    return errors.problem(404, "NOT_FOUND", f"Record type '{name}' does not exist.", o_errorPath=name)


def no_such(call: Call) -> Answer:
    """A record that is not there."""
    detail = "The record instance does not exist. Provide a valid record instance ID. Record does not exist."
    return errors.problem(404, "NONEXISTENT_ID", detail, o_errorUrl=call.path)
