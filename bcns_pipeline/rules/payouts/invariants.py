"""FI1 to FI11: what has to be true of a payout and its entries, each a pure predicate with findings that name.

Put the invariants of facts/finance.md 1.8 here. Do not put what makes them true here. FI1 to FI5 and FI8 to FI10
block the payout and no other; FI6, FI7 and FI11 tell (issue 4, section 4).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.entry import Entry, EntryKind, Part
from bcns_pipeline.rules.payouts.findings import Finding, named
from bcns_pipeline.rules.payouts.journal import remainder
from bcns_pipeline.rules.payouts.links import paid
from bcns_pipeline.rules.payouts.model import Itemisation, LineClass, Payout, PayoutLine
from bcns_pipeline.rules.payouts.policy import FeeBand

BLOCKING: Final = frozenset({"FI1", "FI2", "FI3", "FI4", "FI5", "FI8", "FI9", "FI10"})
WARNING: Final = frozenset({"FI6", "FI7", "FI11"})
_GROSS: Final = frozenset({Part.GROSS, Part.REVENUE, Part.SHIPPING, Part.TAX, Part.STORED_VALUE})


def _found(
    check: str, code: str, message: str, members: Iterable[str] = (), amount: Money | None = None
) -> Finding:
    return Finding(code, message, check in BLOCKING, check, tuple(sorted(members)), amount)


def fi1_lines_add(payout: Payout) -> Iterator[Finding]:
    """Per line net = gross - fee, and tax on a fee is part of it."""
    for line in payout.lines:
        off = line.gross - line.fee - line.net
        if off:
            yield _found(
                "FI1",
                "PAYOUT_DOES_NOT_SUM",
                f"Payout {payout.id}, line {line.id}: gross {line.gross} less fee {line.fee} is not net {line.net}; "
                f"{Money(off, line.currency)} is too much.",
                [line.id],
                Money(off, line.currency),
            )
        if line.fee_tax and not 0 <= line.fee_tax * (1 if line.fee >= 0 else -1) <= abs(line.fee):
            yield _found(
                "FI1",
                "PAYOUT_DOES_NOT_SUM",
                f"Payout {payout.id}, line {line.id}: tax of {line.fee_tax} can't be part of a fee of {line.fee}.",
                [line.id],
                Money(line.fee_tax, line.currency),
            )


def fi2_lines_come_to_the_payout(payout: Payout) -> Iterator[Finding]:
    """The lines of the payout's currency come to its amount, those of each other currency to nothing.

    A payout that the provider never itemises has no lines; the clearing account's roll-forward proves it.
    """
    if payout.itemisation is Itemisation.NEVER and not payout.lines:
        return
    for currency in payout.currencies:
        own = currency == payout.currency
        meant = payout.amount + remainder(payout) if own else 0
        off = payout.net(currency) - meant
        if off:
            what = f"the payout is {Money(payout.amount, currency)}" if own else "nothing of it is paid"
            yield _found(
                "FI2",
                "PAYOUT_DOES_NOT_SUM",
                f"Payout {payout.id}: its lines come to {Money(payout.net(currency), currency)}, and {what}; "
                f"{Money(off, currency)} is unexplained.",
                amount=Money(off, currency),
            )


def fi3_entries_balance(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Debits = credits, per entry, which is per currency; no line is 0 or on both sides."""
    for entry in entries:
        off = sum(line.signed for line in entry.lines)
        if off:
            yield _found(
                "FI3",
                "PAYOUT_ENTRY_WRONG",
                f"Entry {entry.key}: debits and credits differ by {Money(off, entry.currency)}.",
                amount=Money(off, entry.currency),
            )
        for line in entry.lines:
            if min(line.debit, line.credit) != 0 or max(line.debit, line.credit) <= 0:
                yield _found(
                    "FI3", "PAYOUT_ENTRY_WRONG", f"Entry {entry.key}: line {line.memo!r} has no one side."
                )


