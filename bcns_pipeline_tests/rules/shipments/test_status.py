from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.orders.status import Status
from bcns_pipeline.rules.shipments.status import NEVER_MOVED, order_status
from bcns_pipeline_tests.rules.shipments.parcels import line, order


def test_an_order_is_shipped_when_nothing_of_it_is_open() -> None:
    assert order_status(order(line(1, 2, quantity_shipped=2), line(2, quantity_shipped=1))) == Status.SHIPPED


def test_an_order_is_partially_shipped_while_something_is_open() -> None:
    part = order(line(1, 2, quantity_shipped=1), line(2))
    assert order_status(part) == Status.PARTIALLY_SHIPPED
    assert order_status(order(line(1, 2, quantity_shipped=1), status=2)) == Status.PARTIALLY_SHIPPED


def test_an_order_of_which_nothing_was_shipped_stays_as_it_is() -> None:
    assert order_status(order(line(1))) is None
    assert order_status(order(line(1, quantity_refunded=1))) is None


def test_a_status_that_is_right_already_is_not_set_again() -> None:
    assert order_status(order(line(1, quantity_shipped=1), status=2)) is None
    assert order_status(order(line(1, 2, quantity_shipped=1), status=3)) is None


def test_a_cancelled_unit_is_not_waited_for() -> None:
    assert (
        order_status(order(line(1, 3, quantity_shipped=2, quantity_refunded=1), status=14)) == Status.SHIPPED
    )


def test_a_returned_unit_was_shipped_all_the_same() -> None:
    assert (
        order_status(order(line(1, 3, quantity_shipped=3, quantity_refunded=1), status=3)) == Status.SHIPPED
    )
    part = order(line(1, 3, quantity_shipped=1, quantity_refunded=1), status=11)
    assert order_status(part) == Status.PARTIALLY_SHIPPED


def test_counts_that_are_newer_than_the_order_are_taken() -> None:
    assert order_status(order(line(1, 2)), {1: 2}) == Status.SHIPPED
    assert order_status(order(line(1, 2)), {1: 1}) == Status.PARTIALLY_SHIPPED


def test_downloads_and_goods_that_are_picked_up_do_not_count() -> None:
    mixed = order(
        line(1, quantity_shipped=1), line(2, place=0, kind="digital"), line(3, place=30), pickups=(30,)
    )
    assert order_status(mixed) == Status.SHIPPED


@pytest.mark.parametrize(
    ("parent", "parts", "status"),
    [
        (1, (0, 0), Status.SHIPPED),
        (0, (1, 1), Status.SHIPPED),
        (0, (1, 0), Status.PARTIALLY_SHIPPED),
    ],
)
def test_a_bundle_is_shipped_as_itself_or_as_its_parts(
    parent: int, parts: tuple[int, int], status: Status
) -> None:
    lines = [line(1, quantity_shipped=parent)]
    lines += [line(2 + n, quantity_shipped=sent, parent_line_id=1) for n, sent in enumerate(parts)]
    assert order_status(order(*lines)) == status


@pytest.mark.parametrize("status", sorted(NEVER_MOVED))
def test_what_was_called_off_refunded_disputed_or_completed_is_never_moved(status: int) -> None:
    assert order_status(order(line(1, quantity_shipped=1), status=status)) is None


def test_the_merchant_may_keep_further_statuses() -> None:
    assert order_status(order(line(1, quantity_shipped=1), status=12), kept={12}) is None


@given(
    st.lists(
        st.integers(1, 5).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(0, n))),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([1, 2, 3, 7, 8, 9, 11, 12, 14]),
)
def test_the_status_is_right_exactly_by_the_units(counts: list[tuple[int, int, int]], status: int) -> None:
    made = order(
        *(
            line(n, quantity, quantity_shipped=sent, quantity_refunded=back)
            for n, (quantity, sent, back) in enumerate(counts, 1)
        ),
        status=status,
    )
    after = order_status(made)
    stands = status if after is None else after
    # Ordered less cancelled: a refund takes first what was not shipped.
    left = sum(max(quantity - back - sent, 0) for quantity, sent, back in counts)
    if any(sent for _, sent, _ in counts):
        assert stands == (3 if left else 2)
    else:
        assert after is None
