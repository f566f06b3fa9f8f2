"""Nothing that was looked at gets lost: the identity that every plan has to satisfy.

Put the comparison here, which is the same for all flows. Do not put the names of a flow's outcomes here.
"""

from collections.abc import Collection

import dagster as dg

from bcns_pipeline.resources.connections import Connections


def accounted_for(
    context: dg.AssetCheckExecutionContext, connections: Connections, flow: str, outcomes: Collection[str]
) -> dg.AssetCheckResult:
    """Passes where the outcomes of this run's plan add up to what was looked at; a run without a plan passes."""
    plans = connections.state.plans.of_run(context.run.run_id, flow)
    counts = plans[-1].summary["outcomes"] if plans else {}
    looked_at = plans[-1].summary["looked_at"] if plans else 0
    accounted = sum(counts.get(name, 0) for name in outcomes)
    return dg.AssetCheckResult(
        passed=looked_at == accounted, metadata={"looked_at": looked_at, "accounted": accounted, **counts}
    )
