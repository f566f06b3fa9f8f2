"""Killed at any moment, the next run finishes the work: nothing twice, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from bcns_pipeline_tests.crash_findings import findings, points
from bcns_pipeline_tests.state.crash_points import ITEMS, RECORDS


@pytest.fixture
def judged(database_url: str) -> Iterator[list[dict[str, Any]]]:
    """One finding per crash point, and one of the chain."""
    with findings("state.crash_points", database_url, far="remote") as found:
        yield found


@pytest.mark.long
@pytest.mark.kill
def test_a_kill_at_any_moment_neither_doubles_nor_loses_a_write(
    judged: list[dict[str, Any]], engine: sa.Engine
) -> None:
    for at, found in points(judged, engine):
        # A plan whose run died before staging it stays unapplied, and is never sent; of a staged one every
        # line has an end.
        unapplied = found.pop("plans_not_applied")
        assert unapplied in (0, 1), at
        assert found.pop("lines_without_end") == unapplied * len(ITEMS), at
        # Lines are written before their plan, so a run that died between the two leaves lines that nobody sends.
        assert found.pop("lines_without_plan") in (0, len(ITEMS)), at
        # A claim that died is made again, after a look-up.
        assert found.pop("record_claims") in (1, 2), at
        # An absolute value may be sent anew in a newer plan, but the same line never is.
        assert found == {
            "open": 0,
            "records": list(RECORDS),
            "stock": True,
            "confirmed": True,
            "sends_per_line": 1,
            "old_after_new": False,
        }, at
