"""Dagster's history in memory, as `DagsterInstance.ephemeral()` has it, without a third of a run's CPU time.

Put here only how it is stored. Tables, statements and results are Dagster's own; but Dagster opens a connection
and sets it up for each of the 130 statements of a run, and makes its tables anew for each instance (0.1 s). Here
one connection stays open, and the tables are copied.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import dagster as dg
import sqlalchemy as sa
from dagster._core.events import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    FAILURE_EVENTS,
    MARKER_EVENTS,
    STEP_EVENTS,
)
from dagster._core.events.log import EventLogEntry
from dagster._core.instance.types import InstanceType
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster._core.run_coordinator import DefaultRunCoordinator
from dagster._core.storage.event_log import InMemoryEventLogStorage
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.root import TemporaryLocalArtifactStorage
from dagster._core.storage.runs import InMemoryRunStorage

# What a run's result tells and nobody reads again.
_STEPS_ALONE = (STEP_EVENTS | MARKER_EVENTS) - ASSET_EVENTS - ASSET_CHECK_EVENTS - FAILURE_EVENTS
QUIET = {"python_logs": {"python_log_level": "CRITICAL"}}


def history() -> dg.DagsterInstance:
    """A Dagster instance that has seen nothing; a context manager, after which it is gone."""
    return dg.DagsterInstance(
        instance_type=InstanceType.EPHEMERAL,
        local_artifact_storage=TemporaryLocalArtifactStorage(),
        run_storage=_Runs(),
        event_storage=_Events(),
        compute_log_manager=NoOpComputeLogManager(),
        run_coordinator=DefaultRunCoordinator(),
        run_launcher=SyncInMemoryRunLauncher(),
        settings=QUIET,
    )


class _Held:
    """One connection for all threads, one of which has it at a time."""

    def _open(self, tables: sqlite3.Connection) -> None:
        self._engine = _engine()
        self._held_conn = self._engine.connect()
        tables.backup(_raw(self._held_conn))
        self._mine = threading.RLock()

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with self._mine:
            if self._held_conn.in_transaction():
                yield self._held_conn
            else:
                with self._held_conn.begin():
                    yield self._held_conn


class _Events(_Held, InMemoryEventLogStorage):
    def __init__(self) -> None:
        # As Dagster's own, but for the connection.
        self._inst_data = None
        self._handlers = defaultdict(set)
        self._storage_id = 0
        self._open(_tables(InMemoryEventLogStorage))

    def _connect(self) -> Any:
        return self._transaction()

    def store_event(self, event: EventLogEntry) -> None:
        """Kept is what somebody asks for after the run: what became of the run, its assets, checks and failures."""
        if event.dagster_event and event.dagster_event.event_type not in _STEPS_ALONE:
            super().store_event(event)

    def has_table(self, table_name: str) -> bool:
        # Dagster asks inside a transaction, and a second look through the same connection would end that.
        return True

    def _has_asset_key_col_on_connection(self, conn: sa.Connection, column_name: str) -> bool:
        # Nor do the columns of tables that Dagster has just made come and go.
        return True


class _Runs(_Held, InMemoryRunStorage):
    def __init__(self) -> None:
        self._open(_tables(InMemoryRunStorage))

    def has_run_stats_index_cols(self) -> bool:
        return True

    def connect(self) -> Any:
        return self._transaction()


@cache
def _engine() -> sa.Engine:
    """Each connection is a database of its own; statements that one of them compiled, all have compiled."""
    return sa.create_engine("sqlite://", poolclass=sa.NullPool, connect_args={"check_same_thread": False})


@cache
def _tables(storage: type[Any]) -> sqlite3.Connection:
    """What Dagster's own storage begins with, in a database that nobody closes: not even the garbage collector,
    as it does with that storage's own.
    """
    tables = sqlite3.connect(":memory:", check_same_thread=False)
    made = storage()
    _raw(made._held_conn).backup(tables)
    made.dispose()
    return tables


def _raw(connection: sa.Connection) -> sqlite3.Connection:
    found = connection.connection.dbapi_connection
    assert isinstance(found, sqlite3.Connection)
    return found
