"""Journal entries read back from NetSuite: are they what was sent, and has a person approved them?

Put the comparison's bookkeeping here; what differs is said by the rules (rules/payouts/body.py). One call reads up to
500 entries with all of their lines.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from bcns_pipeline.clients.netsuite.models import JournalRow
from bcns_pipeline.defs.account import account_facts, account_of
from bcns_pipeline.defs.payouts.entries import as_entry
from bcns_pipeline.defs.payouts.run import FLOW, question
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.body import Shown, ShownLine, differences
from bcns_pipeline.state.payout_models import Journal, Move

DIFFERS = "JOURNAL_DIFFERS"
GONE = "PAYOUT_POSTED_TWICE"
# NetSuite's letter of a journal that posts.
APPROVED = "B"


@dataclass(slots=True)
class ReadBack:
    """`shown` by natural key, `differing` and `gone` keys, `approved` those that post now and did not before."""

    shown: dict[str, JournalRow] = field(default_factory=dict, repr=False)
    differing: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    approved: list[str] = field(default_factory=list)


def read_back(connections: Connections, keys: Collection[str]) -> ReadBack:
    """Read these entries and compare them line by line with what was sent. Raises OutsideError."""
    found = ReadBack()
    if not keys:
        return found
    state, oneworld = connections.state, account_of(connections).oneworld
    journals = {one.natural_key: one for one in state.payouts.journals(keys=keys)}
    rows = connections.netsuite(Lane.BULK).journals.by_external_id(sorted(journals), oneworld=oneworld)
    payouts = state.payouts.many({one.payout for one in journals.values() if one.payout is not None})
    for key, one in journals.items():
        payout = payouts.get(one.payout) if one.payout is not None else None
        subject = payout.subject if payout is not None else f"journal:{key}"
        row = rows.get(key)
        if row is None:
            found.gone.append(key)
            said = f"Journal entry {key} was posted as {one.netsuite_id}, and NetSuite does not show it any more."
            state.exceptions.open(FLOW, question(GONE, subject, said, check="FI8", journal=key))
            continue
        found.shown[key] = row
        said_otherwise = compare(connections, one, row)
        approved = row.posting or row.status == APPROVED
        with state.scope.transaction() as conn:
            state.payouts.journal_read(
                key,
                number=row.tran_id,
                approved=approved,
                differences=said_otherwise,
                touched=row.touched.known,
                conn=conn,
            )
            if said_otherwise:
                found.differing.append(key)
                text = f"Journal entry {row.tran_id} ({key}) is not what was sent: {' '.join(said_otherwise[:5])}"
                asked = question(DIFFERS, subject, text, journal=key, differences=said_otherwise[:20])
                state.exceptions.open(FLOW, asked, conn=conn)
            else:
                state.exceptions.heal(FLOW, DIFFERS, [subject], conn=conn)
            if approved and one.kind == "payout" and payout is not None and payout.status == "draft_posted":
                found.approved.append(key)
                state.payouts.move([Move(payout.id, "approved")], conn=conn)
    return found


def compare(connections: Connections, journal: Journal, row: JournalRow) -> list[str]:
    """What NetSuite shows otherwise than was sent, one sentence each."""
    entry = as_entry(journal.entry)
    currencies = account_facts(connections).currencies
    currency = currencies[entry.currency].id if entry.currency in currencies else (row.currency or 0)
    lines = [
        ShownLine(one.account, Money.of(one.amount, entry.currency).minor, one.memo) for one in row.lines
    ]
    shown = Shown(row.external_id, row.tran_date or entry.day, row.currency or currency, lines)
    return differences(entry, currency, shown)
