"""Lines of return authorisations and item receipts as NetSuite shows them.

Put the shape here that the reads of returns hand out; flows import it from `models.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """One line of a return or a receipt; `quantity` in units, positive. A kit is one line, without its members.

    `made_from` is what the transaction was made of, `source_from` what that was made of in turn. `closed`: what is open
    of it will not come.
    """

    id: int
    number: str
    day: date
    made_from: int | None
    source_from: int | None
    line: int
    sku: str
    quantity: Decimal
    closed: bool
