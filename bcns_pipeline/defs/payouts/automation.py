"""When payouts are posted: the job, and the sensor that notices files and new payouts.

Put names and run requests here. Do not put a decision about a payout here.
"""

import time
from datetime import UTC, datetime

import dagster as dg

from bcns_pipeline.defs.days import day_job
from bcns_pipeline.defs.modes import going, mode_config
from bcns_pipeline.defs.payouts.assets import PLANNING, STEPS
from bcns_pipeline.defs.payouts.run import FLOW
from bcns_pipeline.defs.payouts.take import cursor_of
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.state.payout_models import OPEN

JOB = "payout_posting"
SENSOR_SECONDS = 120
# Stripe makes payouts once a day; an hour is soon enough to hear of one, and costs a call.
ASK_AGAIN_SECONDS = 3_600

payout_posting = day_job(
    JOB,
    dg.AssetSelection.assets(*STEPS),
    mode_config(PLANNING),
    "Every payout that providers made since the last look, posted once and tied to the bank; with a partition, every "
    "payout that arrived on that day, read anew.",
)


@dg.sensor(
    name="payouts_due",
    job_name=JOB,
    minimum_interval_seconds=SENSOR_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts payout_posting when a settlement or statement was dropped, or a provider is to be asked.",
)
def payouts_due(
    context: dg.SensorEvaluationContext, connections: Connections
) -> dg.RunRequest | dg.SkipReason:
    """One run at a time; no call is made here, so an outage of a provider is the run's to tell."""
    if connections.mapping.payout_faults():
        return dg.SkipReason("the mapping file does not say how payouts are posted")
    connections.require("bigcommerce", "netsuite")
    if going(context, JOB):
        return dg.SkipReason(f"a run of {JOB} is on its way already")
    dropped = [
        path
        for folder in (connections.payout_files(), connections.bank_files())
        if folder is not None
        for path in folder.waiting()
    ]
    if dropped:
        # The same files start one run at a time, and another where that one has failed.
        mark = max(path.stat().st_mtime_ns for path in dropped)
        again = int(time.time() // ASK_AGAIN_SECONDS)
        return dg.RunRequest(run_key=f"payouts/files/{len(dropped)}/{mark}/{again}")
    if any(_long_ago(connections.state.cursors.get(cursor_of(one))) for one in connections.payout_sources()):
        return dg.RunRequest(run_key=f"payouts/{int(time.time() // ASK_AGAIN_SECONDS)}")
    if connections.state.payouts.having(OPEN):
        # What waits for captures, periods, approval or the bank is looked at again once a day.
        return dg.RunRequest(run_key=f"payouts/{datetime.now(UTC).date()}")
    return dg.SkipReason("no file waits, no payout is open, and the providers were asked within the hour")


def _long_ago(kept: object) -> bool:
    if not isinstance(kept, dict) or kept.get("version") != 1:
        return True
    asked = datetime.fromisoformat(kept["until"])
    return (datetime.now(UTC) - asked).total_seconds() >= ASK_AGAIN_SECONDS


JOBS = [payout_posting]
SENSORS = [payouts_due]
# Which job takes up what a process of the flow left open when it died.
DRAINED_BY = {FLOW: payout_posting}
