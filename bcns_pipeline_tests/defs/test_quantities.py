"""What number a SKU gets: locations, kits, fractions, negatives, items never stocked, and items made inactive."""

from __future__ import annotations

import pytest

from bcns_pipeline_tests.defs.flow import Flow

POOLED = [{"netsuite": [1, 6], "bigcommerce": 1}]
KIT, ASSEMBLY = "KIT-000060", "ASM-000059"


def test_two_locations_into_one_number_give_the_total_when_only_one_has_changed(flow: Flow) -> None:
    flow.configure(locations=POOLED)
    flow.stock("SKU-000001", 10, 32)
    flow.run()
    assert flow.shop("SKU-000001")[0] == 42

    # An hour later nothing but this one row is young enough to be found by itself.
    flow.later(60 * 60)
    flow.stock("SKU-000001", 11)
    run = flow.run()

    assert run.sent == 1
    assert flow.shop("SKU-000001")[0] == 43


def test_locations_mapped_one_to_one_keep_their_own_numbers(flow: Flow) -> None:
    flow.run()
    flow.later(60 * 60)
    flow.control.adjust(sku="SKU-000001", location=6, on_hand=5, committed=0)

    flow.run()

    assert flow.shop("SKU-000001") == flow.should_show("SKU-000001")
    assert flow.shop("SKU-000001")[1] == 5
    flow.assert_in_step()


def test_a_location_that_is_not_mapped_counts_for_nothing(flow: Flow) -> None:
    flow.configure(locations=[{"netsuite": [1], "bigcommerce": 2}])
    flow.stock("SKU-000001", 7, 500)
    before = flow.shop("SKU-000001")[0]

    flow.run()

    assert flow.shop("SKU-000001") == (before, 7)


def test_a_changed_mapping_is_applied_to_everything_by_the_next_incremental_run(flow: Flow) -> None:
    flow.configure(breaker={"max_changed_percent": 100.0, "max_oversold_percent": 100.0})
    flow.run()

    flow.configure(locations=POOLED)
    flow.run()

    shown = flow.whole_shop()
    for sku in flow.skus():
        assert shown[sku][0] == flow.should_show(sku)[0]


@pytest.mark.parametrize(("mode", "kits"), [("pooled", 2), ("per_location", 1)])
def test_ten_twelve_and_eight_members_with_four_four_and_two_needed_make_two_kits(
    flow: Flow, mode: str, kits: int
) -> None:
    flow.seed(60)
    flow.configure(locations=POOLED, kits={"mode": mode})
    flow.control.members(
        KIT,
        [
            {"sku": "SKU-000001", "quantity": 4},
            {"sku": "SKU-000002", "quantity": 4},
            {"sku": "SKU-000003", "quantity": 2},
        ],
    )
    # In all 10, 12 and 8. Each location alone makes 1 and 0 kits.
    flow.stock("SKU-000001", 7, 3)
    flow.stock("SKU-000002", 4, 8)
    flow.stock("SKU-000003", 6, 2)

    flow.run()

    assert flow.shop(KIT)[0] == kits


def test_kits_per_location_count_what_each_location_can_put_together(flow: Flow) -> None:
    flow.seed(60)
    flow.configure(kits={"mode": "per_location"})
    members = [("SKU-000001", 4), ("SKU-000002", 4), ("SKU-000003", 2)]
    flow.control.members(KIT, [{"sku": sku, "quantity": need} for sku, need in members])
    for sku, there in (("SKU-000001", 4), ("SKU-000002", 400), ("SKU-000003", 40)):
        flow.stock(sku, {"SKU-000001": 10, "SKU-000002": 12, "SKU-000003": 8}[sku], there)

    flow.run()

    assert flow.shop(KIT) == (2, 1)


def test_a_kit_moves_when_one_of_its_members_does(flow: Flow) -> None:
    flow.seed(60)
    flow.control.members(KIT, [{"sku": "SKU-000001", "quantity": 4}, {"sku": "SKU-000002", "quantity": 1}])
    flow.stock("SKU-000001", 40, 40)
    flow.stock("SKU-000002", 100, 100)
    flow.run()
    assert flow.shop(KIT) == (10, 10)

    flow.later(60 * 60)
    flow.stock("SKU-000001", 8)
    run = flow.run()

    assert flow.shop(KIT) == (2, 10)
    assert {row["sku"] for row in run.records("changes")} == {"SKU-000001", KIT}


