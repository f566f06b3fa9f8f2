"""Disputes: how they stand at their providers, and the entry of those that are lost.

Put here which disputes are open by our lines, what is asked about them, and which losses are due. Do not put the entry
itself here (rules/payouts/disputes.py). What is won comes back as a line of a payout, and its entry takes it off the
account of disputes; what is lost moves nothing, so that somebody has to be asked: Stripe by its API, and only while a
dispute is open, others by a word of their lines.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from bcns_pipeline.clients.payments.models import DisputeStatus, PayoutSource
from bcns_pipeline.defs.days import zone_of
from bcns_pipeline.defs.payouts.drafting import Drafting
from bcns_pipeline.defs.payouts.follow_ups import Due, FollowUp
from bcns_pipeline.defs.payouts.keep import Taken
from bcns_pipeline.defs.stored import receive
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.natural_keys import settlement_key
from bcns_pipeline.rules.payouts.disputes import Dispute, Disputed, DisputeLine, lost, register
from bcns_pipeline.rules.payouts.findings import Finding
from bcns_pipeline.rules.payouts.model import DISPUTED
from bcns_pipeline.state.documents import NewDocument

KIND = "dispute"
# A dispute is listed by the day on which it was opened, its line may carry the next one.
OVERLAP = timedelta(days=2)


def take_disputes(connections: Connections, source: PayoutSource, taken: Taken) -> None:
    """Ask the provider about the disputes that are open by our lines; nothing is asked where none is.

    Raises OutsideError.
    """
    mine = [
        one
        for one in open_disputes(connections)
        if (one.provider, one.account) == (source.provider, source.account)
    ]
    if not mine:
        return
    since = datetime.combine(min(one.opened for one in mine), time.min, UTC) - OVERLAP
    names = {one.id for one in mine}
    for document in source.disputes(since):
        taken.pages += 1
        receive(connections, document)
        found = [
            NewDocument(
                source.provider,
                KIND,
                key_of(source.provider, source.account, one.id),
                json.dumps(
                    {
                        "status": one.status.value,
                        "word": one.word,
                        "due_by": None if one.due_by is None else one.due_by.isoformat(),
                    },
                    sort_keys=True,
                ).encode(),
            )
            for one in source.read_disputes(document)
            if one.id in names
        ]
        connections.state.documents.store_changed(found)
        taken.disputes += len(found)


def key_of(provider: str, account: str, dispute: str) -> str:
    """Under which its provider's word is kept."""
    return f"dispute:{provider}/{account}/{dispute}"


def open_disputes(connections: Connections) -> list[Disputed]:
    """The disputes of posted payouts' lines whose money did not come back and is not booked as lost."""
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
    booked = {
        one.natural_key
        for one in payouts.journals(kind="dispute_lost")
        if one.sent_at is not None and one.reversed_by is None
    }
    return [
        one
        for one in register(lines)
        if one.open > 0 and settlement_key(one.provider, one.account, "dispute", one.id) not in booked
    ]


def losses(work: Drafting) -> tuple[list[Due], list[FollowUp]]:
    """The entries of disputes that are lost, and those for which the mapping file names no account."""
    due, waiting = [], []
    for one, day in _lost(work):
        accounts = work.policy.book.of(one.provider, one.account)
        dispute = Dispute(one.provider, one.account, one.id, one.order_id, one.currency, one.open, day)
        entry = None if accounts is None else lost(dispute, accounts, day)
        subject, reason = key_of(one.provider, one.account, one.id), f"dispute {one.id} is lost"
        if entry is None:
            said = (
                f"Dispute {one.id} is lost, and payouts.providers names no dispute_losses account of {one.provider} "
                f"{one.account} in {one.currency}."
            )
            finding = Finding("PAYOUT_ACCOUNT_UNMAPPED", said, blocks=True, check="FI5")
            waiting.append(FollowUp(subject, reason, finding=finding, payout=one.payout))
        else:
            due.append(Due(entry, subject, reason, {"taken": one.taken}, one.payout, moves=True))
    return due, waiting


def _lost(work: Drafting) -> Iterator[tuple[Disputed, date]]:
    """Open disputes of which the provider says that they are lost, by a line or by its own list, and since when."""
    state = work.connections.state
    found = open_disputes(work.connections)
    keys = {key_of(one.provider, one.account, one.id) for one in found}
    told = state.documents.latest(KIND, keys)
    for one in found:
        kept = told.get(key_of(one.provider, one.account, one.id))
        if one.lost_on is not None:
            yield one, one.lost_on
        elif kept is not None and json.loads(state.documents.load(kept.id))["status"] == DisputeStatus.LOST:
            yield one, kept.fetched_at.astimezone(zone_of(work.connections.mapping)).date()
