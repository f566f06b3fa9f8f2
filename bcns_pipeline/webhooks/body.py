"""Reads the raw body of a request within a size and a time.

Put here what is true of every body. Do not put here what it means or who sent it. The length that the sender
declares only ever shortens the work: what counts is what arrives.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request

# BigCommerce's payloads are below 1 KB; a thousand NetSuite ids are below 16.
MOST_BYTES = 64 * 1024
# Shorter than what the server allows a request as a whole, so that there is an answer.
SECONDS = 8.0
# A length of more digits is too long without being worked out.
_DIGITS = 12


class TooLarge(Exception):
    """More than MOST_BYTES were declared, or came."""


class TooSlow(Exception):
    """The body did not arrive in time."""


async def read(request: Request) -> bytes:
    """The raw bytes as sent. Raises TooLarge, TooSlow, and starlette's ClientDisconnect."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > _DIGITS or int(declared) > MOST_BYTES):
        raise TooLarge
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise TooLarge
    except TimeoutError:
        raise TooSlow from None
    return bytes(body)
