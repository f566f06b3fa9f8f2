"""Hooks that are made, mended and believed, and the time in which they said nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

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


def test_hooks_are_made_once_tell_of_orders_and_are_made_anew_however_they_were_switched_off(
    shop: OrderFlow, listening: str, observed: Observed
) -> None:
    # A plan mends nothing, so that what comes after it finds all to do.
    shop.run("webhook_health", mode="plan")
    first, second = observed("webhook_health"), observed("webhook_health")
    assert_made_once_with_our_header(first, second)

    # Orders are told of, in copies and out of order.
    shop.control.hook_events("duplicate", copies=5, count=2)
    shop.control.hook_events("reorder", count=2)
    placed = [shop.control.shop_order("plain", restock=True)["id"] for _ in range(4)]
    wait_until(lambda: all(heard(shop, one) for one in placed))
    shop.sync_twice()
    shop.assert_equal_to_the_cent(*placed)

    for action in ("deactivate", "inactive"):
        shop.control.hook_events(action)
        seen = observed("webhook_health")
        assert {record.data["outcome"] for record in seen["repairs"].records} == {"done"}, action
        assert len(seen["repairs"].records) == len(SCOPES), action


def assert_made_once_with_our_header(first: dict[str, Any], second: dict[str, Any]) -> None:
    """A second check finds nothing to do, and no secret is shown."""
    assert len(first["repairs"].records) == len(SCOPES)
    assert second["repairs"].records == []
    # Nothing was there before, so nothing can have been lost.
    assert "certificate" not in first
    assert "certificate" not in second
    _name, value = hook_header(load_settings())
    assert value not in json.dumps(first["webhooks"].value)
    assert value not in str(first)


def test_what_happened_while_hooks_were_off_is_read_and_proven_complete_whatever_befalls_the_check(
    shop: OrderFlow, listening: str, observed: Observed
) -> None:
    """The hooks go off five times: in fair weather, in a storm, and for a check that dies, sees nothing or forgets."""
    observed("webhook_health")
    assert_days_are_proven_complete(shop, observed)
    assert_a_check_that_dies_leaves_the_gap_to_the_next(shop, observed)
    assert_what_a_walk_does_not_show_is_a_gap(shop, observed)
    assert_a_check_that_has_forgotten_reads_from_where_the_hook_was_switched_off(shop, observed)
    assert_a_storm_loses_nothing(shop, observed)


def lost_while_off(shop: OrderFlow, days: int) -> int:
    """An order that no hook tells of."""
    with quiet_days(shop, days):
        lost = shop.control.shop_order("plain", restock=True)["id"]
    assert not heard(shop, lost)
    return int(lost)


def assert_days_are_proven_complete(shop: OrderFlow, observed: Observed) -> None:
    """The hooks are mended, and three days are."""
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
    shop.sync()
    shop.assert_equal_to_the_cent(*lost)
    # What was certified is not read again.
    assert "certificate" not in observed("webhook_health")


def assert_a_check_that_dies_leaves_the_gap_to_the_next(shop: OrderFlow, observed: Observed) -> None:
    """It had mended the hooks, and died before it could read."""
    lost = lost_while_off(shop, 1)
    shop.control.faults({"system": "bigcommerce", "kind": "5xx", "path_regex": "v2/orders", "times": None})
    shop.run_somehow("webhook_health")
    assert not heard(shop, lost, "backfill")
    shop.control.clear_faults()

    seen = observed("webhook_health")

    # The hooks look well by then, and only what was remembered says that something is missing.
    assert seen["repairs"].records == []
    assert heard(shop, lost, "backfill")


def assert_what_a_walk_does_not_show_is_a_gap(shop: OrderFlow, observed: Observed) -> None:
    """It stays one until a certificate is complete."""
    lost = lost_while_off(shop, 1)

    def blind(method: str, path: str, body: bytes) -> tuple[int, Any] | None:
        return (200, []) if "/v2/orders?" in path and "min_date_modified" in path else None

    root = shop.environment["BCNS_BIGCOMMERCE_BASE_URL"]
    with serving(blind, target=root) as relay, shop.at(BCNS_BIGCOMMERCE_BASE_URL=relay.url):
        observed("webhook_health")
    (question,) = shop.open_exceptions("INTAKE_GAP")
    assert str(lost) in question.message

    assert json.loads(observed("webhook_health")["certificate_file"].text)["complete"]
    assert shop.open_exceptions("INTAKE_GAP") == []


def assert_a_check_that_has_forgotten_reads_from_where_the_hook_was_switched_off(
    shop: OrderFlow, observed: Observed
) -> None:
    lost = lost_while_off(shop, 3)
    for name in ("last_ok", "gap", "certified"):
        shop.state().cursors.move(f"intake/hooks/{name}", None)

    assert json.loads(observed("webhook_health")["certificate_file"].text)["complete"]

    assert heard(shop, lost, "backfill")


def assert_a_storm_loses_nothing(shop: OrderFlow, observed: Observed) -> None:
    """429 delays a check."""
    lost = lost_while_off(shop, 1)
    shop.control.faults({"system": "bigcommerce", "kind": "429", "path_regex": "v2/orders", "times": 3})

    observed("webhook_health")

    assert heard(shop, lost, "backfill")


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


def test_without_an_address_nothing_is_made(shop: OrderFlow) -> None:
    shop.control.clear_log()
    run = shop.run("webhook_health")

    assert not any(one.event_type == DagsterEventType.ASSET_OBSERVATION for one in run.result.all_events)
    assert [one for one in shop.control.log(system="bigcommerce") if HOOKS in one["path"]] == []
