"""What the store refuses: one bad line never stops the others, and nothing bad goes unsaid."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bcns_pipeline_tests.defs.flow import Flow
from bcns_pipeline_tests.defs.relay import serving

ADJUSTMENTS = "/v3/inventory/adjustments/absolute"
MOVED = ("SKU-000001", "SKU-000002", "SKU-000003", "SKU-000004", "SKU-000005")


def move(flow: Flow, units: int = 31) -> None:
    flow.later()
    for sku in MOVED:
        flow.stock(sku, units, units)


def retrack(flow: Flow, sku: str, tracking: str) -> None:
    """As if the store counted this product otherwise when it was linked."""
    links = flow.state().links
    found = links.items()
    links.put_items(found[found["sku"] == sku].assign(tracking=tracking))


def test_a_refusal_that_names_lines_isolates_them_and_the_rest_goes_through(flow: Flow) -> None:
    flow.run()
    move(flow)
    retrack(flow, "SKU-000003", "variant")
    before = flow.shop("SKU-000003")
    flow.control.clear_log()

    run = flow.run()

    assert flow.puts() == 2
    assert flow.shop("SKU-000003") == before
    assert all(flow.shop(sku) == (31, 31) for sku in MOVED if sku != "SKU-000003")
    found = flow.open_exceptions("STOCK_REFUSED")
    assert [row.subject for row in found] == ["sku:SKU-000003"]
    assert "tracked by product" in found[0].message
    assert run.metadata()["lines_refused"] == 2
    flow.assert_tidy()

    # Mended, it goes through by itself and the question is closed.
    retrack(flow, "SKU-000003", "product")
    flow.run()
    assert flow.shop("SKU-000003") == (31, 31)
    assert not flow.open_exceptions("STOCK_REFUSED")
    flow.assert_in_step()


def test_a_refusal_that_names_nothing_is_cut_in_two_until_the_bad_line_stands_alone(flow: Flow) -> None:
    flow.run()
    move(flow)
    bad = flow.control.inventory("SKU-000002")[0]["product_id"]
    sizes: list[int] = []

    def answer(method: str, path: str, body: bytes) -> tuple[int, Any] | None:
        if method != "PUT" or not path.endswith(ADJUSTMENTS):
            return None
        items = json.loads(body)["items"]
        sizes.append(len(items))
        if any(item.get("product_id") == bad and item["location_id"] == 1 for item in items):
            return 422, {"status": 422, "title": "Something in this request is not to our taste"}
        return None

    with (
        serving(answer, prefix="/shop", target=flow.sandbox.bigcommerce_url) as relay,
        flow.at(BCNS_BIGCOMMERCE_BASE_URL=relay.url),
    ):
        run = flow.run()

    assert sizes[0] == 10
    assert len(sizes) <= 9
    assert run.metadata()["lines_refused"] == 1
    assert flow.shop("SKU-000002")[1] == 31
    assert all(flow.shop(sku) == (31, 31) for sku in MOVED if sku != "SKU-000002")
    assert [row.subject for row in flow.open_exceptions("STOCK_REFUSED")] == ["sku:SKU-000002"]
    flow.assert_tidy()

    flow.run()
    assert not flow.open_exceptions("STOCK_REFUSED")
    flow.assert_in_step()


def test_a_sku_that_stays_out_of_step_is_reported_by_itself(flow: Flow) -> None:
    flow.run()
    move(flow)
    retrack(flow, "SKU-000003", "variant")
    run = flow.run()
    assert run.checks["every_sku_is_fresh"]

    flow.age_pending(minutes=31)
    run = flow.run()

    assert [row.subject for row in flow.open_exceptions("SKU_STALE")] == ["sku:SKU-000003"]
    assert not run.checks["every_sku_is_fresh"]
    retrack(flow, "SKU-000003", "product")
    assert flow.run().checks["every_sku_is_fresh"]
    assert not flow.open_exceptions("SKU_STALE")


def test_a_disabled_store_location_is_left_out_and_taken_up_again(flow: Flow) -> None:
    flow.run()
    flow.control.call("POST", "/bigcommerce/location", {"location_id": 2, "enabled": False})
    move(flow)
    shown = flow.shop("SKU-000001")[1]

    run = flow.run("inventory_full_sync")
    assert flow.shop("SKU-000001") == (31, shown)
    assert "disabled" in flow.open_exceptions("LOCATION_SUSPENDED")[0].message
    assert run.metadata()["lines_refused"] == 0

    flow.control.call("POST", "/bigcommerce/location", {"location_id": 2, "enabled": True})
    flow.run("inventory_full_sync")
    assert not flow.open_exceptions("LOCATION_SUSPENDED")
    flow.assert_in_step()


def test_a_store_location_disabled_since_the_last_full_sync_costs_only_its_own_lines(flow: Flow) -> None:
    flow.run()
    flow.control.call("POST", "/bigcommerce/location", {"location_id": 2, "enabled": False})
    move(flow)

    run = flow.run()

    assert all(flow.shop(sku)[0] == 31 for sku in MOVED)
    assert run.metadata()["lines_refused"] == 5
    flow.control.call("POST", "/bigcommerce/location", {"location_id": 2, "enabled": True})
    flow.run()
    flow.assert_in_step()


def test_a_quantity_that_is_no_number_takes_out_its_own_item_and_heals(flow: Flow) -> None:
    flow.run()
    move(flow)
    before = flow.shop("SKU-000002")
    broken = True

    def answer(method: str, path: str, body: bytes) -> tuple[int, Any] | None:
        return None

    def spoil(content: bytes) -> bytes:
        if not broken or (b'"quantityavailable"' not in content and b'"available"' not in content):
            return content
        rows = json.loads(content)
        for row in rows.get("items", []):
            if row.get("sku") == "SKU-000002" and "available" in row:
                row["available"] = "many"
        return json.dumps(rows).encode()

    with (
        serving(answer, target=flow.sandbox.netsuite_url, change=spoil) as relay,
        flow.at(BCNS_NETSUITE_BASE_URL=relay.url),
    ):
        run = flow.run()
        told = run.metadata("inventory/diff")
        assert told["fetched"] == told["planned"] + told["skipped"] + told["excepted"]
        assert told["excepted"] == 2
        assert flow.shop("SKU-000002") == before
        assert flow.shop("SKU-000001") == (31, 31)
        found = flow.open_exceptions("QUANTITY_UNREADABLE")
        assert len(found) == 1
        assert "'many'" in found[0].message
        assert "SKU-000002" in found[0].message
        assert flow.run("inventory_full_sync").success
        assert flow.shop("SKU-000002") == before
        assert len(flow.open_exceptions("QUANTITY_UNREADABLE")) == 1

        broken = False
        flow.run()
    assert not flow.open_exceptions("QUANTITY_UNREADABLE")
    flow.assert_in_step()


def test_a_kit_that_can_not_be_computed_keeps_its_number_is_said_and_heals(flow: Flow) -> None:
    flow.seed(60)
    kit = "KIT-000060"
    flow.control.members(kit, [{"sku": "SKU-000001", "quantity": 2}])
    flow.stock("SKU-000001", 10, 10)
    flow.run()
    assert flow.shop(kit) == (5, 5)

    flow.later()
    flow.control.members(kit, [{"sku": "SKU-000001", "quantity": 0}])
    run = flow.run("inventory_full_sync")
    assert flow.shop(kit) == (5, 5)
    assert run.metadata("inventory/diff")["excepted"] == 2
    assert run.checks["nothing_is_lost"]
    assert "no quantity" in flow.open_exceptions("KIT_UNRESOLVED")[0].message

    flow.later()
    flow.control.members(kit, [{"sku": "SKU-000001", "quantity": 5}])
    flow.run("inventory_full_sync")
    assert flow.shop(kit) == (2, 2)
    assert not flow.open_exceptions("KIT_UNRESOLVED")


@pytest.mark.parametrize("table", ["itemmember"])
def test_kits_that_the_role_may_not_read_keep_their_numbers(flow: Flow, table: str) -> None:
    flow.seed(60)
    flow.run()
    shown = flow.shop("KIT-000060")
    flow.control.role(hidden_tables=[table])
    flow.later()
    flow.stock("SKU-000001", 77, 78)

    for job in ("inventory_sync", "inventory_full_sync"):
        flow.run(job)
        assert flow.shop("KIT-000060") == shown
        assert flow.shop("SKU-000001") == (77, 78)
        assert len(flow.open_exceptions("KITS_UNREADABLE")) == 1

    flow.control.role(hidden_tables=[])
    flow.run("inventory_full_sync")
    assert not flow.open_exceptions("KITS_UNREADABLE")
    flow.assert_in_step()
