"""A run that failed is a question like any other, told to whom it concerns at every sink, until the job succeeds.

Put here how a failed run becomes RUN_FAILED, and when that is over. Do not put here how it is told (alarms.py). It
must work where everything else is broken: without a state there is Slack, and without Slack the log.
"""

from collections.abc import Iterable
from contextlib import closing

import dagster as dg

from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import our_sentence
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.state.exceptions import Question

FLOW = "platform"
CODE = "RUN_FAILED"
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


@dg.run_failure_sensor(
    name="failed_runs",
    minimum_interval_seconds=45,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Opens RUN_FAILED for a job whose run failed; without a state it tells Slack, without Slack the log.",
)
def failed_runs(context: dg.RunFailureSensorContext, connections: Connections) -> None:
    """One look at one run that failed."""
    note_failure(context, connections)


def note_failure(context: dg.RunFailureSensorContext, connections: Connections) -> None:
    """One question a job; its text comes from our own failures, which carry no personal data."""
    said = [_said(event) for event in context.get_step_failure_events()]
    run = context.dagster_run
    # Without a failed step the run itself broke off: killed, or its code could not be loaded.
    text = f"{run.job_name} failed: {' '.join(said) or context.failure_event.message}"
    kind = CATALOGUE[CODE]
    asked = Question(
        CODE,
        f"job:{run.job_name}",
        text,
        severity=kind.severity,
        owner=kind.owner,
        detail={"run": run.run_id},
    )
    try:
        connections.state.exceptions.open(FLOW, asked)
    except Exception as error:
        context.log.warning(f"the state can't be reached ({type(error).__name__}), so it is told at once")
        _tell(context, connections, f"{text} (run {run.run_id})")


def heal_recovered(instance: dg.DagsterInstance, connections: Connections) -> None:
    """Close RUN_FAILED of each job whose last run succeeded."""
    state = connections.state
    jobs = [one.subject.partition(":")[2] for one in state.exceptions.find(flow=FLOW, code=CODE)]
    well = [f"job:{job}" for job in jobs if _succeeded(instance, job)]
    if well:
        state.exceptions.heal(FLOW, CODE, well)


def _succeeded(instance: dg.DagsterInstance, job: str) -> bool:
    last: Iterable[dg.DagsterRun] = instance.get_runs(
        filters=dg.RunsFilter(job_name=job, statuses=ENDED), limit=1
    )
    return any(run.status is dg.DagsterRunStatus.SUCCESS for run in last)


def _tell(context: dg.RunFailureSensorContext, connections: Connections, text: str) -> None:
    slack = connections.slack()
    if slack is None:
        context.log.error(text)
        return
    with closing(slack):
        slack.post(f":red_circle: {text}")


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
