"""Whatever happens to a run, every shopper is one customer with one entry for each address."""

from __future__ import annotations

import os
import signal

import pytest

from bcns_pipeline_tests.defs.customers.people import People
from bcns_pipeline_tests.defs.flow import wait_until
from bcns_pipeline_tests.defs.order_flow import OrderFlow

CUSTOMERS = r"record/v1/customer(/\d+)?$"


@pytest.mark.parametrize("kind", ["reset_after", "truncate", "5xx", "429"])
def test_a_customer_and_its_change_are_made_once_whatever_the_weather(
    shop: OrderFlow, people: People, kind: str
) -> None:
    jane = people.sign_up()
    fault = {"system": "netsuite", "kind": kind, "path_regex": CUSTOMERS, "ms": 100}
    shop.control.faults({**fault, "method": "POST"})
    for _ in range(2):
        shop.run_somehow("customer_sync")
    people.move(jane, address1="2 Second Street", city="Albany")
    shop.control.faults({**fault, "method": "PATCH"})

    for _ in range(3):
        shop.run_somehow("customer_sync")

    assert shop.control.call("GET", "/faults") == []
    assert people.link(jane) == str(people.one()["id"])
    assert len(people.one()["addresses"]) == 2
    shop.assert_tidy()


@pytest.mark.kill
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("system", "method", "path"),
    [
        ("bigcommerce", "GET", "/v3/customers"),
        ("netsuite", "POST", "suiteql"),
        ("netsuite", "POST", CUSTOMERS),
        ("netsuite", "PATCH", CUSTOMERS),
    ],
)
def test_a_run_killed_at_a_call_is_finished_by_the_next(
    shop: OrderFlow, people: People, system: str, method: str, path: str, moment: str
) -> None:
    jane = people.sign_up()
    addresses = 1
    if method == "PATCH":
        people.sync()
        people.move(jane, address1="2 Second Street", city="Albany")
        addresses = 2
    fault = (
        {"kind": "timeout", "after_commit": True} if moment == "after" else {"kind": "latency", "ms": 30_000}
    )
    shop.control.faults({"system": system, "method": method, "path_regex": path, "times": 1, **fault})
    child = shop.start("customer_sync")
    wait_until(lambda: shop.control.call("GET", "/faults") == [])
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    shop.control.clear_faults()

    for _ in range(2):
        shop.run_somehow("customer_sync")

    assert people.link(jane) == str(people.one()["id"])
    assert len(people.one()["addresses"]) == addresses
    shop.assert_tidy()
    shop.control.clear_log()
    people.sync()
    assert shop.writes() == []
