"""Payouts and the lines of bank statements: which line is which payout, and what is missing or off.

Put the matching here. Do not put reading of statements here. One payout is one line: same account and currency, same
amount, booked from the arrival day to some business days after it. Where several would do, the one whose references
or text name the payout comes first, then the sooner one; the order in which they are given is no matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from typing import Final, Literal

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.findings import Finding
from bcns_pipeline.rules.payouts.policy import BankPolicy

_SATURDAY: Final = 5
# A line that is off by more than this is no payout with a cent missing but another payment.
_NEAR_PERCENT: Final = 5
_MOST_JOINED: Final = 4
_MOST_CANDIDATES: Final = 12

How = Literal["alone", "joined"]


@dataclass(frozen=True, slots=True)
class BankedPayout:
    """A posted payout as the bank may show it; `account` is NetSuite's bank account, or the statement's."""

    key: str
    provider: str
    account: str
    currency: str
    amount: int
    arrival_date: date
    reference: str = ""
    descriptor: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class BankLine:
    """One booked movement, > 0 came in. `account` is spelled as the payouts' accounts are."""

    id: str
    account: str
    currency: str
    amount: int
    booked_on: date
    descriptor: str = ""
    references: tuple[str, ...] = ()
    returned: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """A payout and its line. Joined: the line pays several payouts at once."""

    payout: str
    line: str
    how: How


@dataclass(frozen=True, slots=True)
class BankResult:
    """Matches by payout, and what is to be told; `open_lines` are ids of lines that nobody claimed."""

    matches: tuple[Match, ...]
    findings: tuple[Finding, ...]
    open_lines: tuple[str, ...]


def business_days_after(day: date, count: int, holidays: frozenset[date] = frozenset()) -> date:
    """The day `count` business days after `day`; a day of rest counts as the business day before it."""
    while count > 0:
        day += timedelta(days=1)
        count -= day.weekday() < _SATURDAY and day not in holidays
    return day


def match(
    payouts: Sequence[BankedPayout],
    lines: Sequence[BankLine],
    policy: BankPolicy,
    today: date,
    *,
    read_to: date | None = None,
) -> BankResult:
    """Matches what can be, and tells the rest. Both are of any accounts and currencies.

    `read_to` is the last day that statements cover; a payout whose days are not over by then is not missing yet.
    """
    matcher = _Matcher(payouts, lines, policy)
    matcher.alone()
    matcher.joined()
    matcher.off()
    covered = min(today, read_to) if read_to is not None else today
    return BankResult(
        tuple(sorted(matcher.matches, key=lambda one: one.payout)),
        tuple(matcher.told) + tuple(matcher.missing(covered)) + tuple(matcher.returned()),
        tuple(sorted(matcher.lines)),
    )


