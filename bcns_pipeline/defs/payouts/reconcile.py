"""Verify: who approved the entries, which payouts the bank shows, and what is still open.

Put here how payouts, entries and bank lines are brought together. Do not put the match itself here
(rules/payouts/bank.py). Without any statement the bank is not evidenced, which is said and breaks nothing.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bcns_pipeline.defs.days import Days, zone_of
from bcns_pipeline.defs.payouts.matching import catch_up, match_bank
from bcns_pipeline.defs.payouts.readback import read_back
from bcns_pipeline.defs.payouts.run import FLOW, due_on, question
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.payout_models import Move, PayoutState

UNAPPROVED = "JOURNAL_UNAPPROVED"
# So long a person may take to approve an entry before somebody is asked.
PATIENCE = timedelta(days=3)
# A run shows what is open, and what was settled within this time.
SHOWN_BACK = timedelta(days=35)


@dataclass(slots=True)
class Reconciled:
    """Payouts by status, and their rows: amount, sum of lines, entry, bank line, difference."""

    statuses: Counter[str] = field(default_factory=Counter)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    matched: int = 0
    closed: int = 0
    unapproved: int = 0
    evidenced: bool = False

    @property
    def sentence(self) -> str:
        """The run in one line."""
        told = ", ".join(
            f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(self.statuses.items())
        )
        bank = f"{self.matched:,} matched with the bank" if self.evidenced else "bank: not evidenced"
        return f"payouts: {told or 'none'}; {bank}; {self.unapproved:,} entries wait for approval"


def reconcile(connections: Connections, days: Days | None) -> Reconciled:
    """Read back what waits for approval, match the bank, and close what is complete. Raises OutsideError."""
    state, found = connections.state, Reconciled()
    waiting = state.payouts.unapproved()
    read = read_back(connections, [one.natural_key for one in waiting])
    left = [one for one in waiting if one.natural_key not in set(read.approved)]
    now = state.now()
    late = [one for one in left if one.sent_at is not None and now - one.sent_at > PATIENCE]
    payouts = state.payouts.many({one.payout for one in late if one.payout is not None})
    asked = []
    for one in late:
        subject = f"journal:{one.natural_key}" if one.payout is None else payouts[one.payout].subject
        said = f"Journal entry {one.netsuite_number} of {subject} waits for approval since {one.sent_at:%Y-%m-%d}."
        amount = Money(one.total_minor, one.currency)
        asked.append(question(UNAPPROVED, subject, said, amount, journal=one.natural_key))
    with state.scope.transaction() as conn:
        state.exceptions.open_many(FLOW, asked, conn=conn)
        state.exceptions.keep_only(FLOW, UNAPPROVED, [one.subject for one in asked], conn=conn)
    found.unapproved = sum(one.kind == "payout" for one in left if one.natural_key not in read.gone)
    today = datetime.now(zone_of(connections.mapping)).date()
    matched = match_bank(connections, today)
    catch_up(connections)
    found.matched, found.evidenced = matched.matched, matched.evidenced
    _end_of_failures(connections)
    found.closed = _close(connections)
    since = today - SHOWN_BACK
    for payout in state.payouts.having(since=days[0] if days else since):
        if due_on(payout, days):
            found.statuses[payout.status] += 1
            found.rows.append(_row(connections, payout))
    return found


def _end_of_failures(connections: Connections) -> None:
    """A payout that failed is nobody's question any more once a later one has brought its money."""
    state = connections.state
    asked = {one.subject for one in state.exceptions.find(flow=FLOW, code="PAYOUT_FAILED")}
    if asked:
        failed = [one for one in state.payouts.having(["failed", "draft_posted"]) if one.subject in asked]
        back = [one.subject for one in failed if state.payouts.came_back(one)]
        state.exceptions.heal(FLOW, "PAYOUT_FAILED", back)


def _close(connections: Connections) -> int:
    """A payout is closed once its entry is approved, the bank shows it, and nobody is asked about it."""
    state = connections.state
    asked = {one.subject for one in state.exceptions.find(flow=FLOW)}
    done = [
        one
        for one in state.payouts.having(["approved", "bank_matched"])
        if (one.status == "bank_matched" or one.amount_minor == 0) and one.subject not in asked
    ]
    return len(state.payouts.move([Move(one.id, "closed") for one in done]))


def _row(connections: Connections, one: PayoutState) -> tuple[Any, ...]:
    state = connections.state
    net = state.payouts.sums([one.id]).get(one.id)
    lines = net.net.get(one.currency, 0) if net is not None else 0
    bank = state.bank.lines(payout_number=one.id) if one.bank_line else []
    got = sum(line.amount_minor for line in bank)
    # A line that pays several payouts is held to their sum.
    together = one.amount_minor
    if bank and got != together:
        together = sum(
            each.amount_minor for row in bank for each in state.payouts.on_line(row.account, row.line_id)
        )
    return (
        one.payout_id,
        one.arrival_date,
        one.currency,
        Money(one.amount_minor, one.currency).amount,
        Money(lines, one.currency).amount if net is not None else "not itemised",
        one.journal_key or "",
        Money(got, one.currency).amount if bank else "",
        Money(together - got, one.currency).amount if bank else "",
        one.status,
        one.reason or "",
    )
