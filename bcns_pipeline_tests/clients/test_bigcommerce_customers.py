"""Customers of the store: whole address books, exact filters, and no name or e-mail in what is printed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bcns_pipeline_tests.clients.shop_double import at, shop


class Customers:
    """A store with these customers and addresses; the first ten addresses are included."""

    def __init__(self, addresses: dict[int, int]) -> None:
        self.addresses = addresses
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        params = request.url.params
        if request.url.path.endswith("/addresses"):
            wanted = [int(one) for one in params["customer_id:in"].split(",")]
            rows = [row for one in wanted for row in self._book(one)]
            return self._page(rows, int(params["page"]), int(params["limit"]))
        wanted = [int(one) for one in params.get("id:in", "").split(",") if one] or list(self.addresses)
        rows = [self._customer(one) for one in wanted if one in self.addresses]
        return self._page(rows, int(params["page"]), int(params["limit"]))

    def _customer(self, one: int) -> dict[str, Any]:
        book = self._book(one)
        return {
            "id": one, "email": f"jane{one}@example.com", "first_name": "Jane",
            "date_modified": "2026-03-01T12:00:00Z", "address_count": len(book), "addresses": book[:10],
        }  # fmt: skip

    def _book(self, one: int) -> list[dict[str, Any]]:
        return [{"id": one * 1000 + n, "customer_id": one} for n in range(self.addresses.get(one, 0))]

    def _page(self, rows: list[Any], page: int, limit: int) -> httpx.Response:
        some = rows[(page - 1) * limit : page * limit]
        meta = {
            "total": len(rows),
            "count": len(some),
            "current_page": page,
            "total_pages": -(-len(rows) // limit),
        }
        return httpx.Response(200, json={"data": some, "meta": {"pagination": meta}})


def test_customers_are_read_250_a_call_and_the_missing_are_missing() -> None:
    server = Customers(dict.fromkeys(range(1, 301), 1))
    found = shop(server).customers.by_id([*range(1, 301), 999])
    assert sorted(found) == list(range(1, 301))
    assert len(server.requests) == 2
    assert found[7].modified_at == at(0)
    assert "jane" not in repr(found[7])


def test_a_customer_with_more_addresses_than_are_included_gets_all_of_them() -> None:
    server = Customers({1: 10, 2: 11, 3: 0})
    found = shop(server).customers.by_id([1, 2, 3])
    assert [len(found[one].document["addresses"]) for one in (1, 2, 3)] == [10, 11, 0]
    assert [request.url.params.get("customer_id:in") for request in server.requests] == [None, "2"]


def test_addresses_are_grouped_and_a_customer_without_any_has_an_empty_list() -> None:
    server = Customers({4: 260, 5: 0})
    found = shop(server).customers.addresses([5, 4, 4])
    assert {customer: len(book) for customer, book in found.items()} == {4: 260, 5: 0}
    assert len(server.requests) == 2


def test_a_page_sends_its_filters_as_dates_with_a_zone() -> None:
    server = Customers({1: 0})
    page = shop(server).customers.page(modified_since=at(0), created_before=at(60), include=("formfields",))
    params = dict(server.requests[0].url.params)
    assert params == {
        "date_modified:min": "2026-03-01T12:00:00+00:00", "date_created:max": "2026-03-01T12:01:00+00:00",
        "sort": "date_modified:asc", "page": "1", "limit": "250", "include": "formfields",
    }  # fmt: skip
    assert [one.id for one in page.customers] == [1]


def test_an_email_that_would_split_in_two_is_not_asked_for() -> None:
    for wrong in ("a,b@example.com", ""):
        with pytest.raises(ValueError, match="e-mail"):
            shop(Customers({})).customers.by_email([wrong])


def test_emails_go_fifty_a_call() -> None:
    server = Customers({1: 0})
    shop(server).customers.by_email([f"a{n}@example.com" for n in range(51)])
    assert [len(one.url.params["email:in"].split(",")) for one in server.requests] == [50, 1]
