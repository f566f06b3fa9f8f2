"""Exchange rates of a payout: what can't be booked without NetSuite's own value, and what is left over.

Put here what concerns two currencies. Do not put legs here (`legs.py` has the realised difference). Nothing here
works a value out from a table of rates: a second rounding would leave cents (facts/finance.md 2.7).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import settlement_key
from bcns_pipeline.rules.payouts.accounts import ProviderAccounts, Role
from bcns_pipeline.rules.payouts.books import Books, Posting, Treatment
from bcns_pipeline.rules.payouts.entry import Entry, EntryKind, Part, line_of
from bcns_pipeline.rules.payouts.findings import Finding, named
from bcns_pipeline.rules.payouts.model import SETTLES, Payout, PayoutLine

_HUNDRED: Final = Decimal(100)


def findings(
    payout: Payout, books: Books, treatments: Mapping[str, Treatment], band_percent: Decimal
) -> Iterator[Finding]:
    """Foreign lines whose carrying value is not known stop the payout; differences above the band are told."""
    unknown = []
    for line in _foreign(payout, treatments):
        booked = books.booked.get(line.id)
        if booked is None:
            continue
        if booked.carrying is None:
            unknown.append(line.id)
            continue
        off = Money(abs(line.gross) - booked.carrying, line.currency)
        if abs(off.minor) > booked.carrying * band_percent / _HUNDRED:
            yield Finding(
                "FX_OUT_OF_BAND",
                f"Payout {payout.id}, line {line.id} of order {line.order_id}: NetSuite carries "
                f"{Money(booked.carrying, line.currency)} and {Money(abs(line.gross), line.currency)} was settled.",
                blocks=False,
                members=(line.id,),
                amount=off,
            )
    if unknown:
        yield Finding(
            "FX_CARRYING_UNKNOWN",
            f"Payout {payout.id}: NetSuite's value in {payout.currency} of {len(unknown)} foreign lines is not known: "
            f"{named(unknown)}.",
            blocks=True,
            members=tuple(sorted(unknown)),
        )


def _foreign(payout: Payout, treatments: Mapping[str, Treatment]) -> Iterator[PayoutLine]:
    for line in payout.lines:
        cleared = treatments.get(line.id, Treatment.CLEARING) is Treatment.CLEARING
        if line.cls in SETTLES and line.foreign and cleared:
            yield line


def residual(
    payout: Payout,
    entry: Entry,
    accounts: ProviderAccounts,
    carried: Mapping[int, int],
    base: str,
    posting: Posting,
) -> Entry | None:
    """The companion of an entry in another currency than the subsidiary's `base`: what its clearing accounts still
    carry in base currency although nothing foreign is left of it, to realised exchange differences.

    `carried` by account: what NetSuite carried in base currency, signed as it stood (debit > 0), for what the entry
    took out. None where nothing is left, or the entry's rate or the account of differences is not known.
    """
    rate, fx = posting.exchange_rate, accounts.at(Role.FX, base, entry.economic_day)
    if rate is None or fx is None or entry.currency == base:
        return None
    left: dict[int, int] = {}
    for account, before in carried.items():
        moved = [line for line in entry.lines if line.role is Role.CLEARING and line.account == account]
        taken = sum(Money.of(Money(line.signed, entry.currency).amount * rate, base).minor for line in moved)
        if before + taken:
            left[account] = before + taken
    if not left:
        return None
    memo = f"exchange rate of payout {payout.id}"
    lines = [
        line_of(account, Role.CLEARING, Part.FX, None, -amount, memo)
        for account, amount in sorted(left.items())
    ]
    whole = sum(left.values())
    if whole:
        lines.insert(0, line_of(fx, Role.FX, Part.FX, None, whole, memo))
    return Entry(
        key=settlement_key(payout.provider, payout.account, "fx", payout.id),
        kind=EntryKind.FX_RESIDUAL,
        provider=payout.provider,
        account=payout.account,
        subject=payout.id,
        currency=base,
        day=posting.day,
        economic_day=entry.economic_day,
        memo=memo,
        lines=tuple(lines),
        subsidiary=accounts.subsidiary,
        sources=entry.sources,
    )
