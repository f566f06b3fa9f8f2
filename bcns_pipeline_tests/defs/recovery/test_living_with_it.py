"""What people ask of the pipeline, from end to end: explain, smoke, replay, adopt and rebuild."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from bcns_pipeline.cli import smoke_order
from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.orders import readback
from bcns_pipeline.defs.orders.reperform import reperform
from bcns_pipeline.outcomes import Lane, Sent
from bcns_pipeline_tests.defs.order_flow import OrderFlow
from bcns_pipeline_tests.defs.recovery.conftest import Bcns

CREATES = "/record/v1/salesOrder"


def test_an_order_is_explained_and_what_a_new_mapping_file_would_change_from_the_state_alone(
    shop: OrderFlow, bcns: Bcns
) -> None:
    """Its shopper is shown only when asked for."""
    placed = shop.control.shop_order("plain", restock=True, email="grace@example.org")
    order = placed["id"]
    shop.sync()
    shop.control.clear_log()
    told = bcns("explain", "order", str(order))

    assert told.exit_code == 0
    assert shop.control.log() == []
    mapping = load_mapping(shop.folder / "bcns.yaml")
    for text in (
        f"(mapping {mapping.digest[:12]}, run ",
        f"Order {order}: posted",
        "version 1 read",
        "create sales_order",
        "sending, attempt 1",
        "confirmed",
        "read back",
        "NetSuite's number stands on the BigCommerce order",
        "E2",
        "closes",
        "equal to the cent",
        "next: nothing for the order itself",
    ):
        assert text in told.output, text
    assert "grace" not in told.output
    assert "grace@example.org" in bcns("explain", "order", str(order), "--show-personal").output
    (row,) = shop.state().audit.rows(subject=f"order:{order}")
    assert (row.kind, row.actor) == ("personal.shown", "ada")
    assert "grace" not in row.body

    # -- which orders a new mapping file would change, and by how much
    now, old, new = (shop.folder / f"{name}.yaml" for name in ("bcns", "old", "new"))
    old.write_text(now.read_text())
    shop.decide("orders", fields={}, memo="Web order {id}")
    new.write_text(now.read_text())
    shop.control.clear_log()

    assert "are the same under both files" in bcns("config", "diff", str(old), str(old)).output
    fields = bcns("config", "diff", str(old), str(new))
    assert fields.exit_code == 1, fields.output
    assert "header custbody_bc_order_id, memo" in fields.output
    assert "1 change without moving the total" in fields.output
    shop.decide("orders", statuses=[10])
    held = bcns("config", "diff", str(old), str(now))
    assert "posted -> hold STATUS" in held.output
    assert f"USD: {placed['total']} -> 0.00 in NetSuite (-{placed['total']})" in held.output
    told = bcns("config", "diff", str(old), str(now), "--comment").output.splitlines()
    assert told[0] == "**The mapping file changes 1 of 1 orders of the last 30 days.**"
    assert "- 1 become another outcome" in told
    assert f"| USD | {placed['total']} | 0.00 | -{placed['total']} |" in told
    assert f"| {placed['id']} | posted -> hold STATUS | {placed['total']} USD | hold STATUS |" in told
    shop.decide("orders", statuses=None, fields={"custbody_bc_order_id": "metafields.loyalty.tier"})
    asked = bcns("config", "diff", str(old), str(now))
    assert "posted -> not known: it needs metafields" in asked.output
    assert shop.control.log() == []
    missing = bcns("config", "diff", str(old), str(shop.folder / "none.yaml"), "--days", "7")
    assert missing.exit_code == 2


def test_a_replay_sends_what_waits_for_a_cause_and_finds_what_nobody_told_us_of(
    shop: OrderFlow, bcns: Bcns, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = shop.control.shop_order("unmapped_sku", restock=True)
    shop.sync()
    told = bcns("explain", "order", str(order["id"])).output
    assert "next: it waits for ITEM_UNMAPPED" in told
    assert "fix: Give one NetSuite item that SKU" in told
    sku = next(line["sku"] for line in order["lines"] if not line["sku"].startswith(("SKU-", "ASM-", "VAR-")))
    shop.control.item(sku=sku, create=True)

    # A question closed by hand mends nothing: the order still waits, and the page says so.
    assert bcns("exceptions", "resolve", "1", "--reason", "known").exit_code == 0
    status = bcns("status")
    assert (status.exit_code, "1 orders wait for something" in status.output) == (1, True), status.output
    assert bcns("replay", "--code", "item_unmaped").exit_code == 2
    plan = bcns("replay", "--code", "item_unmapped")
    assert "Nothing was written; add --apply." in plan.output
    shop.sync()
    assert shop.order(order["id"]).disposition == "waiting"
    assert bcns("replay", "--code", "ITEM_UNMAPPED", "--apply").exit_code == 0
    assert shop.state().inbox.open_ids("order") == [str(order["id"])]

    # -- and an order of today that no hook and no poll has seen
    unheard = shop.control.shop_order("plain", restock=True)["id"]
    day = shop.today().isoformat()
    assert "read for the first time" in bcns("replay", "--since", day).output
    bcns("replay", "--since", day, "--apply", "--reason", "a lost webhook")
    assert shop.state().inbox.open_ids("order") == [str(order["id"]), str(unheard)]
    shop.sync()
    shop.assert_equal_to_the_cent(order["id"], unheard)

    # -- what is there already is compared, and never made twice
    line = shop.sales_order(unheard)["lines"][0]
    charge(shop, unheard, line["line"], Decimal(str(line["amount"])) + Decimal("0.01"))
    again = bcns("replay", "--query", "status_id=11", "--apply").output
    assert "compared with NetSuite" in again
    shop.control.clear_log()
    shop.sync()
    assert [one for one in shop.writes() if CREATES in one[1]] == []
    assert [one.subject for one in shop.open_exceptions("ORDER_TOTAL_DRIFT")] == [f"order:{unheard}"]

    # -- and a difference that somebody mends is noticed without one
    charge(shop, unheard, line["line"], Decimal(str(line["amount"])))
    shop.sync()
    assert len(shop.open_exceptions("ORDER_TOTAL_DRIFT")) == 1
    monkeypatch.setattr(readback, "LOOK_AGAIN_AFTER", timedelta(0))
    shop.sync()
    assert shop.open_exceptions("ORDER_TOTAL_DRIFT") == []


def charge(shop: OrderFlow, order: int, line: int, amount: Decimal) -> None:
    """Somebody changes what a line costs, in NetSuite."""
    body = {"item": {"items": [{"line": line, "rate": amount, "amount": amount, "price": {"id": "-1"}}]}}
    with shop.connections("a person") as connections:
        done = connections.netsuite(Lane.BULK).sales.patch("salesOrder", shop.sales_order(order)["id"], body)
    assert isinstance(done, Sent), done


def test_a_replay_plans_again_from_stored_bytes_and_names_the_cause_of_a_difference(
    shop: OrderFlow, bcns: Bcns, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.decide("orders", capture_policy="flag")
    placed = [
        shop.control.shop_order(kind, restock=True)["id"] for kind in ("plain", "guest", "coupon", "plain")
    ]
    three = [{"sku": "SKU-000001", "quantity": 3, "price": "10.00"}]
    order, cancelled = (shop.control.shop_order(lines=three, restock=True)["id"] for _ in range(2))
    shop.sync()
    # What NetSuite says today is not asked.
    shop.control.clear_log()
    made = reperform(shop.state(), load_mapping(shop.folder / "bcns.yaml"), placed)
    assert {one.why for one in made} == {""}
    assert all(one.sent == one.made and one.planned == one.again for one in made)
    assert {one.planned for one in made} == {shop.state().plans.get(made[0].plan_id or 0).digest}
    alone = bcns("reperform", "order", str(placed[0]))
    assert (alone.exit_code, "equal, byte for byte" in alone.output) == (0, True), alone.output
    assert bcns("replay", "--order", " ".join(map(str, placed))).output.count("equal: plan") == len(placed)

    shop.decide("orders", memo="Web order {id}")
    changed = bcns("reperform", "order", str(placed[0]))
    assert changed.exit_code == 1
    assert "NOT EQUAL: The mapping file changed" in changed.output
    assert ": memo." in changed.output
    shop.decide("orders", memo=None, statuses=[10])
    assert "it would not be posted (STATUS)" in bcns("reperform", "order", str(placed[1])).output
    shop.decide("orders", statuses=None)
    assert shop.control.log() == []
    unknown = bcns("reperform", "order", "999999")
    assert (unknown.exit_code, "No write of ours" in unknown.output) == (1, True)
    assert_every_edit_is_planned_again_from_both_versions_and_the_record_as_it_was(
        shop, bcns, order, cancelled
    )
    # What was stored is not what was planned, or was by another version of the code.
    with shop.state().engine.begin() as conn:
        change = "update bcns.plan_line set reason = 'another' where kind = 'sales_order' and label = %s"
        conn.exec_driver_sql(change, (f"order:{placed[3]}",))
    assert "stored lines of plan" in bcns("reperform", "order", str(placed[0])).output
    assert "Neither the mapping file nor the code" in bcns("reperform", "order", str(placed[3])).output
    monkeypatch.setattr("bcns_pipeline.defs.orders.reperform.CODE_VERSION", "99.0")
    assert "-> 99.0)" in bcns("reperform", "order", str(placed[3])).output


def assert_every_edit_is_planned_again_from_both_versions_and_the_record_as_it_was(
    shop: OrderFlow, bcns: Bcns, order: int, cancelled: int
) -> None:
    shop.control.cancel_units(order, 1, sku="SKU-000001")
    shop.sync()
    # The second edit leads on from the first.
    shop.control.edit_order(order, lines=[{"sku": "SKU-000001", "price": "7.77"}])
    shop.control.order_status(cancelled, 5)
    shop.sync()
    shop.control.clear_log()

    mapping = load_mapping(shop.folder / "bcns.yaml")
    made = reperform(shop.state(), mapping, [order, cancelled])
    assert [(one.order_id, one.action) for one in made] == [
        *((order, "create"), (order, "patch"), (order, "patch")),
        *((cancelled, "create"), (cancelled, "close")),
    ]
    assert {one.why for one in made} == {""}
    assert all(one.sent == one.made and one.planned == one.again for one in made)
    assert bcns("reperform", "order", str(order)).output.count("equal, byte for byte") == 3
    shop.decide("orders", memo="Web order {id}")
    # An edit changes what the order changed: another memo is none, since both versions are built with it.
    assert bcns("reperform", "order", str(order)).output.count("equal, byte for byte") == 2
    shop.decide("orders", memo=None, updates="status_only")
    assert "The mapping file changed" in (told := bcns("reperform", "order", str(order)).output)
    assert "it would wait (ORDER_TOTAL_LEFT)" in told
    assert shop.control.log() == []
    shop.decide("orders", updates=None)


def test_the_currency_that_a_customer_is_given_for_its_order_is_planned_again_too(
    shop: OrderFlow, bcns: Bcns
) -> None:
    """It is part of the order's own lines: with the first of two orders in that currency, and with no other."""
    first = shop.control.shop_order("plain", restock=True)["id"]
    shop.sync()
    (order,) = shop.control.shop_state(first)
    shopper, euros = order["customer_id"], {"currency": "EUR", "restock": True}
    others = [shop.control.shop_order(customer_id=shopper, **euros)["id"] for _ in range(2)]
    shop.sync()
    third = shop.control.shop_order(customer_id=shopper, **euros)["id"]
    shop.sync()
    every = [first, *others, third]
    assert [lines_of(shop, one).count("customer_currency") for one in every] == [0, 1, 0, 0]

    def again() -> dict[int, str]:
        made = reperform(shop.state(), load_mapping(shop.folder / "bcns.yaml"), every)
        return {one.order_id: one.why for one in made}

    assert set(again().values()) == {""}
    with shop.state().engine.begin() as conn:
        other = """update bcns.plan_line set payload = jsonb_set(payload, '{body}', '{"memo": "?"}')
                   where kind = 'customer_currency'"""
        conn.exec_driver_sql(other)
    why = again()
    assert "explains it: currencyList, memo" in why[others[0]]
    assert "the stored lines of plan" in why[others[1]]
    assert (why[first], why[third]) == ("", "")


