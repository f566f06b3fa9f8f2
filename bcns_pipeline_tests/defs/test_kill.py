"""kill -9 of a run, and two runs at once: the next run continues, and nothing is lost, doubled or left open."""

from __future__ import annotations

import os
import signal

import pytest

from bcns_pipeline.defs.inventory.push import store_lock
from bcns_pipeline_tests.defs.children import Child
from bcns_pipeline_tests.defs.flow import Flow, wait_until

pytestmark = pytest.mark.kill
MOVED = {f"SKU-{number:06d}": (200 + number, 300 + number) for number in range(1, 11)}


def bring_into_step(flow: Flow) -> None:
    flow.run()
    flow.later()
    changes = [
        {"sku": sku, "location": at, "on_hand": units}
        for sku, pair in MOVED.items()
        for at, units in zip((1, 6), pair, strict=True)
    ]
    flow.control.adjust(changes)
    for sku in MOVED:
        for at in (1, 6):
            flow.control.adjust(sku=sku, location=at, committed=0)
    flow.control.clear_log()


def answered(flow: Flow, path: str, method: str = "POST") -> int:
    return sum(path in entry["path"] and entry["method"] == method for entry in flow.control.log())


def kill(child: Child) -> None:
    assert child.poll() is None, child.stdout.read()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()


def assert_exactly_right(flow: Flow) -> None:
    assert {sku: flow.shop(sku) for sku in MOVED} == MOVED
    flow.assert_in_step()
    assert flow.run().sent == 0


def test_a_run_killed_while_it_reads_leaves_nothing_behind(flow: Flow) -> None:
    bring_into_step(flow)
    before = flow.whole_shop()
    slow = {"system": "netsuite", "kind": "latency", "path_regex": "suiteql", "ms": 120_000, "skip": 1}
    flow.control.faults(slow)
    child = flow.start()
    wait_until(lambda: answered(flow, "suiteql") >= 1)
    kill(child)
    flow.control.clear_faults()

    assert flow.whole_shop() == before
    assert flow.run().sent == 20
    assert_exactly_right(flow)


def test_a_run_killed_between_claim_and_call_sent_nothing_and_the_next_one_does(flow: Flow) -> None:
    bring_into_step(flow)
    state = flow.state()
    # Whoever holds the store's lock keeps the run from calling, after it has claimed its first batch.
    with state.worker() as worker, worker.exclusive(store_lock(state.store)):
        child = flow.start()
        wait_until(lambda: state.outbox.find(states=("sending",)))
        kill(child)
    assert flow.puts() == 0

    assert flow.run().sent == 20
    assert_exactly_right(flow)


def test_a_run_killed_after_the_call_and_before_it_was_read_back_is_not_sent_again(flow: Flow) -> None:
    bring_into_step(flow)
    slow = {"system": "bigcommerce", "kind": "latency", "path_regex": "inventory/items", "ms": 20_000}
    flow.control.faults(slow)
    child = flow.start()
    wait_until(lambda: flow.puts() == 1)
    kill(child)
    flow.control.clear_faults()
    # Sold in between: a second adjustment would bring the unit back.
    flow.shop("SKU-000001")
    flow.control.order(sku="SKU-000001", quantity=1, location_id=1)

    flow.run()

    assert flow.puts() == 1
    assert flow.shop("SKU-000001") == (MOVED["SKU-000001"][0] - 1, MOVED["SKU-000001"][1])
    assert all(flow.shop(sku) == pair for sku, pair in MOVED.items() if sku != "SKU-000001")
    flow.assert_tidy()


def test_a_run_killed_while_its_call_is_on_the_way_ends_exactly_right(flow: Flow) -> None:
    bring_into_step(flow)
    slow = {"system": "bigcommerce", "kind": "latency", "path_regex": "adjustments", "ms": 1_500}
    flow.control.faults(slow)
    child = flow.start()
    wait_until(lambda: flow.control.call("GET", "/faults") == [])
    kill(child)

    # The call arrives at the store after its sender has died.
    flow.run()
    wait_until(lambda: flow.puts() >= 1)

    flow.run()
    assert_exactly_right(flow)


def test_a_full_load_killed_in_the_middle_of_its_batches_is_finished_by_the_next_run(flow: Flow) -> None:
    flow.seed(60, stock="zero")
    slow = {"system": "bigcommerce", "kind": "latency", "path_regex": "adjustments", "ms": 200, "times": None}
    flow.control.faults(slow)
    child = flow.start("inventory_full_sync", "--batch", "20")
    wait_until(lambda: flow.puts() >= 2)
    kill(child)
    flow.control.clear_faults()
    open_now = {op.state for op in flow.state().outbox.find()}
    assert "planned" in open_now

    flow.run()
    flow.assert_in_step()
    assert flow.run("inventory_full_sync").sent == 0


def test_a_run_whose_database_session_ends_stops_and_the_next_one_completes(flow: Flow) -> None:
    bring_into_step(flow)
    state = flow.state()
    with state.worker() as worker, worker.exclusive(store_lock(state.store)):
        child = flow.start()
        wait_until(lambda: state.outbox.find(states=("sending",)))
        flow.end_other_sessions(keep=worker)
        child.wait(60)
        assert child.returncode == 1
    assert flow.puts() == 0

    flow.run()
    assert_exactly_right(flow)


def test_two_runs_at_once_end_with_the_right_stock(flow: Flow) -> None:
    bring_into_step(flow)
    slow = {"system": "bigcommerce", "kind": "latency", "path_regex": ".", "ms": 100, "times": None}
    flow.control.faults(slow)

    children = [
        flow.start("inventory_sync", "--batch", "4"),
        flow.start("inventory_full_sync", "--batch", "4"),
    ]
    assert [child.wait(180) for child in children] == [0, 0], [c.stdout.read()[-3000:] for c in children]

    flow.control.clear_faults()
    assert_exactly_right(flow)
    # The second one found most of the work done.
    assert flow.puts() <= 10


def test_two_first_runs_at_once_fill_the_store_once(flow: Flow) -> None:
    flow.seed(40, stock="zero")

    children = [flow.start(), flow.start()]
    assert [child.wait(180) for child in children] == [0, 0], [c.stdout.read()[-3000:] for c in children]

    flow.assert_in_step()
    assert flow.run().sent == 0
