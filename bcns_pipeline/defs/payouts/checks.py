"""What must be true after each step of the payout flow; a person reads these as promises.

FI1 to FI11 are the invariants of facts/finance.md 1.8. Put the comparison and its severity here. Do not put the
computation of either side here (`proofs.py`, which reads anew what was stored). A payout that breaks one is held out of
the plan by the rules and is an exception; so a check that fails says that something wrong was about to be posted, and
nothing is. The numbers stand there whether it passes or not.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from bcns_pipeline.defs.accounting import accounted_for
from bcns_pipeline.defs.payouts.assets import (
    bank_lines,
    journal_plan,
    payout_journal_entries,
    payouts,
    reconciliation,
)
from bcns_pipeline.defs.payouts.planning import OUTCOMES
from bcns_pipeline.defs.payouts.proofs import Proof, of_clearing, of_plan, of_posted, of_warnings
from bcns_pipeline.defs.payouts.run import BANK_FLOW, FLOW
from bcns_pipeline.defs.promises import WARN, Promise, none_asked, none_open, promise, within_budget
from bcns_pipeline.resources.connections import Connections

_PLANNED = (
    ("fi1_lines_add", "FI1", "Of every line to be posted, net = gross - fee."),
    ("fi2_lines_come_to_the_payout", "FI2", "The lines of every payout to be posted come to its amount."),
    ("fi3_entries_balance", "FI3", "Debits and credits of every entry to be sent are equal."),
    ("fi4_bank_leg_is_the_payout", "FI4", "What an entry says of the bank is the payout's amount."),
    ("fi5_every_line_on_one_account", "FI5", "Every line is mapped, and stands behind one line of an entry."),
    ("fi8_one_live_entry", "FI8", "No payout to be posted has a live entry already."),
    ("fi9_in_no_other_payout", "FI9", "No line of a payout to be posted is settled by another one."),
    (
        "fi10_rows_are_lines",
        "FI10",
        "Every row that was received became one line, and no line came from nowhere.",
    ),
)
_TOLD = (
    ("fi6_amounts_are_the_shops", "FI6", "What providers say that shoppers paid is what BigCommerce says."),
    ("fi11_fees_are_as_agreed", "FI11", "Fees are within the band that was agreed."),
)


def _planned(name: str, number: str, description: str) -> Promise:
    @promise(asset=journal_plan, name=name, blocking=True, description=f"{number}: {description}")
    def check(context: dg.AssetCheckExecutionContext, connections: Connections) -> dg.AssetCheckResult:
        return _result(of_plan(connections, context.run.run_id, number), dg.AssetCheckSeverity.ERROR)

    return check


def _told(name: str, number: str, description: str) -> Promise:
    @promise(asset=journal_plan, name=name, description=f"{number}: {description}")
    def check(context: dg.AssetCheckExecutionContext, connections: Connections) -> dg.AssetCheckResult:
        return _result(of_warnings(connections, context.run.run_id, number), WARN)

    return check


def _result(proof: Proof, severity: dg.AssetCheckSeverity) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=proof.holds, severity=severity, metadata=proof.numbers)


@promise(asset=payouts, description="No dropped settlement file waits for a person.")
def no_file_is_rejected(connections: Connections) -> dg.AssetCheckResult:
    """Each has an exception with file, row and reason."""
    return none_asked(connections, FLOW, ("SETTLEMENT_REJECTED",), WARN)


@promise(asset=bank_lines, description="No dropped bank statement waits for a person.")
def no_statement_is_rejected(connections: Connections) -> dg.AssetCheckResult:
    """Each has an exception with file, row and reason; without any statement the bank is not evidenced."""
    return none_asked(connections, BANK_FLOW, ("STATEMENT_REJECTED",), WARN, bank=_bank(connections))


@promise(asset=journal_plan, blocking=True, description="Every payout that was looked at has an outcome.")
def no_payout_is_lost(
    context: dg.AssetCheckExecutionContext, connections: Connections
) -> dg.AssetCheckResult:
    """Looked at = planned + waiting + held + nothing to do + on its way; otherwise nothing is sent."""
    return accounted_for(context, connections, FLOW, OUTCOMES)


@promise(
    asset=payout_journal_entries,
    blocking=True,
    description="FI3, FI4, FI8: what NetSuite shows of every entry is what was sent, line by line, and is there once.",
)
def every_entry_is_what_was_sent(connections: Connections) -> dg.AssetCheckResult:
    """What differs stays an exception until it is equal again, or reversed."""
    return _result(of_posted(connections), dg.AssetCheckSeverity.ERROR)


@promise(asset=reconciliation, description="FI7: what the clearing accounts hold is explained item by item.")
def fi7_clearing_is_explained(connections: Connections) -> dg.AssetCheckResult:
    """By our own records: what was settled comes to what was booked. The close ties it to ledger and provider."""
    return _result(of_clearing(connections), WARN)


@promise(
    asset=reconciliation, description="Every payout that should have arrived is in the bank, to the cent."
)
def every_payout_is_in_the_bank(connections: Connections) -> dg.AssetCheckResult:
    """Without statements nothing is evidenced, which is said and is no failure."""
    return none_asked(connections, FLOW, ("BANK_LINE_MISSING", "BANK_DIFF"), WARN, bank=_bank(connections))


@promise(
    asset=reconciliation,
    description="No journal entry waits for approval in NetSuite for more than three days.",
)
def no_entry_waits_for_approval(connections: Connections) -> dg.AssetCheckResult:
    """An entry that nobody approved does not post, so its cash is in no report."""
    found = connections.state.payouts.unapproved()
    limit = datetime.now(UTC) - timedelta(days=3)
    late = [one.natural_key for one in found if one.sent_at is not None and one.sent_at < limit]
    return none_open(late, WARN, unapproved=len(found))


def _bank(connections: Connections) -> str:
    return "evidenced" if connections.state.bank.evidenced() else "not evidenced"


CHECKS = [
    no_file_is_rejected,
    no_statement_is_rejected,
    no_payout_is_lost,
    *(_planned(*one) for one in _PLANNED),
    *(_told(*one) for one in _TOLD),
    every_entry_is_what_was_sent,
    fi7_clearing_is_explained,
    every_payout_is_in_the_bank,
    no_entry_waits_for_approval,
    within_budget(payout_journal_entries, "payouts.call_budget", FLOW),
]
