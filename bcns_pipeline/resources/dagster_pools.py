"""What Dagster's pools lack: a wait that costs nothing, a beginning that two runs may make, and slots that die.

Put here how runs come to their turn. Do not put here how Dagster finds its database (dagster_storage.py).

A run that is killed keeps its slot. Dagster frees it once a daemon has seen the run end, which takes minutes, and
where none is at work (`dagster job execute`, `bcns run`) the next run waits for ever without a word. So whoever has a
slot, or waits for one, holds a session lock of PostgreSQL under the name of its run: the lock goes with the process,
and who waits frees the slots of runs whose lock is free. A run of an older version holds none, and loses its slot to
one of this version; the outbox keeps the two apart.
"""

import functools
import threading
import time
from typing import Any, Final

import sqlalchemy as sa

from bcns_pipeline.state.scope import lock_pair

# A run that waits for its turn in a pool looks this often, and this often whether the others are still there.
POOL_SECONDS: Final = 0.25
DEAD_SECONDS: Final = 2.0
_HOLD = sa.text("select pg_advisory_lock(:space, :key)")
_IS_FREE = sa.text("select pg_try_advisory_xact_lock(:space, :key)")


def mend(storage: Any, url: str) -> None:
    """Give an event log storage of Dagster, whose tables are at `url`, all three."""
    _begin_once(storage)
    alive = _Alive(sa.create_engine(url, poolclass=sa.NullPool))
    claim, free_step, free_run = (
        storage.claim_concurrency_slot,
        storage.free_concurrency_slot_for_step,
        storage.free_concurrency_slots_for_run,
    )

    @functools.wraps(claim)
    def claim_or_wait(concurrency_key: str, run_id: str, step_key: str, *more: Any, **named: Any) -> Any:
        """Without the wait Dagster's loop asks again at once: a whole core, taken from the run that is waited for
        (Dagster 1.13: `interval_to_next_pending_claim_check` is never above 0)."""
        alive.hold(run_id, step_key)
        status = claim(concurrency_key, run_id, step_key, *more, **named)
        if status.is_claimed:
            return status
        for dead in alive.dead(storage, concurrency_key):
            free_run(dead)
        time.sleep(POOL_SECONDS)
        return status.with_sleep_interval(0.0)

    @functools.wraps(free_step)
    def free_and_let_go(run_id: str, step_key: str) -> None:
        free_step(run_id, step_key)
        alive.let_go(run_id, step_key)

    @functools.wraps(free_run)
    def free_all_and_let_go(run_id: str) -> None:
        free_run(run_id)
        alive.let_go(run_id)

    storage.claim_concurrency_slot = claim_or_wait
    storage.free_concurrency_slot_for_step = free_and_let_go
    storage.free_concurrency_slots_for_run = free_all_and_let_go


class _Alive:
    """The runs of this process that have a slot or wait for one, each with the connection that holds its lock."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._held: dict[str, tuple[sa.Connection, set[str]]] = {}
        self._looked = time.monotonic()

    def hold(self, run_id: str, step_key: str) -> None:
        """Say that the run lives, until its last step is let go."""
        with self._lock:
            if run_id not in self._held:
                conn = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                conn.execute(_HOLD, _pair(run_id))
                self._held[run_id] = conn, set()
            self._held[run_id][1].add(step_key)

    def let_go(self, run_id: str, step_key: str | None = None) -> None:
        """The step, or all of the run, needs no slot any more."""
        with self._lock:
            conn, steps = self._held.get(run_id, (None, set()))
            steps.discard(step_key or "")
            if conn is not None and (step_key is None or not steps):
                del self._held[run_id]
                conn.close()

    def dead(self, storage: Any, pool: str) -> list[str]:
        """Runs that have a slot of the pool, or stand before us, and whose process is gone; looked for now and then."""
        if time.monotonic() - self._looked < DEAD_SECONDS:
            return []
        self._looked = time.monotonic()
        info = storage.get_concurrency_info(pool)
        with self._lock:
            mine = set(self._held)
        others = (info.active_run_ids | info.assigned_run_ids | info.pending_run_ids) - mine
        with self._engine.connect() as conn:
            return [one for one in sorted(others) if conn.execute(_IS_FREE, _pair(one)).scalar_one()]


def _begin_once(storage: Any) -> None:
    """A run that comes to a pool which another run has begun since it started would fail, once in a pool's life.

    Dagster 1.13 begins the pool again, and when PostgreSQL refuses the second row goes on in the same transaction,
    which PostgreSQL refuses as well (InFailedSqlTransaction).
    """
    begin = storage.initialize_concurrency_limit_to_default

    @functools.wraps(begin)
    def begin_or_leave(concurrency_key: str) -> bool:
        try:
            return bool(begin(concurrency_key))
        except sa.exc.InternalError:
            if all(pool.name != concurrency_key for pool in storage.get_pool_limits()):
                raise
            return True

    storage.initialize_concurrency_limit_to_default = begin_or_leave


def _pair(run_id: str) -> dict[str, int]:
    space, key = lock_pair(f"dagster:run:{run_id}")
    return {"space": space, "key": key}
