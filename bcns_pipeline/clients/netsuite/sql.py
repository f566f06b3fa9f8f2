"""The texts of our SuiteQL, read from `queries/*.sql`, with the few parts that can't be bound filled in.

Put the filling here: a column name, a table name and lists of whole numbers, each checked before it becomes
text. Values are never filled in, they are bound. The dialect is the plain middle of what NetSuite takes
(facts/netsuite.md 2.2): no WITH, no UNION, no row values, explicit ASC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from bcns_pipeline.outcomes import Rejected

_NAME: Final = re.compile(r"^[a-z][a-z0-9_]{0,63}$")
# NetSuite takes no more than 1000 arguments in IN.
MAX_IN: Final = 500


@cache
def text(name: str) -> str:
    """The text of `queries/<name>.sql`."""
    return files(__package__).joinpath("queries", f"{name}.sql").read_text("utf-8").strip()


def fill(name: str, **parts: str) -> str:
    """The text of a query with its named parts filled in."""
    found = text(name)
    for key, value in parts.items():
        found = found.replace("{" + key + "}", value)
    return found


def identifier(name: str) -> str:
    """`name` if it can be a column or table name; ValueError otherwise."""
    if not _NAME.match(name):
        raise ValueError(f"{name!r} is not a column name: lower-case letters, digits and _ only")
    return name


def numbers(values: Iterable[int]) -> str:
    """`1, 6` for an IN list; ValueError for an empty one, or more than NetSuite takes."""
    found = [str(int(value)) for value in values]
    if not 0 < len(found) <= MAX_IN:
        raise ValueError(f"an IN list of {len(found)} values: 1 to {MAX_IN} are possible")
    return ", ".join(found)


def at_locations(alias: str, locations: Sequence[int] | None, *, joined: bool) -> str:
    """` AND ail.location IN (1, 6)` for a join, `c.location IN (1) AND ` for a filter, "" for all."""
    if locations is None:
        return ""
    condition = f"{alias}.location IN ({numbers(locations)})"
    return f" AND {condition}" if joined else f"{condition} AND "


def pieces(ids: Sequence[int] | None) -> list[Sequence[int] | None]:
    """`ids` sorted and cut for IN lists; [None] for no restriction."""
    if ids is None:
        return [None]
    wanted = sorted(set(ids))
    return [wanted[i : i + MAX_IN] for i in range(0, len(wanted), MAX_IN)]


def unknown_name(error: Rejected) -> bool:
    """NetSuite does not know a table or column, or hides it from the role (facts/netsuite.md 2.2)."""
    return error.status == 400 and error.code == "INVALID_PARAMETER"
