"""The one-unit test: change one SKU by one unit in NetSuite, and see that and nothing else go through.

Put here what makes it a PASS. Do not put planning or sending here: the flow's own job runs, through Dagster,
with the same history that the UI shows. The plan is read back from the state, not from a log.
"""

from __future__ import annotations

from collections.abc import Callable

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import say
from bcns_pipeline.cli.queries import PlanLine, items_of_sku, lines_of_plan, newest_plan, plans_after
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import load_settings
from bcns_pipeline.state.store import State

FLOW = "inventory"
# Runs the flow once in that mode ("plan" or "apply") and returns its exit code, 0 for success.
RunFlow = Callable[[str], int]
SHOWN = 5


def smoke_stock(sku: str, *, plan_only: bool = False, run: RunFlow | None = None) -> int:
    """Plan, apply and run again for one SKU; 0 = PASS, 1 = FAIL with the reason. Raises BadInput.

    PASS means: the plan has one line, of this SKU, one unit apart from the value last confirmed; after the
    push the store shows the new value; and the next run writes nothing. With `plan_only` nothing is sent.
    """
    start = run or run_through_dagster
    with remembered(load_settings()) as state:
        _must_be_linked(state, sku)
        before = newest_plan(state)
        if start("plan") != 0:
            return _fail("the plan could not be made; the run's own messages say why.")
        planned = lines_since(state, before)
        fault = one_unit_fault(sku, planned)
        if fault:
            return _fail(fault)
        line = planned[0]
        say(
            f"plan: only {line.sku} in location {line.location_id}, {line.old:,} -> {line.new:,} "
            f"({line.reason})"
        )
        if plan_only:
            return _pass("exactly this SKU, exactly one unit; nothing was sent (--plan-only).")
        before = newest_plan(state)
        if start("apply") != 0:
            return _fail("the push failed; the run's own messages say why.")
        pushed = lines_since(state, before)
        fault = push_fault(line, pushed)
        if fault:
            return _fail(fault)
        say(f"push: {line.sku} reads {pushed[0].read_back:,} in location {line.location_id}, as sent")
        before = newest_plan(state)
        if start("apply") != 0:
            return _fail("the second run failed; the run's own messages say why.")
        again = lines_since(state, before)
        if again:
            return _fail(f"the second run wrote again: {_told(again)}.")
        say("again: 0 writes")
    return _pass("one SKU, one unit, read back in the store, and nothing written twice.")


def run_through_dagster(mode: str) -> int:
    """The flow's job in this process."""
    from bcns_pipeline.cli.flows import run_flow

    return run_flow(FLOW, mode=mode)


def lines_since(state: State, plan_id: int) -> list[PlanLine]:
    """The lines of all stock plans newer than `plan_id`, healing ones included."""
    return [line for plan in plans_after(state, plan_id, FLOW) for line in lines_of_plan(state, plan)]


def one_unit_fault(sku: str, lines: list[PlanLine]) -> str | None:
    """Why this plan is not the change of one SKU by one unit; None where it is."""
    others = [line for line in lines if line.sku.lower() != sku.lower()]
    mine = [line for line in lines if line.sku.lower() == sku.lower()]
    if not lines:
        return (
            f"the plan is empty: adjust {sku} by one unit in NetSuite first, in a location that is mapped, "
            "and leave it "
            "a minute to show there."
        )
    if others:
        return (
            f"{len(others):,} other line(s) would change too: {_told(others)}. Let the flow run first "
            f"(`bcns run {FLOW}`), "
            "and take a SKU that is in no kit."
        )
    if len(mine) > 1:
        return (
            f"{sku} changes in {len(mine)} locations: {_told(mine)}; adjust it in one NetSuite location only."
        )
    line = mine[0]
    if line.old is None:
        place = line.location_id
        return f"{sku} was never in step in location {place}: let the flow run first (`bcns run {FLOW}`)."
    if abs(line.new - line.old) != 1:
        return (
            f"{sku} changes by {line.new - line.old:+,} ({line.old:,} -> {line.new:,}), not by one unit; "
            "if NetSuite was "
            "changed by one, look at the rule (`bcns explain sku`)."
        )
    return None


def push_fault(planned: PlanLine, pushed: list[PlanLine]) -> str | None:
    """Why the push is not the planned line, confirmed by what was read back; None where it is."""
    if not pushed:
        return "the push had nothing to send: the value changed back, or another run sent it meanwhile."
    same = [line for line in pushed if (line.sku, line.location_id) == (planned.sku, planned.location_id)]
    if len(same) != len(pushed) or len(same) != 1:
        return f"more than the planned line was sent: {_told(pushed)}."
    line = same[0]
    if line.new != planned.new:
        return f"{line.sku} moved on between plan and push ({planned.new:,} -> {line.new:,}); try again."
    if line.outcome is None:
        return f"{line.sku} was planned but not sent: pushing is paused, see `bcns status`."
    if line.outcome != "confirmed":
        seen = "nothing" if line.read_back is None else f"{line.read_back:,}"
        return f"{line.sku} was sent as {line.new:,} and ended {line.outcome}; the store shows {seen}."
    return None


def _must_be_linked(state: State, sku: str) -> None:
    found = items_of_sku(state, sku)
    if not found:
        raise BadInput(
            [
                f"{sku} is not linked: both systems must know it, and the flow must have run (`bcns run "
                f"{FLOW} --full`); "
                f"`bcns explain sku {sku}` says more."
            ]
        )


def _told(lines: list[PlanLine]) -> str:
    some = [
        f"{line.sku} in {line.location_id}: {'never' if line.old is None else line.old} -> {line.new}"
        for line in lines
    ]
    more = len(some) - SHOWN
    return ", ".join(some[:SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _pass(text: str) -> int:
    say(f"PASS: {text}")
    return 0


def _fail(text: str) -> int:
    say(f"FAIL: {text}")
    return 1