def fi4_bank_leg(payout: Payout, entries: Sequence[Entry]) -> Iterator[Finding]:
    """What the entries say of the bank is the payout's amount, in its currency and nowhere else."""
    said = {
        entry.currency: entry.bank for entry in entries if entry.kind is EntryKind.PAYOUT and entry.bank != 0
    }
    meant = {payout.currency: payout.amount} if payout.amount else {}
    if said != meant:
        off = said.get(payout.currency, 0) - payout.amount
        yield _found(
            "FI4",
            "PAYOUT_ENTRY_WRONG",
            f"Payout {payout.id}: the bank gets {Money(payout.amount, payout.currency)}, and its entries say "
            f"{', '.join(str(Money(amount, currency)) for currency, amount in sorted(said.items())) or 'nothing'}.",
            amount=Money(off, payout.currency),
        )


def fi5_every_line_once(payout: Payout, entries: Sequence[Entry]) -> Iterator[Finding]:
    """Every line has a class, and its gross and its fee are in exactly one account each.

    In summary mode gross is split by what the order is made of; each share is in one account.
    """
    unknown: dict[str, list[str]] = defaultdict(list)
    for line in payout.lines:
        if line.cls is LineClass.UNCLASSIFIED:
            unknown[line.category].append(line.id)
    for word, ids in sorted(unknown.items()):
        yield _found(
            "FI5",
            "PAYOUT_UNMAPPED",
            f"Payout {payout.id}: nobody has said what {payout.provider} means by {word!r} ({named(ids)}); name it "
            "under payouts.providers, categories.",
            ids,
        )
    seen: Counter[tuple[str, Part]] = Counter()
    for entry in entries:
        for leg in entry.lines:
            if leg.cls is not None:
                seen.update((member, leg.part) for member in leg.members)
    wrong = [line.id for line in payout.lines if _placed_wrong(line, seen)]
    strangers = {member for member, _ in seen} - {line.id for line in payout.lines}
    if entries and (wrong or strangers):
        yield _found(
            "FI5",
            "PAYOUT_ENTRY_WRONG",
            f"Payout {payout.id}: not in exactly one account each: {named([*wrong, *strangers])}.",
            [*wrong, *strangers],
        )


def _placed_wrong(line: PayoutLine, seen: Mapping[tuple[str, Part], int]) -> bool:
    if not line.counts or line.cls is LineClass.UNCLASSIFIED:
        return any((line.id, part) in seen for part in Part)
    gross = [seen.get((line.id, part), 0) for part in _GROSS]
    return (
        max(gross) > 1
        or (sum(gross) == 0) != (line.gross == 0)
        or seen.get((line.id, Part.FEE), 0) != int(line.fee != line.fee_tax)
        or seen.get((line.id, Part.FEE_TAX), 0) != int(line.fee_tax != 0)
    )


def fi6_amounts_are_the_shops(payout: Payout, transactions: Mapping[int, Money]) -> Iterator[Finding]:
    """What the provider says that a shopper paid or got back is what BigCommerce says, to the minor unit.

    `transactions` by BigCommerce's id, without sign. What was captured of an authorisation is the charge less its
    reversal, so the lines of one transaction are taken together.
    """
    settled: dict[int, list[PayoutLine]] = defaultdict(list)
    for line in payout.lines:
        if line.transaction_id is not None and line.cls in _PAID:
            settled[line.transaction_id].append(line)
    for transaction, lines in sorted(settled.items()):
        meant = transactions.get(transaction)
        if meant is None:
            continue
        shown = [
            Money(amount if line.gross >= 0 else -amount, of)
            for line in lines
            for amount, of in (paid(line),)
        ]
        currencies = {one.currency for one in shown}
        come = abs(sum(one.minor for one in shown))
        if currencies == {meant.currency} and come == meant.minor:
            continue
        said = Money(come, shown[0].currency)
        yield _found(
            "FI6",
            "PAYOUT_AMOUNT_MISMATCH",
            f"Payout {payout.id}: {payout.provider} says {said} for {named(line.id for line in lines)} of order "
            f"{lines[0].order_id}, and BigCommerce says {meant}.",
            [line.id for line in lines],
            said - meant if said.currency == meant.currency else said,
        )


_PAID: Final = frozenset(
    {
        LineClass.GROSS_SALES,
        LineClass.PARTIAL_CAPTURE_REVERSAL,
        LineClass.SALES_DISCOUNT,
        LineClass.REFUND,
    }
)


def fi7_clearing_is_the_balance(closing: Money, balance: Money, explained: Money) -> Iterator[Finding]:
    """The clearing account closes to what the provider says it holds, after what is `explained` item by item."""
    off = closing - balance - explained
    if off:
        yield _found(
            "FI7",
            "CLEARING_UNEXPLAINED",
            f"The clearing account closes at {closing} and the provider holds {balance}; {explained} is explained, "
            f"{off} is not.",
            amount=off,
        )


