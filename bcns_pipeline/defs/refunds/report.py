"""What a person sees of a run of the refund flow.

Put metadata here, built from what the steps hand over. Do not put a decision here.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from bcns_pipeline.defs.refunds.apply import Applied
from bcns_pipeline.defs.refunds.fates import Fate, table_row
from bcns_pipeline.defs.refunds.planning import Planned
from bcns_pipeline.defs.refunds.run import FLOW, policy_of
from bcns_pipeline.defs.refunds.take import Taken
from bcns_pipeline.defs.tables import SHOWN, calls_of, table
from bcns_pipeline.resources.connections import Connections

_COLUMNS = ("refund", "order", "outcome", "total", "currency", "as", "code", "why")


def of_refunds(connections: Connections, taken: Taken) -> dict[str, Any]:
    """What was read, and what it gives back by currency."""
    return {
        "summary": taken.sentence,
        "dagster/row_count": len(taken.read),
        "new_or_changed": len(taken.fresh),
        "since": str(taken.since or ""),
        "gone": len(taken.gone),
        "unreadable": table(("refund", "why"), sorted(taken.unreadable.items())[:SHOWN]),
        "marked_without_a_refund": table(("order",), [(one,) for one in taken.without[:SHOWN]]),
        "amounts": table(("currency", "amount"), [(code, one.amount) for code, one in taken.sums.items()]),
        **calls_of(connections, FLOW, 2),
    }


def of_plan(connections: Connections, planned: Planned) -> dict[str, Any]:
    """What would be written and why, and what became of every refund that was looked at."""
    policy = policy_of(connections)
    large = [
        (line.label, line.amount, why)
        for line in planned.lines
        if line.amount is not None and (why := policy.too_large(line.amount)) is not None
    ]
    return {
        "summary": planned.sentence,
        "plan": planned.plan.id,
        "plan_digest": planned.plan.digest,
        "config_digest": planned.plan.config_digest,
        "looked_at": len(planned.fates),
        "outcomes": table(("outcome", "refunds"), sorted(planned.counts.items())),
        "records": table(
            ("refund", "record", "key", "amount"),
            [(one.label, one.kind, one.natural_key, one.amount or "") for one in planned.lines[:SHOWN]],
        ),
        "waits_for_approval": table(("what", "amount", "why"), large[:SHOWN]),
        "refunds": _refunds(planned.fates),
        "waiting": _refunds([one for one in planned.fates if one.outcome in ("waiting", "declined")]),
    }


def of_records(connections: Connections, applied: Applied) -> dict[str, Any]:
    """What was written, what NetSuite shows of it, and what it cost."""
    writes = sum(applied.records.values())
    refunds = connections.state.refunds.many(applied.posted)
    rows = [
        (one.refund_id, one.order_id, one.route or "", one.total, one.read_total or "", one.open or "")
        for one in refunds.values()
    ]
    return {
        "summary": applied.sentence,
        "posted": len(applied.posted),
        "records_written": writes,
        "records": table(("record", "written"), sorted(applied.records.items())),
        "linked": applied.linked,
        "held_for_approval": applied.held,
        "reversed": len(applied.reversed),
        "equal_to_the_cent": applied.read_back.equal,
        "drifted": table(("refund", "what"), sorted(applied.read_back.drifted.items())[:SHOWN]),
        "refused": table(("refund", "code"), sorted(applied.refused.items())[:SHOWN]),
        "refunds": table(("refund", "order", "as", "bigcommerce", "netsuite", "unapplied"), rows[:SHOWN]),
        **calls_of(
            connections, FLOW, writes + (4 if writes else 1), connections.mapping.cash.refunds.call_budget
        ),
    }


def _refunds(fates: Sequence[Fate]) -> dg.TableMetadataValue:
    rows = [table_row(one) for one in fates[:SHOWN]]
    return table(_COLUMNS, [[row[name] for name in _COLUMNS] for row in rows])
