"""What the outside world does to events on their way: they double, swap places, dawdle, get lost.

Put it here, for tests and demonstrations. Do not put the shop's own rules of delivery here (courier.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bcns_pipeline.sandbox.bigcommerce.hooks.courier import Delivery

ACTIONS = ("duplicate", "delay", "drop", "reorder")


@dataclass(slots=True)
class Plan:
    """What happens to the next `left` deliveries of a scope (empty: of any)."""

    action: str
    left: int
    scope: str
    copies: int
    seconds: float
    held: list[Delivery] = field(default_factory=list)


class Interference:
    """Plans, first come first served; without any, deliveries pass as they are."""

    def __init__(self, start: Callable[..., None]) -> None:
        self._start = start
        self._plans: list[Plan] = []

    def add(self, raw: Mapping[str, Any]) -> None:
        """A plan: action, count (of deliveries), scope, copies (duplicate), seconds (delay)."""
        action = str(raw["action"])
        if action not in ACTIONS:
            raise ValueError(f"There is no action {action!r}; there are {', '.join(ACTIONS)}.")
        self._plans.append(
            Plan(
                action,
                int(raw.get("count", 1)),
                str(raw.get("scope", "")),
                int(raw.get("copies", 1)),
                float(raw.get("seconds", 1.0)),
            )
        )

    def forget(self) -> None:
        """No more plans, and what was held back is gone with them."""
        self._plans = []

    def clear(self) -> None:
        """No more plans; what was held back goes out."""
        plans, self._plans = self._plans, []
        for plan in plans:
            for delivery in plan.held:
                self._start(delivery)

    def pass_on(self, delivery: Delivery) -> None:
        """Let a delivery go, or do to it what is planned."""
        plan = next((one for one in self._plans if one.scope in ("", delivery.letter.scope)), None)
        if plan is None:
            self._start(delivery)
            return
        plan.left -= 1
        if plan.left <= 0:
            self._plans.remove(plan)
        if plan.action == "drop":
            self._start(replace(delivery, note="dropped"))
        elif plan.action == "delay":
            self._start(replace(delivery, note="delayed"), plan.seconds)
        elif plan.action == "duplicate":
            self._start(delivery)
            for _ in range(plan.copies):
                self._start(replace(delivery, note="duplicate"))
        else:
            plan.held.append(replace(delivery, note="reordered"))
            if plan.left <= 0:
                for one in reversed(plan.held):
                    self._start(one)
