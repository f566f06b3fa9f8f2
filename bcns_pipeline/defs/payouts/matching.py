"""The bank's lines and the payouts that are posted: matched one to one, and what is missing or off is asked about.

Put the bookkeeping of matches here. Do not put the match itself here (rules/payouts/bank.py). Which NetSuite account a
statement's account is stands in no file, so currency alone keeps accounts apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from bcns_pipeline.defs.payouts.run import FLOW, question
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.payouts.bank import BankedPayout, BankLine, match
from bcns_pipeline.rules.payouts.findings import Finding
from bcns_pipeline.rules.payouts.policy import BankPolicy
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.payout_models import POSTED, BankRow, Move, PayoutState

CODES = ("BANK_LINE_MISSING", "BANK_DIFF", "BANK_RETURNED")
# Statements come late, and a payout may be returned a week after it arrived.
LOOK_BACK = timedelta(days=60)
# What arrived this shortly before the bank's first known movement may be that movement: banks rest, and take days.
BEFORE_THE_FIRST = timedelta(days=7)


@dataclass(slots=True)
class Matched:
    """How many payouts found their line, and whether the bank says anything at all."""

    matched: int = 0
    told: int = 0
    evidenced: bool = False


def match_bank(connections: Connections, today: date) -> Matched:
    """Match what is open on both sides, and remember it with what the bank's side is asked about."""
    state = connections.state
    covered = state.bank.evidenced()
    if not covered:
        return Matched()
    first = min(begin for begin, _ in covered.values())
    since = max(first, today - LOOK_BACK)
    open_ = {
        one.subject: one
        for one in state.payouts.having([*POSTED, "failed"], since=since - BEFORE_THE_FIRST)
        if one.bank_line is None and one.status != "closed"
    }
    rows = {f"{row.account}/{row.line_id}": row for row in state.bank.lines(since=since, open_only=True)}
    read_to = max(end for _, end in covered.values())
    result = match(
        [_payout(one) for one in open_.values()],
        [_line(key, row) for key, row in rows.items()],
        _policy(connections),
        today,
        read_to=read_to,
    )
    with state.scope.transaction() as conn:
        for one in result.matches:
            payout, row = open_[one.payout], rows[one.line]
            state.bank.match(payout.id, row.account, row.line_id, one.how, conn=conn)
            if payout.status == "approved":
                state.payouts.move([Move(payout.id, "bank_matched")], conn=conn)
        # Of days before the first movement the bank says nothing, not even that something is missing.
        dark = {key for key, one in open_.items() if one.arrival_date < since}
        asked = [
            _question(one, open_)
            for one in result.findings
            if one.code != "BANK_LINE_MISSING" or not dark.intersection(one.members)
        ]
        state.exceptions.open_many(FLOW, asked, conn=conn)
        for code in CODES:
            still = {one.subject for one in asked if one.code == code}
            answered = [subject for subject in open_ if subject not in still]
            state.exceptions.heal(FLOW, code, answered, conn=conn)
    return Matched(len(result.matches), len(asked), evidenced=True)


def catch_up(connections: Connections) -> None:
    """A payout whose line was found before its entry was approved is matched once it is."""
    payouts = connections.state.payouts
    found = [one for one in payouts.having(["approved"]) if one.bank_line is not None]
    payouts.move([Move(one.id, "bank_matched") for one in found])


def _policy(connections: Connections) -> BankPolicy:
    """The merchant's, with each provider's own name beside the texts that the mapping file gives."""
    policy = connections.payout_policy
    words = {
        one.provider: (*policy.bank.descriptors.get(one.provider, ()), one.provider.casefold())
        for one in policy.book.providers
    }
    return replace(policy.bank, descriptors=words)


def _payout(one: PayoutState) -> BankedPayout:
    return BankedPayout(
        key=one.subject,
        provider=one.provider,
        account="",
        currency=one.currency,
        amount=one.amount_minor,
        arrival_date=one.arrival_date,
        reference=one.details.get("bank_reference", ""),
        descriptor=one.details.get("descriptor", ""),
        failed=one.source_status in ("failed", "canceled"),
    )


def _line(key: str, row: BankRow) -> BankLine:
    return BankLine(
        id=key,
        account="",
        currency=row.currency,
        amount=row.amount_minor,
        booked_on=row.booked_on,
        descriptor=row.descriptor,
        references=row.refs,
        returned=row.returned,
    )


def _question(one: Finding, payouts: Mapping[str, PayoutState]) -> Question:
    subject = next((member for member in one.members if member in payouts), f"bank:{one.members[-1]}")
    return question(one.code, subject, one.message, one.amount, members=list(one.members))
