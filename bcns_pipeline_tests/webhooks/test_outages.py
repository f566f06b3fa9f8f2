"""The database goes away, or the receiver does: what was answered 200 is there, and what was not is said."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from bcns_pipeline.cli.receiving import free_port
from bcns_pipeline.state.tables_orders import inbox
from bcns_pipeline.webhooks.recorder import Recorder
from bcns_pipeline_tests.conftest import ROOT
from bcns_pipeline_tests.webhooks.serving import rows, served
from bcns_pipeline_tests.webhooks.signing import (
    CLIENT_SECRET,
    HEADER_SECRET,
    NETSUITE_TOKEN,
    STORE,
    payload,
    secret_header,
)

SCRIPT = "from bcns_pipeline.cli.main import main; main()"


@contextlib.contextmanager
def unreachable(server_url: str, database_url: str) -> Iterator[None]:
    """The server lets nobody into the database, and has sent away who was in."""
    name = sa.make_url(database_url).database
    admin = sa.create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as conn:
        conn.exec_driver_sql(f"alter database {name} with allow_connections false")
        conn.execute(
            sa.text("select pg_terminate_backend(pid) from pg_stat_activity where datname = :name"),
            {"name": name},
        )
        try:
            yield
        finally:
            conn.exec_driver_sql(f"alter database {name} with allow_connections true")


def test_a_database_that_is_away_is_503_and_taken_again_when_it_is_back(
    server_url: str, database_url: str
) -> None:
    with served(database_url) as receiver:
        assert receiver.hook().status_code == 200
        with unreachable(server_url, database_url):
            answer = receiver.hook()
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
            assert receiver.event({"items": [12]}).status_code == 503
            until(lambda: receiver.health()[0] == 503)
            _, health = receiver.health()
            assert (health["status"], health["database"]) == ("failing", "does not answer")
            assert health["answers"]["bigcommerce.unavailable"] == 1
        assert receiver.hook().status_code == 200
        assert receiver.rows() == {("order", "1001"): 2}
        until(lambda: receiver.health()[0] == 200)


def test_a_receiver_may_start_before_its_database(server_url: str, database_url: str) -> None:
    with unreachable(server_url, database_url):
        stack = contextlib.ExitStack()
        receiver = stack.enter_context(served(database_url))
        assert receiver.hook().status_code == 503
    with stack:
        assert receiver.hook().status_code == 200


def test_a_table_that_is_locked_is_503_in_time_and_loses_nothing(
    database_url: str, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Recorder.__init__.__kwdefaults__, "patience", 0.3)
    with served(database_url) as receiver:
        with engine.begin() as conn:
            conn.exec_driver_sql(f"lock table {inbox.fullname} in access exclusive mode")
            assert receiver.hook().status_code == 503
        until(lambda: receiver.rows() != {})
        # A busy machine may need more than that little patience, and says so.
        until(lambda: receiver.hook().status_code == 200)


def test_calls_under_way_are_answered_before_the_receiver_ends(database_url: str, engine: sa.Engine) -> None:
    answers = []

    def send(url: str) -> None:
        answers.append(httpx.post(url, content=payload(), headers=secret_header(), timeout=30).status_code)

    with engine.connect() as conn, served(database_url) as receiver:
        conn.exec_driver_sql(f"lock table {inbox.fullname} in access exclusive mode")
        sender = threading.Thread(target=send, args=(receiver.url + "/webhooks/bigcommerce",))
        sender.start()
        until(lambda: blocked(engine))
        unlock = threading.Timer(0.3, conn.rollback)
        unlock.start()
    unlock.join()
    sender.join()
    assert answers == [200]


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def blocked(engine: sa.Engine) -> bool:
    """Whether the writer waits for a lock."""
    query = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%inbox%'"
    with engine.connect() as conn:
        return bool(conn.exec_driver_sql(query.replace("%", "%%")).scalar())


@contextlib.contextmanager
def process(database_url: str, home: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`bcns webhooks` in a process of its own, killed at the end with all that it started."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BCNS_")}
    port = free_port()
    env = {
        **kept,
        "PYTHONPATH": str(ROOT),
        "BCNS_DATABASE_URL": database_url,
        "BCNS_HOME": str(home),
        "BCNS_BIGCOMMERCE_STORE_HASH": STORE,
        "BCNS_BIGCOMMERCE_CLIENT_SECRET": CLIENT_SECRET,
        "BCNS_WEBHOOK_HEADER_SECRET": HEADER_SECRET,
        "BCNS_NETSUITE_EVENT_TOKEN": NETSUITE_TOKEN,
    }
    command = [sys.executable, "-c", SCRIPT, "webhooks", "--port", str(port), *arguments]
    with (home / "log").open("wb") as log:
        running = subprocess.Popen(
            command, env=env, cwd=home, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 180
        while True:
            assert running.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline, (home / "log").read_text()
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(url + "/healthz").status_code == 200:
                    break
            time.sleep(0.05)
        yield running, url
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


@pytest.mark.kill
@pytest.mark.parametrize("workers", [1, 2])
def test_kill_9_loses_nothing_that_was_answered_200(
    database_url: str, engine: sa.Engine, tmp_path: Path, workers: int
) -> None:
    taken: list[int] = []

    def send(url: str, first: int) -> None:
        with httpx.Client(timeout=30) as client, contextlib.suppress(httpx.TransportError):
            for number in range(first, first + 100_000):
                body = payload("store/order/created", type="order", id=number)
                if (
                    client.post(
                        url + "/webhooks/bigcommerce", content=body, headers=secret_header()
                    ).status_code
                    == 200
                ):
                    taken.append(number)

    with process(database_url, tmp_path, "--workers", str(workers)) as (running, url):
        senders = [threading.Thread(target=send, args=(url, 1 + 1_000_000 * n)) for n in range(6)]
        for one in senders:
            one.start()
        while len(taken) < 300:
            time.sleep(0.01)
        os.killpg(running.pid, signal.SIGKILL)
        for one in senders:
            one.join()
    written = {int(number) for _, number in rows(engine)}
    assert len(taken) >= 300
    assert set(taken) <= written
    # One batch a worker may have been committed and not answered.
    assert len(written - set(taken)) <= 6


@pytest.mark.kill
def test_sigterm_ends_the_receiver_with_0(database_url: str, tmp_path: Path) -> None:
    with process(database_url, tmp_path) as (running, url):
        assert (
            httpx.post(url + "/webhooks/bigcommerce", content=payload(), headers=secret_header()).status_code
            == 200
        )
        running.terminate()
        assert running.wait(20) == 0
    said = (tmp_path / "log").read_text()
    assert f"Receiving for the store {STORE} on {url}" in said
    assert "bigcommerce 200 taken" in said
    assert "Traceback" not in said
    for secret in (CLIENT_SECRET, HEADER_SECRET, NETSUITE_TOKEN):
        assert secret not in said
