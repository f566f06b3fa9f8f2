"""What the store has sold and NetSuite does not know of is not offered again, and never held back twice for long."""

from __future__ import annotations

import json

import pytest

from bcns_pipeline.defs.inventory import netting, readback
from bcns_pipeline_tests.defs.flow import NETSUITE_LOCATIONS, wait_until
from bcns_pipeline_tests.defs.order_flow import OrderFlow

SKU, OTHER, KIT = "SKU-000004", "SKU-000007", "KIT-000060"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readback, "FIRST_LOOK_SECONDS", 0.1)


def buy(shop: OrderFlow, sku: str = SKU, quantity: int = 1, **order: object) -> int:
    placed = shop.control.shop_order(lines=[{"sku": sku, "quantity": quantity}], **order)
    return int(placed["id"])


def begin(shop: OrderFlow, *skus: str, units: int = 10) -> None:
    """These SKUs have so many units everywhere, and both sides agree."""
    for sku in skus or (SKU,):
        shop.stock(sku, units, units)
    shop.run()
    shop.later()


def receive(shop: OrderFlow, units: int, sku: str = SKU) -> None:
    """Goods arrive at the first location."""
    shop.later()
    shop.control.adjust(sku=sku, location=NETSUITE_LOCATIONS[0], delta=units)


def test_a_receipt_does_not_put_a_sold_unit_on_sale_again(shop: OrderFlow) -> None:
    begin(shop)
    buy(shop, quantity=3)
    receive(shop, 5)

    run = shop.run()

    assert shop.shop(SKU) == (12, 10)
    row = next(one for one in run.records("changes") if one["sku"] == SKU)
    assert (row["new"], row["unposted"], row["rule"]) == (12, "3", "available - 3 unposted")
    assert run.metadata("inventory/diff")["unposted"] == "3 units of 1 SKUs are sold and not in NetSuite yet"
    shop.assert_tidy()


def test_without_netting_it_does(shop: OrderFlow) -> None:
    shop.configure(netting={"orders": "off"})
    begin(shop)
    buy(shop, quantity=3)
    receive(shop, 5)

    shop.run()

    assert shop.shop(SKU) == (15, 10)


def test_an_order_in_netsuite_is_not_subtracted_a_second_time(shop: OrderFlow) -> None:
    begin(shop)
    placed = buy(shop, quantity=3)
    receive(shop, 5)
    shop.run()
    shop.later()
    shop.sync()
    shop.assert_there(placed)

    for job in ("inventory_sync", "inventory_full_sync"):
        shop.run(job)
        assert shop.shop(SKU) == (12, 10)
    assert not shop.open_exceptions("STOCK_DRIFT")
    shop.assert_tidy()


