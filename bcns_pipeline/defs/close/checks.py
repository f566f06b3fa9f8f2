"""What must be true of a period before it is closed.

Put the comparison and its severity here. Do not put the computation of either side here (rules/close).
"""

import dagster as dg

from bcns_pipeline.defs.close import reports
from bcns_pipeline.defs.close.assets import clearing_evidence, evidence_pack, tie_out
from bcns_pipeline.defs.close.questions import UNEXPLAINED
from bcns_pipeline.defs.close.run import FLOW, day_by_day
from bcns_pipeline.defs.promises import WARN, promise
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.close.tie_out import of_day

# A hundredth of a percent.
ROUNDED_OF = 10_000


@promise(asset=tie_out, blocking=True, description="Every cent of the day's orders has one reason.")
def no_cent_is_unknown(
    context: dg.AssetCheckExecutionContext, connections: Connections
) -> dg.AssetCheckResult:
    """UNKNOWN is 0.00 in each currency on each day of the run; otherwise the orders are named."""
    state = connections.state
    days = [of_day(day.since, reports.ties(state, day)) for day in day_by_day(context.run, connections)]
    lost = [order for one in days for order in one.lost]
    broken = [order for one in days for order in one.broken]
    return dg.AssetCheckResult(
        passed=not lost and not broken,
        metadata={
            "orders": sum(one.orders for one in days),
            "unknown": len(lost),
            "parts_that_do_not_add_up": len(broken),
            "first": ", ".join(str(one.order_id) for one in [*lost, *broken][:20]) or "none",
        },
    )


@promise(
    asset=tie_out, description="Rounding lines of a day stay below a hundredth of a percent of what was sold."
)
def rounding_stays_small(
    context: dg.AssetCheckExecutionContext, connections: Connections
) -> dg.AssetCheckResult:
    """A rounding line is no place to hide a fault of the mapping (facts/finance.md 3.4). One order's cap is let be."""
    orders, least = connections.state.orders, connections.order_policy.max_rounding_lines
    found = [
        (day.since, one)
        for day in day_by_day(context.run, connections)
        for one in orders.rounding(day.since, day.since)
    ]
    much = [
        f"{day}: {one.rounding} on {one.rounded:,} of {one.orders:,} orders over {one.total}"
        for day, one in found
        if one.rounding.minor > max(least, one.total.minor // ROUNDED_OF)
    ]
    return dg.AssetCheckResult(
        passed=not much,
        severity=WARN,
        metadata={
            "orders": sum(one.orders for _, one in found),
            "rounded": sum(one.rounded for _, one in found),
            "too_much": "\n".join(much[:20]) or "none",
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
        severity=WARN,
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
    return dg.AssetCheckResult(passed=bool(green is not None and green.value), severity=WARN)


CHECKS = [no_cent_is_unknown, rounding_stays_small, fi7_the_outside_says_the_same, the_month_may_be_closed]
