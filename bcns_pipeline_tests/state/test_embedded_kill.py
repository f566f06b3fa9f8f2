"""The embedded server under kill -9: of a user, all users, the postmaster, the keeper, everything.

Put here what nobody could clean up after. The rule under test is the one in `embedded.py`: only the kernel,
which drops a dead process's locks, has to be trusted.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from bcns_pipeline.state.server_processes import servers_working_in
from bcns_pipeline_tests.conftest import ROOT
from bcns_pipeline_tests.state.embedded_users import (
    User,
    alive,
    eventually,
    folders,
    is_down,
    keeper,
    kill,
    postmaster,
    server_of,
)
from bcns_pipeline_tests.state.test_embedded import checkout, home, run

__all__ = ["checkout", "home"]  # fixtures

pytestmark = pytest.mark.kill


def busy_with(url: str, sql: str) -> psycopg2.extensions.connection:
    """A connection whose server process is working on `sql`."""
    connection = psycopg2.connect(url.replace("+psycopg2", ""), async_=True)
    while connection.poll() != psycopg2.extensions.POLL_OK:
        pass
    connection.cursor().execute(sql)
    return connection


def test_a_killed_user_leaves_the_server_to_the_others(home: Path) -> None:
    with server_of(home).acquire() as lease, User(home) as killed:
        assert killed.url() == lease.url
        before = postmaster(home)
        killed.kill()
        assert run(lease.url, "select 1") == 1
        assert postmaster(home) == before


def test_when_all_users_are_killed_the_server_stops_by_itself(home: Path) -> None:
    users = [User(home) for _ in range(2)]
    assert users[0].url() == users[1].url()
    its_keeper = keeper(home)
    for user in users:
        user.kill()
    eventually(lambda: is_down(home) and not alive(its_keeper))
    assert not (folders(home).data / "postmaster.pid").exists()


def test_a_killed_postmaster_comes_back_for_those_who_use_it(home: Path) -> None:
    server = server_of(home)
    with server.acquire() as lease:
        run(lease.url, "create table kept as select 42 as n")
        before = postmaster(home)
        kill(before)
        assert run(server.ensure(lease), "select n from kept") == 42
        assert postmaster(home) not in {None, before}


def test_a_killed_keeper_leaves_the_server_up_and_the_next_lease_brings_a_new_one(home: Path) -> None:
    with server_of(home).acquire() as lease:
        server, first = postmaster(home), keeper(home)
        kill(first)
        assert run(lease.url, "select 1") == 1
        with server_of(home).acquire() as second:
            assert second.url == lease.url
        assert postmaster(home) == server
        assert keeper(home) != first
    # The successor is not the server's parent, and stops it all the same.
    assert is_down(home)


def test_after_everything_was_killed_the_next_lease_finds_what_was_committed(home: Path) -> None:
    user = User(home)
    run(user.url(), "create table kept as select 42 as n")
    for pid in (keeper(home), postmaster(home), user.process.pid):
        os.kill(pid, 9)
    user.close()
    with server_of(home).acquire() as lease:
        assert run(lease.url, "select n from kept") == 42
    assert is_down(home)


def test_a_server_that_lost_users_and_keeper_is_taken_over(home: Path) -> None:
    user = User(home)
    user.url()
    left = postmaster(home)
    kill(keeper(home))
    user.kill()
    with server_of(home).acquire():
        assert postmaster(home) == left
    assert is_down(home)


def test_a_postmaster_killed_during_a_statement_leaves_no_orphan_in_the_way(home: Path) -> None:
    with User(home) as user:
        url = user.url()
        busy = busy_with(url, "select count(*) from generate_series(1, 1e12)")
        eventually(lambda: run(url, "select count(*) from pg_stat_activity where query like '%1e12%'") == 2)
        for pid in (keeper(home), postmaster(home)):
            os.kill(pid, 9)
        with server_of(home).acquire() as lease:
            assert run(lease.url, "select 1") == 1
            assert (
                len([pid for pid in servers_working_in(folders(home).data) if pid == postmaster(home)]) == 1
            )
        busy.close()


@pytest.mark.parametrize("pid", [1, "ours"])
def test_a_pid_file_that_names_a_strangers_process_is_no_living_server(home: Path, pid: int | str) -> None:
    with server_of(home).acquire():
        pass
    stranger = os.getpid() if pid == "ours" else pid
    data = folders(home).data
    text = f"{stranger}\n{data}\n1700000000\n5432\n{data.parent}/run\n\n  1 1\nready   \n"
    (data / "postmaster.pid").write_text(text)
    (data.parent / "run" / ".s.PGSQL.5432.lock").write_text(text)
    with server_of(home).acquire() as lease:
        assert run(lease.url, "select 1") == 1
        assert postmaster(home) != stranger


@pytest.mark.parametrize("moment", ["building-*", "building-*/base", "building-*/global/pg_control", "data"])
def test_a_first_start_that_is_killed_half_way_is_started_over(home: Path, moment: str) -> None:
    user = User(home)
    root = folders(home).root
    eventually(lambda: bool(list(root.glob(moment))))
    half_way = keeper(home)
    user.process.kill()
    os.kill(half_way, 9)
    user.close()
    with server_of(home).acquire() as lease:
        assert run(lease.url, "select 1") == 1
    assert is_down(home)


_ASKS_TWICE = """
import os, signal, sys
from pathlib import Path
import sqlalchemy as sa
from bcns_pipeline.state.engine import create_engine, embedded_url
home = Path(sys.argv[1])
engine = create_engine(embedded_url(home))
with engine.connect() as conn:
    conn.execute(sa.text("select 1"))
os.kill(int((home / "postgres/data/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
assert embedded_url(home) == engine.url.render_as_string()
with engine.connect() as conn:
    print(conn.scalar(sa.text("select 42")))
"""


def test_a_process_that_asks_again_for_the_url_gets_a_living_server(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ASKS_TWICE, str(home)], cwd=ROOT, text=True, capture_output=True, check=False
    )
    assert done.stdout == "42\n", done.stderr
    eventually(lambda: is_down(home))
