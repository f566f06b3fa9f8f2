"""The walk over changed orders and customers: nothing is lost or doubled, whatever changes while it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcns_pipeline.clients.bigcommerce.models import OrderDocument
from bcns_pipeline.outcomes import Unavailable
from bcns_pipeline_tests.clients.shop_double import OrderList, at, shop

FAR = 10_000


def walk(orders: OrderList, since: int = 0, before: int = FAR, **more: Any) -> list[OrderDocument]:
    pages = list(shop(orders).orders.changed(at(since), at(before), **more))
    assert pages[-1].last
    assert pages[-1].through == at(before)
    for page in pages:
        # The promise on which a cursor rests: nothing older than `through` comes later.
        later = pages[pages.index(page) + 1 :]
        assert page.through is not None
        assert all(one.modified_at >= page.through for some in later for one in some.orders)
    return [one for page in pages for one in page.orders]


def versions(found: Sequence[OrderDocument]) -> list[tuple[int, int]]:
    return [(one.id, int((one.modified_at - at(0)).total_seconds())) for one in found]


@pytest.mark.parametrize("number", [0, 1, 49, 50, 51, 249, 250, 251, 500, 501])
def test_every_number_of_orders_is_read_to_the_end(number: int) -> None:
    orders = OrderList()
    for n in range(number):
        orders.add(n + 1, modified=n)
    found = walk(orders)
    assert versions(found) == [(n + 1, n) for n in range(number)]
    # A full page is followed by one more question; one of fewer than 50 orders is the end.
    assert len(orders.requests) == max(1, -(-(number + 1) // 250)) + (
        number >= 50 and number % 250 in {50, 51, 249}
    )


@pytest.mark.parametrize("cap", [50, 100])
def test_a_store_that_silently_gives_shorter_pages_loses_nothing(cap: int) -> None:
    orders = OrderList()
    orders.cap = cap
    for n in range(230):
        orders.add(n + 1, modified=n // 3)
    assert len(walk(orders)) == 230


def test_a_page_of_one_second_hides_nothing_older_where_the_newest_comes_first() -> None:
    """Sixty orders were touched at once: the whole first page is theirs, and shows no direction."""
    orders = OrderList()
    orders.cap, orders.descending, orders.low_inclusive = 60, True, False
    for n in range(70):
        orders.add(n + 1, modified=n if n < 10 else 900)
    assert len(walk(orders)) == 70


@pytest.mark.parametrize("number", [250, 251, 600])
def test_many_changes_in_one_second_are_all_found(number: int) -> None:
    orders = OrderList()
    orders.add(9001, modified=3)
    orders.add(9002, modified=5)
    orders.add(9003, modified=6)
    for n in range(number):
        orders.add(n + 1, modified=4)
    found = walk(orders)
    assert sorted(versions(found)) == sorted(
        [(9001, 3), (9002, 5), (9003, 6), *((n + 1, 4) for n in range(number))]
    )


def test_only_changes_in_the_window_are_handed_out() -> None:
    orders = OrderList()
    for n in range(10):
        orders.add(n + 1, modified=n)
    assert versions(walk(orders, since=3, before=7)) == [(4, 3), (5, 4), (6, 5), (7, 6)]


def test_an_order_that_changes_while_we_read_comes_again_and_pushes_no_other_one_past_us() -> None:
    orders = OrderList()
    for n in range(20):
        orders.add(n + 1, modified=n)

    def touch(request: int) -> None:
        if request == 2:
            orders.rows[1]["modified"] = at(100)
            orders.rows[2]["modified"] = at(101)

    orders.before_answer = touch
    found = versions(walk(orders, limit=5))
    assert found == [*((n + 1, n) for n in range(20)), (1, 100), (2, 101)]


def test_a_budget_ends_the_walk_where_it_can_go_on() -> None:
    orders = OrderList()
    for n in range(30):
        orders.add(n + 1, modified=n)
    pages = list(shop(orders).orders.changed(at(0), at(FAR), limit=10, max_pages=2))
    assert [page.last for page in pages] == [False, False]
    through = pages[-1].through
    assert through is not None
    rest = walk(orders, since=int((through - at(0)).total_seconds()))
    assert {one.id for page in pages for one in page.orders} | {one.id for one in rest} == set(range(1, 31))


def test_a_deadline_that_has_passed_asks_nothing() -> None:
    orders = OrderList()
    client = shop(orders)
    client.orders._clock = lambda: 50.0
    assert list(client.orders.changed(at(0), at(FAR), deadline=50.0)) == []
    assert orders.requests == []


def test_a_store_that_sorts_a_bare_field_downwards_is_told_which_way() -> None:
    orders = OrderList()
    orders.descending = True
    for n in range(12):
        orders.add(n + 1, modified=n, created=n)
    client = shop(orders)
    pages = list(client.orders.changed(at(0), at(FAR), limit=5))
    assert [one.id for page in pages for one in page.orders] == list(range(1, 13))
    assert "sort=date_modified:asc" in str(orders.requests[-1].url)
    assert [one.id for one in client.orders.ids(at(0), at(FAR), limit=5)] == list(range(1, 13))


def test_a_burst_within_one_second_costs_few_more_calls_than_its_pages() -> None:
    orders = OrderList()
    for n in range(1000):
        orders.add(n + 1, modified=7)
    assert len(walk(orders)) == 1000
    # Four pages hold them; besides, two that meet the second, the first of them once more to be told which way it is
    # sorted, two that leave it and one that ends the ids.
    assert len(orders.requests) == 10


def test_a_store_that_ignores_the_filter_is_an_error_and_not_an_endless_walk() -> None:
    orders = OrderList()
    for n in range(60):
        orders.add(n + 1, modified=n)
    orders._filtered = lambda params: list(orders.rows.values())  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="older than was asked for"):
        walk(orders, since=30)


def test_rows_out_of_order_are_an_error_and_not_a_gap() -> None:
    orders = OrderList()
    orders.add(1, modified=5)
    orders.add(2, modified=4)
    orders._some = lambda params: [orders.rows[1], orders.rows[2]]  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="not in the order"):
        walk(orders)


CHANGES = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 25), st.integers(0, 2)), max_size=12)


@settings(max_examples=300, deadline=None)
@given(
    dates=st.lists(st.integers(0, 12), max_size=25),
    changes=CHANGES,
    limit=st.integers(2, 7),
    cap=st.integers(2, 7),
    inclusive=st.tuples(st.booleans(), st.booleans()),
    before=st.integers(3, 40),
)
def test_no_change_is_lost_or_doubled_whatever_happens_meanwhile(
    dates: list[int],
    changes: list[tuple[int, int, int]],
    limit: int,
    cap: int,
    inclusive: tuple[bool, bool],
    before: int,
) -> None:
    """Changes carry the store's clock, which moves on by 0 to 2 s each; `before` may lie ahead of it.

    A second that is walked by id because it fills a page may still be running: what changes in it behind us comes with
    the overlap of the next poll.
    """
    orders = OrderList()
    orders.low_inclusive, orders.high_inclusive = inclusive
    # A page shorter than the limit is the end only below 50 rows, so a cap below the limit can't be seen here.
    orders.cap = max(cap, limit)
    for n, seconds in enumerate(dates, start=1):
        orders.add(n, modified=seconds)
    clock = max(dates, default=0)
    same_second: set[tuple[int, int]] = set()

    def meanwhile(request: int) -> None:
        nonlocal clock, same_second
        for when, number, step in changes:
            if when == request and number in orders.rows:
                clock += step
                orders.rows[number]["modified"] = at(clock)
                same_second |= set() if step else {(number, clock)}

    orders.before_answer = meanwhile
    found = versions(walk(orders, since=2, before=before, limit=limit))
    assert len(found) == len(set(found))
    assert all(2 <= seconds < before for _, seconds in found)
    now = {(row["id"], int((row["modified"] - at(0)).total_seconds())) for row in orders.rows.values()}
    assert {one for one in now if 2 <= one[1] < before} - set(found) <= same_second


@settings(max_examples=100, deadline=None)
@given(
    dates=st.lists(st.integers(0, 6), max_size=30),
    limit=st.integers(2, 7),
    inclusive=st.tuples(st.booleans(), st.booleans()),
)
def test_customers_are_walked_the_same_way(
    dates: list[int], limit: int, inclusive: tuple[bool, bool]
) -> None:
    customers = OrderList()
    customers.low_inclusive, customers.high_inclusive = inclusive
    for n, seconds in enumerate(dates, start=1):
        customers.add(n, modified=seconds)
    pages = list(shop(customers).customers.changed(at(1), at(6), limit=limit))
    assert pages[-1].last
    found = [one.id for page in pages for one in page.customers]
    assert sorted(found) == [n for n, seconds in enumerate(dates, start=1) if 1 <= seconds < 6]


def test_created_between_is_half_open_and_stable_under_changes() -> None:
    orders = OrderList()
    for n in range(40):
        orders.add(n + 1, modified=0, created=n)

    def touch(request: int) -> None:
        orders.rows[request]["modified"] = at(500 + request)

    orders.before_answer = touch
    for inclusive in (True, False):
        orders.low_inclusive = orders.high_inclusive = inclusive
        pages = shop(orders).orders.created_between(at(5), at(35), limit=7)
        assert [one.id for page in pages for one in page.orders] == list(range(6, 36))
