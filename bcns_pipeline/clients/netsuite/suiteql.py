"""Runs SuiteQL and walks its pages without ever losing or doubling a row.

Put the protocol of the query service here: bound parameters as text, lower-case keys, missing keys as NULL,
page limits and the guard against a walk in circles. The texts of queries live in `queries/*.sql`; what their
rows mean is the caller's. Facts: facts/netsuite.md 2.1 to 2.3.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, Generic, TypeVar

import msgspec

from bcns_pipeline.clients.http.transport import Transport
from bcns_pipeline.clients.netsuite.models import Page, Row
from bcns_pipeline.outcomes import Rejected, System, Unavailable

PATH: Final = "/services/rest/query/v1/suiteql"
OPERATION: Final = f"POST {PATH}"
MAX_LIMIT: Final = 1000
# Without SuiteAnalytics Connect a query ends at 100,000 rows: offset 99,000 is the last page of a thousand.
MAX_ROWS: Final = 100_000

Key = tuple[int, ...]
Reader = Callable[[bytes, int, int], Page]
T = TypeVar("T")


class SuiteQL:
    """The query service of one account. Thread-safe."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def page(
        self,
        q: str,
        params: Sequence[str | int] = (),
        *,
        limit: int = MAX_LIMIT,
        offset: int = 0,
        read: Reader | None = None,
    ) -> Page:
        """One page. `q` has one `?` per parameter; they are sent as text, which is all that is documented.

        `read` makes the rows, as `read_page` or what `typed` gives. Raises Rejected (INVALID_PARAMETER) for an
        unknown table or column, with NetSuite's words.
        """
        if not 0 < limit <= MAX_LIMIT or offset % limit:
            raise ValueError(f"limit is 1 to {MAX_LIMIT} and divides the offset")
        body: dict[str, Any] = {"q": q}
        if params:
            body["params"] = [str(one) for one in params]
        answer = self._transport.read(
            "POST",
            PATH,
            operation=OPERATION,
            params={"limit": limit, "offset": offset},
            json=body,
            headers={"Prefer": "transient"},
            parse=lambda content: (read or read_page)(content, limit, offset),
        )
        if answer.status == 204:
            return Page([], has_more=False, total=0)
        page: Page = answer.value
        return page

    def all(self, q: str, params: Sequence[str | int] = (), *, limit: int = MAX_LIMIT) -> Iterator[Page]:
        """Every page by offset, for lists known to be short (locations, periods). `q` must be ordered.

        Raises Rejected TOO_MANY_ROWS beyond 100,000 rows, which NetSuite would cut off silently: use
        `keyset`.
        """
        before: list[Row] = []
        for offset in range(0, MAX_ROWS, limit):
            page = self.page(q, params, limit=limit, offset=offset)
            if page.total is not None and page.total > MAX_ROWS:
                break
            if page.rows and page.rows == before:
                raise stuck(f"offset {offset} repeats offset {offset - limit}")
            if page.has_more and not page.rows:
                raise stuck(f"offset {offset} is empty but says that more follows")
            yield page
            if not page.has_more:
                return
            before = page.rows
        raise Rejected(
            System.NETSUITE,
            OPERATION,
            200,
            "TOO_MANY_ROWS",
            f"more than {MAX_ROWS} rows: page by key instead",
        )

    def keyset(
        self,
        q: str,
        start: Key,
        params: Callable[[Key], Sequence[str | int]],
        key: Callable[[Any], Key],
        *,
        limit: int = MAX_LIMIT,
        draw: Callable[[], int] = lambda: 0,
        read: Reader | None = None,
    ) -> Iterator[Page]:
        """Every page by key: each is a fresh query for rows after the last key, so there is no row ceiling.

        `q` is ordered by `key`, ascending and unique; `params(after)` are its parameters; what `draw` gives ahead of
        a request becomes the page's `read_seq`. Raises Unavailable when keys do not rise: the walk would never end.
        """
        after = start
        while True:
            drawn = draw()
            page = replace(self.page(q, params(after), limit=limit, read=read), read_seq=drawn)
            if not page.rows:
                if page.has_more:
                    raise stuck("an empty page says that more follows")
                yield page
                return
            with readable():
                first, last = key(page.rows[0]), key(page.rows[-1])
            if first <= after or last < first:
                raise stuck(f"the page after {after} runs from {first} to {last}")
            yield page
            if not page.has_more:
                return
            after = last


