"""The web layer of the doubles: calls, answers, routes.

Put what every double needs to answer HTTP here. Do not put what a system knows or refuses here. It is
smaller than Starlette because the time that a double takes is part of every floor that `make bench` prints.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Headers = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Call:
    """One request, read to its end.

    Header names are lower-case; a system that counts calls marks those let in.
    """

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    host: str = ""
    let_in: bool = False
    _query: dict[str, str] | None = None

    @property
    def query(self) -> dict[str, str]:
        """The query string, decoded; of a repeated name the last one counts."""
        if self._query is None:
            self._query = dict(parse_qsl(self.query_string, keep_blank_values=True))
        return self._query

    def json(self) -> Any:
        """The body as JSON; `ValueError` where it is none."""
        return json.loads(self.body)


@dataclass(slots=True)
class Answer:
    """What goes back: a status, a body that is ready to be sent, and headers."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Headers = field(default_factory=tuple)


Handler = Callable[..., "Answer | Awaitable[Answer]"]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path pattern. A `threaded` handler runs outside the event loop, so that others go on."""

    method: str
    pattern: re.Pattern[str]
    name: str
    handler: Handler
    threaded: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Where a call goes: the route and what its path names."""

    route: Route
    names: Mapping[str, str]


class Routes:
    """A table of routes, asked in the order of their registration."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def add(self, method: str, path: str, name: str, handler: Handler, *, threaded: bool = False) -> None:
        """Register `handler`; `{x}` in `path` matches one segment and is passed as the argument `x`."""
        pattern = re.compile("^" + re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)) + "/?$")
        self._routes.append(Route(method, pattern, name, handler, threaded))

    def find(self, method: str, path: str) -> Found | list[str]:
        """The route of a call, or the methods that its path does answer to (none: no such path)."""
        allowed = []
        for route in self._routes:
            if match := route.pattern.match(path):
                if route.method == method:
                    return Found(route, match.groupdict())
                allowed.append(route.method)
        return allowed


def json_answer(
    status: int, body: Any, content_type: str = "application/json", headers: Headers = ()
) -> Answer:
    """`body` as compact JSON."""
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Answer(status, text.encode(), content_type, headers)
