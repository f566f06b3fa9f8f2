"""A payout's entry made again, from the bytes that its provider sent, and compared with what went over the wire.

Put the way back from stored bytes to an entry here. Do not put wording here (cli/finance.py). Nothing of the state's
lines is used: documents, the mapping as it was then, and what was written down beside the entry give the same bytes,
or something was changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from bcns_pipeline.clients.files.models import BadFile, Document
from bcns_pipeline.defs.payouts.convert import lines_of, payout_of
from bcns_pipeline.defs.payouts.drafting import version_of
from bcns_pipeline.defs.payouts.drafts import body_of, sha256_of
from bcns_pipeline.defs.payouts.inputs import books_of, mapping_at
from bcns_pipeline.resources.settlements import SettlementReader, profile_of
from bcns_pipeline.rules.payouts.body import canonical
from bcns_pipeline.rules.payouts.classes import classify
from bcns_pipeline.rules.payouts.journal import journal as entries_of
from bcns_pipeline.rules.payouts.model import Payout
from bcns_pipeline.rules.payouts.policy import PayoutPolicy
from bcns_pipeline.rules.payouts.stage import corrected
from bcns_pipeline.state.payout_models import Journal, PayoutState, Received
from bcns_pipeline.state.store import State


@dataclass(frozen=True, slots=True)
class Reperformed:
    """One entry: `sent` and `made` are its bytes, then and now. `why` says what kept it from being made again."""

    key: str
    sources: tuple[str, ...]
    sent: bytes
    made: bytes
    planned_sha256: str
    why: str = ""

    @property
    def equal(self) -> bool:
        """To the byte, and to the hash that was written down when it was planned."""
        return not self.why and self.sent == self.made


def reperform(state: State, payout: PayoutState) -> list[Reperformed]:
    """Every entry that was posted of a payout's lines, made again. Reversals and failures follow from these."""
    journals = [one for one in state.payouts.journals([payout.id], kind="payout") if one.sent_at is not None]
    return [_again(state, payout, one) for one in journals]


def _again(state: State, payout: PayoutState, one: Journal) -> Reperformed:
    received = state.payouts.documents(payout, one.inputs["version"])
    sources = tuple(doc.sha256 for doc in received)
    operations = state.outbox.find(states=("confirmed",), ids=[one.operation_id or 0])
    payloads = state.outbox.payloads(operations)
    sent = canonical(payloads[0]["body"]) if payloads and payloads[0] else b""

    def ended(made: bytes, why: str = "") -> Reperformed:
        return Reperformed(one.natural_key, sources, sent, made, one.body_sha256, why)

    mapping = mapping_at(state, one.mapping_digest)
    if mapping is None:
        return ended(b"", "the mapping file of then was not kept")
    policy, reader = mapping.policy(), SettlementReader(profile_of(mapping))
    try:
        told = _read(state, payout, one, received, reader, policy)
    except (BadFile, LookupError) as error:
        return ended(b"", f"the stored bytes can't be read: {error}")
    classed, _ = classify(told, policy.of(payout.provider, payout.account).classes)
    accounts = policy.book.of(payout.provider, payout.account)
    if accounts is None:
        return ended(b"", "the mapping file of then names no accounts for the provider")
    books, treatments, posting = books_of(one.inputs, [line.id for line in classed.lines])
    version = version_of(one)
    for entry in entries_of(classed, accounts, books, treatments, posting).entries:
        if entry.currency == one.currency:
            content = body_of(corrected(entry, version), one.inputs["currencies"][entry.currency], policy)
            changed = sha256_of(content) != one.body_sha256
            why = "it is not what was planned then" if changed else ""
            return ended(canonical(content), why)
    return ended(b"", f"its lines make no entry in {one.currency}")


def _read(
    state: State,
    payout: PayoutState,
    one: Journal,
    received: Sequence[Received],
    reader: SettlementReader,
    policy: PayoutPolicy,
) -> Payout:
    """The payout with its lines, from documents alone."""
    (listed,) = state.settlements.known([one.inputs["listed"]]).values()
    head = next(
        (
            found
            for found in reader.listed(_document(state, listed), payout.account)
            if (found.provider, found.account, found.id)
            == (payout.provider, payout.account, payout.payout_id)
        ),
        None,
    )
    if head is None:
        raise LookupError(f"{listed.name} does not tell of {payout.payout_id}")
    failed_on = one.inputs["failed_on"]
    told = payout_of(head, None if failed_on is None else date.fromisoformat(failed_on))
    if not received:
        return told
    settlement = reader.itemised(head, [_document(state, doc) for doc in received])
    sources = tuple(doc.sha256 for doc in received)
    return replace(told, lines=lines_of(settlement, policy.order_hints), sources=sources)


def _document(state: State, one: Received) -> Document:
    return Document(one.origin, one.name, state.settlements.content(one), one.fetched_at)
