from __future__ import annotations

import pytest

from bcns_pipeline.rules.inventory.policy import double_buffer, make_policy


def test_several_netsuite_locations_feed_one_bigcommerce_location() -> None:
    policy = make_policy([((6, 1), 1), ((7,), 3)], buffer=2)
    assert policy.routes == ((1, 1), (6, 1), (7, 3))
    assert policy.netsuite_locations == (1, 6, 7)
    assert policy.bigcommerce_locations == (1, 3)
    assert policy.rule == "available - 2 held back"


def test_the_ready_made_rules_are_formulas() -> None:
    assert make_policy([((1,), 1)]).rule == "available"
    assert make_policy([((1,), 1)], quantity="on_hand_minus_committed").rule == "on_hand - committed"
    assert make_policy([((1,), 1)], quantity="expression", expression="on_hand").rule == "on_hand"


@pytest.mark.parametrize(
    ("routes", "part"),
    [
        ([], "no location"),
        ([((1, 1), 1)], "twice"),
        ([((1,), 1), ((1,), 2)], "twice"),
        ([((0,), 1)], "no id"),
        ([((1,), 0)], "from 1 on"),
    ],
)
def test_impossible_routes_are_refused(routes: list[tuple[tuple[int, ...], int]], part: str) -> None:
    with pytest.raises(ValueError, match=part):
        make_policy(routes)


def test_an_impossible_buffer_or_a_missing_formula_is_refused() -> None:
    with pytest.raises(ValueError, match="not possible"):
        make_policy([((1,), 1)], buffer=-1)
    with pytest.raises(ValueError, match="there is none"):
        make_policy([((1,), 1)], quantity="expression")


def test_safety_stock_held_back_twice_is_one_sentence() -> None:
    assert double_buffer("bigcommerce", 5) is None
    assert double_buffer("pipeline", 0) is None
    assert "the pipeline holds back stock, but BigCommerce itself holds back up to 5" in str(
        double_buffer("pipeline", 5)
    )
    assert "nobody" in str(double_buffer("none", 1))
    assert "NetSuite" in str(double_buffer("netsuite", 1))
