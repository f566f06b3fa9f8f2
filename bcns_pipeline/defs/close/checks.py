"""What must be true of a period before it is closed.

Put the comparison and its severity here. Do not put the computation of either side here (rules/close).
"""

from datetime import date, timedelta

import dagster as dg

from bcns_pipeline.defs.close import reports
from bcns_pipeline.defs.close.assets import clearing_evidence, evidence_pack, tie_out
from bcns_pipeline.defs.close.questions import UNEXPLAINED
from bcns_pipeline.defs.close.run import FLOW
from bcns_pipeline.defs.promises import promise
from bcns_pipeline.resources.connections import Connections


@promise(asset=tie_out, blocking=True, description="Every cent of the day's orders has one reason.")
def no_cent_is_unknown(
    context: dg.AssetCheckExecutionContext, connections: Connections
) -> dg.AssetCheckResult:
    """UNKNOWN is 0.00 in each currency; otherwise the orders are named."""
    day = date.fromisoformat(context.run.tags["dagster/partition"])
    about = reports.about(connections.state, day, day + timedelta(days=1), connections.mapping)
    found = reports.ties(connections.state, about)
    lost = [one for one in found if one.unknown]
    broken = [one for one in found if sum(one.parts.values()) != one.net]
    return dg.AssetCheckResult(
        passed=not lost and not broken,
        metadata={
            "orders": len(found),
            "unknown": len(lost),
            "parts_that_do_not_add_up": len(broken),
            "first": ", ".join(str(one.order_id) for one in [*lost, *broken][:20]) or "none",
        },
    )


@promise(
    asset=clearing_evidence,
    description="FI7: each clearing account closes to what NetSuite and the providers say, or it is named.",
)
def fi7_the_outside_says_the_same(connections: Connections) -> dg.AssetCheckResult:
    """What can't be proven, because somebody can't say or does not know yet, is no failure; the report says so."""
    found = connections.state.exceptions.find(flow=FLOW, code=UNEXPLAINED)
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"open": len(found), "first": "\n".join(one.message for one in found[:20]) or "none"},
    )


@promise(asset=evidence_pack, description="The last pack's checklist is green: the month may be closed.")
def the_month_may_be_closed(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """As the pack of this run said; a month with open questions stays open."""
    event = context.instance.get_latest_materialization_event(evidence_pack.key)
    found = (
        {} if event is None or event.asset_materialization is None else event.asset_materialization.metadata
    )
    green = found.get("green")
    return dg.AssetCheckResult(
        passed=bool(green is not None and green.value), severity=dg.AssetCheckSeverity.WARN
    )


CHECKS = [no_cent_is_unknown, fi7_the_outside_says_the_same, the_month_may_be_closed]
