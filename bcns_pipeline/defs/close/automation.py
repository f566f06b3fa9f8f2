"""When days are tied out and months are closed: the jobs, and the schedule of the morning.

Put names and run requests here. Do not put a decision about money here.
"""

from datetime import timedelta
from typing import Any

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.close.assets import clearing_evidence, evidence_pack, tie_out
from bcns_pipeline.defs.close.report_assets import finance_reports
from bcns_pipeline.defs.days import zone_of

# In the order in which a month is closed.
OF_A_MONTH = [clearing_evidence, finance_reports, evidence_pack]


def _month_config() -> dg.ConfigMapping:
    """The job's own `{month}`, handed to each of its steps."""

    def expand(given: dict[str, Any]) -> dict[str, Any]:
        return {"ops": {step.op.name: {"config": {"month": given["month"]}} for step in OF_A_MONTH}}

    month = dg.Field(str, default_value="", is_required=False, description="as 2026-11; empty = last month")
    return dg.ConfigMapping(config_fn=expand, config_schema={"month": month})


tie_out_job = dg.define_asset_job(
    "daily_tie_out",
    selection=dg.AssetSelection.assets(tie_out, clearing_evidence),
    description="Where every cent of the orders of a day is, and what NetSuite and the providers hold at its end; run "
    "with the day as partition.",
)
month_close = dg.define_asset_job(
    "month_close",
    selection=dg.AssetSelection.assets(*OF_A_MONTH),
    config=_month_config(),
    description="NetSuite and the providers are asked, then the reports and the evidence of a month are made. "
    "Made again of the same answers it is the same bytes.",
)


def schedules(mapping: Mapping) -> list[dg.ScheduleDefinition]:
    """Yesterday is tied out in the morning, once the nightly comparisons are through."""

    @dg.schedule(
        name="yesterday_tied_out",
        job=tie_out_job,
        cron_schedule="40 6 * * *",
        execution_timezone=zone_of(mapping).key,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def yesterday_tied_out(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """None on the first day of all, which has no day before."""
        today = context.scheduled_execution_time.astimezone(zone_of(mapping)).date()
        if mapping.cutover.at is not None and today <= mapping.cutover.at:
            return dg.SkipReason("the cutover is today or later")
        day = str(today - timedelta(days=1))
        return dg.RunRequest(run_key=f"tie-out/{day}", partition_key=day)

    return [yesterday_tied_out]


JOBS = [tie_out_job, month_close]
