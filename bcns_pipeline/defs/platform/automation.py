"""What keeps the platform itself going: leftovers are drained, history is cut, failures reach a person.

Put cross-flow schedules and sensors here. Do not put a flow's own schedule here.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import dagster as dg

from bcns_pipeline import config
from bcns_pipeline.defs.platform.alarms import exception_alerts
from bcns_pipeline.defs.platform.housekeeping import housekeeping
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import our_sentence

LEFTOVER_MINUTES = 5


def leftovers_sensor(drained_by: Mapping[str, Any]) -> dg.SensorDefinition:
    """Starts the job of a flow (`drained_by`: flow name to job) whose operations wait for more than five minutes."""

    @dg.sensor(
        name="leftovers",
        jobs=list(drained_by.values()),
        minimum_interval_seconds=90,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Starts the job of a flow whose operations wait for more than {LEFTOVER_MINUTES} minutes.",
    )
    def leftovers(connections: Connections) -> Iterator[dg.RunRequest | dg.SkipReason]:
        """Rows that a dead process left `planned`, `sending` or `ambiguous` are taken up by the flow's own job."""
        connections.require("bigcommerce", "netsuite")
        stuck: dict[str, int] = {}
        for operation in connections.state.outbox.open_older_than(LEFTOVER_MINUTES):
            stuck[operation.flow] = max(stuck.get(operation.flow, 0), operation.id)
        if not stuck:
            yield dg.SkipReason("no operation waits")
        for flow, newest in sorted(stuck.items()):
            # The same leftovers start one run, and new ones another.
            yield dg.RunRequest(run_key=f"leftovers/{flow}/{newest}", job_name=drained_by[flow].name)

    return leftovers


@dg.run_failure_sensor(
    name="failed_runs",
    minimum_interval_seconds=45,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells Slack, where configured, which run failed and what it says; otherwise the log has it.",
)
def failed_runs(context: dg.RunFailureSensorContext, connections: Connections) -> None:
    """One message per failed run; its text comes from our own failures, which carry no personal data."""
    said = [_said(event) for event in context.get_step_failure_events()]
    # Without a failed step the run itself broke off: killed, or its code could not be loaded.
    text = f"{context.dagster_run.job_name} failed: {' '.join(said) or context.failure_event.message}"
    slack = connections.slack()
    if slack is None:
        context.log.warning(text)
    else:
        with closing(slack):
            slack.post(f":red_circle: {text} (run {context.dagster_run.run_id})")


def _said(event: dg.DagsterEvent) -> str:
    """What a failed step says of itself: the sentences of our own failures, else the kind of error alone."""
    data = event.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        return data.user_failure_data.description
    error = data.error
    ours = our_sentence(error)
    if ours:
        return ours
    while error is not None and error.cause is not None:
        error = error.cause
    return f"{event.step_key}: {error.cls_name if error else 'unknown error'}."


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
