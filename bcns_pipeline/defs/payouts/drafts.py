"""One payout's part of a plan: its entries as bodies and journals, and what became of it.

Put here how the rules' answers about one payout become what is stored and sent. Do not put rules here
(rules/payouts), nor which payouts are looked at (`planning.py`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from bcns_pipeline.defs.payouts.entries import as_json, members_of
from bcns_pipeline.defs.payouts.ledger import Ledger
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.body import body, canonical
from bcns_pipeline.rules.payouts.entry import Entry, Part
from bcns_pipeline.rules.payouts.findings import Finding, blocking
from bcns_pipeline.rules.payouts.links import Link
from bcns_pipeline.rules.payouts.policy import PayoutPolicy
from bcns_pipeline.state.payout_models import Journal, LineLink, Move, PayoutState, Status


class Outcome(StrEnum):
    """What became of a payout that was looked at; each has exactly one."""

    PLANNED = "planned"
    WAITING = "waiting"
    HELD = "held"
    NOTHING = "nothing"
    ON_ITS_WAY = "on_its_way"


CONSEQUENCE = "PAYOUT_ENTRY_WRONG"
# What ends by itself once something else has happened: the payout waits, and nobody has to act on it now.
WAITS = frozenset(
    {"CAPTURE_NOT_POSTED", "OUTSIDE_WINDOW", "PERIOD_CLOSED", "PAYOUT_LATE", "PAYOUT_LINE_UNMATCHED"}
)


@dataclass(frozen=True, slots=True)
class Made:
    """One entry, ready to be sent: its body, its journal, and the payout lines behind each of its lines."""

    entry: Entry = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)
    journal: Journal = field(repr=False)
    members: Mapping[int, Sequence[int]] = field(repr=False)


@dataclass(slots=True)
class Draft:
    """What a plan says of one payout. `findings` include those that stop nothing.

    `lines` came from `rows` that were received; `counted` of them move money.
    """

    state: PayoutState
    outcome: Outcome
    reason: str
    made: list[Made] = field(default_factory=list, repr=False)
    findings: Sequence[Finding] = field(default_factory=tuple, repr=False)
    links: list[LineLink] = field(default_factory=list, repr=False)
    lines: int = 0
    counted: int = 0
    rows: int = 0
    proposed: Mapping[str, Link] = field(default_factory=dict, repr=False)

    @property
    def judged(self) -> bool:
        """Whether the plan has looked at what the payout is made of; else what was asked about it stays asked."""
        unread = self.state.version == 0 and self.state.itemisation == "complete"
        return self.outcome is not Outcome.ON_ITS_WAY and not unread

    @property
    def move(self) -> Move:
        """Where the payout stands after the plan."""
        one = self.state
        if self.outcome is Outcome.NOTHING or not self.judged:
            return Move(one.id, one.status, one.code, one.reason, one.retry_at)
        stops = blocking(self.findings)
        first = stops[0] if stops else None
        status: Status = "mapped"
        if self.outcome is Outcome.HELD:
            status = "held"
        elif self.outcome is Outcome.WAITING:
            status = "balanced" if first is not None and one.version else one.status
        if one.posted:
            status = one.status
        return Move(
            one.id, status, None if first is None else first.code, self.reason if first is not None else None
        )


def causes(findings: Sequence[Finding]) -> list[Finding]:
    """What was found, without what only follows from it: an entry of a payout that is wrong itself is wrong, too."""
    others = any(one.blocks and one.code != CONSEQUENCE for one in findings)
    return [one for one in findings if not (others and one.code == CONSEQUENCE)]


def outcome_of(findings: Sequence[Finding]) -> tuple[Outcome, str]:
    """Whether what was found stops the payout, for a person or until something has happened."""
    stops = blocking(findings)
    if not stops:
        return Outcome.PLANNED, "balanced, mapped, and what it settles is in the books"
    said = " ".join(one.message for one in stops)
    waits = all(one.code in WAITS for one in stops)
    return Outcome.WAITING if waits else Outcome.HELD, said


def make(
    entry: Entry,
    ledger: Ledger,
    policy: PayoutPolicy,
    *,
    payout: int | None,
    version: int,
    numbers: Mapping[str, int],
    inputs: Mapping[str, Any],
    mapping_digest: str,
    code_version: str,
    reverses: str | None = None,
) -> Made:
    """An entry with the bytes that would be sent."""
    content = body_of(entry, ledger.currencies.get(entry.currency), policy)
    journal = Journal(
        natural_key=entry.key,
        kind=entry.kind.value,
        currency=entry.currency,
        total_minor=entry.debits,
        tran_date=entry.day,
        economic_date=entry.economic_day,
        entry=as_json(entry),
        inputs=inputs,
        body_sha256=sha256_of(content),
        mapping_digest=mapping_digest,
        code_version=code_version,
        payout=payout,
        version=version,
        reverses=reverses,
    )
    return Made(entry, content, journal, members_of(entry, numbers))


def body_of(entry: Entry, currency: int | None, policy: PayoutPolicy) -> dict[str, Any]:
    """The record to create. An account with a single currency (None) has no field for it."""
    content: dict[str, Any] = body(entry, currency or 0, policy)
    if currency is None:
        del content["currency"]
    return content


def sha256_of(content: Mapping[str, Any]) -> str:
    """Of the bytes that go over the wire."""
    return hashlib.sha256(canonical(content)).hexdigest()


def placed(entry: Entry) -> int:
    """How many of the payout's lines stand behind the lines of an entry, each once."""
    return len({member for line in entry.lines if line.cls is not None for member in line.members})


def bank_place(entry: Entry) -> int | None:
    """Which line of an entry says what the bank gets, from 1; None where none does."""
    return next((at for at, line in enumerate(entry.lines, start=1) if line.part is Part.BANK), None)


def amount_of(entry: Entry) -> Money:
    """The money that it moves."""
    return Money(entry.debits, entry.currency)


def days_of(states: Sequence[PayoutState], today: date) -> list[date]:
    """For which days the periods have to be known."""
    return sorted({today, *(one.arrival_date for one in states)})
