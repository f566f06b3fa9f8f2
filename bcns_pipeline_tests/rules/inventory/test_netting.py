"""Units that are sold and not in NetSuite: found by item, taken of members, subtracted once."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcns_pipeline.rules.inventory.frames import no_members
from bcns_pipeline.rules.inventory.netting import Sold, demand, items_sold
from bcns_pipeline.rules.inventory.policy import KitMode, Policy, make_policy
from bcns_pipeline.rules.inventory.quantities import QUANTITY_SCALE
from bcns_pipeline.rules.inventory.sellable import sellable
from bcns_pipeline_tests.rules.inventory.test_sellable import kit_of, levels_of, numbers

KIT, BULB, STAND = 90, 1, 2
BILL = {KIT: [(BULB, "4"), (STAND, "1")]}


def sales(*rows: tuple[int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["item_id", "units"]).astype("int64")


def taken(sold: Sold) -> dict[int, int]:
    return dict(zip(sold.item_id.tolist(), (sold.units // QUANTITY_SCALE).tolist(), strict=True))


def stock(policy: Policy, rows: list[tuple[int, int, str]], **more: Any) -> pd.DataFrame:
    return levels_of([(item, place, {"available": text}) for item, place, text in rows], policy, **more)


def units(*rows: tuple[int, int, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["variant_id", "product_id", "sku", "units"])


LINKS = pd.DataFrame(
    [
        (11, 501, 601, "LAMP-R", "variant"),
        (12, 501, 602, "LAMP-B", "variant"),
        (13, 502, 603, "CHAIR", "product"),
        (14, 503, 604, "TABLE", "variant"),
    ],
    columns=["item_id", "product_id", "variant_id", "sku", "tracking"],
)


@pytest.mark.parametrize(
    ("line", "item"),
    [
        ((602, 501, "LAMP-B", 1), 12),
        ((999, 502, "CHAIR-XL", 1), 13),
        ((0, 503, "", 1), 14),
        ((0, 0, "lamp-r", 1), 11),
    ],
    ids=["by variant", "product tracked as a whole", "only variant of its product", "SKU in other case"],
)
def test_a_sold_line_finds_its_item(line: tuple[int, int, str, int], item: int) -> None:
    found, unknown = items_sold(units(line), LINKS)
    assert (found["item_id"].tolist(), found["units"].tolist(), unknown) == ([item], [1], [])


def test_a_line_that_names_only_a_product_of_several_variants_is_nobodys() -> None:
    found, unknown = items_sold(units((0, 501, "LAMP", 2), (601, 501, "LAMP-R", 1)), LINKS)
    assert (found["item_id"].tolist(), unknown) == ([11], ["LAMP"])


def test_lines_of_one_item_are_summed() -> None:
    found, _ = items_sold(units((601, 501, "LAMP-R", 2), (0, 0, "LAMP-R", 3)), LINKS)
    assert found["units"].tolist() == [5]


def test_a_kit_takes_its_members_and_not_itself() -> None:
    sold = demand(sales((KIT, 3), (BULB, 2)), kit_of(BILL), 1)
    assert taken(sold) == {BULB: 14, STAND: 3, KIT: 0}
    assert (sold.bought(np.array([KIT, BULB, STAND, 77])) // QUANTITY_SCALE).tolist() == [3, 2, 0, 0]


def test_a_kit_in_a_kit_takes_the_inner_members() -> None:
    outer = pd.concat([kit_of(BILL), kit_of({91: [(KIT, "2"), (STAND, "1")]}, "Kit")], ignore_index=True)
    assert taken(demand(sales((91, 5)), outer, 1)) == {BULB: 40, STAND: 15, 91: 0}


def test_an_absurd_order_does_not_overflow() -> None:
    sold = demand(sales((KIT, 2**62), (BULB, 2**62)), kit_of(BILL), 1)
    assert (sold.units >= 0).all()
    policy = make_policy([([1], 1)])
    assert numbers(sellable(stock(policy, [(BULB, 1, "10")]), no_members(), policy, sold=sold)) == {
        (BULB, 1): 0
    }


def test_sold_units_are_subtracted_at_the_location_that_orders_take_from_and_nowhere_else() -> None:
    policy = make_policy([([1], 1), ([2], 7)], buffer=1)
    levels = stock(policy, [(BULB, 1, "10.5"), (BULB, 2, "10"), (STAND, 1, "4")])
    frame = sellable(levels, no_members(), policy, sold=demand(sales((BULB, 3)), no_members(), 1))
    assert numbers(frame) == {(BULB, 1): 6, (BULB, 7): 9, (STAND, 1): 3, (STAND, 7): 0}
    assert (frame["unposted"] // QUANTITY_SCALE).tolist() == [3, 0, 0, 0]
    assert frame["rule"].tolist() == [
        "available - 3 unposted - 1 held back",
        *["available - 1 held back"] * 3,
    ]


def test_a_location_that_is_not_written_to_takes_nothing_off_the_others() -> None:
    policy = make_policy([([1], 1)])
    sold = demand(sales((BULB, 3)), no_members(), 9)
    assert numbers(sellable(stock(policy, [(BULB, 1, "10")]), no_members(), policy, sold=sold)) == {
        (BULB, 1): 10
    }


@pytest.mark.parametrize("mode", ["pooled", "per_location"])
def test_a_kit_sold_lowers_the_kit_by_one_and_its_members_by_what_it_needs(mode: KitMode) -> None:
    policy = make_policy([([1], 1)], kits=mode)
    levels = stock(policy, [(BULB, 1, "20"), (STAND, 1, "9")])
    sold = demand(sales((KIT, 1)), kit_of(BILL), 1)
    frame = sellable(levels, kit_of(BILL), policy, sold=sold)
    assert numbers(frame) == {(BULB, 1): 16, (STAND, 1): 8, (KIT, 1): 4}
    rule = frame.set_index("item_id").loc[KIT, "rule"]
    assert rule == f"kit({mode}): available - 4 unposted; tightest member 1, 4 needed"


def test_members_sold_by_themselves_lower_the_kits_that_need_them() -> None:
    policy = make_policy([([1], 1)])
    levels = stock(policy, [(BULB, 1, "20"), (STAND, 1, "9")])
    sold = demand(sales((BULB, 1)), kit_of(BILL), 1)
    assert numbers(sellable(levels, kit_of(BILL), policy, sold=sold))[KIT, 1] == 4


def test_nothing_sold_changes_nothing() -> None:
    policy = make_policy([([1, 2], 1)])
    levels = stock(policy, [(BULB, 1, "20"), (STAND, 2, "9.75")])
    plain = sellable(levels, kit_of(BILL), policy)
    pd.testing.assert_frame_equal(
        plain, sellable(levels, kit_of(BILL), policy, sold=demand(sales(), kit_of(BILL), 1))
    )


@settings(max_examples=200)
@given(st.data())
def test_whatever_location_ships_what_was_sold_no_more_is_offered_than_is_left_then(
    data: st.DataObject,
) -> None:
    mode: KitMode = data.draw(st.sampled_from(["pooled", "per_location"]))
    policy = make_policy([([1, 2, 3], 1)], kits=mode)
    whole = st.integers(0, 30)
    there = {(item, place): data.draw(whole) for item in (BULB, STAND) for place in (1, 2, 3)}
    needs = {BULB: data.draw(st.integers(1, 5)), STAND: data.draw(st.integers(1, 3))}
    bill = kit_of({KIT: [(item, str(need)) for item, need in needs.items()]})
    orders = data.draw(
        st.lists(
            st.tuples(st.sampled_from([BULB, STAND, KIT]), st.integers(1, 4), st.sampled_from([1, 2, 3])),
            max_size=6,
        )
    )
    left = dict(there)
    for item, quantity, place in orders:
        for member, need in needs.items() if item == KIT else [(item, 1)]:
            left[member, place] -= need * quantity
    if min(left.values()) < 0:
        return  # NetSuite's own availability would be held at 0, which is another story

    def offered(levels: dict[tuple[int, int], int], sold: Sold | None) -> dict[tuple[int, int], int]:
        rows = [(item, place, str(quantity)) for (item, place), quantity in sorted(levels.items())]
        return numbers(sellable(stock(policy, rows), bill, policy, sold=sold))

    totals = pd.DataFrame([one[:2] for one in orders], columns=["item_id", "units"]).astype("int64")
    sold = demand(totals.groupby("item_id", as_index=False).sum(), bill, 1)
    netted, afterwards = offered(there, sold), offered(left, None)
    for key, number in netted.items():
        assert number <= afterwards[key]
    # What is bought as itself is known to the unit.
    assert netted[BULB, 1] == afterwards[BULB, 1]
    assert netted[STAND, 1] == afterwards[STAND, 1]
    if mode == "pooled":
        assert netted[KIT, 1] == afterwards[KIT, 1]
    else:
        assert netted[KIT, 1] >= 0


def test_a_need_of_a_fraction_is_taken_exactly() -> None:
    sold = demand(sales((KIT, 3)), kit_of({KIT: [(BULB, "0.5")]}), 1)
    at = sold.item_id.tolist().index(BULB)
    assert Fraction(int(sold.units[at]), QUANTITY_SCALE) == Fraction(3, 2)
    policy = make_policy([([1], 1)])
    left = numbers(sellable(stock(policy, [(BULB, 1, "10")]), no_members(), policy, sold=sold))
    assert left[BULB, 1] == math.floor(10 - Fraction(3, 2))
