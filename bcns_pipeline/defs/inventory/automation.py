"""When stock flows: the jobs, schedules and the low-stock sensor of the inventory flow.

Put names, cron lines and run requests here. Do not put a decision about a quantity here: rules/inventory has
those, and the assets carry them out.
"""

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.inventory.assets import ASSETS, FLOW_STEPS
from bcns_pipeline.defs.inventory.low_stock import low_stock_job, low_stock_sensor
from bcns_pipeline.defs.inventory.run import FLOW, LOW_STOCK_FLOW, Scope
from bcns_pipeline.defs.modes import mode_config

INVENTORY = dg.AssetSelection.assets(*FLOW_STEPS)
EVERYTHING = dg.AssetSelection.assets(*ASSETS)


inventory_sync = dg.define_asset_job(
    "inventory_sync",
    selection=INVENTORY,
    config=mode_config(FLOW_STEPS, scope=Scope.CHANGED.value),
    description="What changed in NetSuite since the last run, to BigCommerce. A second run writes nothing.",
)
inventory_full_sync = dg.define_asset_job(
    "inventory_full_sync",
    selection=INVENTORY,
    config=mode_config(FLOW_STEPS, scope=Scope.FULL.value),
    description="Every item read on both sides; live above sellable is lowered at once.",
)
inventory_reconciliation = dg.define_asset_job(
    "inventory_reconciliation",
    selection=EVERYTHING,
    config=mode_config(ASSETS, scope=Scope.RECONCILE.value),
    description="Full sync with the catalogue re-read: renamed, doubled and orphaned SKUs on both sides.",
)

JOBS = [inventory_sync, inventory_full_sync, inventory_reconciliation, low_stock_job]


def schedules(mapping: Mapping) -> list[dg.ScheduleDefinition]:
    """The three schedules of the flow, at the merchant's cron lines and in the store's time zone."""
    inventory = mapping.inventory
    when = (
        ("inventory_every_quarter_hour", inventory_sync, inventory.schedule),
        ("inventory_full_nightly", inventory_full_sync, inventory.full_schedule),
        ("inventory_reconciliation_weekly", inventory_reconciliation, inventory.reconciliation_schedule),
    )
    return [
        dg.ScheduleDefinition(
            name=name,
            job=job,
            cron_schedule=cron,
            # Without a zone in the mapping the slots are UTC: loading the definitions may not ask the store.
            execution_timezone=mapping.store.timezone or "UTC",
        )
        for name, job, cron in when
    ]


SENSORS = [low_stock_sensor]
# Which job takes up what a process of the flow left open when it died.
DRAINED_BY = {FLOW: inventory_sync, LOW_STOCK_FLOW: low_stock_job}
