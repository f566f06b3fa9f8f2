"""A receiver that really listens: uvicorn in a thread, on a real PostgreSQL.

Put starting, asking and looking into the inbox here. Do not put expectations here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import sqlalchemy as sa
import uvicorn

from bcns_pipeline.state.engine import create_engine
from bcns_pipeline.state.store import State
from bcns_pipeline.state.tables_orders import inbox
from bcns_pipeline.webhooks.app import BIGCOMMERCE, NETSUITE, build
from bcns_pipeline.webhooks.options import Options
from bcns_pipeline.webhooks.proofs import Demand, Proofs, bearer
from bcns_pipeline.webhooks.serve import serving
from bcns_pipeline_tests.webhooks.signing import (
    CLIENT_SECRET,
    HEADER_SECRET,
    NETSUITE_TOKEN,
    STORE,
    payload,
    secret_header,
    signed,
)

OPTIONS = Options(
    store=STORE,
    proofs=Proofs(
        signature=Demand.OPTIONAL,
        header=Demand.OPTIONAL,
        legacy=Demand.OPTIONAL,
        client_secret=CLIENT_SECRET.encode(),
        header_value=bearer(HEADER_SECRET),
    ),
    netsuite_token=bearer(NETSUITE_TOKEN),
)


def options(**proofs: Demand) -> Options:
    """The usual ones, with other demands."""
    return dataclasses.replace(OPTIONS, proofs=dataclasses.replace(OPTIONS.proofs, **proofs))


@dataclass
class Served:
    """A running receiver, and the inbox that it writes."""

    url: str
    port: int
    engine: sa.Engine
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    def hook(self, body: bytes | None = None, headers: dict[str, str] | None = None) -> httpx.Response:
        """A webhook; signed and with our header unless `headers` are given."""
        content = payload() if body is None else body
        proven = {**signed(content), **secret_header()}
        return self.client.post(
            self.url + BIGCOMMERCE, content=content, headers=proven if headers is None else headers
        )

    def event(self, body: Any, token: str = NETSUITE_TOKEN, **headers: str) -> httpx.Response:
        """A call of NetSuite's script."""
        return self.client.post(
            self.url + NETSUITE, json=body, headers={"authorization": f"Bearer {token}", **headers}
        )

    def health(self) -> tuple[int, dict[str, Any]]:
        """Status and body of /healthz."""
        answer = self.client.get(self.url + "/healthz")
        return answer.status_code, answer.json()

    def answers(self) -> dict[str, int]:
        """How often which word was the answer."""
        counted: dict[str, int] = self.health()[1]["answers"]
        return counted

    def rows(self) -> dict[tuple[str, str], int]:
        """The inbox: count by resource and id."""
        return rows(self.engine)


def rows(engine: sa.Engine) -> dict[tuple[str, str], int]:
    """The inbox of our store: count by resource and id."""
    query = sa.select(inbox.c.resource, inbox.c.resource_id, inbox.c.count).where(inbox.c.store == STORE)
    with engine.connect() as conn:
        return {(row.resource, row.resource_id): row.count for row in conn.execute(query)}


@contextlib.contextmanager
def served(
    database_url: str, made: Options = OPTIONS, *, clock: Callable[[], float] = time.time
) -> Iterator[Served]:
    """A receiver on a free loopback port until the end of the block."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(1024)
    app = build(made, lambda: State(create_engine(database_url), made.store), clock=clock)
    server = uvicorn.Server(uvicorn.Config(app, **{**serving(), "log_config": None}))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the receiver did not start"
        time.sleep(0.005)
    engine = create_engine(database_url)
    port = listening.getsockname()[1]
    found = Served(f"http://127.0.0.1:{port}", port, engine)
    try:
        yield found
    finally:
        server.should_exit = True
        thread.join(20)
        found.client.close()
        engine.dispose()
        assert not thread.is_alive(), "the receiver did not stop"
