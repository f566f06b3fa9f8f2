"""What v3 lists and writes have in common beyond plain pages: cursors, dates, bodies that are arrays.

Put v3 manners here. Do not put any resource here. Source: facts/bigcommerce.md 1.5: the first page tells both
kinds of pagination, a later `page` only its own, and with `before` or `after` there is only the cursor.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from bcns_pipeline.sandbox.bigcommerce import errors
from bcns_pipeline.sandbox.bigcommerce.paging import Refusal, window
from bcns_pipeline.sandbox.web import Answer, Call, json_answer

DEFAULT_LIMIT = 50
LIMIT = 250
Row = TypeVar("Row")
Key = tuple[Any, int]


def refuse(status: int, title: str | None = None, fields: dict[str, str] | None = None) -> Refusal:
    """A refusal to be raised, in v3's words; only inventory and tax send them as problem+json."""
    answer = errors.problem(status, title, fields)
    answer.content_type = "application/json"
    return Refusal(answer)


def iso(moment: datetime) -> str:
    """A moment as v3 writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def parsed(raw: str) -> datetime:
    """An ISO 8601 day or moment; without an offset it is UTC. Raises `ValueError`."""
    found = datetime.fromisoformat(raw)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def moment(call: Call, name: str) -> datetime | None:
    """A date filter in ISO 8601; raises `Refusal`."""
    raw = call.query.get(name)
    if raw is None:
        return None
    try:
        return parsed(raw)
    except ValueError as fault:
        raise refuse(422, f"The filter {name} takes an ISO 8601 date") from fault


def between(call: Call, name: str) -> Callable[[datetime], bool]:
    """A test for `name`, `name:min` and `name:max`; bounds belong to the window. Raises `Refusal`."""
    exact, least, most = moment(call, name), moment(call, f"{name}:min"), moment(call, f"{name}:max")
    return lambda when: (
        (exact is None or when == exact)
        and (least is None or when >= least)
        and (most is None or when <= most)
    )


def collection(
    call: Call,
    rows: Sequence[Row],
    shown: Callable[[Row], dict[str, Any]],
    key: Callable[[Row], Key],
    *,
    down: bool = False,
) -> Answer:
    """A page of rows, sorted by `key`, with the pagination that the call asked for; raises `Refusal`."""
    asked = window(call, DEFAULT_LIMIT, LIMIT)
    rows = sorted(rows, key=key, reverse=down)
    after, before = call.query.get("after"), call.query.get("before")
    meta: dict[str, Any] = {}
    if after or before:
        bound = _read(after or before or "")
        beyond = [row for row in rows if (key(row) < bound if down else key(row) > bound)]
        ahead = [row for row in rows if (key(row) > bound if down else key(row) < bound)]
        page = beyond[: asked.limit] if after else ahead[-asked.limit :]
        more = len(beyond) > asked.limit if after else True
    else:
        page = rows[asked.start : asked.end]
        more = len(rows) > asked.end
        meta["pagination"] = _pages(asked.page, asked.limit, len(page), len(rows))
    if asked.page == 1:
        meta["cursor_pagination"] = _cursor([key(row) for row in page], asked.limit, more=more)
    return json_answer(200, {"data": [shown(row) for row in page], "meta": meta})


def _pages(page: int, limit: int, count: int, total: int) -> dict[str, Any]:
    pages = max(-(-total // limit), 1)
    links = {"current": f"?page={page}&limit={limit}"}
    if page > 1:
        links["previous"] = f"?page={page - 1}&limit={limit}"
    if page < pages:
        links["next"] = f"?page={page + 1}&limit={limit}"
    return {
        "total": total,
        "count": count,
        "per_page": limit,
        "current_page": page,
        "total_pages": pages,
        "links": links,
    }


def _cursor(keys: list[Key], limit: int, *, more: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"count": len(keys), "per_page": limit, "links": {}}
    if keys:
        found["start_cursor"], found["end_cursor"] = _write(keys[0]), _write(keys[-1])
        if more:
            found["links"]["next"] = f"?after={found['end_cursor']}&limit={limit}"
    return found


def _write(key: Key) -> str:
    value = iso(key[0]) if isinstance(key[0], datetime) else key[0]
    return base64.urlsafe_b64encode(json.dumps([value, key[1]]).encode()).decode().rstrip("=")


def _read(cursor: str) -> Key:
    try:
        value, number = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(value, str) and value[:4].isdigit() and value.endswith("Z"):
            return datetime.fromisoformat(value), int(number)
        return value, int(number)
    except (ValueError, TypeError) as fault:
        raise refuse(422, "The cursor is not valid") from fault


def array(call: Call, most: int) -> list[dict[str, Any]]:
    """A body that is an array of objects; raises `Refusal`, 413 for more than `most`."""
    try:
        body = call.json()
    except ValueError as fault:
        raise refuse(400, "Input is invalid") from fault
    if not isinstance(body, list) or not body or not all(isinstance(one, dict) for one in body):
        raise refuse(422, "The request body must be an array of objects")
    if len(body) > most:
        raise refuse(413, f"The maximum number of items allowed in the array is {most}")
    return body
