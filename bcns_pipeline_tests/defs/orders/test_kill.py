"""kill -9 of a run between any two calls: the next run continues, and nothing is lost, doubled or left open."""

from __future__ import annotations

import os
import signal

import pytest

from bcns_pipeline_tests.defs.flow import wait_until
from bcns_pipeline_tests.defs.order_flow import OrderFlow

pytestmark = pytest.mark.kill

# Every call of a run, in its order, as (system, method, path); the run is killed while it waits for the answer,
# before the other side has done its work and after it.
CALLS = {
    "asking the store's time": ("bigcommerce", "GET", "/v2/time"),
    "listing orders": ("bigcommerce", "GET", r"/v2/orders$"),
    "signing in": ("netsuite", "POST", "oauth2/v1/token"),
    "asking what the account is": ("netsuite", "GET", "metadata-catalog"),
    "asking NetSuite": ("netsuite", "POST", "suiteql"),
    "making a customer": ("netsuite", "POST", "record/v1/customer"),
    "making an order": ("netsuite", "POST", "record/v1/salesOrder"),
    "writing a reference": ("bigcommerce", "PUT", r"/v2/orders/\d+$"),
    "writing metafields": ("bigcommerce", "POST", "orders/metafields"),
}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_run_killed_at_a_call_is_finished_by_the_next(
    shop: OrderFlow, call: tuple[str, str, str], moment: str
) -> None:
    system, method, path = call
    placed = [shop.control.shop_order(kind, restock=True)["id"] for kind in ("plain", "guest", "plain")]
    # "after": the work is done and its answer never comes. "before": the call is on its way for a while.
    if moment == "after":
        fault = {"kind": "timeout", "after_commit": True}
    else:
        fault = {"kind": "latency", "ms": 30_000}
    shop.control.faults({"system": system, "method": method, "path_regex": path, "times": 1, **fault})
    child = shop.start("order_sync")
    wait_until(lambda: shop.control.call("GET", "/faults") == [])
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    shop.control.clear_faults()

    shop.sync_until_done()

    assert_once(shop, placed)


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

    assert_once(shop, placed)


def assert_once(shop: OrderFlow, placed: list[int]) -> None:
    """Each order and each customer once, equal to the cent, its number on the order, and nothing more to write."""
    assert len(shop.books()) == len(placed)
    shop.assert_equal_to_the_cent(*placed)
    assert shop.numbers(*placed) == {one: shop.sales_order(one)["number"] for one in placed}
    customers = [one["externalId"] for one in shop.control.netsuite_customers()]
    assert len(customers) == len(set(customers))
    shop.control.clear_log()
    shop.sync()
    assert shop.writes() == []
