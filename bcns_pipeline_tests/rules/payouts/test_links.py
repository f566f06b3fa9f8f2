from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.payouts.classes import classify
from bcns_pipeline.rules.payouts.links import CONFIDENCE, Link, LinkIndex, ShopTransaction, Step, link
from bcns_pipeline.rules.payouts.model import PayoutLine
from bcns_pipeline.rules.payouts.policy import ORDER_HINTS
from bcns_pipeline_tests.rules.payouts.examples import example_a, line, payout

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CAPTURES = (
    ShopTransaction(1, 1001, False, 5000, "USD", ("pi_1",), None, NOON),
    ShopTransaction(2, 1002, False, 7500, "USD", ("sq_a|sq_b",), None, NOON),
    ShopTransaction(3, 1003, False, 1999, "EUR", (), None, NOON),
)
REFUNDS = (
    ShopTransaction(4, 1001, True, 1000, "USD", ("re_1",), 1, NOON + timedelta(days=1)),
    ShopTransaction(5, 1002, True, 700, "USD", (), 2, NOON + timedelta(days=2)),
    ShopTransaction(6, 1002, True, 700, "USD", (), 2, NOON + timedelta(days=3)),
)
INDEX = LinkIndex((*CAPTURES, *REFUNDS), orders=[1004], external={"114-1": 1005})


def linked(*lines: PayoutLine, index: LinkIndex = INDEX) -> dict[str, Link]:
    return link(classify(payout(lines))[0].lines, index, ORDER_HINTS)


def charge(identity: str, amount: int = 5000, **more: Any) -> PayoutLine:
    return line(identity, "charge", amount, **more)


def test_the_ids_of_a_transaction_are_proof_whichever_of_them_the_line_carries() -> None:
    found = linked(charge("a", references=("ch_9", "pi_1")), charge("b", 7500, references=("sq_b",)))
    assert found == {"a": Link(1001, 1, Step.TRANSACTION), "b": Link(1002, 2, Step.TRANSACTION)}
    assert CONFIDENCE[found["a"].step] == "exact"


def test_a_refund_is_linked_by_its_own_id_or_through_the_charge_that_it_gives_back() -> None:
    found = linked(
        line("own", "refund", -1000, references=("re_1", "pi_1")),
        line("later", "refund", -700, references=("re_x", "sq_a"), occurred_at=NOON + timedelta(hours=2)),
        line("sooner", "refund", -700, references=("re_y", "sq_a"), occurred_at=NOON + timedelta(hours=1)),
        line("unknown", "refund", -350, references=("re_z", "sq_a")),
    )
    assert found["own"] == Link(1001, 4, Step.TRANSACTION)
    # Two refunds of one amount: each has a record of its own, the older one first.
    assert found["sooner"] == Link(1002, 5, Step.REFUND)
    assert found["later"] == Link(1002, 6, Step.REFUND)
    assert found["unknown"] == Link(1002, None, Step.REFUND)


def test_a_dispute_knows_its_order_and_settles_no_record() -> None:
    found = linked(line("d", "dispute", -5000, 1500, references=("du_1", "pi_1")))
    assert found["d"] == Link(1001, None, Step.TRANSACTION)


def test_an_orders_own_number_elsewhere_is_proof_and_its_only_capture_is_meant() -> None:
    index = LinkIndex([ShopTransaction(9, 1005, False, 1594, "USD")], external={"114-1": 1005})
    parts = (charge("p", 1490, references=("114-1",)), charge("t", 104, references=("114-1",)))
    found = linked(*parts, index=index)
    assert found == {"p": Link(1005, 9, Step.ORDER), "t": Link(1005, 9, Step.ORDER)}


def test_a_text_may_name_an_order_that_is_known_and_no_other() -> None:
    found = linked(
        charge("a", 1999, currency="EUR", order_hints=("Order 1003",)),
        charge("b", order_hints=("1004",)),
        charge("c", order_hints=("Order 999999",)),
        charge("d", order_hints=("1003", "Order 1004")),
        line("e", "fee", -100, order_hints=("Order 1004",)),
    )
    assert found == {"a": Link(1003, 3, Step.HINT), "b": Link(1004, None, Step.HINT)}
    assert CONFIDENCE[Step.HINT] == "strong"


