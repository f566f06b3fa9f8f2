"""What one run of the inventory flow is asked to do.

Put here the scope, the run config and what the steps share about a run. Do not put reading, planning or
sending here.
"""

import hashlib
import json
import random
import time
from collections.abc import Callable
from enum import StrEnum

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.modes import ModeConfig

FLOW = "inventory"
LOW_STOCK_FLOW = "inventory_low_stock"
OWNERS = ["team:operations"]


class Scope(StrEnum):
    """How much a run reads: what changed, everything, or everything and the catalogue's identities as well."""

    CHANGED = "changed"
    FULL = "full"
    RECONCILE = "reconcile"


class InventoryConfig(ModeConfig):
    """The run config of every step; the jobs fill it in (see automation.py)."""

    scope: str = Scope.CHANGED.value


def off_the_beat(run: dg.DagsterRun, most: int, say: Callable[[str], None]) -> float:
    """Wait up to `most` seconds, at random, where a schedule started the run; how long.

    All integrations of an account share its concurrency, and others start at the same minute (features.md H17).
    """
    by_schedule = "dagster/schedule_name" in run.tags
    seconds = random.uniform(0, most) if by_schedule else 0.0  # noqa: S311 - no secret
    if seconds:
        say(f"waits {seconds:.0f} s: others start at this minute too (inventory.jitter_seconds)")
        time.sleep(seconds)
    return seconds


def now_and_then(say: Callable[[str], None], seconds: float = 3.0) -> Callable[[str], None]:
    """`say`, at most once in so many seconds: each line of a run's log is a row that the run waits for."""
    last = time.monotonic()

    def maybe(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            last = time.monotonic()
            say(text)

    return maybe


def inventory_digest(mapping: Mapping) -> str:
    """Of what decides a sellable number: a change of it means that everything has to be looked at anew."""
    shares = {
        number: one.availability.model_dump(mode="json")
        for number, one in sorted(mapping.channels.items())
        if one.availability is not None
    }
    text = f"{mapping.inventory.model_dump_json()} nets orders: {mapping.nets_orders}"
    if shares:
        text += f" shares: {json.dumps(shares, sort_keys=True)}"
    return hashlib.sha256(text.encode()).hexdigest()
