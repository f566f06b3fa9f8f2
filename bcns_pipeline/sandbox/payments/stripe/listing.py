"""Stripe's lists: cursors, limits, filters and what may be expanded.

Put the reading of query strings and the cutting of pages here. Do not put objects or routes here. A page has at
most 100 rows, newest first; the next one begins after the last row's id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from bcns_pipeline.sandbox.payments.stripe.errors import invalid, missing

DEFAULT_LIMIT, LIMIT = 10, 100
COMPARE: dict[str, Callable[[int, int], bool]] = {
    "": lambda a, b: a == b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}
Row = TypeVar("Row")


@dataclass(slots=True)
class Asked:
    """A query string, read: plain values, comparisons of moments by field, and what to expand."""

    values: dict[str, str] = field(default_factory=dict)
    between: dict[str, list[Callable[[int], bool]]] = field(default_factory=dict)
    expand: frozenset[str] = frozenset()

    def holds(self, name: str, moment: int) -> bool:
        """Whether a moment is in the window that was asked for."""
        return all(test(moment) for test in self.between.get(name, ()))


def read(query: str, plain: Iterable[str], moments: Iterable[str], expandable: Iterable[str]) -> Asked:
    """Read a query string; raises `StripeRefusal` for what the endpoint does not know."""
    asked, expand = Asked(), set[str]()
    allowed, dated, known = {*plain}, {*moments}, {*expandable}
    for name, value in parse_qsl(query, keep_blank_values=True):
        bare, _, rest = name.partition("[")
        inner = rest.rstrip("]")
        if bare == "expand":
            if value not in known:
                raise invalid(f"This property cannot be expanded ({value}).", "expand")
            expand.add(value)
        elif bare in dated:
            if inner not in COMPARE:
                raise invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")
            asked.between.setdefault(bare, []).append(_test(COMPARE[inner], _integer(value, name)))
        elif name in allowed:
            asked.values[name] = value
        else:
            raise invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")
    asked.expand = frozenset(expand)
    return asked


def _test(compare: Callable[[int, int], bool], bound: int) -> Callable[[int], bool]:
    return lambda moment: compare(moment, bound)


def _integer(raw: str, name: str) -> int:
    try:
        return int(raw)
    except ValueError:
        raise invalid(f"Invalid integer: {raw}", name, "parameter_invalid_integer") from None


def page(
    rows: Sequence[Row],
    asked: Asked,
    url: str,
    name_of: Callable[[Row], str],
    what: str,
    places: Mapping[str, int] | None = None,
) -> tuple[list[Row], dict[str, Any]]:
    """The rows of a page and the list object around them, whose `data` is still to come.

    `places` says where each row stands, for lists that are too long to be looked through.
    """
    limit = _integer(asked.values.get("limit", str(DEFAULT_LIMIT)), "limit")
    if not 1 <= limit <= LIMIT:
        edge = "less than or equal to 100" if limit > LIMIT else "greater than or equal to 1"
        raise invalid(f"This value must be {edge} (it currently is '{limit}').", "limit")
    start = asked.values.get("starting_after")
    first = 0
    if start is not None:
        if places is None:
            places = {name_of(row): place for place, row in enumerate(rows)}
        place = places.get(start)
        if place is None:
            raise missing(what, start, "starting_after", 400)
        first = place + 1
    cut = list(rows[first : first + limit])
    return cut, {"object": "list", "data": [], "has_more": first + limit < len(rows), "url": url}
