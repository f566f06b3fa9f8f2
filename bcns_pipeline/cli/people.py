"""Shoppers and warehouse staff of the sandbox, for `bcns dev`: seeded, gentle, and never in a hurry.

Put here what people do and how often. Do not put here how the two systems react (sandbox/events.py). An order
is placed in the shop and told to NetSuite a little later, as an order sync would, so that the difference
between the two can be watched; now and then somebody types a number into the shop that is nobody's business.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bcns_pipeline.sandbox.launch import Control, SandboxFailed

# Between two things that somebody does, in seconds.
PAUSE = (2.0, 7.0)
TOLD_AFTER = (20.0, 70.0)
# Shoppers want few things much, and everything else a little.
FAVOURITES = 60
SHARES = {"order": 60, "receipt": 18, "count": 18, "hand_edit": 3}


@dataclass(slots=True)
class People:
    """Everybody. `say` gets one line per thing done; `routes` are the sandbox's locations, one to one."""

    control: Control
    routes: Sequence[Mapping[str, int]]
    seed: int
    say: Callable[[str], None]
    dice: random.Random = field(init=False)
    skus: list[str] = field(init=False)
    waiting: list[tuple[float, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - shoppers, not secrets
        self.skus = stocked_skus(self.control.books())
        self.dice.shuffle(self.skus)

    def live(self, stop: threading.Event) -> None:
        """Do one thing after the other until `stop`; the sandbox going first is no fault of ours."""
        while not stop.wait(self.dice.uniform(*PAUSE)):
            try:
                self.tell_netsuite(time.monotonic())
                self.act(time.monotonic())
            except OSError:
                if not stop.is_set():
                    raise

    def tell_netsuite(self, now: float) -> None:
        """Orders whose time has come reach NetSuite, which commits their stock."""
        for due in [one for one in self.waiting if one[0] <= now]:
            self.waiting.remove(due)
            self.control.post_order(order_id=due[1])
            self.say(f"order {due[1]} ({due[2]}) reaches NetSuite")

    def act(self, now: float) -> None:
        """One thing, drawn by the shares."""
        what = self.dice.choices(list(SHARES), weights=list(SHARES.values()))[0]
        place = self.dice.choice(self.routes)
        match what:
            case "order":
                self._order(now, place)
            case "receipt":
                self._move(place, "receives", lambda: self.dice.randint(5, 40))
            case "count":
                self._move(place, "counts", lambda: self.dice.choice((-4, -3, -2, -1, 1, 2)))
            case "hand_edit":
                self._edit(place)

    def _order(self, now: float, place: Mapping[str, int]) -> None:
        often = self.dice.random() < 0.5
        sku, quantity = (
            self.dice.choice(self.skus[:FAVOURITES] if often else self.skus),
            self.dice.randint(1, 3),
        )
        try:
            order = self.control.order(sku=sku, quantity=quantity, location_id=place["bigcommerce"])
        except SandboxFailed:
            self.say(f"a shopper would have liked {quantity} of {sku}: sold out")
            return
        told = f"{quantity} of {sku}"
        self.waiting.append((now + self.dice.uniform(*TOLD_AFTER), order["id"], told))
        self.say(f"order {order['id']} in the shop: {told}")

    def _move(self, place: Mapping[str, int], verb: str, amount: Callable[[], int]) -> None:
        chosen = self.dice.sample(self.skus, self.dice.randint(1, 4))
        changes = [{"sku": sku, "location": place["netsuite"], "delta": amount()} for sku in chosen]
        self.control.adjust(changes)
        told = ", ".join(f"{change['sku']} {change['delta']:+d}" for change in changes)
        self.say(f"warehouse {place['netsuite']} {verb} {told}")

    def _edit(self, place: Mapping[str, int]) -> None:
        sku, location = self.dice.choice(self.skus), place["bigcommerce"]
        has = int(self.control.inventory(sku)[0]["on_hand"][str(location)])
        self.control.edit(sku=sku, location_id=location, quantity=has + 20)
        self.say(f"somebody sets {sku} to {has + 20:,} by hand in the shop (it had {has:,})")


def stocked_skus(books: Mapping[str, Any]) -> list[str]:
    """Item numbers of plain items that are there under one number, kept in stock, and sold."""
    stocked = {level["item"] for level in books["levels"]}
    return [
        item["sku"]
        for item in books["items"]
        if item["item"] in stocked and item["sku"].startswith("SKU-") and not item["inactive"]
    ]
