"""A merchant who sells and is paid, for the tests of the cash flow.

Put fixtures here. Do not put expectations here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bcns_pipeline.clients.netsuite import records
from bcns_pipeline.defs import dispatch
from bcns_pipeline.defs.cash import apply
from bcns_pipeline.defs.orders import apply as order_apply
from bcns_pipeline.resources import failures
from bcns_pipeline.sandbox.launch import Sandbox
from bcns_pipeline_tests.defs.cash_flow import CashFlow
from bcns_pipeline_tests.defs.flow import variables
from bcns_pipeline_tests.defs.history import history


@pytest.fixture
def shop(
    sandbox: Sandbox, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CashFlow]:
    """A merchant of 40 SKUs in step whose orders and money flow, and whom we have never met."""
    monkeypatch.setattr(failures, "RETRY_SECONDS", 0)
    for module in (apply, order_apply):
        # These sandboxes are done with a call as soon as its answer is lost.
        monkeypatch.setattr(module, "SETTLE_SECONDS", 0.2)
    monkeypatch.setattr(records, "_WRITE_SECONDS", 1.0)
    monkeypatch.setattr(dispatch, "PROGRESS_SECONDS", 60.0)
    monkeypatch.chdir(tmp_path)
    with history() as instance:
        found = CashFlow(sandbox, database_url, tmp_path, instance)
        found.seed()
        with variables(found.environment):
            yield found
        found.close()
