"""What can be wrong before anything is decided: events that do not come, and work that does not go.

Put the codes here that intake and the watch over all flows open. Do not put a flow's own codes here.
"""

from __future__ import annotations

from typing import Final

from bcns_pipeline.rules.kinds.kind import Kind, Owner

KINDS: Final = (
    Kind(
        "HOOK_BROKEN",
        "error",
        Owner.INTEGRATION,
        "A webhook of the store does not deliver, and could not be mended by itself.",
        "Read the message; polling goes on meanwhile, so nothing is lost, only later.",
    ),
    Kind(
        "INTAKE_GAP",
        "error",
        Owner.INTEGRATION,
        "After a time without events was read again, the store still has records that did not arrive.",
        "Run the day's backfill again; if the ids stay missing, look at them in BigCommerce.",
        hours=4,
    ),
    Kind(
        "MISSING_ORDER",
        "error",
        Owner.INTEGRATION,
        "The store has an order that should be in NetSuite, and nothing has taken it in.",
        "Run `bcns replay` with its id, then find out why neither hook nor poll saw it.",
        hours=1,
    ),
    Kind(
        "BACKLOG",
        "error",
        Owner.INTEGRATION,
        "More work waits than alerts.backlog allows, or it waits longer.",
        "Look at `bcns status`: what runs, what is refused, and whether the schedules are on.",
    ),
    Kind(
        "RUN_FAILED",
        "error",
        Owner.INTEGRATION,
        "The last run of a job failed, and none has succeeded since.",
        "The message says why. Mend settings or permissions; an outside system that was away needs nothing.",
    ),
)
