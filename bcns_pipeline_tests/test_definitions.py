"""The graph as a reviewed text file, and loading it: no I/O, whatever the environment holds or lacks.

Put here what must be true of the wiring as a whole. Do not put here what a step does (`defs/`). After a wanted
change of the graph: `BCNS_WRITE_GOLDEN=1 python -m pytest bcns_pipeline_tests/test_definitions.py`, and review
the difference.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.dependency import NodeHandle

from bcns_pipeline.config import Mapping
from bcns_pipeline.definitions import build_defs
from bcns_pipeline.defs.inventory.run import off_the_beat

DATA = Path(__file__).resolve().parent / "data"
GOLDEN = DATA / "graph.txt"
ROOT = DATA.parents[1]


def graph(definitions: dg.Definitions) -> str:
    """The whole graph as text, one thing a line."""
    repository = definitions.get_repository_def()
    nodes = repository.asset_graph
    lines = ["assets"]
    for key in sorted(nodes.materializable_asset_keys):
        node = nodes.get(key)
        pools = ", ".join(sorted(node.pools or ())) or "-"
        parents = ", ".join(sorted(parent.to_user_string() for parent in node.parent_keys)) or "-"
        owners = ", ".join(node.owners)
        lines += [
            f"  {key.to_user_string()}  group {node.group_name}  pool {pools}  owners {owners}",
            f"    from {parents}",
        ]
        if node.partitions_def is not None:
            once = node.backfill_policy == dg.BackfillPolicy.single_run()
            lines.append(f"    by day, backfilled in {'one run' if once else 'a run a day'}")
        if node.freshness_policy is not None:
            window = node.freshness_policy
            lines.append(f"    fresh: fails after {window.fail_window.to_timedelta()}")
        for check in sorted(nodes.get_check_keys_for_assets({key})):
            spec = nodes.get_check_spec(check)
            lines.append(f"    check {check.name}{' (blocking)' if spec.blocking else ''}")
    lines.append("jobs")
    for job in sorted(repository.get_all_jobs(), key=lambda one: one.name):
        if job.name.startswith("__"):
            continue
        chosen = sorted(key.to_user_string() for key in job.asset_layer.executable_asset_keys)
        steps = chosen or sorted(f"op {node.name} (pool {node.definition.pool or '-'})" for node in job.nodes)
        lines.append(f"  {job.name}: {', '.join(steps)}")
    lines.append("schedules")
    for schedule in sorted(repository.schedule_defs, key=lambda one: one.name):
        lines.append(
            f"  {schedule.name}: {schedule.job_name} at {schedule.cron_schedule} {schedule.execution_timezone}"
        )
    lines.append("sensors")
    for sensor in sorted(repository.sensor_defs, key=lambda one: one.name):
        targets = ", ".join(sorted(target.job_name for target in sensor.targets)) or "-"
        lines.append(
            f"  {sensor.name}: {targets}, every {sensor.minimum_interval_seconds} s, "
            f"{sensor.default_status.value.lower()} by default"
        )
    return "\n".join(lines) + "\n"


def test_the_graph_is_the_one_that_was_reviewed() -> None:
    found = graph(build_defs(config_path=str(DATA / "bcns.yaml")))
    if os.environ.get("BCNS_WRITE_GOLDEN"):
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text()


def test_the_definitions_are_valid_for_dagster() -> None:
    dg.Definitions.validate_loadable(build_defs(config_path=str(DATA / "bcns.yaml")))


# What Dagster takes to be partitioned can't have a config mapping (docs/adr/005-days.md); this one sends nothing.
WITHOUT_A_MODE = {"daily_tie_out"}
FIRST_A_PLAN = {"adopt_orders", "rebuild_state", "replay_orders"}


def test_each_job_takes_a_mode_and_runs_without_any_config() -> None:
    """And applies then, but for those that a person starts in order to look first."""
    repository = build_defs(config_path=str(DATA / "bcns.yaml")).get_repository_def()
    jobs = {one.name: one for one in repository.get_all_jobs() if not one.name.startswith("__")}
    assert jobs.keys() >= WITHOUT_A_MODE | FIRST_A_PLAN
    for name, job in jobs.items():
        dg.validate_run_config(job, {})
        if name in WITHOUT_A_MODE:
            continue
        assert job.config_mapping is not None, name
        for mode in ("apply", "plan"):
            expanded = job.config_mapping.resolve_from_unvalidated_config({"mode": mode})
            given = {step["config"]["mode"] for step in expanded["ops"].values()}
            assert given == {mode}, name
            dg.validate_run_config(job, {"mode": mode})
        (found,) = {
            step["config"]["mode"]
            for step in job.config_mapping.resolve_from_unvalidated_config({})["ops"].values()
        }
        assert found == ("plan" if name in FIRST_A_PLAN else "apply"), name
        with pytest.raises(dg.DagsterInvalidConfigError):
            dg.validate_run_config(job, {"mode": "perhaps"})


def test_a_permanent_failure_of_any_step_stops_the_retries_of_its_run() -> None:
    """Of whatever calls or writes; what only compares is made again with its run."""
    for job in build_defs(config_path=str(DATA / "bcns.yaml")).get_repository_def().get_all_jobs():
        for node in job.nodes:
            hooks = {hook.name for hook in job.get_all_hooks_for_handle(NodeHandle(node.name, None))}
            assert "stop_run_retries" in hooks or node.name.endswith("__promises"), (job.name, node.name)


def test_no_asset_is_without_description_owner_check_and_runbook() -> None:
    nodes = build_defs(config_path=str(DATA / "bcns.yaml")).get_repository_def().asset_graph
    for key in nodes.materializable_asset_keys:
        node = nodes.get(key)
        assert node.description, key
        assert node.owners, key
        assert nodes.get_check_keys_for_assets({key}), key
        page, _, heading = str(node.metadata["runbook"]).partition("#")
        assert f"\n### {heading}\n" in (ROOT / page).read_text(), key


def test_the_leaves_of_every_flow_say_when_they_are_stale() -> None:
    """What no other asset of its flow is made of; the reports are of a month, as the evidence is."""
    nodes = build_defs(config_path=str(DATA / "bcns.yaml")).get_repository_def().asset_graph
    flows = set()
    for key in nodes.materializable_asset_keys:
        node = nodes.get(key)
        flows.add(node.group_name)
        if not any(nodes.get(child).group_name == node.group_name for child in node.child_keys):
            assert node.freshness_policy is not None, key
            assert node.freshness_policy.warn_window is not None, key
    assert flows == {"inventory", "customers", "orders", "fulfilment", "cash", "refunds", "payouts", "close"}


def test_a_schedule_never_starts_at_the_full_hour() -> None:
    """All integrations of an account share its concurrency, and most of them start at :00 (X24)."""
    for schedule in build_defs().get_repository_def().schedule_defs:
        assert not str(schedule.cron_schedule).startswith(("0 ", "*/")), schedule.name


def test_a_run_by_a_schedule_waits_at_random_within_its_bound_and_no_other_run_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    said: list[str] = []
    monkeypatch.setattr("time.sleep", slept.append)
    by_schedule = dg.DagsterRun("sync", tags={"dagster/schedule_name": "inventory_every_quarter_hour"})
    waits = [off_the_beat(by_schedule, 60, said.append) for _ in range(200)]
    assert 0 <= min(waits) < 20
    assert 40 < max(waits) <= 60
    assert slept == waits
    assert len(said) == 200
    none = (off_the_beat(by_schedule, 0, said.append), off_the_beat(dg.DagsterRun("sync"), 60, said.append))
    assert none == (0, 0)
    assert len(slept) == len(said) == 200
    # And it does so unless the merchant says otherwise (X24).
    assert Mapping().inventory.jitter_seconds == 30


def test_the_schedules_follow_the_mapping_file(tmp_path: Path) -> None:
    (tmp_path / "bcns.yaml").write_text(
        "version: 1\nstore: {timezone: Asia/Tokyo}\ninventory: {schedule: '3-59/5 * * * *'}\n"
    )
    schedules = build_defs(config_path=str(tmp_path / "bcns.yaml")).get_repository_def().schedule_defs
    found = {schedule.name: schedule for schedule in schedules}
    assert found["inventory_every_quarter_hour"].cron_schedule == "3-59/5 * * * *"
    assert {schedule.execution_timezone for schedule in schedules} == {"Asia/Tokyo"}


def test_a_missing_or_faulty_mapping_file_loads_with_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "bcns.yaml").write_text("version: 1\ninventory: {schedule: whenever, unknown: 1}\n")
    wanted = graph(build_defs(config_path=str(tmp_path / "none.yaml")))
    assert graph(build_defs(config_path=str(tmp_path / "bcns.yaml"))) == wanted


def test_the_first_step_of_every_job_says_what_is_wrong_with_the_mapping_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And does nothing: no database is there to be opened, and no account to be asked."""
    for name in [one for one in os.environ if one.startswith("BCNS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bcns.yaml").write_text("version: 1\ninventory: {schedule: whenever}\n")
    definitions = build_defs(config_path=str(tmp_path / "bcns.yaml"))
    with dg.DagsterInstance.ephemeral() as instance:
        for job in definitions.get_repository_def().get_all_jobs():
            if job.name.startswith("__"):
                continue
            ran = definitions.resolve_job_def(job.name).execute_in_process(
                instance=instance, raise_on_error=False
            )
            failed = [
                one.step_failure_data.user_failure_data for one in ran.all_events if one.is_step_failure
            ]
            assert failed, job.name
            for given in failed:
                assert given is not None, job.name
                assert "line 2: inventory.schedule" in str(given.description), job.name
            assert not any(one.is_step_success for one in ran.all_events), job.name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bcns.yaml"]


# Audit events say what really happens below every library: sockets, processes, databases, writes.
_WATCH = """
import sys
seen = []
def watch(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.posix_spawn",
                 "os.exec", "os.fork", "sqlite3.connect"):
        seen.append((event, str(arguments)[:200]))
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        seen.append((event, str(arguments)[:200]))
import bcns_pipeline, dagster, pandas, sqlalchemy, httpx
sys.addaudithook(watch)
import bcns_pipeline.definitions
repository = bcns_pipeline.definitions.defs.get_repository_def()
assert repository.has_job("inventory_sync")
seen = [one for one in seen if ".pyc" not in one[1] and "__pycache__" not in one[1]]
print(seen)
sys.exit(bool(seen))
"""


def test_loading_the_definitions_with_an_empty_environment_does_no_io(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WATCH],
        # Python's own cache of compiled modules is none of our writes.
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert list(tmp_path.iterdir()) == []


def test_loading_them_with_malformed_variables_does_not_fail(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import bcns_pipeline.definitions"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "BCNS_NETSUITE_CONCURRENCY": "many",
            "BCNS_DATABASE_URL": "nonsense",
            "BCNS_CONFIG": "/nowhere/at/all.yaml",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
