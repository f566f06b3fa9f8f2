"""The store's customers: pages, the walk over changes, some of them by id or e-mail, and their addresses.

Put the reading of customers here. Nothing is written to the store's customers. A change of an address does not
change its customer's date (facts/bigcommerce.md 4.1), so addresses have a read of their own. Facts: the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from bcns_pipeline.clients.bigcommerce import documents
from bcns_pipeline.clients.bigcommerce.api import MAX_ROWS, Document, StoreApi, Subject, joined, readable
from bcns_pipeline.clients.bigcommerce.changes import Budget, walk_changes
from bcns_pipeline.clients.bigcommerce.models import CustomerDocument, CustomersPage, Paging
from bcns_pipeline.clients.bigcommerce.parsing import page_of

LIST: Final = "GET /v3/customers"
_ADDRESSES: Final = "/v3/customers/addresses"
_INCLUDE: Final = ("addresses",)
# Ids of ten digits: well below the 8 KiB at which servers cut a request line.
_MOST_IDS: Final = 250
_MOST_EMAILS: Final = 50


class BigCommerceCustomers(Subject):
    """Customers of one store. Thread-safe. `clock` (monotonic seconds) is what a `deadline` is compared with.

    `include` names sub-resources: addresses, storecredit, attributes, formfields. Addresses are whole: of a
    customer with more than the ten that the store includes, the rest is fetched.
    """

    def __init__(self, api: StoreApi, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(api)
        self._clock = clock

    def page(
        self,
        *,
        modified_since: datetime | None = None,
        modified_before: datetime | None = None,
        created_since: datetime | None = None,
        created_before: datetime | None = None,
        page: int = 1,
        limit: int = MAX_ROWS,
        include: Sequence[str] = _INCLUDE,
    ) -> CustomersPage:
        """One page of `GET /v3/customers` by date of change, oldest first."""
        params = {
            "date_modified:min": documents.stamp(modified_since),
            "date_modified:max": documents.stamp(modified_before),
            "date_created:min": documents.stamp(created_since),
            "date_created:max": documents.stamp(created_before),
            "sort": "date_modified:asc",
            "page": page,
            "limit": limit,
        }
        return self._page(params, page, limit, include)

    def changed(
        self,
        since: datetime,
        before: datetime,
        *,
        limit: int = MAX_ROWS,
        max_pages: int | None = None,
        deadline: float | None = None,
        include: Sequence[str] = _INCLUDE,
    ) -> Iterator[CustomersPage]:
        """Every customer whose last change is in [`since`, `before`); see `BigCommerceOrders.changed`.

        More changes within one second than a page holds are read by page number, as no filter narrows them.
        """

        def page(low: datetime, high: datetime) -> Sequence[CustomerDocument]:
            return self.page(modified_since=low, modified_before=high, limit=limit, include=include).customers

        def dense(low: datetime, high: datetime) -> Iterator[Sequence[CustomerDocument]]:
            number = 1
            while True:
                found = self.page(
                    modified_since=low, modified_before=high, page=number, limit=limit, include=include
                )
                yield found.customers
                if found.paging.last:
                    return
                number += 1

        batches = walk_changes(
            page, dense, since=since, before=before, limit=limit, operation=LIST,
            budget=Budget(max_pages, deadline, self._clock),
        )  # fmt: skip
        for number, batch in enumerate(batches, start=1):
            paging = Paging(number, len(batch.rows), limit)
            yield CustomersPage(batch.rows, paging, batch.through, batch.last)

    def by_id(
        self, customer_ids: Iterable[int], *, include: Sequence[str] = _INCLUDE
    ) -> dict[int, CustomerDocument]:
        """{id: customer} of those that exist, 250 a call."""
        wanted = sorted(set(customer_ids))
        found: dict[int, CustomerDocument] = {}
        for start in range(0, len(wanted), _MOST_IDS):
            some = joined(wanted[start : start + _MOST_IDS])
            found.update((one.id, one) for one in self._some({"id:in": some}, include))
        return found

    def by_email(self, emails: Iterable[str], *, include: Sequence[str] = _INCLUDE) -> list[CustomerDocument]:
        """Customers with one of these e-mails, 50 a call: several per e-mail where channels keep their own.

        ValueError for one that holds a comma, which would split it in two.
        """
        wanted = sorted(set(emails))
        if any("," in one or not one for one in wanted):
            raise ValueError("an e-mail that is blank or holds a comma can't be filtered for")
        found: list[CustomerDocument] = []
        for start in range(0, len(wanted), _MOST_EMAILS):
            found += self._some({"email:in": ",".join(wanted[start : start + _MOST_EMAILS])}, include)
        return found

    def addresses(self, customer_ids: Iterable[int]) -> dict[int, list[Document]]:
        """{customer id: addresses as read}, [] where a customer has none; 250 customers a call and page."""
        wanted = sorted(set(customer_ids))
        found: dict[int, list[Document]] = {one: [] for one in wanted}
        for start in range(0, len(wanted), _MOST_IDS):
            some = joined(wanted[start : start + _MOST_IDS])
            for row in self._api.rows(_ADDRESSES, dict, limit=MAX_ROWS, **{"customer_id:in": some}):
                found.setdefault(int(row["customer_id"]), []).append(row)
        return found

    def _some(self, filters: Mapping[str, str | None], include: Sequence[str]) -> list[CustomerDocument]:
        asked: Mapping[str, Any] = {**filters, "include": ",".join(include) or None}
        rows = self._api.rows("/v3/customers", dict, limit=MAX_ROWS, **asked)
        return self._whole(rows, include)

    def _page(
        self, params: Mapping[str, Any], page: int, limit: int, include: Sequence[str]
    ) -> CustomersPage:
        nothing: tuple[list[Document], Paging] = ([], Paging(page, 0, limit))
        rows, paging = self._api.get(
            "/v3/customers",
            {**params, "include": ",".join(include) or None},
            lambda body: page_of(body, page, limit),
            nothing,
        )
        return CustomersPage(self._whole(rows, include), paging)

    def _whole(self, rows: Sequence[Document], include: Sequence[str]) -> list[CustomerDocument]:
        """Customers of whom the store included a part of the addresses get all of them."""
        if "addresses" in include:
            short = [int(row["id"]) for row in rows if _more_addresses(row)]
            complete = self.addresses(short) if short else {}
            rows = [{**row, "addresses": complete.get(int(row["id"]), row.get("addresses"))} for row in rows]
        with readable(LIST):
            return [documents.customer(row) for row in rows]


def _more_addresses(row: Mapping[str, Any]) -> bool:
    count, shown = row.get("address_count"), row.get("addresses")
    return isinstance(count, int) and count > len(shown if isinstance(shown, list) else ())
