from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcns_pipeline.rules.inventory.frames import levels_frame, members_frame, no_members
from bcns_pipeline.rules.inventory.policy import Policy, make_policy
from bcns_pipeline.rules.inventory.quantities import QUANTITY_SCALE, TERMS
from bcns_pipeline.rules.inventory.sellable import SELLABLE_COLUMNS, sellable, unresolved_kits
from bcns_pipeline_tests.rules.inventory import reference

FORMULAS: Mapping[str, Callable[[Mapping[str, Fraction]], Fraction]] = {
    "available": lambda t: t["available"],
    "on_hand - committed": lambda t: t["on_hand"] - t["committed"],
    "min(available, on_hand - committed) + in_transit - .5": lambda t: (
        min(t["available"], t["on_hand"] - t["committed"]) + t["in_transit"] - Fraction(1, 2)
    ),
    "max(available, 3) - backordered": lambda t: max(t["available"], Fraction(3)) - t["backordered"],
}
# Eight digits are exact everywhere; what lies beyond them has tests of its own.
quantities = st.one_of(
    st.integers(-20, 60).map(str),
    st.decimals(-5, 40, places=3, allow_nan=False).map(str),
    st.sampled_from(["0.99999999", "2147483648", "-0.00000001", "3000000000"]),
    st.none(),
)
SOURCES = (1, 2, 3, 9)  # 9 is not mapped


def levels_of(
    rows: Sequence[tuple[int, int, Mapping[str, str | None]]], policy: Policy, **more: Any
) -> pd.DataFrame:
    """A frame of (item, NetSuite location, terms as text)."""
    frame, unread = levels_frame(
        item_id=[row[0] for row in rows],
        netsuite_location=[row[1] for row in rows],
        terms={term: [row[2].get(term) for row in rows] for term in TERMS},
        changed_at=more.get("changed_at", [None] * len(rows)),
        read_seq=more.get("read_seq", [1] * len(rows)),
        policy=policy,
    )
    assert unread.empty
    return frame


def kit_of(bills: Mapping[int, Sequence[tuple[int, str]]], kind: str = "InvtPart") -> pd.DataFrame:
    """A members frame of kit -> [(member, needed)]."""
    lines = [(kit, member, need) for kit, bill in bills.items() for member, need in bill]
    return members_frame(
        parent_id=[line[0] for line in lines],
        item_id=[line[1] for line in lines],
        quantity=[line[2] for line in lines],
        member_type=[kind] * len(lines),
        member_inactive=[False] * len(lines),
    )


def numbers(frame: pd.DataFrame) -> dict[tuple[int, int], int]:
    """(item, location) -> sellable."""
    keys = zip(frame["item_id"].tolist(), frame["location_id"].tolist(), strict=True)
    return dict(zip(keys, frame["sellable"].tolist(), strict=True))


@settings(max_examples=250)
@given(st.data())
def test_every_number_is_that_of_the_slow_and_obvious_rules(data: st.DataObject) -> None:
    targets = data.draw(st.lists(st.sampled_from([1, 2, 7]), min_size=3, max_size=3))
    routes = dict(zip(SOURCES[:3], targets, strict=True))
    text = data.draw(st.sampled_from(sorted(FORMULAS)))
    buffer = data.draw(st.sampled_from([0, 1, 4]))
    mode = data.draw(st.sampled_from(["pooled", "per_location"]))
    policy = make_policy(
        [((source,), target) for source, target in routes.items()],
        quantity="expression",
        expression=text,
        kits=mode,
        buffer=buffer,
    )
    cells = data.draw(
        st.lists(st.tuples(st.integers(1, 6), st.sampled_from((0, *SOURCES))), unique=True, max_size=14)
    )
    rows = [(item, place, {term: data.draw(quantities) for term in TERMS}) for item, place in cells]
    read = {item for item, _ in cells}
    needs = st.sampled_from(["1", "2", "0.5", "4", "3.25"])
    bills = data.draw(
        st.dictionaries(
            st.integers(101, 104),
            st.dictionaries(st.integers(1, 7), needs, min_size=1, max_size=4),
            max_size=3,
        )
    )
    result = sellable(
        levels_of(rows, policy),
        kit_of({kit: list(bill.items()) for kit, bill in bills.items()}),
        policy,
        complete=True,
    )
    expected = reference.sellable(
        {
            (item, place): {term: Fraction(value or 0) for term, value in terms.items()}
            for item, place, terms in rows
            if place
        },
        read,
        {kit: {member: Fraction(need) for member, need in bill.items()} for kit, bill in bills.items()},
        routes,
        FORMULAS[text],
        buffer,
        mode,
        TERMS,
    )
    keys = list(zip(result["item_id"].tolist(), result["location_id"].tolist(), strict=True))
    assert keys == sorted(expected)
    found = zip(result["sellable"].tolist(), result["clamped"].tolist(), strict=True)
    assert dict(zip(keys, found, strict=True)) == expected


