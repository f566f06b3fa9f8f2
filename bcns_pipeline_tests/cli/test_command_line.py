"""The `bcns` script as a person runs it: processes of their own, the real flow, one SKU from end to end.

Put here what only shows across processes. What a single command says is tested beside it, in this process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bcns_pipeline.cli.flows import dagster_instance
from bcns_pipeline.sandbox.launch import Sandbox
from bcns_pipeline_tests.conftest import ROOT
from bcns_pipeline_tests.defs.children import Child

SCRIPT = "from bcns_pipeline.cli.main import main; main()"


def bcns(*arguments: str) -> tuple[int, str]:
    """Exit code and output of a command line in the test's environment and folder, in a process of its own."""
    child = Child(Path.cwd(), os.environ, arguments, program="bcns")
    code = child.wait(300)
    said = child.stdout.read()
    child.close()
    return code, said


def test_one_unit_goes_from_netsuite_to_the_store_and_is_explained(sandbox: Sandbox) -> None:
    # A run that was killed has left its slot of the pool behind, and no daemon is there to free it.
    with dagster_instance() as instance:
        instance.event_log_storage.set_concurrency_slots("inventory_bulk", 1)
        # Dagster's own claim, without the lock that goes with a process.
        claim = instance.event_log_storage.claim_concurrency_slot.__wrapped__  # type: ignore[attr-defined]
        assert claim("inventory_bulk", "killed", "its step").is_claimed
    code, said = bcns("run", "inventory")
    assert code == 0, said
    sku = sandbox.control.inventory()[0]["sku"]

    code, said = bcns("smoke", "inventory", sku)
    assert code == 1, said
    assert "the plan is empty" in said

    sandbox.control.adjust(sku=sku, location=sandbox.locations[0]["netsuite"], delta=1)
    code, said = bcns("smoke", "inventory", sku)
    assert code == 0, said
    assert "PASS: one SKU, one unit" in said

    code, said = bcns("explain", "sku", sku)
    assert code == 0, said
    assert ": confirmed" in said
    assert bcns("audit", "verify")[0] == 0


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
