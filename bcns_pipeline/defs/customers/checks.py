"""What must be true after each step of the customer flow; a person reads these as promises.

Put the comparison and its severity here. Do not put the computation of either side here: what a run planned is in
the state.
"""

from datetime import UTC, datetime

import dagster as dg

from bcns_pipeline.defs.accounting import accounted_for
from bcns_pipeline.defs.customers.assets import change_plan, customers, netsuite_customers
from bcns_pipeline.defs.customers.run import FLOW, due
from bcns_pipeline.defs.promises import WARN, none_open, promise, within_budget
from bcns_pipeline.resources.connections import Connections

# So long a changed shopper may wait: a few runs of the sensor.
LATE_MINUTES = 15
ACCOUNTED = ("created", "changed", "linked", "unchanged", "waiting", "deferred", "gone", "erased")


@promise(asset=customers, description=f"No shopper waits for more than {LATE_MINUTES} minutes to be read.")
def no_shopper_is_left_behind(connections: Connections) -> dg.AssetCheckResult:
    """More changes than a run takes are worked off by the next ones; a row that stays is none of those."""
    waiting = connections.state.inbox.waiting("customer")
    since = waiting.oldest
    late = since is not None and (datetime.now(UTC) - since).total_seconds() > LATE_MINUTES * 60
    return dg.AssetCheckResult(
        passed=not late,
        severity=WARN,
        metadata={"waiting": waiting.count, "since": since.isoformat() if since else "none"},
    )


@promise(
    asset=change_plan,
    blocking=True,
    description="Looked at = created + changed + linked + unchanged + waiting + deferred + gone + erased.",
)
def no_shopper_is_lost(
    context: dg.AssetCheckExecutionContext, connections: Connections
) -> dg.AssetCheckResult:
    """Every shopper that was looked at is accounted for; otherwise nothing is sent."""
    return accounted_for(context, connections, FLOW, ACCOUNTED)


@promise(asset=change_plan, description="No customer that was looked at is in NetSuite twice.")
def no_duplicates(context: dg.AssetCheckExecutionContext, connections: Connections) -> dg.AssetCheckResult:
    """Probable duplicates stand in the plan's table, for whoever merges them; nothing is merged by itself."""
    plans = connections.state.plans.of_run(context.run.run_id, FLOW)
    found = plans[-1].summary["duplicates"] if plans else 0
    return dg.AssetCheckResult(passed=not found, severity=WARN, metadata={"groups": found})


@promise(asset=netsuite_customers, description="Every shopper that changed is in NetSuite.")
def every_shopper_is_in_netsuite(connections: Connections) -> dg.AssetCheckResult:
    """What stands in the way is a question with an owner, and goes by itself once it is answered."""
    found = [one for one in connections.state.exceptions.find(flow=FLOW) if one.severity == "error"]
    return none_open([one.subject for one in found], WARN, due=len(due(connections)))


CHECKS = [
    no_shopper_is_left_behind,
    no_shopper_is_lost,
    no_duplicates,
    every_shopper_is_in_netsuite,
    within_budget(netsuite_customers, "customers.call_budget", FLOW),
]
