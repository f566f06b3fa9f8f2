"""What every job has in common: `{mode: apply | plan, …}` as its run config, and how many of its runs are on their way.

Put here what all flows share about a job. Do not put a flow's own options here: it hands them in as a ModeConfig.
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
    """The run config of a step; the job fills it in. A flow's own options are fields of a subclass."""

    mode: str = Mode.APPLY.value


MODES = dg.Enum("mode", [dg.EnumValue(mode.value) for mode in Mode])
_GOING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def mode_config(
    steps: Sequence[dg.AssetsDefinition | dg.OpDefinition],
    options: type[ModeConfig] = ModeConfig,
    **fixed: Any,
) -> dg.ConfigMapping:
    """A job's own `{mode: apply | plan, …}` with the defaults of `options`, handed to each step beside `fixed`."""
    names = [step.op.name if isinstance(step, dg.AssetsDefinition) else step.name for step in steps]
    mode = dg.Field(
        MODES,
        default_value=options.model_fields["mode"].default,
        is_required=False,
        description="apply sends what was planned; plan shows it and sends nothing",
    )

    def expand(given: dict[str, Any]) -> dict[str, Any]:
        return {"ops": {name: {"config": {**given, **fixed}} for name in names}}

    return dg.ConfigMapping(config_fn=expand, config_schema={**options.to_fields_dict(), "mode": mode})


def going(context: dg.SensorEvaluationContext, job: str) -> int:
    """How many runs of the job wait or work."""
    return int(context.instance.get_runs_count(dg.RunsFilter(job_name=job, statuses=_GOING)))
