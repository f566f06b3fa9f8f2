"""Dagster's tables beside ours, and the three `dagster` commands from an empty environment.

Put here what `dagster.yaml` promises. Do not put here jobs of ours: the commands run on a small definitions
module in a checkout of their own.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
import yaml
from dagster._core.instance.ref import InstanceRef

from bcns_pipeline.resources.dagster_pools import POOL_SECONDS
from bcns_pipeline.resources.dagster_storage import prepare_tables, storage_url
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.engine import create_engine
from bcns_pipeline.state.migrate import upgrade
from bcns_pipeline.state.server_folder import SHORT
from bcns_pipeline.state.server_processes import servers_working_in
from bcns_pipeline_tests.conftest import ROOT
from bcns_pipeline_tests.state.embedded_users import eventually

DEFINITIONS = """
import dagster as dg

@dg.asset(pool="inventory_bulk")
def levels() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"rows": 1})

@dg.sensor(job_name="sync", default_status=dg.DefaultSensorStatus.RUNNING)
def changed() -> dg.SensorResult:
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key="once")])

defs = dg.Definitions(
    assets=[levels], jobs=[dg.define_asset_job("sync", [levels])], sensors=[changed],
    executor=dg.in_process_executor,
)
"""


@dg.asset(pool="inventory_bulk")
def levels() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"rows": 1})


def tables(url: str, schema: str) -> set[str]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    return set(sa.inspect(engine).get_table_names(schema=schema))


def test_its_tables_lie_in_a_schema_of_their_own_beside_ours(blank_database: str) -> None:
    ours = create_engine(blank_database)
    upgrade(ours)
    ours.dispose()
    assert prepare_tables(blank_database)
    assert {"runs", "event_logs", "instigators", "alembic_version"} <= tables(blank_database, "dagster")
    assert {"audit", "operation", "alembic_version"} <= tables(blank_database, "bcns")
    assert tables(blank_database, "public") == set()


def test_the_second_time_there_is_nothing_to_do(blank_database: str) -> None:
    assert prepare_tables(blank_database)
    assert not prepare_tables(blank_database)


def test_a_database_that_nobody_answers_at_is_a_sentence_without_its_password() -> None:
    with pytest.raises(BadInput) as bad:
        prepare_tables("postgresql+psycopg2://bcns:hush@127.0.0.1:1/x", "dagster")
    (said,) = bad.value.faults
    assert said.startswith("The database at postgresql+psycopg2://bcns:***@127.0.0.1:1/x cannot be reached: ")


def test_of_five_that_start_together_one_makes_the_tables(blank_database: str) -> None:
    with ThreadPoolExecutor(5) as pool:
        done = list(pool.map(prepare_tables, [blank_database] * 5))
    assert sorted(done) == [False] * 4 + [True]


def test_tables_of_an_older_dagster_are_migrated_where_that_is_asked_for(blank_database: str) -> None:
    prepare_tables(blank_database)
    engine = sa.create_engine(blank_database, poolclass=sa.NullPool)
    with engine.begin() as conn:
        conn.execute(sa.text("comment on schema dagster is 'dagster 1.12.0'"))
    assert not prepare_tables(blank_database, upgrade=False)
    assert prepare_tables(blank_database)
    assert not prepare_tables(blank_database)


def test_options_of_the_given_address_are_kept() -> None:
    url = sa.make_url(
        storage_url("postgresql+psycopg2://me:pass@db/x?options=-cstatement_timeout%3D5s&sslmode=require")
    )
    assert url.query["options"] == "-cstatement_timeout=5s -csearch_path=dagster"
    assert url.query["sslmode"] == "require"
    assert url.password == "pass"


@pytest.fixture
def instance(
    blank_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """What Dagster makes of our own dagster.yaml, with an outside database."""
    monkeypatch.setenv("BCNS_DATABASE_URL", blank_database.replace("+psycopg2", ""))
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path))) as instance:
        yield instance


def test_a_run_in_an_outside_database_is_stored_and_read_back(instance: dg.DagsterInstance) -> None:
    result = dg.materialize([levels], instance=instance)
    assert result.success
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.SUCCESS
    event = instance.get_latest_materialization_event(dg.AssetKey("levels"))
    assert event is not None
    assert instance.event_log_storage.get_concurrency_info("inventory_bulk").active_slot_count == 0


def test_a_pool_that_another_run_has_begun_meanwhile_fails_nobody(instance: dg.DagsterInstance) -> None:
    pools = instance.event_log_storage
    # As a run does that looked at the pools before the other one came to this one.
    assert pools.initialize_concurrency_limit_to_default("inventory_bulk")
    assert pools.initialize_concurrency_limit_to_default("inventory_bulk")
    assert [(one.name, one.limit) for one in pools.get_pool_limits()] == [("inventory_bulk", 1)]
    assert pools.claim_concurrency_slot("inventory_bulk", "one", "step").is_claimed
    assert not pools.claim_concurrency_slot("inventory_bulk", "another", "step").is_claimed


CLAIM = """
import sys, time
import dagster as dg

with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    pools = instance.event_log_storage
    for step in ("has", "waits"):
        print(pools.claim_concurrency_slot("inventory_bulk", "killed", step).is_claimed, flush=True)
    time.sleep(600)
