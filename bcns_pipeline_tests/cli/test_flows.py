"""What a run of a flow says at the command line when an outside system is away, without one being there."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bcns_pipeline.cli import dev, receiving
from bcns_pipeline.cli.config_diff import _of
from bcns_pipeline.cli.dagster_ui import DagsterUI
from bcns_pipeline.cli.flows import StepLog, dagster_instance, run_flow
from bcns_pipeline.resources.failures import our_sentence
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline_tests.cli.command_line import bcns
from bcns_pipeline_tests.cli.conftest import ACCOUNT, STORE
from bcns_pipeline_tests.defs.flow import wait_until
from bcns_pipeline_tests.defs.relay import serving

ROOT = Path(__file__).resolve().parents[2]

AWAY = SimpleNamespace(
    message="bcns_pipeline.outcomes.Unavailable: bigcommerce: GET /v2/time: no connection\n", cause=None
)


def test_the_sentence_of_a_failure_is_ours_and_nobody_elses() -> None:
    spent = SimpleNamespace(message="Exceeded max_retries of 2", cause=AWAY)
    assert our_sentence(spent) == "bigcommerce: GET /v2/time: no connection."
    foreign = SimpleNamespace(message="KeyError: 'jane@example.com'", cause=None)
    assert our_sentence(foreign) is None
    assert our_sentence(None) is None


def test_a_step_that_will_be_tried_again_says_why_it_waits(capsys: pytest.CaptureFixture[str]) -> None:
    retry = SimpleNamespace(error=SimpleNamespace(message="", cause=AWAY), seconds_to_wait=30)
    event = SimpleNamespace(is_step_up_for_retry=True, step_retry_data=retry)
    waiting = {"dagster_event": event, "orig_message": "raw"}
    skipped = [
        {"orig_message": "Dependencies for step b failed: ['a']. Not executing."},
        {"orig_message": "Skipping step b due to skipped dependencies: ['a.result']."},
    ]
    for meta in (waiting, *skipped):
        StepLog().emit(logging.makeLogRecord({"dagster_meta": meta}))
    said = capsys.readouterr().out
    assert said == "  bigcommerce: GET /v2/time: no connection. Tried again in 30 s.\n"


def test_a_fault_names_its_file_once_and_as_it_was_given() -> None:
    path = Path("new/bcns.yaml")
    faults = ("bcns.yaml, line 2: wrong.", "new/bcns.yaml does not exist.", "orders need cutover.at.")
    assert [_of(path, one) for one in faults] == [
        "new/bcns.yaml, line 2: wrong.",
        "new/bcns.yaml does not exist.",
        "new/bcns.yaml: orders need cutover.at.",
    ]


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ("2026-11-31", "is no day"),
        ("20261120", "is no day"),
        ("2026-11-20..", "is no day"),
        ("2026-11-20..2026-11-19", "is no day"),
        ("1999-12-31", "the store's days go from 2026-01-01, the cutover"),
        ("2025-12-31..2026-01-02", "the store's days go from 2026-01-01, the cutover"),
        ("2026-01-01..2999-01-01", "the store's days go from 2026-01-01, the cutover"),
    ],
)
def test_days_that_are_none_are_named_before_anything_runs(
    day: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bcns.yaml").write_text("version: 1\ncutover: {at: 2026-01-01}\n")
    with pytest.raises(BadInput, match=why):
        run_flow("orders", mode="apply", day=day)


@pytest.mark.parametrize(
    "line", ["run inventory", "plan inventory", "adopt", "replay --rebuild", "opening-balance"]
)
def test_every_fault_is_said_at_once_before_a_run_exists(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("BCNS_")]:
        monkeypatch.delenv(name)
    (tmp_path / "bcns.yaml").write_text("version: 1\ninventory: {quantity: foo, scheduel: x}\n")
    monkeypatch.setenv("BCNS_DATABASE_URL", "mysql://u:hush@h/x")
    monkeypatch.setenv("BCNS_SLACK_WEBHOOK_URL", "hush")
    monkeypatch.setenv("BCNS_NETSUITE_ACCOUNT_ID", "1234567")

    said = bcns(*line.split())

    lines = said.stderr.splitlines()
    assert said.exit_code == 2
    assert [sum(word in line for line in lines) for word in (
        "inventory.quantity", "inventory.scheduel", "BCNS_SLACK_WEBHOOK_URL", "BCNS_BIGCOMMERCE_STORE_HASH",
        "BCNS_BIGCOMMERCE_ACCESS_TOKEN", "BCNS_NETSUITE_CLIENT_ID", "BCNS_NETSUITE_CERTIFICATE_ID",
        "BCNS_NETSUITE_PRIVATE_KEY ", "BCNS_DATABASE_URL names mysql", "BCNS_DATA_KEY is not set",
    )] == [1] * len(lines)  # fmt: skip
    assert "hush" not in said.stderr
    assert not (tmp_path / ".bcns").exists()


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("BCNS_BIGCOMMERCE_STORE_HASH", "other1", f"belongs to the BigCommerce store {STORE}, but"),
        ("BCNS_NETSUITE_ACCOUNT_ID", "999_SB1", f"belongs to the NetSuite account {ACCOUNT}, but"),
        (
            "BCNS_DATABASE_URL",
            "postgresql://nobody:hush@127.0.0.1:1/x",
            "nobody:***@127.0.0.1:1/x cannot be reached",
        ),
    ],
)
def test_a_database_of_others_or_of_nobody_is_bad_input_before_dagster_opens_it(
    name: str, value: str, why: str, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    said = bcns("run", "inventory")
    assert (said.exit_code, len(said.stderr.splitlines())) == (2, 1), said.stderr
    assert why in said.stderr
    assert "hush" not in said.output
    assert not (Path(environment["BCNS_HOME"]) / "dagster").exists()


def test_a_home_of_dagster_that_is_not_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "/nowhere/dagster")
    with pytest.raises(BadInput, match="DAGSTER_HOME names /nowhere/dagster"), dagster_instance():
        pass


def test_a_session_whose_sandbox_died_ends_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone:
        def __init__(self, *_: object) -> None: ...

        def live(self, stop: threading.Event) -> None:
            raise ConnectionRefusedError(f"nobody listens, stop is {stop.is_set()}")

    monkeypatch.setattr(dev, "People", Gone)
    sandbox = SimpleNamespace(env={"BCNS_BIGCOMMERCE_STORE_HASH": "s"}, control=None, locations=[])
    dagster = SimpleNamespace(poll=lambda: None)
    assert dev._live(cast(Any, sandbox), cast(Any, dagster), threading.Event(), DagsterUI(1)) == 1
    assert "The sandbox is gone" in capsys.readouterr().err


def test_a_code_server_that_is_gone_is_loaded_again_and_one_that_is_there_is_left_alone() -> None:
    kinds = {"lost": "PythonError", "there": "RepositoryLocation", "loading": None}
    reloaded = []

    def answer(_method: str, _path: str, body: bytes) -> tuple[int, Any]:
        asked = json.loads(body)
        if "reloadRepositoryLocation" in asked["query"]:
            reloaded.append(asked["variables"]["it"])
            return 200, {"data": {"reloadRepositoryLocation": {"__typename": "WorkspaceLocationEntry"}}}
        entries = [
            {"name": name, "locationOrLoadError": kind and {"__typename": kind}}
            for name, kind in kinds.items()
        ]
        return 200, {"data": {"workspaceOrError": {"locationEntries": entries}}}

    with serving(answer) as dagster:
        ui = DagsterUI(int(dagster.url.rpartition(":")[2]))
        assert ui.mend() == reloaded == ["lost"]
        kinds["lost"] = "RepositoryLocation"
        assert ui.mend() == []


def code_servers(session: int) -> list[int]:
    """Processes of that session in which Dagster holds definitions."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            of = int((process / "stat").read_text().rpartition(")")[2].split()[3])
            if of == session and b"\0api\0grpc\0" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


