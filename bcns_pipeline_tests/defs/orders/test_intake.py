"""What notices orders: the poll within its budget, and one run for what waits."""

from __future__ import annotations

import pytest

from bcns_pipeline.defs.intake.automation import RUNS_AT_ONCE
from bcns_pipeline.outcomes import OutsideError
from bcns_pipeline.state.inbox import Event
from bcns_pipeline_tests.defs.order_flow import OrderFlow


def test_the_poll_fills_the_inbox_and_the_next_sensor_starts_one_run(shop: OrderFlow) -> None:
    shop.control.shop_orders(3, restock=True)

    with shop.tick("order_poll") as polled:
        assert polled.run_requests == []
    assert shop.state().inbox.waiting("order").count == 3
    with shop.tick("orders_waiting") as first, shop.tick("orders_waiting") as second:
        assert len(first.run_requests) == 1
        # Nothing has happened in between, so it is the same run that is asked for.
        assert first.run_requests[0].run_key == second.run_requests[0].run_key
    shop.state().inbox.record([Event("order", "100", "webhook")])
    with shop.tick("orders_waiting") as third:
        assert third.run_requests[0].run_key != first.run_requests[0].run_key


def test_a_whole_batch_that_waits_has_one_more_run_at_once(shop: OrderFlow) -> None:
    shop.state().inbox.record([Event("order", "100", "webhook")])
    for _ in range(RUNS_AT_ONCE):
        shop.going("order_sync")
    with shop.tick("orders_waiting") as few:
        assert few.skip_message == f"{RUNS_AT_ONCE} runs of order_sync are on their way already"
    shop.decide("orders", batch=1)
    with shop.tick("orders_waiting") as many:
        assert len(many.run_requests) == 1
    shop.going("order_sync")
    with shop.tick("orders_waiting") as enough:
        assert enough.run_requests == []


def test_nothing_waits_once_all_is_posted_and_an_outage_is_red_and_moves_no_cursor(shop: OrderFlow) -> None:
    shop.control.shop_order("plain", restock=True)
    shop.sync_twice()

    with shop.tick("order_poll"), shop.tick("orders_waiting") as ticked:
        assert ticked.run_requests == []

    before = shop.state().cursors.get("orders/poll")
    shop.control.faults({"system": "bigcommerce", "kind": "5xx", "path_regex": "v2/orders", "times": None})
    with pytest.raises(OutsideError), shop.tick("order_poll"):
        pass
    assert shop.state().cursors.get("orders/poll") == before


def test_a_poll_within_a_small_budget_goes_on_where_it_stopped(
    shop: OrderFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bcns_pipeline.defs.intake import automation

    shop.decide("orders", poll={"page_size": 2, "overlap_minutes": 1})
    placed = shop.control.shop_orders(7, restock=True, within_seconds=3600)
    monkeypatch.setattr(automation, "PAGES", 1)

    for _ in range(12):
        with shop.tick("order_poll"):
            pass

    assert shop.state().inbox.missing("order", [str(one) for one in placed]) == []


def test_a_backlog_is_worked_off_before_the_store_is_asked_for_more(shop: OrderFlow) -> None:
    placed = shop.control.shop_orders(3, restock=True)
    shop.decide("orders", batch=2)
    shop.state().inbox.record([Event("order", str(one), "webhook") for one in placed[:2]])
    shop.control.clear_log()

    shop.sync()

    assert not any("modified" in one["query"] for one in shop.control.log())
    shop.sync_until_done()
    assert any("modified" in one["query"] for one in shop.control.log())
    shop.assert_equal_to_the_cent(*placed)


def test_without_a_mapping_for_orders_the_sensors_say_so_and_call_nobody(shop: OrderFlow) -> None:
    shop.decide("orders", discounts=None)
    shop.control.clear_log()

    for name in ("order_poll", "orders_waiting"):
        with shop.tick(name) as ticked:
            assert "bcns doctor" in ticked.skip_message

    assert shop.control.log() == []
