"""Whatever happens to a run, every shopper is one customer with one entry for each address."""

from __future__ import annotations

import pytest

from bcns_pipeline_tests.defs.customers.people import People
from bcns_pipeline_tests.defs.order_flow import OrderFlow

CUSTOMERS = r"record/v1/customer(/\d+)?$"


KINDS = ("reset_after", "truncate", "5xx", "429")
# Each call of a run, as (system, method, path).
CALLS = {
    "listing shoppers": ("bigcommerce", "GET", "/v3/customers"),
    "asking NetSuite": ("netsuite", "POST", "suiteql"),
    "making a customer": ("netsuite", "POST", CUSTOMERS),
    "changing a customer": ("netsuite", "PATCH", CUSTOMERS),
}
# The one that is only slow may still arrive when its run is dead, so it comes last.
MOMENTS = {"after": {"kind": "timeout", "after_commit": True}, "before": {"kind": "latency", "ms": 30_000}}


def assert_there_once(shop: OrderFlow, people: People, addresses: dict[int, int], when: str) -> None:
    """Each shopper is one customer of its own with as many addresses, and the outbox is empty."""
    for shopper, count in addresses.items():
        assert len(people.of(shopper)["addresses"]) == count, (when, shopper)
    assert len(people.all()) == len({people.link(one) for one in addresses}) == len(addresses), when
    shop.assert_tidy()


def test_customers_and_their_changes_are_made_once_whatever_the_weather(
    shop: OrderFlow, people: People
) -> None:
    """As many shoppers as there are kinds of weather; each kind strikes the making of one and the change of one."""
    shoppers = people.sign_up_many("Ann", "Ben", "Cid", "Dot")
    in_turn = [
        {"system": "netsuite", "kind": kind, "path_regex": CUSTOMERS, "ms": 100, "skip": place}
        for place, kind in enumerate(KINDS)
    ]
    shop.control.faults(*({**fault, "method": "POST"} for fault in in_turn))
    for _ in range(3):
        shop.run_somehow("customer_sync")
    assert shop.control.call("GET", "/faults") == []
    assert_there_once(shop, people, dict.fromkeys(shoppers, 1), "made")
    for one in shoppers:
        people.move(one, address1="2 Second Street", city="Albany")
    shop.control.faults(*({**fault, "method": "PATCH"} for fault in in_turn))

    for _ in range(4):
        shop.run_somehow("customer_sync")

    assert shop.control.call("GET", "/faults") == []
    assert_there_once(shop, people, dict.fromkeys(shoppers, 2), "changed")


@pytest.mark.kill
def test_runs_killed_after_and_before_each_call_are_finished_by_the_next(
    shop: OrderFlow, people: People
) -> None:
    """One run is killed after the other side has done its work, the next one before, and the third recovers."""
    everybody: dict[int, int] = {}
    for call, (name, (system, method, path)) in enumerate(CALLS.items()):
        mine = [f"S{call}{moment}" for moment in MOMENTS]
        shoppers: list[int] = []
        if method == "PATCH":
            shoppers = people.sign_up_many(*mine)
            people.sync()
        for place, how in enumerate(MOMENTS.values()):
            if method == "PATCH":
                people.move(shoppers[place], address1="2 Second Street", city="Albany")
            else:
                shoppers += people.sign_up_many(mine[place])
            fault = {"system": system, "method": method, "path_regex": path, "times": 1, **how}
            shop.kill_at("customer_sync", fault, f"{how['kind']} at {name}")

        for _ in range(2):
            shop.run_somehow("customer_sync")

        everybody |= dict.fromkeys(shoppers, 2 if method == "PATCH" else 1)
        assert_there_once(shop, people, everybody, f"after runs killed at {name}")
    shop.control.clear_log()
    people.sync()
    assert shop.writes() == []
