"""A merchant who sells, for the tests of the order flow.

Put fixtures here. Do not put expectations here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bcns_pipeline.clients.netsuite import records
from bcns_pipeline.defs import dispatch
from bcns_pipeline.defs.orders import apply
from bcns_pipeline.resources import failures
from bcns_pipeline.sandbox.launch import Sandbox, start
from bcns_pipeline_tests.defs.flow import variables
from bcns_pipeline_tests.defs.history import history
from bcns_pipeline_tests.defs.order_flow import OrderFlow


@pytest.fixture
def shop(
    sandbox: Sandbox, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OrderFlow]:
    """A merchant of 40 SKUs in step whose orders flow, and whom we have never met."""
    with merchant(sandbox, database_url, tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture
def legacy_shop(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OrderFlow]:
    """The same with a NetSuite account that has no SuiteTax."""
    arguments = ["--adjustment-delay-ms", "20", "--quota", "0", "--tax-engine", "legacy"]
    with (
        start(skus=40, locations=2, arguments=arguments) as sandbox,
        merchant(sandbox, database_url, tmp_path, monkeypatch) as found,
    ):
        yield found


@contextmanager
def merchant(
    sandbox: Sandbox, database_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OrderFlow]:
    monkeypatch.setattr(failures, "RETRY_SECONDS", 0)
    # These sandboxes are done with a call as soon as its answer is lost.
    monkeypatch.setattr(apply, "SETTLE_SECONDS", 0.2)
    # A write may take NetSuite minutes, and a silent sandbox is silent for good.
    monkeypatch.setattr(records, "_WRITE_SECONDS", 1.0)
    monkeypatch.setattr(dispatch, "PROGRESS_SECONDS", 60.0)
    monkeypatch.chdir(folder)
    with history() as instance:
        found = OrderFlow(sandbox, database_url, folder, instance)
        found.seed()
        with variables(found.environment):
            yield found
        found.close()
