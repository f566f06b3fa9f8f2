"""The refund flow: bigcommerce/refunds -> refunds/credit_plan -> netsuite/refund_records.

Read this file to see the flow; each step is one call into the module beside it that does the work: take.py reads,
planning.py plans, apply.py sends and reads back. Records travel through the state and never through Dagster. The money
has gone back already, or a marketplace pays it: nothing here ever calls a payment provider.
"""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.days import by_day, day_partitions, days_of
from bcns_pipeline.defs.modes import Mode, ModeConfig
from bcns_pipeline.defs.refunds import report
from bcns_pipeline.defs.refunds.apply import apply_plan
from bcns_pipeline.defs.refunds.fates import remember
from bcns_pipeline.defs.refunds.planning import make_plan, plan_of
from bcns_pipeline.defs.refunds.run import FLOW, OWNERS, require
from bcns_pipeline.defs.refunds.take import take
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import outside_errors, stop_run_retries

POOL = "refunds"
SALES_ORDERS = dg.AssetKey(["netsuite", "sales_orders"])


@dg.asset(
    key=["bigcommerce", "refunds"],
    group_name=FLOW,
    kinds={"bigcommerce"},
    owners=OWNERS,
    pool=POOL,
    hooks={stop_run_retries},
    description="Refunds as BigCommerce has them now: new and changed ones, or with partitions those of these days.",
)
def refunds(context: dg.AssetExecutionContext, connections: Connections) -> dg.MaterializeResult:
    """Extract: nothing is decided and nothing is written outside."""
    require(connections)
    with outside_errors():
        taken = take(connections, context.log.info, days_of(context.run))
    return dg.MaterializeResult(metadata=report.of_refunds(connections, taken))


@dg.asset(
    key=["refunds", "credit_plan"],
    group_name=FLOW,
    kinds={"postgres"},
    owners=OWNERS,
    pool=POOL,
    deps=[refunds, SALES_ORDERS],
    hooks={stop_run_retries},
    description="Which records each refund becomes in NetSuite, and why those that wait, wait.",
)
def credit_plan(
    context: dg.AssetExecutionContext, config: ModeConfig, connections: Connections
) -> dg.MaterializeResult:
    """Plan: pure rules over the refund, its order's payments, and what NetSuite has."""
    require(connections)
    mode = Mode(config.mode)
    with outside_errors():
        planned = make_plan(connections, mode=mode, days=days_of(context.run))
        if mode is Mode.APPLY:
            remember(connections, planned.fates)
    context.log.info(planned.sentence)
    return dg.MaterializeResult(metadata=report.of_plan(connections, planned))


@dg.asset(
    key=["netsuite", "refund_records"],
    group_name=FLOW,
    kinds={"netsuite"},
    owners=OWNERS,
    pool=POOL,
    deps=[credit_plan],
    # A plan materialises nothing: what lies downstream is skipped, and freshness does not turn green.
    output_required=False,
    hooks={stop_run_retries},
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=6), warn_window=timedelta(hours=2)
    ),
    description="Credit memos and one settlement per payment in NetSuite, each once, read back, nothing unapplied.",
)
def refund_records(
    context: dg.AssetExecutionContext, config: ModeConfig, connections: Connections
) -> Iterator[dg.MaterializeResult]:
    """Apply: for each refund journals of stored value, the credit memo, then the money; then read back."""
    require(connections)
    if Mode(config.mode) is Mode.PLAN:
        context.log.info("mode plan: nothing is sent; the plan is shown at refunds/credit_plan")
        return
    with outside_errors():
        applied = apply_plan(connections, plan_of(connections, context.run.run_id), context.log.info)
    context.log.info(applied.sentence)
    yield dg.MaterializeResult(metadata=report.of_records(connections, applied))


STEPS = [refunds, credit_plan, refund_records]


def assets(mapping: Mapping) -> list[dg.AssetsDefinition]:
    """The flow's assets, with the store's days where they read a day or write its records."""
    days = day_partitions(mapping)
    return [by_day(refunds, days, at_once=True), credit_plan, by_day(refund_records, days, at_once=True)]
