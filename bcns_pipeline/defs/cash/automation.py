"""When captures are booked and fulfilled orders billed: the job, the sensor that starts it, and the nightly comparison.

Put names and run requests here. Do not put a decision about money here.
"""

import time
from datetime import UTC, datetime

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.cash import report
from bcns_pipeline.defs.cash.assets import STEPS
from bcns_pipeline.defs.cash.reconcile import reconcile
from bcns_pipeline.defs.cash.run import FLOW, require
from bcns_pipeline.defs.days import day_job
from bcns_pipeline.defs.modes import Mode, ModeConfig, going, mode_config
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import outside_errors, stop_run_retries

JOB = "cash_application"
# Where more than a batch waits: one writes while the next one reads.
RUNS_AT_ONCE = 2

cash_application = day_job(
    JOB,
    dg.AssetSelection.assets(*STEPS),
    mode_config(STEPS),
    "Each capture once in its provider's clearing account, and fulfilled orders billed; with a partition, that day.",
)


@dg.op(pool="cash", description="Captured less refunded against NetSuite, order by order.")
def compare_money(context: dg.OpExecutionContext, config: ModeConfig, connections: Connections) -> None:
    """Ends with an observation of netsuite/cash_records."""
    require(connections)
    with outside_errors():
        found = reconcile(connections, context.log.info, Mode(config.mode))
    context.log.info(found.sentence)
    key = dg.AssetKey(["netsuite", "cash_records"])
    context.log_event(dg.AssetObservation(key, metadata=report.of_comparison(connections, found)))


@dg.job(
    config=mode_config([compare_money]),
    hooks={stop_run_retries},
    description="Every order of the last weeks: captured less refunded is what NetSuite has, to the cent.",
)
def cash_reconciliation() -> None:
    """One step."""
    compare_money()


def sensor(mapping: Mapping) -> dg.SensorDefinition:
    """Starts the job every `cash.poll.seconds`, once there are orders of ours whose money can be booked."""
    seconds = mapping.cash.poll.seconds

    @dg.sensor(
        name="cash_due",
        job_name=JOB,
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts cash_application, so that a capture is booked within minutes.",
    )
    def cash_due(
        context: dg.SensorEvaluationContext, connections: Connections
    ) -> dg.RunRequest | dg.SkipReason:
        """One run, and one more where it leaves some for the next; none while nothing says where money goes."""
        if not connections.mapping.cash.sync:
            return dg.SkipReason("cash.sync is off")
        faults = connections.mapping.cash_faults()
        if faults:
            return dg.SkipReason(f"the mapping file does not say where money goes: {faults[0]}")
        require(connections)
        if not connections.state.orders.find(disposition="posted", limit=1):
            return dg.SkipReason("no order of ours is in NetSuite yet")
        runs, batch = going(context, JOB), connections.mapping.cash.batch
        more = runs and len(connections.state.cash.unlooked(datetime.now(UTC), batch + 1)) > batch
        if runs >= RUNS_AT_ONCE or (runs and not more):
            return dg.SkipReason(f"{runs} runs of {JOB} are on their way already")
        return dg.RunRequest(run_key=f"cash/{int(time.time() // seconds)}/{runs}")

    return cash_due


def schedules(mapping: Mapping) -> list[dg.ScheduleDefinition]:
    """The nightly comparison, at the merchant's cron line and in the store's time zone."""
    return [
        dg.ScheduleDefinition(
            name="cash_reconciliation_nightly",
            job=cash_reconciliation,
            cron_schedule=mapping.cash.check_schedule,
            execution_timezone=mapping.store.timezone or "UTC",
        )
    ]


JOBS = [cash_application, cash_reconciliation]
# Which job takes up what a process of the flow left open when it died.
DRAINED_BY = {FLOW: cash_application}
