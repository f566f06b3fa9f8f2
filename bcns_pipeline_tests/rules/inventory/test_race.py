"""The race for the last units, by seed: nothing is oversold by what was pushed, and nothing held back for long."""

from __future__ import annotations

import pytest

from bcns_pipeline_tests.rules.inventory.race import Pace, race

SEEDS = range(4)


@pytest.mark.parametrize("seed", SEEDS)
def test_with_orders_netted_no_push_oversells_and_every_quiet_item_is_exact(seed: int) -> None:
    day = race(seed, netting=True, hours=8)
    assert day.orders > 30
    assert day.pushes > 20
    assert (day.oversold, day.not_exact) == (0, 0)


def test_without_netting_the_same_days_oversell() -> None:
    assert sum(race(seed, netting=False, hours=8).oversold for seed in SEEDS) > 0


def test_a_slow_sender_oversells_only_by_orders_that_came_while_it_was_sending() -> None:
    slow = Pace(cadence=300.0, sending=40.0, between_orders=30.0)
    day = race(1, netting=True, hours=3, pace=slow)
    assert day.oversold == 0
    assert (
        race(1, netting=True, hours=3, pace=Pace(cadence=300.0, between_orders=30.0)).in_flight
        <= day.in_flight
    )


def test_the_same_seed_is_the_same_day() -> None:
    assert race(3, netting=True, hours=1) == race(3, netting=True, hours=1)
