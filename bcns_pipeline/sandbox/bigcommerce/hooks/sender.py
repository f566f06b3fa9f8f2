"""A very small HTTP client: one POST at a time over a connection that is kept.

Put sending of bytes here. Do not put retries or meaning here. The sandbox shares no client with the pipeline,
so that neither hides a mistake of the other; this one knows just what a webhook needs.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
# What a torn, closed or babbling connection raises.
BROKEN = (OSError, EOFError, ValueError, asyncio.LimitOverrunError)


class Sender:
    """Connections of one worker, by origin."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str, int], Connection] = {}

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> int:
        """POST and return the status; raises `OSError` where none came back in time."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        origin = (parts.scheme, parts.hostname or "", parts.port or (443 if secure else 80))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", "Content-Type: application/json"]
        lines += ["User-Agent: BigCommerce-Webhooks", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body
        try:
            async with asyncio.timeout(seconds):
                if origin in self._open:
                    # A kept connection may have been closed meanwhile; a new one tells whether anybody is there.
                    with contextlib.suppress(*BROKEN):
                        return await self._exchange(origin, request, secure=secure)
                    self._drop(origin)
                return await self._exchange(origin, request, secure=secure)
        except BROKEN as fault:
            self._drop(origin)
            raise OSError(f"no answer: {type(fault).__name__}") from fault

    async def _exchange(self, origin: tuple[str, str, int], request: bytes, *, secure: bool) -> int:
        connection = self._open.get(origin)
        if connection is None:
            context = ssl.create_default_context() if secure else None
            connection = await asyncio.open_connection(origin[1], origin[2], ssl=context)
            self._open[origin] = connection
        reader, writer = connection
        writer.write(request)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(" ", 2)[1])
        fields = dict(line.split(":", 1) for line in head.split("\r\n")[1:] if ":" in line)
        if "chunked" in fields.get("transfer-encoding", ""):
            while size := int((await reader.readline()).split(b";")[0], 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        else:
            await reader.readexactly(int(fields.get("content-length", "0")))
        if "close" in fields.get("connection", ""):
            self._drop(origin)
        return status

    def _drop(self, origin: tuple[str, str, int]) -> None:
        connection = self._open.pop(origin, None)
        if connection is not None:
            with contextlib.suppress(OSError):
                connection[1].close()
