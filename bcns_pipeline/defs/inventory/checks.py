"""What must be true after each step of the inventory flow; a person reads these as promises.

Put the comparison and its severity here. Do not put the computation of either side here: what a run planned and
did is in the state, under the run's id.
"""

import dagster as dg

from bcns_pipeline.defs.inventory import report
from bcns_pipeline.defs.inventory.assets import diff, inventory_levels, inventory_snapshot, orphans
from bcns_pipeline.defs.inventory.orphans import find_orphans
from bcns_pipeline.defs.inventory.run import FLOW
from bcns_pipeline.defs.inventory.trouble import out_of_step
from bcns_pipeline.defs.promises import WARN, none_asked, promise, within_budget
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.state.inventory_views import oversold


@promise(asset=inventory_snapshot, description="The mapping file has no fault.")
def mapping_is_sound(connections: Connections) -> dg.AssetCheckResult:
    """A faulty file loads with defaults, so that the graph is there; this says so."""
    faults = connections.mapping_faults
    return dg.AssetCheckResult(
        passed=not faults, severity=WARN, metadata={"faults": "\n".join(faults) or "none"}
    )


@promise(asset=diff, blocking=True, description="Fetched = planned + skipped + excepted.")
def nothing_is_lost(context: dg.AssetCheckExecutionContext, connections: Connections) -> dg.AssetCheckResult:
    """Every row that was fetched is accounted for; otherwise nothing is sent."""
    plan = connections.state.plans.of_run(context.run.run_id, FLOW)[0]
    counts = {name: plan.summary[name] for name in ("fetched", "planned", "skipped", "excepted")}
    accounted = counts["planned"] + counts["skipped"] + counts["excepted"]
    return dg.AssetCheckResult(
        passed=counts["fetched"] == accounted and counts["planned"] == plan.lines, metadata=counts
    )


@promise(asset=diff, description="No SKU is used twice or blank.")
def skus_are_unambiguous(connections: Connections) -> dg.AssetCheckResult:
    """An ambiguous SKU is blocked alone; someone should look."""
    return none_asked(connections, FLOW, ("SKU_AMBIGUOUS",), WARN)


@promise(asset=inventory_levels, description="Nothing pushed or shown is above what is sellable.")
def nothing_oversells(
    context: dg.AssetCheckExecutionContext, connections: Connections
) -> dg.AssetCheckResult:
    """Pushed <= sellable for every line of the run, and after healing the store shows no more than was confirmed."""
    pushed_above, shown_above, lines = oversold(connections.state, context.run.run_id)
    return dg.AssetCheckResult(
        passed=pushed_above == 0 and shown_above == 0,
        metadata={"lines": lines, "pushed_above_sellable": pushed_above, "shown_above_sellable": shown_above},
    )


@promise(asset=inventory_levels, description="No SKU is out of step for longer than the mapping allows.")
def every_sku_is_fresh(connections: Connections) -> dg.AssetCheckResult:
    """Freshness per SKU and not per job: one stuck SKU among 100,000 is seen; by class, what is out of step now."""
    return none_asked(
        connections, FLOW, ("SKU_STALE",), classes=report.freshness_table(out_of_step(connections))
    )


@promise(asset=inventory_levels, description="Pushing is not paused by the breaker.")
def pushing_is_not_paused(connections: Connections) -> dg.AssetCheckResult:
    """A tripped breaker waits for a person: `bcns approve`."""
    found = connections.state.exceptions.find(flow=FLOW, code="INVENTORY_BREAKER")
    said = found[0].message if found else "not tripped"
    return dg.AssetCheckResult(passed=not found, metadata={"breaker": said})


@promise(asset=orphans, description="Every sellable SKU is known on both sides.")
def no_orphans(connections: Connections) -> dg.AssetCheckResult:
    """Orphans are reported with age and stock at stake; nothing is changed for them."""
    found = find_orphans(connections)
    alone = len(found.netsuite_only) + len(found.bigcommerce_only)
    return dg.AssetCheckResult(passed=alone == 0, severity=WARN, metadata={"summary": found.sentence})


CHECKS = [
    mapping_is_sound,
    nothing_is_lost,
    skus_are_unambiguous,
    nothing_oversells,
    every_sku_is_fresh,
    pushing_is_not_paused,
    within_budget(inventory_levels, "inventory.call_budget"),
    no_orphans,
]
