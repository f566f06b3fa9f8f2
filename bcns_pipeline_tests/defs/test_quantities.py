"""What number a SKU gets: locations, kits, fractions, negatives, items never stocked, and items made inactive."""

from __future__ import annotations

import pytest

from bcns_pipeline_tests.defs.flow import Flow

POOLED = [{"netsuite": [1, 6], "bigcommerce": 1}]
WIDE = {"max_changed_percent": 100.0, "max_oversold_percent": 100.0}
KIT, ASSEMBLY, PARENT = "KIT-000060", "ASM-000059", "STYLE-00001"
HOUR = 60 * 60


def assert_shows(flow: Flow, wanted: dict[str, tuple[int, ...]]) -> None:
    """The store shows these, by location; says which do not."""
    shown = flow.whole_shop()
    wrong = {sku: (shown[sku], units) for sku, units in wanted.items() if shown[sku] != units}
    assert not wrong, f"shown, wanted: {wrong}"


def make(flow: Flow, *needed: tuple[str, int]) -> None:
    """What the kit is made of."""
    flow.control.members(KIT, [{"sku": sku, "quantity": need} for sku, need in needed])


@pytest.mark.merchant(60, fractional=2, negative=2, bigcommerce_orphans=1)
def test_every_kind_of_item_shows_its_own_number_from_the_first_run_to_its_end(flow: Flow) -> None:
    """Kits, assemblies, matrix parents, fractions, negatives, never stocked; one location alone; made inactive."""
    make(flow, ("SKU-000001", 4), ("SKU-000002", 1))
    flow.stock("SKU-000001", 40, 40)
    flow.stock("SKU-000002", 100, 100)
    flow.stock(ASSEMBLY, 3, 4)
    flow.stock(PARENT, 50, 50)
    parent = flow.control.levels(PARENT)[0]["item"]
    flow.stock("HALF-001", 2.999, 0.75)
    flow.control.edit(sku="HALF-001", location_id=1, quantity=3)
    flow.control.edit(sku="NEG-001", location_id=1, quantity=4)
    flow.control.item(create=True, sku="ONLY-BC-001")
    assert flow.control.levels("ONLY-BC-001") == []
    flow.control.edit(sku="ONLY-BC-001", location_id=1, quantity=7)
    ending = ("SKU-000006", "SKU-000007")
    for sku in ending:
        flow.stock(sku, 8, 9)

    run = flow.run()

    assert_shows(
        flow,
        {
            KIT: (10, 10),
            ASSEMBLY: (3, 4),
            "HALF-001": (2, 0),
            "NEG-001": (0, 0),
            "ONLY-BC-001": (0, 0),
            **dict.fromkeys(ending, (8, 9)),
        },
    )
    # Two items at two locations.
    assert run.metadata("inventory/diff")["clamped_to_zero"] == 4
    flow.assert_in_step()

    # -- an hour later, when nothing but these rows is young enough to be found by itself
    flow.later(HOUR)
    flow.stock("SKU-000001", 8)
    flow.control.adjust(sku="SKU-000003", location=6, on_hand=5, committed=0)
    flow.stock(PARENT, 70, 70)
    flow.control.item(sku="SKU-000006", isinactive=True)
    run = flow.run()

    # A kit moves when one of its members does, a location keeps its own number, and what is inactive shows zero.
    assert flow.shop("SKU-000003")[1] == 5
    assert_shows(flow, {KIT: (2, 10), "SKU-000003": flow.should_show("SKU-000003"), "SKU-000006": (0, 0)})
    changes: dict[str, list[str]] = {}
    for row in run.records("changes"):
        changes.setdefault(row["sku"], []).append(row["reason"])
    assert changes.keys() == {"SKU-000001", KIT, "SKU-000003", "SKU-000006"}
    assert changes["SKU-000006"] == ["deactivated"] * 2
    assert run.sent == 5

    # -- all of that once, and the matrix parent never
    flow.control.clear_log()
    for job in ("inventory_sync", "inventory_full_sync", "inventory_reconciliation"):
        assert flow.run(job).sent == 0, job
    assert flow.puts() == 0
    assert parent not in flow.state().inventory.known()["item_id"].tolist()
    assert parent not in flow.state().links.items()["item_id"].tolist()

    # -- made inactive while no run was made, longer ago than an incremental run looks back
    flow.control.item(sku="SKU-000007", isinactive=True)
    flow.later(3 * HOUR)
    run = flow.run("inventory_full_sync")
    assert run.sent == 2
    assert flow.shop("SKU-000007") == (0, 0)
    # What is inactive shows what it would without stock; the rest, what there is.
    for sku in ending:
        flow.stock(sku, 0, 0)
    flow.assert_in_step()


