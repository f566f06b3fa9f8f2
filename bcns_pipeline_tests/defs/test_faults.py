"""Bad weather on both sides: whatever an answer was, the store ends with exactly NetSuite's numbers."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from bcns_pipeline_tests.defs.flow import Flow, wait_until

MOVED = {"SKU-000001": (61, 62), "SKU-000002": (0, 0), "SKU-000012": (63, 0)}
SUITEQL, TOKEN, ITEMS, PUT = "query/v1/suiteql", "oauth2/v1/token", "inventory/items", "adjustments/absolute"


def books(kind: str, path: str = SUITEQL, **more: Any) -> dict[str, Any]:
    return {"system": "netsuite", "kind": kind, "path_regex": path, **more}


def shop(kind: str, path: str = PUT, **more: Any) -> dict[str, Any]:
    return {"system": "bigcommerce", "kind": kind, "path_regex": path, **more}


# A fault that passes within the patience of one run.
PASSING = {
    "NetSuite says 429": [books("429", times=3)],
    "NetSuite has an error of its own": [books("5xx", times=2), books("5xx", skip=2, status=500)],
    "NetSuite is silent": [books("timeout")],
    "NetSuite resets before and after": [books("reset_before"), books("reset_after", skip=1)],
    "NetSuite's answer is cut off": [books("truncate", times=2)],
    "NetSuite answers with a web page": [books("html", times=2)],
    "NetSuite is overloaded at sign-in": [books("login_overload", TOKEN)],
    "NetSuite is overloaded in a query": [books("login_overload", times=2)],
    "BigCommerce says 429 with headers": [shop("429", times=1, ms=100), shop("429", ITEMS, ms=100)],
    "BigCommerce says 429 without headers": [shop("429_bare", times=2), shop("429_bare", ITEMS, times=2)],
    "BigCommerce's reads have errors": [shop("5xx", ITEMS, times=2), shop("html", ITEMS, skip=2)],
    "BigCommerce's reads are cut off or reset": [shop("truncate", ITEMS), shop("reset_before", ITEMS)],
    "BigCommerce's reads are silent": [shop("timeout", ITEMS)],
    "BigCommerce's reads are stale": [shop("stale", ITEMS, times=1)],
    "an adjustment is applied and its answer reset": [shop("reset_after")],
    "an adjustment is applied and its answer cut off": [shop("truncate")],
    "an adjustment is applied and a web page comes back": [shop("html", after_commit=True)],
    "an adjustment is applied and an error comes back": [shop("5xx", after_commit=True)],
    "an adjustment is applied and nothing comes back": [shop("timeout", after_commit=True)],
}
# After these nobody knows whether the adjustment happened, and it did not: the next run finds out.
LOST = {
    "an adjustment is reset on its way": [shop("reset_before")],
    "an adjustment meets an error": [shop("5xx")],
    "an adjustment meets a web page": [shop("html")],
    "an adjustment meets silence": [shop("timeout")],
}


Numbers = dict[str, tuple[int, int]]


def bring_into_step(flow: Flow) -> None:
    flow.run()
    move(flow, MOVED)


def move(flow: Flow, numbers: Numbers) -> None:
    flow.later()
    for sku, units in numbers.items():
        flow.stock(sku, *units)


def moved(turn: int) -> Numbers:
    """Other numbers in each turn, so that six lines change every time."""
    return {sku: (one + turn, two + turn) for sku, (one, two) in MOVED.items()}


def assert_exactly_right(flow: Flow, numbers: Numbers = MOVED) -> None:
    assert {sku: flow.shop(sku) for sku in numbers} == numbers
    flow.assert_in_step()


@pytest.mark.parametrize("whose", ["NetSuite", "BigCommerce", "an adjustment"])
def test_a_fault_that_passes_costs_time_and_nothing_else(flow: Flow, whose: str) -> None:
    flow.run()
    mine = {name: faults for name, faults in PASSING.items() if name.startswith(whose)}
    assert len(mine) > 4
    for turn, (name, faults) in enumerate(mine.items(), start=1):
        move(flow, moved(turn))
        flow.control.faults(*faults)

        run = flow.run()

        assert flow.control.call("GET", "/faults") == [], f"{name}: the run did not meet its fault"
        assert run.metadata()["lines_confirmed"] == 6, name
        assert run.checks["nothing_oversells"], name
        assert_exactly_right(flow, moved(turn))
    assert flow.run().sent == 0


def test_an_adjustment_that_got_lost_is_found_out_and_computed_anew(flow: Flow) -> None:
    flow.configure(settle_seconds=1)
    flow.run()
    for turn, (name, faults) in enumerate(LOST.items(), start=1):
        move(flow, moved(turn))
        flow.control.faults(*faults)
        flow.control.clear_log()

        run = flow.run()
        # Never resent by the same run: it is read back, and said.
        assert flow.puts() == 1, name
        assert run.metadata()["lines_unconfirmed"] == 6, name
        assert {row.subject for row in flow.open_exceptions("STOCK_UNCONFIRMED")} == {
            f"sku:{sku}" for sku in MOVED
        }, name

        run = flow.run()
        assert run.sent == 6, name
        assert not flow.open_exceptions("STOCK_UNCONFIRMED"), name
        assert_exactly_right(flow, moved(turn))


@pytest.mark.parametrize(
    "faults",
    [
        [books("5xx", times=3, skip=1), shop("429_bare", times=2), shop("5xx", ITEMS, times=2, skip=1)],
        [books("truncate", skip=2, times=2), shop("reset_after"), shop("stale", ITEMS, skip=2)],
        [shop("5xx", "catalog", times=3), books("429", times=3, skip=2), shop("html", after_commit=True)],
    ],
)
def test_a_first_full_load_comes_through_bad_weather(flow: Flow, faults: list[dict[str, Any]]) -> None:
    flow.seed(60, stock="zero")
    flow.control.faults(*faults)

    flow.run("inventory_full_sync")

    flow.assert_in_step()


@pytest.mark.parametrize(
    "fault",
    [
        books("5xx", times=None),
        # The first pages come, the last one never does.
        books("html", skip=4, times=None),
        books("truncate", skip=2, times=None),
        books("reset_before", TOKEN, times=None),
        shop("5xx", "inventory/locations", times=None),
    ],
    ids=["nothing", "after four answers", "cut off after two", "no token", "no locations"],
)
def test_a_read_that_fails_never_becomes_zeros(flow: Flow, fault: dict[str, Any]) -> None:
    flow.run()
    before, known = flow.whole_shop(), flow.state().inventory.known()
    flow.later()
    flow.control.faults(fault)
    flow.control.clear_log()

    run = flow.run("inventory_full_sync", fails=True)

    assert flow.puts() == 0
    assert flow.whole_shop() == before
    assert flow.state().inventory.known()["confirmed"].tolist() == known["confirmed"].tolist()
    # Transient: the step was tried again, and the failure says which call it was.
    assert run.attempts == 2
    assert run.failures
    flow.assert_tidy()

    flow.control.clear_faults()
    assert flow.run("inventory_full_sync").sent == 0
    flow.assert_in_step()


def test_a_read_back_that_fails_loses_no_adjustment_that_is_out(flow: Flow) -> None:
    bring_into_step(flow)
    flow.control.faults(shop("5xx", ITEMS, times=None))

    for job in ("inventory_sync", "inventory_full_sync"):
        run = flow.run(job, fails=True)
        assert any("GET /v3/inventory/items" in said for said in run.failures), run.failures
    # Nothing is forgotten: what is out waits to be read back.
    assert {op.state for op in flow.state().outbox.find()} <= {"sending", "ambiguous"}
    assert flow.state().outbox.find()

    flow.control.clear_faults()
    flow.control.clear_log()
    flow.run()
    assert_exactly_right(flow)
    # It had been applied, which reading it back has shown.
    assert flow.puts() == 0


def test_a_store_that_asks_to_wait_too_long_keeps_the_rest_planned(flow: Flow) -> None:
    bring_into_step(flow)
    flow.control.faults(shop("429", times=None, ms=60_000))

    run = flow.run(fails=True)
    assert run.attempts == 2
    assert [op.state for op in flow.state().outbox.find()] == ["planned"]

    flow.control.clear_faults()
    flow.run()
    assert_exactly_right(flow)


def test_tokens_that_expire_in_the_middle_of_a_run_are_renewed(flow: Flow) -> None:
    bring_into_step(flow)
    flow.control.latency(60)
    flow.control.clear_log()

    def expire_between_answers() -> None:
        for answers in (1, 3, 5):
            wait_until(lambda: sum(e["status"] == 200 for e in books_log()) >= answers)  # noqa: B023 - called at once
            flow.control.call("POST", "/netsuite/tokens/expire")

    def books_log() -> Any:
        return [e for e in flow.control.log(system="netsuite") if "suiteql" in e["path"]]

    clock = threading.Thread(target=expire_between_answers)
    clock.start()
    flow.run("inventory_full_sync")
    clock.join()
    assert [e for e in flow.control.log(system="netsuite") if e["status"] == 401]
    assert_exactly_right(flow)


def test_an_account_with_a_concurrency_of_one_gets_by(flow: Flow) -> None:
    bring_into_step(flow)
    flow.control.limits(concurrency=1)
    flow.control.clear_cpu()

    with flow.at(BCNS_NETSUITE_CONCURRENCY="1"):
        flow.run("inventory_full_sync")

    assert flow.control.cpu()["netsuite_peak_concurrency"] == 1
    assert not [e for e in flow.control.log(system="netsuite") if e["status"] == 429]
    assert_exactly_right(flow)


def test_a_small_quota_is_paced_before_it_is_used_up(flow: Flow) -> None:
    bring_into_step(flow)
    flow.control.limits(quota=4, quota_window_ms=700)
    flow.control.clear_log()

    flow.run()
    flow.run("inventory_full_sync")

    answers = [entry["status"] for entry in flow.control.log(system="bigcommerce")]
    assert 429 not in answers
    assert_exactly_right(flow)