def test_amount_and_time_alone_only_propose_and_only_where_both_sides_have_one() -> None:
    found = linked(charge("a", 5000, occurred_at=NOON + timedelta(minutes=14)))
    assert found == {"a": Link(1001, 1, Step.WEAK)}
    assert found["a"].proposal
    assert linked(charge("a", 5000, occurred_at=NOON + timedelta(minutes=16))) == {}
    assert linked(charge("a", 5001, occurred_at=NOON)) == {}
    twins = (charge("a", occurred_at=NOON), charge("b", occurred_at=NOON + timedelta(minutes=1)))
    assert linked(*twins) == {}
    two = LinkIndex([*CAPTURES, ShopTransaction(8, 1009, False, 5000, "USD", (), None, NOON)])
    assert linked(charge("a", occurred_at=NOON), index=two) == {}


def test_what_another_payout_settled_or_another_line_has_is_not_proposed_again() -> None:
    assert link(classify(payout([charge("a", occurred_at=NOON)]))[0].lines, INDEX, taken={1}) == {}
    third = line("r", "refund", -700, references=("re_x", "sq_a"))
    again = link(classify(payout([third]))[0].lines, INDEX, taken={5})
    assert again == {"r": Link(1002, 6, Step.REFUND)}
    both = linked(charge("a", references=("pi_1",)), charge("b", occurred_at=NOON))
    assert set(both) == {"a"}


def test_an_id_that_two_orders_carry_is_no_proof_and_one_order_with_two_captures_needs_the_amount() -> None:
    index = LinkIndex(
        [
            ShopTransaction(1, 1, False, 100, "USD", ("x", "y")),
            ShopTransaction(2, 2, False, 100, "USD", ("x",)),
            ShopTransaction(3, 1, False, 300, "USD", ("y",)),
        ]
    )
    assert linked(charge("a", 100, references=("x",)), index=index) == {}
    found = linked(charge("a", 300, references=("y",)), charge("b", 700, references=("y",)), index=index)
    assert found == {"a": Link(1, 3, Step.TRANSACTION), "b": Link(1, None, Step.TRANSACTION)}


def test_the_lines_of_example_a_find_their_orders_by_what_stripe_says() -> None:
    made, _ = classify(example_a())
    orders = [*range(1001, 1043), 950]
    found = link(made.lines, LinkIndex([], orders), ORDER_HINTS)
    assert {one.step for one in found.values()} == {Step.HINT}
    assert found["txn_SYN1001"].order_id == 1001
    assert found["txn_SYNR3"].order_id == 950
    assert len(found) == 45


lines = st.lists(
    st.builds(
        line,
        st.uuids().map(str),
        st.sampled_from(["charge", "refund", "dispute"]),
        st.sampled_from([5000, 700, 1000, 1999]),
        references=st.lists(st.sampled_from(["pi_1", "sq_a", "re_1", "z", "114-1"]), max_size=2).map(tuple),
        order_hints=st.lists(st.sampled_from(["1002", "Order 1003", "tea"]), max_size=1).map(tuple),
        occurred_at=st.integers(0, 40).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    ),
    max_size=8,
)


@given(lines, st.randoms(use_true_random=False))
def test_the_order_of_lines_is_no_matter_and_no_refund_is_given_away_twice(
    made: list[PayoutLine], rnd: random.Random
) -> None:
    signed = [
        replace(one, gross=-one.gross, net=-one.net) if one.category != "charge" else one for one in made
    ]
    mixed = list(signed)
    rnd.shuffle(mixed)
    found = linked(*signed)
    assert linked(*mixed) == found
    inferred = [
        one.transaction_id
        for one in found.values()
        if one.step is Step.REFUND and one.transaction_id is not None
    ]
    assert len(inferred) == len(set(inferred))
