"""When parcels are told of: the job, and the sensor that starts it.

Put names and run requests here. Do not put a decision about a shipment here.
"""

import time

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.fulfilment.assets import ASSETS
from bcns_pipeline.defs.fulfilment.run import FLOW
from bcns_pipeline.defs.modes import going, mode_config
from bcns_pipeline.resources.connections import Connections

JOB = "fulfilment_sync"


fulfilment_sync = dg.define_asset_job(
    JOB,
    selection=dg.AssetSelection.assets(*ASSETS),
    config=mode_config(ASSETS[1:]),
    description="What was shipped in NetSuite, told to the shopper: shipment, tracking and status.",
)


def sensor(mapping: Mapping) -> dg.SensorDefinition:
    """Starts the job every `fulfilment.poll.seconds`, once there are orders of ours that can be shipped."""
    seconds = mapping.fulfilment.poll.seconds

    @dg.sensor(
        name="fulfilments_due",
        job_name=JOB,
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts fulfilment_sync, so that a parcel is told of within five minutes.",
    )
    def fulfilments_due(
        context: dg.SensorEvaluationContext, connections: Connections
    ) -> dg.RunRequest | dg.SkipReason:
        """One run at a time; none while nothing of ours is in NetSuite."""
        if connections.mapping.order_faults() or not connections.mapping.fulfilment.sync:
            return dg.SkipReason(
                "the mapping file does not say how orders are posted, or fulfilment.sync is off"
            )
        connections.require("bigcommerce", "netsuite", orders=True)
        if not connections.state.orders.find(disposition=("posted", "adopted"), limit=1):
            return dg.SkipReason("no order of ours is in NetSuite yet")
        if going(context, JOB):
            return dg.SkipReason(f"a run of {JOB} is on its way already")
        return dg.RunRequest(run_key=f"fulfilment/{int(time.time() // seconds)}")

    return fulfilments_due


JOBS = [fulfilment_sync]
# Which job takes up what a process of the flow left open when it died.
DRAINED_BY = {FLOW: fulfilment_sync}
