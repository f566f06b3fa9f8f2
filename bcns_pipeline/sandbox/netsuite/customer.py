"""The properties of a customer: names, shapes, and the SuiteQL columns that show them.

Put the definition of the record here. Do not put its rules here (records.py). Source: facts/netsuite.md 3.6;
a property that is missing here is unknown to this account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Shape = Literal["text", "bool", "reference", "number", "sublist", "read_only"]
REFERENCED = {"subsidiary": "subsidiary", "currency": "currency", "parent": "customer"}


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a record: its shape, and the SuiteQL column that shows it, if any."""

    shape: Shape
    column: str | None = None


CUSTOMER: Mapping[str, Property] = {
    "id": Property("read_only", "id"),
    "externalId": Property("text", "externalid"),
    "entityId": Property("text", "entityid"),
    "isPerson": Property("bool", "isperson"),
    "firstName": Property("text", "firstname"),
    "lastName": Property("text", "lastname"),
    "companyName": Property("text", "companyname"),
    "email": Property("text", "email"),
    "phone": Property("text", "phone"),
    "comments": Property("text"),
    "isInactive": Property("bool", "isinactive"),
    "subsidiary": Property("reference", "subsidiary"),
    "currency": Property("reference", "currency"),
    "category": Property("reference", "category"),
    "terms": Property("reference", "terms"),
    "priceLevel": Property("reference", "pricelevel"),
    "parent": Property("reference", "parent"),
    "entityStatus": Property("reference"),
    "customForm": Property("reference"),
    "defaultAddress": Property("read_only"),
    "dateCreated": Property("read_only", "datecreated"),
    "lastModifiedDate": Property("read_only", "lastmodifieddate"),
    "addressBook": Property("sublist"),
}
LOWER = {name.lower(): name for name in CUSTOMER}


def schema(*, oneworld: bool) -> dict[str, Any]:
    """The properties of a customer as this account has them."""
    shapes: Mapping[Shape, dict[str, Any]] = {
        "text": {"type": "string"},
        "read_only": {"type": "string", "readOnly": True},
        "bool": {"type": "boolean"},
        "number": {"type": "number"},
        "reference": {
            "type": "object",
            "properties": {"id": {"type": "string"}, "refName": {"type": "string"}},
        },
        "sublist": {
            "type": "object",
            "properties": {
                "items": {"type": "array", "items": {"type": "object"}, "x-ns-sublistkey": ["internalId"]}
            },
        },
    }
    names = (name for name in CUSTOMER if name != "subsidiary" or oneworld)
    return {
        "type": "object",
        "properties": {name: {"title": name, **shapes[CUSTOMER[name].shape]} for name in names},
    }
