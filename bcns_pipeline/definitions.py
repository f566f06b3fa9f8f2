"""What Dagster loads: wiring only.

Reads the environment and the one mapping file, and nothing else: no database, no network, no server start
(design section 2). Flows, resources and policies are written in their own rooms.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from bcns_pipeline.config import load_or_default
from bcns_pipeline.defs.cash import assets as cash_assets
from bcns_pipeline.defs.cash import automation as cash_automation
from bcns_pipeline.defs.cash import checks as cash_checks
from bcns_pipeline.defs.close import assets as close_assets
from bcns_pipeline.defs.close import automation as close_automation
from bcns_pipeline.defs.close import checks as close_checks
from bcns_pipeline.defs.close import report_assets as close_reports
from bcns_pipeline.defs.columns import with_columns
from bcns_pipeline.defs.customers import assets as customer_assets
from bcns_pipeline.defs.customers import automation as customer_automation
from bcns_pipeline.defs.customers import checks as customer_checks
from bcns_pipeline.defs.fulfilment import assets as fulfilment_assets
from bcns_pipeline.defs.fulfilment import automation as fulfilment_automation
from bcns_pipeline.defs.fulfilment import checks as fulfilment_checks
from bcns_pipeline.defs.intake import automation as intake_automation
from bcns_pipeline.defs.intake import jobs as intake_jobs
from bcns_pipeline.defs.inventory import assets as inventory_assets
from bcns_pipeline.defs.inventory import automation as inventory_automation
from bcns_pipeline.defs.inventory import checks as inventory_checks
from bcns_pipeline.defs.orders import assets as order_assets
from bcns_pipeline.defs.orders import automation as order_automation
from bcns_pipeline.defs.orders import checks as order_checks
from bcns_pipeline.defs.payouts import assets as payout_assets
from bcns_pipeline.defs.payouts import automation as payout_automation
from bcns_pipeline.defs.payouts import checks as payout_checks
from bcns_pipeline.defs.platform import automation as platform_automation
from bcns_pipeline.defs.promises import steps_of
from bcns_pipeline.defs.recovery import automation as recovery_automation
from bcns_pipeline.defs.refunds import assets as refund_assets
from bcns_pipeline.defs.refunds import automation as refund_automation
from bcns_pipeline.defs.refunds import checks as refund_checks
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.settings import load_settings


def build_defs(
    overrides: Mapping[str, Any] | None = None, *, config_path: str | None = None
) -> dg.Definitions:
    """The whole graph. `overrides` replaces resources by name; `config_path` names another mapping file.

    A missing or faulty mapping file loads with defaults: its faults are shown by `bcns doctor`, by the first
    step of every run, and by a WARN check.
    """
    mapping, _faults = load_or_default(Path(config_path or load_settings().config))
    assets = [
        *inventory_assets.ASSETS,
        *customer_assets.ASSETS,
        *order_assets.assets(mapping),
        *fulfilment_assets.ASSETS,
        *refund_assets.assets(mapping),
        *cash_assets.assets(mapping),
        *payout_assets.assets(mapping),
        *close_assets.assets(mapping),
        close_reports.finance_reports,
    ]
    return dg.Definitions(
        assets=[asset.map_asset_specs(_with_runbook).map_asset_specs(with_columns) for asset in assets],
        asset_checks=steps_of(
            [
                *inventory_checks.CHECKS,
                *customer_checks.CHECKS,
                *order_checks.CHECKS,
                *fulfilment_checks.CHECKS,
                *refund_checks.CHECKS,
                *cash_checks.CHECKS,
                *payout_checks.CHECKS,
                *close_checks.CHECKS,
                *intake_jobs.CHECKS,
            ]
        ),
        jobs=[
            *inventory_automation.JOBS,
            *customer_automation.JOBS,
            *order_automation.JOBS,
            *fulfilment_automation.JOBS,
            *refund_automation.JOBS,
            *cash_automation.JOBS,
            *payout_automation.JOBS,
            *close_automation.JOBS,
            *intake_jobs.JOBS,
            *platform_automation.JOBS,
            *recovery_automation.JOBS,
        ],
        schedules=[
            *inventory_automation.schedules(mapping),
            *intake_jobs.schedules(mapping),
            *cash_automation.schedules(mapping),
            *close_automation.schedules(mapping),
            *platform_automation.schedules(mapping),
        ],
        sensors=[
            *inventory_automation.SENSORS,
            *intake_automation.sensors(mapping),
            customer_automation.sensor(mapping),
            fulfilment_automation.sensor(mapping),
            refund_automation.sensor(mapping),
            cash_automation.sensor(mapping),
            *payout_automation.SENSORS,
            *platform_automation.SENSORS,
            platform_automation.leftovers_sensor(
                {
                    **inventory_automation.DRAINED_BY,
                    **customer_automation.DRAINED_BY,
                    **order_automation.DRAINED_BY,
                    **fulfilment_automation.DRAINED_BY,
                    **refund_automation.DRAINED_BY,
                    **cash_automation.DRAINED_BY,
                    **payout_automation.DRAINED_BY,
                }
            ),
        ],
        resources={"connections": Connections(config_path=config_path), **(overrides or {})},
        executor=dg.in_process_executor,
    )


def _with_runbook(spec: dg.AssetSpec) -> dg.AssetSpec:
    """Whoever finds an asset red reads on there; each code has a page of its own besides."""
    return spec.merge_attributes(metadata={"runbook": f"docs/operations.md#{spec.group_name}"})


defs = build_defs()
