"""When days are tied out and months are closed: the jobs, and the schedule of the morning.

Put names and run requests here. Do not put a decision about money here.
"""

from datetime import timedelta

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.close.assets import clearing_evidence, evidence_pack, tie_out
from bcns_pipeline.defs.close.report_assets import finance_reports
from bcns_pipeline.defs.close.run import MonthConfig
from bcns_pipeline.defs.days import zone_of
from bcns_pipeline.defs.modes import mode_config

# In the order in which a month is closed.
OF_A_MONTH = [clearing_evidence, finance_reports, evidence_pack]


tie_out_job = dg.define_asset_job(
    "daily_tie_out",
    selection=dg.AssetSelection.assets(tie_out, clearing_evidence),
    description="Where every cent of the orders of a day is, and what NetSuite and the providers hold at its end; run "
    "with the day as partition.",
)
month_close = dg.define_asset_job(
    "month_close",
    selection=dg.AssetSelection.assets(*OF_A_MONTH),
    config=mode_config(OF_A_MONTH, MonthConfig),
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
