"""The demo's chapter on webhooks: an event, its copies, and forged ones, through the real receiver.

Put here what reaches the receiver and what was promised of it. Do not put the receiver's process here
(receiving.py).
"""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bcns_pipeline.cli import receiving
from bcns_pipeline.cli.console import show_table
from bcns_pipeline.cli.demo_books import Books, unequal
from bcns_pipeline.cli.demo_stage import Stage
from bcns_pipeline.settings import load_settings

SCOPES = ("store/order/created", "store/order/updated")
COPIES = 200
FORGED = 5
WAIT_SECONDS = 30.0


@dataclass(slots=True)
class Hooks:
    """The chapter."""

    stage: Stage

    def tell(self) -> None:
        """An order, told of once, then many times, then by somebody who has no right to."""
        self.stage.title(
            f"Webhooks: an order is told of, {COPIES} copies come after it, and {FORGED} forged calls"
        )
        control, settings, port = self.stage.control, load_settings(), receiving.free_port()
        with receiving.receiver(Path.cwd(), os.environ, port) as address:
            hooks = receiving.make_hooks(settings, address, SCOPES)
            since = (
                int(control.deliveries()["deliveries"][-1]["seq"])
                if control.deliveries()["deliveries"]
                else 0
            )
            order = int(control.shop_order("guest", restock=True)["id"])
            self._delivered(since, 1)
            control.hook_events("repeat", copies=COPIES)
            control.hook_events("forge", count=FORGED, signature="wrong", headers="wrong")
            rows = self._delivered(since, 1 + COPIES + FORGED)
            receiving.remove_hooks(settings, hooks)
        answers = Counter((row["note"] or "genuine", row["scope"], row["status"]) for row in rows)
        show_table(
            ["what came", "scope", "answered", "how often"], [(*key, n) for key, n in sorted(answers.items())]
        )
        forged = {row["status"] for row in rows if row["note"] == "forged"}
        taken = {row["status"] for row in rows if row["note"] != "forged"}
        slowest = max(row["ms"] for row in rows)
        self.stage.promise(
            f"every genuine call was taken, the slowest in {slowest:.0f} ms", taken == {200}, str(taken)
        )
        self.stage.promise("every forged one was turned away", forged == {401}, str(forged))
        self.stage.run("order_sync")
        pair = Books(self.stage.sandbox).pair(order)
        self.stage.promise(
            f"1 + {COPIES} calls had one effect: order {order} is in NetSuite once",
            pair.equal,
            unequal([pair]),
        )

    def _delivered(self, since: int, wanted: int) -> list[dict[str, Any]]:
        """What was sent since then, once `wanted` deliveries are through and none is under way."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            told = self.stage.control.deliveries(since)
            rows = list(told["deliveries"])
            if (len(rows) >= wanted and not told["pending"]) or time.monotonic() > deadline:
                return rows
            time.sleep(0.02)
