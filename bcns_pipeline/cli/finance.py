"""Payouts at the command line: where they stand, how one is corrected, and its entry made again from stored bytes.

Put wording and tables here. What is done is in defs/payouts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.cli.status import zone_of
from bcns_pipeline.config import load_mapping
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.money import Money
from bcns_pipeline.settings import load_settings
from bcns_pipeline.state.payout_models import PayoutState
from bcns_pipeline.state.store import State

STATUSES = (
    "new", "fetched", "balanced", "mapped", "draft_posted", "approved", "bank_matched", "closed", "held", "failed",
    "reversed",
)  # fmt: skip
ROWS_SHOWN = 200


def show_payouts(statuses: Sequence[str], day: str | None) -> None:
    """A table of payouts. Raises BadInput for a status or a day that is none."""
    unknown = [one for one in statuses if one not in STATUSES]
    if unknown:
        raise BadInput([f"There is no status {one!r}; {', '.join(STATUSES)} are." for one in unknown])
    since, until = _day(day)
    with remembered(load_settings()) as state:
        found = state.payouts.having(statuses, since=since, until=until)  # type: ignore[arg-type]
    if not found:
        say("No such payout.")
        return
    rows = [
        (one.payout_id, one.provider, one.account, one.arrival_date, Money(one.amount_minor, one.currency),
         one.lines, one.source_status, one.status, one.code, one.journal_key, one.reason)
        for one in found[-ROWS_SHOWN:]
    ]  # fmt: skip
    columns = [
        "payout", "provider", "account", "arrives", "amount", "lines", "provider says", "status", "waits for",
        "entry", "why",
    ]  # fmt: skip
    show_table(columns, rows)
    if len(found) > ROWS_SHOWN:
        say(f"… and {len(found) - ROWS_SHOWN:,} older ones; name a --status or --day.")


def correct_payout(payout_id: str, reason: str, *, again: bool) -> None:
    """Stage a reversal that waits for somebody else's approval. Raises BadInput."""
    from bcns_pipeline.defs.payouts.correct import ask_for_correction

    settings = load_settings()
    if not reason.strip():
        raise BadInput(["--reason is empty; say why, because it goes into the audit chain."])
    policy = load_mapping(settings.config).payouts.policy()
    with remembered(settings, sealed=True) as state:
        today = datetime.now(ZoneInfo(zone_of(settings) or "UTC")).date()
        staged = ask_for_correction(
            state,
            the_payout(state, payout_id),
            policy,
            today,
            reason=reason.strip(),
            actor=settings.actor,
            again=again,
        )
    for one in staged:
        say(f"operation {one.id} {one.natural_key} waits; asked for by {settings.actor}")
    say(
        "Somebody else lets it go with `bcns approve operation NUMBER --reason …`; then `bcns run payouts` sends it."
    )
    if again:
        say("The payout is posted anew by the run after that, as a version of its own.")


def reperform_payout(payout_id: str) -> int:
    """Say whether each entry of a payout can be made again, byte for byte; 1 where one can't. Raises BadInput."""
    from bcns_pipeline.defs.payouts.reperform import reperform

    settings = load_settings()
    with remembered(settings, sealed=True) as state:
        payout = the_payout(state, payout_id)
        found = reperform(state, payout)
    if not found:
        say(f"Payout {payout_id} has no entry: it is {payout.status}.")
        return 1
    for one in found:
        say(f"{one.key}")
        for number, source in enumerate(one.sources, start=1):
            say(f"  source {number}: sha256 {source}")
        say(f"  sent: {len(one.sent):,} bytes, sha256 {hashlib.sha256(one.sent).hexdigest()}")
        say(f"  made: {len(one.made):,} bytes, sha256 {hashlib.sha256(one.made).hexdigest()}")
        say(
            "  equal, byte for byte"
            if one.equal
            else f"  NOT EQUAL: {one.why or _first_difference(one.sent, one.made)}"
        )
    return 0 if all(one.equal for one in found) else 1


def the_payout(state: State, payout_id: str) -> PayoutState:
    """The payout of that id. Raises BadInput where there is none, or several providers have one."""
    found = state.payouts.named(payout_id)
    if not found:
        raise BadInput([f"There is no payout {payout_id}; `bcns payouts` lists those that we know."])
    if len(found) > 1:
        raise BadInput(
            [f"Several providers have a payout {payout_id}: {', '.join(one.subject for one in found)}."]
        )
    return found[0]


def _day(text: str | None) -> tuple[date | None, date | None]:
    if text is None:
        return None, None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInput([f"{text!r} is no day; write it as 2026-11-20."]) from None
    return day, day + timedelta(days=1)


def _first_difference(one: bytes, other: bytes) -> str:
    at = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    return f"from byte {at:,} on: {one[at : at + 40]!r} was sent, {other[at : at + 40]!r} was made"