@given(st.data())
def test_whatever_is_read_has_a_number_or_a_reason_and_never_both(data: st.DataObject) -> None:
    """Kits in kits, kits that contain themselves, members that are gone, and quantities that can't be read."""
    stocked = data.draw(st.sets(st.integers(1, 6)))
    needs = st.dictionaries(st.sampled_from([*range(1, 8), *range(101, 105)]), st.just("2"), min_size=1)
    bills = data.draw(st.dictionaries(st.integers(101, 104), needs))
    policy = make_policy([((1,), 1), ((2,), 2)])
    levels = levels_of([(item, 1, {"available": "9"}) for item in sorted(stocked)], policy)
    members = kit_of({kit: list(bill.items()) for kit, bill in bills.items()})
    unread = data.draw(st.sets(st.sampled_from(sorted(stocked)))) if stocked else set()
    known = {
        "complete": data.draw(st.booleans()),
        "unread": unread,
        "inactive": data.draw(st.sets(st.just(7))),
    }

    told = sellable(levels, members, policy, **known)
    reasons = unresolved_kits(levels, members, **known)["item_id"].tolist()

    wanted = sorted(
        (item, place) for item in (stocked | set(bills)) - unread - {*reasons} for place in (1, 2)
    )
    assert sorted(numbers(told)) == wanted
    assert len(told) == len(wanted)
    assert set(reasons) <= set(bills)
    assert len(reasons) == len(set(reasons))


@given(st.lists(st.decimals(-10, 10, places=12, allow_nan=False).map(str), min_size=4, max_size=4))
def test_no_unit_is_ever_sold_by_rounding(texts: list[str]) -> None:
    policy = make_policy(
        [((1, 2), 1)], quantity="expression", expression="min(available, on_hand) - committed - backordered"
    )
    terms = dict(zip(("available", "on_hand", "committed", "backordered"), texts, strict=True))
    frame = sellable(levels_of([(1, 1, terms), (1, 2, terms)], policy), no_members(), policy)
    exact = {name: 2 * Fraction(text) for name, text in terms.items()}
    truth = min(exact["available"], exact["on_hand"]) - exact["committed"] - exact["backordered"]
    assert frame["sellable"].item() <= max(math.floor(truth), 0)


def test_members_10_12_and_8_with_4_4_and_2_needed_make_2_kits() -> None:
    policy = make_policy([((1,), 1)])
    stock = levels_of([(n, 1, {"available": units}) for n, units in ((1, "10"), (2, "12"), (3, "8"))], policy)
    result = sellable(stock, kit_of({9: [(1, "4"), (2, "4"), (3, "2")]}), policy)
    assert numbers(result)[9, 1] == 2
    kit = result[result["item_id"] == 9].iloc[0]
    assert kit["rule"] == "kit(pooled): available; tightest member 1, 4 needed"
    assert kit["available"] == 10 * QUANTITY_SCALE


def test_pooled_kits_may_cross_locations_and_kits_per_location_may_not() -> None:
    stock = [
        (1, 1, {"available": "3"}),
        (1, 2, {"available": "1"}),
        (2, 1, {"available": "1"}),
        (2, 2, {"available": "3"}),
    ]
    members = kit_of({9: [(1, "2"), (2, "2")]})
    pooled, apart = (make_policy([((1, 2), 1)], kits=mode) for mode in ("pooled", "per_location"))
    assert numbers(sellable(levels_of(stock, pooled), members, pooled))[9, 1] == 2
    assert numbers(sellable(levels_of(stock, apart), members, apart))[9, 1] == 0


def test_the_buffer_of_a_kit_is_held_back_once() -> None:
    policy = make_policy([((1, 2), 1)], buffer=1)
    stock = levels_of(
        [(1, 1, {"available": "4"}), (1, 2, {"available": "4"}), (2, 1, {"available": "9"})], policy
    )
    found = numbers(sellable(stock, kit_of({9: [(1, "2"), (2, "1")]}), policy))
    assert found == {(1, 1): 7, (2, 1): 8, (9, 1): 3}


