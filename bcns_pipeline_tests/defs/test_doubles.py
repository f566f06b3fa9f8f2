"""The same build against anybody's doubles: addresses, paths and accounts come from variables and one file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bcns_pipeline_tests.defs.children import ROOT
from bcns_pipeline_tests.defs.flow import DATA_KEY, Flow
from bcns_pipeline_tests.defs.relay import serving

BOOKS, SHOP = "/doubles/netsuite/v9", "/some/where/else/bigcommerce"


def nothing(method: str, path: str, body: bytes) -> tuple[int, Any] | None:
    return None


@pytest.mark.merchant(30, stock="zero")
def test_dagster_runs_the_flow_against_doubles_below_path_prefixes(flow: Flow, tmp_path: Path) -> None:
    with (
        serving(nothing, prefix=BOOKS, target=flow.sandbox.netsuite_url) as books,
        serving(nothing, prefix=SHOP, target=flow.sandbox.bigcommerce_url) as shop,
    ):
        # Nothing of the machine's environment but where programs are found.
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            **flow.sandbox.env,
            "BCNS_NETSUITE_BASE_URL": books.url,
            "BCNS_BIGCOMMERCE_BASE_URL": shop.url,
            "BCNS_DATABASE_URL": flow.database_url,
            "BCNS_DATA_KEY": DATA_KEY,
        }
        command = [
            "-m",
            "dagster",
            "job",
            "execute",
            "-m",
            "bcns_pipeline.definitions",
            "-j",
            "inventory_sync",
        ]
        done = subprocess.run(
            [sys.executable, *command],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]

    assert {path.startswith(BOOKS) for _, path, _ in books.seen} == {True}
    assert {path.startswith(SHOP) for _, path, _ in shop.seen} == {True}
    assert any("oauth2/v1/token" in path for _, path, _ in books.seen)
    assert any(method == "PUT" for method, _, _ in shop.seen)
    flow.assert_in_step()
