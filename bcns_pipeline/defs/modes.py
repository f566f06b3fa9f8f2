"""The one small run config that every job takes.

Put here what all flows share about `{mode: apply | plan}`. Do not put a flow's own options here.
"""

from enum import StrEnum

import dagster as dg


class Mode(StrEnum):
    """`apply` sends what was planned; `plan` shows it and sends nothing."""

    APPLY = "apply"
    PLAN = "plan"


MODE_SCHEMA = {
    "mode": dg.Field(
        dg.Enum("mode", [dg.EnumValue(mode.value) for mode in Mode]),
        default_value=Mode.APPLY.value,
        is_required=False,
        description="apply sends what was planned; plan shows it and sends nothing",
    )
}