def test_nested_kits_are_counted_by_what_they_are_made_of_in_the_end() -> None:
    policy = make_policy([((1,), 1)])
    stock = levels_of([(1, 1, {"available": "20"}), (2, 1, {"available": "100"})], policy)
    inner = kit_of({8: [(1, "2")]})
    outer = kit_of({9: [(8, "3"), (1, "1"), (2, "1")]}, kind="Kit")
    outer["stocked"] = True
    found = numbers(sellable(stock, pd.concat([inner, outer], ignore_index=True), policy))
    assert (found[8, 1], found[9, 1]) == (10, 2)  # 3 x 2 + 1 = 7 of item 1


def test_a_kit_that_contains_itself_has_no_number_and_says_why() -> None:
    policy = make_policy([((1,), 1)])
    stock = levels_of([(1, 1, {"available": "20"})], policy)
    members = kit_of({8: [(9, "1")], 9: [(8, "1"), (1, "1")], 10: [(1, "1")]})
    assert set(numbers(sellable(stock, members, policy))) == {(1, 1), (10, 1)}
    assert unresolved_kits(stock, members).set_index("item_id")["why"].to_dict() == {
        8: "it is nested in itself, or deeper than 8 levels",
        9: "it is nested in itself, or deeper than 8 levels",
    }


def test_a_kit_whose_member_was_not_read_is_unknown_and_not_empty() -> None:
    policy = make_policy([((1,), 1)])
    stock = levels_of([(1, 1, {"available": "20"})], policy)
    members = kit_of({9: [(1, "1"), (2, "1")]})
    assert (9, 1) not in numbers(sellable(stock, members, policy))
    assert unresolved_kits(stock, members)["why"].tolist() == ["a member's stock was not read"]
    # It is empty only where the member is known to be gone.
    assert numbers(sellable(stock, members, policy, complete=True))[9, 1] == 0
    assert numbers(sellable(stock, members, policy, inactive=[2]))[9, 1] == 0
    assert (9, 1) not in numbers(sellable(stock, members, policy, complete=True, unread=[2]))


def test_members_without_stock_never_limit_a_kit_and_unreadable_ones_block_it() -> None:
    policy = make_policy([((1,), 1)])
    stock = levels_of([(1, 1, {"available": "20"})], policy)
    members = members_frame(
        parent_id=[9, 9, 10, 11, 12],
        item_id=[1, 5, 5, 1, 1],
        quantity=["2", "1", "1", "some", "0"],
        member_type=["InvtPart", "Service", "Service", "InvtPart", "Assembly"],
        member_inactive=[False] * 5,
    )
    assert numbers(sellable(stock, members, policy)) == {(1, 1): 20, (9, 1): 10}
    assert unresolved_kits(stock, members).set_index("item_id")["why"].to_dict() == {
        10: "no member carries stock",
        11: "a member has no quantity above 0",
        12: "a member has no quantity above 0",
    }


def test_an_inactive_member_empties_its_kits() -> None:
    policy = make_policy([((1,), 1)])
    stock = levels_of([(1, 1, {"available": "20"}), (2, 1, {"available": "20"})], policy)
    members = kit_of({9: [(1, "1"), (2, "1")]})
    members.loc[members["item_id"] == 2, "inactive"] = True
    assert numbers(sellable(stock, members, policy))[9, 1] == 0


def test_an_assembly_counts_as_stocked_even_where_its_members_are_listed() -> None:
    policy = make_policy([((1,), 1)])
    stock = levels_of([(1, 1, {"available": "20"}), (2, 1, {"available": "3"})], policy)
    assert numbers(sellable(stock, kit_of({2: [(1, "1")]}), policy)) == {(1, 1): 20, (2, 1): 3}


def test_an_item_without_stock_rows_sells_nothing_everywhere() -> None:
    policy = make_policy([((1,), 1), ((6,), 2)])
    result = sellable(levels_of([(5, 0, {}), (6, 9, {"available": "8"})], policy), no_members(), policy)
    assert numbers(result) == {(5, 1): 0, (5, 2): 0, (6, 1): 0, (6, 2): 0}
    assert not result["clamped"].any()


