"""Stand-ins at the edge of the clients: a gate, a meter, a clock and scripted servers.

Put only what several client tests need here. Servers are callables behind `httpx.MockTransport`; nothing is
patched, and no test sleeps.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from bcns_pipeline.clients.http.retry import RetryPolicy
from bcns_pipeline.clients.http.transport import Transport
from bcns_pipeline.outcomes import Call, System

Step = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class OpenGate:
    """Lets everything pass; knows how many slots are held now and were held at most."""

    def __init__(self) -> None:
        self.held = 0
        self.most = 0
        self.admitted = 0
        self._lock = threading.Lock()

    @contextmanager
    def admit(self, system: System) -> Iterator[None]:
        """One slot for the block."""
        with self._lock:
            self.held += 1
            self.admitted += 1
            self.most = max(self.most, self.held)
        try:
            yield
        finally:
            with self._lock:
                self.held -= 1


class CountingMeter:
    """Remembers every call."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def record(self, call: Call) -> None:
        """Append `call`."""
        self.calls.append(call)


class FakeTime:
    """A clock that only sleeping moves; asserts that nobody sleeps while holding a slot."""

    def __init__(self, gate: OpenGate | None = None) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self._gate = gate
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        """Move the clock."""
        if self._gate is not None:
            assert self._gate.held == 0, "a waiting call holds a slot"
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds

    def clock(self) -> float:
        """Seconds."""
        return self.now


class Script:
    """A server that answers with one step after the other, and with the last one for ever."""

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps)
        self.requests: list[httpx.Request] = []
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.requests.append(request)
            step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, httpx.Response):
            # A response can be read once, so each request gets its own.
            return httpx.Response(step.status_code, headers=step.headers, content=step.content)
        return step(request)


def client_of(server: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
    """An httpx client whose network is `server`."""
    return httpx.Client(transport=httpx.MockTransport(server))


def transport(server: Callable[[httpx.Request], httpx.Response], **given: Any) -> tuple[Transport, FakeTime]:
    """A Transport over `server` with fake time, an open gate and the largest jitter."""
    gate = given.pop("gate", None) or OpenGate()
    time = FakeTime(gate)
    settings: dict[str, Any] = {
        "gate": gate,
        "meter": CountingMeter(),
        "client": client_of(server),
        "retry": RetryPolicy(attempts=4, base_seconds=0.5, cap_seconds=60, total_seconds=120),
        "uniform": lambda _low, high: high,
        **timing(time),
        **given,
    }
    return Transport(System.BIGCOMMERCE, "https://shop.test/", **settings), time


def timing(time: FakeTime) -> Mapping[str, Any]:
    """The clockwork arguments of a client."""
    return {"sleep": time.sleep, "clock": time.clock, "wall": time.clock}
