"""One double behind one port: latency, faults, the log and the costs around its routes.

Put what happens to every call here, whatever system is asked. Do not put a rule of a system here. Latency
is slept, half on the way in and half on the way out, and never holds up another call.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import re
import socket
import struct
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from bcns_pipeline.sandbox.faults import Fault, FaultBook
from bcns_pipeline.sandbox.meter import CostBook
from bcns_pipeline.sandbox.web import Answer, Call, Found, Handler, Routes

HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
TIMEOUT_SECONDS = 600.0
ANYTHING = re.compile("")
LOG_LENGTH = 200_000
TRANSPORTS: dict[tuple[str, int, int], asyncio.Transport] = {}


class TrackedProtocol(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
    """uvicorn's protocol, which also keeps its transport in reach: ASGI alone cannot reset a connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        peer, port = transport.get_extra_info("peername"), transport.get_extra_info("sockname")[1]
        self._key = (peer[0], peer[1], port)
        TRANSPORTS[self._key] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        TRANSPORTS.pop(self._key, None)
        super().connection_lost(exc)


class System(Protocol):
    """What a double brings along: its routes and its words for the cases that the web layer sees first."""

    name: str
    routes: Routes

    def enter(self, call: Call) -> Answer | None:
        """Let a call in, or answer it at the door (limits, credentials). Whoever was let in must `leave`."""

    def leave(self, call: Call) -> None:
        """The answer is ready."""

    def finish(self, call: Call, answer: Answer) -> Answer:
        """Put headers on that every answer has."""

    def not_found(self, call: Call, allowed: list[str]) -> Answer:
        """No such path, or not with this method."""

    def struck(self, fault: Fault) -> Answer:
        """How this system words 429, 5xx and its other ways to be unwell."""


@dataclass(slots=True)
class Shared:
    """What all doubles of one process have in common."""

    latency_ms: float = 0.0
    era: int = 0  # counts the worlds; a call that was under way when a new one began never arrives
    faults: FaultBook = field(default_factory=FaultBook)
    arrive: asyncio.Event = field(default_factory=asyncio.Event)  # what was held up on its way goes on
    late: set[asyncio.Task[None]] = field(default_factory=set)
    costs: CostBook = field(default_factory=CostBook)
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    logged: int = 0
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8, "double"))

    def note(self, entry: dict[str, Any]) -> None:
        """Log one call; `seq` counts up for ever."""
        self.logged += 1
        entry["seq"] = self.logged
        self.log.append(entry)


