"""When shoppers flow: the job, and the sensor that polls and starts it.

Put names and run requests here. Do not put a decision about a shopper here.
"""

import time
from datetime import timedelta

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.customers.assets import ASSETS
from bcns_pipeline.defs.customers.poll import poll_customers, sweep, sweep_due
from bcns_pipeline.defs.customers.run import FLOW, due
from bcns_pipeline.defs.customers.take import CURSOR
from bcns_pipeline.defs.late import CUSTOMERS
from bcns_pipeline.defs.modes import going, mode_config
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections

JOB = "customer_sync"
# Dagster gives a sensor 60 seconds (facts/dagster.md B3); a page takes about one.
PAGES, SECONDS = 20, 35.0
# Where a run failed and nothing new has come, what waits is tried again this often.
TRY_AGAIN_SECONDS = 300
# Where nobody changes, a run this often shows that all is well.
RUN_EVERY = timedelta(hours=1)


customer_sync = dg.define_asset_job(
    JOB,
    selection=dg.AssetSelection.assets(*ASSETS),
    config=mode_config(ASSETS[1:]),
    description="Every shopper that is new or changed, with or without an order, to NetSuite, once.",
)


def sensor(mapping: Mapping) -> dg.SensorDefinition:
    """Polls every `customers.poll.seconds`, and starts the job as soon as there is something for it to do."""

    @dg.sensor(
        name="customers_waiting",
        job_name=JOB,
        minimum_interval_seconds=mapping.customers.poll.seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts customer_sync when a shopper changed, so that it is in NetSuite within five minutes.",
    )
    def customers_waiting(
        context: dg.SensorEvaluationContext, connections: Connections
    ) -> dg.RunRequest | dg.SkipReason:
        """One run at a time. Its key is made of the newest event, so that a failed run blocks no later one."""
        if connections.mapping.order_faults() or not connections.mapping.customers.sync:
            return dg.SkipReason(
                "the mapping file does not say how orders are posted, or customers.sync is off"
            )
        connections.require("bigcommerce", "netsuite", orders=True)
        polled = poll_customers(connections, pages=PAGES, seconds=SECONDS, lane=Lane.FAST)
        context.log.info(polled.sentence)
        # A tick has time for one of the two where much has changed.
        if polled.complete and sweep_due(connections):
            context.log.info(f"{sweep(connections, lane=Lane.FAST):,} shoppers had changed without a word")
        state = connections.state
        waiting = state.inbox.waiting("customer")
        left = state.outbox.find(flow=FLOW, states=("planned", "sending", "ambiguous"), limit=1)
        left += CUSTOMERS.due(state, limit=1)[0]
        rested = not state.cursors.moved_within(CURSOR, RUN_EVERY)
        if not waiting.free and not left and not due(connections) and not rested:
            return dg.SkipReason(f"no shopper waits; {polled.sentence}")
        if going(context, JOB):
            return dg.SkipReason(f"a run of {JOB} is on its way already")
        again = int(time.time() // TRY_AGAIN_SECONDS)
        return dg.RunRequest(run_key=f"customers/{waiting.newest_seq}/{again}")

    return customers_waiting


JOBS = [customer_sync]
# Which job takes up what a process of the flow left open when it died.
DRAINED_BY = {FLOW: customer_sync}
