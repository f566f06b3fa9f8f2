"""The Gate: our share of each outside system's concurrency, across all processes, as advisory-lock slots.

Put slots and waiting here. Do not put rate limits here: the transport paces by the answers' headers. A slot
is a session lock on the gate's own connection, so that kernel and server free it when the process dies.

Slots 0 to n-1; the last `reserved` ones are for the fast lane, which may use the others too. Who waits holds
a shared lock that tells newcomers of the same lane to queue up behind; waiters then try at random times,
which shares slots evenly between processes without a queue that could break.
"""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
import sqlalchemy as sa

from bcns_pipeline.outcomes import Lane, System
from bcns_pipeline.state.scope import lock_pair
from bcns_pipeline.state.worker import open_session

_WAIT_SECONDS = (0.004, 0.012)
_RECONNECT_SECONDS = (0.05, 0.2, 0.5, 1.0, 2.0, 4.0)


class GateLost(Exception):
    """The database that counts the slots can't be reached, so nobody is let through."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many calls to a system may run at once, and how many of these slots only the fast lane may use."""

    slots: int
    reserved: int = 0

    def __post_init__(self) -> None:
        if self.slots < 1 or not 0 <= self.reserved < self.slots:
            raise ValueError(
                f"{self.slots} slots with {self.reserved} reserved leave nothing for the bulk lane"
            )

    def usable(self, lane: Lane) -> list[int]:
        """The slots that a lane may take, in the order in which it tries them."""
        general = list(range(self.slots - self.reserved))
        kept = list(range(self.slots - self.reserved, self.slots))
        return kept + general if lane is Lane.FAST else general


class PgGate:
    """Implements `outcomes.Gate` for one lane. Connects at the first use; threads may share it."""

    def __init__(
        self,
        engine: sa.Engine,
        store: str,
        shares: Mapping[System, Share],
        lane: Lane = Lane.BULK,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._lane = lane
        self._sleep = sleep
        self._usable = {system: share.usable(lane) for system, share in shares.items()}
        self._keys = {
            (system, slot): lock_pair(f"gate:{store}:{system}:{slot}")
            for system, share in shares.items()
            for slot in range(share.slots)
        }
        self._wait_keys = {system: lock_pair(f"gate:{store}:{system}:{lane}:waits") for system in shares}
        self._guard = threading.RLock()
        # Threads of this process need not poll for what another one of them gives back.
        self._freed = threading.Condition(self._guard)
        self._session: Any = None
        self._closed = False
        # Counts sessions: a slot taken in an older one is not ours any more.
        self._generation = 0
        self._held: dict[System, set[int]] = defaultdict(set)
        # Calls that run on although their session, and with it their slot, is gone.
        self._stray: dict[System, int] = defaultdict(int)
        self._waiting: dict[System, int] = defaultdict(int)
        # Systems for which this session tells newcomers that somebody waits.
        self._flagged: set[System] = set()

    def close(self) -> None:
        """Free everything at once; later admits raise `GateLost`."""
        with self._guard:
            self._closed = True
            self._lose()

    @contextmanager
    def admit(self, system: System) -> Iterator[None]:
        """Hold one slot of `system` for the length of the block. A system without a share is not limited."""
        if system not in self._usable:
            yield
            return
        generation, slot = self._acquire(system)
        try:
            yield
        finally:
            self._release(system, generation, slot)

    def _acquire(self, system: System) -> tuple[int, int]:
        with self._guard:
            taken = None if self._waiting[system] else self._try(system, newcomer=True)
            if taken is not None:
                return taken
            self._waiting[system] += 1
        try:
            while True:
                with self._guard:
                    taken = self._try(system, newcomer=False)
                    if taken is not None:
                        return taken
                    self._freed.wait(random.uniform(*_WAIT_SECONDS))  # noqa: S311 - a spread, not a secret
        finally:
            with self._guard:
                self._waiting[system] -= 1
                if not self._waiting[system] and system in self._flagged:
                    self._flagged.discard(system)
                    self._ask("select pg_advisory_unlock_shared(%s, %s)", self._wait_keys[system])

    def _try(self, system: System, *, newcomer: bool) -> tuple[int, int] | None:
        self._connect()
        held, usable = self._held[system], self._usable[system]
        # A session may take its own lock twice, so slots held here are not even tried.
        free = [slot for slot in usable if slot not in held]
        slot: int | None = None
        if free and len(held) + self._stray[system] < len(usable):
            slot = self._ask(*self._attempt(system, free, newcomer=newcomer))
        if slot is not None:
            held.add(slot)
            return self._generation, slot
        wait_key = self._wait_keys[system]
        unflagged = not newcomer and system not in self._flagged
        if unflagged and self._ask("select pg_try_advisory_lock_shared(%s, %s)", wait_key):
            self._flagged.add(system)
        return None

    def _attempt(self, system: System, free: list[int], *, newcomer: bool) -> tuple[str, list[int]]:
        """One round trip: CASE evaluates its branches in order and stops at the first lock that it gets."""
        branches: list[str] = []
        values: list[int] = []
        if newcomer:
            # Waiters of other processes hold this lock shared; ours ends with the statement.
            branches.append("when not pg_try_advisory_xact_lock(%s, %s) then null")
            values += self._wait_keys[system]
        for slot in free:
            branches.append(f"when pg_try_advisory_lock(%s, %s) then {slot}")
            values += self._keys[system, slot]
        return f"select case {' '.join(branches)} end", values

    def _release(self, system: System, generation: int, slot: int) -> None:
        with self._guard:
            self._freed.notify_all()
            if generation != self._generation:
                self._stray[system] -= 1
                return
            self._held[system].discard(slot)
            self._ask("select pg_advisory_unlock(%s, %s)", self._keys[system, slot])

    def _connect(self) -> None:
        for pause in (0.0, *_RECONNECT_SECONDS):
            if self._closed:
                raise GateLost("the gate is closed")
            if self._session is not None:
                return
            self._sleep(pause)
            try:
                self._session = open_session(self._engine)
            except (sa.exc.DBAPIError, psycopg2.Error) as error:
                last: Exception = error
        if self._session is None:
            raise GateLost("the database that counts the slots can't be reached") from last

    def _ask(self, query: str, values: Sequence[int]) -> Any:
        if self._session is None:
            return None
        try:
            with self._session.cursor() as cursor:
                cursor.execute(query, tuple(values))
                return cursor.fetchone()[0]
        except psycopg2.Error:
            self._lose()
            return None

    def _lose(self) -> None:
        """The session is gone: what was held counts as stray until its calls end, and as ours no more."""
        if self._session is not None:
            self._session.close()
        self._session = None
        self._generation += 1
        self._flagged.clear()
        for system, held in self._held.items():
            self._stray[system] += len(held)
            held.clear()