def lines_of(shop: OrderFlow, order_id: int) -> list[str]:
    """The kinds of all lines about an order."""
    with shop.state().scope.transaction() as conn:
        query = "select kind from bcns.plan_line where label = %s"
        return list(conn.exec_driver_sql(query, (f"order:{order_id}",)).scalars())


@pytest.mark.long
def test_smoke_posts_one_order_compares_its_lines_and_writes_nothing_twice(
    shop: OrderFlow, bcns: Bcns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And fails where an order would not be posted, and where a script adds a cent."""
    through_dagster, modes = smoke_order._through_dagster, {"plan", "apply"}

    def start(mode: str) -> int:
        """Each mode once with a history of its own, then in the history of this test, which costs a third."""
        if mode in modes:
            modes.remove(mode)
            return through_dagster(mode)
        return int(not shop.sync(mode=mode).success)

    monkeypatch.setattr(smoke_order, "_through_dagster", start)

    # -- what passes goes all the way
    order = shop.control.shop_order("plain", restock=True)["id"]
    passed = bcns("smoke", "order", str(order))
    assert passed.exit_code == 0, passed.output
    assert "again: 0 writes" in passed.output
    assert "PASS: posted once" in passed.output
    assert modes == set()
    shop.assert_equal_to_the_cent(order)

    # -- what is not as it should be is said
    before = len(shop.books())
    spoilt = shop.control.shop_order("plain", restock=True)["id"]
    looked = bcns("smoke", "order", str(spoilt), "--plan-only")
    assert looked.exit_code == 0, looked.output
    failed = bcns("smoke", "order", str(shop.control.shop_order("unmapped_sku", restock=True)["id"]))
    assert failed.exit_code == 1
    assert "FAIL: it would not be posted" in failed.output
    assert len(shop.books()) == before
    rounding = shop.sandbox.accounting["items"]["rounding"]
    cent = {"item": {"id": rounding}, "price": {"id": "-1"}, "rate": 0.01, "amount": 0.01, "quantity": 1}
    shop.control.script(on="salesOrder", add=cent, times=1)
    failed = bcns("smoke", "order", str(spoilt))
    assert failed.exit_code == 1
    assert "not ours" in failed.output
    assert "rows differ" in failed.output


def test_orders_of_another_connector_are_adopted_and_never_written(shop: OrderFlow, bcns: Bcns) -> None:
    orders = [shop.control.shop_order("plain", restock=True) for _ in range(6)]
    ids = [one["id"] for one in orders]
    totals = [float(one["total"]) for one in orders]
    billed = shop.control.legacy_order(otherrefnum=str(ids[0]), total=totals[0])
    shop.control.fulfil(billed["order"])
    # Its invoice carries the same number.
    shop.control.enter_invoice(billed["order"])
    shop.control.legacy_order(externalid=f"WEB-{ids[1]}", total=totals[1])
    shop.control.legacy_order(otherrefnum=str(ids[2]), total=totals[2] + 1)
    # One record that two orders may be, though it is equal to one of them.
    shop.control.legacy_order(otherrefnum=str(ids[4]), externalid=f"WEB-{ids[5]}", total=totals[5])
    before = len(shop.books())
    shop.control.clear_log()
    ways = ("--by", "otherrefnum,externalid:WEB-{id}", "--since", shop.today().isoformat())

    plan = bcns("adopt", *ways)
    assert plan.exit_code == 0, plan.output
    assert "2 link" in plan.output
    assert "Nothing was linked; add --apply." in plan.output
    assert shop.order(ids[0]).disposition == "open"
    applied = bcns("adopt", *ways, "--apply")
    assert applied.exit_code == 0
    said = " ".join(applied.output.split())
    assert "3 orders whose number NetSuite has are not linked and wait for a person" in said

    assert shop.writes() == []
    assert len(shop.books()) == before
    assert [shop.order(one).disposition for one in ids] == ["adopted", "adopted", *["open"] * 4]
    assert shop.order(ids[0]).read_total == shop.order(ids[0]).total
    for _ in range(2):
        shop.sync()
        assert len(shop.books()) == before + 1
        assert shop.order(ids[3]).disposition == "posted"
    asked = {one.subject: one.id for one in shop.open_exceptions("ORDER_NOT_ADOPTED")}
    assert set(asked) == {f"order:{ids[n]}" for n in (2, 4, 5)}
    assert shop.order(ids[2]).code == "ORDER_NOT_ADOPTED"
    # -- a person links the one that is off by a unit, and says of another that it is somebody else's number
    assert "1 linked" in bcns("adopt", *ways, "--accept-differences", "--apply").output
    assert shop.order(ids[2]).disposition == "adopted"
    number = str(asked[f"order:{ids[4]}"])
    assert bcns("exceptions", "resolve", number, "--reason", "not ours").exit_code == 0
    assert bcns("replay", "--order", str(ids[4]), "--apply").exit_code == 0
    shop.sync()
    assert len(shop.books()) == before + 2
    assert [one.subject for one in shop.open_exceptions("ORDER_NOT_ADOPTED")] == [f"order:{ids[5]}"]
    assert bcns("adopt", "--by", "memo").exit_code == 2


def test_a_lost_database_is_rebuilt_from_our_keys_without_a_write(shop: OrderFlow, bcns: Bcns) -> None:
    ids = [shop.control.shop_order("plain", restock=True)["id"] for _ in range(3)]
    shop.sync()
    shop.control.order_status(ids[0], 5)
    record = shop.sales_order(ids[1])["id"]
    shop.forget_everything()
    # Shipped and listed while the order is nobody's.
    shop.control.fulfil(record)
    shop.later(2 * 3600)
    shop.run("fulfilment_sync")
    shop.control.clear_log()

    plan = bcns("replay", "--rebuild")
    assert plan.exit_code == 0, plan.output
    assert shop.state().orders.many(ids) == {}
    rebuilt = bcns("replay", "--rebuild", "--apply")
    assert rebuilt.exit_code == 0, rebuilt.output

    assert shop.writes() == []
    assert {shop.order(one).netsuite_id is not None for one in ids} == {True}
    shop.sync()
    assert len([one for one in shop.books() if one["type"] == "salesOrder"]) == 3
    assert [one for one in shop.writes() if CREATES in one[1] and one[0] == "POST"] == []
    shop.run("fulfilment_sync")
    assert [one["order_id"] for one in shop.control.shop_shipments()] == [ids[1]]
