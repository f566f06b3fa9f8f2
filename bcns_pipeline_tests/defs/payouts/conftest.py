"""A merchant who is paid, for the tests of the payout flow.

Put fixtures here. Do not put expectations here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bcns_pipeline.clients.files import folder
from bcns_pipeline.clients.netsuite import records
from bcns_pipeline.defs import dispatch
from bcns_pipeline.defs.payouts import apply
from bcns_pipeline.resources import failures
from bcns_pipeline.sandbox.launch import Sandbox
from bcns_pipeline_tests.defs.flow import variables
from bcns_pipeline_tests.defs.history import history
from bcns_pipeline_tests.defs.payout_flow import PayoutFlow


@pytest.fixture
def till(
    sandbox: Sandbox, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PayoutFlow]:
    """A merchant whom providers pay, and whose books have no journal yet."""
    monkeypatch.setattr(failures, "RETRY_SECONDS", 0)
    monkeypatch.setattr(apply, "SETTLE_SECONDS", 0.2)
    monkeypatch.setattr(records, "_WRITE_SECONDS", 1.0)
    monkeypatch.setattr(dispatch, "PROGRESS_SECONDS", 60.0)
    # A file that was just dropped is whole in these tests.
    monkeypatch.setattr(folder, "_SETTLED_SECONDS", 0.0)
    monkeypatch.chdir(tmp_path)
    with history() as instance:
        found = PayoutFlow(sandbox, database_url, tmp_path, instance)
        found.seed()
        with variables(found.environment):
            yield found
        found.close()
