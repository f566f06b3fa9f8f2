"""Whatever happens to a run, every shopper is one customer with one entry for each address."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bcns_pipeline.defs import late
from bcns_pipeline_tests.defs.customers.people import People
from bcns_pipeline_tests.defs.flow import wait_until
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


def test_a_change_that_arrives_long_after_it_was_given_up_is_noticed_by_a_second_look(
    shop: OrderFlow, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their answers were lost and they were sent again: an address comes twice, an old phone number over a new one."""
    moved, called, untouched = people.sign_up_many("Mo", "Cal", "Una")
    people.sync()
    lost = {"system": "netsuite", "kind": "late", "method": "PATCH", "path_regex": CUSTOMERS}
    shop.control.faults({**lost, "times": 2})
    people.move(moved, address1="2 Second Street", city="Albany")
    people.change(called, phone="+1 555 010 0002")
    people.sync()
    people.change(called, phone="+1 555 010 0003")
    people.sync()
    assert_there_once(shop, people, {moved: 2, called: 1, untouched: 1}, "before it arrives")

    shop.control.arrive()
    wait_until(lambda: sum(one["fault"] == "arrived" for one in shop.control.log()) == 2)
    assert (len(people.of(moved)["addresses"]), people.of(called)["phone"]) == (3, "+1 555 010 0002")
    shop.later(7200)
    people.sync()
    assert shop.open_exceptions("CUSTOMER_CONFLICT") == []

    monkeypatch.setattr(late, "LATE", timedelta(0))
    with shop.tick("customers_waiting") as due:
        assert len(due.run_requests) == 1
    for _ in range(2):
        people.sync()
        asked = {one.subject: one.message for one in shop.open_exceptions("CUSTOMER_CONFLICT")}
        assert asked.keys() == {f"customer:{moved}", f"customer:{called}"}
        assert ("twice" in asked[f"customer:{moved}"], "phone" in asked[f"customer:{called}"]) == (True, True)
        people.due_now()

    # The shopper says something new, and the number is right again.
    people.change(called, phone="+1 555 010 0004")
    for _ in range(2):
        people.due_now()
        people.sync()
    assert [one.subject for one in shop.open_exceptions("CUSTOMER_CONFLICT")] == [f"customer:{moved}"]
    assert people.of(called)["phone"] == "+1 555 010 0004"