@contextmanager
def readable() -> Iterator[None]:
    """Around the reading of rows: a row without its key or number is a fault of the other side, not ours."""
    try:
        yield
    except (KeyError, ValueError) as error:
        raise Unavailable(System.NETSUITE, OPERATION, f"a row of another shape: {error!r:.80}") from None


def stuck(why: str) -> Unavailable:
    """The error for a walk that makes no way."""
    return Unavailable(System.NETSUITE, OPERATION, f"paging walks in circles: {why}")


def read_page(content: bytes, limit: int, offset: int) -> Page:
    """A Page of a body; ValueError for another shape.

    Numbers stay the text that they were written as, whether NetSuite quoted them or not. Where `hasMore` is
    missing (Oracle's field list has none) the total decides, and without a total a full page means more.
    """
    value = json.loads(content, parse_int=str, parse_float=str)
    if isinstance(value, list):
        value = {"items": value}
    if not isinstance(value, dict):
        raise ValueError("not a page of rows")  # noqa: TRY004 - ValueError is what the transport retries
    outer = {str(key).lower(): one for key, one in value.items()}
    items = outer.get("items", [] if "count" in outer or "hasmore" in outer else None)
    if not isinstance(items, list):
        raise ValueError("no rows in the answer")  # noqa: TRY004 - the transport retries it
    rows = normalise(items)
    total = outer.get("totalresults")
    counted = int(total) if isinstance(total, str) and total.isdigit() else None
    more = outer.get("hasmore")
    if isinstance(more, bool):
        has_more = more
    elif counted is not None:
        has_more = offset + len(rows) < counted
    else:
        has_more = len(rows) >= limit
    return Page(rows, has_more, counted, content)


class _Answer(msgspec.Struct, Generic[T]):
    items: list[T]
    hasMore: bool


def typed(row: type[T]) -> Reader:
    """A reader of pages with rows of this struct, in a fifth of the time that rows of any shape take.

    Where NetSuite writes a page in another way than usual (upper-case names, numbers without quotes, no `hasMore`), it
    is read as `read_page` does, and its rows are made of that. ValueError for another shape.
    """
    usual = msgspec.json.Decoder(_Answer[row], strict=False)  # type: ignore[valid-type]

    def read(content: bytes, limit: int, offset: int) -> Page:
        try:
            answer = usual.decode(content)
        except msgspec.MsgspecError:
            page = read_page(content, limit, offset)
            try:
                rows = msgspec.convert(page.rows, list[row], strict=False)  # type: ignore[valid-type]
            except msgspec.MsgspecError as error:
                raise ValueError(f"a row of another shape: {error}") from None
            return replace(page, rows=rows)
        return Page(answer.items, answer.hasMore, None, content)

    return read


def normalise(items: list[Any]) -> list[Row]:
    """Rows with lower-case keys and text values, without `links` and without NULLs.

    The usual page passes on three looks that run in C: no key to lower, no value that is not text.
    """
    if not items:
        return []
    if set(map(type, items)) != {dict}:
        raise ValueError("a row that is not an object")
    keys = set().union(*items)
    plain = all(isinstance(key, str) and key.islower() for key in keys)
    for row in items:
        row.pop("links", None)
    if plain and all(set(map(type, row.values())) <= {str} for row in items):
        return items
    return [
        {
            key.lower(): text
            for key, value in row.items()
            if (text := _text(value)) is not None and key != "links"
        }
        for row in items
    ]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "T" if value else "F"
    raise ValueError(f"a value of type {type(value).__name__} in a row")
