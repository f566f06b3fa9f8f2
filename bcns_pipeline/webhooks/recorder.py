"""Group commit: events that come at about the same time are written by one statement and one commit.

Put here how requests wait for their batch. Do not put the write itself here: it is given, and it returns only
when what it was given is durable. One writer thread a process; requests wait on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

E = TypeVar("E")

# A writer that is idle waits so long for company; one that is busy finds company waiting.
LINGER_SECONDS = 0.002
# As many rows as the inbox writes in one statement.
MOST_EVENTS = 500
# Ten seconds at twice the rate that we must take. More is memory without a chance of being answered in time.
MOST_WAITING = 10_000
# BigCommerce must get an answer before it gives up on its own, whatever the database does.
PATIENCE_SECONDS = 5.0


class NotTaken(Exception):
    """The events are not known to be durable; whoever sent them must send them again. Says why, in a word."""


class Recorder(Generic[E]):
    """`await record(events)` returns when they are committed.

    `write` is called from one thread, with 1 to `most` events (more where one request brings more), and
    raises where the database did not take them. Events of a failed batch may have been committed all the
    same; that costs a re-read.
    """

    def __init__(
        self,
        write: Callable[[Sequence[E]], object],
        *,
        linger: float = LINGER_SECONDS,
        most: int = MOST_EVENTS,
        waiting: int = MOST_WAITING,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._write = write
        self._linger = linger
        self._most = most
        self._limit = waiting
        self._patience = patience
        self._queue: SimpleQueue[tuple[Sequence[E], asyncio.Future[None]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.waiting = 0
        self.batches = 0
        self.failed_batches = 0
        self.written = 0

    def start(self) -> None:
        """Start the writer; called on the event loop whose requests it will serve."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="inbox-writer", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Write what waits, then end the writer; gives up on a database that hangs."""
        if self._thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join, self._patience)

    @property
    def alive(self) -> bool:
        """Whether the writer runs."""
        return self._thread is not None and self._thread.is_alive()

    async def record(self, events: Sequence[E]) -> None:
        """Return when `events` are durable. Raises NotTaken: not written, not in time, or too many wait."""
        if self._loop is None or not self.alive:
            raise NotTaken("no writer")
        if self.waiting + len(events) > self._limit:
            raise NotTaken("too many waiting")
        settled: asyncio.Future[None] = self._loop.create_future()
        self.waiting += len(events)
        self._queue.put((events, settled))
        try:
            async with asyncio.timeout(self._patience):
                await settled
        except TimeoutError:
            raise NotTaken("not in time") from None

    def _run(self) -> None:
        ended = False
        while not ended:
            first = self._queue.get()
            if first is None:
                return
            if self._linger:
                time.sleep(self._linger)
            events, futures = list(first[0]), [first[1]]
            while len(events) < self._most:
                try:
                    item = self._queue.get_nowait()
                except Empty:
                    break
                if item is None:
                    ended = True
                    break
                events.extend(item[0])
                futures.append(item[1])
            self._settle(len(events), futures, self._attempt(events))

    def _attempt(self, events: Sequence[E]) -> bool:
        try:
            self._write(events)
        except Exception as error:
            # Only its kind: the text of a database error quotes the statement and its values.
            log.warning("%d events were not taken by the database (%s)", len(events), type(error).__name__)
            return False
        return True

    def _settle(self, count: int, futures: Sequence[asyncio.Future[None]], taken: bool) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(self._answer, count, futures, taken)
        except RuntimeError:
            log.warning("%d events were written when nobody waited any more", count)

    def _answer(self, count: int, futures: Sequence[asyncio.Future[None]], taken: bool) -> None:
        self.waiting -= count
        self.batches += 1
        if taken:
            self.written += count
        else:
            self.failed_batches += 1
        for future in futures:
            if not future.done():
                if taken:
                    future.set_result(None)
                else:
                    future.set_exception(NotTaken("not written"))
