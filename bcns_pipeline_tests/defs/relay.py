"""Small HTTP servers of our own beside the sandbox: a relay below a path prefix, and a place that takes alerts.

Put here what the sandbox can't be: somebody else's double at another address, a store that refuses without
saying why, a Slack. Do not put expectations here.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

# (method, path without the prefix, body) -> (status, body) to answer with, or None to pass the request on. Bytes
# are sent as they are, all else as JSON.
Answer = Callable[[str, str, bytes], tuple[int, Any] | None]


@dataclass
class Server:
    """A running server; `seen` are (method, path, body) in the order of arrival."""

    url: str
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)


@contextlib.contextmanager
def serving(
    answer: Answer, *, prefix: str = "", target: str = "", change: Callable[[bytes], bytes] = bytes
) -> Iterator[Server]:
    """Serve on a loopback port; what `answer` leaves open goes to `target`, without `prefix`.

    `change` rewrites the bodies that come back.
    """
    found = Server("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.removeprefix(prefix)
            found.seen.append((self.command, self.path, body))
            if not self.path.startswith(prefix):
                self.reply(404, b'{"title": "not below the prefix"}', {})
                return
            given = answer(self.command, path, body)
            if given is not None:
                content = given[1] if isinstance(given[1], bytes) else json.dumps(given[1]).encode()
                self.reply(given[0], content, {})
                return
            host = urlsplit(target)
            onward = http.client.HTTPConnection(host.hostname or "", host.port)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in {"host", "connection"}}
            onward.request(self.command, path, body, headers)
            reply = onward.getresponse()
            content = change(reply.read())
            kept = {k: v for k, v in reply.getheaders() if k.lower() not in HOP_BY_HOP}
            self.reply(reply.status, content, kept)
            onward.close()

        do_GET = do_POST = do_PUT = serve

        def reply(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if status != 204:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """The test has `seen`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}{prefix}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "date", "server", "content-type"}
