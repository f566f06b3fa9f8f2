"""Exchange rates of a payout: what can't be booked without NetSuite's own value, and what is left over.

Put here what concerns two currencies. Do not put legs here (`legs.py` has the realised difference). Nothing here
works a value out from a table of rates: a second rounding would leave cents (facts/finance.md 2.7).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import settlement_key
from bcns_pipeline.rules.payouts.accounts import ProviderAccounts, Role
from bcns_pipeline.rules.payouts.books import Books, Treatment
from bcns_pipeline.rules.payouts.entry import Entry, EntryKind, Part, line_of
from bcns_pipeline.rules.payouts.findings import Finding, named
from bcns_pipeline.rules.payouts.model import SETTLES, Payout, PayoutLine
from bcns_pipeline.rules.payouts.policy import PayoutPolicy

_HUNDRED: Final = Decimal(100)


def findings(
    payout: Payout, books: Books, treatments: Mapping[str, Treatment], policy: PayoutPolicy
) -> Iterator[Finding]:
    """Foreign lines whose carrying value is not known stop the payout; differences above the band are told.

    Of a payout in another currency than the subsidiary's the value is known once its entry is there: a companion takes
    what is left, where the merchant wants companions.
    """
    unknown = []
    later = policy.residual == "companion" and books.base not in ("", payout.currency)
    for line in _foreign(payout, treatments):
        booked = books.booked.get(line.id)
        if booked is None:
            continue
        if booked.carrying is None:
            if not later:
                unknown.append(line.id)
            continue
        off = Money(abs(line.gross) - booked.carrying, line.currency)
        if abs(off.minor) > booked.carrying * policy.fx_band_percent / _HUNDRED:
            yield Finding(
                "FX_OUT_OF_BAND",
                f"Payout {payout.id}, line {line.id} of order {line.order_id}: NetSuite carries "
                f"{Money(booked.carrying, line.currency)} and {Money(abs(line.gross), line.currency)} was settled.",
                blocks=False,
                members=(line.id,),
                amount=off,
            )
    if unknown:
        other = books.base not in ("", payout.currency)
        way = " Set payouts.fx_residual: companion, as it is no currency of the books." if other else ""
        yield Finding(
            "FX_CARRYING_UNKNOWN",
            f"Payout {payout.id}: NetSuite's value in {payout.currency} of {len(unknown)} foreign lines is not known: "
            f"{named(unknown)}.{way}",
            blocks=True,
            members=tuple(sorted(unknown)),
        )


def _foreign(payout: Payout, treatments: Mapping[str, Treatment]) -> Iterator[PayoutLine]:
    for line in payout.lines:
        cleared = treatments.get(line.id, Treatment.CLEARING) is Treatment.CLEARING
        if line.cls in SETTLES and line.foreign and cleared:
            yield line


def residual(
    entry: Entry,
    accounts: ProviderAccounts,
    carried: Mapping[int, int],
    taken: Mapping[int, int],
    base: str,
    day: date,
) -> Entry | None:
    """The companion of an entry in another currency than the subsidiary's `base`: what its clearing accounts still
    carry in base currency although nothing of the records that it settled is left, to realised exchange differences.

    By account and signed (debit > 0), both as NetSuite shows them in base currency: `carried` of the records before,
    `taken` by the entry. None where nothing is left, or no account of differences is named.
    """
    fx = accounts.at(Role.FX, base, entry.economic_day)
    left = {account: before + taken.get(account, 0) for account, before in carried.items()}
    left = {account: amount for account, amount in sorted(left.items()) if amount}
    if fx is None or entry.currency == base or not left:
        return None
    memo = f"exchange rate of payout {entry.subject}"
    lines = [
        line_of(account, Role.CLEARING, Part.FX, None, -amount, memo) for account, amount in left.items()
    ]
    whole = sum(left.values())
    if whole:
        lines.insert(0, line_of(fx, Role.FX, Part.FX, None, whole, memo))
    return Entry(
        key=settlement_key(entry.provider, entry.account, "fx", entry.subject),
        kind=EntryKind.FX_RESIDUAL,
        provider=entry.provider,
        account=entry.account,
        subject=entry.subject,
        currency=base,
        day=day,
        economic_day=entry.economic_day,
        memo=memo,
        lines=tuple(lines),
        subsidiary=entry.subsidiary,
        sources=entry.sources,
    )
