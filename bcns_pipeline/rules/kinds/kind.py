"""What one exception code is: its words, its owner, and whether it closes by itself.

Put the shape here. Do not put codes here: each flow's are in a module of their own beside this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, Literal

Severity = Literal["error", "warning"]
_HOURS: Final[dict[Severity, int]] = {"error": 8, "warning": 72}


class Owner(StrEnum):
    """Who is asked first. The mapping file's alerts may send each of them elsewhere."""

    MERCHANDISING = "merchandising"  # items, SKUs, the two catalogues
    OPERATIONS = "operations"  # stock, locations, warehouses, parcels
    INTEGRATION = "integration"  # accounts, permissions, the pipeline itself
    FINANCE = "finance"  # totals, tax, money taken, closed periods
    SERVICE = "service"  # shoppers and their orders


@dataclass(frozen=True, slots=True)
class Kind:
    """One code. `heals` says that it closes by itself once its cause is gone; else a person closes it.

    `hours`: within so many somebody should have answered; None = what its severity asks for. `dismissed`: what it means
    to dismiss it, where that is more than to be asked again by the next run that still finds it.
    """

    code: str
    severity: Severity
    owner: Owner
    cause: str
    fix: str
    heals: bool = True
    hours: int | None = None
    dismissed: str = ""

    @property
    def answer_within(self) -> timedelta:
        """How long it may be open: a working day for an error, three days for a warning, unless it says otherwise."""
        return timedelta(hours=_HOURS[self.severity] if self.hours is None else self.hours)
