"""Walks numbered pages, one after the other or several at once, and notices when it walks in circles.

Put the walk here; what a page holds is the caller's. A list that ends early, repeats a page or never ends
is an error, never a shorter list: unknown is not empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

from bcns_pipeline.clients.bigcommerce.models import Paging
from bcns_pipeline.outcomes import System, Unavailable

_MOST_PAGES: Final = 100_000


class Page(Protocol):
    """What a page must show: its position, which also tells a repeated one."""

    @property
    def paging(self) -> Paging:
        """Where the page stands."""
        ...


P = TypeVar("P", bound=Page)


def all_pages(fetch: Callable[[int], P], *, operation: str, parallel: int = 1) -> Iterator[P]:
    """Every page in order, each as soon as it and those before it are there.

    The first page tells how many there are; the rest is fetched `parallel` at a time. Where the first page
    does not tell, one page follows the other until a short or empty one. Raises Unavailable when a page
    repeats the one before it or when a page that was announced is empty.
    """
    first = fetch(1)
    yield first
    total = first.paging.total_pages
    if first.paging.last:
        return
    if total is None or parallel <= 1:
        yield from _one_by_one(fetch, first, operation)
        return
    with ThreadPoolExecutor(parallel, thread_name_prefix="pages") as pool:
        before = first
        for start in range(2, total + 1, parallel * 4):
            # Four rounds at a time: keeps all threads busy without holding every page of a large list.
            wave = [pool.submit(fetch, n) for n in range(start, min(start + parallel * 4, total + 1))]
            try:
                for future in wave:
                    page = future.result()
                    _check(page, before, operation)
                    yield page
                    before = page
            finally:
                for future in wave:
                    future.cancel()


def _one_by_one(fetch: Callable[[int], P], first: P, operation: str) -> Iterator[P]:
    before = first
    for number in range(2, _MOST_PAGES):
        page = fetch(number)
        if page.paging.count == 0 and page.paging.total_pages is None:
            return
        _check(page, before, operation)
        yield page
        if page.paging.last:
            return
        before = page
    raise Unavailable(System.BIGCOMMERCE, operation, f"the list has no end: {_MOST_PAGES} pages read")


def _check(page: Page, before: Page, operation: str) -> None:
    here = page.paging
    fault = ""
    if here.current is not None and here.current != here.page:
        fault = f"asked for page {here.page}, got page {here.current}"
    elif here.count and here.key == before.paging.key:
        fault = f"page {here.page} repeats page {here.page - 1}"
    elif not here.count and here.total_pages is not None and here.total_pages >= here.page:
        fault = f"page {here.page} of {here.total_pages} is empty"
    if fault:
        raise Unavailable(System.BIGCOMMERCE, operation, f"the list walks in circles: {fault}")
