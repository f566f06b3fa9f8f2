"""Serves the receiver under uvicorn, in one process or several.

Put here what concerns connections, processes and the log's form. Do not put answers here (`app.py`). Each
process makes its own application from the environment (`application`), because uvicorn starts them anew.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bcns_pipeline.settings import load_settings
from bcns_pipeline.webhooks.app import build
from bcns_pipeline.webhooks.database import connect
from bcns_pipeline.webhooks.options import read_options

# From the first byte to the last of a request: BigCommerce's are below 1 KB.
REQUEST_SECONDS = 10.0
# Longer than proxies keep an idle connection (60 s is nginx's default), so that they close it and not we: a
# proxy that sends into a connection just closed answers BigCommerce 502 in our name.
KEEP_ALIVE_SECONDS = 75
# Beyond these a call is answered 503 at once. Each takes a file descriptor, and what we need besides is few.
MOST_CONNECTIONS = 4000
OTHER_DESCRIPTORS = 100
GRACE_SECONDS = 10

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {
        "out": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"}
    },
    "loggers": {
        "bcns.webhooks": {"level": "INFO", "handlers": ["out"], "propagate": False},
        "uvicorn": {"level": "WARNING", "handlers": ["out"], "propagate": False},
    },
}


class Patient(HttpToolsProtocol):
    """uvicorn's protocol, with an end to requests that never end: slow headers, slow or endless bodies."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection that never begins a request is ended like one that never ends it."""
        super().connection_made(transport)
        # uvicorn's own access log names addresses, and asks the loggers of the process whether to write it.
        self.access_log = False
        self._begin()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._begin()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """The last byte of a request; from here on the time is ours."""
        self._end()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever ended it."""
        self._end()
        super().connection_lost(exc)

    def _begin(self) -> None:
        self._end()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _end(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def application() -> Starlette:
    """The receiver that the environment describes. Raises BadInput."""
    settings = load_settings()
    options = read_options(settings)
    return build(options, lambda: connect(settings, options.store))


def serving(*, access_log: bool = True) -> dict[str, Any]:
    """How uvicorn is to serve us. It neither logs addresses nor believes headers that name them."""
    own = {"bcns.webhooks.access": {"level": "INFO" if access_log else "WARNING"}}
    return {
        "http": Patient,
        "ws": "none",
        "lifespan": "on",
        "log_config": {**LOGGING, "loggers": {**LOGGING["loggers"], **own}},
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "limit_concurrency": room_for_connections(),
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": GRACE_SECONDS,
    }


def room_for_connections() -> int:
    """How many connections a process may hold; raises its soft limit of file descriptors as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHER_DESCRIPTORS
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(1, allowed - OTHER_DESCRIPTORS)


def run(host: str, port: int, workers: int, *, access_log: bool) -> None:
    """Serve until SIGTERM or SIGINT; calls under way are answered first."""
    uvicorn.run(
        "bcns_pipeline.webhooks.serve:application",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        **serving(access_log=access_log),
    )
