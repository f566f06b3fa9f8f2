"""What a person sees of a run of the payout flow.

Put metadata here, built from what the steps hand over. Do not put a decision here.
"""

from typing import Any

from bcns_pipeline.defs import chart
from bcns_pipeline.defs.payouts.apply import Applied
from bcns_pipeline.defs.payouts.bank import Statements
from bcns_pipeline.defs.payouts.keep import Taken
from bcns_pipeline.defs.payouts.planning import Planned
from bcns_pipeline.defs.payouts.reconcile import Reconciled
from bcns_pipeline.defs.payouts.run import FLOW
from bcns_pipeline.defs.tables import SHOWN, calls_of, table
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.close.names import called
from bcns_pipeline.rules.money import Money


def of_payouts(connections: Connections, taken: Taken) -> dict[str, Any]:
    """What was read, and from where."""
    return {
        "summary": taken.sentence,
        "dagster/row_count": sum(taken.itemised.values()),
        "listed": taken.listed,
        "new": len(taken.new),
        "changed": len(taken.changed),
        "files": taken.files,
        "files_again": taken.again,
        "payouts": table(("payout", "lines"), sorted(taken.itemised.items())[:SHOWN]),
        "restated": ", ".join(taken.restated) or "none",
        "rejected": table(("file", "why"), sorted(taken.rejected.items())[:SHOWN]),
        **calls_of(connections, FLOW, taken.pages),
    }


def of_bank(taken: Statements) -> dict[str, Any]:
    """What the bank says, and whether it says anything."""
    return {
        "summary": taken.sentence,
        "dagster/row_count": taken.new,
        "bank": "evidenced" if taken.evidenced else "not evidenced",
        "files": taken.files,
        "files_again": taken.again,
        "movements": taken.lines,
        "rejected": table(("file", "why"), sorted(taken.rejected.items())[:SHOWN]),
    }


def of_plan(connections: Connections, planned: Planned) -> dict[str, Any]:
    """What would be posted, line by line, and what stands in the way of the rest."""
    all_made = [made for draft in planned.drafts for made in draft.made]
    all_made += [one.made for one in planned.later if one.made is not None]
    names = chart.names(connections.state)
    entries = [
        (
            made.entry.subject, made.entry.key, place, called(names, line.account), line.role.value,
            Money(line.debit, made.entry.currency).amount if line.debit else "",
            Money(line.credit, made.entry.currency).amount if line.credit else "",
            made.entry.currency, line.memo,
        )
        for made in all_made
        for place, line in enumerate(made.entry.lines, start=1)
    ]  # fmt: skip
    found = [
        (draft.state.payout_id, draft.outcome.value, one.code, "stops it" if one.blocks else "", one.message)
        for draft in planned.drafts
        for one in draft.findings
    ]
    found += [
        (later.subject, "waiting", later.finding.code, "stops it", later.finding.message)
        for later in planned.later
        if later.finding is not None
    ]
    return {
        "summary": planned.sentence,
        "plan": planned.plan.id,
        "plan_digest": planned.plan.digest,
        "payouts": len(planned.drafts),
        **dict(sorted(planned.outcomes.items())),
        "amounts": table(("currency", "amount"), sorted(planned.plan.summary.get("amounts", {}).items())),
        "entries": table(
            ("payout", "entry", "line", "account", "role", "debit", "credit", "currency", "memo"),
            entries[:SHOWN],
        ),
        "findings": table(("payout", "outcome", "code", "stops", "why"), found[:SHOWN]),
        **calls_of(connections, FLOW, 2 if planned.plan.lines else 0),
    }


def of_entries(connections: Connections, applied: Applied) -> dict[str, Any]:
    """What was posted, what NetSuite shows of it, and what it cost."""
    return {
        "summary": applied.sentence,
        "posted": len(applied.sent),
        "there_already": len(applied.found),
        "held_for_approval": applied.held,
        "differing": len(applied.differing),
        "amounts": table(
            ("currency", "debits"),
            [(one, Money(minor, one).amount) for one, minor in sorted(applied.amounts.items())],
        ),
        "entries": table(
            ("entry", "number", "date", "lines", "approved"),
            [
                (key, row.tran_id, row.tran_date, len(row.lines), row.posting)
                for key, row in sorted(applied.shown.items())[:SHOWN]
            ],
        ),
        "refused": table(("entry", "code"), sorted(applied.refused.items())[:SHOWN]),
        **calls_of(
            connections,
            FLOW,
            len(applied.sent) + (1 if applied.shown else 0),
            connections.mapping.payouts.call_budget,
        ),
    }


def of_reconciliation(connections: Connections, found: Reconciled) -> dict[str, Any]:
    """Each payout with its lines, its entry and its bank line side by side."""
    return {
        "summary": found.sentence,
        "bank": "evidenced" if found.evidenced else "not evidenced",
        "statuses": table(("status", "payouts"), sorted(found.statuses.items())),
        "payouts": table(
            ("payout", "arrived", "currency", "payout_amount", "lines_net", "entry", "bank_amount", "difference",
             "status", "why"),
            found.rows[:SHOWN],
        ),
        "waiting_for_approval": found.unapproved,
        **calls_of(connections, FLOW, 1 if found.unapproved else 0),
    }  # fmt: skip
