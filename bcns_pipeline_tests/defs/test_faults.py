"""Bad weather on both sides: whatever an answer was, the store ends with exactly NetSuite's numbers."""

from __future__ import annotations

import threading
from itertools import accumulate
from typing import Any

import pytest

from bcns_pipeline.defs.inventory import planning
from bcns_pipeline_tests.defs.flow import Flow, wait_until

MOVED = {"SKU-000001": (61, 62), "SKU-000002": (0, 0), "SKU-000012": (63, 0)}
SUITEQL, TOKEN, ITEMS, PUT = "query/v1/suiteql", "oauth2/v1/token", "inventory/items", "adjustments/absolute"


def books(kind: str, path: str = SUITEQL, **more: Any) -> dict[str, Any]:
    return {"system": "netsuite", "kind": kind, "path_regex": path, **more}


def shop(kind: str, path: str = PUT, **more: Any) -> dict[str, Any]:
    return {"system": "bigcommerce", "kind": kind, "path_regex": path, **more}


def in_turn(*faults: dict[str, Any]) -> list[dict[str, Any]]:
    """Each strikes the calls after those that the fault before it struck."""
    begins = accumulate((one.get("times", 1) for one in faults), initial=0)
    return [{**one, "skip": skip} for one, skip in zip(faults, begins, strict=False)]


# Faults that pass within the patience of one run. Each round has two kinds in turn of NetSuite's, some of
# BigCommerce's, and one of an adjustment, since they meet different calls.
PASSING = {
    "NetSuite says 429, then nothing; BigCommerce says 429 with headers, then without; an adjustment is applied and "
    "its answer reset": [
        *in_turn(books("429", times=3), books("timeout")),
        *in_turn(shop("429", ms=100), shop("429_bare", times=2), shop("reset_after")),
        *in_turn(shop("429", ITEMS, ms=100), shop("429_bare", ITEMS, times=2)),
    ],
    "NetSuite has an error of its own and is overloaded at sign-in; BigCommerce's reads have errors; an adjustment is "
    "applied and its answer cut off": [
        *in_turn(books("5xx", times=2), books("5xx", status=500)),
        books("login_overload", TOKEN),
        *in_turn(shop("5xx", ITEMS, times=2), shop("html", ITEMS)),
        shop("truncate"),
    ],
    "NetSuite resets before and after, then answers with a web page; BigCommerce's reads are cut off or reset; an "
    "adjustment is applied and a web page comes back": [
        *in_turn(books("reset_before"), books("reset_after"), books("html", times=2)),
        *in_turn(shop("truncate", ITEMS), shop("reset_before", ITEMS)),
        shop("html", after_commit=True),
    ],
    "NetSuite's answer is cut off, then it is overloaded; BigCommerce's reads are silent; an adjustment is applied and "
    "an error comes back": [
        *in_turn(books("truncate", times=2), books("login_overload", times=2)),
        shop("timeout", ITEMS),
        shop("5xx", after_commit=True),
    ],
    "BigCommerce's reads are stale; an adjustment is applied and nothing comes back": [
        shop("stale", ITEMS),
        shop("timeout", after_commit=True),
    ],
}
# After these nobody knows whether the adjustment happened, and it did not: the next run finds out. One a call.
LOST = {
    "an adjustment is reset on its way": shop("reset_before"),
    "an adjustment meets an error": shop("5xx", skip=1),
    "an adjustment meets a web page": shop("html", skip=2),
    "an adjustment meets silence": shop("timeout", skip=3),
}


Numbers = dict[str, tuple[int, int]]


def move(flow: Flow, numbers: Numbers) -> None:
    flow.later()
    for sku, units in numbers.items():
        flow.stock(sku, *units)


def moved(turn: int) -> Numbers:
    """Other numbers in each turn, so that six lines change every time."""
    return {sku: (one + turn, two + turn) for sku, (one, two) in MOVED.items()}


def assert_exactly_right(flow: Flow, numbers: Numbers, after: object) -> None:
    """`after` is what the merchant went through, for whoever reads of a failure."""
    assert {sku: flow.shop(sku) for sku in numbers} == numbers, after
    flow.assert_in_step()


@pytest.mark.long
def test_faults_that_pass_cost_time_and_nothing_else(flow: Flow) -> None:
    flow.run()
    for turn, (names, faults) in enumerate(PASSING.items(), start=1):
        move(flow, moved(turn))
        flow.control.faults(*faults)

        run = flow.run()

        assert flow.control.call("GET", "/faults") == [], f"{names}: the run did not meet its faults"
        assert run.metadata()["lines_confirmed"] == 6, names
        assert run.checks["nothing_oversells"], names
        assert_exactly_right(flow, moved(turn), names)
    assert flow.run().sent == 0


