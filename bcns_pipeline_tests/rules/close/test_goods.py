"""Goods of refunds: units of returns and receipts go to refunds once, and what is kept of an answer says the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bcns_pipeline.rules.close.goods import Came, Goods, at_the_end_of, late, shared_out, units_of
from bcns_pipeline_tests.rules.refunds import world

FIRST = date(2026, 3, 1)
SKUS, ORDERS = ("a", "b"), (1001, 1002)
units = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 4), max_size=2)


def answer(refunds: list[Any], returns: list[Any], receipts: list[Any]) -> dict[str, Any]:
    """Refunds: order, days after the first, units; returns: order, sku, units, closed; receipts: return, sku, units."""
    return {
        "refunds": [
            {"refund": n, "order": order, "day": str(FIRST + timedelta(days=after)), "units": dict(some)}
            for n, (order, after, some) in enumerate(refunds, 1)
        ],
        "returns": [
            {"id": n, "number": f"RMA{n}", "day": str(FIRST), "order": order, "sku": sku, "units": str(many),
             "closed": closed} for n, (order, sku, many, closed) in enumerate(returns, 1)
        ],
        "receipts": [
            {"id": 100 + n, "number": f"IR{n}", "day": str(FIRST), "return": of, "sku": sku, "units": str(many)}
            for n, (of, sku, many) in enumerate(receipts, 1)
        ],
    }  # fmt: skip


answers = st.builds(
    answer,
    st.lists(st.tuples(st.sampled_from(ORDERS), st.integers(0, 40), units), max_size=5),
    st.lists(
        st.tuples(st.sampled_from(ORDERS), st.sampled_from(SKUS), st.integers(1, 4), st.booleans()),
        max_size=4,
    ),
    st.lists(st.tuples(st.integers(1, 5), st.sampled_from(SKUS), st.integers(1, 4)), max_size=6),
)


@settings(max_examples=200)
@given(answers, st.randoms(use_true_random=False))
def test_no_unit_is_counted_twice_whatever_the_order_of_receipts(said: dict[str, Any], chance: Any) -> None:
    found = shared_out(said)
    assert set(found) == {row["refund"] for row in said["refunds"]}
    came, may = Counter[int](), Counter[int]()
    for row in said["returns"]:
        may[row["order"]] += int(row["units"])
        # Of each return no more came than it was over.
        back = sum(
            int(one["units"])
            for one in said["receipts"]
            if (one["return"], one["sku"]) == (row["id"], row["sku"])
        )
        came[row["order"]] += min(back, int(row["units"]))
    for order in ORDERS:
        mine = [one for one in found.values() if one.order == order]
        assert sum(one.received for one in mine) <= came[order]
        assert sum(one.authorised for one in mine) <= may[order]
    assert all(0 <= one.received <= one.authorised <= one.refunded for one in found.values())
    shuffled = {name: chance.sample(rows, len(rows)) for name, rows in said.items()}
    assert shared_out(shuffled) == found
    # One receipt told in two halves is the same goods.
    halves = [{**row, "units": str(Decimal(row["units"]) / 2)} for row in said["receipts"] for _ in range(2)]
    assert shared_out({**said, "receipts": halves}) == found


def test_what_is_dated_later_has_not_happened_by_then() -> None:
    said = answer([(1001, 0, {"a": 1}), (1001, 3, {"a": 1})], [(1001, "a", 2, False)], [(1, "a", 2)])
    said["receipts"][0]["day"] = str(FIRST + timedelta(days=2))
    stands = [
        [(one.refund, one.authorised, one.received) for one in shared_out(then).values()]
        for then in (at_the_end_of(said, FIRST + timedelta(days=after)) for after in (-1, 0, 2, 3))
    ]
    assert stands == [[], [(1, 1, 0)], [(1, 1, 1)], [(1, 1, 1), (2, 1, 1)]]
    assert at_the_end_of({"not_asked": "why"}, FIRST) == {"not_asked": "why"}


def test_units_go_to_the_earlier_refund_and_what_is_closed_is_awaited_no_more() -> None:
    refunds = [(1001, 0, {"a": 2}), (1001, 1, {"a": 1, "b": 1}), (1001, 2, {}), (1002, 0, {"a": 1})]

    def stands(returns: list[Any], receipts: list[Any]) -> list[tuple[int, int, int, str]]:
        found = shared_out(answer(refunds, returns, receipts)).values()
        return [(one.refunded, one.authorised, one.received, one.came) for one in found]

    none = (0, 0, 0, Came.NO_GOODS)
    alone = (1, 0, 0, Came.NO_RETURN)
    assert stands([], []) == [(2, 0, 0, Came.NO_RETURN), (2, 0, 0, Came.NO_RETURN), none, alone]
    three = [(1001, "a", 3, False)]
    assert stands(three, [(1, "a", 1)]) == [(2, 2, 1, Came.PARTLY), (2, 1, 0, Came.AUTHORISED), none, alone]
    assert stands(three, [(1, "a", 2)])[:2] == [(2, 2, 2, Came.RECEIVED), (2, 1, 0, Came.AUTHORISED)]
    closed = [(1001, "a", 3, True)]
    assert stands(closed, [(1, "a", 1)])[:2] == [(2, 1, 1, Came.PARTLY), (2, 0, 0, Came.NO_RETURN)]
    assert [
        one.refund for one in late(answer(refunds, three, [(1, "a", 2)]), FIRST + timedelta(days=9), 7)
    ] == [2]
    assert late(answer(refunds, closed, [(1, "a", 1)]), FIRST + timedelta(days=99), 7) == []
    blank = answer([(1001, 0, {"": 1})], [(1001, "", 1, False)], [(1, "", 1)])
    assert [one.came for one in shared_out(blank).values()] == [Came.NO_RETURN]
    assert Goods(1, 1001, FIRST, 2, 2, 1).awaited == 1


def test_goods_of_a_refund_are_its_physical_units_and_a_bundle_is_its_parts() -> None:
    sold, _ = world.sold(world.EXAMPLE_D)
    line = replace(sold.lines[0], kind="physical")
    lines = (
        replace(line, id=1, sku="Shirt ", quantity=3),
        replace(line, id=2, sku="file", kind="digital", quantity=1),
        replace(line, id=3, sku="set", quantity=2),
        replace(line, id=4, sku="CUP", quantity=4, parent_line_id=3),
        replace(line, id=5, sku="file", kind="digital", quantity=2, parent_line_id=3),
    )
    order = replace(sold, lines=lines)
    items = [world.item("PRODUCT", n, quantity=q) for n, q in ((1, 2), (2, 1), (3, 1))]
    assert units_of(world.refund(1, "10.00", "0.00", items), order) == {"shirt": 2, "cup": 2}
    declined = [world.payment("stripe", "10.00", is_declined=True)]
    assert units_of(world.refund(1, "10.00", "0.00", items, declined), order) == {}
