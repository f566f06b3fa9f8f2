"""Storefronts that sell shares of one stock: together they never offer more than there is, orders or not."""

from __future__ import annotations

import pytest

from bcns_pipeline.defs.inventory import readback
from bcns_pipeline_tests.defs.flow import NETSUITE_LOCATIONS
from bcns_pipeline_tests.defs.order_flow import OrderFlow

SKU = "SKU-000004"


def test_two_storefronts_share_one_stock_and_together_offer_what_there_is(
    shop: OrderFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readback, "FIRST_LOOK_SECONDS", 0.1)
    shop.control.shop_settings(second_storefront=True)
    share = {"location": 2, "percent": 30}
    shop.sections["channels"][2] = {"subsidiary": 1, "location": 1, "availability": share}
    shop.configure(locations=[{"netsuite": list(NETSUITE_LOCATIONS[:2]), "bigcommerce": 1}])
    shop.stock(SKU, 10, 10)
    run = shop.run("inventory_full_sync")
    assert shop.shop(SKU) == (14, 6)
    row = next(one for one in run.records("changes") if (one["sku"], one["location"]) == (SKU, 2))
    assert row["rule"] == "(available): 30% for channel 2"

    # The second storefront sells three, goods arrive, and NetSuite does not know of the order yet: 25 - 3 are left.
    shop.later()
    lines = [{"sku": SKU, "quantity": 3}]
    order = shop.control.shop_order(lines=lines, channel_id=2, location_id=2)["id"]
    assert shop.shop(SKU) == (14, 3)
    shop.run("inventory_full_sync")
    assert not shop.open_exceptions("STOCK_DRIFT")
    shop.later()
    shop.control.adjust(sku=SKU, location=NETSUITE_LOCATIONS[0], delta=5)
    shop.run()
    assert shop.shop(SKU) == (16, 6)

    # The order is posted, and nothing moves: its units were off already.
    shop.later()
    shop.sync()
    shop.assert_there(order)
    shop.run()
    assert shop.shop(SKU) == (16, 6)
    shop.assert_tidy()
