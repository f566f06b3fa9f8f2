"""The customer flow: bigcommerce/customers -> customers/change_plan -> netsuite/customers.

Read this file to see the flow; each step is one call into the module beside it that does the work: take.py reads,
planning.py plans, apply.py sends and reads back. Records travel through the state and never through Dagster.
"""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from bcns_pipeline.defs.customers import report
from bcns_pipeline.defs.customers.apply import apply_plan
from bcns_pipeline.defs.customers.planning import make_plan, plan_of
from bcns_pipeline.defs.customers.run import FLOW, OWNERS, require
from bcns_pipeline.defs.customers.take import drain
from bcns_pipeline.defs.modes import Mode, ModeConfig
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import outside_errors, stop_run_retries

POOL = "customers"


@dg.asset(
    key=["bigcommerce", "customers"],
    group_name=FLOW,
    kinds={"bigcommerce"},
    owners=OWNERS,
    pool=POOL,
    hooks={stop_run_retries},
    description="Shoppers with an account who are new or changed, with their addresses, as BigCommerce has them.",
)
def customers(context: dg.AssetExecutionContext, connections: Connections) -> dg.MaterializeResult:
    """Extract: nothing is decided and nothing is written outside."""
    require(connections)
    with outside_errors():
        taken = drain(connections, context.log.info)
    context.log.info(taken.sentence)
    return dg.MaterializeResult(metadata=report.of_customers(connections, taken))


@dg.asset(
    key=["customers", "change_plan"],
    group_name=FLOW,
    kinds={"postgres"},
    owners=OWNERS,
    pool=POOL,
    deps=[customers],
    hooks={stop_run_retries},
    description="Who each shopper is in NetSuite, what has to change there, and who is there twice.",
)
def change_plan(
    context: dg.AssetExecutionContext, config: ModeConfig, connections: Connections
) -> dg.MaterializeResult:
    """Plan: pure rules over the shopper now, the shopper as last written, and what NetSuite shows."""
    require(connections)
    with outside_errors():
        planned = make_plan(connections, mode=Mode(config.mode))
    context.log.info(planned.sentence)
    return dg.MaterializeResult(metadata=report.of_plan(planned))


@dg.asset(
    key=["netsuite", "customers"],
    group_name=FLOW,
    kinds={"netsuite"},
    owners=OWNERS,
    pool=POOL,
    deps=[change_plan],
    # A plan materialises nothing: what lies downstream is skipped, and freshness does not turn green.
    output_required=False,
    hooks={stop_run_retries},
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=4), warn_window=timedelta(hours=2)
    ),
    description="Customers in NetSuite, each once, saying what their shoppers say; read back.",
)
def netsuite_customers(
    context: dg.AssetExecutionContext, config: ModeConfig, connections: Connections
) -> Iterator[dg.MaterializeResult]:
    """Apply: customers are made and changed through the outbox, then read back."""
    require(connections)
    if Mode(config.mode) is Mode.PLAN:
        context.log.info("mode plan: nothing is sent; the plan is shown at customers/change_plan")
        return
    with outside_errors():
        applied = apply_plan(connections, plan_of(connections, context.run.run_id), context.log.info)
    context.log.info(applied.sentence)
    yield dg.MaterializeResult(metadata=report.of_netsuite(connections, applied))


ASSETS = [customers, change_plan, netsuite_customers]