@pytest.mark.long
@pytest.mark.kill
def test_a_code_server_that_was_killed_under_bcns_dev_is_started_anew_and_runs_start_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With Dagster's own processes, as `bcns dev` starts and watches them; only the definitions are smaller."""
    monkeypatch.setattr(dev, "DEFINITIONS", "bcns_pipeline_tests.cli.one_job")
    monkeypatch.setattr(dev, "LOOK_SECONDS", 0.5)
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(
        "telemetry: {enabled: false}\n"
        "run_coordinator: {module: dagster.core.run_coordinator, class: DefaultRunCoordinator}\n"
    )
    mended: list[str] = []
    states: list[str] = []

    class Watched(DagsterUI):
        def mend(self) -> list[str]:
            names = super().mend()
            mended.extend(names)
            return names

        def done(self) -> bool:
            runs = self._ask("query { runsOrError { ... on Runs { results { status } } } }")
            states[:] = [one["status"] for one in runs["runsOrError"]["results"]]
            return states == ["SUCCESS"]

    ui = Watched(receiving.free_port())
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DAGSTER_HOME": str(home)}
    with dev._dagster(tmp_path, variables, ui.port) as dagster:

        class People:
            def __init__(self, *_: object) -> None: ...

            def live(self, stop: threading.Event) -> None:
                with contextlib.ExitStack() as last:
                    last.callback(stop.set)
                    wait_until(lambda: ui.repositories() != [], 90)
                    (victim,) = code_servers(dagster.pid)
                    os.kill(victim, signal.SIGKILL)
                    wait_until(lambda: mended != [], 90)
                    wait_until(lambda: ui.repositories() != [], 90)
                    ui.launch(ui.repositories()[0], "hello")
                    wait_until(ui.done, 90)

        monkeypatch.setattr(dev, "People", People)
        sandbox = SimpleNamespace(env={"BCNS_BIGCOMMERCE_STORE_HASH": "s"}, control=None, locations=[])
        assert dev._live(cast(Any, sandbox), dagster, threading.Event(), ui) == 0
    assert states == ["SUCCESS"]
    assert set(mended) == {"bcns_pipeline_tests.cli.one_job"}
    assert "The code server of bcns_pipeline_tests.cli.one_job was gone" in capsys.readouterr().err
