"""Hooks that are made, mended and believed, and the time in which they said nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from dagster import DagsterEventType

from bcns_pipeline.config.intake import SCOPES
from bcns_pipeline.settings import load_settings
from bcns_pipeline.state.hook_header import hook_header
from bcns_pipeline_tests.defs.flow import wait_until
from bcns_pipeline_tests.defs.intake.conftest import quiet_days
from bcns_pipeline_tests.defs.order_flow import OrderFlow
from bcns_pipeline_tests.defs.relay import serving

Observed = Callable[[str], dict[str, Any]]
HOOKS = "hooks"


def heard(shop: OrderFlow, order_id: int, source: str = "webhook") -> bool:
    """Whether this source has told of the order."""
    with shop.state().scope.transaction() as conn:
        found = conn.exec_driver_sql(
            "select %(source)s = any(sources) from bcns.inbox where resource = 'order' and resource_id = %(id)s",
            {"source": source, "id": str(order_id)},
        ).scalar_one_or_none()
    return bool(found)


def test_an_order_told_of_by_a_hook_becomes_a_sales_order(
    shop: OrderFlow, listening: str, observed: Observed
) -> None:
    observed("webhook_health")
    order_id = shop.control.shop_order("plain", restock=True)["id"]

    wait_until(lambda: heard(shop, order_id))
    shop.sync()

    shop.assert_equal_to_the_cent(order_id)


def test_copies_and_events_out_of_order_have_one_effect(
    shop: OrderFlow, listening: str, observed: Observed
) -> None:
    observed("webhook_health")
    shop.control.hook_events("duplicate", copies=5, count=2)
    shop.control.hook_events("reorder", count=2)
    placed = [shop.control.shop_order("plain", restock=True)["id"] for _ in range(3)]
    wait_until(lambda: all(heard(shop, one) for one in placed))

    shop.sync_twice()

    shop.assert_equal_to_the_cent(*placed)


def test_hooks_are_made_once_with_our_header_and_a_second_check_finds_nothing_to_do(
    shop: OrderFlow, listening: str, observed: Observed
) -> None:
    first, second = observed("webhook_health"), observed("webhook_health")

    assert len(first["repairs"].records) == len(SCOPES)
    assert second["repairs"].records == []
    # Nothing was there before, so nothing can have been lost.
    assert "certificate" not in first
    assert "certificate" not in second
    _name, value = hook_header(load_settings())
    assert value not in json.dumps(first["webhooks"].value)
    assert value not in str(first)


def test_hooks_that_were_off_for_three_days_are_mended_and_the_days_are_proven_complete(
    shop: OrderFlow, listening: str, observed: Observed
) -> None:
    observed("webhook_health")
    with quiet_days(shop, 3):
        lost = shop.control.shop_orders(7, restock=True)
    assert not any(heard(shop, one) for one in lost)

    seen = observed("webhook_health")

    assert all(heard(shop, one, "backfill") for one in lost)
    certificate = json.loads(seen["certificate_file"].text)
    assert certificate["complete"]
    assert certificate["in_store"] == certificate["in_inbox"] >= 7
    assert {record.data["what"] for record in seen["repairs"].records} == {"reactivate"}
    kept = next(shop.state().documents.find(kind="completeness_certificate"))
    assert set(lost) <= set(json.loads(shop.state().documents.load(kept.id))["ids"])
    assert shop.open_exceptions("INTAKE_GAP") == shop.open_exceptions("HOOK_BROKEN") == []
    shop.sync_twice()
    shop.assert_equal_to_the_cent(*lost)
    # What was certified is not read again.
    assert "certificate" not in observed("webhook_health")


def test_a_hook_that_the_store_will_not_take_is_a_question_and_heals(
    shop: OrderFlow, listening: str, observed: Observed
) -> None:
    fault = {
        "system": "bigcommerce",
        "kind": "5xx",
        "path_regex": "v3/hooks$",
        "method": "POST",
        "times": None,
    }
    shop.control.faults(fault)
    seen = observed("webhook_health")
    assert len(seen["broken"].records) == len(SCOPES) == len(shop.open_exceptions("HOOK_BROKEN"))

    shop.control.clear_faults()
    observed("webhook_health")

    assert shop.open_exceptions("HOOK_BROKEN") == []


def test_a_check_that_dies_after_mending_leaves_the_gap_to_the_next_one(
    shop: OrderFlow, listening: str, observed: Observed
) -> None:
    observed("webhook_health")
    with quiet_days(shop, 1):
        lost = shop.control.shop_order("plain", restock=True)["id"]
    shop.control.faults({"system": "bigcommerce", "kind": "5xx", "path_regex": "v2/orders", "times": None})
    shop.run_somehow("webhook_health")
    assert not heard(shop, lost, "backfill")
    shop.control.clear_faults()

    seen = observed("webhook_health")

    # The hooks look well by then, and only what was remembered says that something is missing.
    assert seen["repairs"].records == []
    assert heard(shop, lost, "backfill")


def test_what_a_walk_does_not_show_is_a_gap_until_a_certificate_is_complete(
    shop: OrderFlow, listening: str, observed: Observed
) -> None:
    observed("webhook_health")
    with quiet_days(shop, 1):
        lost = shop.control.shop_order("plain", restock=True)["id"]

    def blind(method: str, path: str, body: bytes) -> tuple[int, Any] | None:
        return (200, []) if "/v2/orders?" in path and "min_date_modified" in path else None

    root = shop.environment["BCNS_BIGCOMMERCE_BASE_URL"]
    with serving(blind, target=root) as relay, shop.at(BCNS_BIGCOMMERCE_BASE_URL=relay.url):
        observed("webhook_health")
    (question,) = shop.open_exceptions("INTAKE_GAP")
    assert str(lost) in question.message

    assert json.loads(observed("webhook_health")["certificate_file"].text)["complete"]
    assert shop.open_exceptions("INTAKE_GAP") == []


def test_a_check_that_has_forgotten_everything_reads_from_where_the_hook_was_switched_off(
    shop: OrderFlow, listening: str, observed: Observed
) -> None:
    observed("webhook_health")
    with quiet_days(shop, 3):
        lost = shop.control.shop_order("plain", restock=True)["id"]
    for name in ("last_ok", "gap", "certified"):
        shop.state().cursors.move(f"intake/hooks/{name}", None)

    assert json.loads(observed("webhook_health")["certificate_file"].text)["complete"]

    assert heard(shop, lost, "backfill")


def test_a_storm_of_429_delays_a_check_and_loses_nothing(
    shop: OrderFlow, listening: str, observed: Observed
) -> None:
    observed("webhook_health")
    with quiet_days(shop, 1):
        lost = shop.control.shop_order("plain", restock=True)["id"]
    shop.control.faults({"system": "bigcommerce", "kind": "429", "path_regex": "v2/orders", "times": 3})

    observed("webhook_health")

    assert heard(shop, lost, "backfill")


def test_without_an_address_nothing_is_made(shop: OrderFlow) -> None:
    shop.control.clear_log()
    run = shop.run("webhook_health")

    assert not any(one.event_type == DagsterEventType.ASSET_OBSERVATION for one in run.result.all_events)
    assert [one for one in shop.control.log(system="bigcommerce") if HOOKS in one["path"]] == []


@pytest.mark.parametrize("action", ["deactivate", "inactive"])
def test_a_hook_is_found_off_however_it_came_to_be(
    shop: OrderFlow, listening: str, observed: Observed, action: str
) -> None:
    observed("webhook_health")
    shop.control.hook_events(action)

    seen = observed("webhook_health")

    assert {record.data["outcome"] for record in seen["repairs"].records} == {"done"}
    assert len(seen["repairs"].records) == len(SCOPES)
