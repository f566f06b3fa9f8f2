"""`bcns dev`: Dagster's UI on a sandbox in which people live, with webhooks, schedules and sensors on.

Put here what is started, in which order, and how it all ends. Do not put here what people do (`people.py`).
Everything lives in a private home and is new each time, because the sandbox keeps its stock in memory.
Production's defaults are not touched: the schedules are switched on as a person would, in this instance.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bcns_pipeline.cli import local, receiving
from bcns_pipeline.cli.console import complain, say
from bcns_pipeline.cli.dagster_ui import DagsterSaidNo, DagsterUI
from bcns_pipeline.cli.local_money import merchant_sections
from bcns_pipeline.cli.local_orders import TIMEZONE
from bcns_pipeline.cli.people import People
from bcns_pipeline.config.intake import SCOPES
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.sandbox.launch import Sandbox, running
from bcns_pipeline.settings import load_settings
from bcns_pipeline.webhooks.app import BIGCOMMERCE

DEFINITIONS = "bcns_pipeline.definitions"
SEED = 7
LATENCY_MS = 40
LOCATIONS = 2
# What is a quarter of an hour, a night and a week in production.
CADENCES: Mapping[str, object] = {
    "schedule": "*/2 * * * *",
    "full_schedule": "7-59/15 * * * *",
    "reconciliation_schedule": "41 * * * *",
    "overlap_minutes": 5,
    "jitter_seconds": 0,
}
# Hooks over loopback, without the hours that the shop waits before it tries again.
SHOP = (
    *("--shop", "marketplace=true"),
    *("--shop", "allow_http_hooks=true"),
    *("--shop", "retry_scale=0.01"),
)
# The terminal is for what people do and what steps say; Dagster's own events are in its UI.
QUIET_RUNS = "\npython_logs:\n  python_log_level: INFO\n"
# `dagster dev` recommends another package, and marks a parameter as beta: nothing to act on here.
QUIET_WARNINGS = ("ignore:Function `dev_command` is superseded", "ignore:Parameter `owners`")
START_SECONDS = 120.0
# How often it is looked whether the sensors' process is still there.
LOOK_SECONDS = 15.0
# A webserver, a daemon and a code server say goodbye one after the other.
STOP_SECONDS = 30.0


def run_dev(skus: int, port: int) -> int:
    """Until Ctrl-C or SIGTERM; 0 then, 1 where Dagster ended by itself. Raises BadInput."""
    _must_be_free(port)
    with local.private_home("dev") as home, _stopped_by_signals() as stop:
        say(f"Starting a BigCommerce and a NetSuite of {skus:,} SKUs ...")
        with running(
            skus=skus, locations=LOCATIONS, seed=SEED, latency_ms=LATENCY_MS, stock="stale", arguments=SHOP
        ) as sandbox:
            hooks = receiving.free_port()
            variables = _move_in(home, sandbox, hooks)
            say("Starting the webhook receiver ...")
            with receiving.receiver(home, variables, hooks) as address:
                receiving.make_hooks(load_settings(), address, SCOPES)
                say("Starting Dagster ...")
                with _dagster(home, variables, port) as dagster:
                    if not _open(DagsterUI(port), home, dagster, stop):
                        return _ended(dagster, stop)
                    status = _live(sandbox, dagster, stop, DagsterUI(port))
    return status


def _live(sandbox: Sandbox, dagster: subprocess.Popen[bytes], stop: threading.Event, ui: DagsterUI) -> int:
    """People do what people do, until somebody ends it all."""
    store = sandbox.env["BCNS_BIGCOMMERCE_STORE_HASH"]
    people = People(sandbox.control, sandbox.locations, store, SEED, say, lambda: _close(ui))
    alone = threading.Event()

    def live() -> None:
        try:
            people.live(stop)
        except OSError:
            complain("The sandbox is gone, and this session lives on it: start anew with bcns dev.")
            alone.set()
            stop.set()

    life = threading.Thread(target=live, name="people", daemon=True)
    life.start()
    look = time.monotonic()
    while dagster.poll() is None and not stop.wait(0.5):
        if time.monotonic() - look >= LOOK_SECONDS:
            look = time.monotonic()
            # A webserver that is too busy to answer is asked again at the next look.
            with contextlib.suppress(DagsterSaidNo, OSError):
                for name in ui.mend():
                    complain(f"The code server of {name} was gone, and was started anew.")
    status = _ended(dagster, stop)
    stop.set()
    life.join()
    return 1 if alone.is_set() else status


def _close(ui: DagsterUI) -> None:
    """Today and this month, as their jobs do it in production each morning and each month."""
    today = datetime.now(ZoneInfo(TIMEZONE)).date()
    for repository in ui.repositories()[:1]:
        # A webserver that is too busy to answer is asked again at the next close.
        with contextlib.suppress(DagsterSaidNo, OSError):
            ui.launch(repository, "daily_tie_out", day=str(today))
            ui.launch(repository, "month_close", {"month": f"{today:%Y-%m}"})


def _must_be_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            raise BadInput(
                [f"Port {port} can't be had; end what listens there, or name another: bcns dev --port 3001."]
            ) from None


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set.

    A shell that starts us in the background makes both ignored, and what is ignored is inherited; what has a
    handler is not, so our children get the dispositions that they end by (facts/dagster.md B6).
    """
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _move_in(home: Path, sandbox: Sandbox, hooks: int) -> dict[str, str]:
    """Mapping file, Dagster's home and environment, this process's too; also as a file for a second terminal."""
    intake = {"hooks": {"destination": f"http://127.0.0.1:{hooks}{BIGCOMMERCE}"}}
    sections = {**merchant_sections(sandbox.accounting), "intake": intake}
    mapping = local.write_mapping(home, sandbox.locations, CADENCES, sections).path
    dagster_home = home / "dagster"
    dagster_home.mkdir()
    instance = Path(__file__).resolve().parents[2] / "dagster.yaml"
    (dagster_home / "dagster.yaml").write_text(instance.read_text() + QUIET_RUNS)
    variables = local.environment(home, mapping, sandbox.env, "dev")
    variables["DAGSTER_HOME"] = str(dagster_home)
    variables["PYTHONWARNINGS"] = ",".join(filter(None, [variables.get("PYTHONWARNINGS"), *QUIET_WARNINGS]))
    own = {name: value for name, value in variables.items() if os.environ.get(name) != value}
    path = home / "env"
    path.touch(mode=0o600)
    path.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(own.items())))
    local.move_in(home, variables)
    return variables


