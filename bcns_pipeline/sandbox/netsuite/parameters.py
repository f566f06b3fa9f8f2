"""Parameters of a query, converted as Oracle would convert them for what they are compared with.

Put the conversion of bound values here. Do not put literals in the text here (expressions.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from bcns_pipeline.sandbox.netsuite.errors import SuiteQLError
from bcns_pipeline.sandbox.netsuite.expressions import date_of
from bcns_pipeline.sandbox.netsuite.schema import Kind


def bind_all(
    params: Sequence[Any], kinds: Sequence[Kind | None], sizes: Mapping[int, int], date_format: str
) -> dict[str, Any]:
    """Parameters under their names: p0, p1, ..., and p3_0, p3_1, ... where one stands for a list."""
    bound: dict[str, Any] = {}
    values = iter(params)
    for place, kind in enumerate(kinds):
        if place not in sizes:
            bound[f"p{place}"] = bind(next(values), kind, date_format)
            continue
        for k in range(sizes[place]):
            bound[f"p{place}_{k}"] = bind(next(values), kind, date_format)
    return bound


def bind(value: Any, kind: Kind | None, date_format: str) -> Any:
    """A parameter as Oracle would convert it for what it is compared with."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise SuiteQLError("Invalid or unsupported search. Parameters are strings or numbers.")
    if kind is not None and kind.is_number:
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation as fault:
            raise SuiteQLError(f"Search error occurred: Invalid number: '{value}'.") from fault
        return int(number) if number == number.to_integral_value() else number
    if kind is not None and kind.is_date:
        return date_of(str(value), date_format)
    return str(value)
