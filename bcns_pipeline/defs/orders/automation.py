"""When orders flow: the job. What wakes it is in defs/intake: the poll, the webhooks and the inbox.

Put names and run config here. Do not put a decision about an order here.
"""

import dagster as dg

from bcns_pipeline.defs.days import day_job
from bcns_pipeline.defs.modes import mode_config
from bcns_pipeline.defs.orders.assets import STEPS
from bcns_pipeline.defs.orders.run import FLOW, REFERENCE_FLOW

order_sync = day_job(
    "order_sync",
    dg.AssetSelection.assets(*STEPS),
    mode_config(STEPS[1:]),
    "Every order that changed, to NetSuite, once and equal to the cent; with a partition, every order of that day.",
)

JOBS = [order_sync]
# Which job takes up what a process of the flow left open when it died.
DRAINED_BY = {FLOW: order_sync, REFERENCE_FLOW: order_sync}
