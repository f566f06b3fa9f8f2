"""Killed at any step of I/O, the next run of the payout flow finishes the work: each entry once, each file taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bcns_pipeline_tests.crash_findings import findings, points
from bcns_pipeline_tests.defs.payouts.payout_points import KEYS


@pytest.fixture
def judged(database_url: str, tmp_path: Path) -> Iterator[list[dict[str, Any]]]:
    """One finding per crash point, and one of the chain."""
    with findings("defs.payouts.payout_points", database_url, str(tmp_path), far="far", every=5) as found:
        yield found


@pytest.mark.long
@pytest.mark.kill
def test_a_kill_at_any_step_of_the_payout_flow_neither_doubles_nor_loses_an_entry(
    judged: list[dict[str, Any]], engine: sa.Engine
) -> None:
    for at, found in points(judged, engine):
        assert found == {
            "open": 0,
            "entries": dict.fromkeys(KEYS, 1),
            "known": True,
            "equal": True,
            "statuses": ["bank_matched", "bank_matched"],
            "files": ["bank/done/file.csv", "payouts/done/file.csv"],
        }, at
