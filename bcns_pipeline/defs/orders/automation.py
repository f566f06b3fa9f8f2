"""When orders flow: the job. What wakes it is in defs/intake: the poll, the webhooks and the inbox.

Put names and run config here. Do not put a decision about an order here.
"""

from typing import Any

import dagster as dg

from bcns_pipeline.defs.days import day_job
from bcns_pipeline.defs.modes import MODE_SCHEMA
from bcns_pipeline.defs.orders.assets import STEPS
from bcns_pipeline.defs.orders.run import FLOW, REFERENCE_FLOW


def _expand(given: dict[str, Any]) -> dict[str, Any]:
    """`{mode: apply | plan}` for every step but the first, which only reads; without run config a job applies."""
    return {"ops": {asset.op.name: {"config": {"mode": given["mode"]}} for asset in STEPS[1:]}}


order_sync = day_job(
    "order_sync",
    dg.AssetSelection.assets(*STEPS),
    dg.ConfigMapping(config_fn=_expand, config_schema=MODE_SCHEMA),
    "Every order that changed, to NetSuite, once and equal to the cent; with a partition, every order of that day.",
)

JOBS = [order_sync]
# Which job takes up what a process of the flow left open when it died.
DRAINED_BY = {FLOW: order_sync, REFERENCE_FLOW: order_sync}
