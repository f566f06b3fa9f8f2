"""One process that sends: its identity, which the database takes back by itself when the process dies.

Put here what hangs on the worker's own session: the lock on its id, and exclusive locks by name. Do not put
here what it sends. The session is a plain psycopg2 connection outside the pool, because a pool would quietly
reconnect, and a reconnected worker has lost its locks without knowing it.
"""

from __future__ import annotations

import secrets
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self

import psycopg2
import psycopg2.errors
import sqlalchemy as sa

from bcns_pipeline.state.scope import lock_pair

# A waiter looks up this often, so that a thread that only asks `assert_alive` does not wait for the lock too.
_LOCK_TIMEOUT_MS = 5_000
# Ids of the workers whose lock is held: a lock on one 64-bit number shows as its two halves.
LIVING_WORKERS = sa.text(
    """
    select classid::bigint << 32 | objid::bigint from pg_locks
    where locktype = 'advisory' and objsubid = 1 and granted
      and database = (select oid from pg_database where datname = current_database())
    """
).columns(sa.column("worker", sa.BigInteger))


class WorkerLost(Exception):
    """The session that held our id is gone: others may take over what we were sending, so we stop sending."""


class Worker:
    """Holds a session advisory lock on `id` from enter to exit. Threads may share it.

    `with Worker(engine) as worker:` opens the session; `WorkerLost` is raised by everything that notices its
    end, and from then on by every call.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._session: Any = None
        self._lost = False
        self._names: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._names_guard = threading.Lock()
        # 63 random bits: an id is never used twice, so an old worker's rows never look alive again.
        self.id = secrets.randbits(63)

    def __enter__(self) -> Self:
        self._session = open_session(self._engine)
        if not self.ask("select pg_try_advisory_lock(%s)", (self.id,)):
            raise WorkerLost(f"the id {self.id} is already taken")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            # The end of the session frees the locks too, but a moment later, and the next run may be quicker.
            with suppress(WorkerLost):
                self.ask("select pg_advisory_unlock_all()")
            self._session.close()
        self._lost = True

    def assert_alive(self) -> None:
        """Raise `WorkerLost` unless the session still answers. Call it between claiming and sending."""
        self.ask("select 1")

    @contextmanager
    def exclusive(self, name: str) -> Iterator[None]:
        """Hold the lock called `name` alone across all processes and threads; first come, first served.

        Raises `WorkerLost` where the session ended while waiting, or while the block ran: then another
        process may have entered the block before we left it.
        """
        with self._names_guard:
            mine = self._names[name]
        # A session may take its own lock again, so threads of this process keep each other out here.
        with mine:
            self._wait_for(name)
            try:
                yield
            finally:
                released = self.ask("select pg_advisory_unlock(%s, %s)", lock_pair(name))
            if not released:
                raise WorkerLost(f"the lock {name!r} was no longer ours at the end")

    def _wait_for(self, name: str) -> None:
        while True:
            try:
                self.ask("select pg_advisory_lock(%s, %s)", lock_pair(name))
            except psycopg2.errors.LockNotAvailable:
                continue
            else:
                return

    def ask(self, query: str, values: tuple[Any, ...] = ()) -> Any:
        """The one value of a query in the worker's own session: an answer proves that it is alive, too."""
        if self._lost or self._session is None:
            raise WorkerLost("the worker has no session with the database (any more)")
        try:
            with self._session.cursor() as cursor:
                cursor.execute(query, values)
                return cursor.fetchone()[0]
        except psycopg2.errors.LockNotAvailable:
            raise
        except psycopg2.Error as error:
            self._lost = True
            raise WorkerLost(f"the worker's session with the database ended: {error}".strip()) from error


def open_session(engine: sa.Engine) -> Any:
    """A psycopg2 connection in autocommit mode that belongs to no pool and never reconnects."""
    pooled = engine.raw_connection()
    session: Any = pooled.driver_connection
    pooled.detach()
    session.rollback()
    session.autocommit = True
    with session.cursor() as cursor:
        cursor.execute(f"set lock_timeout = {_LOCK_TIMEOUT_MS}")
    return session
