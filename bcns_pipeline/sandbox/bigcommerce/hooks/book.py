"""Webhooks that the account has set up: who wants to hear of what.

Put the records and which events they hear here. Do not put HTTP or delivery here. Sources:
facts/bigcommerce.md 6.1 and 6.4. A hook is inactive when somebody switched it off, and deactivated when the
shop gave up on it: after the last failed delivery, or after 90 days without an event.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

IDLE = timedelta(days=90)
A_SCOPE = 10
EXCEPTIONS = "store/hook/deliveryException"
_RESOURCES = {
    "order": "created updated archived statusUpdated message/created refund/created transaction/created "
    "transaction/updated metafield/created metafield/updated metafield/deleted *",
    "customer": "created updated deleted address/created address/updated address/deleted "
    "payment/instrument/default/updated *",
    "shipment": "created updated deleted *",
    "product": "created updated deleted inventory/updated inventory/order/updated *",
    "sku": "created updated deleted inventory/updated inventory/order/updated *",
    "category": "created updated deleted *",
    "cart": "created updated deleted couponApplied abandoned converted lineItem/created lineItem/updated "
    "lineItem/deleted lineItem/* *",
    "subscriber": "created updated deleted *",
    "inventory/location": "created updated *",
    "priceList": "created updated deleted activated deactivated record/created record/updated record/deleted "
    "records/created records/updated records/deleted assignment/updated assignment/deleted *",
    "channel": "created updated *",
    "app": "uninstalled",
    "information": "updated",
}
SCOPES = frozenset(f"store/{name}/{what}" for name, text in _RESOURCES.items() for what in text.split()) | {
    EXCEPTIONS
}
_CHANNEL = re.compile(r"store/channel/(?:\d+|\*)/(.+)")
_CHANNEL_INVENTORY = re.compile(
    r"inventory/product/(?:stock_changed|low_stock_reached|out_of_stock_reached|settings_changed)"
)


@dataclass(slots=True)
class Hook:
    """One subscription. `status`: active, inactive or deactivated."""

    id: int
    scope: str
    destination: str
    headers: dict[str, str] | None
    status: str
    created: datetime
    updated: datetime
    heard: datetime

    @property
    def active(self) -> bool:
        """Whether events are sent."""
        return self.status == "active"

    def hears(self, name: str) -> bool:
        """Whether an event of this full name is one of its own."""
        if self.scope.endswith("/*"):
            return name.startswith(self.scope[:-1])
        return name == self.scope


class HookBook:
    """All subscriptions of the one API account."""

    def __init__(self, created: datetime) -> None:
        # What an earlier installation left behind, switched off.
        left = Hook(
            20_001,
            "store/cart/converted",
            "https://example.com/left-behind",
            None,
            "inactive",
            created,
            created,
            created,
        )
        self.hooks: dict[int, Hook] = {left.id: left}
        self._last = left.id
        self.emails: list[str] = []
        self.mails: list[str] = []

    def add(
        self, scope: str, destination: str, headers: dict[str, str] | None, *, active: bool, now: datetime
    ) -> Hook:
        """A new subscription."""
        self._last += 1
        status = "active" if active else "inactive"
        hook = Hook(self._last, scope, destination, headers, status, now, now, now)
        self.hooks[hook.id] = hook
        return hook

    def listening(self) -> bool:
        """Whether anybody hears anything."""
        return any(hook.active for hook in self.hooks.values())

    def hearing(self, scope: str, channel_id: int) -> list[tuple[Hook, str]]:
        """Active hooks that hear an event, each with the name under which it does."""
        names = (f"store/{scope}", f"store/channel/{channel_id}/{scope}")
        return [
            (hook, name) for hook in self.hooks.values() if hook.active for name in names if hook.hears(name)
        ]

    def give_up(self, hook: Hook, reason: str) -> None:
        """The shop switches a hook off and writes to the account's owner."""
        hook.status = "deactivated"
        self.mails.append(f"Webhook {hook.id} ({hook.scope}) was deactivated: {reason}.")

    def tidy(self, now: datetime) -> None:
        """Switch off what has heard nothing for 90 days."""
        for hook in self.hooks.values():
            if hook.active and now - hook.heard > IDLE:
                self.give_up(hook, "90 days of inactivity")


def known(scope: str) -> bool:
    """Whether there are events of this scope."""
    if scope in SCOPES:
        return True
    match = _CHANNEL.fullmatch(scope)
    return match is not None and (
        f"store/{match[1]}" in SCOPES or _CHANNEL_INVENTORY.fullmatch(match[1]) is not None
    )