def test_an_order_posted_while_stock_is_being_read_is_subtracted_twice_for_one_run_only(
    shop: OrderFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(shop)
    long_ago = "2020-01-01T00:00:00+00:00"
    placed = buy(shop, quantity=3)
    shop.later()
    shop.sync()
    shop.assert_there(placed)
    with monkeypatch.context() as patch:
        # The reading began before the posting, and nobody can tell whether it saw it.
        patch.setattr(netting, "moment", lambda connections: long_ago)
        shop.run()
    assert shop.shop(SKU) == (4, 10)

    shop.run()

    assert shop.shop(SKU) == (7, 10)


def test_a_sale_is_no_drift_while_its_order_waits(shop: OrderFlow) -> None:
    begin(shop)
    buy(shop, quantity=3)

    for job in ("inventory_sync", "inventory_full_sync"):
        shop.run(job)
        assert shop.shop(SKU) == (7, 10)
        assert not shop.open_exceptions("STOCK_DRIFT")
    shop.control.edit(sku=SKU, location_id=1, quantity=5)
    shop.run("inventory_full_sync")
    assert len(shop.open_exceptions("STOCK_DRIFT")) == 1


def test_a_sale_and_a_receipt_of_as_many_units_leave_the_store_at_what_there_is(shop: OrderFlow) -> None:
    begin(shop)
    buy(shop, quantity=3)
    receive(shop, 3)

    run = shop.run()

    assert shop.shop(SKU) == (10, 10)
    assert not shop.open_exceptions("STOCK_DRIFT")
    assert run.sent == 1
    shop.assert_tidy()


def test_a_cancelled_order_gives_its_units_back_although_netsuite_stands_still(shop: OrderFlow) -> None:
    begin(shop)
    placed = buy(shop, quantity=3)
    receive(shop, 5)
    shop.run()
    shop.later(60 * 60)
    shop.control.order_status(placed, 5)
    shop.control.edit(sku=SKU, location_id=1, quantity=12)
    # A poll notices it, and no order is in NetSuite.
    shop.sync()
    shop.control.clear_log()

    shop.run()

    assert shop.shop(SKU) == (15, 10)


def test_a_kit_sold_lowers_its_members_and_the_kits_that_share_them(shop: OrderFlow) -> None:
    shop.seed(60)
    shop.control.members(KIT, [{"sku": SKU, "quantity": 4}, {"sku": OTHER, "quantity": 1}])
    begin(shop, SKU, OTHER, units=40)
    shop.run("inventory_full_sync")
    assert shop.shop(KIT) == (10, 10)
    shop.later(60 * 60)

    buy(shop, KIT, 2)
    shop.sync(mode="plan")
    shop.run()

    assert (shop.shop(KIT), shop.shop(SKU), shop.shop(OTHER)) == ((8, 10), (32, 40), (38, 40))

    buy(shop, SKU, 5)
    shop.sync(mode="plan")
    shop.run()

    assert (shop.shop(KIT), shop.shop(SKU)) == ((6, 10), (27, 40))
    shop.later()
    shop.sync()
    shop.run()
    assert (shop.shop(KIT), shop.shop(SKU), shop.shop(OTHER)) == ((6, 10), (27, 40), (38, 40))
    shop.assert_tidy()


def test_an_order_that_comes_while_a_number_is_on_its_way_is_put_right_in_the_same_run(
    shop: OrderFlow,
) -> None:
    begin(shop)
    receive(shop, 90)
    # The adjustment takes a while to be applied; the shopper is quicker, and it wipes out what was taken.
    shop.control.limits(adjustment_delay_ms=900)
    shop.control.clear_log()
    child = shop.start()
    wait_until(shop.puts)
    buy(shop, quantity=4)
    assert child.wait(60) == 0, child.stdout.read()

    assert shop.shop(SKU) == (96, 10)
    shop.assert_tidy()


def test_orders_that_can_not_be_listed_stop_the_run_before_anything_is_sent(shop: OrderFlow) -> None:
    begin(shop)
    receive(shop, 5)
    shop.control.clear_log()
    shop.control.faults(
        {"system": "bigcommerce", "kind": "5xx", "path_regex": "/v2/orders", "status": 503, "times": 1000}
    )

    shop.run(fails=True)

    assert shop.puts() == 0
    shop.control.clear_faults()
    shop.run()
    assert shop.shop(SKU) == (15, 10)


def test_where_stock_is_taken_at_shipping_an_order_lowers_what_is_sold_by_the_next_run(
    shop: OrderFlow,
) -> None:
    shop.control.shop_settings(update_stock_behavior="order_completed_or_shipped")
    begin(shop)
    assert len(shop.open_exceptions("NETTING_LIMITED")) == 1
    shop.later(60 * 60)
    buy(shop, quantity=3)
    shop.sync(mode="plan")

    shop.run()

    assert shop.shop(SKU)[0] == 7
    shop.control.shop_settings(update_stock_behavior="order_placed")
    shop.run("inventory_full_sync")
    assert not shop.open_exceptions("NETTING_LIMITED")


def test_a_location_of_ones_own_is_taken_instead_of_the_stores_default(shop: OrderFlow) -> None:
    shop.configure(netting={"location": 2})
    begin(shop)
    shop.control.shop_order(lines=[{"sku": SKU, "quantity": 3}], location_id=2)
    receive(shop, 5)

    shop.run("inventory_full_sync")

    assert shop.shop(SKU) == (15, 7)


def test_the_low_stock_lane_is_net_of_orders_as_well(shop: OrderFlow) -> None:
    begin(shop)
    buy(shop, quantity=3)
    receive(shop, 1)
    item = shop.control.levels(SKU)[0]["item"]

    shop.run("inventory_low_stock", run_config={"ops": {"push_low_stock": {"config": {"item_ids": [item]}}}})

    assert shop.shop(SKU) == (8, 10)


def test_what_was_subtracted_is_kept_with_the_line(shop: OrderFlow) -> None:
    begin(shop)
    buy(shop, quantity=3)
    receive(shop, 5)
    shop.run()

    line = shop.state().inventory.history(sku=SKU).iloc[0]

    assert (line["new"], int(line["unposted"]), line["rule"]) == (12, 3, "available - 3 unposted")
    assert json.dumps(shop.state().cursors.get(netting.NETTED)).count("300000000") >= 1
