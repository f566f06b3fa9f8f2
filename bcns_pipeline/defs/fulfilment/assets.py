"""The fulfilment flow: netsuite/item_fulfilments -> fulfilment/shipment_plan -> bigcommerce/shipments.

Read this file to see the flow; each step is one call into the module beside it that does the work: take.py reads,
planning.py plans, apply.py sends. Records travel through the state and never through Dagster.
"""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from bcns_pipeline.defs.fulfilment import report
from bcns_pipeline.defs.fulfilment.apply import apply_plan
from bcns_pipeline.defs.fulfilment.planning import make_plan
from bcns_pipeline.defs.fulfilment.run import FLOW, OWNERS, require
from bcns_pipeline.defs.fulfilment.take import take
from bcns_pipeline.defs.modes import Mode, ModeConfig
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import outside_errors, stop_run_retries

POOL = "fulfilment"
SALES_ORDERS = dg.AssetKey(["netsuite", "sales_orders"])


@dg.asset(
    key=["netsuite", "item_fulfilments"],
    group_name=FLOW,
    kinds={"netsuite"},
    owners=OWNERS,
    pool=POOL,
    hooks={stop_run_retries},
    description="Fulfilments of our orders that are new or changed, with parcels and lines, as NetSuite has them.",
)
def item_fulfilments(context: dg.AssetExecutionContext, connections: Connections) -> dg.MaterializeResult:
    """Extract: nothing is decided and nothing is written outside."""
    require(connections)
    with outside_errors():
        taken = take(connections, context.log.info)
    context.log.info(taken.sentence)
    return dg.MaterializeResult(metadata=report.of_fulfilments(connections, taken))


@dg.asset(
    key=["fulfilment", "shipment_plan"],
    group_name=FLOW,
    kinds={"postgres"},
    owners=OWNERS,
    pool=POOL,
    deps=[item_fulfilments, SALES_ORDERS],
    hooks={stop_run_retries},
    description="Which shipments the store lacks, and what stands in the way of the rest.",
)
def shipment_plan(
    context: dg.AssetExecutionContext, config: ModeConfig, connections: Connections
) -> dg.MaterializeResult:
    """Plan: pure rules over what was shipped and what the store shows."""
    require(connections)
    with outside_errors():
        planned = make_plan(connections, mode=Mode(config.mode))
    context.log.info(planned.sentence)
    return dg.MaterializeResult(metadata=report.of_plan(planned))


@dg.asset(
    key=["bigcommerce", "shipments"],
    group_name=FLOW,
    kinds={"bigcommerce"},
    owners=OWNERS,
    pool=POOL,
    deps=[shipment_plan],
    output_required=False,
    hooks={stop_run_retries},
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=2), warn_window=timedelta(minutes=15)
    ),
    description="Shipments in the store, one per fulfilment and address; each order's status follows what was shipped.",
)
def shipments(
    context: dg.AssetExecutionContext, config: ModeConfig, connections: Connections
) -> Iterator[dg.MaterializeResult]:
    """Apply: shipments, then statuses by what the store shows, then a note on the fulfilment."""
    require(connections)
    if Mode(config.mode) is Mode.PLAN:
        context.log.info("mode plan: nothing is sent; the plan is shown at fulfilment/shipment_plan")
        return
    plans = connections.state.plans.of_run(context.run.run_id, FLOW)
    with outside_errors():
        applied = apply_plan(connections, plans[-1] if plans else None, context.log.info)
    context.log.info(applied.sentence)
    yield dg.MaterializeResult(metadata=report.of_shipments(connections, applied))


ASSETS = [item_fulfilments, shipment_plan, shipments]
