"""Disputes: how they stand at their providers, and the entry of those that are lost.

Put here which disputes are open by our lines, what is asked about them, and which losses are due, or to be taken back.
Do not put the entries themselves here (rules/payouts/disputes.py). What is won comes back as a line of a payout, and
its entry takes it off the account of disputes; where its loss was booked before, an entry of its own takes that back.
What is lost moves nothing, so that somebody has to be asked: Stripe by its API, and only while a dispute is open,
others by a word of their lines.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.clients.payments.models import DisputeStatus, PayoutSource
from bcns_pipeline.defs.days import zone_of
from bcns_pipeline.defs.payouts.drafting import Drafting
from bcns_pipeline.defs.payouts.files import REJECTED
from bcns_pipeline.defs.payouts.follow_ups import Due, FollowUp
from bcns_pipeline.defs.payouts.keep import Taken
from bcns_pipeline.defs.payouts.run import FLOW, question
from bcns_pipeline.defs.stored import receive
from bcns_pipeline.outcomes import Unauthorised
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.payouts.accounts import ProviderAccounts
from bcns_pipeline.rules.payouts.disputes import Dispute, Disputed, DisputeLine, lost, register, won
from bcns_pipeline.rules.payouts.entry import Entry, EntryKind
from bcns_pipeline.rules.payouts.findings import Finding
from bcns_pipeline.rules.payouts.model import DISPUTED
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.exceptions import Question

KIND = "dispute"
# A dispute is listed by the day on which it was opened, its line may carry the next one.
OVERLAP = timedelta(days=2)


def take_disputes(connections: Connections, source: PayoutSource, taken: Taken) -> None:
    """Ask the provider about the disputes that are open by our lines; nothing is asked where none is.

    A word that can't be read, or that the key may not ask for, is a question of its own: payouts do not wait for it.
    Raises OutsideError.
    """
    mine = [
        one
        for one in open_disputes(connections)
        if (one.provider, one.account) == (source.provider, source.account)
    ]
    account = f"{source.provider}/{source.account}"
    unread: dict[str, Question] = {}
    if mine:
        try:
            unread = _read(connections, source, mine, taken)
        except Unauthorised as refused:
            said = (
                f"The key of {account} may not read disputes ({refused.detail}), so nobody knows which of "
                f"{len(mine):,} open ones are lost. Give it the permission to read them."
            )
            unread = {f"disputes:{account}": question(REJECTED, f"disputes:{account}", said)}
    state = connections.state
    with state.scope.transaction() as conn:
        for asked in unread.values():
            state.exceptions.open(FLOW, asked, conn=conn)
        over = {f"disputes:{account}", *(_subject(source, one.id) for one in mine)} - unread.keys()
        state.exceptions.heal(FLOW, REJECTED, sorted(over), conn=conn)
    taken.rejected.update({subject: asked.message for subject, asked in unread.items()})


def _read(
    connections: Connections, source: PayoutSource, mine: Sequence[Disputed], taken: Taken
) -> dict[str, Question]:
    """Keep what the provider says of these; a question by subject about each that can't be read."""
    since = datetime.combine(min(one.opened for one in mine), time.min, UTC) - OVERLAP
    names = {one.id for one in mine}
    unread: dict[str, Question] = {}
    for document in source.disputes(since):
        taken.pages += 1
        receive(connections, document)
        refused: dict[str, BadFile] = {}
        found = [
            NewDocument(
                source.provider,
                KIND,
                _subject(source, one.id),
                json.dumps(
                    {
                        "status": one.status.value,
                        "word": one.word,
                        "due_by": None if one.due_by is None else one.due_by.isoformat(),
                    },
                    sort_keys=True,
                ).encode(),
            )
            for one in source.read_disputes(document, refused)
            if one.id in names
        ]
        connections.state.documents.store_changed(found)
        taken.disputes += len(found)
        for name, bad in refused.items():
            # One without an id may be any of ours; others are none of our business.
            if not name or name in names:
                subject = _subject(source, name) if name else f"disputes:{source.provider}/{source.account}"
                unread[subject] = question(REJECTED, subject, bad.sentence, row=bad.row, why=bad.code)
    return unread


def _subject(source: PayoutSource, dispute: str) -> str:
    return key_of(source.provider, source.account, dispute)


