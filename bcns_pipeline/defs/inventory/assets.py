"""The inventory flow: netsuite/inventory_snapshot -> inventory/diff -> bigcommerce/inventory_levels.

Read this file to see the flow; each step is one call into the module beside it that does the work: extract.py
and identify.py read, planning.py plans, apply.py sends and reads back. Rows travel through the state and never
through Dagster; what Dagster gets are counts, tables and links.
"""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from bcns_pipeline.defs.inventory import announce, buffer, netting, report
from bcns_pipeline.defs.inventory.apply import apply_plan
from bcns_pipeline.defs.inventory.extract import last_snapshot, take_snapshot
from bcns_pipeline.defs.inventory.identify import identify
from bcns_pipeline.defs.inventory.orphans import find_orphans, keep_orphans
from bcns_pipeline.defs.inventory.planning import excepted_of, make_plan, plan_of
from bcns_pipeline.defs.inventory.run import FLOW, OWNERS, InventoryConfig, Scope, off_the_beat
from bcns_pipeline.defs.inventory.trouble import (
    note_excepted,
    note_identities,
    note_kits,
    note_netting,
    note_places,
)
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import outside_errors, stop_run_retries

POOL = "inventory_bulk"


@dg.asset(
    key=["netsuite", "inventory_snapshot"],
    group_name=FLOW,
    kinds={"netsuite"},
    owners=OWNERS,
    pool=POOL,
    hooks={stop_run_retries},
    description="Stock as NetSuite has it now, page by page as read, and the BigCommerce record of each item.",
)
def inventory_snapshot(
    context: dg.AssetExecutionContext, config: InventoryConfig, connections: Connections
) -> dg.MaterializeResult:
    """Extract: nothing is decided and nothing is written outside."""
    if connections.mapping_faults:
        # What refuses has no checks made behind it; this one is about why it refuses.
        context.log_event(report.faulty_mapping(context.asset_key, connections.mapping_faults))
    connections.require("bigcommerce", "netsuite")
    off_the_beat(context.run, connections.mapping.inventory.jitter_seconds, context.log.info)
    with outside_errors():
        buffer.refuse(connections, look_again=True)
        snapshot, items = take_snapshot(
            connections, Scope(config.scope), context.run.run_id, context.log.info
        )
        whole = config.scope == Scope.RECONCILE
        identified = identify(
            connections,
            items,
            whole=whole,
            complete=snapshot.complete,
            lane=Lane.BULK,
            progress=context.log.info,
        )
    note_places(connections, snapshot.places.problems)
    note_netting(connections, snapshot.places.netting_problem)
    note_kits(connections, snapshot.kits_unreadable)
    note_identities(connections, identified.matched, whole=snapshot.complete)
    if identified.matched is not None and identified.whole and snapshot.complete:
        with outside_errors():
            keep_orphans(connections, identified.matched)
    buffer.note(connections, identified.held_back, whole=False)
    buffer.refuse(connections, look_again=False)
    return dg.MaterializeResult(metadata=report.of_snapshot(snapshot, identified))


@dg.asset(
    key=["inventory", "diff"],
    group_name=FLOW,
    kinds={"postgres"},
    owners=OWNERS,
    pool=POOL,
    deps=[inventory_snapshot],
    hooks={stop_run_retries},
    description="What a push would change and why: sellable by the merchant's rule against the last confirmed value.",
)
def diff(
    context: dg.AssetExecutionContext, config: InventoryConfig, connections: Connections
) -> dg.MaterializeResult:
    """Plan: a pure function of what was read, the mapping and what the state remembers."""
    connections.require("bigcommerce", "netsuite")
    snapshot = last_snapshot(connections)
    with outside_errors():
        planned = make_plan(connections, snapshot, flow=FLOW, mode=Mode(config.mode))
    unread, kits = excepted_of(connections, snapshot)
    computed = planned.wanted["item_id"].unique().tolist()
    note_excepted(connections, unread, kits, computed, whole=snapshot.complete)
    context.log.info(planned.sentence)
    sold = netting.sentence(connections.scratch.get(netting.SOLD))
    return dg.MaterializeResult(metadata={**report.of_plan(planned), "unposted": sold})


@dg.asset(
    key=["bigcommerce", "inventory_levels"],
    group_name=FLOW,
    kinds={"bigcommerce"},
    owners=OWNERS,
    pool=POOL,
    deps=[diff],
    # A plan materialises nothing: what lies downstream is skipped, and freshness does not turn green.
    output_required=False,
    hooks={stop_run_retries},
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=2), warn_window=timedelta(minutes=35)
    ),
    description="Stock levels as BigCommerce shows them after the push, read back and compared.",
)
def inventory_levels(
    context: dg.AssetExecutionContext, config: InventoryConfig, connections: Connections
) -> Iterator[dg.MaterializeResult]:
    """Apply: send the plan through the outbox, read back, heal what is above sellable."""
    connections.require("bigcommerce", "netsuite")
    if Mode(config.mode) is Mode.PLAN:
        context.log.info("mode plan: nothing is sent; the plan is shown at inventory/diff")
        return
    planned = plan_of(connections, context.run.run_id, flow=FLOW)
    with outside_errors():
        applied = apply_plan(connections, planned, progress=context.log.info)
    context.log.info(applied.sentence)
    metadata = report.of_push(connections, applied)
    announce.tell(connections, applied, context.log.warning)
    yield dg.MaterializeResult(metadata=metadata)


@dg.asset(
    key=["inventory", "orphans"],
    group_name=FLOW,
    kinds={"postgres"},
    owners=OWNERS,
    deps=[inventory_snapshot],
    hooks={stop_run_retries},
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(days=16), warn_window=timedelta(days=8)
    ),
    description="SKUs that only one side knows, with their age and the stock at stake; and SKUs that are used twice.",
)
def orphans(context: dg.AssetExecutionContext, connections: Connections) -> dg.MaterializeResult:
    """Report: what the last reconciliation could not pair."""
    connections.require("bigcommerce", "netsuite")
    found = find_orphans(connections)
    context.log.info(found.sentence)
    return dg.MaterializeResult(metadata=report.of_orphans(found))


FLOW_STEPS = [inventory_snapshot, diff, inventory_levels]
ASSETS = [*FLOW_STEPS, orphans]