def test_adjustments_that_got_lost_are_found_out_and_computed_anew(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call of one run is lost in a way of its own: nobody knows whether it happened, and it did not."""
    flow.configure(settle_seconds=1)
    flow.run()
    lost = dict(zip(LOST, (f"SKU-{number:06d}" for number in (1, 2, 3, 4)), strict=True))
    numbers = {sku: (61 + turn, 71 + turn) for turn, sku in enumerate(lost.values())}
    move(flow, numbers)
    before = flow.whole_shop()
    # One SKU in each call: both its lines.
    monkeypatch.setattr(planning, "BATCH", 2)
    flow.control.faults(*LOST.values())
    flow.control.clear_log()

    run = flow.run()
    # Never resent by the same run: it is read back, and said.
    assert flow.control.call("GET", "/faults") == [], "a call was not lost"
    assert flow.puts() == len(LOST)
    assert run.metadata()["lines_unconfirmed"] == 2 * len(LOST)
    unsure = {row.subject for row in flow.open_exceptions("STOCK_UNCONFIRMED")}
    for name, sku in lost.items():
        assert flow.shop(sku) == before[sku], f"{name}: it was applied"
        assert f"sku:{sku}" in unsure, f"{name}: nothing was said"
    assert len(unsure) == len(LOST)

    run = flow.run()
    assert run.sent == 2 * len(LOST)
    assert not flow.open_exceptions("STOCK_UNCONFIRMED")
    assert_exactly_right(flow, numbers, lost)


@pytest.mark.parametrize(
    "faults",
    [
        [books("5xx", times=3, skip=1), shop("429_bare", times=2), shop("5xx", ITEMS, times=2, skip=1)],
        [books("truncate", skip=2, times=2), shop("reset_after"), shop("stale", ITEMS, skip=2)],
        [shop("5xx", "catalog", times=3), books("429", times=3, skip=2), shop("html", after_commit=True)],
    ],
)
@pytest.mark.merchant(60, stock="zero")
def test_a_first_full_load_comes_through_bad_weather(flow: Flow, faults: list[dict[str, Any]]) -> None:
    flow.control.faults(*faults)

    flow.run("inventory_full_sync")

    flow.assert_in_step()


# Reads that no patience of one run outlasts.
UNREADABLE = {
    "nothing": books("5xx", times=None),
    # The first pages come, the last one never does.
    "nothing after four answers": books("html", skip=4, times=None),
    "cut off after two": books("truncate", skip=2, times=None),
    "no token": books("reset_before", TOKEN, times=None),
    "no locations": shop("5xx", "inventory/locations", times=None),
}


def test_a_read_that_fails_never_becomes_zeros(flow: Flow) -> None:
    flow.run()
    before, known = flow.whole_shop(), flow.state().inventory.known()["confirmed"].tolist()
    for name, fault in UNREADABLE.items():
        flow.later()
        flow.control.faults(fault)
        flow.control.clear_log()

        run = flow.run("inventory_full_sync", fails=True)

        assert flow.puts() == 0, name
        assert flow.whole_shop() == before, name
        assert flow.state().inventory.known()["confirmed"].tolist() == known, name
        # Transient: the step was tried again, and the failure says which call it was.
        assert run.attempts == 2, name
        assert run.failures, name
        flow.assert_tidy()
        flow.control.clear_faults()

    assert flow.run("inventory_full_sync").sent == 0
    flow.assert_in_step()


def test_outages_between_the_steps_of_a_run_lose_no_adjustment_and_small_accounts_get_by(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow.run()
    # The store of a busy machine may not have shown all of that yet.
    while flow.state().outbox.find():
        flow.run()

    # -- a store that asks to wait too long: the rest is kept planned
    move(flow, moved(1))
    flow.control.faults(shop("429", times=None, ms=60_000))
    # Three calls: while the first is on its way, the second is in our hands already.
    batch = planning.BATCH
    monkeypatch.setattr(planning, "BATCH", 2)
    run = flow.run(fails=True)
    assert run.attempts == 2
    assert [op.state for op in flow.state().outbox.find()] == ["planned"] * 3
    monkeypatch.setattr(planning, "BATCH", batch)
    flow.control.clear_faults()
    flow.run()
    assert_exactly_right(flow, moved(1), "a store that asked to wait too long")

    # -- a read-back that fails: what is out waits to be read back, and nothing is forgotten
    move(flow, moved(2))
    flow.control.faults(shop("5xx", ITEMS, times=None))
    for job in ("inventory_sync", "inventory_full_sync"):
        run = flow.run(job, fails=True)
        assert any("GET /v3/inventory/items" in said for said in run.failures), run.failures
    assert {op.state for op in flow.state().outbox.find()} <= {"sending", "ambiguous"}
    assert flow.state().outbox.find()
    flow.control.clear_faults()
    flow.control.clear_log()
    flow.run()
    assert_exactly_right(flow, moved(2), "a read-back that failed")
    # It had been applied, which reading it back has shown.
    assert flow.puts() == 0

    # -- tokens that expire in the middle of a run are renewed
    move(flow, moved(3))
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
    assert_exactly_right(flow, moved(3), "tokens that expired")
    flow.control.latency(0)

    # -- a concurrency of one in NetSuite, and a small quota of BigCommerce that is paced before it is used up
    move(flow, moved(4))
    flow.control.limits(concurrency=1, quota=4, quota_window_ms=700)
    flow.control.clear_cpu()
    flow.control.clear_log()
    with flow.at(BCNS_NETSUITE_CONCURRENCY="1"):
        flow.run()
        flow.run("inventory_full_sync")
    assert flow.control.cpu()["netsuite_peak_concurrency"] == 1
    answers = {(entry["system"], entry["status"]) for entry in flow.control.log()}
    assert not {("netsuite", 429), ("bigcommerce", 429)} & answers
    assert_exactly_right(flow, moved(4), "one call at a time and a small quota")
