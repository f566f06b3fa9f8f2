"""What a person sees of a run of the cash flow: payments read, what is written, what each order waits for.

Put metadata here, built from what the steps hand over. Do not put a decision here, and no personal data: an order is
named by its id.
"""

from collections import Counter
from typing import Any

from bcns_pipeline.defs.cash.apply import Applied
from bcns_pipeline.defs.cash.planning import Planned
from bcns_pipeline.defs.cash.reconcile import Reconciled
from bcns_pipeline.defs.cash.run import FLOW
from bcns_pipeline.defs.cash.take import Taken
from bcns_pipeline.defs.tables import SHOWN, calls_of, table
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money

_BATCH = 500


def of_transactions(connections: Connections, taken: Taken) -> dict[str, Any]:
    """What was read, and how many calls it took."""
    return {
        "summary": taken.sentence,
        "dagster/row_count": taken.transactions,
        "orders_read": taken.read,
        "orders_unchanged": taken.unchanged,
        "captures": taken.captures,
        "moved_in_netsuite": taken.reopened,
        "unreadable": table(("order", "why"), sorted(taken.unreadable.items())[:SHOWN]),
        **calls_of(connections, FLOW, 2 + taken.read),
    }


def of_plan(connections: Connections, planned: Planned) -> dict[str, Any]:
    """The plan: what would be written and why, and what every order waits for."""
    too_large = connections.cash_policy.too_large
    steps = [
        (
            step.order_id,
            step.kind,
            step.key,
            str(step.amount or ""),
            step.account or "",
            step.on,
            step.reason,
        )
        for step in planned.steps
    ]
    held = [
        (step.order_id, step.kind, str(step.amount), why)
        for step in planned.steps
        if step.amount is not None and (why := too_large(step.amount))
    ]
    waits = [(one.order_id, one.outcome, one.code or "", one.why) for one in planned.fates if one.why]
    return {
        "summary": planned.sentence,
        "plan": planned.plan.id,
        "plan_digest": planned.plan.digest,
        "config_digest": planned.plan.config_digest,
        "looked_at": len(planned.fates),
        "outcomes": table(("outcome", "orders"), sorted(planned.counts.items())),
        "records": table(("kind", "records"), sorted(Counter(one.kind for one in planned.steps).items())),
        "money_impact": table(
            ("currency", "amount"), sorted(planned.plan.summary.get("amounts", {}).items())
        ),
        "steps": table(("order", "record", "key", "amount", "account", "day", "why"), steps[:SHOWN]),
        "waits_for_approval": table(("order", "record", "amount", "why"), held[:SHOWN]),
        "waiting": table(("order", "outcome", "code", "why"), waits[:SHOWN]),
    }


def of_records(connections: Connections, applied: Applied) -> dict[str, Any]:
    """What was written, and what it cost against the fewest calls that the same work can be done with."""
    writes = sum(applied.written.values())
    batches = max(1, -(-writes // _BATCH))
    received = [
        (currency, str(Money(minor, currency).amount)) for currency, minor in sorted(applied.amounts.items())
    ]
    return {
        "summary": applied.sentence,
        "dagster/row_count": writes,
        **{f"{kind}s": count for kind, count in sorted(applied.written.items())},
        "there_already": applied.adopted,
        "held_for_approval": applied.held,
        "received": table(("currency", "amount"), received),
        "refused": table(("order", "code"), sorted(applied.refused.items())[:SHOWN]),
        "equal_to_the_cent": applied.read_back.equal,
        "drifted": table(("order", "what"), sorted(applied.read_back.drifted.items())[:SHOWN]),
        **calls_of(connections, FLOW, writes + 3 * batches, connections.mapping.cash.call_budget),
    }


def of_comparison(connections: Connections, found: Reconciled) -> dict[str, Any]:
    """The nightly comparison: orders equal to the cent, and those that are not."""
    return {
        "summary": found.sentence,
        "orders": found.orders,
        "equal_to_the_cent": found.equal,
        "waiting": found.waiting,
        "receipts": found.records,
        "different": table(("order", "what"), sorted(found.different.items())[:SHOWN]),
        **calls_of(connections, FLOW, max(1, -(-found.records // 1000))),
    }
