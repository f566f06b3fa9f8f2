"""How GET shows the values that records keep.

Put the way back from typed values to JSON here. Do not put what a record consists of here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.addresses import shown_address
from bcns_pipeline.sandbox.netsuite.definition import Fields
from bcns_pipeline.sandbox.netsuite.reading import Ref


def show(fields: Fields, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that there are, by their properties' shapes."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        rule = fields.properties.get(name)
        if rule is None or value is None:
            continue
        if rule.shape == "enum" and isinstance(value, str):
            found[name] = {"id": value}
        elif rule.shape == "address":
            found[name] = shown_address(value)
        else:
            found[name] = plain(value)
    return found


def plain(value: Any) -> Any:
    """One value as JSON has it. A number of at most 15 digits keeps its text on the way through a float."""
    if isinstance(value, Ref):
        return value.shown()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return value
