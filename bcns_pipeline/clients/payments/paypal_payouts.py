"""Payouts out of PayPal's report: a balance that was there, what moved it, and what went to the bank.

Put here how one currency of one section becomes settlements. PayPal pays out a balance and not a list of
transactions, so the part of it that was there before, and the part that stays, are lines of their own: with them the
lines add up to the transfer. A transfer from the bank (a deposit, or a withdrawal that came back) is a payout below 0.
A day without any is a settlement of 0, because its fees are booked all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from bcns_pipeline.clients.payments.models import (
    BROUGHT_FORWARD,
    CARRIED_FORWARD,
    PayoutStatus,
    Settlement,
    SourceBalance,
    SourceLine,
    SourcePayout,
)
from bcns_pipeline.clients.payments.paypal import PROVIDER, Entry, Footer, Section, converted, read_sections
from bcns_pipeline.clients.payments.profile import FileProfile

_FEE_SUFFIX: Final = "-fee"


def read_paypal(text: str, profile: FileProfile) -> list[Settlement]:
    """One settlement per transfer, or one per currency and day without any. BadFile as `paypal.read_sections`."""
    found: list[Settlement] = []
    for section in read_sections(text, profile):
        other_halves = converted(section.entries)
        for currency in sorted(section.footers):
            found += _settlements(section, currency, section.footers[currency], other_halves)
    return found


def read_paypal_balances(text: str, profile: FileProfile) -> list[SourceBalance]:
    """What each account held at the end of its section's last day, by the footers."""
    return [
        SourceBalance(
            PROVIDER,
            section.account,
            datetime(section.until.year, section.until.month, section.until.day, 23, 59, 59, tzinfo=UTC),
            tuple(sorted((currency, footer.closing) for currency, footer in section.footers.items())),
        )
        for section in read_sections(text, profile)
    ]


def _settlements(
    section: Section, currency: str, footer: Footer, other_halves: dict[str, tuple[int, str, Decimal]]
) -> list[Settlement]:
    lines = _lines(section.entries, currency, other_halves)
    # In an order that does not depend on the file's.
    transfers = sorted(
        (entry for entry in section.entries if entry.line.currency == currency and entry.transfer),
        key=lambda entry: (
            entry.day,
            entry.line.occurred_at or datetime.min.replace(tzinfo=UTC),
            entry.line.id,
        ),
    )
    rows = sum(entry.line.currency == currency for entry in section.entries)
    if not lines and not transfers:
        return []
    if not transfers:
        name = f"{section.until:%Y%m%d}-{currency}"
        payout = _payout(section, currency, name, 0, None)
        return [_settlement(payout, footer.opening, lines, footer.closing, rows=rows)]
    made: list[Settlement] = []
    held, own, of_this = footer.opening, lines, rows - len(transfers) + 1
    for entry in transfers:
        # The transfer with its fee, if PayPal takes one, is what leaves the balance; the fee is a line.
        amount = -entry.gross
        fees = [_fee_of(entry.line)] if entry.line.fee else []
        left = held + sum(line.net for line in (*own, *fees)) - amount
        payout = _payout(section, currency, entry.line.id, amount, entry)
        made.append(_settlement(payout, held, [*own, *fees], left, rows=of_this, aside=(entry.line,)))
        held, own, of_this = left, [], 1
    return made


def _lines(
    entries: Sequence[Entry], currency: str, other_halves: dict[str, tuple[int, str, Decimal]]
) -> list[SourceLine]:
    found: list[SourceLine] = []
    for entry in entries:
        if entry.line.currency == currency and not entry.transfer:
            line = entry.line
            if line.id in other_halves:
                amount, other, rate = other_halves[line.id]
                line = replace(line, presentment_amount=amount, presentment_currency=other, rate=rate)
            found.append(line)
        if entry.fee and entry.fee_currency == currency != entry.line.currency:
            found.append(
                replace(
                    entry.line,
                    id=entry.line.id + _FEE_SUFFIX,
                    currency=currency,
                    gross=0,
                    fee=entry.fee,
                    net=-entry.fee,
                    presentment_amount=None,
                    presentment_currency=None,
                )
            )
    return found


def _fee_of(line: SourceLine) -> SourceLine:
    return replace(
        line,
        id=line.id + _FEE_SUFFIX,
        gross=0,
        net=-line.fee,
        presentment_amount=None,
        presentment_currency=None,
    )


def _payout(section: Section, currency: str, name: str, amount: int, entry: Entry | None) -> SourcePayout:
    return SourcePayout(
        provider=PROVIDER,
        account=section.account,
        id=name,
        currency=currency,
        amount=amount,
        status=PayoutStatus.PAID,
        arrival_date=entry.day if entry else section.until,
        created_at=entry.line.occurred_at if entry else None,
        bank_reference=entry.bank_reference if entry else "",
        descriptor="PAYPAL",
    )


def _settlement(
    payout: SourcePayout,
    opening: int,
    lines: Sequence[SourceLine],
    closing: int,
    *,
    rows: int,
    aside: tuple[SourceLine, ...] = (),
) -> Settlement:
    made_up = [
        _carry(payout, category, amount)
        for category, amount in ((BROUGHT_FORWARD, opening), (CARRIED_FORWARD, -closing))
        if amount
    ]
    return Settlement(payout, (*lines, *made_up), aside, rows=rows)


def _carry(payout: SourcePayout, category: str, amount: int) -> SourceLine:
    identity = f"{payout.id}-{category}"
    return SourceLine(
        id=identity,
        category=category,
        gross=amount,
        fee=0,
        net=amount,
        currency=payout.currency,
        occurred_at=None,
        row_sha256=hashlib.sha256(f"{identity} {amount}".encode()).hexdigest(),
    )
