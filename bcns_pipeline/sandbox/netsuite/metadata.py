"""The metadata catalogue: what fields this account's records have, in the form that NetSuite gives them.

Put the OpenAPI form here. Do not put definitions here. The form was seen in a real account's catalogue: a
sublist is a `{record}-{sublist}Collection` of `{record}-{sublist}Element`, which names its keys in
`x-ns-sublistkey`, and the account's own fields carry `x-ns-custom-field`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bcns_pipeline.sandbox.netsuite.definition import ADDRESS, Definition, Fields, Property, Sublist

RESOURCE = {"$ref": "#/components/schemas/nsResource"}
NS_RESOURCE = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("id", "externalId", "refName")},
}
SHAPES: Mapping[str, dict[str, Any]] = {
    "text": {"type": "string", "nullable": True},
    "bool": {"type": "boolean"},
    "number": {"type": "number", "format": "double", "nullable": True},
    "integer": {"type": "integer", "format": "int64", "nullable": True},
    "date": {"type": "string", "format": "date", "nullable": True},
    "datetime": {"type": "string", "format": "date-time", "nullable": True},
}


def openapi(definitions: Sequence[Definition], transforms: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The OpenAPI document of some record types."""
    paths: dict[str, Any] = {}
    found: dict[str, Any] = {"nsResource": NS_RESOURCE}
    for one in definitions:
        paths[f"/{one.name}"] = {"post": {"summary": "Insert record."}}
        paths[f"/{one.name}/{{id}}"] = {
            verb: {"summary": f"{verb} record."} for verb in ("get", "patch", "put")
        }
        for source, target in transforms:
            if source == one.name.lower():
                paths[f"/{one.name}/{{id}}/!transform/{target}"] = {
                    "post": {"summary": f"Transform to {target}."}
                }
        found |= schemas(one)
    return {
        "openapi": "3.0.1",
        "info": {"title": "NetSuite REST Record API", "version": "v1"},
        "paths": paths,
        "components": {"schemas": found},
    }


def schemas(definition: Definition) -> dict[str, Any]:
    """The schema of a record, and those of its addresses and sublists."""
    name = definition.name
    found: dict[str, Any] = {name: object_of(definition.fields, name)}
    for own, rule in definition.fields.properties.items():
        if rule.shape == "address":
            found[f"{name}-{own}"] = address()
    for own, sublist in definition.sublists.items():
        element = f"{name}-{own}Element"
        found[f"{name}-{own}Collection"] = {
            "type": "object",
            "properties": {
                "links": {"type": "array", "readOnly": True},
                "totalResults": {"type": "integer", "readOnly": True},
                "items": {"type": "array", "items": {"$ref": f"#/components/schemas/{element}"}},
            },
        }
        found[element] = {**object_of(sublist.fields, f"{name}-{own}"), "x-ns-sublistkey": keys(sublist)}
        for inner, rule in sublist.fields.properties.items():
            if rule.shape == "address":
                found[f"{name}-{own}-{inner}"] = address()
    return found


def object_of(fields: Fields, owner: str) -> dict[str, Any]:
    """An object schema of some fields."""
    return {
        "type": "object",
        "properties": {name: shape(rule, name, owner) for name, rule in fields.properties.items()},
        "x-ns-filterable": [],
    }


def shape(rule: Property, name: str, owner: str) -> dict[str, Any]:
    """The schema of one property."""
    extra: dict[str, Any] = {"x-ns-custom-field": True} if rule.custom else {}
    if rule.read_only:
        extra["readOnly"] = True
    if rule.shape == "reference":
        return {**RESOURCE, **extra}
    if rule.shape == "sublist":
        return {"$ref": f"#/components/schemas/{owner}-{name}Collection"}
    if rule.shape == "address":
        return {"$ref": f"#/components/schemas/{owner}-{name}"}
    if rule.shape == "enum":
        choice: dict[str, Any] = {"title": "Internal identifier", "type": "string"}
        if rule.values:
            choice["enum"] = list(rule.values)
        return {"type": "object", "properties": {"id": choice, "refName": {"type": "string"}}, **extra}
    return {"title": name, **SHAPES[rule.shape], **extra}


def address() -> dict[str, Any]:
    """The schema of an address."""
    country = {"type": "object", "properties": {"id": {"type": "string"}, "refName": {"type": "string"}}}
    return {
        "type": "object",
        "properties": {**{name: {"type": "string"} for name in ADDRESS}, "country": country},
    }


def keys(sublist: Sublist) -> dict[str, Any]:
    """By what a sublist's lines are known."""
    return {
        "present": True,
        "value": {"new": list(sublist.new or sublist.existing), "existing": list(sublist.existing)},
    }
