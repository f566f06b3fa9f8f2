"""Housekeeping: what grows without bound is cut once a day, and nothing that a person may still need.

Put retention here. Do not put the retention of business records here: the audit chain is kept for ever, and
stock changes 13 months (design section 4). Dagster has no setting for its own event log (facts/dagster.md B6).
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from bcns_pipeline.resources.connections import Connections

KEEP_RUNS = timedelta(days=30)
# Deleting a run with its events takes a few hundredths of a second; a batch must stay under a minute.
RUNS_AT_A_TIME = 1_000
DONE = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


@dg.op(description="Old Dagster runs, and months of stock changes older than thirteen.")
def cut_old_records(context: dg.OpExecutionContext, connections: Connections) -> None:
    """Delete finished runs older than 30 days, and drop old partitions of `inventory_change`."""
    now = datetime.now(UTC)
    old = context.instance.get_run_records(
        filters=dg.RunsFilter(statuses=DONE, created_before=now - KEEP_RUNS),
        limit=RUNS_AT_A_TIME,
        ascending=True,
    )
    for record in old:
        context.instance.delete_run(record.dagster_run.run_id)
    connections.require("bigcommerce", "netsuite")
    months = connections.state.inventory.drop_old_months(now)
    context.log.info(
        f"{len(old)} runs older than {KEEP_RUNS.days} days deleted; months dropped: {months or 'none'}"
    )


@dg.job(description="Retention of Dagster's history and of stock changes.")
def housekeeping() -> None:
    """One step; safe to run at any time."""
    cut_old_records()
