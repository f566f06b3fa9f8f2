"""What the doubles cost themselves: processor and service time per operation.

Put measurement of the sandbox's own work here. Do not put anything here that a client could see. A bench
takes the unloaded service time from here, so set latency is never part of it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class Cost:
    """Sums over the calls of one operation, in seconds; `least` and `last` are of the service time."""

    count: int = 0
    cpu: float = 0.0
    wall: float = 0.0
    least: float = 0.0
    last: float = 0.0


class CostBook:
    """Costs by operation. Only the event loop writes, so there is no lock."""

    def __init__(self) -> None:
        self._costs: dict[str, Cost] = {}
        self._process_start = time.process_time()

    def add(self, operation: str, cpu: float, wall: float) -> None:
        """Count one call: `cpu` seconds of this process, `wall` seconds from request read to answer ready."""
        cost = self._costs.setdefault(operation, Cost())
        cost.least = wall if cost.count == 0 else min(cost.least, wall)
        cost.count += 1
        cost.cpu += cpu
        cost.wall += wall
        cost.last = wall

    def clear(self) -> None:
        """Start anew."""
        self._costs.clear()
        self._process_start = time.process_time()

    def report(self) -> Mapping[str, object]:
        """All sums, and what the whole process used since the last `clear`."""
        return {
            "process_seconds": time.process_time() - self._process_start,
            "operations": {
                name: {
                    "count": cost.count,
                    "total": cost.cpu,
                    "service_total": cost.wall,
                    "service_least": cost.least,
                    "service_last": cost.last,
                }
                for name, cost in sorted(self._costs.items())
            },
        }