def test_an_assembly_counts_as_it_is_stocked(flow: Flow) -> None:
    flow.seed(60)
    flow.stock(ASSEMBLY, 3, 4)

    flow.run()

    assert flow.shop(ASSEMBLY) == (3, 4)


def test_a_matrix_parent_is_never_sent_and_never_remembered(flow: Flow) -> None:
    flow.stock("STYLE-00001", 50, 50)
    parent = flow.control.levels("STYLE-00001")[0]["item"]
    flow.run()
    flow.later()
    flow.stock("STYLE-00001", 70, 70)

    flow.run()
    flow.run("inventory_reconciliation")

    assert parent not in flow.state().inventory.known()["item_id"].tolist()
    assert parent not in flow.state().links.items()["item_id"].tolist()
    flow.assert_in_step()


def test_fractions_are_rounded_down_and_negatives_are_held_at_zero_and_counted(flow: Flow) -> None:
    flow.seed(40, fractional=2, negative=2)
    flow.stock("HALF-001", 2.999, 0.75)
    flow.control.edit(sku="HALF-001", location_id=1, quantity=3)
    flow.control.edit(sku="NEG-001", location_id=1, quantity=4)

    run = flow.run()

    assert flow.shop("HALF-001") == (2, 0)
    assert flow.shop("NEG-001") == (0, 0)
    # Two items at two locations.
    assert run.metadata("inventory/diff")["clamped_to_zero"] == 4
    flow.assert_in_step()


def test_an_item_that_was_never_stocked_shows_zero(flow: Flow) -> None:
    flow.seed(40, bigcommerce_orphans=1)
    flow.control.item(create=True, sku="ONLY-BC-001")
    assert flow.control.levels("ONLY-BC-001") == []
    flow.control.edit(sku="ONLY-BC-001", location_id=1, quantity=7)

    flow.run()

    assert flow.shop("ONLY-BC-001") == (0, 0)


def test_an_item_made_inactive_is_pushed_as_zero_once(flow: Flow) -> None:
    flow.stock("SKU-000006", 8, 9)
    flow.run()
    assert flow.shop("SKU-000006") == (8, 9)

    flow.later()
    flow.control.item(sku="SKU-000006", isinactive=True)
    run = flow.run()

    assert flow.shop("SKU-000006") == (0, 0)
    assert run.sent == 2
    assert {row["reason"] for row in run.records("changes")} == {"deactivated"}
    flow.control.clear_log()
    for job in ("inventory_sync", "inventory_full_sync", "inventory_reconciliation"):
        assert flow.run(job).sent == 0
    assert flow.puts() == 0


def test_a_full_sync_notices_an_item_made_inactive_while_no_run_was_made(flow: Flow) -> None:
    flow.stock("SKU-000006", 8, 9)
    flow.run()
    flow.control.item(sku="SKU-000006", isinactive=True)
    # Longer ago than an incremental run looks back.
    flow.later(3 * 60 * 60)

    run = flow.run("inventory_full_sync")

    assert run.sent == 2
    assert flow.shop("SKU-000006") == (0, 0)


@pytest.mark.parametrize(
    ("policy", "shown"),
    [
        ({}, (88, 0)),
        ({"quantity": "on_hand_minus_committed"}, (88, 0)),
        ({"quantity": "expression", "expression": "on_hand - committed + min(in_transit, 3)"}, (91, 0)),
        ({"safety_stock": {"owner": "pipeline", "value": 8}}, (80, 0)),
    ],
)
def test_the_merchants_rule_makes_the_number(
    flow: Flow, policy: dict[str, object], shown: tuple[int, int]
) -> None:
    flow.configure(**policy)
    flow.stock("SKU-000001", 100, 0, committed=12, in_transit=20)
    flow.control.adjust(sku="SKU-000001", location=6, committed=0, in_transit=0)
    flow.stock("SKU-000001", 100, committed=12, in_transit=20)

    flow.run()

    assert flow.shop("SKU-000001") == shown
