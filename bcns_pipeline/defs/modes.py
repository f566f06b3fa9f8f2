"""What every job has in common: `{mode: apply | plan}` as its run config, and how many of its runs are on their way.

Put here what all flows share about a job. Do not put a flow's own options here.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import dagster as dg


class Mode(StrEnum):
    """`apply` sends what was planned; `plan` shows it and sends nothing."""

    APPLY = "apply"
    PLAN = "plan"


class ModeConfig(dg.Config):
    """The run config of a step; the job fills it in."""

    mode: str = Mode.APPLY.value


MODE_SCHEMA = {
    "mode": dg.Field(
        dg.Enum("mode", [dg.EnumValue(mode.value) for mode in Mode]),
        default_value=Mode.APPLY.value,
        is_required=False,
        description="apply sends what was planned; plan shows it and sends nothing",
    )
}
_GOING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def mode_config(steps: Sequence[dg.AssetsDefinition], **fixed: Any) -> dg.ConfigMapping:
    """A job's own `{mode: apply | plan}`, handed to each of these steps beside `fixed`; without one a job applies."""

    def expand(given: dict[str, Any]) -> dict[str, Any]:
        return {"ops": {step.op.name: {"config": {"mode": given["mode"], **fixed}} for step in steps}}

    return dg.ConfigMapping(config_fn=expand, config_schema=MODE_SCHEMA)


def going(context: dg.SensorEvaluationContext, job: str) -> int:
    """How many runs of the job wait or work."""
    return int(context.instance.get_runs_count(dg.RunsFilter(job_name=job, statuses=_GOING)))
