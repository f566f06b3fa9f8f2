"""A journal entry as it is planned: its lines, and which lines of the payout each of them stands for.

Put the shape here. Do not put how an entry is made here (`journal.py` and its neighbours) nor NetSuite's field
names (`body.py`). Amounts are minor units of the entry's one currency; debit and credit are never negative, and
one of them is 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from bcns_pipeline.rules.payouts.accounts import Role
from bcns_pipeline.rules.payouts.model import LineClass


class Part(StrEnum):
    """Which side of a payout's line a leg is."""

    BANK = "bank"
    GROSS = "gross"
    FEE = "fee"
    FEE_TAX = "fee_tax"
    FX = "fx"
    TRANSFER = "transfer"
    REMAINDER = "remainder"
    # Summary mode: what the order was made of.
    REVENUE = "revenue"
    SHIPPING = "shipping"
    TAX = "tax"
    STORED_VALUE = "stored_value"


class EntryKind(StrEnum):
    """Why an entry is made."""

    PAYOUT = "payout"
    FAILED = "failed"
    REVERSAL = "reversal"
    DISPUTE_LOST = "dispute_lost"
    # Won after its loss was booked: as much of the loss is taken back.
    DISPUTE_WON = "dispute_won"
    FX_RESIDUAL = "fx_residual"
    # What takes a companion back; the payout's own reversal is another entry.
    FX_REVERSAL = "fx_reversal"
    ACCRUAL = "accrual"
    OPENING = "opening"


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of an entry, the sum of one part of one class in one direction.

    `members` are the payout's lines that it sums, and `members_sha256` covers their ids, row hashes and amounts, so
    that the line can be proven without them.
    """

    account: int
    role: Role
    part: Part
    cls: LineClass | None
    debit: int
    credit: int
    memo: str
    members: tuple[str, ...] = ()
    members_sha256: str = ""

    @property
    def signed(self) -> int:
        """Debit positive, credit negative."""
        return self.debit - self.credit

    @property
    def count(self) -> int:
        """Of members."""
        return len(self.members)


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal entry. `day` is the posting day, `economic_day` the day on which it happened.

    `exchange_rate` None: NetSuite's own of the day. `reverse_on`: NetSuite reverses it on that day by itself.
    """

    key: str
    kind: EntryKind
    provider: str
    account: str
    subject: str
    currency: str
    day: date
    economic_day: date
    memo: str
    lines: tuple[JournalLine, ...]
    subsidiary: int | None = None
    exchange_rate: Decimal | None = None
    reverse_on: date | None = None
    sources: tuple[str, ...] = ()

    @property
    def debits(self) -> int:
        """The sum of its debits, which is the sum of its credits."""
        return sum(line.debit for line in self.lines)

    @property
    def balanced(self) -> bool:
        """Whether it may exist at all."""
        return sum(line.signed for line in self.lines) == 0

    @property
    def bank(self) -> int:
        """What it says of the bank, signed; 0 without such a line."""
        return sum(line.signed for line in self.lines if line.part is Part.BANK)


def line_of(
    account: int,
    role: Role,
    part: Part,
    cls: LineClass | None,
    amount: int,
    memo: str,
    members: Iterable[tuple[str, str, int]] = (),
) -> JournalLine:
    """A line of a signed amount; members are (id, row hash, amount), in any order."""
    ordered = sorted(members)
    digest = hashlib.sha256()
    for identity, row, share in ordered:
        digest.update(f"{identity}\x1f{row}\x1f{share}\n".encode())
    return JournalLine(
        account=account,
        role=role,
        part=part,
        cls=cls,
        debit=max(amount, 0),
        credit=max(-amount, 0),
        memo=memo,
        members=tuple(identity for identity, _, _ in ordered),
        members_sha256=digest.hexdigest() if ordered else "",
    )


def reversed_lines(lines: Iterable[JournalLine]) -> tuple[JournalLine, ...]:
    """The same lines with debit and credit changed over."""
    return tuple(
        JournalLine(
            line.account,
            line.role,
            line.part,
            line.cls,
            line.credit,
            line.debit,
            line.memo,
            line.members,
            line.members_sha256,
        )
        for line in lines
    )