def key_of(provider: str, account: str, dispute: str) -> str:
    """Under which its provider's word is kept."""
    return f"dispute:{provider}/{account}/{dispute}"


def disputes(connections: Connections) -> list[Disputed]:
    """The disputes of posted payouts' lines, with what was booked of each beside the payouts' entries."""
    payouts = connections.state.payouts
    lines = [
        DisputeLine(
            payout.provider,
            payout.account,
            payout.id,
            stored.line,
            payout.arrival_date if stored.line.occurred_at is None else stored.line.occurred_at.date(),
        )
        for payout, stored in payouts.of_classes([one.value for one in DISPUTED])
        if payout.posted or payout.status == "failed"
    ]
    found = register(lines)
    named = {(one.provider, one.account, one.id): one for one in found}
    for kind in (EntryKind.DISPUTE_LOST, EntryKind.DISPUTE_WON):
        for entry in payouts.journals(kind=kind.value):
            told = entry.entry
            mine = named.get((told["provider"], told["account"], told["subject"]))
            if mine is None or entry.sent_at is None:
                continue
            amount = 0 if entry.reversed_by is not None else entry.total_minor
            if kind is EntryKind.DISPUTE_LOST:
                mine.losses.lost, mine.losses.times_lost = (
                    mine.losses.lost + amount,
                    mine.losses.times_lost + 1,
                )
            else:
                mine.losses.won, mine.losses.times_won = mine.losses.won + amount, mine.losses.times_won + 1
    return found


def open_disputes(connections: Connections) -> list[Disputed]:
    """Those whose money did not come back and is not booked as lost."""
    return [one for one in disputes(connections) if one.open > 0]


def ended(work: Drafting) -> tuple[list[Due], list[FollowUp]]:
    """The entries of disputes that are lost, or won after their loss was booked, and those for which the mapping file
    names no account.
    """
    due, waiting = [], []
    found = disputes(work.connections)
    for end in [*_lost(work, found), *_won(found)]:
        one = end.disputed
        accounts = work.policy.book.of(one.provider, one.account)
        number = end.entries_before + 1
        dispute = Dispute(
            one.provider, one.account, one.id, one.order_id, one.currency, end.amount, end.day, number=number
        )
        entry = None if accounts is None else end.make(dispute, accounts, end.day)
        subject = key_of(one.provider, one.account, one.id)
        reason = f"dispute {one.id} is {end.word}"
        if entry is None:
            said = (
                f"Dispute {one.id} is {end.word}, and payouts.providers names no dispute_losses account of "
                f"{one.provider} {one.account} in {one.currency}."
            )
            finding = Finding("PAYOUT_ACCOUNT_UNMAPPED", said, blocks=True, check="FI5")
            waiting.append(FollowUp(subject, reason, finding=finding, payout=one.payout))
        else:
            inputs = {"taken": one.taken, "returned": one.returned}
            due.append(Due(entry, subject, reason, inputs, one.payout, moves=True))
    return due, waiting


@dataclass(frozen=True, slots=True)
class _End:
    """How a dispute ended, and what is booked of it: `amount` in minor units, after so many entries of that kind."""

    disputed: Disputed
    word: str
    day: date
    amount: int
    entries_before: int
    make: Callable[[Dispute, ProviderAccounts, date], Entry | None]


def _lost(work: Drafting, found: Sequence[Disputed]) -> Iterator[_End]:
    """Open disputes of which the provider says that they are lost, by a line or by its own list, and since when."""
    state = work.connections.state
    open_ = [one for one in found if one.open > 0]
    told = state.documents.latest(KIND, {key_of(one.provider, one.account, one.id) for one in open_})
    for one in open_:
        day, kept = one.lost_on, told.get(key_of(one.provider, one.account, one.id))
        if day is None and kept is not None:
            if json.loads(state.documents.load(kept.id))["status"] != DisputeStatus.LOST:
                continue
            day = kept.fetched_at.astimezone(zone_of(work.connections.mapping)).date()
        if day is not None:
            yield _End(one, "lost", day, one.open, one.losses.times_lost, lost)


def _won(found: Sequence[Disputed]) -> Iterator[_End]:
    """Disputes whose money came back after their loss was booked, and on which day the last of it did."""
    for one in found:
        if one.won_back and one.closed is not None:
            word = "won after its loss"
            yield _End(one, word, one.closed, one.won_back, one.losses.times_won, won)