@contextlib.contextmanager
def _dagster(home: Path, variables: Mapping[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`dagster dev` with all that it starts, ended together."""
    command = [sys.executable, "-m", "dagster", "dev", "-m", DEFINITIONS, "-p", str(port)]
    # A session of its own: Ctrl-C reaches us alone, and what is left over at the end can be found.
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [*command, "--log-level", "warning"], cwd=home, env=dict(variables), start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        # Runs that were under way, and whatever did not listen.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _open(ui: DagsterUI, home: Path, dagster: subprocess.Popen[bytes], stop: threading.Event) -> bool:
    """Wait for the UI, switch the schedules on, start the first run; False where it was ended meanwhile."""
    deadline = time.monotonic() + START_SECONDS
    while not (found := ui.repositories()):
        if dagster.poll() is not None or stop.wait(0.5):
            return False
        if time.monotonic() > deadline:
            complain(f"Dagster's UI does not answer on {ui.url}.")
            return False
    started = ui.start_schedules(found[0])
    ui.launch(found[0], "inventory_reconciliation")
    say(f"\n  Dagster's UI: {ui.url}")
    say(f"  On: the sensors, and {', '.join(started)}; the first run is under way.")
    say(f"  In a second terminal: . {shlex.quote(str(home / 'env'))} && bcns status")
    say("  Ctrl-C ends everything.\n")
    return True


def _ended(dagster: subprocess.Popen[bytes], stop: threading.Event) -> int:
    if stop.is_set():
        say("Ending ...")
        return 0
    complain(f"Dagster ended by itself, with code {dagster.poll()}.")
    return 1
