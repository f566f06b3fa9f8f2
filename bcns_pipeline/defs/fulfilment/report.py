"""What a person sees of a run of the fulfilment flow.

Put metadata here, built from what the steps hand over. Do not put a decision here.
"""

from typing import Any

from bcns_pipeline.defs.fulfilment.apply import Applied
from bcns_pipeline.defs.fulfilment.planning import Planned
from bcns_pipeline.defs.fulfilment.run import FLOW
from bcns_pipeline.defs.fulfilment.take import Taken
from bcns_pipeline.defs.tables import SHOWN, calls_of, spread_of, table
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.orders.status import label


def of_fulfilments(connections: Connections, taken: Taken) -> dict[str, Any]:
    """What was read, and since when."""
    return {
        "summary": taken.sentence,
        "dagster/row_count": taken.ours,
        "listed": taken.listed,
        "new_or_changed": taken.fresh,
        "looked_at_again": taken.again,
        "deleted": taken.deleted,
        "since": taken.since,
        **spread_of("change_to_read", taken.waits),
        **calls_of(connections, FLOW, 2 + (2 if taken.ours else 0) + (3 if taken.again else 0)),
    }


def of_plan(planned: Planned) -> dict[str, Any]:
    """What would be shown to shoppers, and what stands in the way."""
    problems = [
        (order_id, one.code, one.sentence)
        for order_id, some in sorted(planned.orders.items())
        for one in some
    ]
    return {
        "summary": planned.sentence,
        "plan": planned.plan.id,
        "plan_digest": planned.plan.digest,
        "fulfilments": planned.fulfilments,
        "orders": len(planned.orders),
        # What the goods of new shipments cost the shoppers; the shipments themselves move no money.
        "goods": table(("currency", "amount"), sorted(planned.plan.summary.get("amounts", {}).items())),
        "actions": table(
            ("action", "shipment", "fulfilment", "address"),
            [
                (one.kind, one.natural_key, one.fulfilment_id, one.address_id)
                for one in planned.actions[:SHOWN]
            ],
        ),
        "questions": table(("order", "code", "why"), problems[:SHOWN]),
        "stopped_in_netsuite": table(
            ("order", "why", "what follows"),
            [
                *((one.payload["order_id"], one.reason, "the store is told") for one in planned.stops.lines),
                *((one, why.sentence, "a question") for one, why in planned.stops.questions.items() if why),
            ][:SHOWN],
        ),
    }


def of_shipments(connections: Connections, applied: Applied) -> dict[str, Any]:
    """What was made, changed and moved, and what it cost."""
    writes = len(applied.shipments) + len(applied.updates) + len(applied.moved) + applied.notes
    return {
        "summary": applied.sentence,
        "shipments": len(applied.shipments),
        "updates": len(applied.updates),
        "there_already": applied.adopted,
        "held_for_approval": applied.held,
        "notes": applied.notes,
        "moved": table(
            ("order", "status"),
            [(one, label(status)) for one, status in sorted(applied.moved.items())[:SHOWN]],
        ),
        "refused": table(("order", "code"), sorted(applied.refused.items())[:SHOWN]),
        **calls_of(
            connections,
            FLOW,
            writes + (1 if applied.orders else 0),
            connections.mapping.fulfilment.call_budget,
        ),
    }
