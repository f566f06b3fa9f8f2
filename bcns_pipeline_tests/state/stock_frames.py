"""Frames of stock changes for tests of the state.

Put here what several test modules need to make plans. Do not put assertions here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from bcns_pipeline.rules.inventory.quantities import QUANTITY_SCALE, TERMS
from bcns_pipeline.state.plans import Plan
from bcns_pipeline.state.store import State

FLOW = "inventory"
AS_OF = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def changes(
    items: Sequence[int],
    new: Sequence[int],
    *,
    read_seq: int,
    old: Sequence[int] | None = None,
    location: int = 1,
) -> pd.DataFrame:
    """One changed line per item, in the columns of `write_changes`."""
    count = len(items)
    numbers = np.asarray(items, dtype=np.int64)
    frame = pd.DataFrame(
        {
            "item_id": numbers,
            "sku": [f"SKU-{item}" for item in items],
            "product_id": numbers + 1_000,
            "variant_id": numbers + 2_000,
            "tracking": ["variant"] * count,
            "location_id": np.full(count, location, dtype=np.int64),
            "rule": ["available"] * count,
            "netsuite_changed_at": ["2026-11-21 07:59:00"] * count,
            "old": np.asarray(old if old is not None else [-1] * count, dtype=np.int64),
            "new": np.asarray(new, dtype=np.int64),
            "reason": ["changed"] * count,
            "read_seq": np.full(count, read_seq, dtype=np.int64),
        }
    )
    for term in TERMS:
        frame[term] = np.asarray(new, dtype=np.int64) * QUANTITY_SCALE
    return frame


def write_plan(state: State, frame: pd.DataFrame, mode: str = "apply") -> Plan:
    """A plan with these lines, nothing staged."""
    return state.inventory.write_plan(frame, flow=FLOW, mode=mode, as_of=AS_OF, config_digest="c" * 64)  # type: ignore[arg-type]


def stage(state: State, items: Sequence[int], new: Sequence[int], *, batch: int = 2_000) -> Plan:
    """A staged plan read just now."""
    plan = write_plan(state, changes(items, new, read_seq=state.inventory.draw_read_seq()))
    state.inventory.stage_batches(plan, batch)
    return plan


def confirmed(state: State) -> dict[int, int]:
    """The confirmed value of every item, -1 where there is none."""
    known = state.inventory.known()
    return dict(zip(known["item_id"].tolist(), known["confirmed"].tolist(), strict=True))
