"""Plan: what each payout that is due would become in the ledger, and what stands in the way of the rest.

Put here which payouts are looked at and what their plans lead to. Do not put a rule here (rules/payouts), nor one
payout's part (`drafting.py`). A payout that is stopped stops no other: each has a draft of its own with one outcome,
and looked at = the sum of outcomes. In mode plan nothing is remembered but the plan.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bcns_pipeline.defs.days import Days, zone_of
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.defs.payouts.accepted import asked as proposals
from bcns_pipeline.defs.payouts.accruals import accruals
from bcns_pipeline.defs.payouts.disputes import ended
from bcns_pipeline.defs.payouts.drafting import Drafting, drafting
from bcns_pipeline.defs.payouts.drafts import Draft, Made, Outcome, amount_of, bank_place, placed
from bcns_pipeline.defs.payouts.follow_ups import FollowUp, follow_ups
from bcns_pipeline.defs.payouts.relink import relink
from bcns_pipeline.defs.payouts.residuals import residuals, taken_back
from bcns_pipeline.defs.payouts.run import FLOW, JOURNAL, due_on, question
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.kinds.payouts import KINDS
from bcns_pipeline.rules.payouts.findings import Finding
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.operations import OPEN
from bcns_pipeline.state.payout_models import DUE, POSTED, PayoutState
from bcns_pipeline.state.plan_lines import PlanLine
from bcns_pipeline.state.plans import Plan

OUTCOMES = tuple(one.value for one in Outcome)
# Opened by other steps than this one, which can't tell whether they are over.
_OF_OTHERS = frozenset(
    {
        "SETTLEMENT_REJECTED", "STATEMENT_REJECTED", "PAYOUT_RESTATED", "JOURNAL_REFUSED", "JOURNAL_DIFFERS",
        "JOURNAL_UNAPPROVED", "BANK_LINE_MISSING", "BANK_DIFF", "PAYOUT_LINK_PROPOSED", "PAYOUT_POSTED_TWICE",
        "CLEARING_UNEXPLAINED", "STALE_CLEARING", "PAYOUT_FAILED", "BANK_RETURNED",
    }
)  # fmt: skip
# What a person has to close stays open, whatever a later plan finds.
_CODES = (frozenset(kind.code for kind in KINDS if kind.heals) | {"PERIOD_CLOSED"}) - _OF_OTHERS
# So many members stand in an exception.
_NAMED = 50
# An entry of another kind that is on its way says nothing of the payout itself.
_OF_PAYOUTS = frozenset({"payout", "failed", "reversal"})
_CALLED_OFF = frozenset({"failed", "canceled"})


@dataclass(slots=True)
class Planned:
    """A plan. `drafts` have an outcome for each payout that was looked at; `later` are entries beside theirs."""

    plan: Plan
    drafts: list[Draft] = field(repr=False)
    later: list[FollowUp] = field(default_factory=list, repr=False)

    @property
    def outcomes(self) -> Counter[str]:
        """Payouts by outcome."""
        return Counter(one.outcome.value for one in self.drafts)

    @property
    def sentence(self) -> str:
        """The plan in one line."""
        parts = [f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(self.outcomes.items())]
        entries = sum(len(one.made) for one in self.drafts)
        entries += sum(one.made is not None for one in self.later)
        return (
            f"payouts: {len(self.drafts):,} looked at: {', '.join(parts) or 'nothing is due'}; "
            f"{entries:,} journal entries"
        )


def make_plan(
    connections: Connections, *, mode: Mode, days: Days | None, progress: Callable[[str], None]
) -> Planned:
    """Look at every payout that is due (with `days`, of those that arrive then), and write the plan.

    Raises OutsideError.
    """
    state = connections.state
    found = [one for one in looked_at(connections) if due_on(one, days)]
    today = datetime.now(zone_of(connections.mapping)).date()
    waiting = state.outbox.find(flow=FLOW, kinds=[JOURNAL], states=OPEN)
    going = {one.payload.get("payout") for one in waiting if one.payload.get("kind") in _OF_PAYOUTS}
    work = drafting(connections, found, today, frozenset(one.natural_key for one in waiting))
    drafts = []
    for number, one in enumerate(found, start=1):
        if one.id in going:
            drafts.append(Draft(one, Outcome.ON_ITS_WAY, "its entry is written down and not settled yet"))
        else:
            drafts.append(work.draft(one))
        if number % 10 == 0:
            progress(f"payouts: {number:,} of {len(found):,} planned")
    lines = [_line(draft, place, made) for draft in drafts for place, made in enumerate(draft.made)]
    # A run about days is about their payouts alone.
    later = [] if days is not None else _later(work)
    lines += [_follow_up(one, one.made) for one in later if one.made is not None]
    with state.scope.transaction() as conn:
        plan = state.plans.create(
            FLOW,
            mode=mode.value,
            as_of=datetime.now(UTC),
            config_digest=connections.mapping.digest,
            summary=_summary(work, drafts),
            conn=conn,
        )
        plan = state.plans.write_lines(plan, lines, conn=conn)
        if mode is Mode.APPLY:
            _remember(connections, drafts, later, conn)
    if mode is Mode.APPLY:
        relink(connections, work.ledger)
    return Planned(plan, drafts, later)


def looked_at(connections: Connections) -> list[PayoutState]:
    """Payouts that nothing was posted for yet, and posted ones that their provider has called off since."""
    payouts = connections.state.payouts
    due = payouts.having(["new", *DUE])
    due += [one for one in payouts.having(POSTED) if one.source_status in _CALLED_OFF]
    return sorted(due, key=lambda one: (one.arrival_date, one.id))


def _line(draft: Draft, place: int, made: Made) -> PlanLine:
    one, entry = draft.state, made.entry
    payload: dict[str, Any] = {
        "body": made.body,
        "payout": one.id,
        "subject": one.subject,
        "kind": made.journal.kind,
        # A payout that was called off is posted anew once its entry is taken back: its money went nowhere.
        "again": made.journal.kind == "reversal",
        "body_sha256": made.journal.body_sha256,
        # What the checks compare.
        "bank": bank_place(entry),
        "first": place == 0,
        "counted": draft.counted,
        "placed": placed(entry),
        "rows": draft.rows,
        "lines": draft.lines,
    }
    return PlanLine(
        "create",
        JOURNAL,
        entry.key,
        payload,
        draft.reason,
        one.subject,
        group_key=one.subject,
        amount=amount_of(entry),
    )


def _later(work: Drafting) -> list[FollowUp]:
    """Entries beside those of payouts, as far as they are due."""
    due, waiting = ended(work)
    return [*waiting, *follow_ups(work, [*taken_back(work), *residuals(work), *due, *accruals(work)])]


def _follow_up(one: FollowUp, made: Made) -> PlanLine:
    payload = {
        "body": made.body,
        "payout": one.payout,
        "subject": one.subject,
        "kind": made.journal.kind,
        "body_sha256": made.journal.body_sha256,
    }
    return PlanLine(
        "create",
        JOURNAL,
        made.entry.key,
        payload,
        one.reason,
        one.subject,
        group_key=one.subject,
        amount=amount_of(made.entry),
    )


def _summary(work: Drafting, drafts: Sequence[Draft]) -> dict[str, Any]:
    outcomes = Counter(one.outcome.value for one in drafts)
    checks: dict[str, dict[str, int]] = {}
    for draft in drafts:
        for one in draft.findings:
            if one.check:
                told = checks.setdefault(one.check, {"findings": 0, "stopped": 0})
                told["findings"] += 1
                told["stopped"] += int(one.blocks)
    return {
        "looked_at": len(drafts),
        "outcomes": {name: outcomes.get(name, 0) for name in OUTCOMES},
        "payouts": [one.state.id for one in drafts if one.outcome is Outcome.PLANNED],
        "lines": sum(one.lines for one in drafts),
        "checks": dict(sorted(checks.items())),
        "calls": work.calls,
    }


def _remember(
    connections: Connections, drafts: Sequence[Draft], later: Sequence[FollowUp], conn: Any
) -> None:
    """Links, statuses, journals to be sent, questions, and the end of those that are answered."""
    state = connections.state
    asked = []
    for draft in drafts:
        if draft.outcome is Outcome.ON_ITS_WAY:
            continue
        state.payouts.link(draft.state, draft.links, conn=conn)
        for made in draft.made:
            state.payouts.plan_journal(made.journal, made.members, conn=conn)
        asked += [_question(draft.state.subject, one) for one in draft.findings]
        asked += proposals(connections, draft.state, draft.proposed)
    for one in later:
        if one.made is not None:
            state.payouts.plan_journal(one.made.journal, one.made.members, conn=conn)
        if one.finding is not None:
            asked.append(_question(one.subject, one.finding))
    settled = [one for one in drafts if one.judged]
    state.payouts.move([one.move for one in settled], conn=conn)
    # Several findings of one code about one payout are one question.
    merged: dict[tuple[str, str], Question] = {}
    for one in asked:
        before = merged.get((one.code, one.subject))
        merged[one.code, one.subject] = one if before is None else _both(before, one)
    state.exceptions.open_many(FLOW, list(merged.values()), conn=conn)
    state.exceptions.take_retries(FLOW, conn=conn)
    for code in sorted(_CODES):
        judged = [*(one.state.subject for one in settled), *(one.subject for one in later)]
        answered = [subject for subject in judged if (code, subject) not in merged]
        state.exceptions.heal(FLOW, code, answered, conn=conn)


def _question(subject: str, one: Finding) -> Question:
    members = list(one.members[:_NAMED])
    told = {"check": one.check, "members": members, "count": len(one.members)}
    return replace(question(one.code, subject, one.message, one.amount), detail=told)


def _both(first: Question, second: Question) -> Question:
    members = [*first.detail["members"], *second.detail["members"]]
    count = first.detail["count"] + second.detail["count"]
    return replace(
        first,
        message=f"{first.message} {second.message}",
        detail={**first.detail, "members": members[:_NAMED], "count": count},
    )
