"""What a bank keeps: accounts, and the entries booked to them.

Put records here. Do not put how they come about (book.py) nor formats here. Amounts are whole ISO 4217 minor units;
positive came in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Account:
    """An account of one currency: its number (an IBAN in Europe) and what lay on it before the first entry."""

    number: str
    currency: str
    opening: int
    iban: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One booked movement. `reference` is what the payer gave, `returned` marks money that goes back again."""

    number: int
    amount: int
    currency: str
    booked: date
    value: date
    text: str
    payer: str
    reference: str
    returned: bool = False
    payout: str = ""

    @property
    def id(self) -> str:
        """The bank's own number of it."""
        return f"{self.booked:%y%m%d}{self.number:06d}"


@dataclass(frozen=True, slots=True)
class Statement:
    """The entries of one account over some days, with the balances before and after; `number` counts them."""

    account: Account
    number: int
    since: date
    until: date
    opening: int
    entries: Sequence[Entry]

    @property
    def closing(self) -> int:
        """The balance after the last entry."""
        return self.opening + sum(one.amount for one in self.entries)
