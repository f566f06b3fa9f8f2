"""A request's body as a record takes it: names that the account knows, values of the right shape.

Put names and shapes here. Do not put rules of a record type here. Source: facts/netsuite.md 3.1: with
`X-NetSuite-PropertyNameValidation: Error` an unknown name is refused, else it is dropped, with a header or
without one. Numbers are read as decimals; a float would lose what the client said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

from bcns_pipeline.sandbox.netsuite.definition import ADDRESS, Definition, Fields, Property
from bcns_pipeline.sandbox.netsuite.errors import Refused, bad_reference, invalid_content, invalid_field
from bcns_pipeline.sandbox.web import Call, Headers

EXTERNAL_ID = re.compile(r"^[A-Za-z0-9_-]{1,255}$")
Mode = Literal["error", "warning", "ignore"]


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference that was found: the id and the name that NetSuite shows beside it."""

    id: int
    name: str = ""

    def shown(self) -> dict[str, str]:
        """As GET shows it."""
        return {"id": str(self.id), "refName": self.name} if self.name else {"id": str(self.id)}


class Resolver(Protocol):
    """Finds what a reference points at."""

    def resolve(self, target: str, identity: str | None, external: str | None) -> Ref | None:
        """The record with this id or external id; None where there is none."""


@dataclass(slots=True)
class Reading:
    """One body under way: how strict, and what was dropped."""

    resolver: Resolver
    mode: Mode
    dropped: list[str] = field(default_factory=list)

    def record(self, definition: Definition, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The known properties with their values; null clears one. Sublists become lists of lines."""
        found = self._fields(definition.fields, raw, "")
        for name, sublist in definition.sublists.items():
            if name in found:
                found[name] = self._lines(sublist.fields, found[name], name)
        return found

    def headers(self) -> Headers:
        """What the answer says of dropped names."""
        if not self.dropped or self.mode != "warning":
            return []
        said = "; ".join(f"Unknown property: {name}" for name in self.dropped)
        return [("X-NetSuite-Warning", said.encode("ascii", "replace").decode())]

    def _fields(self, fields: Fields, raw: Mapping[str, Any], path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in raw.items():
            rule = fields.properties.get(name)
            exact = name
            if rule is None and self.mode != "error":
                # Oracle's own samples spell names in lower case; with Error the exact spelling counts.
                exact = fields.lower.get(name.lower(), name)
                rule = fields.properties.get(exact)
            if rule is None:
                if name in ("links", "refName") and path:
                    continue
                if self.mode == "error":
                    raise Refused("INVALID_CONTENT", f"Invalid property name: '{path}{name}'.", path + name)
                self.dropped.append(path + name)
            elif not rule.read_only:
                found[exact] = self._value(exact, rule, value, path + name)
        return found

    def _lines(self, fields: Fields, raw: Any, path: str) -> list[dict[str, Any]]:
        if raw is None:
            return []
        items = raw.get("items") if isinstance(raw, dict) else None
        if isinstance(raw, dict) and "items" in raw and items is None:
            return []
        if not isinstance(items, list):
            raise Refused("INVALID_CONTENT", f"The sublist {path} needs 'items'.", path)
        lines = []
        for place, item in enumerate(items):
            if not isinstance(item, dict):
                raise Refused("INVALID_CONTENT", f"An entry of {path} must be an object.", path)
            lines.append(self._fields(fields, item, f"{path}.items[{place}]."))
        return lines

    def _value(self, name: str, rule: Property, value: Any, path: str) -> Any:
        shape = rule.shape
        if value is None or shape == "sublist":
            return value
        if shape == "text":
            if not isinstance(value, (str, int, Decimal)) or isinstance(value, bool):
                raise invalid_content(name, path)
            return str(value) or None
        if shape == "number":
            if not isinstance(value, (int, Decimal)) or isinstance(value, bool):
                raise invalid_content(name, path)
            return Decimal(value)
        if shape == "bool":
            if not isinstance(value, bool):
                raise invalid_content(name, path)
            return value
        if shape == "reference":
            return self._reference(name, rule, value, path)
        if shape == "enum":
            chosen = value.get("id") if isinstance(value, dict) else value
            if isinstance(chosen, bool):
                chosen = "T" if chosen else "F"
            if not isinstance(chosen, str) or (rule.values and chosen not in rule.values):
                raise invalid_content(name, path)
            return chosen
        if shape == "address":
            return self._address(value, path)
        return self._plain(name, rule, value, path)

    def _plain(self, name: str, rule: Property, value: Any, path: str) -> Any:
        try:
            if rule.shape == "integer":
                if isinstance(value, (bool, Decimal)):
                    raise invalid_content(name, path)
                return int(value)
            if rule.shape == "date":
                return date.fromisoformat(value)
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (TypeError, ValueError) as fault:
            raise invalid_content(name, path) from fault

    def _reference(self, name: str, rule: Property, value: Any, path: str) -> Ref:
        external = None
        identity = value
        if isinstance(value, dict):
            identity, external = value.get("id"), value.get("externalId")
        if (identity is None and external is None) or isinstance(identity, (bool, dict, list)):
            raise Refused("INVALID_CONTENT", f"Invalid reference in the property '{name}'.", path)
        identity = None if identity is None else str(identity)
        if not rule.target:
            if identity is None or not identity.lstrip("-").isdigit():
                raise Refused("INVALID_CONTENT", f"Invalid reference in the property '{name}'.", path)
            return Ref(int(identity))
        found = self.resolver.resolve(rule.target, identity, None if external is None else str(external))
        if found is None:
            said = identity if identity is not None else external
            if rule.target in RECORDS:
                raise bad_reference(said, name, path)
            raise invalid_field(said, name, path)
        return found

    def _address(self, value: Any, path: str) -> dict[str, str]:
        """An address with the names that NetSuite knows; its country is the code alone."""
        if not isinstance(value, dict):
            raise invalid_content(path, path)
        found: dict[str, str] = {}
        for name, part in value.items():
            if name == "country":
                code = part.get("id") if isinstance(part, dict) else part
                if not isinstance(code, str) or not re.fullmatch("[A-Z]{2}", code):
                    raise invalid_content("country", f"{path}.country")
                found["country"] = code
            elif name in ADDRESS:
                if part is not None and (not isinstance(part, (str, int)) or isinstance(part, bool)):
                    raise invalid_content(name, f"{path}.{name}")
                if part not in (None, ""):
                    found[name] = str(part)
            elif name not in ("override", "links", "refName"):
                if self.mode == "error":
                    raise Refused(
                        "INVALID_CONTENT", f"Invalid property name: '{path}.{name}'.", f"{path}.{name}"
                    )
                self.dropped.append(f"{path}.{name}")
        return found


# References to records; the rest are fields of a form, which NetSuite refuses in other words.
RECORDS = frozenset({"item", "customer", "transaction"})


def read(call: Call, definition: Definition, resolver: Resolver) -> tuple[dict[str, Any], Headers]:
    """The body of a request; raises `Refused` where it can't be read."""
    try:
        raw = json.loads(call.body, parse_float=Decimal) if call.body else {}
    except ValueError as fault:
        raise Refused("INVALID_REQUEST", "Invalid JSON in the request body.") from fault
    if not isinstance(raw, dict):
        raise Refused("INVALID_REQUEST", "The request body must be a JSON object.")
    mode = call.headers.get("x-netsuite-propertynamevalidation", "Warning").lower()
    if mode not in ("error", "warning", "ignore"):
        raise Refused("INVALID_HEADER", "X-NetSuite-PropertyNameValidation is Error, Warning or Ignore.")
    reading = Reading(resolver, mode)  # type: ignore[arg-type]
    found = reading.record(definition, raw)
    return found, reading.headers()
