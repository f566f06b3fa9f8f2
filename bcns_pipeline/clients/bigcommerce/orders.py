"""The store's orders: pages, walks over changes and ids, single ones, and the fewest calls for some of them.

Put the reading of whole orders here. Parts that need a call of their own are in `order_details.py`, writes in
`order_writes.py` and `metafields.py`. No method deletes an order, and none writes lines or fees: the store
clears discounts of lines that are written (facts/bigcommerce.md 3.11). Facts: the same, 3.1 to 3.4.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from bcns_pipeline.clients.bigcommerce import documents
from bcns_pipeline.clients.bigcommerce.api import MAX_ROWS, Document, StoreApi, readable, stuck, sure_end
from bcns_pipeline.clients.bigcommerce.changes import SECOND, Budget, ascending, walk_changes
from bcns_pipeline.clients.bigcommerce.metafields import OrderMetafields
from bcns_pipeline.clients.bigcommerce.models import OrderDocument, OrderHead, OrdersPage, Paging
from bcns_pipeline.clients.bigcommerce.money import money_of
from bcns_pipeline.clients.bigcommerce.order_details import OrderDetails
from bcns_pipeline.clients.bigcommerce.order_writes import OrderWrites
from bcns_pipeline.clients.http.body import Params

LIST: Final = "GET /v2/orders"
ONE: Final = "GET /v2/orders/{id}"
WHOLE: Final[Params] = {"include": "consignments.line_items,fees", "consignment_structure": "object"}
# A page shows up to 250 orders whether wanted or not: it pays from this many wanted ones.
_WORTH_A_PAGE: Final = 3
_PARALLEL: Final = 4
_MOST_PAGES: Final = 100_000


class BigCommerceOrders(OrderDetails, OrderWrites, OrderMetafields):
    """Orders of one store. Thread-safe. Reads raise OutsideError, writes return an Outcome.

    `clock` (monotonic seconds) is what a `deadline` is compared with. `metafields` (namespace, key) belong to
    what is read as a whole order: they stand in its document, so that one that is set later is a new version.
    """

    def __init__(
        self,
        api: StoreApi,
        *,
        clock: Callable[[], float] = time.monotonic,
        metafields: Collection[tuple[str, str]] = (),
    ) -> None:
        super().__init__(api)
        self._asked = frozenset(metafields)
        self._clock = clock
        # The store's own file knows a bare field name only, which sorts ascending. One that does not gets told.
        self._direction = ""

    # --- pages and walks -----------------------------------------------------------------------------

    def page(
        self,
        *,
        modified_since: datetime | None = None,
        modified_before: datetime | None = None,
        created_since: datetime | None = None,
        created_before: datetime | None = None,
        min_id: int | None = None,
        max_id: int | None = None,
        status_id: int | None = None,
        channel_id: int | None = None,
        external_order_id: str | None = None,
        page: int = 1,
        limit: int = MAX_ROWS,
        sort: str = "date_modified",
    ) -> OrdersPage:
        """One page of `GET /v2/orders`, line items and fees included; empty at the end (204).

        `sort` is a field (ascending) or a field with `:desc`. Dates are bounds of the store's own clock with a
        resolution of a second; whether they include their second is not documented.
        """
        asked = _filters(
            modified_since=modified_since,
            modified_before=modified_before,
            created_since=created_since,
            created_before=created_before,
            min_id=min_id,
            max_id=max_id,
            status_id=status_id,
            channel_id=channel_id,
            external_order_id=external_order_id,
        )
        orders = self._whole({**asked, **WHOLE, "page": page, "limit": limit, "sort": self._sorted(sort)})
        return OrdersPage(orders, Paging(page, len(orders), limit))

    def changed(
        self,
        since: datetime,
        before: datetime,
        *,
        limit: int = MAX_ROWS,
        max_pages: int | None = None,
        deadline: float | None = None,
        channel_id: int | None = None,
    ) -> Iterator[OrdersPage]:
        """Every order whose last change is in [`since`, `before`), as `changes.walk_changes` finds them.

        An order that changes again while we walk comes again with its new date. The last page has `last`; a
        walk whose `max_pages` or `deadline` (of `clock`) is used up ends without one.
        """

        def page(low: datetime, high: datetime) -> Sequence[OrderDocument]:
            asked = self._direction
            found = self.page(
                modified_since=low, modified_before=high, limit=limit, channel_id=channel_id
            ).orders
            # A whole page of one second shows no direction: taken for ascending, it would hide what is older.
            silent = not sure_end(len(found), limit) and found[0].modified_at == found[-1].modified_at
            if not asked and (silent or not ascending(found)):
                self._direction = ":asc"
                return page(low, high)
            return found

        def dense(low: datetime, high: datetime) -> Iterator[Sequence[OrderDocument]]:
            asked = _filters(modified_since=low, modified_before=high, channel_id=channel_id)
            return self._by_id(asked, limit=limit)

        batches = walk_changes(
            page, dense, since=since, before=before, limit=limit, operation=LIST,
            budget=Budget(max_pages, deadline, self._clock),
        )  # fmt: skip
        for number, batch in enumerate(batches, start=1):
            paging = Paging(number, len(batch.rows), limit)
            yield OrdersPage(batch.rows, paging, batch.through, batch.last)

    def created_between(
        self, start: datetime, end: datetime, *, limit: int = MAX_ROWS, channel_id: int | None = None
    ) -> Iterator[OrdersPage]:
        """Every order placed in [`start`, `end`), by ascending id, which no change can shift."""
        asked = _filters(created_since=start - SECOND, created_before=end + SECOND, channel_id=channel_id)
        for number, found in enumerate(self._by_id(asked, limit=limit), start=1):
            orders = [one for one in found if start <= documents.moment(one.document["date_created"]) < end]
            yield OrdersPage(orders, Paging(number, len(orders), limit))

    def ids(
        self,
        created_since: datetime,
        created_before: datetime,
        *,
        status_id: int | None = None,
        channel_id: int | None = None,
        limit: int = MAX_ROWS,
    ) -> list[OrderHead]:
        """Which orders were placed in [`created_since`, `created_before`), without their contents, by id."""
        asked = _filters(
            created_since=created_since - SECOND,
            created_before=created_before + SECOND,
            status_id=status_id,
            channel_id=channel_id,
        )
        pages = self._walk_ids(asked, lambda params: self._rows(params), lambda row: int(row["id"]), limit)
        with readable(LIST):
            heads = [documents.head(row) for page in pages for row in page]
        return [one for one in heads if created_since <= one.created_at < created_before]

    def count(
        self,
        *,
        modified_since: datetime | None = None,
        modified_before: datetime | None = None,
        created_since: datetime | None = None,
        created_before: datetime | None = None,
        min_id: int | None = None,
        max_id: int | None = None,
        status_id: int | None = None,
        channel_id: int | None = None,
    ) -> int:
        """`GET /v2/orders/count` under the same filters as `page`."""
        asked = _filters(
            modified_since=modified_since,
            modified_before=modified_before,
            created_since=created_since,
            created_before=created_before,
            min_id=min_id,
            max_id=max_id,
            status_id=status_id,
            channel_id=channel_id,
        )
        return self._api.one("/v2/orders/count", lambda row: int(row["count"]), **asked)

    # --- some of them --------------------------------------------------------------------------------

    def get(self, order_id: int) -> OrderDocument | None:
        """One order, None where the store knows no such order (404)."""
        row = self._api.found(f"/v2/orders/{order_id}", WHOLE, ONE)
        if row is None:
            return None
        with readable(ONE):
            return documents.order(self._completed([row])[0])

    def get_many(self, order_ids: Iterable[int]) -> dict[int, OrderDocument]:
        """{id: order} of those that exist, in the fewest calls.

        Ids close together are read as one page of everything between them, lone ones each by its own call. One
        that a page did not show is asked for once more by itself: lists may leave out archived orders.
        """
        wanted = sorted(set(order_ids))
        found: dict[int, OrderDocument] = {}
        for run in runs(wanted):
            if len(run) >= _WORTH_A_PAGE:
                pages = self._by_id({}, limit=MAX_ROWS, first=run[0], last=run[-1])
                found.update((one.id, one) for page in pages for one in page)
        lone = [one for one in wanted if one not in found]
        with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="orders") as pool:
            for one in pool.map(self.get, lone):
                if one is not None:
                    found[one.id] = one
        return {one: found[one] for one in wanted if one in found}

    def money_fields(self, order_ids: Iterable[int]) -> dict[int, dict[str, Decimal]]:
        """{id: every money field by name}, lines, consignments and fees included, read as `get_many` does.

        For comparing before and after a write: see `money.money_of`, which works on a document at hand as well.
        """
        return {one.id: money_of(one.document) for one in self.get_many(order_ids).values()}

    # --- the same for all ----------------------------------------------------------------------------

    def _sorted(self, sort: str) -> str:
        return sort.removesuffix(":asc") + ("" if ":" in sort.removesuffix(":asc") else self._direction)

    def _rows(self, params: Params) -> list[Document]:
        return self._api.page_v2("/v2/orders", params, LIST)

    def _whole(self, params: Params) -> list[OrderDocument]:
        rows = self._rows(params)
        with readable(LIST):
            return [documents.order(row) for row in self._completed(rows)]

    def _completed(self, rows: list[Document]) -> list[Document]:
        """`rows` with the metafields that were asked for, and with parts that the store left out.

        The latter cost two or three calls per such order.
        """
        if any(map(_lacks, rows)):
            with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="order-parts") as pool:
                rows = list(pool.map(self._complete, rows))
        return self._with_metafields(rows) if self._asked and rows else rows

    def _with_metafields(self, rows: Sequence[Document]) -> list[Document]:
        placed = {int(row["id"]): documents.moment(row["date_created"]) for row in rows}
        values = self.metafield_values(placed, self._asked)
        return [{**row, "metafields": values[int(row["id"])]} for row in rows]

    def _complete(self, row: Document) -> Document:
        row, number = dict(row), int(row["id"])
        if documents.lacks_parts(row):
            row["consignments"] = documents.assembled(self.lines(number), self.shipping_addresses(number))
        elif documents.lacks_lines(row):
            row["consignments"] = documents.with_lines(row["consignments"], self.lines(number))
        if documents.lacks_fees(row):
            row["fees"] = self.fees(number)
        return row

    def _by_id(
        self, asked: Params, *, limit: int, first: int = 1, last: int | None = None
    ) -> Iterator[Sequence[OrderDocument]]:
        return self._walk_ids(
            {**asked, **WHOLE}, self._whole, lambda one: one.id, limit, first=first, last=last
        )

    def _walk_ids(
        self,
        asked: Params,
        fetch: Callable[[Params], list[Any]],
        key: Callable[[Any], int],
        limit: int,
        *,
        first: int = 1,
        last: int | None = None,
    ) -> Iterator[list[Any]]:
        """Pages by ascending id: each is a fresh question for ids after the last one."""
        for _ in range(_MOST_PAGES):
            asked_for = self._direction  # another thread may find out meanwhile
            rows = fetch(
                {**asked, "min_id": first, "max_id": last, "limit": limit, "sort": self._sorted("id")}
            )
            numbers = [key(row) for row in rows]
            if numbers != sorted(set(numbers)) or (numbers and numbers[0] < first):
                if asked_for:
                    raise stuck(LIST, "ids do not rise")
                self._direction = ":asc"
                continue
            yield rows
            if sure_end(len(rows), limit) or numbers[-1] == last:
                return
            first = numbers[-1] + 1
        raise stuck(LIST, f"{_MOST_PAGES} pages and no end")


def _lacks(row: Document) -> bool:
    return documents.lacks_parts(row) or documents.lacks_lines(row) or documents.lacks_fees(row)


def runs(order_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """`order_ids` (ascending) cut so that each piece spans at most as many ids as a page has rows."""
    piece: list[int] = []
    for one in order_ids:
        if piece and one - piece[0] >= MAX_ROWS:
            yield piece
            piece = []
        piece.append(one)
    if piece:
        yield piece


def _filters(
    *,
    modified_since: datetime | None = None,
    modified_before: datetime | None = None,
    created_since: datetime | None = None,
    created_before: datetime | None = None,
    **plain: str | int | None,
) -> dict[str, str | int | bool | None]:
    dates: Mapping[str, datetime | None] = {
        "min_date_modified": modified_since,
        "max_date_modified": modified_before,
        "min_date_created": created_since,
        "max_date_created": created_before,
    }
    return {**{name: documents.stamp(value) for name, value in dates.items()}, **plain}
