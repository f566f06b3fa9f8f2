"""kill -9 of the embedded server while a run is at work: the next one brings it up again and ends exactly right.

Put here what needs a server of its own. Every run is a process that finds the server by its home, as `bcns` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bcns_pipeline.state.engine import create_engine
from bcns_pipeline.state.migrate import upgrade
from bcns_pipeline_tests.defs.flow import Flow, wait_until
from bcns_pipeline_tests.defs.test_kill import MOVED
from bcns_pipeline_tests.state.embedded_users import kill, postmaster, server_of
from bcns_pipeline_tests.state.test_embedded import checkout, home

__all__ = ["checkout", "home"]  # fixtures

pytestmark = pytest.mark.kill


@pytest.fixture
def database_url(home: Path) -> Iterator[str]:
    """The embedded server of `home` instead of the tests' shared one."""
    with server_of(home).acquire() as lease:
        engine = create_engine(lease.url)
        upgrade(engine)
        engine.dispose()
        yield lease.url


def complete(flow: Flow) -> None:
    child = flow.start()
    assert child.wait(180) == 0, child.stdout.read()[-3000:]


@pytest.mark.parametrize(
    ("system", "path"),
    [("netsuite", "suiteql"), ("bigcommerce", "adjustments"), ("bigcommerce", "inventory/items")],
)
def test_what_a_run_whose_database_server_was_killed_leaves_the_next_one_ends_exactly_right(
    flow: Flow, home: Path, system: str, path: str
) -> None:
    flow.environment["BCNS_HOME"] = str(home)
    del flow.environment["BCNS_DATABASE_URL"]
    complete(flow)
    flow.later()
    for sku, pair in MOVED.items():
        flow.stock(sku, *pair)
    flow.control.clear_log()
    before = postmaster(home)

    flow.control.faults({"system": system, "kind": "latency", "path_regex": path, "ms": 2_000, "times": 1})
    run = flow.start()
    wait_until(lambda: flow.control.call("GET", "/faults") == [])
    kill(before)
    # A step that notices before it has sent anything may bring the server up and try again.
    assert run.wait(180) in {0, 1}

    complete(flow)
    assert postmaster(home) not in {None, before}
    assert {sku: flow.shop(sku) for sku in MOVED} == MOVED
    flow.assert_in_step()
    sent = flow.puts()
    complete(flow)
    assert flow.puts() == sent
