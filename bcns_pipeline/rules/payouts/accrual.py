"""Fees of charges that no payout has settled at the end of a month: whose month they belong to.

Put the accrual here. Do not put the payouts' own fees here (`journal.py`). The provider took the fee on the day of the
charge, so the accrual is exact and never an estimate; NetSuite reverses it on the next day (facts/finance.md 2.8).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import settlement_key
from bcns_pipeline.rules.payouts.accounts import ProviderAccounts, Role
from bcns_pipeline.rules.payouts.entry import Entry, EntryKind, Part, line_of
from bcns_pipeline.rules.payouts.model import SETTLES, LineClass, PayoutLine
from bcns_pipeline.rules.payouts.policy import PayoutPolicy

_FEES: Final = frozenset(
    {LineClass.FEE_STANDALONE, LineClass.FEE_SELLING, LineClass.FEE_FULFILMENT, LineClass.FEE_DISPUTE}
)


def fee_of(line: PayoutLine) -> int:
    """What a line costs, without tax on it: fees that stand alone carry their amount in gross."""
    return line.fee - line.fee_tax + line.fee_later - (line.gross if line.cls in _FEES else 0)


@dataclass(frozen=True, slots=True)
class Accrual:
    """What is to be shown for one currency; `entry` only where it is to be posted."""

    currency: str
    fees: int
    members: tuple[str, ...]
    material: bool
    entry: Entry | None = None


def open_at(lines: Iterable[PayoutLine], settled: frozenset[str], end: datetime) -> list[PayoutLine]:
    """Charges, refunds and fees of before `end` (the first moment of the next month, aware) that no payout
    of before it has settled.
    """
    return [
        line
        for line in lines
        if (line.cls in SETTLES or line.cls in _FEES)
        and line.occurred_at is not None
        and line.occurred_at < end
        and line.id not in settled
    ]


def accrue(
    open_lines: Sequence[PayoutLine],
    accounts: ProviderAccounts,
    policy: PayoutPolicy,
    last_day: date,
    month_fees: dict[str, int],
) -> list[Accrual]:
    """The accruals of one merchant account, by currency. `month_fees`: what payouts of the month took, by currency.

    `open_lines` are those of `open_at`, and lines of the month's payouts whose fees are billed later. Below
    `accrual_percent` of the month's fees an accrual is shown and never posted.
    """
    found = []
    for currency in sorted({line.currency for line in open_lines}):
        lines = [line for line in open_lines if line.currency == currency and fee_of(line)]
        fees = sum(fee_of(line) for line in lines)
        if not fees:
            continue
        of_month = abs(month_fees.get(currency, 0))
        material = abs(fees) * 100 > of_month * policy.accrual_percent
        entry = _entry(lines, fees, accounts, last_day) if policy.accrues and material else None
        found.append(Accrual(currency, fees, tuple(sorted(line.id for line in lines)), material, entry))
    return found


def _entry(
    lines: Sequence[PayoutLine], fees: int, accounts: ProviderAccounts, last_day: date
) -> Entry | None:
    currency = lines[0].currency
    expense = accounts.at(Role.FEES, currency, last_day)
    accrued = accounts.at(Role.ACCRUED_FEES, currency, last_day)
    if expense is None or accrued is None:
        return None
    memo = f"fees of {len(lines)} lines not taken by {last_day}, {Money(fees, currency)}"
    members = [(line.id, line.raw_sha256, fee_of(line)) for line in lines]
    month = f"{last_day:%Y-%m}-{currency}"
    return Entry(
        key=settlement_key(accounts.provider, accounts.account, "accrual", month),
        kind=EntryKind.ACCRUAL,
        provider=accounts.provider,
        account=accounts.account,
        subject=month,
        currency=currency,
        day=last_day,
        economic_day=last_day,
        memo=memo,
        lines=(
            line_of(expense, Role.FEES, Part.FEE, None, fees, memo, members),
            line_of(accrued, Role.ACCRUED_FEES, Part.FEE, None, -fees, memo, members),
        ),
        subsidiary=accounts.subsidiary,
        reverse_on=last_day + timedelta(days=1),
    )
