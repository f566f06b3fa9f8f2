"""kill -9 of a run, and two runs at once: the next run continues, and nothing is lost, doubled or left open."""

from __future__ import annotations

import pytest

from bcns_pipeline.defs.inventory.push import store_lock
from bcns_pipeline_tests.defs.flow import Flow, wait_until

pytestmark = pytest.mark.kill
MOVED = {f"SKU-{number:06d}": (200 + number, 300 + number) for number in range(1, 11)}


def moved(turn: int) -> dict[str, tuple[int, int]]:
    """Other numbers in each turn, so far off that a sale looks like none of them: twenty lines change."""
    return {sku: (here + 20 * turn, there + 20 * turn) for sku, (here, there) in MOVED.items()}


def move(flow: Flow, turn: int) -> None:
    flow.later()
    changes = [
        {"sku": sku, "location": at, "on_hand": units}
        for sku, pair in moved(turn).items()
        for at, units in zip((1, 6), pair, strict=True)
    ]
    flow.control.adjust(changes)
    for sku in MOVED:
        for at in (1, 6):
            flow.control.adjust(sku=sku, location=at, committed=0)
    flow.control.clear_log()


def answered(flow: Flow, path: str, method: str = "POST") -> int:
    return sum(path in entry["path"] and entry["method"] == method for entry in flow.control.log())


def assert_exactly_right(flow: Flow, turn: int, after: str) -> None:
    """`after` is what had happened, for whoever reads of a failure."""
    assert {sku: flow.shop(sku) for sku in MOVED} == moved(turn), after
    flow.assert_in_step()


@pytest.mark.long
def test_wherever_a_run_ends_early_the_next_one_makes_it_exactly_right(flow: Flow) -> None:
    """Killed before, between, after and during its call; its database session ended; two at once. Then nothing."""
    flow.run()
    state = flow.state()

    # -- killed while it reads: nothing is left behind
    move(flow, 1)
    before = flow.whole_shop()
    slow = {"system": "netsuite", "kind": "latency", "path_regex": "suiteql", "ms": 120_000, "skip": 1}
    flow.control.faults(slow)
    child = flow.start()
    wait_until(lambda: answered(flow, "suiteql") >= 1)
    flow.kill(child)
    flow.control.clear_faults()
    assert flow.whole_shop() == before
    assert flow.run().sent == 20
    assert_exactly_right(flow, 1, "killed while it read")

    # -- killed between claim and call: nothing was sent, and the next one does
    move(flow, 2)
    # Whoever holds the store's lock keeps the run from calling, after it has claimed its first batch.
    with state.worker() as worker, worker.exclusive(store_lock(state.store)):
        child = flow.start()
        wait_until(lambda: state.outbox.find(states=("sending",)))
        flow.kill(child)
    assert flow.puts() == 0
    assert flow.run().sent == 20
    assert_exactly_right(flow, 2, "killed between claim and call")

    # -- killed after the call and before it was read back: not sent again
    move(flow, 3)
    slow = {"system": "bigcommerce", "kind": "latency", "path_regex": "inventory/items", "ms": 20_000}
    flow.control.faults(slow)
    child = flow.start()
    wait_until(lambda: flow.puts() == 1)
    flow.kill(child)
    flow.control.clear_faults()
    # Sold in between: a second adjustment would bring the unit back.
    here, there = flow.shop("SKU-000001")
    flow.control.order(sku="SKU-000001", quantity=1, location_id=1)
    flow.run()
    assert flow.puts() == 1
    shown = {sku: flow.shop(sku) for sku in MOVED}
    assert shown == {**moved(3), "SKU-000001": (here - 1, there)}, "killed before it was read back"
    flow.assert_tidy()

    # -- killed while its call is on the way, which arrives at the store after its sender has died
    move(flow, 4)
    slow = {"system": "bigcommerce", "kind": "latency", "path_regex": "adjustments", "ms": 1_500}
    flow.control.faults(slow)
    child = flow.start()
    wait_until(lambda: flow.control.call("GET", "/faults") == [])
    flow.kill(child)
    flow.run()
    wait_until(lambda: flow.puts() >= 1)
    flow.run()
    assert_exactly_right(flow, 4, "killed while its call was on the way")

    # -- its database session ends: it stops, and the next one completes
    move(flow, 5)
    with state.worker() as worker, worker.exclusive(store_lock(state.store)):
        child = flow.start()
        wait_until(lambda: state.outbox.find(states=("sending",)))
        flow.end_other_sessions(keep=worker)
        child.wait(180)
        assert child.returncode == 1
    assert flow.puts() == 0
    flow.run()
    assert_exactly_right(flow, 5, "its session ended")

    # -- two at once
    move(flow, 6)
    slow = {"system": "bigcommerce", "kind": "latency", "path_regex": ".", "ms": 100, "times": None}
    flow.control.faults(slow)
    children = [
        flow.start("inventory_sync", "--batch", "4"),
        flow.start("inventory_full_sync", "--batch", "4"),
    ]
    assert [child.wait(180) for child in children] == [0, 0], [c.stdout.read()[-3000:] for c in children]
    flow.control.clear_faults()
    assert_exactly_right(flow, 6, "two at once")
    assert flow.run().sent == 0
    # The second one found most of the work done.
    assert flow.puts() <= 10


@pytest.mark.merchant(60, stock="zero")
def test_a_full_load_killed_in_the_middle_of_its_batches_is_finished_by_the_next_run(flow: Flow) -> None:
    slow = {"system": "bigcommerce", "kind": "latency", "path_regex": "adjustments", "ms": 700, "times": None}
    flow.control.faults(slow)
    child = flow.start("inventory_full_sync", "--batch", "20")
    wait_until(lambda: flow.puts() >= 2)
    flow.kill(child)
    flow.control.clear_faults()
    open_now = {op.state for op in flow.state().outbox.find()}
    assert "planned" in open_now

    flow.run()
    flow.assert_in_step()
    assert flow.run("inventory_full_sync").sent == 0


@pytest.mark.merchant(40, stock="zero")
def test_two_first_runs_at_once_fill_the_store_once(flow: Flow) -> None:
    children = [flow.start(), flow.start()]
    assert [child.wait(180) for child in children] == [0, 0], [c.stdout.read()[-3000:] for c in children]

    flow.assert_in_step()
    assert flow.run().sent == 0
