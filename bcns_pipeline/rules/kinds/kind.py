"""What one exception code is: its words, its owner, and whether it closes by itself.

Put the shape here. Do not put codes here: each flow's are in a module of their own beside this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Severity = Literal["error", "warning"]


class Owner(StrEnum):
    """Who is asked first. The mapping file's alerts may send each of them elsewhere."""

    MERCHANDISING = "merchandising"  # items, SKUs, the two catalogues
    OPERATIONS = "operations"  # stock, locations, warehouses, parcels
    INTEGRATION = "integration"  # accounts, permissions, the pipeline itself
    FINANCE = "finance"  # totals, tax, money taken, closed periods
    SERVICE = "service"  # shoppers and their orders


@dataclass(frozen=True, slots=True)
class Kind:
    """One code. `heals` says that it closes by itself once its cause is gone; else a person closes it."""

    code: str
    severity: Severity
    owner: Owner
    cause: str
    fix: str
    heals: bool = True
