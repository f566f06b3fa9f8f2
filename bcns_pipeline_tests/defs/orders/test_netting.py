"""What the store has sold and NetSuite does not know of is not offered again, and never held back twice for long."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from bcns_pipeline.defs.inventory import netting, readback
from bcns_pipeline.defs.inventory.lasting import BELOW
from bcns_pipeline.state import inventory_views as views
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.order_models import Posted
from bcns_pipeline_tests.cli.orders_seed import TOTAL, see
from bcns_pipeline_tests.defs.flow import NETSUITE_LOCATIONS, Run, wait_until
from bcns_pipeline_tests.defs.order_flow import OrderFlow

SKU, OTHER, KIT = "SKU-000004", "SKU-000007", "KIT-000060"
# What becomes of each: more goods arrive than were sold, as many, or none; …
EVERY = (MORE, EQUAL, NONE, CALLED_OFF, FAST, POSTED, ELSEWHERE, UNNETTED) = (
    *("SKU-000001", "SKU-000002", "SKU-000003", SKU),
    *("SKU-000005", "SKU-000006", OTHER, "SKU-000008"),
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readback, "FIRST_LOOK_SECONDS", 0.1)


def buy(shop: OrderFlow, sku: str = SKU, quantity: int = 1, **order: object) -> int:
    placed = shop.control.shop_order(lines=[{"sku": sku, "quantity": quantity}], **order)
    return int(placed["id"])


def begin(shop: OrderFlow, *skus: str) -> None:
    """These SKUs have ten units everywhere, and both sides agree."""
    for sku in skus or (SKU,):
        shop.stock(sku, 10, 10)
    shop.run()
    shop.later()


def test_a_run_that_reads_the_whole_catalogue_is_net_of_orders_from_its_first_push(shop: OrderFlow) -> None:
    """The first one, and each that looks for orphans. They are worth what can be sold, which is worked out first."""
    shop.seed(60)
    shop.control.adjust(sku=SKU, location=NETSUITE_LOCATIONS[0], delta=9)
    sellable = shop.should_show(SKU)
    buy(shop, SKU, 3)

    run = shop.run()

    assert run.metadata("inventory/diff")["unposted"] == "3 units of 1 SKUs are sold and not in NetSuite yet"
    assert (run.sent, run.metadata()["lines_healed"], shop.puts()) == (1, 0, 1)
    assert_shown(shop, {SKU: (sellable[0] - 3, *sellable[1:])})


def receive(shop: OrderFlow, units: int, sku: str = SKU) -> None:
    """Goods arrive at the first location."""
    shop.later()
    shop.control.adjust(sku=sku, location=NETSUITE_LOCATIONS[0], delta=units)


def test_what_is_sold_is_netted_until_netsuite_knows_of_it_and_no_longer(
    shop: OrderFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Side by side: goods that arrive for what was sold, more and as many; none; and an order called off."""
    begin(shop, *EVERY)
    orders = {sku: buy(shop, sku, 3) for sku in (MORE, EQUAL, NONE, CALLED_OFF, FAST)}
    for sku, units in {MORE: 5, EQUAL: 3, CALLED_OFF: 5, FAST: 1}.items():
        receive(shop, units, sku)

    assert_nothing_is_sent_while_orders_can_not_be_listed(shop)
    # The low-stock lane is net of orders as well.
    item = shop.control.levels(FAST)[0]["item"]
    shop.run("inventory_low_stock", run_config={"item_ids": [item]})
    assert_shown(shop, {FAST: (8, 10)})

    # A receipt does not put a sold unit on sale again.
    run = shop.run()
    netted = {MORE: (12, 10), EQUAL: (10, 10), NONE: (7, 10), CALLED_OFF: (12, 10), FAST: (8, 10)}
    assert_shown(shop, netted)
    # What the fast lane has sent is not sent again.
    assert run.sent == len(netted) - 1
    said = f"{3 * len(orders)} units of {len(orders)} SKUs are sold and not in NetSuite yet"
    assert run.metadata("inventory/diff")["unposted"] == said
    assert_kept_with_the_line(shop, run, MORE)
    assert not shop.open_exceptions("STOCK_DRIFT")
    shop.assert_tidy()

    # A sale is no drift while its order waits, and what somebody typed into the store is.
    shop.run("inventory_full_sync")
    assert_shown(shop, netted)
    assert not shop.open_exceptions("STOCK_DRIFT")
    shop.control.edit(sku=NONE, location_id=1, quantity=5)
    shop.run("inventory_full_sync")
    (drift,) = shop.open_exceptions("STOCK_DRIFT")

    # An order that is called off gives its units back although NetSuite stands still; a poll notices it.
    shop.later(60 * 60)
    shop.control.order_status(orders[CALLED_OFF], 5)
    shop.control.edit(sku=CALLED_OFF, location_id=1, quantity=12)
    shop.sync()
    shop.assert_there(*(order for sku, order in orders.items() if sku != CALLED_OFF))
    assert len(shop.books()) == len(orders) - 1
    # Those that are in NetSuite are not subtracted a second time.
    netted[CALLED_OFF] = (15, 10)
    for job in ("inventory_sync", "inventory_full_sync"):
        shop.run(job)
        assert_shown(shop, netted)
    assert {one.id for one in shop.open_exceptions("STOCK_DRIFT")} <= {drift.id}
    shop.assert_tidy()

    assert_an_order_posted_while_stock_is_read_is_subtracted_twice_for_one_run_only(shop, monkeypatch)
    assert_a_location_of_ones_own_is_taken(shop)
    # Without netting, goods that arrive put the sold units on sale again.
    shop.configure(netting={"orders": "off"})
    buy(shop, UNNETTED, 3)
    receive(shop, 5, UNNETTED)
    shop.run()
    assert_shown(shop, {UNNETTED: (15, 10)})


