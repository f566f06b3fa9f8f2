"""Runs several page streams at once and hands their pages out as they come.

Put threads here and nothing that knows what a page is. The first failure stops all streams and is raised; a
consumer that stops early stops them too.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

T = TypeVar("T")
_DONE: Final = object()


def merged(streams: Sequence[Callable[[], Iterator[T]]], parallel: int) -> Iterator[T]:
    """Items of all streams, each stream in its order, up to `parallel` at a time.

    At most two items per thread wait to be taken: a slow consumer slows the reads, and memory stays bounded.
    """
    if len(streams) <= 1 or parallel <= 1:
        for stream in streams:
            yield from stream()
        return
    workers = min(parallel, len(streams))
    ready: queue.Queue[Any] = queue.Queue(maxsize=2 * workers)
    todo: queue.SimpleQueue[Callable[[], Iterator[T]]] = queue.SimpleQueue()
    for stream in streams:
        todo.put(stream)
    stop = threading.Event()

    def put(item: Any) -> None:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.2)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            while not stop.is_set():
                try:
                    stream = todo.get_nowait()
                except queue.Empty:
                    break
                for item in stream():
                    put(item)
                    if stop.is_set():
                        break
        except BaseException as error:  # raised again in the consumer's thread
            put(_Failed(error))
        finally:
            put(_DONE)

    threads = [threading.Thread(target=work, name=f"stream-{n}", daemon=True) for n in range(workers)]
    for thread in threads:
        thread.start()
    try:
        running = workers
        while running:
            item = ready.get()
            if item is _DONE:
                running -= 1
            elif isinstance(item, _Failed):
                raise item.error
            else:
                yield item
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=5.0)


class _Failed:
    """A failure on its way to the consumer."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
