"""What the flow's tests need: a sandbox per worker, and a merchant with a database of its own per test.

Put fixtures here. Do not put expectations here. Fair weather, full permissions and the usual limits are put back
before each test.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bcns_pipeline.defs.inventory import apply, readback
from bcns_pipeline.resources import failures
from bcns_pipeline.sandbox.launch import Sandbox, start
from bcns_pipeline.sandbox.options import ALL_SCOPES
from bcns_pipeline_tests.defs.flow import Flow, variables
from bcns_pipeline_tests.defs.history import history


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    """A sandbox for all tests of the folder on this worker; each test seeds it anew."""
    with start(skus=40, locations=2, arguments=["--adjustment-delay-ms", "20", "--quota", "0"]) as found:
        yield found


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """The sandbox as if just started."""
    control = running_sandbox.control
    control.clear_faults()
    control.latency(0)
    control.clock(offset_seconds=0)
    control.limits(quota=0, concurrency=5, token_seconds=3600, adjustment_delay_ms=20)
    control.role(administrator=False, hidden_tables=[])
    control.call("POST", "/bigcommerce/scopes", {"scopes": list(ALL_SCOPES)})
    return running_sandbox


@pytest.fixture
def flow(
    request: pytest.FixtureRequest,
    sandbox: Sandbox,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Flow]:
    """A merchant whom we have never met: of 40 SKUs at 2 locations, in step, or as the mark `merchant` says."""
    # A step that met an outage is tried again at once.
    monkeypatch.setattr(failures, "RETRY_SECONDS", 0)
    # These sandboxes apply an adjustment after 20 ms.
    monkeypatch.setattr(readback, "FIRST_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(apply, "LEFTOVER_PATIENCE_SECONDS", 1.0)
    monkeypatch.chdir(tmp_path)
    with history() as instance:
        merchant = Flow(sandbox, database_url, tmp_path, instance)
        wanted = request.node.get_closest_marker("merchant")
        if wanted:
            merchant.seed(*wanted.args, **wanted.kwargs)
        else:
            merchant.seed()
        with variables(merchant.environment):
            yield merchant
        merchant.close()
