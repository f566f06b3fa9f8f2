"""The sandbox process: the doubles and the control endpoint on four loopback ports.

Put start and end of the process here. Do not put behaviour here. It prints one JSON line when all four
ports answer, and ends on SIGTERM, SIGINT or, where asked to, when its parent is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from typing import Any

import uvicorn

from bcns_pipeline.sandbox.control import Control
from bcns_pipeline.sandbox.merchant import Merchant
from bcns_pipeline.sandbox.options import Options
from bcns_pipeline.sandbox.service import Service, TrackedProtocol

HOST = "127.0.0.1"
PARENT_CHECK_SECONDS = 0.5


class Quiet(uvicorn.Server):
    """A uvicorn server that leaves the process's signals alone, since four of them share it."""

    def install_signal_handlers(self) -> None:
        """Signals are handled in `serve`."""

    def capture_signals(self) -> Any:
        """As above, for newer versions of uvicorn."""
        return contextlib.nullcontext()


def listen(port: int) -> socket.socket:
    """A listening loopback socket; port 0 takes any that is free."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((HOST, port))
    listening.listen(256)
    return listening


def expected(record: logging.LogRecord) -> bool:
    """Keep uvicorn from complaining about the answers that our faults leave out on purpose."""
    return not record.getMessage().startswith("ASGI callable returned without")


def url(listening: socket.socket) -> str:
    """The address under which a socket answers."""
    return f"http://{HOST}:{listening.getsockname()[1]}"


async def serve(options: Options) -> None:
    """Run until a signal comes, the control endpoint is asked to stop, or the parent is gone."""
    logging.getLogger("uvicorn.error").addFilter(expected)
    merchant = Merchant(options)
    merchant.warm_up()
    stop = asyncio.Event()
    ports = (options.bigcommerce_port, options.netsuite_port, options.stripe_port, options.control_port)
    sockets = [listen(port) for port in ports]
    control = Control(merchant, stop)
    applications: list[Any] = [
        Service(merchant.bigcommerce, merchant.shared),
        Service(merchant.netsuite, merchant.shared),
        Service(merchant.stripe, merchant.shared),
        control,
    ]
    servers = [
        Quiet(
            uvicorn.Config(
                application,
                http=TrackedProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
            )
        )
        for application in applications
    ]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    parent = os.getppid()
    tasks = [
        asyncio.create_task(server.serve(sockets=[listening]))
        for server, listening in zip(servers, sockets, strict=True)
    ]
    while not all(server.started for server in servers):
        await asyncio.sleep(0.005)
    ready = {
        "bigcommerce_url": url(sockets[0]),
        "netsuite_url": url(sockets[1]),
        "stripe_url": url(sockets[2]),
        "control_url": url(sockets[3]),
        "pid": os.getpid(),
        **merchant.describe(*map(url, sockets[:3])),
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), PARENT_CHECK_SECONDS)
        except TimeoutError:
            if options.exit_with_parent and os.getppid() != parent:
                break
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*tasks)
    merchant.shared.pool.shutdown(wait=False, cancel_futures=True)
    merchant.drops.close()


def run(options: Options) -> None:
    """Run the sandbox in this process, on uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(options))
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(options))
