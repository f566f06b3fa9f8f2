"""Python's own settings while a run works."""

from __future__ import annotations

import gc
import sys

import dagster as dg
import pytest

from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.interpreter import COLLECT_AFTER, SWITCH_SECONDS, set_for_a_run


def test_what_was_set_for_a_run_is_as_before_after_it() -> None:
    before = (sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count())
    with set_for_a_run():
        assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
        assert gc.get_threshold()[0] == COLLECT_AFTER
        assert gc.get_freeze_count() > before[2]
    assert (sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count()) == before


def test_garbage_of_a_run_is_still_collected() -> None:
    class Ring:
        alive = 0

        def __init__(self) -> None:
            self.itself = self
            Ring.alive += 1

        def __del__(self) -> None:
            Ring.alive -= 1

    with set_for_a_run():
        for _ in range(3 * COLLECT_AFTER):
            Ring()
        assert Ring.alive <= 2 * COLLECT_AFTER


def test_a_tick_of_a_sensor_leaves_its_process_as_it_is() -> None:
    """What is frozen and given back is never looked at again: sensors leaked 100 KB an order that they had listed."""

    def now() -> tuple[object, ...]:
        return sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count()

    before = now()
    with Connections().yield_for_execution(dg.build_init_resource_context()):
        assert now() == before
