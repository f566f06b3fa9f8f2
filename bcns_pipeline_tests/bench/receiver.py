"""The receiver's figures: `python -m bcns_pipeline_tests.bench receiver`.

`bcns webhooks` in a process of its own, on an embedded server of its own that waits for the disk at each commit,
and the sender in this one, so both share the machine's cores. Issue 3, section 6: at least 500 events a second
durable on two cores, 99th percentile below 200 ms, 1,000 copies of one event one effect.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa

from bcns_pipeline.state.engine import create_engine, embedded_url
from bcns_pipeline_tests.webhooks.serving import rows
from bcns_pipeline_tests.webhooks.signing import (
    CLIENT_SECRET,
    HEADER_SECRET,
    STORE,
    payload,
    secret_header,
    signed,
)

EVENTS, CONNECTIONS = 20_000, 64
PACED_EVENTS, PACED_RATE = 5_000, 500
COPIES, COPY_CONNECTIONS = 1_000, 1_000
LEAST_RATE, MOST_MS = 500, 200
SCRIPT = "from bcns_pipeline.cli.main import main; main()"
STARTED = 60.0


def main() -> int:
    """Print one line per figure; returns how many were missed."""
    home = Path(tempfile.mkdtemp(prefix="bcns-bench-"))
    home.chmod(0o755)
    try:
        with receiver(home) as port:
            engine = create_engine(embedded_url(home))
            try:
                return figures(port, engine)
            finally:
                engine.dispose()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def figures(port: int, engine: sa.Engine) -> int:
    asyncio.run(send(port, calls(range(900_000_000, 900_000_500)), CONNECTIONS))
    missed = 0
    began = time.perf_counter()
    taken = asyncio.run(send(port, calls(range(1, EVENTS + 1)), CONNECTIONS))
    rate = EVENTS / (time.perf_counter() - began)
    written = len([1 for _, number in rows(engine) if int(number) <= EVENTS])
    missed += line(
        f"receiver: {EVENTS:,} events as fast as it goes, {CONNECTIONS} connections (>= {LEAST_RATE} events/s)",
        f"{rate:,.0f} events/s",
        taken,
        written,
        reached=rate >= LEAST_RATE and written == EVENTS,
    )
    paced = range(1_000_001, 1_000_001 + PACED_EVENTS)
    taken = asyncio.run(send(port, calls(paced), CONNECTIONS, rate=PACED_RATE))
    written = len([1 for _, number in rows(engine) if int(number) in paced])
    missed += line(
        f"receiver: {PACED_EVENTS:,} events, one every {1000 / PACED_RATE:g} ms (p99 < {MOST_MS} ms)",
        f"{PACED_RATE} events/s",
        taken,
        written,
        reached=percentile(taken, 0.99) < MOST_MS and written == PACED_EVENTS,
    )
    taken = asyncio.run(send(port, calls([77_777_777]) * COPIES, COPY_CONNECTIONS))
    found = {number: count for (_, number), count in rows(engine).items() if int(number) == 77_777_777}
    missed += line(
        f"receiver: {COPIES:,} copies of one event at once (1 row that counts them)",
        f"count {found.get('77777777', 0)}",
        taken,
        len(found),
        reached=found == {"77777777": COPIES},
    )
    return missed


def line(work: str, figure: str, milliseconds: Sequence[float], written: int, *, reached: bool) -> bool:
    """One row; True where it was missed."""
    p50, p99 = percentile(milliseconds, 0.5), percentile(milliseconds, 0.99)
    print(
        f"{work} | {figure} | p50 {p50:.1f} ms, p99 {p99:.1f} ms, rows {written:,} | "
        f"{'reached' if reached else 'missed'}",
        flush=True,
    )
    return not reached


def percentile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def calls(numbers: Sequence[int]) -> list[bytes]:
    """Whole requests, proven twice as BigCommerce would, ready to be sent."""
    made = []
    for number in numbers:
        body = payload("store/order/created", type="order", id=number)
        headers = {**signed(body), **secret_header(), "content-type": "application/json"}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        start = f"POST /webhooks/bigcommerce HTTP/1.1\r\nhost: bench\r\ncontent-length: {len(body)}\r\n"
        made.append(f"{start}{head}\r\n".encode() + body)
    return made


async def send(port: int, requests: Sequence[bytes], connections: int, *, rate: float = 0.0) -> list[float]:
    """Milliseconds of each call. With `rate` they count from when each was due, sent late or not."""
    loop = asyncio.get_running_loop()
    waiting = iter(enumerate(requests))
    taken: list[float] = []
    began = loop.time()

    async def sender() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for place, request in waiting:
            due = began + place / rate if rate else loop.time()
            await asyncio.sleep(max(0.0, due - loop.time()))
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            taken.append((loop.time() - due) * 1000)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"the receiver answered {answer[:60]!r}")
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(sender() for _ in range(connections)))
    return taken


@contextlib.contextmanager
def receiver(home: Path) -> Iterator[int]:
    """`bcns webhooks` on a free port until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("BCNS_")},
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "BCNS_HOME": str(home),
        "BCNS_BIGCOMMERCE_STORE_HASH": STORE,
        "BCNS_BIGCOMMERCE_CLIENT_SECRET": CLIENT_SECRET,
        "BCNS_WEBHOOK_HEADER_SECRET": HEADER_SECRET,
    }
    with (home / "log").open("wb") as log:
        running = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, "webhooks", "--port", str(port)],
            env=env, cwd=home, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + STARTED
        while not healthy(port):
            if running.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the receiver did not start:\n{(home / 'log').read_text()}")
            time.sleep(0.05)
        yield port
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(30)


def healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    raise SystemExit(1 if main() else 0)
