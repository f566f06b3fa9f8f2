"""What was read of a payout, remembered: its head, its lines, and that the provider says something else than before.

Put here how settlements become rows of the state. Do not put fetching here (`take.py`, `files.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bcns_pipeline.defs.payouts.restated import difference
from bcns_pipeline.defs.payouts.run import FLOW, question
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.payouts.model import Payout, PayoutLine, PayoutStatus
from bcns_pipeline.state.payout_models import Move, PayoutState, Received
from bcns_pipeline.state.payouts import lines_digest

RESTATED = "PAYOUT_RESTATED"
# So many differences stand in an exception; the two versions in the state have all of them.
_SHOWN = 20


@dataclass(slots=True)
class Taken:
    """What was read. `rejected` are sentences by file, `again` files whose bytes we had; payouts by subject."""

    files: int = 0
    again: int = 0
    rejected: dict[str, str] = field(default_factory=dict)
    listed: int = 0
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    itemised: dict[str, int] = field(default_factory=dict)
    restated: list[str] = field(default_factory=list)
    pages: int = 0
    disputes: int = 0

    @property
    def sentence(self) -> str:
        """The read in one line."""
        parts = [
            f"{len(self.new):,} new",
            f"{sum(self.itemised.values()):,} lines of {len(self.itemised):,} payouts",
        ]
        for count, what in (
            (len(self.changed), "changed"),
            (len(self.restated), "restated"),
            (self.files, "files taken"),
            (self.again, "files that we had"),
            (len(self.rejected), "files rejected"),
            (self.disputes, "open disputes looked at"),
        ):
            if count:
                parts.append(f"{count:,} {what}")
        return f"payouts: {self.listed:,} listed; {', '.join(parts)}"


def keep_head(
    connections: Connections, told: Payout, received: Received, taken: Taken, conn: Any
) -> PayoutState:
    """The payout as its provider tells it now. One that was called off before it was posted is closed."""
    payouts = connections.state.payouts
    before = payouts.find(told.provider, told.account, told.id, conn=conn)
    now, fresh = payouts.note(told, received, conn=conn)
    if fresh:
        (taken.new if before is None else taken.changed).append(now.subject)
    if told.status is PayoutStatus.CANCELED and now.status in ("new", "fetched", "held"):
        why = "called off by the provider before it was posted"
        payouts.move([Move(now.id, "closed", "CANCELED", why)], conn=conn)
    return now


def keep_lines(
    connections: Connections,
    state: PayoutState,
    lines: Sequence[PayoutLine],
    received: Sequence[Received],
    rows: int,
    taken: Taken,
    conn: Any,
) -> None:
    """What the payout is made of. A provider that says something else than before makes a question of it, and one that
    says again what was posted ends that.
    """
    payouts = connections.state.payouts
    done = payouts.itemise(state, lines, received, rows, conn=conn)
    if state.status == "new":
        payouts.move([Move(state.id, "fetched")], conn=conn)
    if not done.fresh:
        return
    taken.itemised[state.subject] = len(lines)
    if done.restated:
        taken.restated.append(state.subject)
        live = [
            one
            for one in payouts.journals([state.id], kind="payout", conn=conn)
            if one.sent_at is not None and one.reversed_by is None
        ]
        against = live[-1].version if live else done.version - 1
        before = [one.line for one in payouts.lines(state, against, conn=conn)]
        if live and lines_digest(before) == lines_digest(lines):
            connections.state.exceptions.heal(FLOW, RESTATED, [state.subject], conn=conn)
            return
        found = difference(before, lines)
        posted = "Its journal entry stays as it is" if state.posted else "Nothing of it was posted yet"
        said = (
            f"Payout {state.payout_id}: {state.provider} says something else than before: {found.sentence}. "
            f"{posted}; `bcns payouts correct` reverses and posts anew."
        )
        asked = question(RESTATED, state.subject, said, version=done.version, differences=found.rows[:_SHOWN])
        connections.state.exceptions.open(FLOW, asked, conn=conn)