def fi8_one_live_entry(key: str, live: Sequence[str], *, posted: bool) -> Iterator[Finding]:
    """`live` are external ids of entries in NetSuite that are of this payout and were not reversed."""
    if len(live) > 1:
        yield _found(
            "FI8", "PAYOUT_POSTED_TWICE", f"More than one live entry is of {key}: {named(live)}.", live
        )
    if posted and not live:
        yield _found(
            "FI8", "PAYOUT_POSTED_TWICE", f"{key} was posted, and NetSuite shows no live entry of it."
        )


def fi9_in_no_other_payout(payout: Payout, settled_in: Mapping[str, str]) -> Iterator[Finding]:
    """No line belongs to two payouts, nor twice to one. `settled_in`: other payouts' names by id of their lines."""
    twice = [one for one, count in Counter(line.id for line in payout.lines).items() if count > 1]
    if twice:
        yield _found(
            "FI9", "DUPLICATE_SETTLEMENT", f"Payout {payout.id} has lines twice: {named(twice)}.", twice
        )
    elsewhere = sorted({line.id for line in payout.lines} & settled_in.keys())
    if elsewhere:
        others = named({settled_in[one] for one in elsewhere})
        yield _found(
            "FI9",
            "DUPLICATE_SETTLEMENT",
            f"Payout {payout.id}: {named(elsewhere)} are already settled by {others}.",
            elsewhere,
        )


def fi10_rows_are_lines(payout: Payout, rows: Sequence[str], aside: Iterable[str] = ()) -> Iterator[Finding]:
    """Every raw row became one line, and no line came from nowhere. `rows` are hashes of the rows as received,
    `aside` those that are no line on purpose (the payout's own row); lines that the source made up have no hash.
    """
    parsed = Counter(line.raw_sha256 for line in payout.lines if line.raw_sha256)
    parsed.update(aside)
    raw = Counter(rows)
    if parsed != raw:
        lost, strange = raw - parsed, parsed - raw
        ids = [line.id for line in payout.lines if line.raw_sha256 in strange]
        yield _found(
            "FI10",
            "PAYOUT_ROWS_LOST",
            f"Payout {payout.id}: {raw.total()} rows were received and {parsed.total()} read; {lost.total()} are "
            f"missing, {strange.total()} are not as they were received{': ' + named(ids) if ids else ''}.",
            ids,
        )


def fi11_fees_are_as_agreed(payout: Payout, band: FeeBand | None) -> Iterator[Finding]:
    """A charge costs what the contract says, give or take; one finding for all that do not."""
    if band is None:
        return
    outside = [
        line
        for line in payout.lines
        if line.cls is LineClass.GROSS_SALES and line.gross > 0 and not _within(line, band)
    ]
    if outside:
        fees = Money(sum(line.fee for line in outside), payout.currency)
        yield _found(
            "FI11",
            "FEE_OUT_OF_BAND",
            f"Payout {payout.id}: the fees of {len(outside)} charges, {fees} together, are not what was agreed: "
            f"{named(line.id for line in outside)}.",
            [line.id for line in outside],
            fees,
        )


def _within(line: PayoutLine, band: FeeBand) -> bool:
    fixed = Money.of(band.fixed.get(line.currency, Decimal(0)), line.currency)
    expected = Money(line.gross, line.currency).times(band.percent / 100) + fixed
    give = expected.times(band.tolerance_percent / 100)
    # A minor unit either way is rounding.
    return abs(line.fee - expected.minor) <= give.minor + 1


def of_the_payout(payout: Payout) -> list[Finding]:
    """FI1 and FI2: what can be said of a payout by itself."""
    return [*fi1_lines_add(payout), *fi2_lines_come_to_the_payout(payout)]


def of_the_entries(payout: Payout, entries: Sequence[Entry]) -> list[Finding]:
    """FI3 to FI5: what can be said of its entries. Without entries only FI5's classes are looked at."""
    found = [*fi5_every_line_once(payout, entries)]
    if entries:
        found += [*fi3_entries_balance(entries), *fi4_bank_leg(payout, entries)]
    return sorted(found, key=lambda one: one.check)
