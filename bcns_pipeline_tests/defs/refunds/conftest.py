"""A merchant who gives money back, for the tests of the refund flow.

Put fixtures here. Do not put expectations here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bcns_pipeline.clients.netsuite import records
from bcns_pipeline.defs import dispatch
from bcns_pipeline.defs.orders import apply as orders_apply
from bcns_pipeline.defs.refunds import apply
from bcns_pipeline.resources import failures
from bcns_pipeline.sandbox.launch import Sandbox
from bcns_pipeline_tests.defs.flow import variables
from bcns_pipeline_tests.defs.history import history
from bcns_pipeline_tests.defs.refunds.giving_back import RefundFlow


@pytest.fixture
def shop(
    sandbox: Sandbox, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RefundFlow]:
    """A merchant of 40 SKUs whose orders and refunds flow, and whom we have never met."""
    monkeypatch.setattr(failures, "RETRY_SECONDS", 0)
    # These sandboxes are done with a call as soon as its answer is lost.
    monkeypatch.setattr(apply, "SETTLE_SECONDS", 0.2)
    monkeypatch.setattr(orders_apply, "SETTLE_SECONDS", 0.2)
    monkeypatch.setattr(records, "_WRITE_SECONDS", 1.0)
    monkeypatch.setattr(dispatch, "PROGRESS_SECONDS", 60.0)
    monkeypatch.chdir(tmp_path)
    with history() as instance:
        found = RefundFlow(sandbox, database_url, tmp_path, instance)
        found.seed()
        with variables(found.environment):
            yield found
        found.close()
