"""What storefronts may sell of one stock: whatever the rules say, never more than there is."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.inventory.frames import no_members
from bcns_pipeline.rules.inventory.netting import demand
from bcns_pipeline.rules.inventory.policy import make_policy
from bcns_pipeline.rules.inventory.sellable import sellable
from bcns_pipeline.rules.inventory.shares import Share, divide
from bcns_pipeline_tests.rules.inventory.test_netting import sales, stock

ROUTES = [([1, 6], 1), ([7], 3)]


def rows(frame: Any) -> dict[tuple[int, int], int]:
    keys = zip(frame["item_id"].tolist(), frame["location_id"].tolist(), strict=True)
    return dict(zip(keys, frame["sellable"].tolist(), strict=True))


def test_a_storefront_gets_its_part_rounded_down_and_the_location_keeps_the_rest() -> None:
    shares = [Share(2, 5, 1, percent=30, keep=5, at_most=4), Share(3, 4, 3, percent=100)]
    policy = make_policy(ROUTES, buffer=1, shares=shares)
    levels = stock(policy, [(10, 1, "8.9"), (10, 6, "6"), (10, 7, "3"), (11, 1, "90"), (12, 7, "-2")])
    sold = demand(sales((10, 2)), no_members(), 1)

    found = sellable(levels, no_members(), policy, sold=sold)

    # Item 10: 14.9 - 2 sold - 1 held back = 11, of which 30% of 6 are 1; item 11: 89, at most 4.
    assert rows(found) == {
        (10, 1): 10,
        (10, 3): 0,
        (10, 4): 2,
        (10, 5): 1,
        (11, 1): 85,
        (11, 3): 0,
        (11, 4): 0,
        (11, 5): 4,
        (12, 1): 0,
        (12, 3): 0,
        (12, 4): 0,
        (12, 5): 0,
    }
    line = found[(found["item_id"] == 10) & (found["location_id"] == 5)].iloc[0]
    assert line["rule"] == "(available - 2 unposted - 1 held back): 30% above 5 at most 4 for channel 2"
    assert found.loc[found["location_id"].isin([4, 5]), "clamped"].sum() == 0


def test_the_part_of_a_location_out_of_use_is_withheld_and_nobody_elses() -> None:
    paused = make_policy(ROUTES, shares=[Share(2, 5, 1, percent=30, paused=True)])
    found = sellable(stock(paused, [(10, 1, "10")]), no_members(), paused)
    assert rows(found) == {(10, 1): 7, (10, 3): 0}


@given(
    numbers=st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=6),
    wishes=st.lists(
        st.tuples(
            st.integers(0, 100),
            st.integers(0, 50),
            st.none() | st.integers(0, 40),
            st.booleans(),
        ),
        max_size=4,
    ),
)
def test_the_parts_of_any_stock_add_up_to_it_and_to_less_only_where_some_is_withheld(
    numbers: list[int], wishes: list[tuple[int, int, int | None, bool]]
) -> None:
    shares = [
        Share(channel, 10 + channel, 1, percent, keep, at_most, paused)
        for channel, (percent, keep, at_most, paused) in enumerate(wishes, start=2)
    ]
    whole = np.array(numbers, dtype=np.int64)[:, None]

    found = divide(whole, (1,), shares)

    assert (found.number >= 0).all()
    total = found.number.sum(axis=1)
    assert (total <= whole[:, 0]).all()
    if not any(one.paused for one in shares):
        assert (total == whole[:, 0]).all()
    for column, share in enumerate(found.shares):
        if share is not None and share.at_most is not None:
            assert (found.number[:, column] <= share.at_most).all()
