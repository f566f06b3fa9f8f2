"""One answer: its status, a word for logs and counters, and the line that the access log gets.

Put here what happens to every answer of a door. Do not put here which answer is given (`app.py`). Neither
bodies nor headers nor addresses are logged, and of an exception only its kind and place: its text may quote
what a sender wrote.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from bcns_pipeline.webhooks.counters import Counters

log = logging.getLogger("bcns.webhooks")
access = logging.getLogger("bcns.webhooks.access")


@dataclass(frozen=True, slots=True)
class Answer:
    """`word` is one of our own ("taken", "refused.header_wrong"); `about` of a proven call only."""

    status: int
    word: str
    about: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)


async def answering(system: str, counters: Counters, handle: Callable[[], Awaitable[Answer]]) -> Response:
    """The answer of `handle`, counted and logged; 500 where it failed, so that the sender tries again."""
    began = time.perf_counter()
    try:
        answer = await handle()
    except ClientDisconnect:
        answer = Answer(400, "gone")
    except Exception as error:
        log.error("a call of %s failed with %s at %s", system, type(error).__name__, place(error))  # noqa: TRY400
        answer = Answer(500, "failed")
    counters.add(f"{system}.{answer.word}")
    # A flood must not fill the disk: who is limited is counted, and not listed.
    if answer.status != 429:
        took = (time.perf_counter() - began) * 1000
        access.info("%s %d %s %.1f ms %s", system, answer.status, answer.word, took, answer.about)
    content = json.dumps(answer.said).encode() if answer.said else b""
    kind = "application/json" if content else None
    return Response(content, answer.status, dict(answer.headers), kind)


def place(error: BaseException) -> str:
    """File and line where `error` was raised."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return (
        f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame is not None else "an unknown place"
    )
