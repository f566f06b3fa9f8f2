"""Each line of a payout with how sure its order is: the ladder of facts/finance.md 1.7.

Put here what is said of a match. Do not put reads here (state/finance_sql.py), nor the ladder (rules/payouts/links.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bcns_pipeline.rules.payouts.links import CONFIDENCE

_SURE: Final[Mapping[str, str]] = {step.value: confidence for step, confidence in CONFIDENCE.items()}


def shown(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> tuple[Sequence[str], list[dict[str, Any]]]:
    """The report's columns and rows; what is weak and stands here was accepted by a person."""
    return (*columns, "confidence"), [{**row, "confidence": _SURE.get(row["match"], "")} for row in rows]
