"""`bcns smoke inventory`: what is a PASS, and every way to be none.

Put here the judgement over plans that a stand-in for the flow writes into the state. The flow itself, through
Dagster and the sandbox, is run in `defs` and by the demo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from bcns_pipeline.cli.smoke import smoke_stock
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.cli.test_explain import link
from bcns_pipeline_tests.state.stock_frames import changes, write_plan

Line = tuple[int, int | None, int]  # item, old, new


class Flow:
    """Runs the flow as far as the state shows it: a plan per run, in mode apply sent and read back."""

    def __init__(
        self, state: State, *runs: Sequence[Line], outcome: str = "confirmed", code: int = 0
    ) -> None:
        self._state = state
        self._runs = list(runs)
        self._outcome = outcome
        self._code = code
        self.modes: list[str] = []

    def __call__(self, mode: str) -> int:
        self.modes.append(mode)
        lines = self._runs.pop(0) if self._runs else []
        if lines:
            self._plan(mode, lines)
        return self._code

    def _plan(self, mode: str, lines: Sequence[Line]) -> None:
        inventory = self._state.inventory
        items, olds, news = zip(*lines, strict=True)
        frame = changes(
            list(items),
            list(news),
            read_seq=inventory.draw_read_seq(),
            old=[-1 if old is None else old for old in olds],
        )
        # The same item twice means two locations.
        frame["location_id"] = [1 + list(items[:place]).count(item) for place, item in enumerate(items)]
        plan = write_plan(self._state, frame, mode=mode)
        if mode == "plan" or self._outcome == "held":
            return
        inventory.stage_batches(plan)
        with self._state.worker() as worker:
            batch = inventory.claim(worker, "inventory")
            assert batch is not None
            numbers = batch.lines["line"].tolist()
            seen = batch.lines["new"].tolist() if self._outcome == "confirmed" else [None] * len(numbers)
            inventory.settle(batch.operation, numbers, seen, [self._outcome] * len(numbers))


@pytest.fixture
def linked(state: State) -> State:
    """A state in which SKU-1 and SKU-2 are linked."""
    link(state, {1: "SKU-1", 2: "SKU-2"})
    return state


Smoke = Callable[..., tuple[int, str]]


@pytest.fixture
def smoke(environment: Mapping[str, str], linked: State, capsys: pytest.CaptureFixture[str]) -> Smoke:
    """Runs the test over given runs of the flow; returns exit code and output."""

    def run(
        *runs: Sequence[Line], plan_only: bool = False, sku: str = "sku-1", **more: object
    ) -> tuple[int, str]:
        flow = Flow(linked, *runs, **more)  # type: ignore[arg-type]
        code = smoke_stock(sku, plan_only=plan_only, run=flow)
        return code, f"{','.join(flow.modes)}: {capsys.readouterr().out}"

    return run


def test_one_sku_one_unit_read_back_and_nothing_twice_is_a_pass(smoke: Smoke) -> None:
    code, said = smoke([(1, 5, 4)], [(1, 5, 4)])

    assert code == 0, said
    assert said.startswith("plan,apply,apply: ")
    assert "only SKU-1 in location 1, 5 -> 4" in said
    assert "again: 0 writes" in said
    assert said.rstrip().splitlines()[-1].startswith("PASS")


def test_plan_only_sends_nothing(smoke: Smoke) -> None:
    code, said = smoke([(1, 5, 6)], plan_only=True)

    assert code == 0
    assert said.startswith("plan: ")
    assert "nothing was sent" in said


@pytest.mark.parametrize(
    ("planned", "why"),
    [
        ([], "the plan is empty"),
        ([(1, 5, 4), (2, 3, 1)], "1 other line(s) would change too: SKU-2"),
        ([(2, 3, 2)], "other line(s) would change too"),
        ([(1, 5, 2)], "changes by -3 (5 -> 2), not by one unit"),
        ([(1, None, 1)], "was never in step"),
        ([(1, 5, 4), (1, 8, 7)], "changes in 2 locations"),
    ],
)
def test_any_other_plan_is_a_fail_before_anything_is_sent(
    smoke: Smoke, planned: list[Line], why: str
) -> None:
    code, said = smoke(planned)

    assert code == 1
    assert said.startswith("plan: ")
    assert f"FAIL: {why}" in said or why in said


@pytest.mark.parametrize(
    ("runs", "outcome", "why"),
    [
        ([[(1, 5, 4)], []], "confirmed", "the push had nothing to send"),
        ([[(1, 5, 4)], [(1, 5, 3)]], "confirmed", "moved on between plan and push"),
        ([[(1, 5, 4)], [(1, 5, 4), (2, 1, 9)]], "confirmed", "more than the planned line"),
        ([[(1, 5, 4)], [(1, 5, 4)]], "unconfirmed", "ended unconfirmed; the store shows nothing"),
        ([[(1, 5, 4)], [(1, 5, 4)]], "held", "planned but not sent"),
        ([[(1, 5, 4)], [(1, 5, 4)], [(1, 4, 4)]], "confirmed", "the second run wrote again"),
    ],
)
def test_a_push_that_is_not_the_plan_confirmed_is_a_fail(
    smoke: Smoke, runs: list[list[Line]], outcome: str, why: str
) -> None:
    code, said = smoke(*runs, outcome=outcome)

    assert code == 1
    assert why in said


def test_a_run_that_failed_is_a_fail(smoke: Smoke) -> None:
    code, said = smoke([(1, 5, 4)], code=1)

    assert code == 1
    assert "the plan could not be made" in said


def test_a_sku_that_is_not_linked_is_bad_input(smoke: Smoke) -> None:
    with pytest.raises(BadInput, match="NOTHING is not linked"):
        smoke(sku="NOTHING")
