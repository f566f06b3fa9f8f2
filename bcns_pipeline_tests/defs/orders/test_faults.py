"""Bad weather: whatever an answer was, each order ends in NetSuite exactly once and equal to the cent."""

from __future__ import annotations

from typing import Any

import pytest

from bcns_pipeline_tests.defs.order_flow import OrderFlow

ORDER, CUSTOMER, QUERY, TOKEN = (
    "record/v1/salesOrder",
    "record/v1/customer",
    "query/v1/suiteql",
    "oauth2/v1/token",
)
LIST, PUT = r"/v2/orders$", r"/v2/orders/\d+$"


def books(kind: str, path: str = ORDER, **more: Any) -> dict[str, Any]:
    return {"system": "netsuite", "kind": kind, "path_regex": path, **more}


def store(kind: str, path: str = LIST, **more: Any) -> dict[str, Any]:
    return {"system": "bigcommerce", "kind": kind, "path_regex": path, **more}


WEATHER = {
    "an order is saved and its answer reset": [books("reset_after", times=3)],
    "an order is saved and its answer cut off": [books("truncate", times=3)],
    "an order is saved and an error comes back": [books("5xx", after_commit=True, times=3)],
    "an order is saved and a web page comes back": [books("html", after_commit=True, times=3)],
    "an order is saved and nothing comes back": [books("timeout", after_commit=True, times=2)],
    "an order is reset on its way": [books("reset_before", times=2)],
    "an order meets an error": [books("5xx", times=2), books("5xx", skip=2, status=500)],
    "an order meets silence": [books("timeout")],
    "an order meets a web page": [books("html", times=2)],
    "NetSuite says 429 to orders": [books("429", times=4)],
    "NetSuite is overloaded and calls it a login": [
        books("login_overload", times=2),
        books("login_overload", TOKEN),
    ],
    "a customer is saved and its answer reset": [books("reset_after", CUSTOMER, times=2)],
    "a customer is saved and an error comes back": [books("5xx", CUSTOMER, after_commit=True, times=2)],
    "a customer meets silence": [books("timeout", CUSTOMER)],
    "queries fail, are cut off and refused": [
        books("5xx", QUERY),
        books("truncate", QUERY),
        books("429", QUERY, times=3),
    ],
    "BigCommerce's list fails": [store("5xx", times=2), store("html", skip=2), store("reset_before")],
    "BigCommerce says 429 with and without headers": [store("429", ms=100), store("429_bare", times=2)],
    "a reference is written and its answer reset": [store("reset_after", PUT, times=2)],
    "a reference meets an error": [store("5xx", PUT, times=2)],
}


@pytest.mark.parametrize("faults", WEATHER.values(), ids=WEATHER.keys())
def test_whatever_the_weather_each_order_is_there_once(shop: OrderFlow, faults: list[dict[str, Any]]) -> None:
    placed = [
        shop.control.shop_order(kind, restock=True)["id"] for kind in ("plain", "guest", "coupon", "plain")
    ]
    shop.control.faults(*faults)

    shop.sync_until_done()

    assert shop.control.call("GET", "/faults") == [], "the runs did not meet their faults"
    assert len(shop.books()) == len(placed)
    shop.assert_equal_to_the_cent(*placed)
    customers = [one["externalId"] for one in shop.control.netsuite_customers()]
    assert len(customers) == len(set(customers))
    shop.sync()
    shop.control.clear_log()
    shop.sync()
    assert shop.writes() == []


def test_one_bad_order_among_many_stops_nobody(shop: OrderFlow) -> None:
    bad = shop.control.shop_order("unmapped_sku", restock=True)["id"]
    good = shop.control.shop_orders(20, restock=True)

    shop.sync()

    shop.assert_equal_to_the_cent(*good)
    assert shop.order(bad).code == "ITEM_UNMAPPED"


def test_a_revoked_token_stops_the_run_and_fails_no_order(shop: OrderFlow) -> None:
    placed = [shop.control.shop_order("plain", restock=True)["id"] for _ in range(2)]
    with shop.at(BCNS_NETSUITE_CERTIFICATE_ID="of-somebody-else"):
        shop.run("order_sync", fails=True)
    assert {shop.order(one).disposition for one in placed} <= {"open", "planned"}

    shop.sync_until_done()

    shop.assert_equal_to_the_cent(*placed)
