"""Every order exactly once, whoever told us of it, however often, and however many runs look at it."""

from __future__ import annotations

from datetime import date, timedelta

import dagster as dg
import pytest

from bcns_pipeline.defs.days import tags_of
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.defs.orders import apply, planning, take
from bcns_pipeline.state.inbox import Event
from bcns_pipeline_tests.defs.backfilled import backfill
from bcns_pipeline_tests.defs.order_flow import OrderFlow


def test_whoever_tells_of_an_order_and_however_often_it_is_there_once(shop: OrderFlow) -> None:
    """Side by side: two orders of one new shopper, two of one guest, and three that every source tells of."""
    shopper = shop.control.shopper(email="new@example.com", first_name="Ne", last_name="Wcomer")
    of_one = [shop.control.shop_order(customer_id=shopper["id"], restock=True)["id"] for _ in range(2)]
    spelled = ("Gus.T@Example.com", " gus.t@example.com")
    of_guest = [shop.control.shop_order("guest", email=one, restock=True)["id"] for one in spelled]
    told = [shop.control.shop_order("plain", restock=True)["id"] for _ in range(3)]
    inbox = shop.state().inbox
    for source in ("webhook", "backfill", "webhook", "replay"):
        inbox.record([Event("order", str(one), source) for one in reversed(told)])  # type: ignore[arg-type]

    run = shop.sync()

    waits = run.metadata("netsuite/sales_orders")
    assert (
        0 <= waits["checkout_to_sales_order_median_seconds"] <= waits["checkout_to_sales_order_p95_seconds"]
    )
    entities = {one: record["entity"] for one, record in shop.sales_orders(*of_one, *of_guest, *told).items()}
    assert len({entities[one] for one in of_one}) == 1, "two orders in the same second made two customers"
    assert len({entities[one] for one in of_guest}) == 1, "two spellings of an e-mail made two customers"
    assert len(shop.control.netsuite_customers()) == len(set(entities.values()))
    shop.assert_equal_to_the_cent(*of_one, *of_guest, *told)

    # They are told of once more, and then the cursor is lost.
    shop.control.clear_log()
    inbox.record([Event("order", str(one), "webhook") for one in told])
    shop.sync()
    assert [one for one in shop.writes() if "salesOrder" in one[1]] == []
    shop.state().cursors.move("orders/poll", None)
    shop.control.clear_log()
    shop.sync()
    assert shop.writes() == []
    shop.assert_equal_to_the_cent(*of_one, *of_guest, *told)


def test_a_shopper_whose_customer_is_gone_from_netsuite_is_made_anew_with_the_next_order(
    shop: OrderFlow,
) -> None:
    """Merged over there without a word: who has the e-mail address is the shopper, else nobody is."""
    people = {name: shop.control.shopper(email=f"{name}@example.com") for name in ("stays", "away", "twin")}

    def order(name: str) -> int:
        return int(shop.control.shop_order(customer_id=people[name]["id"], restock=True)["id"])

    first = {name: order(name) for name in people}
    shop.sync()
    entity = {name: shop.sales_order(one)["entity"] for name, one in first.items()}
    for name in ("away", "twin"):
        shop.control.merge_customers(entity["stays"], entity[name])
    shop.control.netsuite_customer(customer=entity["stays"], email="twin@example.com")

    again = {name: [order(name) for _ in range(2)] for name in people}
    shop.sync()

    for name, (one, other) in again.items():
        now = {shop.sales_order(one)["entity"], shop.sales_order(other)["entity"]}
        assert (len(now), now == {entity["stays"]}) == (1, name != "away"), name
    assert len(shop.control.netsuite_customers()) == 2
    assert shop.state().exceptions.find() == []


# In New York: the first second and both half past ones of a day of 25 hours, its last second, and just after the
# hour that a day of 23 hours does not have.
AT_THE_EDGES = {
    date(2024, 11, 3): (
        "2024-11-03T04:00:00Z",
        "2024-11-03T05:30:00Z",
        "2024-11-03T06:30:00Z",
        "2024-11-04T04:59:59Z",
    ),
    date(2024, 3, 10): ("2024-03-10T07:00:00Z",),
}


