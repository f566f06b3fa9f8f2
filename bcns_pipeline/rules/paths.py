"""One value out of a JSON document by a dotted path, for the custom fields of the mapping file.

Put the following of a path here. Do not put here which paths make sense: each record's mapping knows that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

Scalar = str | int | Decimal | bool


def value_at(document: Mapping[str, Any], path: str) -> Scalar | None:
    """The value under `path` ("billing_address.form_fields.VAT number"); None where there is none.

    A list of {"name": ..., "value": ...} is entered by name, as BigCommerce keeps form fields. Text that is
    empty counts as none; objects and lists are no values.
    """
    here: Any = document
    rest = path
    while rest:
        if isinstance(here, Mapping):
            # Names of form fields may have dots in them, so the whole rest is tried first.
            key, _, after = (rest, "", "") if rest in here else rest.partition(".")
            here, rest = here.get(key), after
        elif isinstance(here, Sequence) and not isinstance(here, str):
            named = [row for row in here if isinstance(row, Mapping) and row.get("name") == rest]
            here, rest = (named[0].get("value"), "") if named else (None, "")
        else:
            return None
    if isinstance(here, str):
        return here.strip() or None
    return here if isinstance(here, (int, Decimal)) else None
