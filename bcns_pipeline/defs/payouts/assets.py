"""The payout flow.

payments/payouts -> payouts/journal_plan -> netsuite/payout_journal_entries -> payouts/reconciliation
(also from bank/lines)

Read this file to see the flow; each step is one call into the module beside it that does the work: take.py reads
providers and files, planning.py plans, apply.py posts and reads back, bank.py reads statements, reconcile.py brings
payouts, entries and the bank together. Records travel through the state and never through Dagster.
"""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.days import by_day, day_partitions, days_of
from bcns_pipeline.defs.modes import Mode, ModeConfig
from bcns_pipeline.defs.payouts import report
from bcns_pipeline.defs.payouts.apply import apply_plan
from bcns_pipeline.defs.payouts.bank import take_statements
from bcns_pipeline.defs.payouts.planning import make_plan
from bcns_pipeline.defs.payouts.reconcile import reconcile
from bcns_pipeline.defs.payouts.run import FLOW, OWNERS, require
from bcns_pipeline.defs.payouts.take import take
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import outside_errors, stop_run_retries

POOL = "payouts"
SALES_ORDERS = dg.AssetKey(["netsuite", "sales_orders"])
CASH_RECORDS = dg.AssetKey(["netsuite", "cash_records"])
REFUND_RECORDS = dg.AssetKey(["netsuite", "refund_records"])
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=48), warn_window=timedelta(hours=26))


@dg.asset(
    key=["payments", "payouts"],
    group_name=FLOW,
    kinds={"stripe"},
    owners=OWNERS,
    pool=POOL,
    hooks={stop_run_retries},
    description="Payouts as their providers tell them, with every line: pages and files, kept before they are read.",
)
def payouts(context: dg.AssetExecutionContext, connections: Connections) -> dg.MaterializeResult:
    """Extract: nothing is decided and nothing is written outside."""
    require(connections)
    with outside_errors():
        taken = take(connections, days_of(context.run), context.log.info)
    context.log.info(taken.sentence)
    return dg.MaterializeResult(metadata=report.of_payouts(connections, taken))


@dg.asset(
    key=["bank", "lines"],
    group_name=FLOW,
    kinds={"file"},
    owners=OWNERS,
    pool=POOL,
    hooks={stop_run_retries},
    description="Booked movements of the bank accounts that payouts arrive at, from statements.",
)
def bank_lines(context: dg.AssetExecutionContext, connections: Connections) -> dg.MaterializeResult:
    """Extract: each movement once, however many statements show it."""
    require(connections)
    taken = take_statements(connections)
    context.log.info(taken.sentence)
    return dg.MaterializeResult(metadata=report.of_bank(taken))


@dg.asset(
    key=["payouts", "journal_plan"],
    group_name=FLOW,
    kinds={"postgres"},
    owners=OWNERS,
    pool=POOL,
    deps=[payouts, SALES_ORDERS, CASH_RECORDS, REFUND_RECORDS],
    hooks={stop_run_retries},
    description="The journal entry of each payout that is due, and what stands in the way of the rest.",
)
def journal_plan(
    context: dg.AssetExecutionContext, config: ModeConfig, connections: Connections
) -> dg.MaterializeResult:
    """Plan: pure rules over what was read, the mapping, and what NetSuite and the state know."""
    require(connections)
    with outside_errors():
        planned = make_plan(
            connections, mode=Mode(config.mode), days=days_of(context.run), progress=context.log.info
        )
    context.log.info(planned.sentence)
    return dg.MaterializeResult(metadata=report.of_plan(connections, planned))


@dg.asset(
    key=["netsuite", "payout_journal_entries"],
    group_name=FLOW,
    kinds={"netsuite"},
    owners=OWNERS,
    pool=POOL,
    deps=[journal_plan],
    # A plan materialises nothing: what lies downstream is skipped, and freshness does not turn green.
    output_required=False,
    hooks={stop_run_retries},
    freshness_policy=FRESH,
    description="One balanced journal entry per payout, unapproved, read back and equal line by line.",
)
def payout_journal_entries(
    context: dg.AssetExecutionContext, config: ModeConfig, connections: Connections
) -> Iterator[dg.MaterializeResult]:
    """Apply: through the outbox, then read back and compare."""
    require(connections)
    if Mode(config.mode) is Mode.PLAN:
        context.log.info("mode plan: nothing is sent; the plan is shown at payouts/journal_plan")
        return
    plans = connections.state.plans.of_run(context.run.run_id, FLOW)
    with outside_errors():
        applied = apply_plan(connections, plans[-1] if plans else None, context.log.info)
    context.log.info(applied.sentence)
    yield dg.MaterializeResult(metadata=report.of_entries(connections, applied))


@dg.asset(
    key=["payouts", "reconciliation"],
    group_name=FLOW,
    kinds={"postgres"},
    owners=OWNERS,
    pool=POOL,
    deps=[payout_journal_entries, bank_lines],
    output_required=False,
    hooks={stop_run_retries},
    freshness_policy=FRESH,
    description="Every payout against its lines, its entry and the bank's line: what ties, and what is open.",
)
def reconciliation(
    context: dg.AssetExecutionContext, config: ModeConfig, connections: Connections
) -> Iterator[dg.MaterializeResult]:
    """Verify: who approved, what arrived, and what is still unexplained."""
    require(connections)
    if Mode(config.mode) is Mode.PLAN:
        return
    with outside_errors():
        found = reconcile(connections, days_of(context.run))
    context.log.info(found.sentence)
    yield dg.MaterializeResult(metadata=report.of_reconciliation(connections, found))


STEPS = [payouts, bank_lines, journal_plan, payout_journal_entries, reconciliation]
PLANNING = [journal_plan, payout_journal_entries, reconciliation]


def assets(mapping: Mapping) -> list[dg.AssetsDefinition]:
    """The flow's assets, with the store's days where they read a day or write its records."""
    days = day_partitions(mapping)
    return [
        by_day(payouts, days, at_once=True),
        bank_lines,
        journal_plan,
        by_day(payout_journal_entries, days, at_once=True),
        reconciliation,
    ]
