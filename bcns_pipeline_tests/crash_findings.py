"""What a script finds that kills a process at one step of its work after the other, each time going on with another.

Put here how such a script is started and how the audit chain is looked at. The scripts are state/crash_points.py,
defs/drain_points.py and defs/payouts/payout_points.py: they print one finding a crash point as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg2
import sqlalchemy as sa

from bcns_pipeline.state.audit import Head
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.conftest import ROOT


@contextlib.contextmanager
def findings(
    script: str, database_url: str, *arguments: str, far: str, every: int = 1
) -> Iterator[list[dict[str, Any]]]:
    """All findings; the schema `far`, where the script keeps the other side, is gone afterwards.

    Every `every`-th step is looked at; the environment's BCNS_CRASH_STEP wins (1 is all).
    """
    step = os.environ.get("BCNS_CRASH_STEP", str(every))
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        f"bcns_pipeline_tests.{script}",
        database_url,
        step,
        *arguments,
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    try:
        yield [json.loads(line) for line in done.stdout.splitlines()]
    finally:
        engine = sa.create_engine(database_url)
        with engine.begin() as conn:
            conn.exec_driver_sql(f"drop schema {far} cascade")
        engine.dispose()


def points(judged: list[dict[str, Any]], engine: sa.Engine) -> Iterator[tuple[int, dict[str, Any]]]:
    """(step, what was found there); the chain must hold, and have the row that was its head at the kill."""
    found = [one for one in judged if "at" in one]
    print(f"\n{found[-1]['at']} crash points, {len(found)} of them looked at")
    assert len(found) > 5
    for one in found:
        at, head = one.pop("at"), Head.parse(one.pop("head"))
        (row,) = State(engine, f"crash-{at}").audit.rows(after=head.seq - 1, limit=1)
        assert row.hash == head.hash, at
        yield at, one
    (chain,) = (one["chain"] for one in judged if "chain" in one)
    assert chain.startswith("Verified")


class FarSide:
    """A schema that stands for an outside system: asked through a session of its own, so a kill takes none of it."""

    def __init__(self, url: str, store: str) -> None:
        self._session = psycopg2.connect(url.replace("postgresql+psycopg2", "postgresql"))
        self._session.autocommit = True
        self._store = store

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query whose first parameter is the store."""
        with self._session.cursor() as cursor:
            cursor.execute(query, (self._store, *values))
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """The session ends."""
        self._session.close()
