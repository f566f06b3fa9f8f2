"""Apply: journal entries through the outbox, one per payout, then read back and compared line by line.

Put here how an entry is sent and found again, and what its end means for its payout. An entry whose answer was lost is
looked for by its external id before anything is sent again, so that a payout has one. What NetSuite shows otherwise
than was sent is a question; nothing is changed there, and nothing is sent twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bcns_pipeline.clients.netsuite.models import JournalRow, Kind
from bcns_pipeline.defs.dispatch import dispatch
from bcns_pipeline.defs.dispatch_models import Dispatched, Sender, Settled
from bcns_pipeline.defs.payouts.readback import read_back
from bcns_pipeline.defs.payouts.run import FLOW, JOURNAL, question
from bcns_pipeline.outcomes import Lane, Outcome, Refused, Sent, System
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.operations import Operation
from bcns_pipeline.state.payout_models import Move, Status
from bcns_pipeline.state.plan_lines import PlanLine
from bcns_pipeline.state.plans import Plan

BUDGET_SECONDS = 300.0
SETTLE_SECONDS = 5.0
# What a refusal of this class is called; any other is JOURNAL_REFUSED.
_CODES = {Kind.PERIOD_CLOSED: "PERIOD_CLOSED", Kind.INACTIVE: "ACCOUNT_UNUSABLE"}
REFUSED = "JOURNAL_REFUSED"
# What a payout is once an entry of this kind is in NetSuite.
_BECOMES: Mapping[str, Status] = {"payout": "draft_posted", "failed": "failed", "reversal": "reversed"}


@dataclass(slots=True)
class Applied:
    """What a run did: natural keys of entries sent, found there, and refused with the code; `shown` as read back."""

    dispatched: Dispatched = field(default_factory=Dispatched)
    sent: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    held: int = 0
    amounts: dict[str, int] = field(default_factory=dict)
    shown: dict[str, JournalRow] = field(default_factory=dict, repr=False)
    differing: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The run in one line."""
        parts = [f"{len(self.sent):,} journal entries posted"]
        for count, what in (
            (len(self.found), "there already"),
            (self.held, "held for approval"),
            (len(self.refused), "refused"),
            (len(self.differing), "shown otherwise than sent"),
        ):
            if count:
                parts.append(f"{count:,} {what}")
        return f"payouts: {'; '.join(parts)}"


def apply_plan(connections: Connections, plan: Plan | None, progress: Callable[[str], None]) -> Applied:
    """Stage the plan, send everything of the flow that waits, and read back. Raises OutsideError."""
    applied = Applied()
    if plan is not None:
        _stage(connections, plan, applied)
    applied.dispatched = dispatch(
        connections,
        FLOW,
        [sender(connections)],
        budget_seconds=BUDGET_SECONDS,
        on_settled=lambda settled, conn: _settle(connections, applied, settled, conn),
        progress=progress,
    )
    read = read_back(connections, [*applied.sent, *applied.found])
    applied.shown, applied.differing = read.shown, read.differing
    applied.dispatched.raise_if_stopped(System.NETSUITE, "POST /record/v1/journalEntry")
    return applied


def _stage(connections: Connections, plan: Plan, applied: Applied) -> None:
    policy = connections.payout_policy

    def too_large(line: PlanLine) -> str | None:
        return policy.too_large(line.amount) if line.amount is not None else None

    staged = connections.state.plans.stage(plan, held=too_large)
    applied.held = len(staged.held)


def sender(connections: Connections) -> Sender:
    """How a journal entry is sent, and found again by its external id."""
    journals = connections.netsuite(Lane.BULK).journals

    def create(_: Operation, payload: Mapping[str, Any]) -> Outcome:
        return journals.create(payload["body"])

    def look_up(operations: Sequence[Operation]) -> Mapping[str, str | None]:
        there = journals.find([one.natural_key for one in operations])
        return {
            one.natural_key: str(there[one.natural_key]) if one.natural_key in there else None
            for one in operations
        }

    return Sender(JOURNAL, create, look_up, settle_seconds=SETTLE_SECONDS)


def _settle(connections: Connections, applied: Applied, settled: Sequence[Settled], conn: Any) -> None:
    state = connections.state
    for one in settled:
        key, payload = one.op.natural_key, one.payload
        subject, number = payload.get("subject", f"journal:{key}"), payload.get("payout")
        if isinstance(one.outcome, Sent):
            (applied.found if one.adopted else applied.sent).append(key)
            if one.op.currency and one.op.amount_minor and not one.adopted:
                currency = one.op.currency
                applied.amounts[currency] = applied.amounts.get(currency, 0) + one.op.amount_minor
            state.payouts.journal_sent(key, str(one.record_id), one.op.id, conn=conn)
            becomes = _becomes(payload)
            if number is not None and becomes is not None:
                state.payouts.move([Move(number, becomes)], conn=conn)
            state.exceptions.heal_codes(FLOW, [REFUSED, *_CODES.values()], [subject], conn=conn)
        elif isinstance(one.outcome, Refused):
            kind = _kind(one.outcome.code)
            code = REFUSED if kind is None else _CODES.get(kind, REFUSED)
            applied.refused[key] = code
            said = f"NetSuite refused journal entry {key}: {one.outcome.detail}"
            amount = Money(one.op.amount_minor, one.op.currency) if one.op.currency else None  # type: ignore[arg-type]
            state.exceptions.open(FLOW, question(code, subject, said, amount, operation=one.op.id), conn=conn)
            if number is not None and payload.get("kind") == "payout":
                state.payouts.move([Move(number, "held", code, said)], conn=conn)


def _becomes(payload: Mapping[str, Any]) -> Status | None:
    """A reversal after which a corrected version is wanted opens the payout again."""
    if payload.get("kind") == "reversal" and payload.get("again"):
        return "balanced"
    return _BECOMES.get(payload.get("kind", ""))


def _kind(code: str) -> Kind | None:
    return next((one for one in Kind if one.value == code), None)
