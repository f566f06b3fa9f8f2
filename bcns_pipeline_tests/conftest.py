"""What many tests need: a PostgreSQL with our tables, empty at the start of each test.

Put fixtures here that more than one folder uses. Do not put here data of one flow. One embedded server serves
the whole session (all xdist workers, and sessions that run beside it); each worker has a database of its own,
migrated once and emptied before each test.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings

from bcns_pipeline.state.embedded import EmbeddedServer
from bcns_pipeline.state.engine import create_engine
from bcns_pipeline.state.migrate import upgrade
from bcns_pipeline_tests import contract

# A busy machine would turn a slow example into a failure; the figures have a bench of their own.
settings.register_profile("bcns", deadline=None)
settings.load_profile("bcns")

ROOT = Path(__file__).resolve().parent.parent
TEST_HOME = ROOT / ".bcns" / "pytest"

# What is smaller is deleted from: truncating it would make six new files.
_LARGE_BYTES = 262_144
_OURS = "relnamespace = 'bcns'::regnamespace"


def empty(conn: sa.Connection) -> None:
    """The tables as if freshly migrated.

    What a killed process of the last test left connected is sent away first, because its locks would hold us up;
    `replica` is how the owner of the database gets past the append-only triggers.
    """
    conn.exec_driver_sql(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    conn.exec_driver_sql("set local session_replication_role = replica")
    months = (
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'bcns.inventory_change'::regclass"
    )
    for month in conn.exec_driver_sql(months).scalars():
        conn.exec_driver_sql(f"drop table {month}")
    tables = conn.exec_driver_sql(
        f"select oid::regclass::text from pg_class where {_OURS} and relkind = 'r' and relname <> 'alembic_version'"
    ).scalars()
    filled = " union all ".join(
        f"select '{table}', pg_relation_size('{table}') where exists (select from {table})"
        for table in tables
    )
    for table, size in conn.exec_driver_sql(filled):
        conn.exec_driver_sql(f"truncate {table} cascade" if size > _LARGE_BYTES else f"delete from {table}")
    conn.exec_driver_sql(f"select setval(oid, 1, false) from pg_class where {_OURS} and relkind = 'S'")


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """URL of the session's embedded server; its database `bcns` is left alone."""
    with EmbeddedServer(TEST_HOME).acquire() as lease:
        yield lease.url


@pytest.fixture(scope="session")
def worker_database(server_url: str) -> Iterator[str]:
    """URL of this worker's own database, migrated. Tests take `database_url`, which is this, emptied."""
    name = f"test_{os.getpid()}_{secrets.token_hex(3)}"
    admin = sa.create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as conn:
        _drop_databases_of_dead_workers(conn)
        conn.exec_driver_sql(f"create database {name}")
        # Tests end processes, and no machine: what was committed survives without waiting for the disk.
        conn.exec_driver_sql(f"alter database {name} set synchronous_commit = off")
    url = sa.make_url(server_url).set(database=name).render_as_string()
    engine = create_engine(url)
    upgrade(engine)
    engine.dispose()
    yield url
    with admin.connect() as conn:
        conn.exec_driver_sql(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def emptying(worker_database: str) -> Iterator[sa.Engine]:
    """One connection that stays: a new one would have to learn of every table again, for each test."""
    engine = sa.create_engine(worker_database, poolclass=sa.StaticPool, pool_pre_ping=True)
    yield engine
    engine.dispose()


@pytest.fixture
def database_url(worker_database: str, emptying: sa.Engine) -> str:
    """URL of a database with all our tables, empty."""
    with emptying.begin() as conn:
        empty(conn)
    return worker_database


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """An engine on `database_url`, as the product makes it."""
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def blank_database(server_url: str) -> Iterator[str]:
    """URL of a database without any table, for tests of what makes tables."""
    name = f"test_{os.getpid()}_{secrets.token_hex(3)}"
    admin = sa.create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as conn:
        conn.exec_driver_sql(f"create database {name}")
    yield sa.make_url(server_url).set(database=name).render_as_string()
    with admin.connect() as conn:
        conn.exec_driver_sql(f"drop database {name} with (force)")


def _drop_databases_of_dead_workers(conn: sa.Connection) -> None:
    for name in conn.exec_driver_sql(
        "select datname from pg_database where datname ~ '^test_[0-9]+_'"
    ).scalars():
        try:
            os.kill(int(name.split("_")[1]), 0)
        except ProcessLookupError:
            conn.exec_driver_sql(f"drop database if exists {name} with (force)")
        except PermissionError:
            continue


def pytest_xdist_auto_num_workers() -> int:
    """Three workers for two cores: part of a worker's time goes to waiting for processes that it started."""
    return max(2, len(os.sched_getaffinity(0)) * 3 // 2)


def pytest_collection(session: pytest.Session) -> None:
    """Each worker begins with its share of the modules, whose assertions the others find rewritten in the cache."""
    worker = getattr(session.config, "workerinput", None)
    if worker is None or session.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    modules = sorted(Path(__file__).parent.rglob("test_*.py"))
    for path in modules[int(worker["workerid"].removeprefix("gw")) :: worker["workercount"]]:
        # What can't be imported is said when it is collected.
        with contextlib.suppress(Exception):
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, or one worker is busy with it at the end while the others have nothing."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say whether the contract tests had BigCommerce's own files to run against."""
    terminalreporter.write_line(contract.status())