@pytest.mark.merchant(60)
def test_the_mapping_of_locations_and_kits_makes_the_number_and_a_change_of_it_is_applied_to_everything(
    flow: Flow,
) -> None:
    """10, 12 and 8 members with 4, 4 and 2 needed are two kits pooled, and fewer where each location makes its own."""
    members = ("SKU-000011", "SKU-000012", "SKU-000013")
    make(flow, *zip(members, (4, 4, 2), strict=True))

    # -- one to one: each location can put together its own
    flow.configure(breaker=WIDE, kits={"mode": "per_location"})
    for sku, here, there in zip(members, (10, 12, 8), (4, 400, 40), strict=True):
        flow.stock(sku, here, there)
    flow.run()
    assert flow.shop(KIT) == (2, 1)

    # -- two locations into one number: everything is told by the next incremental run; 1 and 0 kits
    flow.later()
    for sku, here, there in zip(members, (7, 4, 6), (3, 8, 2), strict=True):
        flow.stock(sku, here, there)
    flow.stock("SKU-000021", 10, 32)
    flow.configure(locations=POOLED)
    flow.run()
    shown = flow.whole_shop()
    wanted = {sku: flow.should_show(sku)[0] for sku in flow.skus()}
    wrong = {sku: (shown[sku][0], units) for sku, units in wanted.items() if shown[sku][0] != units}
    assert not wrong, f"shown, wanted: {wrong}"
    assert shown["SKU-000021"][0] == 42
    assert shown[KIT][0] == 1

    # -- in all 10, 12 and 8
    flow.configure(kits={"mode": "pooled"})
    flow.run()
    assert flow.shop(KIT)[0] == 2

    # -- only one of two locations has changed, an hour after anything else: the total all the same
    flow.later(HOUR)
    flow.stock("SKU-000021", 11)
    run = flow.run()
    assert run.sent == 1
    assert flow.shop("SKU-000021")[0] == 43

    # -- a location that is not mapped counts for nothing
    flow.later()
    flow.stock("SKU-000022", 7, 500)
    before = flow.shop("SKU-000022")[0]
    flow.configure(locations=[{"netsuite": [1], "bigcommerce": 2}])
    flow.run()
    assert flow.shop("SKU-000022") == (before, 7)


# Each merchant's rule, and what 100 on hand, 12 committed and 20 in transit come to.
RULES: tuple[tuple[dict[str, object], int], ...] = (
    ({}, 88),
    ({"quantity": "on_hand_minus_committed"}, 88),
    ({"quantity": "expression", "expression": "on_hand - committed + min(in_transit, 3)"}, 91),
    ({"quantity": None, "expression": None, "safety_stock": {"owner": "pipeline", "value": 8}}, 80),
)


def test_the_merchants_rule_makes_the_number(flow: Flow) -> None:
    flow.configure(breaker=WIDE)
    for turn, (rule, units) in enumerate(RULES):
        flow.configure(**rule)
        flow.later()
        # One more each turn, so that the same result has to be sent anew.
        flow.stock("SKU-000001", 100 + turn, 0, committed=12, in_transit=20)
        flow.control.adjust(sku="SKU-000001", location=6, committed=0, in_transit=0)

        flow.run()

        assert flow.shop("SKU-000001") == (units + turn, 0), rule
