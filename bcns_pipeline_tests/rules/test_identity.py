from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.identity import Matched, match_skus, sku_key


def items(**skus: str | None) -> pd.DataFrame:
    """`i5="A"` is NetSuite item 5 with SKU A."""
    return pd.DataFrame(
        {
            "item_id": np.array([int(name[1:]) for name in skus], dtype=np.int64),
            "sku": pd.Series(list(skus.values()), dtype=object),
        }
    )


def variants(*rows: tuple[str, int, int, str]) -> pd.DataFrame:
    """(sku, product, variant, tracking)."""
    frame = pd.DataFrame(list(rows), columns=["sku", "product_id", "variant_id", "tracking"])
    return frame.astype({"product_id": "int64", "variant_id": "int64"})


def links(*rows: tuple[int, str, int, int, str]) -> pd.DataFrame:
    """(item, sku, product, variant, tracking), as the state remembers them."""
    frame = pd.DataFrame(list(rows), columns=["item_id", "sku", "product_id", "variant_id", "tracking"])
    return frame.astype({"item_id": "int64", "product_id": "int64", "variant_id": "int64"})


def pairs(found: Matched) -> dict[int, int]:
    """item -> variant."""
    return dict(zip(found.links["item_id"].tolist(), found.links["variant_id"].tolist(), strict=True))


def why(found: Matched) -> dict[int, str]:
    """blocked item -> why."""
    return {one.item_id: one.why for one in found.ambiguous}


def test_skus_pair_without_regard_to_case_and_outer_blanks() -> None:
    found = match_skus(
        items(i1="re-130", i2=" X "),
        variants(("RE-130", 10, 100, "variant"), ("x", 20, 200, "product")),
        links(),
        complete=True,
    )
    assert pairs(found) == {1: 100, 2: 200}
    assert found.links.to_dict("records")[0] == {
        "item_id": 1, "product_id": 10, "variant_id": 100, "sku": "re-130", "tracking": "variant",
    }  # fmt: skip


def test_what_is_used_twice_or_blank_is_blocked_alone() -> None:
    found = match_skus(
        items(i1="A", i2="a", i3="B", i4=None, i5="  ", i6="C"),
        variants(
            ("A", 1, 10, "variant"), ("B", 2, 20, "variant"), ("b", 3, 30, "variant"), ("C", 4, 40, "variant")
        ),
        links(),
        complete=True,
    )
    assert pairs(found) == {6: 40}
    assert why(found) == {
        1: "used by NetSuite items 1, 2",
        2: "used by NetSuite items 1, 2",
        3: "used by BigCommerce variants 20, 30",
        4: "blank",
        5: "blank",
    }


def test_what_only_one_side_has_is_an_orphan() -> None:
    found = match_skus(
        items(i1="A", i2="B"),
        variants(("A", 1, 10, "variant"), ("Z", 2, 20, "variant")),
        links(),
        complete=True,
    )
    assert found.netsuite_only.to_dict("records") == [{"item_id": 2, "sku": "B"}]
    assert found.bigcommerce_only.to_dict("records") == [{"product_id": 2, "variant_id": 20, "sku": "Z"}]


def test_a_product_without_tracking_is_not_linked_and_loses_its_link() -> None:
    known = links((1, "A", 1, 10, "variant"))
    found = match_skus(items(i1="A"), variants(("A", 1, 10, "none")), known, complete=True)
    assert pairs(found) == {}
    assert found.untracked == ("A",)
    assert found.lost.tolist() == [1]


def test_a_renamed_sku_is_followed_by_its_link_on_either_side() -> None:
    known = links((1, "A", 1, 10, "variant"), (2, "B", 2, 20, "variant"))
    shop = variants(("A", 1, 10, "variant"), ("B-new", 2, 20, "variant"))
    found = match_skus(items(i1="A-new", i2="B"), shop, known, complete=True)
    assert pairs(found) == {1: 10, 2: 20}
    assert found.renamed.to_dict("records") == [
        {"item_id": 1, "variant_id": 10, "netsuite_sku": "A-new", "bigcommerce_sku": "A"},
        {"item_id": 2, "variant_id": 20, "netsuite_sku": "B", "bigcommerce_sku": "B-new"},
    ]
    assert found.bigcommerce_only.empty


def test_a_sku_that_was_given_to_another_item_is_followed_by_nobody() -> None:
    known = links((1, "A", 1, 10, "variant"))
    found = match_skus(items(i1="A-old", i2="A"), variants(("A", 1, 10, "variant")), known, complete=True)
    assert pairs(found) == {}
    assert why(found) == {
        1: "new for its item, whose BigCommerce variant 10 now carries the SKU of item 2",
        2: "carried by BigCommerce variant 10, which is linked to item 1",
    }
    assert found.lost.tolist() == []


