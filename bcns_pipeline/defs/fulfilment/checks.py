"""What must be true after each step of the fulfilment flow; a person reads these as promises.

Put the comparison and its severity here. Do not put the computation of either side here.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from bcns_pipeline.defs.fulfilment.assets import item_fulfilments, shipment_plan, shipments
from bcns_pipeline.defs.fulfilment.run import FLOW
from bcns_pipeline.defs.promises import WARN, none_asked, promise, within_budget
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.kinds.fulfilment import KINDS


@promise(asset=item_fulfilments, description="No fulfilment that was read waits for too long.")
def no_fulfilment_waits(connections: Connections) -> dg.AssetCheckResult:
    """Those just read are young; an old one is met again and again by runs that do not get through."""
    waiting = connections.state.inbox.waiting("fulfilment")
    most = timedelta(minutes=connections.mapping.alerts.backlog.fulfilment.minutes)
    age = timedelta(0) if waiting.oldest is None else datetime.now(UTC) - waiting.oldest
    return dg.AssetCheckResult(
        passed=age <= most,
        severity=WARN,
        metadata={"waiting": waiting.count, "oldest_minutes": int(age.total_seconds() // 60)},
    )


@promise(
    asset=shipment_plan,
    blocking=True,
    description="Every fulfilment that waited was looked at, or is not ours.",
)
def no_fulfilment_is_lost(
    context: dg.AssetCheckExecutionContext, connections: Connections
) -> dg.AssetCheckResult:
    """Claimed = looked at + unknown; otherwise nothing is sent."""
    plans = connections.state.plans.of_run(context.run.run_id, FLOW)
    summary = plans[-1].summary if plans else {"claims": {}, "fulfilments": 0, "unknown": 0}
    claimed = len(summary["claims"])
    return dg.AssetCheckResult(
        passed=claimed == summary["fulfilments"] + summary["unknown"],
        metadata={
            "claimed": claimed,
            "looked_at": summary["fulfilments"],
            "unknown": summary["unknown"],
        },
    )


@promise(asset=shipments, description="Every shipped line is in the store, and no more than was ordered.")
def every_shipped_line_is_in_the_store(connections: Connections) -> dg.AssetCheckResult:
    """What the store did not take, or what does not fit the order, is a question with an owner."""
    return none_asked(connections, FLOW, [kind.code for kind in KINDS if kind.severity == "error"], WARN)


CHECKS = [
    no_fulfilment_waits,
    no_fulfilment_is_lost,
    every_shipped_line_is_in_the_store,
    within_budget(shipments, "fulfilment.call_budget", FLOW),
]
