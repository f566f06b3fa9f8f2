"""The stop-sale switch: a flood of changes waits for a person, and nothing else does."""

from __future__ import annotations

import pytest

from bcns_pipeline_tests.defs.flow import Flow

CODE = "INVENTORY_BREAKER"
FLOOD = [f"SKU-{number:06d}" for number in range(1, 26)]


def flood(flow: Flow, units: int) -> None:
    flow.later()
    flow.control.adjust([{"sku": sku, "location": at, "on_hand": units} for sku in FLOOD for at in (1, 6)])


def test_a_flood_pauses_pushing_until_it_is_approved_and_lets_that_one_plan_pass(flow: Flow) -> None:
    """Whatever runs, whatever else changes; a dismissal only asks again, and no approval waits for another flood."""
    flow.run()
    before = flow.whole_shop()
    flood(flow, 3_000)
    flow.control.clear_log()

    for job in ("inventory_sync", "inventory_full_sync", "inventory_reconciliation"):
        if job == "inventory_reconciliation":
            # Single changes wait as well, and orphans are still reported.
            flow.later()
            flow.stock("SKU-000030", 1, 1)
        run = flow.run(job)
        assert run.sent == 0, job
        assert {"netsuite/inventory_snapshot", "inventory/diff"} <= run.materialised
        assert not run.checks["pushing_is_not_paused"], job
        assert "30 % is the limit" in run.metadata()["held"], job
        assert len(flow.open_exceptions(CODE)) == 1, job
    assert "inventory/orphans" in run.materialised

    # -- a dismissal only asks again
    found = flow.open_exceptions(CODE)[0]
    flow.state().exceptions.resolve(found.id, "dismissed", "not now", actor="ada")
    assert flow.run().sent == 0
    assert len(flow.open_exceptions(CODE)) == 1
    assert flow.puts() == 0
    assert flow.whole_shop() == before

    # -- approved: the flood and the single change
    flow.approve(CODE)
    run = flow.run()
    assert run.sent == 50 + 2
    assert run.checks["pushing_is_not_paused"]
    flow.assert_in_step()

    # -- the approval was for that plan; the next flood waits again
    flood(flow, 4_000)
    assert flow.run().sent == 0
    assert len(flow.open_exceptions(CODE)) == 1

    # -- NetSuite is put right before anybody approves: that word does not wait for the next flood
    shown = flow.whole_shop()
    for sku in FLOOD:
        for at, units in zip((1, 6), shown[sku], strict=True):
            flow.control.adjust(sku=sku, location=at, on_hand=units, committed=0)
    flow.later()
    flow.approve(CODE)
    assert flow.run().sent == 0
    flood(flow, 5_000)
    assert flow.run().sent == 0
    assert len(flow.open_exceptions(CODE)) == 1


def test_a_store_that_shows_far_more_than_there_is_is_not_lowered_unseen(flow: Flow) -> None:
    flow.run()
    flow.control.edit([{"sku": sku, "location_id": 1, "quantity": 9_000} for sku in FLOOD])

    run = flow.run("inventory_full_sync")
    assert run.sent == 0
    assert "BigCommerce would sell more than there is" in flow.open_exceptions(CODE)[0].message
    assert flow.shop(FLOOD[0])[0] == 9_000

    flow.approve(CODE)
    flow.run("inventory_full_sync")
    flow.assert_in_step()


@pytest.mark.merchant(60, stock="zero")
def test_a_first_load_is_no_flood(flow: Flow) -> None:
    assert flow.run().sent > 100
    assert not flow.open_exceptions(CODE)
