"""Killed at any step, the next drain finishes the work: every record once, and what we remember agrees."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from bcns_pipeline_tests.crash_findings import findings, points
from bcns_pipeline_tests.defs.drain_points import KEYS, ORDERS


@pytest.fixture
def judged(database_url: str) -> Iterator[list[dict[str, Any]]]:
    """One finding per crash point, one of a race, and one of the chain."""
    with findings("defs.drain_points", database_url, far="far") as found:
        yield found


@pytest.mark.long
@pytest.mark.kill
def test_a_kill_at_any_step_of_a_drain_neither_doubles_nor_loses_a_record(
    judged: list[dict[str, Any]], engine: sa.Engine
) -> None:
    for at, found in points(judged, engine):
        assert found == {
            "open": 0,
            "records": dict.fromkeys(KEYS, 1),
            "posted": list(ORDERS),
            "right_ids": True,
            "customer_first": True,
            "inbox": 0,
        }, at
    # Two at once, one of them killed: both had their share, and every record is there once, in order.
    (race,) = (found for found in judged if "race" in found)
    assert race["race"] == [0, -signal.SIGKILL]
    assert race["records"] == {f"k{n:02d}": 1 for n in range(60)}
    assert race["in_order"]
    assert race["workers"] >= 2
