"""The webhook receiver beside a sandbox, and hooks that point at it: for `bcns demo` and `bcns dev`.

Put the receiver's process and the making of hooks on a loopback address here. Do not put checks of hooks here: a
merchant's own are made and mended by the flows. As a script, with a port, it is that process: `bcns webhooks`, ended
with its parent, because a receiver that outlives a killed demo keeps the demo's database from the next one.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bcns_pipeline.cli.accounts import bigcommerce_client
from bcns_pipeline.cli.webhooks import serve_webhooks
from bcns_pipeline.outcomes import Sent
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import Settings
from bcns_pipeline.state.hook_header import hook_header
from bcns_pipeline.webhooks.app import BIGCOMMERCE, HEALTH

MODULE = "bcns_pipeline.cli.receiving"
HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 15.0
# Proxies of the environment have no business between two processes of one machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    """A loopback port that nobody listens on, below those that the system gives to whoever asks for any: one of these
    may be another's by the time that ours listens."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port


@contextlib.contextmanager
def receiver(home: Path, variables: Mapping[str, str], port: int) -> Iterator[str]:
    """`bcns webhooks` on a loopback port, ended with the block; gives the address that hooks call.

    Raises BadInput where it ends or stays silent; its own sentence is then in the file that is named.
    """
    log = home / "webhooks.log"
    command = [sys.executable, "-m", MODULE, str(port), str(os.getpid())]
    with log.open("wb") as told:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            command,
            cwd=home,
            env=dict(variables),
            stdout=told,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _await(process, port, log)
            yield f"http://{HOST}:{port}{BIGCOMMERCE}"
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def health(port: int) -> dict[str, Any]:
    """What the receiver says of itself; empty while it does not answer."""
    try:
        with _OPENER.open(f"http://{HOST}:{port}{HEALTH}", timeout=5) as answer:
            return dict(json.loads(answer.read()))
    except (OSError, urllib.error.HTTPError):
        return {}


def make_hooks(settings: Settings, destination: str, scopes: Sequence[str]) -> list[int]:
    """A hook for each scope, with the header that the receiver asks for; their ids. Raises BadInput."""
    name, value = hook_header(settings)
    client = bigcommerce_client(settings.require("bigcommerce"))
    made = []
    for scope in scopes:
        outcome = client.hooks.create(scope, destination, {name: value})
        if not isinstance(outcome, Sent) or outcome.record_id is None:
            raise BadInput([f"The store did not take a hook for {scope}: {outcome}."])
        made.append(int(outcome.record_id))
    return made


def remove_hooks(settings: Settings, ids: Sequence[int]) -> None:
    """Take them away; one that is gone already is as good."""
    client = bigcommerce_client(settings.require("bigcommerce"))
    for one in ids:
        client.hooks.delete(one)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not health(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise BadInput([f"The webhook receiver did not start on port {port}; {log} says why."])
        time.sleep(0.05)


def _end_with(parent: int) -> None:
    """Ask this process to end once `parent` is gone, as a signal from outside would."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with, args=(int(sys.argv[2]),), daemon=True).start()
    serve_webhooks(HOST, int(sys.argv[1]), 1, access_log=True)
