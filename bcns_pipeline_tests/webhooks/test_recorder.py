from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from bcns_pipeline.webhooks.recorder import NotTaken, Recorder


class Table:
    """Takes what is written, as slowly or as badly as it is told."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.fail = False
        self.go_on = threading.Event()
        self.go_on.set()

    def write(self, events: Sequence[int]) -> None:
        self.go_on.wait(10)
        if self.fail:
            raise ConnectionError("insert into inbox values ('secret')")
        self.batches.append(list(events))

    @property
    def rows(self) -> list[int]:
        return [one for batch in self.batches for one in batch]


async def started(table: Table, **settings: Any) -> Recorder[int]:
    recorder: Recorder[int] = Recorder(table.write, **settings)
    recorder.start()
    return recorder


async def outcome(recorder: Recorder[int], event: int) -> str:
    try:
        await recorder.record([event])
    except NotTaken as error:
        return str(error)
    return "taken"


def test_events_that_come_together_share_a_commit_and_each_waits_for_its_own() -> None:
    async def scene() -> None:
        table = Table()
        recorder = await started(table)
        assert await asyncio.gather(*(outcome(recorder, one) for one in range(300))) == ["taken"] * 300
        assert sorted(table.rows) == list(range(300))
        assert len(table.batches) < 30
        assert recorder.waiting == 0
        assert (recorder.written, recorder.batches) == (300, len(table.batches))
        await recorder.stop()

    asyncio.run(scene())


def test_nobody_is_answered_before_the_commit() -> None:
    async def scene() -> None:
        table = Table()
        table.go_on.clear()
        recorder = await started(table)
        waiting = asyncio.create_task(outcome(recorder, 1))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        table.go_on.set()
        assert await waiting == "taken"
        await recorder.stop()

    asyncio.run(scene())


def test_a_batch_is_no_larger_than_one_statement() -> None:
    async def scene() -> None:
        table = Table()
        recorder = await started(table, most=10)
        await asyncio.gather(*(outcome(recorder, one) for one in range(95)))
        assert max(map(len, table.batches)) == 10
        await recorder.stop()

    asyncio.run(scene())


def test_what_the_database_did_not_take_is_said_and_the_next_is_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene() -> None:
        table = Table()
        table.fail = True
        recorder = await started(table)
        assert await asyncio.gather(outcome(recorder, 1), outcome(recorder, 2)) == ["not written"] * 2
        table.fail = False
        assert await outcome(recorder, 3) == "taken"
        assert table.rows == [3]
        assert recorder.waiting == 0
        await recorder.stop()

    with caplog.at_level(logging.WARNING):
        asyncio.run(scene())
    assert "(ConnectionError)" in caplog.text
    assert "secret" not in caplog.text


def test_a_database_that_hangs_is_not_waited_for_longer_than_the_sender_would() -> None:
    async def scene() -> None:
        table = Table()
        table.go_on.clear()
        recorder = await started(table, patience=0.1)
        began = time.monotonic()
        assert await asyncio.gather(*(outcome(recorder, one) for one in range(5))) == ["not in time"] * 5
        # Well before the table goes on by itself, after 10 s.
        assert time.monotonic() - began < 5
        recorder._patience = 60.0
        table.go_on.set()
        while recorder.waiting:
            await asyncio.sleep(0.01)
        assert await outcome(recorder, 9) == "taken"
        assert table.rows == [0, 1, 2, 3, 4, 9]
        await recorder.stop()

    asyncio.run(scene())


def test_more_than_can_be_answered_in_time_is_not_taken_in() -> None:
    async def scene() -> None:
        table = Table()
        table.go_on.clear()
        recorder = await started(table, waiting=3)
        tasks = [asyncio.create_task(outcome(recorder, one)) for one in range(3)]
        await asyncio.sleep(0)
        assert await outcome(recorder, 4) == "too many waiting"
        table.go_on.set()
        assert await asyncio.gather(*tasks) == ["taken"] * 3
        await recorder.stop()

    asyncio.run(scene())


def test_a_request_that_gave_up_does_not_disturb_the_others() -> None:
    async def scene() -> None:
        table = Table()
        table.go_on.clear()
        recorder = await started(table)
        gone, stays = (asyncio.create_task(outcome(recorder, one)) for one in (1, 2))
        await asyncio.sleep(0.02)
        gone.cancel()
        table.go_on.set()
        assert await stays == "taken"
        assert recorder.waiting == 0
        await recorder.stop()

    asyncio.run(scene())


def test_the_end_writes_what_waits_and_takes_nothing_more() -> None:
    async def scene() -> None:
        table = Table()
        recorder = await started(table)
        tasks = [asyncio.create_task(outcome(recorder, one)) for one in range(50)]
        await asyncio.sleep(0)
        await recorder.stop()
        assert await asyncio.gather(*tasks) == ["taken"] * 50
        assert not recorder.alive
        assert await outcome(recorder, 51) == "no writer"

    asyncio.run(scene())
