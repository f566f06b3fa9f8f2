"""The embedded server under ordinary use: who starts and stops it, whose it is, and what is said without it.

Put here what happens while nobody is killed; `test_embedded_kill.py` has the rest. Each test has a home of
its own, because stopping and breaking servers is their subject.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.embedded import EmbeddedServer, installed_programs
from bcns_pipeline.state.server_folder import LASTING, SHORT
from bcns_pipeline.state.server_processes import servers_working_in
from bcns_pipeline_tests.state.embedded_users import (
    User,
    eventually,
    folders,
    is_down,
    keeper,
    postmaster,
    server_of,
)

AS_ROOT = os.geteuid() == 0


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A folder with a short path that every user can walk into."""
    path = Path(tempfile.mkdtemp(prefix="bcns-test-", dir=SHORT))
    path.chmod(0o755)
    yield path
    # Whoever was the last user may be gone for an instant only.
    for data in path.rglob("postgres/data"):
        eventually(lambda data=data: not servers_working_in(data))  # type: ignore[misc]
    shutil.rmtree(path)


@pytest.fixture
def home(checkout: Path) -> Path:
    return checkout / ".bcns"


def run(url: str, sql: str) -> object:
    """First column of the first row, or None."""
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


def test_the_first_user_starts_the_server_and_the_last_one_stops_it(home: Path) -> None:
    server = server_of(home)
    first = server.acquire()
    second = server.acquire()
    first.release()
    assert run(second.url, "select 1") == 1
    second.release()
    assert is_down(home)
    assert not (folders(home).data / "postmaster.pid").exists()


def test_what_was_written_is_there_at_the_next_start(home: Path) -> None:
    with server_of(home).acquire() as lease:
        run(lease.url, "create table kept as select 42 as n")
    with server_of(home).acquire() as lease:
        assert run(lease.url, "select n from kept") == 42


def test_five_processes_that_start_at_once_get_one_server(home: Path) -> None:
    users = [User(home) for _ in range(5)]
    urls = {user.url() for user in users}
    assert len(urls) == 1
    starts = folders(home).log.read_text().count("listening on Unix socket")
    assert starts == 1
    for user in users:
        user.close()
    eventually(lambda: is_down(home))


def test_it_listens_on_no_network_and_syncs_to_disk(home: Path) -> None:
    with EmbeddedServer(home).acquire() as lease:
        assert run(lease.url, "show listen_addresses") == ""
        assert run(lease.url, "show fsync") == "on"
        assert int(str(run(lease.url, "show max_connections"))) >= 100
        assert folders(home).log.exists()
        data = folders(home).data.stat()
        assert stat.S_IMODE(data.st_mode) == 0o700
        assert data.st_uid != 0


