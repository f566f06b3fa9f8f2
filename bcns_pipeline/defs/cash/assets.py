"""The cash flow: bigcommerce/transactions -> cash/application_plan -> netsuite/cash_records.

Read this file to see the flow; each step is one call into the module beside it that does the work: take.py reads
payments, planning.py plans, apply.py sends, follows up and reads back. Records travel through the state and never
through Dagster.
"""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.cash import report
from bcns_pipeline.defs.cash.apply import apply_plan
from bcns_pipeline.defs.cash.fates import remember
from bcns_pipeline.defs.cash.planning import make_plan, plan_of
from bcns_pipeline.defs.cash.run import FLOW, OWNERS, require
from bcns_pipeline.defs.cash.take import take
from bcns_pipeline.defs.days import by_day, day_partitions, days_of
from bcns_pipeline.defs.modes import Mode, ModeConfig
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import outside_errors, stop_run_retries

# The next run reads and plans while this one writes, and its writing waits for this one's. Planning has no pool:
# whoever waits to read would get the slot first, and nothing can be written before something is planned.
READ_POOL = "cash_read"
POOL = "cash"
ORDERS = dg.AssetKey(["bigcommerce", "orders"])
SALES_ORDERS = dg.AssetKey(["netsuite", "sales_orders"])


@dg.asset(
    key=["bigcommerce", "transactions"],
    group_name=FLOW,
    kinds={"bigcommerce"},
    owners=OWNERS,
    pool=READ_POOL,
    deps=[ORDERS],
    hooks={stop_run_retries},
    description="Payments of orders whose money may have changed, as BigCommerce has them; a call for each.",
)
def transactions(
    context: dg.AssetExecutionContext, config: ModeConfig, connections: Connections
) -> dg.MaterializeResult:
    """Extract: nothing is decided and nothing is written outside."""
    require(connections)
    with outside_errors():
        taken = take(connections, context.log.info, days_of(context.run), Mode(config.mode))
    context.log.info(taken.sentence)
    return dg.MaterializeResult(metadata=report.of_transactions(connections, taken))


@dg.asset(
    key=["cash", "application_plan"],
    group_name=FLOW,
    kinds={"postgres"},
    owners=OWNERS,
    deps=[transactions, SALES_ORDERS],
    hooks={stop_run_retries},
    description="Which receipts, invoices and applications are due, and what every other order waits for.",
)
def application_plan(
    context: dg.AssetExecutionContext, config: ModeConfig, connections: Connections
) -> dg.MaterializeResult:
    """Plan: pure rules over what was taken, the mapping, and what NetSuite shows."""
    require(connections)
    mode = Mode(config.mode)
    with outside_errors():
        planned = make_plan(connections, mode=mode, days=days_of(context.run))
        if mode is Mode.APPLY:
            remember(connections, planned.fates, planned.learnt)
    context.log.info(planned.sentence)
    return dg.MaterializeResult(metadata=report.of_plan(connections, planned))


@dg.asset(
    key=["netsuite", "cash_records"],
    group_name=FLOW,
    kinds={"netsuite"},
    owners=OWNERS,
    pool=POOL,
    deps=[application_plan],
    # A plan materialises nothing: what lies downstream is skipped, and freshness does not turn green.
    output_required=False,
    hooks={stop_run_retries},
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=6), warn_window=timedelta(hours=1)
    ),
    description="Deposits, payments, invoices and applications in NetSuite: each capture once, equal to the cent.",
)
def cash_records(
    context: dg.AssetExecutionContext, config: ModeConfig, connections: Connections
) -> Iterator[dg.MaterializeResult]:
    """Apply: receipts and invoices, then what settles what, then read back and compared."""
    require(connections)
    if Mode(config.mode) is Mode.PLAN:
        context.log.info("mode plan: nothing is sent; the plan is shown at cash/application_plan")
        return
    with outside_errors():
        plan = plan_of(connections, context.run.run_id)
        applied = apply_plan(connections, plan, context.log.info, drains=days_of(context.run) is None)
    context.log.info(applied.sentence)
    if applied.beside.planned:
        # What was read and planned after the steps that do so had ended.
        read = report.of_transactions(connections, applied.beside.taken)
        context.log_event(dg.AssetObservation(transactions.key, metadata=read))
    for one in applied.beside.planned:
        context.log.info(one.sentence)
        context.log_event(
            dg.AssetObservation(application_plan.key, metadata=report.of_plan(connections, one))
        )
    yield dg.MaterializeResult(metadata=report.of_records(connections, applied))


STEPS = [transactions, application_plan, cash_records]


def assets(mapping: Mapping) -> list[dg.AssetsDefinition]:
    """The flow's assets; what it writes is by the store's days, as its orders are (docs/adr/005-days.md)."""
    return [transactions, application_plan, by_day(cash_records, day_partitions(mapping), at_once=True)]
