"""The order flow.

bigcommerce/orders -> orders/sales_order_plan -> netsuite/sales_orders -> bigcommerce/order_references

Read this file to see the flow; each step is one call into the module beside it that does the work: take.py reads,
planning.py plans, apply.py sends and reads back, references.py writes NetSuite's number onto the order. Records
travel through the state and never through Dagster; what Dagster gets are counts, tables and links.
"""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.days import by_day, day_partitions, days_of
from bcns_pipeline.defs.modes import Mode, ModeConfig
from bcns_pipeline.defs.orders import report
from bcns_pipeline.defs.orders.apply import apply_plan
from bcns_pipeline.defs.orders.fates import remember
from bcns_pipeline.defs.orders.planning import make_plan, plan_of
from bcns_pipeline.defs.orders.references import write_references
from bcns_pipeline.defs.orders.run import FLOW, OWNERS, require
from bcns_pipeline.defs.orders.take import drain, reread
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import outside_errors, stop_run_retries

# The next run reads and plans while this one writes, and its writing waits for this one's.
PLAN_POOL = "orders_planned"
POOL = "orders"
# What one run has read is planned before the other one reads: nothing can be written earlier.
FIRST = {"dagster/priority": "1"}
REFERENCE_POOL = "order_references"
CUSTOMERS = dg.AssetKey(["netsuite", "customers"])
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=2), warn_window=timedelta(minutes=30))


@dg.asset(
    key=["bigcommerce", "orders"],
    group_name=FLOW,
    kinds={"bigcommerce"},
    owners=OWNERS,
    pool=PLAN_POOL,
    hooks={stop_run_retries},
    description="Orders as BigCommerce has them now: what changed, or with partitions every order of those days.",
)
def orders(context: dg.AssetExecutionContext, connections: Connections) -> dg.MaterializeResult:
    """Extract: nothing is decided and nothing is written outside."""
    require(connections)
    days = days_of(context.run)
    with outside_errors():
        taken = (
            drain(connections, context.log.info)
            if days is None
            else reread(connections, days, context.log.info)
        )
    context.log.info(taken.sentence)
    return dg.MaterializeResult(metadata=report.of_orders(connections, taken))


@dg.asset(
    key=["orders", "sales_order_plan"],
    group_name=FLOW,
    kinds={"postgres"},
    owners=OWNERS,
    pool=PLAN_POOL,
    op_tags=FIRST,
    deps=[orders, CUSTOMERS],
    hooks={stop_run_retries},
    description="What each order that is due would become in NetSuite, and why those that wait, wait.",
)
def sales_order_plan(
    context: dg.AssetExecutionContext, config: ModeConfig, connections: Connections
) -> dg.MaterializeResult:
    """Plan: pure rules over what was read, the mapping, and what the state and NetSuite know."""
    require(connections)
    mode = Mode(config.mode)
    with outside_errors():
        planned = make_plan(connections, mode=mode, days=days_of(context.run))
        if mode is Mode.APPLY:
            remember(connections, planned.fates)
    context.log.info(planned.sentence)
    return dg.MaterializeResult(metadata=report.of_plan(connections, planned))


@dg.asset(
    key=["netsuite", "sales_orders"],
    group_name=FLOW,
    kinds={"netsuite"},
    owners=OWNERS,
    pool=POOL,
    deps=[sales_order_plan],
    # A plan materialises nothing: what lies downstream is skipped, and freshness does not turn green.
    output_required=False,
    hooks={stop_run_retries},
    freshness_policy=FRESH,
    description="Sales orders and cash sales in NetSuite, each once, read back and equal to the cent.",
)
def sales_orders(
    context: dg.AssetExecutionContext, config: ModeConfig, connections: Connections
) -> Iterator[dg.MaterializeResult]:
    """Apply: customers, then their orders, through the outbox; then read back and compare."""
    require(connections)
    if Mode(config.mode) is Mode.PLAN:
        context.log.info("mode plan: nothing is sent; the plan is shown at orders/sales_order_plan")
        return
    with outside_errors():
        plan = plan_of(connections, context.run.run_id)
        applied = apply_plan(connections, plan, context.log.info)
    context.log.info(applied.sentence)
    yield dg.MaterializeResult(metadata=report.of_sales_orders(connections, applied, plan))


@dg.asset(
    key=["bigcommerce", "order_references"],
    group_name=FLOW,
    kinds={"bigcommerce"},
    owners=OWNERS,
    pool=REFERENCE_POOL,
    deps=[sales_orders],
    output_required=False,
    hooks={stop_run_retries},
    freshness_policy=FRESH,
    description="NetSuite's id and number on the BigCommerce orders, without touching a money field.",
)
def order_references(
    context: dg.AssetExecutionContext, config: ModeConfig, connections: Connections
) -> Iterator[dg.MaterializeResult]:
    """Write back, in a lane of its own: the next run's sales orders do not wait for it."""
    require(connections)
    if Mode(config.mode) is Mode.PLAN:
        return
    with outside_errors():
        referenced = write_references(connections, context.log.info)
    context.log.info(referenced.sentence)
    yield dg.MaterializeResult(metadata=report.of_references(connections, referenced))


STEPS = [orders, sales_order_plan, sales_orders, order_references]


def assets(mapping: Mapping) -> list[dg.AssetsDefinition]:
    """The flow's assets, with the store's days where they read a day or write its records."""
    days = day_partitions(mapping)
    return [
        by_day(orders, days, at_once=True),
        sales_order_plan,
        by_day(sales_orders, days, at_once=True),
        order_references,
    ]
