"""The sandbox as a process: it starts, speaks one line, and ends with whoever started it.

Put start and end here. Do not put behaviour of the systems here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from bcns_pipeline.sandbox.launch import Sandbox, SandboxFailed, start
from bcns_pipeline_tests.sandbox.conftest import ask_token, assertion

STARTER = """
import os, sys
from bcns_pipeline.sandbox.launch import start
sandbox = start(skus=10)
print(sandbox.process.pid, sandbox.control.url, flush=True)
os._exit(9)
"""


def test_the_environment_it_gives_is_complete_and_the_two_ids_of_a_location_differ(sandbox: Sandbox) -> None:
    assert {name for name in sandbox.env if not name.startswith("BCNS_")} == set()
    assert {"BCNS_BIGCOMMERCE_BASE_URL", "BCNS_NETSUITE_PRIVATE_KEY", "BCNS_NETSUITE_CONCURRENCY"} <= set(
        sandbox.env
    )
    assert sandbox.locations[1] == {"netsuite": 6, "bigcommerce": 2}


def test_it_ends_when_its_parent_is_gone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTER], capture_output=True, text=True, check=False, timeout=180
    )
    pid = int(done.stdout.split()[0])
    end = time.monotonic() + 60
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(pid)


def alive(pid: int) -> bool:
    """Whether a process runs (one that ended and was not waited for does not)."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_stop_ends_it_in_good_order_even_with_a_call_under_way() -> None:
    sandbox = start(skus=10)
    sandbox.control.faults({"system": "bigcommerce", "kind": "timeout", "path_regex": "", "times": 1})
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{sandbox.bigcommerce_url}/stores/sandbox1/v2/time", timeout=0.1)
    sandbox.stop()
    assert sandbox.process.returncode == 0


def test_a_sandbox_that_can_not_start_says_so() -> None:
    with pytest.raises(SandboxFailed):
        start(skus=10, locations=99)


def test_an_account_without_oneworld_and_locations_lacks_their_columns() -> None:
    with start(skus=10, arguments=["--no-oneworld", "--no-multi-location"]) as sandbox:
        token = ask_token(sandbox, assertion(sandbox)).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Prefer": "transient"}

        def ask(q: str) -> httpx.Response:
            url = f"{sandbox.netsuite_url}/services/rest/query/v1/suiteql"
            return httpx.post(url, json={"q": q}, headers=headers)

        assert (
            "Invalid search type: aggregateitemlocation" in ask("SELECT item FROM aggregateitemlocation").text
        )
        assert "Unknown identifier 'subsidiary'" in ask("SELECT subsidiary FROM transaction").text
        row = ask("SELECT quantityavailable, quantityonhand FROM item WHERE id = 1001").json()["items"][0]
        assert set(row) == {"links", "quantityavailable", "quantityonhand"}


def test_own_costs_are_told_per_operation(sandbox: Sandbox, shop: httpx.Client) -> None:
    sandbox.control.clear_cpu()
    for _ in range(3):
        shop.get("/v2/time")
    cost = sandbox.control.cpu()["operations"]["bigcommerce.time"]
    assert cost["count"] == 3
    assert 0 < cost["total"] < 0.5
    assert 0 < cost["service_least"] <= cost["service_total"]
