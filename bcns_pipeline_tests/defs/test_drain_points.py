"""Killed at any step, the next drain finishes the work: every record once, and what we remember agrees."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bcns_pipeline.state.audit import Head
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.defs.drain_points import KEYS, ORDERS


@pytest.fixture
def judged(database_url: str) -> Iterator[list[dict[str, Any]]]:
    """One finding per crash point, and one of the chain. BCNS_CRASH_STEP=10 looks at every tenth only."""
    step = os.environ.get("BCNS_CRASH_STEP", "1")
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "bcns_pipeline_tests.defs.drain_points",
        database_url,
        step,
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    yield [json.loads(line) for line in done.stdout.splitlines()]
    engine = sa.create_engine(database_url)
    with engine.begin() as conn:
        conn.exec_driver_sql("drop schema far cascade")
    engine.dispose()


@pytest.mark.long
@pytest.mark.kill
def test_a_kill_at_any_step_of_a_drain_neither_doubles_nor_loses_a_record(
    judged: list[dict[str, Any]], engine: sa.Engine
) -> None:
    points = [found for found in judged if "at" in found]
    print(f"\n{len(points)} crash points")
    assert len(points) > 5
    for found in points:
        at = found.pop("at")
        head = Head.parse(found.pop("head"))
        (row,) = State(engine, f"crash-{at}").audit.rows(after=head.seq - 1, limit=1)
        assert row.hash == head.hash, at
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
    (chain,) = (found["chain"] for found in judged if "chain" in found)
    assert chain.startswith("Verified")
