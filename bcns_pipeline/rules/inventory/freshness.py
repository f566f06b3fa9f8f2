"""How long a SKU may be out of step before it is told by itself: an objective for each class of SKUs.

Put here which class a SKU is of and whether it is late. Do not read clocks or tables here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

REST = "all others"


@dataclass(frozen=True, slots=True)
class Objective:
    """A class of SKUs (shell patterns, in any case of letters), and for how many minutes each may be out of step."""

    name: str
    skus: tuple[str, ...]
    minutes: float

    def covers(self, sku: str) -> bool:
        """Whether the SKU is of this class."""
        return any(fnmatchcase(sku.casefold(), pattern.casefold()) for pattern in self.skus)


@dataclass(frozen=True, slots=True)
class Pending:
    """A SKU that is out of step, since so many minutes, and the objective that counts for it."""

    sku: str
    minutes: float
    objective: Objective

    @property
    def late(self) -> bool:
        """Whether it is out of step for longer than its class allows."""
        return self.minutes > self.objective.minutes


def held_to(
    waiting: Iterable[tuple[str, float]], objectives: Sequence[Objective], rest: float
) -> list[Pending]:
    """Each (SKU, minutes out of step) with the first class that covers it; `rest` minutes for what none does."""
    others = Objective(REST, ("*",), rest)
    classes = (*objectives, others)
    return [
        Pending(sku, minutes, next(one for one in classes if one.covers(sku))) for sku, minutes in waiting
    ]