def test_a_backfill_over_years_that_are_synced_writes_nothing(shop: OrderFlow) -> None:
    """Two years as one run: a page of orders for 250 of them, whatever the number of days; nothing of NetSuite."""
    shop.sections["cutover"] = {"at": "2024-01-01"}
    shop.configure()
    today = shop.today()
    first = today - timedelta(days=730)
    placed = {today: [shop.control.shop_order("plain", restock=True)["id"] for _ in range(3)]}
    for day, moments in AT_THE_EDGES.items():
        placed[day] = [shop.control.shop_order(created_at=at, restock=True)["id"] for at in moments]
    for back in range(0, 730, 73):
        at = f"{first + timedelta(days=back)}T17:00:00Z"
        placed.setdefault(first + timedelta(days=back), []).append(
            shop.control.shop_order(created_at=at, restock=True)["id"]
        )
    every = [one for some in placed.values() for one in some]
    shop.sync_twice()
    shop.assert_equal_to_the_cent(*every)
    shop.control.clear_log()

    run = shop.backfill(first, today)

    ours = [one for day, some in placed.items() if first <= day <= today for one in some]
    assert run.metadata("bigcommerce/orders")["dagster/row_count"] == len(ours)
    # A page of all, and the ids once more for the check.
    assert [one["path"].rpartition("/")[2] for one in shop.control.log()] == ["orders", "orders"]
    shop.control.clear_log()
    shop.sync()
    assert shop.writes() == []
    for day, orders in list(placed.items())[:3]:
        run = shop.day(day)
        assert run.metadata("bigcommerce/orders")["dagster/row_count"] == len(orders), day
        assert {shop.order(one).day for one in orders} == {day}
    assert shop.writes() == []
    shop.assert_equal_to_the_cent(*every)


def test_a_backfill_of_days_that_were_never_seen_is_one_run_of_dagsters_daemon_and_posts_them(
    shop: OrderFlow,
) -> None:
    shop.sections["cutover"] = {"at": "2024-01-01"}
    shop.configure()
    today = shop.today()
    first, last = today - timedelta(days=20), today - timedelta(days=1)
    of_days = [
        shop.control.shop_order(created_at=f"{today - timedelta(days=back)}T17:00:00Z", restock=True)["id"]
        for back in (20, 8, 7, 1)
    ]
    of_today = [shop.control.shop_order("plain", restock=True)["id"] for _ in range(3)]
    with shop.state().scope.transaction() as conn:
        # As if the poll had missed them: its cursor is past them, and the overlap does not reach back.
        after = {"version": 1, "until": "2099-01-01T00:00:00+00:00"}
        shop.state().cursors.move("orders/poll", after, conn=conn)

    (run,) = backfill(shop.instance, ["bigcommerce/orders"], first, last)
    assert run.status is dg.DagsterRunStatus.SUCCESS
    # As `shop.backfill` says it of two years.
    assert run.tags.items() >= tags_of((first, last)).items()
    assert set(shop.state().orders.many([*of_days, *of_today])) == set(of_days)

    # A run for a day posts its own, and the next run what the backfill has read.
    shop.day(today)
    shop.assert_equal_to_the_cent(*of_today)
    assert len(shop.books()) == len(of_today)
    shop.sync()

    shop.assert_equal_to_the_cent(*of_days, *of_today)


def test_orders_that_netsuite_has_already_are_linked_when_our_memory_is_lost(shop: OrderFlow) -> None:
    """Of four orders one is known to be saved, one was saved without our hearing of it, and two were not."""
    placed = [shop.control.shop_order("plain", restock=True)["id"] for _ in range(4)]
    where = {"system": "netsuite", "kind": "5xx", "method": "POST", "path_regex": "record/v1/salesOrder"}
    shop.control.faults({**where, "skip": 1, "after_commit": True}, {**where, "skip": 1, "times": None})
    shop.run_somehow("order_sync")
    saved = [one["id"] for one in shop.books()]
    assert 0 < len(saved) < len(placed)
    shop.forget_everything()
    shop.control.clear_faults()
    shop.control.clear_log()

    shop.sync()

    created = [one for one in shop.writes() if one[0] == "POST" and "record/v1/salesOrder" in one[1]]
    assert len(created) == len(placed) - len(saved)
    shop.assert_equal_to_the_cent(*placed)
    assert {shop.order(one).disposition for one in placed} == {"posted"}
    customers = [one["externalId"] for one in shop.control.netsuite_customers()]
    assert len(customers) == len(set(customers))

    # Lost once more: all is there, the number on each order too, and nothing is written.
    shop.forget_everything()
    shop.control.clear_log()
    shop.sync()
    assert shop.writes() == []
    assert {shop.order(one).disposition for one in placed} == {"posted"}


