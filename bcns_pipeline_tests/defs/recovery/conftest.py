"""The merchant who sells, and the command line in the merchant's environment.

Put fixtures here. Do not put expectations here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from bcns_pipeline.sandbox.launch import Sandbox
from bcns_pipeline_tests.cli import command_line
from bcns_pipeline_tests.defs.order_flow import OrderFlow
from bcns_pipeline_tests.defs.orders.conftest import merchant

Bcns = Callable[..., Result]


@pytest.fixture
def shop(
    sandbox: Sandbox, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OrderFlow]:
    """A merchant of 40 SKUs in step whose orders flow, and whom we have never met."""
    with merchant(sandbox, database_url, tmp_path, monkeypatch) as found:
        # A command runs flows with the history of a home of its own.
        monkeypatch.setenv("DAGSTER_HOME", str(_dagster_home(tmp_path)))
        yield found


def _dagster_home(folder: Path) -> Path:
    home = folder / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return home


@pytest.fixture
def bcns(shop: OrderFlow) -> Bcns:
    """Runs a command line as that merchant."""
    return command_line.bcns
