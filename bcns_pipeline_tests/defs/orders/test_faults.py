"""Bad weather: whatever an answer was, each order ends in NetSuite exactly once and equal to the cent."""

from __future__ import annotations

import threading
from itertools import accumulate
from typing import Any

from bcns_pipeline_tests.defs.flow import wait_until
from bcns_pipeline_tests.defs.order_flow import OrderFlow

ORDER, CUSTOMER, QUERY, TOKEN = (
    "record/v1/salesOrder",
    "record/v1/customer",
    "query/v1/suiteql",
    "oauth2/v1/token",
)
LIST, PUT, FIELDS = r"/v2/orders$", r"/v2/orders/\d+$", "/v3/orders/metafields"


def books(kind: str, path: str = ORDER, **more: Any) -> dict[str, Any]:
    return {"system": "netsuite", "kind": kind, "path_regex": path, **more}


def store(kind: str, path: str = LIST, **more: Any) -> dict[str, Any]:
    return {"system": "bigcommerce", "kind": kind, "path_regex": path, **more}


def in_turn(*faults: dict[str, Any]) -> list[dict[str, Any]]:
    """Each strikes the calls after those that the fault before it struck."""
    begins = accumulate((one.get("times", 1) for one in faults), initial=0)
    return [{**one, "skip": skip} for one, skip in zip(faults, begins, strict=False)]


# Each round has one kind of weather, or two in turn, for saving orders, and at the same time one for other calls.
WEATHER = {
    "orders are saved, but answers are reset, then cut off; queries fail, are cut off and refused": [
        *in_turn(books("reset_after", times=3), books("truncate", times=3)),
        books("5xx", QUERY),
        books("truncate", QUERY),
        books("429", QUERY, times=3),
    ],
    "orders are saved, but an error, then a web page comes back; BigCommerce's list fails": [
        *in_turn(books("5xx", after_commit=True, times=3), books("html", after_commit=True, times=3)),
        store("5xx", times=2),
        store("html", skip=2),
        store("reset_before"),
    ],
    "orders are saved and nothing comes back, then reset on their way; 429 with and without headers": [
        *in_turn(books("timeout", after_commit=True, times=2), books("reset_before", times=2)),
        store("429", ms=100),
        store("429_bare", times=2),
    ],
    "orders meet errors, then silence; customers meet all of it in turn": [
        *in_turn(books("5xx", times=2), books("5xx", status=500), books("timeout")),
        *in_turn(
            books("reset_after", CUSTOMER),
            books("5xx", CUSTOMER, after_commit=True),
            books("timeout", CUSTOMER),
            books("reset_before", CUSTOMER),
            books("truncate", CUSTOMER),
            books("html", CUSTOMER, after_commit=True),
        ),
    ],
    "orders meet a web page, then 429; references meet all of it in turn": [
        *in_turn(books("html", times=2), books("429", times=4)),
        *in_turn(
            store("reset_after", PUT),
            store("5xx", PUT),
            store("timeout", PUT),
            store("reset_before", PUT),
            store("truncate", PUT),
            store("html", PUT),
            store("429_bare", PUT),
            store("timeout", PUT, after_commit=True),
        ),
    ],
    "NetSuite is overloaded and calls it a login; metafields meet all of it in turn": [
        books("login_overload", times=2),
        books("login_overload", TOKEN),
        *in_turn(
            store("5xx", FIELDS, after_commit=True),
            store("html", FIELDS),
            store("429", FIELDS, ms=50),
            store("timeout", FIELDS),
            store("reset_after", FIELDS),
        ),
    ],
}


def test_whatever_the_weather_each_order_is_there_once(shop: OrderFlow) -> None:
    everything: list[int] = []
    for name, faults in WEATHER.items():
        placed = [
            shop.control.shop_order(kind, restock=True)["id"]
            for kind in ("plain", "guest", "coupon", "plain", "guest", "plain")
        ]
        everything += placed
        shop.control.faults(*faults)

        shop.sync_until_done(runs=8)

        assert shop.control.call("GET", "/faults") == [], f"{name}: the runs did not meet their faults"
        assert len(shop.books()) == len(everything), name
        shop.assert_equal_to_the_cent(*placed)
        records = shop.sales_orders(*placed)
        assert shop.numbers(*placed) == {one: record["number"] for one, record in records.items()}, name
        customers = [one["externalId"] for one in shop.control.netsuite_customers()]
        assert len(customers) == len(set(customers)), name
    shop.sync()
    shop.control.clear_log()
    shop.sync()
    assert shop.writes() == []


def test_bad_orders_among_many_stop_nobody(shop: OrderFlow) -> None:
    """One is not mapped, one is refused, one can't be read whole; and the tokens expire while all are sent."""
    shop.decide("orders", capture_policy="flag")
    unmapped = shop.control.shop_order("unmapped_sku", restock=True)["id"]
    placed = shop.control.shop_orders(20, restock=True)
    gone = placed.pop(7)
    refusal = {
        "on": "salesOrder",
        "refuse": "Closed for stock-taking.",
        "match": f"-{placed[3]}",
        "times": None,
    }
    shop.control.script(**refusal)
    shop.control.faults(store("5xx", rf"orders/{gone}/transactions", status=404, times=None))

    def expire() -> None:
        wait_until(lambda: any(ORDER in one["path"] for one in shop.control.log(system="netsuite")))
        shop.control.call("POST", "/netsuite/tokens/expire")

    shop.control.clear_log()
    clock = threading.Thread(target=expire)
    clock.start()
    shop.sync()
    clock.join()

    (refused,) = shop.open_exceptions("ORDER_REFUSED")
    assert "Closed for stock-taking" in refused.message
    good = [one for one in placed if f"order:{one}" != refused.subject]
    assert len(good) == len(placed) - 1
    shop.assert_equal_to_the_cent(*good)
    assert shop.order(unmapped).code == "ITEM_UNMAPPED"
    assert shop.order(gone).code == "ORDER_UNREADABLE"
    shop.control.clear_faults()
    shop.control.script(clear=True)
    shop.due_now()
    shop.sync()
    shop.assert_equal_to_the_cent(*placed, gone)
    assert shop.open_exceptions("ORDER_REFUSED") == shop.open_exceptions("ORDER_UNREADABLE") == []


def test_a_revoked_token_stops_the_run_and_fails_no_order(shop: OrderFlow) -> None:
    placed = [shop.control.shop_order("plain", restock=True)["id"] for _ in range(2)]
    for name in ("BCNS_NETSUITE_CERTIFICATE_ID", "BCNS_BIGCOMMERCE_ACCESS_TOKEN"):
        with shop.at(**{name: "of-somebody-else"}):
            shop.run("order_sync", fails=True)
        stand = {order: one.disposition for order, one in shop.state().orders.many(placed).items()}
        assert set(stand.values()) <= {"open", "planned"}, (name, stand)

    shop.sync_until_done()

    shop.assert_equal_to_the_cent(*placed)
