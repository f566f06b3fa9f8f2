"""The receiver: `POST /webhooks/bigcommerce`, `POST /events/netsuite`, `GET /healthz`, and nothing else.

Put here what is answered when. Do not put here who is genuine (`proofs.py`), what a body means (`events.py`)
or how rows become durable (`recorder.py`). A call is answered 200 when its inbox row is committed, and the
receiver does nothing else with it: what an order holds is read again by the flows.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bcns_pipeline.state.inbox import Event, Source
from bcns_pipeline.state.store import State
from bcns_pipeline.webhooks import body
from bcns_pipeline.webhooks.answers import Answer, answering, log
from bcns_pipeline.webhooks.counters import Counters
from bcns_pipeline.webhooks.database import Health, backlog
from bcns_pipeline.webhooks.events import Changed, Malformed, read_netsuite, read_webhook
from bcns_pipeline.webhooks.limits import BURST, FailureBuckets, sender
from bcns_pipeline.webhooks.options import Options
from bcns_pipeline.webhooks.proofs import same_secret
from bcns_pipeline.webhooks.recorder import NotTaken, Recorder

BIGCOMMERCE, NETSUITE, HEALTH = "/webhooks/bigcommerce", "/events/netsuite", "/healthz"
# NetSuite's script may try again then. BigCommerce keeps to its own times (facts/bigcommerce.md 6.4).
RETRY_SECONDS = 60
# Without it a 401 is none (RFC 9110, 15.5.2).
CHALLENGE = {"WWW-Authenticate": "Bearer"}
Endpoint = Callable[[Request], Awaitable[Response]]


class Receiver:
    """Answers calls. `clock` gives unix seconds; made on the event loop that it serves."""

    def __init__(self, options: Options, state: State, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self.recorder: Recorder[Event] = Recorder(state.inbox.record)
        self.counters = Counters()
        self._buckets = FailureBuckets(time.monotonic)
        self._health = Health(lambda: backlog(state))

    async def bigcommerce(self, request: Request) -> Answer:
        """A webhook. What proves itself and says nothing we can use is 200 too: a retry would not help."""
        proofs, address = self._options.proofs, self._address(request)
        headers = first_values(request)
        if self._buckets.exhausted(address) and proofs.hopeless(headers, self._clock()):
            return self._limited()
        try:
            raw = await body.read(request)
        except (body.TooLarge, body.TooSlow) as error:
            return self._unread(address, error)
        verdict = proofs.check(headers, raw, self._clock())
        if not verdict.genuine:
            return self._refused(address, verdict.reason)
        self.counters.proofs(verdict.by)
        try:
            note = read_webhook(raw)
        except Malformed:
            return Answer(200, "malformed")
        if note.store != self._options.store:
            return Answer(401, "refused.store", headers=CHALLENGE)
        self.counters.scope(note.scope)
        if note.changed is None:
            return Answer(200, "ignored", note.scope)
        return await self._record([note.changed], "webhook", note.scope)

    async def netsuite(self, request: Request) -> Answer:
        """Our own script's list of records. Its author reads the answers, so they say what is wrong."""
        address = self._address(request)
        given, token = request.headers.get("authorization", ""), self._options.netsuite_token
        if token is None:
            return Answer(404, "off")
        if not same_secret(given, token):
            return self._refused(address, "token")
        try:
            raw = await body.read(request)
            changed = read_netsuite(raw)
        except (body.TooLarge, body.TooSlow) as error:
            return self._unread(None, error)
        except Malformed as error:
            return Answer(400, "malformed", said={"error": str(error)})
        return await self._record(changed, "netsuite", f"{len(changed)} records")

    async def health(self) -> Response:
        """200 where an event would be taken now, else 503; backlog and counters of this process."""
        waiting = await self._health.backlog()
        sound = waiting is not None and self.recorder.alive
        report = {
            "status": "ok" if sound else "failing",
            "database": "ok" if waiting is not None else "does not answer",
            "backlog": {name: asdict(one) for name, one in (waiting or {}).items()},
            "process": os.getpid(),
            "queue": {
                "waiting": self.recorder.waiting,
                "batches": self.recorder.batches,
                "failed_batches": self.recorder.failed_batches,
                "written": self.recorder.written,
            },
            **self.counters.snapshot(),
        }
        return JSONResponse(report, 200 if sound else 503)

    async def _record(self, changed: list[Changed], source: Source, scope: str) -> Answer:
        about = f"{scope} {changed[0].resource} {changed[0].id}" if len(changed) == 1 else scope
        try:
            await self.recorder.record([Event(one.resource, one.id, source) for one in changed])
        except NotTaken:
            return Answer(503, "unavailable", about, headers={"Retry-After": str(RETRY_SECONDS)})
        return Answer(200, "taken", about)

    def _address(self, request: Request) -> str:
        """Whom to hold responsible for failures; kept in memory for that, and written nowhere."""
        name = self._options.address_header
        return sender(
            request.client.host if request.client else "", request.headers.get(name) if name else None
        )

    def _refused(self, address: str, reason: str) -> Answer:
        if self._buckets.exhausted(address):
            return self._limited()
        if self._buckets.fail(address):
            log.warning("an address failed %d times of late, and is limited now (%s)", BURST, reason)
        return Answer(401, f"refused.{reason}", headers=CHALLENGE)

    def _limited(self) -> Answer:
        return Answer(429, "limited", headers={"Retry-After": str(self._buckets.retry_after())})

    def _unread(self, address: str | None, error: Exception) -> Answer:
        if address is not None:
            self._buckets.fail(address)
        if isinstance(error, body.TooLarge):
            return Answer(413, "too_large")
        return Answer(408, "too_slow", headers={"Connection": "close"})


def first_values(request: Request) -> dict[str, str]:
    """Headers by lower-case name; of a repeated one the first counts."""
    return dict(reversed(request.headers.items()))


def build(
    options: Options, connect: Callable[[], State], *, clock: Callable[[], float] = time.time
) -> Starlette:
    """The application. `connect` is called at its start and may block; its engine is disposed at the end."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        state = await asyncio.to_thread(connect)
        app.state.receiver = receiver = Receiver(options, state, clock)
        receiver.recorder.start()
        try:
            yield
        finally:
            await receiver.recorder.stop()
            await asyncio.to_thread(state.engine.dispose)

    return Starlette(
        routes=[
            Route(BIGCOMMERCE, _door("bigcommerce", Receiver.bigcommerce), methods=["POST"]),
            Route(NETSUITE, _door("netsuite", Receiver.netsuite), methods=["POST"]),
            Route(HEALTH, _health, methods=["GET"]),
        ],
        lifespan=lifespan,
    )


def _door(system: str, handle: Callable[[Receiver, Request], Awaitable[Answer]]) -> Endpoint:
    async def answer(request: Request) -> Response:
        receiver: Receiver = request.app.state.receiver
        return await answering(system, receiver.counters, lambda: handle(receiver, request))

    return answer


async def _health(request: Request) -> Response:
    receiver: Receiver = request.app.state.receiver
    return await receiver.health()
