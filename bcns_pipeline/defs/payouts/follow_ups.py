"""Entries beside those of payouts: what follows from their lines later, each once and by its own external id.

Put here what all of them share: whether one was sent, on which day it may be posted, on accounts that take it. Do not
put here why one is due (`accruals.py`, `disputes.py`, `residuals.py`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from bcns_pipeline.defs.payouts.drafting import CODE_VERSION, Drafting
from bcns_pipeline.defs.payouts.drafts import Made, make
from bcns_pipeline.defs.payouts.ledger import Ledger, ledger_of
from bcns_pipeline.rules.payouts.entry import Entry
from bcns_pipeline.rules.payouts.findings import Finding
from bcns_pipeline.rules.payouts.periods import Period, posting_day


@dataclass(frozen=True, slots=True)
class Due:
    """An entry that is due. `subject` as questions name it, `payout` of which it is, None where it is of several.

    `moves`: where its day's period is closed, it is posted as a payout would be, on the next open day or never. It
    carries its economic day, or `on`. `reverses` is the key of the entry that it takes back.
    """

    entry: Entry = field(repr=False)
    subject: str
    reason: str
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    payout: int | None = None
    version: int = 1
    moves: bool = False
    on: date | None = None
    reverses: str | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What became of one: `made` is to be sent; without it `finding` says what it waits for."""

    subject: str
    reason: str
    made: Made | None = field(default=None, repr=False)
    finding: Finding | None = None
    payout: int | None = None


def unsent(work: Drafting, due: Iterable[Due]) -> list[Due]:
    """Those that NetSuite does not have yet, and that no open operation will send."""
    state, found = work.connections.state, list(due)
    if not found:
        return []
    keys = {one.entry.key for one in found}
    sent = {one.natural_key for one in state.payouts.journals(keys=keys) if one.sent_at is not None}
    return [one for one in found if one.entry.key not in sent | work.open_keys]


def follow_ups(work: Drafting, due: Iterable[Due]) -> Iterator[FollowUp]:
    """Each of these that is not sent yet, made or with what it waits for. Raises OutsideError."""
    for one in unsent(work, due):
        accounts = {line.account for line in one.entry.lines}
        ledger = ledger_of(work.connections, accounts, [one.on or one.entry.day, work.today])
        entry, finding = _dated(work, one, ledger)
        if (unusable := _unusable(one.entry, ledger, accounts)) is not None:
            entry, finding = None, unusable
        if entry is None:
            yield FollowUp(one.subject, one.reason, finding=finding, payout=one.payout)
            continue
        made = make(
            entry,
            ledger,
            work.policy,
            payout=one.payout,
            version=one.version,
            numbers={},
            inputs=one.inputs,
            mapping_digest=work.mapping_digest,
            code_version=CODE_VERSION,
            reverses=one.reverses,
        )
        yield FollowUp(one.subject, one.reason, made, finding, one.payout)


def periods_of(ledger: Ledger) -> list[Period]:
    """As the rules take them."""
    return [
        Period(row.name, row.start, row.end, closed=row.closed, locked=row.locked) for row in ledger.periods
    ]


def _unusable(entry: Entry, ledger: Ledger, accounts: set[int]) -> Finding | None:
    for account, why in ledger.unusable(accounts).items():
        said = f"{entry.memo}: NetSuite's account {account} {why}."
        return Finding("ACCOUNT_UNUSABLE", said, blocks=True, check="FI5")
    return None


def _dated(work: Drafting, one: Due, ledger: Ledger) -> tuple[Entry | None, Finding | None]:
    """The entry on the day that it may carry, and what is to be said of it; an entry of a month's end never moves."""
    policy = work.policy if one.moves else replace(work.policy, closed_period="park")
    day = one.on or one.entry.economic_day
    found = posting_day(one.entry.memo, day, periods_of(ledger), policy, work.newest)
    if isinstance(found, Finding):
        return None, found
    return replace(one.entry, day=found.day), found.finding