def test_a_hand_edit_that_outlasts_every_sale_is_raised_to_what_is_net_of_orders(shop: OrderFlow) -> None:
    begin(shop)
    buy(shop, SKU, 2)
    receive(shop, 1)
    shop.run()
    assert_shown(shop, {SKU: (9, 10)})
    shop.control.edit(sku=SKU, location_id=1, quantity=4)
    shop.run("inventory_full_sync")
    shop.run()
    assert_shown(shop, {SKU: (4, 10)})
    assert shop.open_exceptions("STOCK_DRIFT")

    # -- not where the merchant leaves it to a person, nor while an order that can't be read, or an edit that NetSuite
    # does not have, may have taken it
    outlast(shop, hours=13)
    shop.configure(netting={"raise_after_hours": 0})
    shop.run()
    shop.configure(netting={"raise_after_hours": 12})
    exceptions = shop.state().exceptions
    exceptions.open("orders", Question("ORDER_UNREADABLE", "order:1", "Order 1 can't be read."))
    # What has changed in NetSuite is behind the overlap after that.
    shop.later(60 * 60)
    shop.run()
    assert_shown(shop, {SKU: (4, 10)})
    exceptions.heal("orders", "ORDER_UNREADABLE", ["order:1"])
    see(shop.state(), 9_001)
    shop.state().orders.posted([Posted(9_001, "1", "salesOrder", "v1", TOTAL, TOTAL)])
    see(shop.state(), 9_001, version="v2")
    shop.run()
    assert_shown(shop, {SKU: (4, 10)})
    shop.state().orders.absorbed([9_001])

    # -- an incremental run asks NetSuite for it anew; the two units that are sold stay sold
    run = shop.run()
    assert_shown(shop, {SKU: (9, 10)})
    assert run.metadata()["lines_healed"] == 1
    assert not shop.open_exceptions("STOCK_DRIFT")

    # -- and what is lower again has its time before it
    shop.control.edit(sku=SKU, location_id=1, quantity=3)
    shop.run("inventory_full_sync")
    outlast(shop, hours=11)
    shop.run("inventory_full_sync")
    assert_shown(shop, {SKU: (3, 10)})


def outlast(shop: OrderFlow, hours: int) -> None:
    """As if the store had shown too little for so long."""
    cursors = shop.state().cursors
    below = {item: datetime.fromisoformat(since) for item, since in cursors.get(BELOW).items()}
    assert below
    cursors.move(BELOW, {item: (since - timedelta(hours=hours)).isoformat() for item, since in below.items()})


def assert_shown(shop: OrderFlow, wanted: dict[str, tuple[int, int]]) -> None:
    """The store shows so many of each SKU."""
    shown = shop.whole_shop()
    assert {sku: shown[sku] for sku in wanted} == wanted


def assert_nothing_is_sent_while_orders_can_not_be_listed(shop: OrderFlow) -> None:
    shop.control.clear_log()
    shop.control.faults(
        {"system": "bigcommerce", "kind": "5xx", "path_regex": "/v2/orders", "status": 503, "times": 1000}
    )
    shop.run(fails=True)
    assert shop.puts() == 0
    shop.control.clear_faults()


def assert_kept_with_the_line(shop: OrderFlow, run: Run, sku: str) -> None:
    """What was subtracted is shown by the run and kept with the line."""
    row = next(one for one in run.records("changes") if one["sku"] == sku)
    assert (row["new"], row["unposted"], row["rule"]) == (12, "3", "available - 3 unposted")
    line = views.history(shop.state(), sku=sku).iloc[0]
    assert (line["new"], int(line["unposted"]), line["rule"]) == (12, 3, "available - 3 unposted")
    assert json.dumps(shop.state().cursors.get(netting.NETTED)).count("300000000") >= 1


def assert_an_order_posted_while_stock_is_read_is_subtracted_twice_for_one_run_only(
    shop: OrderFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = "2020-01-01T00:00:00+00:00"
    placed = buy(shop, POSTED, quantity=3)
    shop.later()
    shop.sync()
    shop.assert_there(placed)
    with monkeypatch.context() as patch:
        # The reading began before the posting, and nobody can tell whether it saw it.
        patch.setattr(netting, "moment", lambda connections: long_ago)
        shop.run()
    assert_shown(shop, {POSTED: (4, 10)})
    shop.run()
    assert_shown(shop, {POSTED: (7, 10)})


def assert_a_location_of_ones_own_is_taken(shop: OrderFlow) -> None:
    """The mapping file's location instead of the store's default."""
    shop.configure(netting={"location": 2})
    shop.control.shop_order(lines=[{"sku": ELSEWHERE, "quantity": 3}], location_id=2)
    receive(shop, 5, ELSEWHERE)
    shop.run("inventory_full_sync")
    assert_shown(shop, {ELSEWHERE: (15, 7)})


def test_a_kit_sold_lowers_its_members_and_the_kits_that_share_them(shop: OrderFlow) -> None:
    shop.seed(60)
    shop.control.members(KIT, [{"sku": SKU, "quantity": 4}, {"sku": OTHER, "quantity": 1}])
    for sku in (SKU, OTHER):
        shop.stock(sku, 40, 40)
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
    assert child.wait(180) == 0, child.stdout.read()

    assert shop.shop(SKU) == (96, 10)
    shop.assert_tidy()


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
