"""Journals, accounts, periods and carrying values as NetSuite shows them.

Put the shapes here that the ledger's reads hand out; flows import them from `models.py`. Amounts are Decimals in
major units, as NetSuite writes them: what a unit is worth is decided by whoever knows the currency.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Touched:
    """Who made a record and who changed it last: internal ids of people, never names; and when, by NetSuite's clock.

    None and "" where NetSuite does not say it, or not to our role.
    """

    created_by: int | None = None
    created_at: str = ""
    modified_by: int | None = None
    modified_at: str = ""

    @property
    def known(self) -> dict[str, int | str]:
        """By name, without what is not known."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of a journal. `amount` > 0 is a debit, in the journal's currency; `base` in the subsidiary's.

    `base` is None where the account keeps no posting line yet. `line` is NetSuite's own number of the line.
    """

    journal: int
    line: int
    sequence: int
    account: int
    amount: Decimal
    base: Decimal | None = None
    memo: str = ""
    entity: int | None = None


@dataclass(frozen=True, slots=True)
class JournalRow:
    """The header of a journal entry. `status` is NetSuite's letter; `posting`: it counts in the ledger.

    A journal that nobody has approved yet does not post.
    """

    id: int
    external_id: str
    tran_id: str
    status: str
    posting: bool
    tran_date: date | None
    subsidiary: int | None
    currency: int | None
    exchange_rate: Decimal | None
    memo: str
    touched: Touched = Touched()
    lines: tuple[JournalLine, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account of the ledger. `currency` is None for one that takes every currency."""

    id: int
    number: str
    name: str
    type: str
    currency: int | None
    inactive: bool


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """A posting period of a month. `closed`: nobody posts; `locked`: only who may override, which we may not."""

    id: int
    name: str
    start: date
    end: date
    closed: bool
    locked: bool


@dataclass(frozen=True, slots=True)
class CarryingRow:
    """What NetSuite carries for one record on one account: > 0 is a debit, in the subsidiary's currency.

    `foreign` is the same in the record's own currency.
    """

    transaction: int
    account: int
    base: Decimal
    foreign: Decimal


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """What stands on an account in transactions of one type and currency: > 0 is a debit, in the subsidiary's currency.

    `foreign` is the same in the transactions' own currency. Without `posting` it waits for approval, and is in no
    ledger yet. `back_base` and `back_foreign` are what records of our refunds did of it.
    """

    account: int
    currency: int | None
    subsidiary: int | None
    posting: bool
    base: Decimal
    foreign: Decimal
    lines: int
    type: str = ""
    back_base: Decimal = Decimal(0)
    back_foreign: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class RecordRow:
    """What one transaction does to an account; amounts as in `BalanceRow`."""

    account: int
    currency: int | None
    subsidiary: int | None
    posting: bool
    base: Decimal
    foreign: Decimal
    id: int
    number: str
    type: str
    day: date
    touched: Touched = Touched()
