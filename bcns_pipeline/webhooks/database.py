"""The receiver's way to the inbox, and what `/healthz` asks of it.

Put here how we connect and how the database's health is looked at. Do not put the inbox's own rules here
(`state/inbox.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args

import sqlalchemy as sa

from bcns_pipeline.settings import Settings
from bcns_pipeline.state.engine import create_engine, database_url
from bcns_pipeline.state.inbox import Resource
from bcns_pipeline.state.store import State

RESOURCES = get_args(Resource)
# A server that vanished without a word is noticed after seconds, where the system's default is two hours.
_NOTICE_THE_DEAD = {
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
# Whoever asks more often gets the last answer again, so that asking costs the database nothing.
FRESH_SECONDS = 1.0
LOOK_SECONDS = 2.0


def connect(settings: Settings, store: str) -> State:
    """The state of `store`. Does not connect: a receiver may start before its database answers again.

    With the embedded server it does start that. Raises BadInput.
    """
    url = sa.make_url(database_url(settings)).update_query_dict(_NOTICE_THE_DEAD)
    engine = create_engine(
        url.render_as_string(hide_password=False), application_name="bcns webhooks", pool_size=2
    )
    return State(engine, store, actor="webhooks")


@dataclass(frozen=True, slots=True)
class Backlog:
    """Open rows of one resource; `oldest_seconds` is the age of the oldest, None where there is none."""

    waiting: int
    oldest_seconds: int | None


def backlog(state: State) -> dict[str, Backlog]:
    """Open inbox rows by resource."""
    found = {}
    now = datetime.now(UTC)
    for resource in RESOURCES:
        waiting = state.inbox.waiting(resource)
        age = max(0, round((now - waiting.oldest).total_seconds())) if waiting.oldest else None
        found[resource] = Backlog(waiting.count, age)
    return found


class Health:
    """Looks at the database at most once a second, and never waits for it longer than two."""

    def __init__(self, look: Callable[[], Mapping[str, Backlog]]) -> None:
        self._look = look
        self._looking: asyncio.Future[Mapping[str, Backlog]] | None = None
        self._begun = float("-inf")

    async def backlog(self) -> Mapping[str, Backlog] | None:
        """By resource; None where the database does not answer."""
        loop = asyncio.get_running_loop()
        stale = loop.time() - self._begun > FRESH_SECONDS
        # A look that hangs is waited for and not repeated, or each question would cost one more thread.
        if self._looking is None or (self._looking.done() and stale):
            self._begun = loop.time()
            self._looking = loop.run_in_executor(None, self._look)
        await asyncio.wait([self._looking], timeout=LOOK_SECONDS)
        if not self._looking.done() or self._looking.exception() is not None:
            return None
        return self._looking.result()
