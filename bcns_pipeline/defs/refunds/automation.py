"""When refunds are booked: the job, and the sensor that starts it.

Put names and run requests here. Do not put a decision about a refund here.
"""

import time

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.days import day_job
from bcns_pipeline.defs.modes import going, mode_config
from bcns_pipeline.defs.refunds.assets import STEPS
from bcns_pipeline.defs.refunds.run import FLOW, RESOURCE, faults
from bcns_pipeline.resources.connections import Connections

JOB = "refund_sync"
# A webhook is answered this soon; without any, the list of refunds is read as often as the mapping file says.
LOOK_SECONDS = 30

refund_sync = day_job(
    JOB,
    dg.AssetSelection.assets(*STEPS),
    mode_config(STEPS[1:]),
    "Refunds decided in BigCommerce, to NetSuite: one credit of the total, one settlement per payment.",
)


def sensor(mapping: Mapping) -> dg.SensorDefinition:
    """Starts the job where a webhook told of a refund, and every `cash.refunds.poll.seconds`."""
    seconds = mapping.cash.refunds.poll.seconds

    @dg.sensor(
        name="refunds_due",
        job_name=JOB,
        minimum_interval_seconds=min(LOOK_SECONDS, seconds),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts refund_sync when a refund was told of, and regularly for what nobody tells of.",
    )
    def refunds_due(
        context: dg.SensorEvaluationContext, connections: Connections
    ) -> dg.RunRequest | dg.SkipReason:
        """One run at a time; none while nothing of ours is in NetSuite."""
        if faults(connections) or not connections.mapping.cash.refunds.sync:
            return dg.SkipReason("the mapping file does not say how refunds are posted: see `bcns doctor`")
        connections.require("bigcommerce", "netsuite", orders=True)
        state = connections.state
        if not state.orders.find(disposition=("posted", "adopted"), limit=1):
            return dg.SkipReason("no order of ours is in NetSuite yet")
        if going(context, JOB):
            return dg.SkipReason(f"a run of {JOB} is on its way already")
        told = state.inbox.waiting(RESOURCE)
        key = f"told/{told.newest_seq}" if told.free else "poll"
        return dg.RunRequest(run_key=f"refunds/{key}/{int(time.time() // seconds)}")

    return refunds_due


JOBS = [refund_sync]
# Which job takes up what a process of the flow left open when it died.
DRAINED_BY = {FLOW: refund_sync}