def test_a_rename_onto_the_sku_of_another_variant_is_followed_by_nobody() -> None:
    known = links((1, "A", 1, 10, "variant"))
    shop = variants(("A", 1, 10, "variant"), ("B", 2, 20, "variant"))
    assert why(match_skus(items(i1="B"), shop, known, complete=True)) == {
        1: "new for its item, and BigCommerce variant 20 carries it already"
    }


def test_a_look_at_a_part_never_loses_a_link_nor_steals_one() -> None:
    known = links((1, "A", 1, 10, "variant"), (3, "C", 3, 30, "variant"))
    found = match_skus(items(i2="A"), variants(("A", 1, 10, "variant")), known, complete=False)
    assert found.lost.tolist() == []
    assert why(found) == {2: "carried by BigCommerce variant 10, which is linked to item 1"}


def test_a_link_whose_item_or_variant_is_gone_is_lost_and_its_variant_free_again() -> None:
    known = links((1, "A", 1, 10, "variant"), (3, "C", 3, 30, "variant"))
    found = match_skus(items(i2="A", i3="C"), variants(("A", 1, 10, "variant")), known, complete=True)
    assert pairs(found) == {2: 10}
    assert found.lost.tolist() == [1, 3]


def test_two_items_never_feed_a_product_that_counts_stock_as_a_whole() -> None:
    shop = variants(("A", 1, 10, "product"), ("B", 1, 11, "product"), ("C", 2, 20, "product"))
    found = match_skus(items(i1="A", i2="B", i3="C"), shop, links(), complete=True)
    assert pairs(found) == {3: 20}
    assert set(why(found)) == {1, 2}
    # Nor where the other one was linked in an earlier run.
    known = links((1, "A", 1, 10, "product"))
    assert set(why(match_skus(items(i2="B"), shop, known, complete=False))) == {2}


def test_an_item_that_comes_twice_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="comes twice"):
        match_skus(pd.concat([items(i1="A"), items(i1="A")]), variants(), links(), complete=True)


skus = st.sampled_from(["A", "a", " a", "B", "b ", "C", "", "  "]) | st.none()
tracked = st.sampled_from(["variant", "product", "none"])


@given(
    st.dictionaries(st.integers(1, 9), skus, max_size=7),
    st.dictionaries(st.integers(10, 19), st.tuples(skus, st.integers(1, 4), tracked), max_size=7),
    st.lists(
        st.tuples(st.integers(1, 9), st.integers(10, 19)),
        max_size=4,
        unique_by=(lambda p: p[0], lambda p: p[1]),
    ),
)
def test_a_number_can_never_go_to_two_places_nor_come_from_two(
    books: dict[int, str | None], shop: dict[int, tuple[str | None, int, str]], before: list[tuple[int, int]]
) -> None:
    known = links(*[(item, "old", shop[v][1] if v in shop else 9, v, "variant") for item, v in before])
    found = match_skus(
        items(**{f"i{n}": sku for n, sku in books.items()}),
        variants(*[(sku or "", product, number, kind) for number, (sku, product, kind) in shop.items()]),
        known,
        complete=True,
    )
    linked = pairs(found)
    assert len(set(linked.values())) == len(linked)
    blocked, alone = set(why(found)), set(found.netsuite_only["item_id"].tolist())
    assert linked.keys() & (blocked | alone) == set()
    assert len(linked) + len(blocked) + len(alone) + len(found.untracked) == len(books)
    counts = Counter(sku_key(sku) for sku in books.values())
    for item, variant in linked.items():
        assert counts[sku_key(books[item])] == 1
        assert shop[variant][2] != "none"
        # Paired by SKU, or followed from an earlier run.
        assert sku_key(books[item]) == sku_key(shop[variant][0]) or (item, variant) in before
    per_product = Counter(shop[v][1] for v in linked.values() if shop[v][2] == "product")
    assert all(count == 1 for count in per_product.values())


def test_a_hundred_thousand_skus_are_matched_each_to_its_own() -> None:
    numbers = np.arange(1, 100_001)
    names = pd.Series([f"SKU-{n}" for n in numbers], dtype=object)
    books = pd.DataFrame({"item_id": numbers, "sku": names})
    shop = pd.DataFrame(
        {
            "sku": names.str.lower(),
            "product_id": numbers,
            "variant_id": numbers + 10**6,
            "tracking": "variant",
        }
    )
    found = match_skus(books, shop, links(), complete=True)
    assert len(found.links) == 100_000
    assert (found.links["variant_id"] - found.links["item_id"]).eq(10**6).all()
