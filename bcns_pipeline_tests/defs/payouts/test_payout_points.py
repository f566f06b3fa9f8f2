"""Killed at any step of I/O, the next run of the payout flow finishes the work: each entry once, each file taken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bcns_pipeline.state.audit import Head
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.defs.payouts.payout_points import KEYS


@pytest.fixture
def judged(database_url: str, tmp_path: Path) -> Iterator[list[dict[str, Any]]]:
    """One finding per crash point, and one of the chain. Every 19th is looked at; BCNS_CRASH_STEP=1 is all."""
    step = os.environ.get("BCNS_CRASH_STEP", "19")
    script = "bcns_pipeline_tests.defs.payouts.payout_points"
    command = [sys.executable, "-W", "ignore", "-m", script, database_url, step, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    yield [json.loads(line) for line in done.stdout.splitlines()]
    engine = sa.create_engine(database_url)
    with engine.begin() as conn:
        conn.exec_driver_sql("drop schema far cascade")
    engine.dispose()


@pytest.mark.long
@pytest.mark.kill
def test_a_kill_at_any_step_of_the_payout_flow_neither_doubles_nor_loses_an_entry(
    judged: list[dict[str, Any]], engine: sa.Engine
) -> None:
    points = [found for found in judged if "at" in found]
    print(f"\n{points[-1]['at']} crash points, {len(points)} of them looked at")
    assert len(points) > 5
    for found in points:
        at = found.pop("at")
        head = Head.parse(found.pop("head"))
        (row,) = State(engine, f"crash-{at}").audit.rows(after=head.seq - 1, limit=1)
        assert row.hash == head.hash, at
        assert found == {
            "open": 0,
            "entries": dict.fromkeys(KEYS, 1),
            "known": True,
            "equal": True,
            "statuses": ["bank_matched", "bank_matched"],
            "files": ["bank/done/file.csv", "payouts/done/file.csv"],
        }, at
    (chain,) = (found["chain"] for found in judged if "chain" in found)
    assert chain.startswith("Verified")
