"""What is left in base currency of clearing accounts after a payout in another currency: one companion entry each.

Put here what is read of NetSuite for it. Do not put the entry itself here (rules/payouts/fx.py). Both sides are
NetSuite's own values, of the records that were settled and of the entry that settled them; nothing is worked out from a
rate. An entry some of whose lines are of no known record waits: what those carry is not known. Once the entry of a
payout is taken back its companion is too, whatever the mapping file says by then; a corrected entry has its own.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

from bcns_pipeline.clients.netsuite.models import JournalRow
from bcns_pipeline.defs.account import account_of
from bcns_pipeline.defs.payouts.drafting import Drafting, version_of
from bcns_pipeline.defs.payouts.entries import as_entry
from bcns_pipeline.defs.payouts.follow_ups import Due
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import settlement_key, version_key
from bcns_pipeline.rules.payouts.accounts import Role
from bcns_pipeline.rules.payouts.entry import Entry, EntryKind
from bcns_pipeline.rules.payouts.fx import residual
from bcns_pipeline.rules.payouts.model import SETTLES
from bcns_pipeline.rules.payouts.stage import corrected, reversal
from bcns_pipeline.state.payout_models import POSTED, Journal, PayoutState

# Entries older than this have had their companion, or nothing was left.
LOOK_BACK = timedelta(days=35)


def residuals(work: Drafting) -> list[Due]:
    """The companions of posted entries in another currency than the books'. Raises OutsideError."""
    if work.policy.residual != "companion":
        return []
    connections, base = work.connections, work.ledger.base
    wanted = _wanted(work)
    if not wanted:
        return []
    journals = connections.netsuite(Lane.BULK).journals
    shown = journals.by_external_id(
        [one.natural_key for one, _ in wanted], oneworld=account_of(connections).oneworld
    )
    found = []
    for one, payout in wanted:
        entry, row = as_entry(one.entry), shown.get(one.natural_key)
        accounts = work.policy.book.of(one.entry["provider"], one.entry["account"])
        records = connections.state.payouts.settled_records(payout)
        if row is None or accounts is None or not records or None in records.values():
            continue
        taken = _taken(entry, row, base)
        if taken is None:
            continue
        carried: dict[int, int] = defaultdict(int)
        for value in journals.carrying([int(record) for record in records.values() if record], taken):
            carried[value.account] += Money.of(value.base, base).minor
        made = residual(entry, accounts, carried, taken, base, entry.day)
        if made is not None:
            made = corrected(made, version_of(one))
            reason = f"what payout {payout.payout_id} left in {base} of what it settled"
            inputs = {"carried": dict(carried), "taken": taken, "of": one.natural_key}
            found.append(Due(made, payout.subject, reason, inputs, payout.id, one.version, moves=True))
    return found


def taken_back(work: Drafting) -> list[Due]:
    """The reversals of companions whose payout's entry is reversed in NetSuite, dated as that reversal is."""
    payouts = work.connections.state.payouts
    live = [
        one
        for one in payouts.journals(kind="fx_residual")
        if one.sent_at is not None and one.reversed_by is None
    ]
    firsts = {one.natural_key: one for one in payouts.journals(keys={one.inputs["of"] for one in live})}
    undone = {one.reversed_by for one in firsts.values() if one.reversed_by is not None}
    days = {one.natural_key: one.tran_date for one in payouts.journals(keys=undone)} if undone else {}
    found = []
    for one in live:
        first = firsts.get(one.inputs["of"])
        day = None if first is None else days.get(first.reversed_by or "")
        if day is None or first is None:
            continue
        made = reversal(as_entry(one.entry), day, version_of(one), EntryKind.FX_REVERSAL)
        reason = f"{first.natural_key}, of which it is the companion, was taken back"
        inputs = {"of": one.natural_key}
        found.append(
            Due(
                made, _subject(one), reason, inputs, one.payout, one.version, moves=True, on=day,
                reverses=one.natural_key,
            )
        )  # fmt: skip
    return found


def _subject(one: Journal) -> str:
    return f"payout:{one.entry['provider']}/{one.entry['account']}/{one.entry['subject']}"


def _wanted(work: Drafting) -> list[tuple[Journal, PayoutState]]:
    """Live entries in another currency, without the companion of their version."""
    payouts = work.connections.state.payouts
    foreign = {
        one.id: one
        for one in payouts.having(POSTED, since=work.today - LOOK_BACK)
        if one.currency != work.ledger.base
    }
    journals = payouts.journals(foreign) if foreign else []
    sent = {one.natural_key for one in journals if one.kind == "fx_residual" and one.sent_at is not None}
    return [
        (one, foreign[one.payout])
        for one in journals
        if one.payout is not None
        and one.kind == "payout"
        and one.currency == foreign[one.payout].currency
        and one.sent_at is not None
        and one.reversed_by is None
        and _companion(one) not in sent
    ]


def _companion(one: Journal) -> str:
    entry = as_entry(one.entry)
    key = settlement_key(entry.provider, entry.account, "fx", entry.subject)
    return version_key(key, version_of(one))


def _taken(entry: Entry, row: JournalRow, base: str) -> dict[int, int] | None:
    """What the entry's lines on clearing accounts come to in base currency, by account; None where NetSuite does not
    show it yet. Its lines are known by account, amount and memo, as the read-back compares them.
    """
    shown: Mapping[tuple[int, int, str], int | None] = {
        (one.account, Money.of(one.amount, entry.currency).minor, one.memo): (
            None if one.base is None else Money.of(one.base, base).minor
        )
        for one in row.lines
    }
    taken: dict[int, int] = defaultdict(int)
    for line in entry.lines:
        if line.role is not Role.CLEARING or line.cls not in SETTLES:
            continue
        value = shown.get((line.account, line.signed, line.memo))
        if value is None:
            return None
        taken[line.account] += value
    return dict(taken)
