"""One payout as journal entries: one for its currency, and one for each other currency among its lines.

Put the summing of legs into lines here. Do not put signs (`legs.py`), checks (`invariants.py`) or NetSuite's field
names (`body.py`) here. Classes and directions are never netted, so that each line of the entry is one subtotal of
the provider's report (facts/finance.md 2.3); the order in which the payout's lines come is no matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bcns_pipeline.rules.money import Money, exponent
from bcns_pipeline.rules.natural_keys import payout_key
from bcns_pipeline.rules.payouts.accounts import ProviderAccounts, Role
from bcns_pipeline.rules.payouts.books import Books, Posting, Treatment
from bcns_pipeline.rules.payouts.entry import Entry, EntryKind, JournalLine, Part, line_of
from bcns_pipeline.rules.payouts.findings import Finding, named
from bcns_pipeline.rules.payouts.legs import Leg, Legs
from bcns_pipeline.rules.payouts.memos import header, said
from bcns_pipeline.rules.payouts.model import Itemisation, LineClass, Payout, PayoutLine, PayoutStatus

_ROLE_RANK: Final = {role: rank for rank, role in enumerate(Role)}
_CLASS_RANK: Final = {cls: rank for rank, cls in enumerate(LineClass)}
_PART_RANK: Final = {part: rank for rank, part in enumerate(Part)}

# What is summed together: never two classes, two parts, two accounts or two directions.
_Sum = tuple[Role, int, LineClass | None, Part, bool]
_Member = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Journal:
    """The entries of a payout; none where an account is missing, which `findings` say."""

    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...] = ()


def journal(
    payout: Payout,
    accounts: ProviderAccounts,
    books: Books,
    treatments: Mapping[str, Treatment],
    posting: Posting,
) -> Journal:
    """The entries of a classified payout.

    A payout that failed before anything was posted, or was cancelled after, goes to the account of returned payouts
    instead of the bank: a later payout brings it back from there. A currency whose lines come to nothing at all has no
    entry.
    """
    legs = Legs(payout, accounts, books)
    made: list[Entry] = []
    missing: dict[tuple[Role, str], list[str]] = defaultdict(list)
    for currency in payout.currencies:
        sums: dict[_Sum, list[_Member]] = defaultdict(list)
        for identity, row, cls, leg in _legs(payout, currency, legs, treatments):
            if leg.account is None:
                missing[leg.role, currency].append(identity)
            else:
                sums[leg.role, leg.account, cls, leg.part, leg.amount > 0].append((identity, row, leg.amount))
        lines = _lines(payout, sums)
        if lines:
            made.append(_entry(payout, accounts, currency, lines, posting))
    if missing:
        return Journal((), tuple(_unmapped(payout, missing)))
    return Journal(tuple(made))


def remainder(payout: Payout) -> int:
    """What a provider that pays whole units only keeps of a payout, in minor units; 0 for all others.

    It stays in the clearing account, for it is paid some day.
    """
    kept = payout.net(payout.currency) - payout.amount
    return kept if payout.whole_units_only and 0 <= kept < 10 ** exponent(payout.currency) else 0


def _legs(
    payout: Payout, currency: str, legs: Legs, treatments: Mapping[str, Treatment]
) -> Iterator[tuple[str, str, LineClass | None, Leg]]:
    """(line, row hash, class, leg); the payout's own legs have its id and no class."""
    for line in payout.lines:
        if line.counts and line.currency == currency and line.cls is not LineClass.UNCLASSIFIED:
            treatment = treatments.get(line.id, Treatment.CLEARING)
            for leg in legs.of(line, treatment):
                yield line.id, line.raw_sha256, line.cls, leg
    if currency != payout.currency:
        return
    for leg in _own_legs(payout, legs):
        yield payout.id, "", None, leg


def _own_legs(payout: Payout, legs: Legs) -> Iterator[Leg]:
    """What the transfer itself moves."""
    currency = payout.currency
    failed = payout.status in (PayoutStatus.FAILED, PayoutStatus.CANCELED)
    arrives = Role.RETURNED_PAYOUTS if failed else Role.BANK
    clearing = legs.account(Role.CLEARING, currency)
    if payout.amount:
        yield Leg(arrives, legs.account(arrives, currency), Part.BANK, payout.amount)
    if payout.itemisation is Itemisation.NEVER:
        # Nobody can say which charges it pays: the clearing account's roll-forward proves it at month end.
        whole = payout.amount + payout.fee
        if whole:
            yield Leg(Role.CLEARING, clearing, Part.TRANSFER, -whole)
        if payout.fee:
            fees = Role.SERVICE_FEES
            yield Leg(fees, legs.account(fees, currency), Part.FEE, payout.fee)
        return
    kept = remainder(payout)
    if kept:
        yield Leg(Role.CLEARING, clearing, Part.REMAINDER, kept)


def _lines(payout: Payout, sums: Mapping[_Sum, list[_Member]]) -> tuple[JournalLine, ...]:
    found = []
    for role, account, cls, part, debit in sorted(sums, key=_rank):
        members = sums[role, account, cls, part, debit]
        amount = sum(share for _, _, share in members)
        proven = [] if cls is None else members
        if part is Part.BANK:
            proven = [(line.id, line.raw_sha256, line.net) for line in _counted(payout)]
        memo = said(payout, role, part, cls, members, debit=debit)
        found.append(line_of(account, role, part, cls, amount, memo, proven))
    return tuple(found)


def _counted(payout: Payout) -> Iterator[PayoutLine]:
    return (line for line in payout.lines if line.counts and line.currency == payout.currency)


def _rank(one: _Sum) -> tuple[int, int, int, int, bool]:
    role, account, cls, part, debit = one
    # What has no class is the transfer itself, which comes first.
    of_class = -1 if cls is None else _CLASS_RANK[cls]
    returned = role is Role.RETURNED_PAYOUTS and part is Part.BANK
    return (-1 if returned else _ROLE_RANK[role], of_class, _PART_RANK[part], account, not debit)


def _entry(
    payout: Payout,
    accounts: ProviderAccounts,
    currency: str,
    lines: tuple[JournalLine, ...],
    posting: Posting,
) -> Entry:
    other = "" if currency == payout.currency else currency
    return Entry(
        key=payout_key(payout.provider, payout.account, payout.id, other),
        kind=EntryKind.PAYOUT,
        provider=payout.provider,
        account=payout.account,
        subject=payout.id,
        currency=currency,
        day=posting.day,
        economic_day=payout.arrival_date,
        memo=header(payout),
        lines=lines,
        subsidiary=accounts.subsidiary,
        exchange_rate=posting.exchange_rate,
        sources=tuple(sorted(payout.sources)),
    )


def _unmapped(payout: Payout, missing: Mapping[tuple[Role, str], list[str]]) -> Iterator[Finding]:
    for (role, currency), members in sorted(missing.items(), key=lambda item: (item[0][0].value, item[0][1])):
        yield Finding(
            code="PAYOUT_ACCOUNT_UNMAPPED",
            check="FI5",
            message=f"Payout {payout.id}: payouts.providers names no {role.value} account of {payout.provider} "
            f"{payout.account} in {currency} on {payout.arrival_date}; needed for {named(set(members))}.",
            blocks=True,
            members=tuple(sorted(set(members))),
            amount=Money.zero(currency),
        )