"""


def test_a_run_that_was_killed_gives_its_slot_and_its_place_to_the_next_without_any_daemon(
    instance: dg.DagsterInstance,
) -> None:
    dg.materialize([levels], instance=instance)
    pools = instance.event_log_storage

    def claimed() -> bool:
        return bool(pools.claim_concurrency_slot("inventory_bulk", "next", "step").is_claimed)

    command = [sys.executable, "-W", "ignore", "-c", CLAIM, instance.root_directory]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        assert [killed.stdout.readline().strip() for _ in range(2)] == ["True", "False"]
        # While it lives, it is waited for.
        assert not any(claimed() for _ in range(15))
        killed.kill()
    eventually(claimed)


def test_a_run_that_waits_for_a_pool_takes_no_cpu_and_goes_on_soon(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    dg.materialize([levels], instance=instance)
    pools = instance.event_log_storage
    assert pools.claim_concurrency_slot("inventory_bulk", "another", "step").is_claimed
    freed = threading.Event()
    asked: list[bool] = []
    claim = pools.claim_concurrency_slot

    def free() -> None:
        pools.free_concurrency_slots_for_run("another")
        freed.set()

    def ask(*arguments: Any, **named: Any) -> Any:
        asked.append(freed.is_set())
        return claim(*arguments, **named)

    monkeypatch.setattr(pools, "claim_concurrency_slot", ask)
    other = threading.Timer(3.0, free)
    before = time.process_time()
    other.start()
    assert dg.materialize([levels], instance=instance).success
    # Dagster's own loop burns all of the 3 s.
    assert time.process_time() - before < 2.0
    # The first look after that gets it, and there are some in a second.
    assert asked.count(True) <= 1
    assert POOL_SECONDS < 0.5
    assert asked.count(False) <= 3.0 / POOL_SECONDS + 1


def test_the_webserver_gets_its_time_limit_and_keeps_the_schema(instance: dg.DagsterInstance) -> None:
    instance.optimize_for_webserver(statement_timeout=5000, pool_recycle=60, max_overflow=2)
    dg.materialize([levels], instance=instance)
    assert len(instance.get_runs()) == 1


def test_dagster_yaml_says_what_operations_rely_on(instance: dg.DagsterInstance) -> None:
    assert not instance.telemetry_enabled
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_max_runtime_seconds
    assert instance.get_settings("run_monitoring")["free_slots_after_run_end_seconds"]
    assert instance.run_retries_enabled
    assert not instance.get_settings("run_retries")["retry_on_asset_or_op_failure"]
    assert instance.get_settings("sensors")["use_threads"]
    assert instance.get_concurrency_config().pool_config.default_pool_limit == 1


def test_the_workspace_names_our_definitions() -> None:
    location = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"][0]["python_module"]
    assert location["module_name"] == "bcns_pipeline.definitions"
    assert location["working_directory"] == "."


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A checkout with our storage and yaml files, and a definitions module that needs no account."""
    path = Path(tempfile.mkdtemp(prefix="bcns-test-", dir=SHORT))
    path.chmod(0o755)
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / name, path)
    package = path / "bcns_pipeline"
    for room in ("resources", "rules", "state"):
        shutil.copytree(ROOT / "bcns_pipeline" / room, package / room)
    for module in ("__init__.py", "settings.py", "outcomes.py"):
        shutil.copy(ROOT / "bcns_pipeline" / module, package)
    (package / "definitions.py").write_text(DEFINITIONS)
    yield path
    eventually(lambda: not servers_working_in(path / ".bcns" / "postgres" / "data"))
    shutil.rmtree(path)


def dagster(checkout: Path, *arguments: str, **options: object) -> "subprocess.Popen[str]":
    """`dagster ...` from the root of `checkout`, in an environment that only finds the programs."""
    environment = {
        "PATH": os.defpath,
        "HOME": str(checkout),
        # Stands for `pip install --editable .` in that checkout.
        "PYTHONPATH": str(checkout),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    program = [sys.executable, "-m", "dagster", *arguments]
    # What a shell starts in the background ignores Ctrl-C, and hands that down to all its children.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            program, cwd=checkout, env=environment, text=True, start_new_session=True, **options
        )
    finally:
        signal.signal(signal.SIGINT, before)


def test_validate_and_job_execute_work_in_an_empty_environment(checkout: Path) -> None:
    for arguments in (
        ("definitions", "validate", "-w", "workspace.yaml"),
        ("job", "execute", "-m", "bcns_pipeline.definitions", "-j", "sync"),
    ):
        done = dagster(checkout, *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said, _ = done.communicate(timeout=300)
        assert done.returncode == 0, said
    assert "RUN_SUCCESS" in said
    assert (checkout / ".bcns" / "postgres" / "data").is_dir()
    assert not list(checkout.glob("**/*.db"))


@pytest.mark.long
def test_dagster_dev_runs_what_its_sensor_asks_for_and_leaves_no_server_behind(checkout: Path) -> None:
    log = checkout / "dev.log"
    with log.open("w") as output:
        # Port 0 would be taken literally.
        dev = dagster(
            checkout, "dev", "-w", "workspace.yaml", "-p", "0", stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + 180
        while "RUN_SUCCESS" not in log.read_text():
            assert dev.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
    finally:
        dev.send_signal(signal.SIGINT)
        try:
            dev.wait(180)
        finally:
            if dev.poll() is None:
                os.killpg(dev.pid, signal.SIGKILL)
                dev.wait()
    eventually(lambda: not servers_working_in(checkout / ".bcns" / "postgres" / "data"))
