"""What keeps the platform itself going: leftovers are drained, history is cut, failures reach a person.

Put cross-flow schedules and sensors here. Do not put a flow's own schedule here.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from bcns_pipeline import config
from bcns_pipeline.defs.platform.alarms import exception_alerts
from bcns_pipeline.defs.platform.failed import failed_runs
from bcns_pipeline.defs.platform.housekeeping import housekeeping
from bcns_pipeline.resources.connections import Connections

LEFTOVER_MINUTES = 5
# What a run left because it failed is tried again this often.
TRY_AGAIN_SECONDS = 900


def leftovers_sensor(drained_by: Mapping[str, Any]) -> dg.SensorDefinition:
    """Starts the job of a flow (`drained_by`: flow name to job) whose operations wait for more than five minutes."""

    @dg.sensor(
        name="leftovers",
        jobs=list(drained_by.values()),
        minimum_interval_seconds=90,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Starts the job of a flow whose operations wait for more than {LEFTOVER_MINUTES} minutes.",
    )
    def leftovers(
        context: dg.SensorEvaluationContext, connections: Connections
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        """Rows that a dead process left `planned`, `sending` or `ambiguous` are taken up by the flow's own job."""
        connections.require("bigcommerce", "netsuite")
        stuck: dict[str, int] = {}
        for operation in connections.state.outbox.open_older_than(LEFTOVER_MINUTES):
            stuck[operation.flow] = max(stuck.get(operation.flow, 0), operation.id)
        # A flow of another release, after a step back: it must not keep the others from being taken up.
        for unknown in sorted(stuck.keys() - drained_by.keys()):
            context.log.error(f"operations of {unknown} wait, and no job of this release sends them")
        known = sorted(stuck.keys() & drained_by.keys())
        if not known:
            yield dg.SkipReason("no operation waits that a job could send")
        again = int(time.time() // TRY_AGAIN_SECONDS)
        for flow in known:
            # The same leftovers start one run at a time, and another where that one has failed.
            yield dg.RunRequest(
                run_key=f"leftovers/{flow}/{stuck[flow]}/{again}", job_name=drained_by[flow].name
            )

    return leftovers


def schedules(mapping: config.Mapping) -> list[dg.ScheduleDefinition]:
    """Housekeeping at night, in the store's time zone."""
    return [
        dg.ScheduleDefinition(
            name="housekeeping_nightly",
            job=housekeeping,
            cron_schedule="52 3 * * *",
            execution_timezone=mapping.store.timezone or "UTC",
        )
    ]


JOBS = [housekeeping]
SENSORS = [failed_runs, exception_alerts]
