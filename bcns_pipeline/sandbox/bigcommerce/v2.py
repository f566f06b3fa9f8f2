"""What all v2 resources have in common: bare arrays, their pages, dates and refusals.

Put v2 manners here. Do not put any resource here. Sources: facts/bigcommerce.md 1.4 and 1.5: no meta, no
total, and behind the last page an empty 204 (or, as a setting, an empty array). An error is an array too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from bcns_pipeline.sandbox.bigcommerce import errors
from bcns_pipeline.sandbox.bigcommerce.paging import Refusal, Window
from bcns_pipeline.sandbox.bigcommerce.settings import ShopSettings
from bcns_pipeline.sandbox.web import Answer, Call, json_answer

DEFAULT_LIMIT = 50
SUBLIST_LIMIT = 250
NOT_FOUND = "The requested resource was not found."


def refuse(status: int, message: str) -> Refusal:
    """A refusal to be raised, in v2's words."""
    return Refusal(errors.v2_problem(status, message))


def invalid(name: str, reason: str = "") -> Refusal:
    """400 for one field or parameter."""
    return refuse(400, f"The field '{name}' is invalid{': ' + reason if reason else ''}.")


def missing() -> Refusal:
    """404."""
    return refuse(404, NOT_FOUND)


def integer(call: Call, name: str) -> int | None:
    """A parameter that is a whole number; raises `Refusal`."""
    raw = call.query.get(name)
    if raw is None:
        return None
    try:
        return int(raw)
    except ValueError as fault:
        raise invalid(name) from fault


def moment(call: Call, name: str) -> datetime | None:
    """A date parameter, RFC 2822 or ISO 8601; raises `Refusal`. Without an offset it is UTC.

    A `+` that nobody encoded arrives as a blank and makes the date invalid, as in life.
    """
    raw = call.query.get(name)
    if raw is None:
        return None
    try:
        found = datetime.fromisoformat(raw) if raw[:1].isdigit() else parsedate_to_datetime(raw)
    except ValueError as fault:
        raise invalid(name) from fault
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def window(call: Call, most: int = SUBLIST_LIMIT, *, clamp: bool = False) -> Window:
    """`page` and `limit`; raises `Refusal`, 413 for a limit above `most` unless it is cut silently."""
    page, limit = integer(call, "page"), integer(call, "limit")
    page, limit = 1 if page is None else page, DEFAULT_LIMIT if limit is None else limit
    if page < 1:
        raise invalid("page")
    if limit < 1:
        raise invalid("limit")
    if limit > most:
        if not clamp:
            raise refuse(413, f"The limit must not be larger than {most}.")
        limit = most
    return Window(page, limit)


def listing(settings: ShopSettings, rows: Sequence[str]) -> Answer:
    """A page of rows that are JSON already."""
    if not rows and settings.end_of_list == "204":
        return Answer(204)
    return Answer(200, f"[{','.join(rows)}]".encode())


def sublist(call: Call, settings: ShopSettings, rows: Sequence[Any]) -> Answer:
    """A page of a short list."""
    asked = window(call)
    shown = rows[asked.start : asked.end]
    if not shown and settings.end_of_list == "204":
        return Answer(204)
    return json_answer(200, list(shown))


def body_of(call: Call) -> dict[str, Any]:
    """A body that is one object; raises `Refusal`."""
    try:
        body = call.json()
    except ValueError as fault:
        raise refuse(400, "The request body is not valid JSON.") from fault
    if not isinstance(body, dict) or not body:
        raise refuse(400, "The request body must be an object with at least one field.")
    return body
