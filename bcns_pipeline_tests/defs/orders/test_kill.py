"""kill -9 of a run between any two calls: the next run continues, and nothing is lost, doubled or left open."""

from __future__ import annotations

import re

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


# Nothing is written at the calls of the first group, so one recovery is enough for all of them.
GROUPS = (
    (
        "asking what the account is",
        "asking the store's time",
        "listing orders",
        "reading an order's payments",
        "signing in",
        "asking NetSuite",
    ),
    *((name,) for name in list(CALLS)[6:]),
)


def test_runs_killed_before_and_after_each_call_are_finished_by_the_next(shop: OrderFlow) -> None:
    """One run is killed before the other side has done its work, the next one after, and the third recovers."""
    shop.decide("orders", capture_policy="flag")
    assert [name for group in GROUPS for name in group] == list(CALLS)
    everything: list[int] = []
    for group in GROUPS:
        placed: list[int] = []
        # A call that is on its way when its run is killed may arrive late, so each is about an order of its own.
        to_edit = two_orders_to_edit(shop) if group == ("editing an order",) else []
        for name in group:
            for moment, how in MOMENTS.items():
                system, method, path = CALLS[name]
                fault = {"system": system, "method": method, "path_regex": path, "times": 1, **how}
                if name == "reading back":
                    # How many queries come before it depends on what is open.
                    shop.sync_until_done()
                    assert unknown_calls(shop) == [], name
                    placed += three_orders(shop)
                    fault["skip"] = queries_before_a_write(shop)
                if to_edit:
                    placed.append(to_edit.pop())
                    shop.control.cancel_units(placed[-1], 1, sku="SKU-000001")
                placed += three_orders(shop)
                shop.kill_at("order_sync", fault, f"{moment} {name}")

        shop.sync_until_done()

        when = f"after runs killed at {group}"
        everything += placed
        assert len(shop.books()) == len(everything), when
        assert_there_once(shop, placed, when)
        # No call is made at which no run was killed.
        assert unknown_calls(shop) == [], when
    assert_there_once(shop, everything, "at the end")
    assert_nothing_to_write(shop)


def two_orders_to_edit(shop: OrderFlow) -> list[int]:
    lines = [{"sku": "SKU-000001", "quantity": 3, "price": "10.00"}]
    orders = [shop.control.shop_order(lines=lines, restock=True)["id"] for _ in range(2)]
    shop.sync()
    return orders


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
    assert child.wait(180) in {0, 1}
    shop.control.clear_faults()

    shop.sync_until_done()

    assert len(shop.books()) == len(placed)
    assert_there_once(shop, placed, "the database goes away")
    assert_nothing_to_write(shop)


def assert_there_once(shop: OrderFlow, placed: list[int], when: str) -> None:
    """Each order and each customer once, equal to the cent, and its number on the order."""
    shop.assert_equal_to_the_cent(*placed)
    records = shop.sales_orders(*placed)
    assert shop.numbers(*placed) == {one: record["number"] for one, record in records.items()}, when
    customers = [one["externalId"] for one in shop.control.netsuite_customers()]
    assert len(customers) == len(set(customers)), when


def assert_nothing_to_write(shop: OrderFlow) -> None:
    shop.control.clear_log()
    shop.sync()
    assert shop.writes() == []