class Service:
    """The ASGI application of one system."""

    def __init__(self, system: System, shared: Shared) -> None:
        self.system = system
        self.shared = shared

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        if scope["type"] != "http":
            return
        call = await read(scope, receive)
        era = self.shared.era
        faults = self.shared.faults.take(self.system.name, call.method, call.path)
        extra = sum(f.ms for f in faults if f.kind == "latency") / 1000
        half = self.shared.latency_ms / 2000
        if half or extra:
            await asyncio.sleep(half + extra)
            if era != self.shared.era:
                await vanish(scope, receive, Fault(self.system.name, "reset_before", ANYTHING))
                return
        before = next((f for f in faults if f.kind not in ("latency", "stale") and not f.strikes_after), None)
        after = next((f for f in faults if f.strikes_after), None)
        stale = any(f.kind == "stale" for f in faults)
        try:
            answer, operation = await self._answer(call, before, stale)
        except Exception:
            # A bug of ours must neither leak a concurrency slot nor look like a quiet refusal.
            traceback.print_exc()
            answer, operation = self._struck(Fault(self.system.name, "5xx", ANYTHING, status=500)), "bug"
        if half:
            await asyncio.sleep(half)
        self.system.leave(call)
        if after is not None and after.kind in ("5xx", "html"):
            answer = self.system.finish(call, self._struck(after))
        struck = before or after
        self._note(call, operation, answer, struck.kind if struck else ("stale" if stale else None))
        if struck is not None and struck.kind in ("timeout", "reset_before", "reset_after", "late"):
            await vanish(scope, receive, struck)
            if struck.kind == "late":
                # A task of its own, for which a server that shuts down does not wait.
                self.shared.late.add(asyncio.create_task(self._arrive(call, era)))
            return
        await write(send, answer, cut=struck is not None and struck.kind == "truncate")

    async def _answer(self, call: Call, before: Fault | None, stale: bool) -> tuple[Answer, str]:
        """The system's answer and the name of the operation; costs are booked on the way."""
        found = self.system.routes.find(call.method, call.path)
        operation = f"{self.system.name}.{found.route.name if isinstance(found, Found) else 'unknown'}"
        start, cpu = time.perf_counter(), time.thread_time()
        refusal = self.system.enter(call)
        if before is not None:
            if before.kind in ("timeout", "reset_before", "late"):
                return Answer(0), operation
            return self.system.finish(call, self._struck(before)), operation
        if refusal is not None:
            return self.system.finish(call, refusal), operation
        if not isinstance(found, Found):
            return self.system.finish(call, self.system.not_found(call, found)), operation
        names = {**found.names, "stale": True} if stale else found.names
        if found.route.threaded:
            loop = asyncio.get_running_loop()
            spent = time.thread_time() - cpu
            answer, worked = await loop.run_in_executor(
                self.shared.pool, timed, found.route.handler, call, names
            )
            cpu = time.thread_time() - spent - worked
        else:
            result = found.route.handler(call, **names)
            answer = await result if inspect.isawaitable(result) else result
        answer = self.system.finish(call, answer)
        self.shared.costs.add(operation, time.thread_time() - cpu, time.perf_counter() - start)
        return answer, operation

    async def _arrive(self, call: Call, era: int) -> None:
        """A call that its client has given up long ago."""
        await self.shared.arrive.wait()
        if era == self.shared.era:
            answer, operation = await self._answer(call, None, stale=False)
            self.system.leave(call)
            self._note(call, operation, answer, "arrived")

    def _note(self, call: Call, operation: str, answer: Answer, fault: str | None) -> None:
        self.shared.note(
            {
                "at": time.time(),
                "system": self.system.name,
                "operation": operation,
                "method": call.method,
                "path": call.path,
                "query": call.query_string,
                "status": answer.status,
                "bytes_in": len(call.body),
                "bytes_out": len(answer.body),
                "fault": fault,
            }
        )

    def _struck(self, fault: Fault) -> Answer:
        if fault.kind == "html":
            return Answer(502, HTML, "text/html")
        return self.system.struck(fault)


def timed(handler: Handler, call: Call, names: Mapping[str, Any]) -> tuple[Answer, float]:
    """Run a handler in a worker thread and say what processor time it took there."""
    cpu = time.thread_time()
    answer = handler(call, **names)
    if not isinstance(answer, Answer):
        raise TypeError("A threaded handler answers at once.")
    return answer, time.thread_time() - cpu


async def read(scope: MutableMapping[str, Any], receive: Callable[..., Any]) -> Call:
    """The whole request."""
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    query = scope["query_string"].decode("latin-1")
    return Call(scope["method"], scope["path"], query, headers, body, headers.get("host", ""))


async def write(send: Callable[..., Any], answer: Answer, *, cut: bool) -> None:
    """Send the answer; `cut` announces all of it, sends half and closes the connection."""
    headers = [(b"content-length", str(len(answer.body)).encode())]
    if answer.body or answer.status not in (204, 304):
        headers.append((b"content-type", answer.content_type.encode()))
    else:
        headers = []
    headers.extend((name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if cut:
        # Returning with more_body set makes uvicorn close the connection in the middle of the body.
        await send(
            {"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True}
        )
        return
    await send({"type": "http.response.body", "body": answer.body})


async def vanish(scope: MutableMapping[str, Any], receive: Callable[..., Any], fault: Fault) -> None:
    """Never answer: reset the connection, or stay silent until the client goes."""
    client, server = scope["client"], scope["server"]
    transport = TRANSPORTS.get((client[0], client[1], server[1]))
    if fault.kind == "timeout":
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(receive(), TIMEOUT_SECONDS)
    elif transport is not None:
        raw = transport.get_extra_info("socket")
        # Linger 0 makes the kernel send RST instead of FIN, which is what a dying peer looks like.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if transport is not None:
        transport.abort()
