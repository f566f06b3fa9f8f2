"""One lane of a month's money in a process of its own; prints what it took as one JSON line on the last line.

`month_lane cash_application` and `month_lane refund_sync` run that job, as its sensor would start it, until nothing of
it waits; `month_lane payout_posting` runs once, `month_lane daily_tie_out FIRST LAST` once for these days, as a
backfill of them does. Two lanes of a job at once are the two runs that its sensor lets be on their way.
Put here what has to be measured inside the process. Do not put the arithmetic of floors here (`month.py`).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from bcns_pipeline.cli.flows import dagster_instance
from bcns_pipeline.definitions import build_defs
from bcns_pipeline.defs.days import tags_of
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.bench.order_lane import connections
from bcns_pipeline_tests.bench.usage import usage

# A lane that does not come to its end is ended.
MOST_SECONDS = 3_600
PAUSE = 0.3


def main() -> int:
    job, days = sys.argv[1], [date.fromisoformat(day) for day in sys.argv[2:]]
    tags = tags_of((days[0], days[-1])) if days else None
    runs = []
    with connections() as ours, dagster_instance() as instance:
        definition = build_defs().resolve_job_def(job)
        for _ in _turns(job, ours.state):
            result = definition.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
            runs.append(_told(instance, result))
            if not result.success:
                break
    print(json.dumps({"runs": runs, **usage()}))
    return 0 if all(run["success"] for run in runs) else 1


def _turns(job: str, state: State) -> Iterator[None]:
    """One for each run."""
    waits = WAITS.get(job)
    if waits is None:
        yield
        return
    until = time.monotonic() + MOST_SECONDS
    first = True
    while time.monotonic() < until:
        free, open_ = waits(state)
        if first or free:
            first = False
            yield
        elif not open_:
            return
        else:
            time.sleep(PAUSE)
    raise SystemExit(f"{job} did not come to its end within {MOST_SECONDS} s")


def _cash(state: State) -> tuple[bool, bool]:
    now = datetime.now(UTC)
    free = bool(state.cash.unlooked(now, 1) or state.cash.due(now, 1) or state.cash.unread(1))
    return free, free or bool(state.outbox.find(flow="cash", limit=1))


def _refunds(state: State) -> tuple[bool, bool]:
    free = bool(state.refunds.find(disposition="open", limit=1) or state.refunds.unread(1))
    return free, free or bool(state.outbox.find(flow="refunds", limit=1))


# Of a job that drains what waits: whether a run would find something, and whether anything is not done.
WAITS: dict[str, Callable[[State], tuple[bool, bool]]] = {"cash_application": _cash, "refund_sync": _refunds}


def _told(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    stats = instance.get_run_stats(result.run_id)
    for event in result.all_events:
        if event.is_step_failure:
            print(event.message, event.step_failure_data.error, sep="\n", file=sys.stderr)
    assert stats.start_time is not None
    assert stats.end_time is not None
    return {
        "success": result.success,
        "began": stats.start_time,
        "wall": stats.end_time - stats.start_time,
        "steps": {
            step.step_key: step.end_time - step.start_time
            for step in instance.get_run_step_stats(result.run_id)
            if step.start_time is not None and step.end_time is not None
        },
    }


if __name__ == "__main__":
    raise SystemExit(main())
