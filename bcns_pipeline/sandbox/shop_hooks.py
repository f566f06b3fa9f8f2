"""What a tester does to webhooks: interfere with events, repeat them, forge them, switch hooks off.

Put the reading of a `hook_events` body here. Do not put the shop's own delivery here (bigcommerce/hooks).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.hooks import letters
from bcns_pipeline.sandbox.bigcommerce.hooks.book import Hook
from bcns_pipeline.sandbox.bigcommerce.hooks.courier import Courier, Delivery
from bcns_pipeline.sandbox.bigcommerce.hooks.interference import ACTIONS
from bcns_pipeline.sandbox.bigcommerce.hooks.sender import Sender

SIGNATURES = ("good", "wrong", "stale", "none")
STALE_SECONDS = 3600
FORGED_EVENT = 0


class HookHand:
    """The hand that disturbs events."""

    def __init__(self, courier: Courier) -> None:
        self.courier = courier
        self._tasks: set[asyncio.Task[None]] = set()

    def do(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out one `hook_events` body; see launch's `hook_events`."""
        action = str(raw["action"])
        if action in ACTIONS:
            self.courier.interference.add(raw)
        elif action == "clear":
            self.courier.interference.clear()
        elif action == "repeat":
            self._repeat(int(raw.get("copies", 1)), raw.get("event"))
        elif action == "emit":
            self.courier.announce(
                str(raw["scope"]).removeprefix("store/"), dict(raw["data"]), int(raw.get("channel_id", 1))
            )
        elif action == "forge":
            self._forge(raw)
        elif action in ("deactivate", "inactive", "activate"):
            self._switch(action, raw.get("hook_id"))
        else:
            more = "clear, repeat, emit, forge, deactivate, inactive, activate"
            raise ValueError(f"There is no action {action!r}; there are {', '.join(ACTIONS)}, {more}.")
        return {"pending": self.courier.pending}

    def _hooks(self, hook_id: Any) -> list[Hook]:
        hooks = self.courier.book.hooks
        if hook_id is None:
            return [hook for hook in hooks.values() if hook.id != min(hooks)]
        if int(hook_id) not in hooks:
            raise ValueError(f"There is no hook {hook_id}.")
        return [hooks[int(hook_id)]]

    def _switch(self, action: str, hook_id: Any) -> None:
        for hook in self._hooks(hook_id):
            if action == "deactivate":
                self.courier.book.give_up(hook, "a tester's wish")
            else:
                hook.status = "active" if action == "activate" else "inactive"
                hook.heard = self.courier.shop.now()

    def _repeat(self, copies: int, event: Any) -> None:
        """Send copies of an event that was sent before, the last one unless its number is given."""
        wanted = [one for one in self.courier.sent if event in (None, one.event)]
        if not wanted:
            raise ValueError("No such event was sent.")
        letter = wanted[-1]
        hooks = [
            hook for hook in self.courier.book.hooks.values() if hook.active and hook.hears(letter.scope)
        ]
        for _ in range(copies):
            for hook in hooks:
                self.courier.start(Delivery(letter, hook, note="duplicate"))

    def _forge(self, raw: Mapping[str, Any]) -> None:
        """Post what looks like an event to a hook's address, `count` times; nobody tries again."""
        courier, style = self.courier, str(raw.get("signature", "wrong"))
        if style not in SIGNATURES:
            raise ValueError(f"A forged signature is one of {', '.join(SIGNATURES)}.")
        hooks = self._hooks(raw.get("hook_id"))
        if not hooks:
            raise ValueError("There is no hook to send a forged event to.")
        hook = hooks[0]
        scope, data = str(raw.get("scope", hook.scope)), dict(raw.get("data", {"type": "order", "id": 1}))
        letter = letters.write(courier.shop.hash, FORGED_EVENT, scope, data, int(time.time()))
        moment = int(time.time()) - (STALE_SECONDS if style == "stale" else 0)
        secret = "not the secret" if style == "wrong" else courier.secret
        usual = courier.shop.settings.webhook_signature
        headers = letters.sign(letter, secret, moment, "none" if style == "none" else usual)
        given = str(raw.get("headers", "none"))
        for name, value in (hook.headers or {}).items():
            if given == "right":
                headers[name] = value
            elif given == "wrong":
                headers[name] = value[::-1] + "x"
        task = asyncio.get_running_loop().create_task(
            self._post(Delivery(letter, hook, note="forged"), headers, int(raw.get("count", 1)))
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post(self, delivery: Delivery, headers: dict[str, str], count: int) -> None:
        sender = Sender()
        for _ in range(count):
            await self.courier.post(sender, delivery, headers)

    def deliveries(self, since: int) -> dict[str, Any]:
        """What was sent, and what the shop wrote to the account's owner."""
        courier = self.courier
        return {
            "deliveries": [row for row in courier.log if row["seq"] > since],
            "pending": courier.pending,
            "mails": list(courier.book.mails),
        }