def test_held_numbers_are_counted_whether_they_were_below_zero_or_too_large() -> None:
    policy = make_policy([((1,), 1)])
    stock = [
        (1, 1, {"available": "-3"}),
        (2, 1, {"available": "2147483647.9"}),
        (3, 1, {"available": "2147483648"}),
    ]
    result = sellable(levels_of(stock, policy), no_members(), policy)
    assert result["sellable"].tolist() == [0, 2147483647, 2147483647]
    assert result["clamped"].tolist() == [True, False, True]


def test_a_row_read_twice_counts_once_as_read_last() -> None:
    policy = make_policy([((1, 2), 1)])
    stock = levels_of(
        [(1, 1, {"available": "5"}), (1, 2, {"available": "7"}), (1, 1, {"available": "4"})],
        policy,
        read_seq=[3, 4, 9],
    )
    result = sellable(stock, no_members(), policy)
    assert result["sellable"].tolist() == [11]
    # 5 at location 1 was read with 3, but only 4 (read with 9) and 7 (read with 4) stand in the number.
    assert result["read_seq"].tolist() == [4]


def test_the_oldest_read_and_the_latest_change_stand_beside_a_number() -> None:
    policy = make_policy([((1, 2), 1), ((3,), 2)])
    stock = levels_of(
        [(1, 1, {}), (1, 2, {}), (2, 3, {})],
        policy,
        read_seq=[8, 5, 7],
        changed_at=["2026-03-01 10:00:00", "2026-02-01 10:00:00", None],
    )
    result = sellable(stock, kit_of({9: [(1, "1"), (2, "1")]}), policy, members_seq=6)
    assert result["read_seq"].tolist() == [5, 5, 7, 7, 5, 5]
    assert result["changed_at"].tolist() == [
        "2026-03-01 10:00:00",
        None,
        None,
        None,
        "2026-03-01 10:00:00",
        None,
    ]


def test_nothing_read_gives_an_empty_frame_of_the_right_shape() -> None:
    policy = make_policy([((1,), 1)])
    result = sellable(levels_of([], policy), no_members(), policy)
    assert result.empty
    assert tuple(result.columns) == SELLABLE_COLUMNS
    assert result["sellable"].dtype == np.int64


def test_the_order_of_pages_does_not_matter() -> None:
    policy = make_policy([((1,), 1), ((2,), 2)])
    rows = [(item, place, {"available": str(item * place)}) for item in range(1, 40) for place in (1, 2)]
    members = kit_of({100: [(3, "2"), (4, "1")], 50: [(1, "1")]})
    ordered = sellable(levels_of(rows, policy), members, policy)
    mixed = sellable(levels_of(rows, policy).sample(frac=1, random_state=1), members.iloc[::-1], policy)
    pd.testing.assert_frame_equal(ordered, mixed)


def test_one_unreadable_quantity_takes_its_own_item_out_and_no_other() -> None:
    policy = make_policy([((1, 2), 1)])
    frame, unread = levels_frame(
        item_id=[1, 1, 2],
        netsuite_location=[1, 2, 1],
        terms={**{term: [None] * 3 for term in TERMS}, "available": ["5", "many", "3"]},
        changed_at=[None] * 3,
        read_seq=[1] * 3,
        policy=policy,
    )
    assert frame["item_id"].tolist() == [2]
    assert unread.to_dict("records") == [{"item_id": 1, "term": "available", "value": "many"}]


def test_an_item_that_is_unreadable_on_another_page_is_not_summed_from_the_readable_one() -> None:
    policy = make_policy([((1, 2), 1)])
    page = levels_of([(1, 1, {"available": "5"}), (2, 1, {"available": "3"})], policy)
    members = kit_of({9: [(1, "1")], 10: [(2, "1")]})
    result = sellable(page, members, policy, complete=True, unread=[1])
    assert numbers(result) == {(2, 1): 3, (10, 1): 3}
    assert unresolved_kits(page, members, complete=True, unread=[1])["item_id"].tolist() == [9]


def test_quantities_that_no_warehouse_can_hold_are_refused_by_item() -> None:
    policy = make_policy(
        [(tuple(range(1, 41)), 1)], quantity="expression", expression="available + on_hand + on_order"
    )
    terms = dict.fromkeys(("available", "on_hand", "on_order"), "10000000000")
    stock = levels_of([(77, place, terms) for place in range(1, 41)], policy)
    with pytest.raises(ValueError, match="item 77 has an impossible quantity"):
        sellable(stock, no_members(), policy)
