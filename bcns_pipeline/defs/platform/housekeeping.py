"""Housekeeping: what grows without bound is cut once a day, and nothing that a person may still need.

Put retention here: of Dagster's runs, of closed rows of the inbox, of documents with personal data. Do not put the
retention of business records here: the audit chain is kept for ever, and stock changes 13 months (design section 4).
Dagster has no setting for its own event log (facts/dagster.md B6).
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from bcns_pipeline.defs.modes import Mode, ModeConfig, mode_config
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import stop_run_retries

KEEP_RUNS = timedelta(days=30)
# Deleting a run with its events takes a few hundredths of a second; a batch must stay under a minute.
RUNS_AT_A_TIME = 1_000
# Longer than any comparison of ids looks back (intake.missing_days), so that none takes an old order for a new one.
KEEP_INBOX = timedelta(days=120)
SEALED = ("order", "order_details", "customer")
# Whose documents are still to be planned from.
UNDECIDED = ("open", "held", "waiting", "planned")
MOST = 1_000_000
DONE = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


@dg.op(
    description="Old Dagster runs, months of stock changes, events long dealt with, documents past their time."
)
def cut_old_records(context: dg.OpExecutionContext, config: ModeConfig, connections: Connections) -> None:
    """Delete what is past its time; a document that an order is still to be planned from stays."""
    connections.require("bigcommerce", "netsuite")
    now = datetime.now(UTC)
    old = context.instance.get_run_records(
        filters=dg.RunsFilter(statuses=DONE, created_before=now - KEEP_RUNS),
        limit=RUNS_AT_A_TIME,
        ascending=True,
    )
    if Mode(config.mode) is Mode.PLAN:
        context.log.info(
            f"mode plan: nothing is deleted; it would be {len(old)} runs older than {KEEP_RUNS.days} days, and "
            "what is past its time of stock changes, events and documents"
        )
        return
    for record in old:
        context.instance.delete_run(record.dagster_run.run_id)
    months = connections.state.inventory.drop_old_months(now)
    events = connections.state.inbox.purge(now - KEEP_INBOX)
    documents = _cut_documents(connections, now)
    context.log.info(
        f"{len(old)} runs older than {KEEP_RUNS.days} days deleted; months dropped: {months or 'none'}; "
        f"{events:,} closed rows of the inbox and {documents:,} documents deleted"
    )


def _cut_documents(connections: Connections, now: datetime) -> int:
    """Nothing is deleted unless somebody said for how long documents are kept."""
    days, state = connections.settings.keep_documents_days, connections.state
    if days is None:
        return 0
    spare = [
        one.document_id for one in state.orders.find(disposition=UNDECIDED, limit=MOST) if one.document_id
    ]
    before = now - timedelta(days=days)
    return sum(state.documents.drop(kind, before, spare=spare) for kind in SEALED)


@dg.job(
    config=mode_config([cut_old_records]),
    hooks={stop_run_retries},
    description="Retention of Dagster's history, stock changes, events and documents.",
)
def housekeeping() -> None:
    """One step; safe to run at any time."""
    cut_old_records()
