"""One store's address, and the few ways in which its two API versions answer.

Put what all calls share here: the path of the store, pages of v3 with their meta, pages of v2 without, single
records, and what an empty answer means. What is asked for lives in one module per subject (`client.py`,
`orders.py`, `customers.py`, `hooks.py`). Facts: `facts/bigcommerce.md` 1.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from bcns_pipeline.clients.bigcommerce import parsing, shop
from bcns_pipeline.clients.bigcommerce.models import Paging
from bcns_pipeline.clients.bigcommerce.paging import all_pages
from bcns_pipeline.clients.http.body import Params, decode_exact
from bcns_pipeline.clients.http.transport import Transport
from bcns_pipeline.outcomes import Outcome, OutsideError, Rejected, Sent, System, Unavailable

T = TypeVar("T")
Document = dict[str, Any]
# v2 lists say neither how many rows there are nor whether `limit` was obeyed. 50 is what they give unasked, so
# only fewer than that is certainly the end.
SURE_END: Final = 50
MAX_ROWS: Final = 250
_MOST_PAGES: Final = 10_000
# The v2 files ask for it even where nothing is sent.
_JSON: Final = {"Content-Type": "application/json"}


class StoreApi:
    """Requests below `/stores/{hash}`. Thread-safe."""

    def __init__(self, transport: Transport, store_hash: str) -> None:
        self._transport = transport
        self._store = f"/stores/{store_hash}"

    def get(
        self,
        path: str,
        params: Params,
        read: Callable[[bytes], T],
        empty: T | None,
        *,
        operation: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """A page or record; `empty` for a 204, which is an error where there is no `empty`.

        `operation` names the call in logs and errors: the path with its ids left out.
        """
        named = operation or f"GET {path}"
        answer = self._transport.read(
            "GET",
            self._store + path,
            operation=named,
            params=params,
            headers=headers,
            parse=parsing.read_shape(read),
        )
        if answer.status != 204:
            value: T = answer.value
            return value
        if empty is None:
            raise Rejected(System.BIGCOMMERCE, named, 204, "EMPTY", "no answer where there must be one")
        return empty

    def rows(
        self,
        path: str,
        make: Callable[[Mapping[str, Any]], Any],
        *,
        limit: int,
        operation: str | None = None,
        **params: Any,
    ) -> list[Any]:
        """Every row of a numbered v3 list (or a short v2 one), made into something."""

        def page(number: int) -> shop.Rows:
            asked: Params = {**params, "page": number, "limit": limit}
            rows: shop.Rows = self.get(
                path,
                asked,
                lambda body: shop.rows(body, number, limit, make),
                shop.Rows([], Paging(number, 0, limit)),
                operation=operation,
            )
            return rows

        pages = all_pages(page, operation=operation or f"GET {path}")
        return [row for found in pages for row in found.rows]

    def one(self, path: str, make: Callable[[Mapping[str, Any]], T], **params: Any) -> T:
        """A single record, bare (v2) or under `data` (v3)."""
        return self.get(path, params, lambda body: shop.one(body, make), None)

    def found(self, path: str, params: Params, operation: str) -> Document | None:
        """A single record as read, None for 404."""
        try:
            return self.get(path, params, lambda body: shop.one(body, dict), None, operation=operation)
        except Rejected as error:
            if error.status == 404:
                return None
            raise

    def rows_v2(self, path: str, params: Params, operation: str) -> list[Document]:
        """Every row of a v2 list as read: page after page until 204, `[]` or certainly the last page."""
        return [row for page in self._pages_v2(path, params, operation) for row in page]

    def _pages_v2(self, path: str, params: Params, operation: str) -> Iterator[list[Document]]:
        before: list[Document] = []
        for number in range(1, _MOST_PAGES):
            asked = {**params, "page": number, "limit": MAX_ROWS}
            rows = self.page_v2(path, asked, operation)
            if rows and rows == before:
                break
            yield rows
            if sure_end(len(rows), MAX_ROWS):
                return
            before = rows
        raise stuck(operation, "a page repeats the one before it")

    def page_v2(self, path: str, params: Params, operation: str) -> list[Document]:
        """One page of a v2 list as read."""
        return self.get(path, params, documents, [], operation=operation, headers=_JSON)

    def unpaged_v3(self, path: str, operation: str) -> list[Document]:
        """Every row of a v3 list that takes no page number.

        Raises Rejected INCOMPLETE where its meta says that there are more rows than it gave.
        """
        nothing: tuple[list[Document], Paging] = ([], Paging(1, 0, MAX_ROWS))
        rows, paging = self.get(
            path,
            {},
            lambda body: parsing.page_of(body, 1, MAX_ROWS),
            nothing,
            operation=operation,
        )
        if (paging.total or 0) > len(rows):
            text = f"{len(rows)} of {paging.total} rows, and no way to ask for the others"
            raise Rejected(System.BIGCOMMERCE, operation, 200, "INCOMPLETE", text)
        return rows

    def write(self, method: str, path: str, body: Any, operation: str, keep: Sequence[str] = ()) -> Outcome:
        """One write; Sent carries the `id` of what came back as `record_id`.

        Of the record only `keep` stays in the answer: the store echoes whole orders with names and addresses,
        and answers are written down.
        """
        outcome = self._transport.write(method, self._store + path, operation=operation, json=body)
        if not isinstance(outcome, Sent):
            return outcome
        inner = outcome.answer.get("data")
        record = inner if isinstance(inner, dict) else outcome.answer
        identity = record.get("id")
        return Sent(_only(record, keep), None if identity is None else str(identity))

    def write_many(self, method: str, path: str, body: Any, operation: str, keep: Sequence[str]) -> Outcome:
        """One write of several records; Sent answers {"data": [each with only `keep`]}."""
        outcome = self._transport.write(method, self._store + path, operation=operation, json=body)
        if not isinstance(outcome, Sent):
            return outcome
        rows = outcome.answer.get("data")
        rows = rows if isinstance(rows, list) else []
        return Sent({"data": [_only(row, keep) for row in rows if isinstance(row, dict)]})


class Subject:
    """A group of calls over one store's API."""

    def __init__(self, api: StoreApi) -> None:
        self._api = api


def documents(body: bytes) -> list[Document]:
    """A bare JSON array of objects (v2), or the one under `data`, with exact decimals."""
    value = decode_exact(body)
    if isinstance(value, dict):
        value = value["data"]
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise TypeError("not a list of objects")
    return value


def _only(record: Mapping[str, Any], keep: Sequence[str]) -> Document:
    return {name: record[name] for name in keep if name in record}


def sure_end(count: int, limit: int) -> bool:
    """Nothing can follow a page of `count` rows: it is shorter than any page size in use."""
    return count < min(limit, SURE_END)


def stuck(operation: str, why: str) -> OutsideError:
    """The error for a walk that makes no way."""
    return Unavailable(System.BIGCOMMERCE, operation, f"the list walks in circles: {why}")


@contextmanager
def readable(operation: str) -> Iterator[None]:
    """Around the reading of rows: one without its id, date or figure is a fault of the store, not ours."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        why = f"UNREADABLE: a row of another shape ({type(error).__name__})"
        raise Unavailable(System.BIGCOMMERCE, operation, why) from None


def at_most(what: str, number: int, most: int) -> None:
    """ValueError where more is asked for than one call takes."""
    if number > most:
        raise ValueError(f"{what}: {number} is more than the {most} that one call takes")


def joined(wanted: Sequence[int] | None) -> str | None:
    """`1,2` for a filter, None for none."""
    return ",".join(map(str, wanted)) if wanted else None