@pytest.mark.kill
def test_two_runs_at_once_write_each_order_once(shop: OrderFlow) -> None:
    placed = shop.control.shop_orders(30, restock=True)
    slow = {"system": "netsuite", "kind": "latency", "path_regex": ".", "ms": 60, "times": None}
    shop.control.faults(slow)

    children = [shop.start("order_sync"), shop.start("order_sync")]
    assert [child.wait(180) for child in children] == [0, 0], [c.stdout.read()[-3000:] for c in children]

    shop.control.clear_faults()
    shop.sync()
    shop.assert_equal_to_the_cent(*placed)
    assert len(shop.books()) == len(placed)
    # Not even tried twice, because no order was planned by both.
    assert created(shop, "salesOrder") == len(placed)
    assert created(shop, "customer") == len(shop.control.netsuite_customers())


def created(shop: OrderFlow, record: str) -> int:
    """Calls that make a record of this type, whatever came of them."""
    return sum(one[0] == "POST" and one[1].endswith(f"record/v1/{record}") for one in shop.writes())


def test_a_plan_belongs_to_its_run_until_it_is_applied(shop: OrderFlow) -> None:
    """Three orders of one new shopper; the last is planned by the next run before the first two are written."""
    shopper = shop.control.shopper(email="new@example.com", first_name="Ne", last_name="Wcomer")
    placed = [shop.control.shop_order(customer_id=shopper["id"], restock=True)["id"] for _ in range(3)]
    shop.decide("orders", batch=2)
    with shop.connections("first") as first, shop.connections("second") as second:
        take.drain(first, print)
        take.drain(second, print)
        plans = [planning.make_plan(ours, mode=Mode.APPLY) for ours in (first, second)]
        # Somebody who asks what a run would do hears of what no run has in hand.
        assert ids(planning.make_plan(second, mode=Mode.PLAN)) == []
        assert [ids(plan) for plan in plans] == [placed[:2], placed[2:]]
        for ours, plan in zip((first, second), plans, strict=True):
            apply.apply_plan(ours, plan.plan, print)
    assert created(shop, "salesOrder") == len(placed)
    assert created(shop, "customer") == 1
    shop.assert_equal_to_the_cent(*placed)


def test_a_plan_that_waited_sends_nothing_that_is_done_or_has_changed(shop: OrderFlow) -> None:
    """As where the planner's session was lost, so that another run has planned and written the same."""
    lines = [{"sku": "SKU-000001", "quantity": 3, "price": "10.00"}]
    edited = shop.control.shop_order(lines=lines, restock=True)["id"]
    shop.sync_twice()
    shop.control.cancel_units(edited, 1, sku="SKU-000001")
    placed = [edited, *(shop.control.shop_order("plain", restock=True)["id"] for _ in range(3))]
    with shop.connections("first") as first, shop.connections("second") as second:
        take.drain(first, print)
        slow = planning.make_plan(first, mode=Mode.APPLY)
        first.let_go()
        quick = planning.make_plan(second, mode=Mode.APPLY)
        assert ids(slow) == ids(quick) == placed
        assert slow.counts == {"planned": 3, "edited": 1}
        applied = apply.apply_plan(second, quick.plan, print)
        assert (len(applied.orders), len(applied.edits)) == (3, 1)
        shop.control.clear_log()
        assert apply.apply_plan(first, slow.plan, print).staged == 0
    assert shop.writes() == []
    shop.assert_equal_to_the_cent(*placed)


def test_an_order_that_changes_while_its_plan_waits_is_written_once_as_it_is_now(shop: OrderFlow) -> None:
    lines = [{"sku": "SKU-000001", "quantity": 3, "price": "10.00"}]
    order = shop.control.shop_order(lines=lines, restock=True)["id"]
    with shop.connections("first") as first, shop.connections("second") as second:
        take.drain(first, print)
        planned = planning.make_plan(first, mode=Mode.APPLY)
        shop.control.cancel_units(order, 1, sku="SKU-000001")
        take.drain(second, print)
        # The shopper is who it was.
        applied = apply.apply_plan(first, planned.plan, print)
        assert (applied.orders, applied.customers) == ([], 1)
    shop.sync()
    assert [one["method"] for one in shop.control.log() if "record/v1/salesOrder" in one["path"]] == ["POST"]
    shop.assert_equal_to_the_cent(order)


def ids(planned: planning.Planned) -> list[int]:
    return [one.state.order_id for one in planned.fates]
