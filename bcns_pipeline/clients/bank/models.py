"""A bank statement's lines, whichever format the bank speaks.

Put the shape here that CAMT.053, MT940, BAI2 and CSV are read into. What a line pays is decided by the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class BankLine:
    """One booked movement. `amount` is in minor units of `currency`: > 0 came in, < 0 went out.

    `id` is the bank's own id of the entry where it gives one, else made of the line's content and its place among
    equal lines of that day, so that the same movement in two overlapping statements has one id. `booked_on` and
    `value_date` are the bank's dates. `references` are every id the bank passes on (end-to-end id, bank and customer
    reference, trace number). `returned`: money that came back, a reversal or a returned transfer.
    """

    id: str
    account: str
    currency: str
    amount: int
    booked_on: date
    value_date: date | None
    descriptor: str
    references: tuple[str, ...]
    returned: bool
    row_sha256: str
    bank_code: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One account's statement. Balances are minor units, None where the format has none; where both are there,
    opening + lines = closing was checked.
    """

    account: str
    currency: str
    reference: str
    lines: tuple[BankLine, ...]
    opening: int | None = None
    closing: int | None = None
    opened_on: date | None = None
    closed_on: date | None = None
