"""What a person sees of a run of the customer flow: shoppers by outcome, what waits and why, probable duplicates.

Put metadata here, built from what the steps hand over. Do not put a decision here, and no personal data: a shopper
is named by its id.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from bcns_pipeline.defs.customers.apply import Applied
from bcns_pipeline.defs.customers.fates import Fate
from bcns_pipeline.defs.customers.planning import Planned
from bcns_pipeline.defs.customers.run import FLOW
from bcns_pipeline.defs.customers.take import Taken
from bcns_pipeline.defs.tables import SHOWN, calls_of, table
from bcns_pipeline.resources.connections import Connections

_COLUMNS = ("shopper", "outcome", "customer", "fields", "codes", "why")
_PAGE, _BATCH = 250, 500


def of_customers(connections: Connections, taken: Taken) -> dict[str, Any]:
    """What was read."""
    return {
        "summary": taken.sentence,
        "dagster/row_count": len(taken.read),
        "new_or_changed": taken.changed,
        "gone": len(taken.gone),
        "changed_without_a_word": taken.swept,
        **calls_of(connections, FLOW, 2 + -(-taken.asked // _PAGE)),
    }


def of_plan(planned: Planned) -> dict[str, Any]:
    """What would be written and why, and what became of every shopper that was looked at."""
    return {
        "summary": planned.sentence,
        "plan": planned.plan.id,
        "plan_digest": planned.plan.digest,
        "config_digest": planned.plan.config_digest,
        "looked_at": len(planned.fates),
        "outcomes": table(("outcome", "shoppers"), sorted(planned.counts.items())),
        "shoppers": _shoppers(planned.fates),
        "waiting": _shoppers([one for one in planned.fates if one.problems]),
        "duplicates": table(
            ("keep", "others", "why", "subsidiary"),
            [
                (one.keep, ", ".join(map(str, one.others)), one.why, one.subsidiary or "")
                for one in planned.duplicates[:SHOWN]
            ],
        ),
    }


def of_netsuite(connections: Connections, applied: Applied) -> dict[str, Any]:
    """What was written and read back, and what it cost."""
    writes = len(applied.created) + len(applied.changed)
    # Who is who, their address books, and the read-back of both.
    reads = 4 * -(-writes // _BATCH)
    return {
        "summary": applied.sentence,
        "made": len(applied.created),
        "changed": len(applied.changed),
        "there_already": applied.adopted,
        "linked": applied.linked,
        "as_written": applied.equal,
        "not_as_written": table(
            ("shopper", "fields"),
            [(one, ", ".join(fields)) for one, fields in sorted(applied.apart.items())[:SHOWN]],
        ),
        "refused": table(("shopper", "netsuite_said"), sorted(applied.refused.items())[:SHOWN]),
        **calls_of(connections, FLOW, writes + reads, connections.mapping.customers.call_budget),
    }


def _shoppers(fates: Sequence[Fate]) -> dg.TableMetadataValue:
    return table(
        _COLUMNS,
        [
            (
                one.customer_id,
                one.outcome,
                one.netsuite_id or "",
                ", ".join(one.fields),
                ", ".join(problem.code for problem in one.problems),
                " ".join(problem.sentence for problem in one.problems) or one.reason,
            )
            for one in fates[:SHOWN]
        ],
    )
