"""Carrying events to whoever subscribed: attempts, waits, giving up, and the record of it all.

Put delivery here. Do not put payloads (letters.py), the wire (sender.py) or what tests do to events
(interference.py) here. Source: facts/bigcommerce.md 6.4: any 2xx is an acknowledgement; after it there are 11
more tries over 48 hours, then the hook is switched off; what happens meanwhile is lost, for nothing is ever
sent again. Order is not promised: several couriers are under way at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bcns_pipeline.sandbox.bigcommerce.hooks import letters
from bcns_pipeline.sandbox.bigcommerce.hooks.blocklist import Blocklist
from bcns_pipeline.sandbox.bigcommerce.hooks.book import EXCEPTIONS, Hook, HookBook
from bcns_pipeline.sandbox.bigcommerce.hooks.interference import Interference
from bcns_pipeline.sandbox.bigcommerce.hooks.letters import Letter
from bcns_pipeline.sandbox.bigcommerce.hooks.sender import Sender
from bcns_pipeline.sandbox.bigcommerce.shop import Shop

WAITS = (60, 180, 300, 600, 900, 1800, 3600, 7200, 21_600, 50_400, 86_400)
COURIERS = 16
LOG_LENGTH = 200_000


@dataclass(slots=True)
class Delivery:
    """A letter on its way to a hook. `note` says what the sandbox's user did to it."""

    letter: Letter
    hook: Hook
    attempt: int = 1
    note: str = ""


class Courier:
    """Deliveries of one shop; everything runs on the event loop."""

    def __init__(self, shop: Shop, secret: str) -> None:
        self.shop = shop
        self.secret = secret
        self.book = HookBook(shop.now())
        self.blocklist = Blocklist(shop.settings)
        self.interference = Interference(self.start)
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.sent: deque[Letter] = deque(maxlen=10_000)
        self.pending = 0
        self._events = 0
        self._logged = 0
        self._queue: asyncio.Queue[Delivery] | None = None
        self._workers: list[asyncio.Task[None]] = []
        shop.listener = self.announce

    def forget(self) -> None:
        """Another merchant has no hooks; what is still on its way reaches nobody."""
        self.book = HookBook(self.shop.now())
        self.interference.forget()

    # -- events ----------------------------------------------------------------------------------------------

    def announce(self, scope: str, data: dict[str, Any], channel_id: int) -> None:
        """Something happened: send it to everybody who hears it."""
        if not self.book.listening():
            return
        now = self.shop.now()
        self.book.tidy(now)
        self._events += 1
        for hook, name in self.book.hearing(scope, channel_id):
            hook.heard = now
            letter = letters.write(self.shop.hash, self._events, name, data, int(now.timestamp()))
            self.sent.append(letter)
            self.interference.pass_on(Delivery(letter, hook))

    def start(self, delivery: Delivery, after: float = 0.0) -> None:
        """Put a delivery on its way, after so many seconds; a delivery noted as dropped only into the log."""
        if delivery.note == "dropped":
            self._note(delivery, None, "lost on the way", 0.0)
            return
        self.pending += 1
        loop = asyncio.get_running_loop()
        if self._queue is None:
            self._queue = asyncio.Queue()
            self._workers = [loop.create_task(self._work(self._queue)) for _ in range(COURIERS)]
        if after > 0:
            loop.call_later(after, self._queue.put_nowait, delivery)
        else:
            self._queue.put_nowait(delivery)

    # -- delivering ------------------------------------------------------------------------------------------

    async def _work(self, queue: asyncio.Queue[Delivery]) -> None:
        sender = Sender()
        while True:
            delivery = await queue.get()
            try:
                await self._attempt(sender, delivery)
            finally:
                self.pending -= 1

    async def _attempt(self, sender: Sender, delivery: Delivery) -> None:
        hook = delivery.hook
        if not hook.active or self.book.hooks.get(hook.id) is not hook:
            self._note(delivery, None, "the hook is off", 0.0)
            return
        domain = urlsplit(hook.destination).netloc
        if self.blocklist.blocked(domain):
            self._note(delivery, None, "the domain is blocked", 0.0)
            self._failed(delivery, "90003", "the domain is blocked")
            return
        headers = letters.sign(
            delivery.letter, self.secret, int(time.time()), self.shop.settings.webhook_signature
        )
        headers.update(hook.headers or {})
        error, status = await self.post(sender, delivery, headers)
        good = status is not None and 200 <= status < 300
        self.blocklist.count(domain, good=good, why=error or f"answered {status}")
        if not good:
            self._failed(delivery, "90001", error or f"answered {status}")

    async def post(
        self, sender: Sender, delivery: Delivery, headers: dict[str, str]
    ) -> tuple[str, int | None]:
        """Send once and log it; returns the error (empty: none) and the status."""
        error, status, began = "", None, time.perf_counter()
        seconds = self.shop.settings.hook_timeout_seconds
        try:
            status = await sender.post(delivery.hook.destination, headers, delivery.letter.body, seconds)
        except OSError as fault:
            error = str(fault)
        self._note(delivery, status, error, (time.perf_counter() - began) * 1000)
        return error, status

    def _failed(self, delivery: Delivery, code: str, reason: str) -> None:
        hook = delivery.hook
        if delivery.attempt > len(WAITS):
            if hook.active:
                self.book.give_up(hook, f"48 hours of failures, the last: {reason}")
            self._complain(hook, "90002", reason)
            return
        self._complain(hook, code, reason)
        wait = WAITS[delivery.attempt - 1] * self.shop.settings.retry_scale
        self.start(Delivery(delivery.letter, hook, delivery.attempt + 1, delivery.note), wait)

    def _complain(self, hook: Hook, code: str, reason: str) -> None:
        """Tell the hook for failures of others, if there is one elsewhere."""
        if hook.scope == EXCEPTIONS:
            return
        for other in self.book.hooks.values():
            if other.active and other.scope == EXCEPTIONS and other.destination != hook.destination:
                self._events += 1
                data = {"type": "webhook", "id": hook.id, "error_code": code, "message": reason}
                now = self.shop.now()
                letter = letters.write(self.shop.hash, self._events, EXCEPTIONS, data, int(now.timestamp()))
                self.start(Delivery(letter, other))

    def _note(self, delivery: Delivery, status: int | None, error: str, ms: float) -> None:
        self._logged += 1
        letter, hook = delivery.letter, delivery.hook
        self.log.append(
            {
                "seq": self._logged,
                "at": time.time(),
                "event": letter.event,
                "webhook_id": letter.id,
                "hook_id": hook.id,
                "destination": hook.destination,
                "scope": letter.scope,
                "data": letter.data,
                "attempt": delivery.attempt,
                "status": status,
                "error": error,
                "ms": round(ms, 2),
                "note": delivery.note,
            }
        )