def test_a_relative_home_is_the_same_server_from_everywhere(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server_of(home).acquire() as absolute:
        monkeypatch.chdir(home.parent)
        with server_of(Path(".bcns")).acquire() as relative:
            assert relative.url == absolute.url


def test_two_checkouts_never_share_a_server_even_if_one_is_a_copy_of_the_other(home: Path) -> None:
    with server_of(home).acquire() as lease:
        run(lease.url, "create table original()")
    other = home.parent / "copy" / ".bcns"
    with server_of(home).acquire() as lease:
        # With the notes, the pid file and the lock files of a server that is running elsewhere.
        shutil.copytree(home, other, ignore=shutil.ignore_patterns(".s.PGSQL*"))
        with server_of(other).acquire() as copy:
            assert copy.url != lease.url
            run(copy.url, "drop table original")
            assert run(lease.url, "select count(*) from original") == 0
            assert postmaster(other) != postmaster(home)


def test_a_long_path_gets_a_short_socket(checkout: Path) -> None:
    home = checkout / ("long" * 20) / ("longer" * 10) / ".bcns"
    with server_of(home).acquire() as lease:
        assert run(lease.url, "select 1") == 1
        socket = Path(folders(home).socket_note.read_text())
        assert socket.parent.parent == SHORT
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    shutil.rmtree(socket)


def test_a_path_with_blanks_commas_and_quotes_works(checkout: Path) -> None:
    with server_of(checkout / 'a "b", c' / ".bcns").acquire() as lease:
        assert run(lease.url, "select 1") == 1


def test_the_keeper_knows_nothing_of_our_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BCNS_BIGCOMMERCE_ACCESS_TOKEN", "s3cret")
    with server_of(home).acquire():
        for pid in (keeper(home), postmaster(home)):
            assert b"s3cret" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_missing_programs_are_one_sentence(home: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as bad:
        EmbeddedServer(home, programs=tmp_path).acquire()
    assert len(bad.value.faults) == 1
    assert str(tmp_path) in str(bad.value)


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_done(home: Path, checkout: Path) -> None:
    full = checkout / "bin"
    full.mkdir()
    said = "initdb: error: could not create directory: No space left on device"
    script = f'#!/bin/sh\ntouch "$2/half"\necho "{said}" >&2\nexit 1\n'
    for name in ("initdb", "postgres"):
        (full / name).write_text("#!/bin/sh\n" if name == "postgres" else script)
        (full / name).chmod(0o755)
    with pytest.raises(BadInput) as bad:
        EmbeddedServer(home, programs=full).acquire()
    assert len(bad.value.faults) == 1
    assert "No space left on device" in str(bad.value)
    assert not list(folders(home).base.glob("building-*"))
    with server_of(home).acquire() as lease:
        assert run(lease.url, "select 1") == 1


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    with server_of(home).acquire():
        pass
    (folders(home).data / "postgresql.auto.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(BadInput, match="no_such_setting"):
        server_of(home).acquire()


def test_data_of_another_major_version_is_not_touched(home: Path) -> None:
    with server_of(home).acquire():
        pass
    (folders(home).data / "PG_VERSION").write_text("16\n")
    with pytest.raises(BadInput, match="written by PostgreSQL 16"):
        server_of(home).acquire()


@pytest.mark.skipif(not AS_ROOT, reason="only root may be somebody else for PostgreSQL")
class TestAsRoot:
    def test_the_server_is_no_root_and_nothing_outside_the_home_changes(self, home: Path) -> None:
        def modes() -> list[tuple[int, int, int]]:
            above = [*home.parents, installed_programs(), installed_programs() / "postgres"]
            return [(found.st_mode, found.st_uid, found.st_gid) for found in map(Path.stat, above)]

        before = modes()
        with server_of(home).acquire():
            assert Path(f"/proc/{postmaster(home)}").stat().st_uid != 0
        assert modes() == before

    def test_where_its_user_cannot_walk_the_data_lies_in_var_tmp(self, checkout: Path) -> None:
        checkout.chmod(0o700)
        home = checkout / ".bcns"
        with server_of(home).acquire() as lease:
            run(lease.url, "create table kept()")
            base = folders(home).base
            assert base.parent == LASTING
            assert stat.S_IMODE(checkout.stat().st_mode) == 0o700
        with server_of(home).acquire() as lease:
            assert run(lease.url, "select count(*) from kept") == 0
        assert list(LASTING.glob(f"{base.name[:17]}*")) == [base]
        shutil.rmtree(base)

    def test_programs_that_its_user_cannot_run_are_copied(self, checkout: Path) -> None:
        hidden = checkout / "hidden"
        package = installed_programs().parents[1]
        shutil.copytree(installed_programs().parent, hidden / package.name / "installed")
        for libraries in package.parent.glob("*pgserver.libs"):
            shutil.copytree(libraries, hidden / libraries.name)
        hidden.chmod(0o700)
        home = checkout / ".bcns"
        server = EmbeddedServer(home, programs=hidden / package.name / "installed" / "bin")
        with server.acquire() as lease:
            assert run(lease.url, "select 1") == 1
            assert len(list(folders(home).root.glob("programs-*"))) == 1

    def test_in_a_plain_users_folder_it_works_as_that_user(self, checkout: Path) -> None:
        nobody = 65534
        os.chown(checkout, nobody, nobody)
        home = checkout / ".bcns"
        with server_of(home).acquire():
            assert Path(f"/proc/{postmaster(home)}").stat().st_uid == nobody
        strangers = [path for path in home.rglob("*") if path.stat().st_uid != nobody]
        assert strangers == []
