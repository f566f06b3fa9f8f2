"""Killed at any statement or commit, the next run finishes the work: nothing twice, nothing lost."""

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
from bcns_pipeline_tests.state.crash_points import ITEMS, RECORDS


@pytest.fixture
def judged(database_url: str) -> Iterator[list[dict[str, Any]]]:
    """One finding per crash point, and one of the chain. BCNS_CRASH_STEP=10 looks at every tenth only."""
    script = Path(__file__).with_name("crash_points.py")
    command = [
        sys.executable,
        "-W",
        "ignore",
        str(script),
        database_url,
        os.environ.get("BCNS_CRASH_STEP", "1"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(script.parent.parent.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    yield [json.loads(line) for line in done.stdout.splitlines()]
    engine = sa.create_engine(database_url)
    with engine.begin() as conn:
        conn.exec_driver_sql("drop schema remote cascade")
    engine.dispose()


@pytest.mark.long
@pytest.mark.kill
def test_a_kill_at_any_statement_or_commit_neither_doubles_nor_loses_a_write(
    judged: list[dict[str, Any]], engine: sa.Engine
) -> None:
    points = [found for found in judged if "at" in found]
    print(f"\n{len(points)} crash points")
    assert len(points) > 5
    for found in points:
        at = found.pop("at")
        # A plan whose run died before staging it stays unapplied, and is never sent; of a staged one every
        # line has an end.
        unapplied = found.pop("plans_not_applied")
        assert unapplied in (0, 1), at
        assert found.pop("lines_without_end") == unapplied * len(ITEMS), at
        # A claim that died is made again, after a look-up.
        assert found.pop("record_claims") in (1, 2), at
        head = Head.parse(found.pop("head"))
        (row,) = State(engine, f"crash-{at}").audit.rows(after=head.seq - 1, limit=1)
        assert row.hash == head.hash, at
        # An absolute value may be sent anew in a newer plan, but the same line never is.
        assert found == {
            "open": 0,
            "records": list(RECORDS),
            "stock": True,
            "confirmed": True,
            "sends_per_line": 1,
            "old_after_new": False,
        }, at
    (chain,) = (found["chain"] for found in judged if "chain" in found)
    assert chain.startswith("Verified")