class _Matcher:
    """What is left on both sides, step by step."""

    def __init__(
        self, payouts: Sequence[BankedPayout], lines: Sequence[BankLine], policy: BankPolicy
    ) -> None:
        self._policy = policy
        self._all_lines = sorted(lines, key=lambda one: (one.booked_on, one.id))
        self._payouts = {
            one.key: one for one in sorted(payouts, key=lambda one: (one.arrival_date, one.key)) if one.amount
        }
        self._all_payouts = dict(self._payouts)
        self.lines = {one.id: one for one in self._all_lines}
        self.matches: list[Match] = []
        self.told: list[Finding] = []

    def alone(self) -> None:
        """One payout, one line. What is named is taken first, so that equal amounts do not steal each other's."""
        by_amount: dict[tuple[str, str, int], list[BankLine]] = defaultdict(list)
        for line in self._all_lines:
            by_amount[line.account, line.currency, line.amount].append(line)
        pairs = [
            (self._named(payout, line), line.booked_on, payout.arrival_date, payout.key, line.id)
            for payout in self._payouts.values()
            for line in by_amount.get((payout.account, payout.currency, payout.amount), ())
            if self._in_time(payout, line)
        ]
        for _, _, _, key, identity in sorted(pairs):
            if key in self._payouts and identity in self.lines:
                self._take(key, identity, "alone")

    def joined(self) -> None:
        """One line that is the sum of up to four payouts of one provider: banks and providers merge transfers."""
        for line in list(self.lines.values()):
            candidates = [
                one
                for one in self._payouts.values()
                if (one.account, one.currency) == (line.account, line.currency) and self._in_time(one, line)
            ]
            found = self._sum_of(line, candidates)
            if found:
                keys = [one.key for one in found]
                self.told.append(
                    Finding(
                        "BANK_DIFF",
                        f"The bank booked {Money(line.amount, line.currency)} on {line.booked_on} for "
                        f"{len(keys)} payouts at once: {', '.join(sorted(keys))}.",
                        blocks=False,
                        members=(*sorted(keys), line.id),
                        amount=Money.zero(line.currency),
                    )
                )
                for key in keys:
                    self._take(key, line.id, "joined")

    def off(self) -> None:
        """A line in time that names the payout, or is nearly its amount, and is not it: told with the difference."""
        for payout in list(self._payouts.values()):
            near = [
                line
                for line in self.lines.values()
                if (line.account, line.currency) == (payout.account, payout.currency)
                and self._in_time(payout, line)
                and (line.amount > 0) == (payout.amount > 0)
                and (self._by_reference(payout, line) or self._nearly(payout, line))
            ]
            near.sort(key=lambda one: (self._named(payout, one), abs(one.amount - payout.amount), one.id))
            if not near:
                continue
            line = near[0]
            off = Money(line.amount - payout.amount, payout.currency)
            self._payouts.pop(payout.key)
            self.lines.pop(line.id)
            self.told.append(
                Finding(
                    "BANK_DIFF",
                    f"{payout.key} is {Money(payout.amount, payout.currency)}, and the bank booked "
                    f"{Money(line.amount, line.currency)} on {line.booked_on}: {off} is unexplained.",
                    blocks=False,
                    members=(payout.key, line.id),
                    amount=off,
                )
            )

    def missing(self, covered: date) -> Iterator[Finding]:
        """Payouts whose days are over and that no line is for."""
        for payout in self._payouts.values():
            last = business_days_after(payout.arrival_date, self._policy.days, self._policy.holidays)
            if last < covered and not payout.failed:
                yield Finding(
                    "BANK_LINE_MISSING",
                    f"No line of the bank is {payout.key}, {Money(payout.amount, payout.currency)}, due from "
                    f"{payout.arrival_date} to {last}.",
                    blocks=False,
                    members=(payout.key,),
                    amount=Money(payout.amount, payout.currency),
                )

    def returned(self) -> Iterator[Finding]:
        """Lines by which a matched payout left the account again."""
        for made in self.matches:
            payout = self._all_payouts[made.payout]
            if made.how != "alone":
                continue
            back = next((one for one in self.lines.values() if self._gives_back(payout, one)), None)
            if back is None:
                continue
            self.lines.pop(back.id)
            # Of a payout that failed it is what has to come.
            if not payout.failed:
                yield Finding(
                    "BANK_RETURNED",
                    f"The bank gave {payout.key}, {Money(payout.amount, payout.currency)}, back on "
                    f"{back.booked_on}, and {payout.provider} says that it was paid.",
                    blocks=False,
                    members=(payout.key, back.id),
                    amount=Money(back.amount, back.currency),
                )

    def _gives_back(self, payout: BankedPayout, line: BankLine) -> bool:
        last = business_days_after(payout.arrival_date, self._policy.days + 5, self._policy.holidays)
        return (
            (line.account, line.currency, line.amount) == (payout.account, payout.currency, -payout.amount)
            and payout.arrival_date <= line.booked_on <= last
            and (line.returned or self._named(payout, line) < 2)
        )

    def _take(self, key: str, identity: str, how: How) -> None:
        self._payouts.pop(key)
        self.lines.pop(identity, None)
        self.matches.append(Match(key, identity, how))

    def _in_time(self, payout: BankedPayout, line: BankLine) -> bool:
        last = business_days_after(payout.arrival_date, self._policy.days, self._policy.holidays)
        return payout.arrival_date <= line.booked_on <= last

    def _by_reference(self, payout: BankedPayout, line: BankLine) -> bool:
        return bool(payout.reference) and (
            payout.reference in line.references or payout.reference in line.descriptor
        )

    def _named(self, payout: BankedPayout, line: BankLine) -> int:
        """0: by a reference; 1: by its text; 2: by neither."""
        if self._by_reference(payout, line):
            return 0
        text = line.descriptor.casefold()
        words = [payout.descriptor.casefold(), *self._policy.descriptors.get(payout.provider, ())]
        return 1 if any(word and word in text for word in words) else 2

    def _nearly(self, payout: BankedPayout, line: BankLine) -> bool:
        off = abs(line.amount - payout.amount)
        return off * 100 <= abs(payout.amount) * _NEAR_PERCENT and self._named(payout, line) < 2

    def _sum_of(self, line: BankLine, candidates: Sequence[BankedPayout]) -> tuple[BankedPayout, ...]:
        by_provider: dict[str, list[BankedPayout]] = defaultdict(list)
        for one in candidates:
            by_provider[one.provider].append(one)
        for _, group in sorted(by_provider.items()):
            few = group[:_MOST_CANDIDATES]
            for size in range(2, min(_MOST_JOINED, len(few)) + 1):
                fits = [one for one in combinations(few, size) if sum(p.amount for p in one) == line.amount]
                # Two ways to make up one line are no proof of either.
                if len(fits) == 1:
                    return fits[0]
        return ()
