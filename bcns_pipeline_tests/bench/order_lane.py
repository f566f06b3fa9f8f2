"""One lane of the order flow in a process of its own; prints what it took as one JSON line on the last line.

`order_lane orders` runs `order_sync` without its last step until no order waits, `order_lane references COUNT` runs
that last step until COUNT orders carry their number, a batch at a time, `order_lane bare` calls what the steps call,
without Dagster.
In production the lanes are pools of the same job: the next run's orders do not wait for the references of the last.
Two `orders` lanes at once are the two runs that the sensor lets be on their way, one posts while the next one plans;
the references lane is the one more that a backlog has.
Put here what has to be measured inside the process. Do not put the arithmetic of floors here (`orders.py`).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from bcns_pipeline.cli.flows import dagster_instance
from bcns_pipeline.defs.days import day_job
from bcns_pipeline.defs.modes import Mode, mode_config
from bcns_pipeline.defs.orders.apply import apply_plan
from bcns_pipeline.defs.orders.assets import STEPS, assets
from bcns_pipeline.defs.orders.checks import CHECKS
from bcns_pipeline.defs.orders.fates import remember
from bcns_pipeline.defs.orders.planning import make_plan
from bcns_pipeline.defs.orders.references import BATCH
from bcns_pipeline.defs.orders.take import drain
from bcns_pipeline.defs.polling import CURSOR
from bcns_pipeline.defs.promises import steps_of
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.interpreter import set_for_a_run
from bcns_pipeline.rules.intake import read_cursor
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.bench.usage import usage

JOB = "order_lane"
# A lane that does not come to its end is ended.
MOST_SECONDS = 900
PAUSE = 0.5


def main() -> int:
    lane = sys.argv[1]
    with connections() as ours:
        began = ours.bigcommerce().now()
        if lane == "bare":
            runs = bare(ours)
        else:
            steps = STEPS[:3] if lane == "orders" else STEPS[3:]
            wanted = int(sys.argv[2]) if lane == "references" else 0
            with dagster_instance() as instance:
                runs = repeat(
                    instance,
                    job_of(ours, steps),
                    lambda: finished(ours.state, wanted) and (bool(wanted) or listed(ours.state, began)),
                    lambda: written_back(ours.state) if wanted else due(ours.state, began),
                )
    print(json.dumps({"runs": runs, **usage()}))
    return 0 if runs and all(run["success"] for run in runs) else 1


def due(state: State, began: datetime) -> bool:
    """Whether a run would find anything to list, to read or to plan; the other lane may have it all in hand."""
    waiting = state.inbox.waiting("order").free or state.orders.due(datetime.now(UTC), limit=1, edits="none")
    return bool(waiting or not listed(state, began))


def listed(state: State, began: datetime) -> bool:
    """Whether the poll has come to what was there when we began, in the store's clock: it has a budget."""
    through = read_cursor(state.cursors.get(CURSOR))
    return through is not None and through >= began.replace(microsecond=0)


def written_back(state: State) -> bool:
    """Whether a whole batch of references waits, as after a run of orders, or what is left is all there will be."""
    return len(state.orders.unreferenced(BATCH)) == BATCH or finished(state, 0)


def finished(state: State, referenced: int) -> bool:
    """No order waits, is open or half written; or so many orders carry their number."""
    if referenced:
        with state.engine.connect() as conn:
            done = conn.exec_driver_sql(
                "select count(*) from bcns.order_state where referenced_at is not null"
            ).scalar_one()
        return bool(done >= referenced)
    open_ones = state.orders.find(disposition=("open", "planned"), limit=1)
    return not (state.inbox.waiting("order").free or open_ones or state.orders.unread(1))


def job_of(ours: Connections, steps: list[dg.AssetsDefinition]) -> dg.JobDefinition:
    """A job of some of the flow's steps, with their checks; `order_sync` itself takes no selection."""
    job = day_job(JOB, dg.AssetSelection.assets(*steps), mode_config([]), "A lane of the order flow.")
    return dg.Definitions(
        assets=assets(ours.mapping),
        asset_checks=steps_of(CHECKS),
        jobs=[job],
        resources={"connections": Connections()},
        executor=dg.in_process_executor,
    ).resolve_job_def(JOB)


def repeat(
    instance: dg.DagsterInstance, job: dg.JobDefinition, done: Callable[[], bool], wanted: Callable[[], bool]
) -> list[dict[str, Any]]:
    """Runs, one after the other; a lane that finds nothing to do looks again a moment later."""
    runs: list[dict[str, Any]] = []
    until = time.monotonic() + MOST_SECONDS
    # The first one polls, whatever waits.
    while time.monotonic() < until:
        if runs and not wanted():
            if done():
                break
            time.sleep(PAUSE)
            continue
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        stats = instance.get_run_stats(result.run_id)
        assert stats.start_time is not None
        assert stats.end_time is not None
        found = {
            step.step_key: step.end_time - step.start_time
            for step in instance.get_run_step_stats(result.run_id)
            if step.start_time is not None and step.end_time is not None
        }
        said = [event.message for event in result.all_events if event.is_step_failure]
        runs.append(
            {
                "success": result.success,
                "began": stats.start_time,
                "wall": stats.end_time - stats.start_time,
                "steps": found,
            }
        )
        if not result.success:
            print(*said, sep="\n", file=sys.stderr)
            break
        if done():
            break
        time.sleep(PAUSE)
    return runs


def bare(ours: Connections) -> list[dict[str, Any]]:
    """The same work as plain calls, once."""
    began = time.time()
    drain(ours, lambda _: None)
    planned = make_plan(ours, mode=Mode.APPLY)
    remember(ours, planned.fates)
    apply_plan(ours, planned.plan, lambda _: None)
    return [{"success": True, "began": began, "wall": time.time() - began, "steps": {}}]


@contextmanager
def connections() -> Iterator[Connections]:
    """Our own, as a run of that name would have them."""
    ours = Connections()
    # Only Dagster hands out run ids.
    ours._run_id = f"bench-{time.time_ns()}"
    with closing(ours), set_for_a_run():
        yield ours


if __name__ == "__main__":
    raise SystemExit(main())
