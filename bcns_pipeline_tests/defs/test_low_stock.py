"""The fast lane: what runs low reaches the store while a full sync is under way, and is never overwritten by it."""

from __future__ import annotations

import json
from typing import Any

import dagster as dg
import pytest

from bcns_pipeline.defs.inventory import low_stock
from bcns_pipeline.state import inventory_views as views
from bcns_pipeline.state.operations import Intent, Move
from bcns_pipeline_tests.defs.flow import Flow, Impatient, wait_until

SKU = "SKU-000030"


class Ticks:
    """The sensor as the daemon would call it: each tick goes on from the cursor of the last."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._cursor: str | None = None

    def tick(self) -> list[list[int]]:
        """The item ids of the runs that are asked for."""
        sensor = self._flow.definitions().resolve_sensor_def("low_stock")
        connections = Impatient(config_path=self._flow.environment["BCNS_CONFIG"])
        with dg.build_sensor_context(
            instance=self._flow.instance, cursor=self._cursor, resources={"connections": connections}
        ) as context:
            asked = sensor.evaluate_tick(context)
        self._cursor = asked.cursor
        return [request.run_config["item_ids"] for request in asked.run_requests]

    def look(self) -> dict[str, Any]:
        """Where the next tick goes on."""
        return dict(json.loads(self._cursor or "{}"))


def push(flow: Flow, items: list[int], **options: str) -> Any:
    return flow.run("inventory_low_stock", run_config={"item_ids": items, **options})


def item_of(flow: Flow, sku: str) -> int:
    return int(flow.control.levels(sku)[0]["item"])


def test_the_sensor_asks_for_what_has_just_run_low_and_for_nothing_else(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow.configure(low_stock={"threshold": 5})
    flow.stock(SKU, 50, 50)
    flow.stock("SKU-000031", 50, 50)
    flow.run()
    sensor = Ticks(flow)
    assert sensor.tick() == []
    flow.later(60)
    assert sensor.tick() == []

    flow.later(60)
    flow.stock(SKU, 2)
    flow.stock("SKU-000031", 40)
    assert sensor.tick() == [[item_of(flow, SKU)]]

    push(flow, [item_of(flow, SKU)])
    assert flow.shop(SKU) == (2, 50)
    # The same change is still within the overlap, and is in step by now.
    flow.later(30)
    assert sensor.tick() == []
    flow.assert_tidy()

    # More than a tick may ask for is asked for by the next one.
    monkeypatch.setattr(low_stock, "MOST_ITEMS", 1)
    flow.later(60)
    flow.stock(SKU, 1)
    flow.stock("SKU-000031", 1)
    assert [sensor.tick() for _ in range(2)] == [[[item_of(flow, one)]] for one in (SKU, "SKU-000031")]

    # Where NetSuite is so slow that a tick's time is over, the next one goes on behind what was read.
    monkeypatch.setattr(low_stock, "MOST_ITEMS", 500)
    monkeypatch.setattr(low_stock, "SECONDS", 0.0)
    flow.run()
    flow.later(300)
    flow.stock("SKU-000031", 2)
    before, asked = sensor.look(), sensor.tick()
    assert sensor.look()["after"] > before["after"]
    asked += sensor.tick() + sensor.tick()
    assert asked == [[item_of(flow, "SKU-000031")]]
    assert sensor.look()["since"] > before["since"]


@pytest.mark.long
@pytest.mark.merchant(60, stock="zero")
def test_it_gets_in_between_the_batches_of_a_full_sync_and_is_not_overwritten_by_it(flow: Flow) -> None:
    # A full load of some 30 slow calls; the SKU's own line is among the last ones.
    slow = {"system": "bigcommerce", "kind": "latency", "path_regex": "adjustments", "ms": 300, "times": None}
    flow.control.faults(slow)
    bulk = flow.start("inventory_full_sync", "--batch", "4")
    late = flow.skus()[-2]
    wait_until(lambda: flow.puts() >= 2)

    # The bulk run has read what was; now there is less.
    flow.later()
    flow.stock(late, 3, 1)
    push(flow, [item_of(flow, late)])
    assert bulk.poll() is None, "the full sync was to be under way"
    assert flow.shop(late) == (3, 1)

    assert bulk.wait(180) == 0, bulk.stdout and bulk.stdout.read()[-3000:]
    assert flow.shop(late) == (3, 1)
    flow.control.clear_faults()
    flow.run()
    flow.assert_in_step()
    ends = views.history(flow.state(), sku=late)
    assert set(ends["outcome"]) == {"confirmed", "superseded"}


def test_the_breaker_holds_the_fast_lane_too(flow: Flow) -> None:
    flow.run()
    flow.later()
    skus = [f"SKU-{number:06d}" for number in range(1, 26)]
    flow.control.adjust([{"sku": sku, "location": at, "on_hand": 2_000} for sku in skus for at in (1, 6)])
    assert flow.run().sent == 0
    flow.control.clear_log()

    push(flow, [item_of(flow, "SKU-000001")])

    assert flow.puts() == 0


@pytest.mark.merchant(60)
def test_it_pushes_only_its_items_and_what_is_left_open_is_taken_up(flow: Flow) -> None:
    """By the job itself without items, and by that of the flow which the leftovers sensor names."""
    flow.run()

    # -- only its items, and a second one writes nothing
    flow.later()
    flow.stock(SKU, 1, 2)
    flow.stock("SKU-000031", 3, 4)
    before = flow.shop("SKU-000031")
    flow.control.clear_log()
    planned = push(flow, [item_of(flow, SKU)], mode="plan")
    assert planned.observed("bigcommerce/inventory_levels", "low_stock") == ["mode plan: nothing is sent"]
    assert planned.observed("bigcommerce/inventory_levels", "audit_head") == [flow.state().head_hash()]
    assert flow.puts() == 0
    push(flow, [item_of(flow, SKU)])
    assert flow.shop(SKU) == (1, 2)
    assert flow.shop("SKU-000031") == before
    push(flow, [item_of(flow, SKU)])
    assert flow.puts() == 1

    # -- kits that it does not read whole are left alone and not complained of
    shown = flow.shop("KIT-000060")
    flow.stock("SKU-000001", 2, 2)
    push(flow, [item_of(flow, "SKU-000001")])
    assert flow.shop("SKU-000001") == (2, 2)
    assert flow.shop("KIT-000060") == shown
    assert not flow.open_exceptions("KIT_UNRESOLVED")
    flow.run()
    flow.assert_in_step()

    # -- without items it takes up what was left open
    unreadable = {"system": "bigcommerce", "kind": "5xx", "path_regex": "inventory/items", "times": None}
    flow.later()
    flow.stock(SKU, 7, 8)
    flow.control.faults(unreadable)
    flow.run("inventory_low_stock", run_config={"item_ids": [item_of(flow, SKU)]}, fails=True)
    assert flow.state().outbox.find(flow="inventory_low_stock")
    flow.control.clear_faults()
    flow.run("inventory_low_stock")
    assert flow.shop(SKU) == (7, 8)
    flow.assert_in_step()

    # -- the leftovers sensor starts the job of the flow that has some
    sensor = flow.definitions().resolve_sensor_def("leftovers")

    def tick() -> Any:
        connections = Impatient(config_path=flow.environment["BCNS_CONFIG"])
        with dg.build_sensor_context(
            instance=flow.instance, resources={"connections": connections}
        ) as context:
            return sensor.evaluate_tick(context)

    assert tick().run_requests == []
    flow.later()
    flow.stock(SKU, 9, 10)
    flow.control.faults(unreadable)
    flow.run(fails=True)
    # Those of a flow that this release does not have keep nobody's from being taken up.
    outbox = flow.state().outbox
    (strange,) = outbox.stage("of_the_next_release", [Intent("thing", "thing-1", {})])
    flow.age_operations(minutes=6)
    requests = tick().run_requests
    assert [request.job_name for request in requests] == ["inventory_sync"]
    assert json.dumps(requests[0].run_key)
    flow.control.clear_faults()
    flow.run()
    assert tick().run_requests == []
    outbox.move_many([Move(strange, "superseded", "that release is gone")])
    flow.assert_in_step()
