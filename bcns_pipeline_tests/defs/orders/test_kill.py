"""kill -9 of a run between any two calls: the next run continues, and nothing is lost, doubled or left open."""

from __future__ import annotations

import os
import re
import signal

import pytest

from bcns_pipeline_tests.defs.flow import wait_until
from bcns_pipeline_tests.defs.order_flow import OrderFlow

pytestmark = pytest.mark.kill

# Every call of a run, as (system, method, path); the run is killed while it waits for the answer, before the other
# side has done its work and after it. What the account is comes first, because it is asked once a day.
CALLS = {
    "asking what the account is": ("netsuite", "GET", "metadata-catalog"),
    "asking the store's time": ("bigcommerce", "GET", "/v2/time"),
    "listing orders": ("bigcommerce", "GET", r"/v2/orders(/\d+)?$"),
    "reading an order's payments": ("bigcommerce", "GET", r"/orders/\d+/transactions"),
    "signing in": ("netsuite", "POST", "oauth2/v1/token"),
    "asking NetSuite": ("netsuite", "POST", "suiteql"),
    "making a customer": ("netsuite", "POST", "record/v1/customer"),
    "making an order": ("netsuite", "POST", "record/v1/salesOrder"),
    "reading back": ("netsuite", "POST", "suiteql"),
    "editing an order": ("netsuite", "PATCH", "record/v1/salesOrder/"),
    "writing a reference": ("bigcommerce", "PUT", r"/v2/orders/\d+$"),
    "writing metafields": ("bigcommerce", "POST", "orders/metafields"),
}
# "after": the work is done and its answer never comes. "before": the call is on its way for a while.
MOMENTS = {
    "before": {"kind": "latency", "ms": 30_000},
    "after": {"kind": "timeout", "after_commit": True},
}

OURS = ("bigcommerce", "GET", "/orders/metafields")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_killed_at_a_call_is_finished_by_the_next(shop: OrderFlow, moment: str) -> None:
    shop.decide("orders", capture_policy="flag")
    everything: list[int] = []
    for name, (system, method, path) in CALLS.items():
        fault = {"system": system, "method": method, "path_regex": path, "times": 1, **MOMENTS[moment]}
        if name == "reading back":
            everything += three_orders(shop)
            fault["skip"] = queries_before_a_write(shop)
        if name == "editing an order":
            lines = [{"sku": "SKU-000001", "quantity": 3, "price": "10.00"}]
            everything.append(shop.control.shop_order(lines=lines, restock=True)["id"])
            shop.sync_twice()
            shop.control.cancel_units(everything[-1], 1, sku="SKU-000001")
        everything += three_orders(shop)
        shop.control.faults(fault)
        child = shop.start("order_sync")
        wait_until(lambda: shop.control.call("GET", "/faults") == [])
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        shop.control.clear_faults()

        shop.sync_until_done()

        assert_there_once(shop, everything, name)
        # No call is made at which no run was killed.
        assert unknown_calls(shop) == []
    assert_nothing_to_write(shop)


def three_orders(shop: OrderFlow) -> list[int]:
    return [shop.control.shop_order(kind, restock=True)["id"] for kind in ("plain", "guest", "plain")]


def queries_before_a_write(shop: OrderFlow) -> int:
    """How often NetSuite is asked by a run of three orders before it is written to: the next time reads back."""
    shop.control.clear_log()
    shop.sync()
    calls = [one["path"] for one in shop.control.log(system="netsuite")]
    first = next(at for at, path in enumerate(calls) if "/record/v1/" in path)
    return sum(path.endswith("suiteql") for path in calls[:first])


def unknown_calls(shop: OrderFlow) -> list[tuple[str, str, str]]:
    """Calls to either system, the harness's own look at the store's metafields aside, that `CALLS` does not name."""
    return [
        (one["system"], one["method"], one["path"])
        for one in shop.control.log()
        if (one["system"], one["method"], one["path"].rpartition("/v3")[2]) != OURS
        and not any(
            (one["system"], one["method"]) == (system, method) and re.search(path, one["path"])
            for system, method, path in CALLS.values()
        )
    ]


def test_a_run_whose_database_goes_away_is_finished_by_the_next(shop: OrderFlow) -> None:
    """As in a restart of PostgreSQL: every session of the run ends while its calls are on their way."""
    placed = [shop.control.shop_order(kind, restock=True)["id"] for kind in ("plain", "guest", "plain")]
    slow = {"system": "netsuite", "kind": "latency", "path_regex": "record/v1/salesOrder", "ms": 1_000}
    shop.control.faults(slow)
    child = shop.start("order_sync")
    wait_until(lambda: shop.control.call("GET", "/faults") == [])
    with shop.state().worker() as worker:
        shop.end_other_sessions(worker)
    # A step that notices before it has sent anything may connect anew and go on.
    assert child.wait(90) in {0, 1}
    shop.control.clear_faults()

    shop.sync_until_done()

    assert_there_once(shop, placed, "the database goes away")
    assert_nothing_to_write(shop)


def assert_there_once(shop: OrderFlow, placed: list[int], when: str) -> None:
    """Each order and each customer once, equal to the cent, and its number on the order."""
    assert len(shop.books()) == len(placed), when
    shop.assert_equal_to_the_cent(*placed)
    assert shop.numbers(*placed) == {one: shop.sales_order(one)["number"] for one in placed}, when
    customers = [one["externalId"] for one in shop.control.netsuite_customers()]
    assert len(customers) == len(set(customers)), when


def assert_nothing_to_write(shop: OrderFlow) -> None:
    shop.control.clear_log()
    shop.sync()
    assert shop.writes() == []
