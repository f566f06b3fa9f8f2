"""Gift certificates of one shop: what each was worth, and what is left on it.

Put the book here. Do not put payments and refunds here: they say by how much a balance moves. Whoever knows a code may
spend it. Source: facts/bigcommerce.md 3.8 and facts/finance.md 2.10.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.money import ZERO, number

ACTIVE = "active"
STATUSES = frozenset({ACTIVE, "pending", "disabled", "expired"})


@dataclass(slots=True)
class Certificate:
    """One certificate. `original` is what it was worth when it was made."""

    code: str
    original: Decimal
    balance: Decimal
    status: str = ACTIVE

    def moved(self, by: Decimal) -> dict[str, Any]:
        """Add so much (less than 0 where it is used), and say of it what a transaction says."""
        starting = self.balance
        self.balance += by
        return {
            "code": self.code,
            "original_balance": number(self.original),
            "starting_balance": number(starting),
            "remaining_balance": number(self.balance),
            "status": self.status,
        }


class CertificateBook:
    """All certificates by code."""

    def __init__(self) -> None:
        self.by_code: dict[str, Certificate] = {}

    def issue(self, store_hash: str, certificate_id: int, worth: Decimal) -> Certificate:
        """A new one; the same shop's n-th always has the same code."""
        digest = hashlib.sha256(f"{store_hash}/certificate/{certificate_id}".encode()).hexdigest().upper()
        code = "-".join(digest[place : place + 3] for place in range(0, 12, 3))
        return self.by_code.setdefault(code, Certificate(code, worth, worth))

    def get(self, code: str) -> Certificate:
        """`ValueError` where there is none."""
        found = self.by_code.get(code)
        if found is None:
            raise ValueError("There is no gift certificate with this code.")
        return found

    def usable(self, code: str, used: Decimal) -> Certificate:
        """One that can pay so much. `ValueError`."""
        found = self.get(code)
        if found.status != ACTIVE or found.balance < used or used <= ZERO:
            raise ValueError(f"The gift certificate is {found.status} with {found.balance} left, not {used}.")
        return found
