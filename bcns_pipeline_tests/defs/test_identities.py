"""Which record a number goes to: SKUs renamed, used twice, blank, or known to one side only."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.state.exceptions import ExceptionRow
from bcns_pipeline_tests.defs.flow import Flow

ORPHANS = "inventory/orphans"


@pytest.mark.merchant(40, bigcommerce_orphans=1, odd_skus=2)
def test_a_renamed_sku_is_followed_by_its_link_and_a_new_item_finds_its_partner(flow: Flow) -> None:
    """Renamed in NetSuite, renamed in BigCommerce, new in NetSuite, and SKUs with commas, quotes and blanks."""
    odd = ("CABLE 1,5 M 1", '10% O\'NEIL "W" & CO 2')
    flow.run()
    flow.later()
    flow.control.item(sku="SKU-000005", itemid="RENAMED-5")
    flow.stock("RENAMED-5", 61, 62)
    flow.control.product(sku="SKU-000006", new_sku="SHOP-6")
    flow.stock("SKU-000006", 63, 64)
    new = flow.control.item(create=True, sku="only-bc-001")["items"][0]
    flow.control.adjust(item=new, location=1, on_hand=33)
    for sku in odd:
        flow.stock(sku, 21, 22)

    run = flow.run()

    wanted = {
        "SKU-000005": (61, 62),
        "SHOP-6": (63, 64),
        "ONLY-BC-001": (33, 0),
        **dict.fromkeys(odd, (21, 22)),
    }
    assert {sku: flow.shop(sku) for sku in wanted} == wanted
    assert run.metadata("netsuite/inventory_snapshot")["newly_linked"] == 1
    # Two a SKU, read back although the store no longer knows one that we know; the new item may have none there.
    confirmed = run.metadata()["lines_confirmed"]
    assert confirmed == run.sent
    assert confirmed == 2 * len(wanted) - 1

    run = flow.run("inventory_reconciliation")
    assert run.metadata("netsuite/inventory_snapshot")["renamed"] == "RENAMED-5, SKU-000006"
    assert run.metadata(ORPHANS)["netsuite_only"] == run.metadata(ORPHANS)["bigcommerce_only"] == 0
    assert {sku: flow.shop(sku) for sku in wanted} == wanted
    assert not flow.open_exceptions("SKU_AMBIGUOUS")

    flow.later()
    flow.stock("SKU-000006", 65, 66)
    flow.run()
    assert flow.shop("SHOP-6") == (65, 66)
    flow.assert_tidy()


@pytest.mark.merchant(40, duplicates=2, blanks=1)
def test_skus_that_are_blank_or_used_twice_are_blocked_alone_and_heal_after_mending(flow: Flow) -> None:
    blank = flow.control.item(create=True, sku="")["items"][0]
    flow.control.adjust(item=blank, location=1, on_hand=50)
    flow.stock("SKU-000009", 5, 5)
    for sku in ("TWICE-001", "CASE-002", "SKU-000001"):
        flow.control.edit(sku=sku, location_id=1, quantity=7_777)

    def blocked() -> list[ExceptionRow]:
        """What is asked, but for the blank one, which is asked of all the time."""
        found = flow.open_exceptions("SKU_AMBIGUOUS")
        (without,) = [row for row in found if row.subject == f"item:{blank}"]
        assert "blank" in without.message
        return [row for row in found if row is not without]

    run = flow.run()
    assert not run.checks["skus_are_unambiguous"]
    assert flow.shop("TWICE-001")[0] == flow.shop("CASE-002")[0] == 7_777
    assert flow.shop("SKU-000001") == flow.should_show("SKU-000001")
    assert {row.detail["sku"] for row in blocked()} == {"TWICE-001", "CASE-002", "case-002"}
    assert len(blocked()) == 4
    assert all("used by NetSuite items" in row.message for row in blocked())
    assert flow.whole_shop()[""] == (0, 0)

    # -- an incremental run that meets one of the two alone is not fooled
    _, second = sorted({row["item"] for row in flow.control.levels("TWICE-001")})
    flow.later(60 * 60)
    flow.control.adjust(item=second, location=1, on_hand=1)
    flow.run()
    assert flow.shop("TWICE-001")[0] == 7_777
    assert len(blocked()) == 4

    # -- mended; and another that a linked item comes to share is blocked by the next reconciliation
    flow.later()
    flow.control.item(item=second, itemid="NOT-TWICE-ANY-MORE")
    flow.control.item(sku="case-002", itemid="NO-CASE-002")
    flow.control.item(create=True, sku="SKU-000009")
    run = flow.run("inventory_reconciliation")
    items = sorted(int(row.detail["item"]) for row in blocked())
    assert len(items) == 2
    assert {row.detail["sku"] for row in blocked()} == {"SKU-000009"}
    mended = ("TWICE-001", "CASE-002")
    assert {sku: flow.shop(sku) for sku in mended} == {sku: flow.should_show(sku) for sku in mended}
    flow.later()
    flow.control.adjust(item=items[0], location=1, on_hand=1)
    flow.run()
    assert flow.shop("SKU-000009") == (5, 5)

    # -- nothing is left to ask
    flow.later()
    flow.control.item(item=items[1], itemid="ITS-OWN-SKU")
    flow.control.item(item=blank, itemid="NOT-BLANK")
    run = flow.run("inventory_full_sync")
    assert not flow.open_exceptions("SKU_AMBIGUOUS")
    assert run.checks["skus_are_unambiguous"]
    assert flow.shop("SKU-000009") == (1, 5)
    flow.assert_in_step()


@pytest.mark.merchant(40, bigcommerce_orphans=1, untracked=1)
def test_what_the_store_does_not_track_is_left_alone_and_said(flow: Flow) -> None:
    flow.control.item(create=True, sku="SERVICE-001", itemtype="InvtPart")
    item = flow.control.item(sku="SERVICE-001", itemid="SERVICE-OLD")["items"][0]
    assert item

    flow.run("inventory_reconciliation")

    found = flow.open_exceptions("SKU_UNTRACKED")
    assert [row.subject for row in found] == ["sku:SERVICE-001"]
    assert flow.puts() == 0


@pytest.mark.merchant(40, netsuite_orphans=3, bigcommerce_orphans=2)
def test_orphans_of_both_sides_are_reported_with_since_when_and_what_is_at_stake(flow: Flow) -> None:
    flow.stock("ONLY-NS-002", 400, 500)
    flow.control.edit(sku="ONLY-BC-001", location_id=1, quantity=12)

    run = flow.run("inventory_reconciliation")

    books, shop = run.records("only_in_netsuite", ORPHANS), run.records("only_in_bigcommerce", ORPHANS)
    assert {row["sku"] for row in books} == {"ONLY-NS-001", "ONLY-NS-002", "ONLY-NS-003"}
    assert {row["sku"]: row["units"] for row in shop} == {"ONLY-BC-001": 12, "ONLY-BC-002": 0}
    assert (books[0]["sku"], books[0]["units"]) == ("ONLY-NS-002", 900)
    # The sandbox's average cost of an item is 4.50 and one unit of money for each step of its id.
    assert books[0]["value"] == f"{900 * (Decimal('4.5') + books[0]['id'] % 50):.2f}"
    assert {row["value"] for row in shop} == {"unknown"}
    assert not run.checks["no_orphans"]

    # Since when each has been alone is kept, and one that found its partner is gone.
    cursors = flow.state().cursors
    kept = cursors.get("inventory.orphans")
    kept["netsuite_only"] = [{**row, "since": "2026-01-02"} for row in kept["netsuite_only"]]
    cursors.move("inventory.orphans", kept)
    flow.control.item(sku="ONLY-NS-001", itemid="ONLY-BC-001")
    flow.later()
    run = flow.run("inventory_reconciliation")
    books = run.records("only_in_netsuite", ORPHANS)
    assert {(row["sku"], row["since"]) for row in books} == {
        ("ONLY-NS-002", "2026-01-02"),
        ("ONLY-NS-003", "2026-01-02"),
    }
    assert [row["sku"] for row in run.records("only_in_bigcommerce", ORPHANS)] == ["ONLY-BC-002"]
    assert flow.shop("ONLY-BC-001") == flow.should_show("ONLY-BC-001")


@pytest.mark.merchant(40, netsuite_orphans=1)
def test_without_the_right_to_see_costs_what_an_orphan_is_worth_is_unknown(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow.stock("ONLY-NS-001", 4, 5)
    # The sandbox hides tables from a role, not columns.
    fill = sql.fill
    monkeypatch.setattr(
        sql, "fill", lambda *name, **parts: fill(*name, **parts).replace("averagecost", "hiddencost")
    )

    run = flow.run("inventory_reconciliation")

    (alone,) = run.records("only_in_netsuite", ORPHANS)
    assert (alone["units"], alone["value"]) == (9, "unknown")
