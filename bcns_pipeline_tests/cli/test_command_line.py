"""The `bcns` script as a person runs it: processes of their own, the real flow, one SKU from end to end.

Put here what only shows across processes. What a single command says is tested beside it, in this process.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bcns_pipeline.sandbox.launch import Sandbox
from bcns_pipeline_tests.conftest import ROOT

SCRIPT = "from bcns_pipeline.cli.main import main; main()"


def bcns(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command line in the test's environment and folder."""
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.long
def test_one_unit_goes_from_netsuite_to_the_store_and_is_explained(sandbox: Sandbox) -> None:
    first = bcns("run", "inventory")
    assert first.returncode == 0, first.stdout + first.stderr
    sku = sandbox.control.inventory()[0]["sku"]

    empty = bcns("smoke", "inventory", sku)
    assert empty.returncode == 1, empty.stdout + empty.stderr
    assert "the plan is empty" in empty.stdout

    sandbox.control.adjust(sku=sku, location=sandbox.locations[0]["netsuite"], delta=1)
    smoke = bcns("smoke", "inventory", sku)
    assert smoke.returncode == 0, smoke.stdout + smoke.stderr
    assert "PASS: one SKU, one unit" in smoke.stdout

    told = bcns("explain", "sku", sku)
    assert told.returncode == 0
    assert ": confirmed" in told.stdout
    assert bcns("audit", "verify").returncode == 0


def test_bad_input_is_sentences_on_standard_error_and_code_2() -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("BCNS_")}
    command = [sys.executable, "-c", SCRIPT, "config", "check", "/nowhere/bcns.yaml"]
    result = subprocess.run(
        command, env={**env, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )

    assert result.returncode == 2
    assert "/nowhere/bcns.yaml does not exist" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
