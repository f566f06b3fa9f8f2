"""Orders of every awkward kind: each is in NetSuite once and equal to the cent, or says why it is not."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline.defs.close.taxes import Told, ask_taxes
from bcns_pipeline.defs.orders import references
from bcns_pipeline.rules.close.reports import SPECS, remainder
from bcns_pipeline_tests.defs.flow import Run
from bcns_pipeline_tests.defs.order_flow import OrderFlow

STAY_OUT = {
    "awaiting_payment": ("held", "STATUS"),
    "incomplete": ("ignored", "INCOMPLETE"),
    "declined": ("ignored", "DECLINED"),
    "test_order": ("ignored", "TEST"),
    "api_override": ("waiting", "ORDER_COMPONENTS_DO_NOT_ADD"),
    "unmapped_sku": ("waiting", "ITEM_UNMAPPED"),
    "unmapped_ship_method": ("waiting", "SHIP_METHOD_UNMAPPED"),
}


def test_orders_of_every_kind_are_posted_equal_to_the_cent_or_say_why_not_and_a_second_run_writes_nothing(
    shop: OrderFlow,
) -> None:
    assert_every_kind(shop)
    # Our own references made new versions of the orders; they are read again, and change nothing.
    shop.control.clear_log()
    shop.sync_twice()
    assert shop.writes() == []
    shop.assert_tidy()


def test_the_same_holds_where_netsuite_has_no_suitetax(legacy_shop: OrderFlow) -> None:
    assert_every_kind(legacy_shop)


OPEN_OR_CHANGED = """
    select count(*) from bcns.document where kind in ('order', 'order_details')
        and (encoding <> 'json+zlib+aesgcm' or content_hash <> sha256(body))
"""


def assert_every_kind(shop: OrderFlow) -> None:
    shop.control.shop_settings(marketplace=True)
    placed: dict[str, dict[str, Any]] = {
        kind: shop.control.shop_order(kind, restock=True) for kind in shop.control.shop_kinds()
    }
    before = {one["id"]: one for one in shop.control.shop_state(*(one["id"] for one in placed.values()))}

    run = shop.sync()

    fates = {kind: shop.order(one["id"]) for kind, one in placed.items()}
    out = {
        kind: (fate.disposition, fate.code) for kind, fate in fates.items() if fate.disposition != "posted"
    }
    assert out == STAY_OUT
    posted = [kind for kind in placed if kind not in STAY_OUT]
    records = shop.sales_orders(*(placed[kind]["id"] for kind in posted))
    for kind in posted:
        record = records[placed[kind]["id"]]
        assert Decimal(record["total"]) == Decimal(placed[kind]["total"]), kind
        assert record["currency"] == placed[kind]["currency"], kind
    # What was read beside the order is kept, as evidence of why it was taken for a test.
    aside = f"order:{placed['test_order']['id']}"
    documents = shop.state().documents
    assert aside in documents.latest("order_details", [aside])
    # Each order is kept whole as it was read, and nobody reads it in the database.
    kept = documents.latest("order", [f"order:{one['id']}" for one in placed.values()])
    raw = [
        json.loads(body or b"") for body in documents.load_many([one.id for one in kept.values()]).values()
    ]
    assert {one["id"]: Decimal(one["total_inc_tax"]) for one in raw} == {
        one["id"]: Decimal(one["total"]) for one in placed.values()
    }
    assert all(one["billing_address"] and one["consignments"] and "fees" in one for one in raw)
    with shop.state().engine.connect() as conn:
        assert conn.exec_driver_sql(OPEN_OR_CHANGED).scalar_one() == 0
    assert run.checks["totals_are_equal"]
    assert run.checks["no_order_is_lost"]
    assert run.checks["each_order_is_there_once"]
    assert len(shop.books()) == len(posted)
    # One table of the run: each order with its outcome and links to both systems, and totals that agree.
    found = run.metadata("netsuite/sales_orders")
    for kind, one in placed.items():
        (row,) = (line for line in found["orders"].splitlines() if f"/manage/orders/{one['id']})" in line)
        outcome = STAY_OUT[kind][0] if kind in STAY_OUT else "written"
        assert row.startswith(f"| {outcome} |"), row
        assert (".app.netsuite.com/" in row) == (kind in posted), row
    totals = run.records("totals", "netsuite/sales_orders")
    assert {row["currency"] for row in totals} == {"EUR", "JPY", "KWD", "USD"}
    assert {Decimal(row["difference"]) for row in totals} == {Decimal(0)}
    assert sum(row["orders"] for row in totals) == len(posted)
    # What was posted as tax is what was charged, whether as tax or as a line of it.
    assert {fates[kind].read_tax == fates[kind].expected_tax for kind in posted} == {True}
    assert_referenced_and_no_money_moved(shop, run, before, records)
    assert_tax_ties_by_code(shop, records)


def assert_tax_ties_by_code(shop: OrderFlow, records: Collection[int]) -> None:
    """Once its month is closed, NetSuite's tax is told by the codes or items that it was posted with, all of it."""
    days = [shop.order(one).day for one in records]
    mapping = load_mapping(shop.folder / "bcns.yaml")
    span = reports.about(shop.state(), min(days), max(days) + timedelta(days=1), mapping)
    for month in {f"{day:%Y-%m}" for day in days}:
        run = shop.run("month_close", run_config={"month": month})
    found = reports.make(shop.state(), "tax", span)
    assert remainder(SPECS["tax"], found) == {}
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    coded = {row["posted_as"]: row for row in rows if row["tax_by_code"] is not None}
    assert "not named" not in coded
    # Asked again, NetSuite says nothing new, and nothing is kept twice.
    with shop.connections("close") as ours:
        told = ask_taxes(ours, span)
    steps = [step.step for one in records for step in shop.state().orders.steps(one)]
    assert steps.count("taxed") == told.by_code == told.orders
    # A role that may not see them: nothing is told, and nothing stops.
    shop.control.role(hidden_tables=["transactiontaxdetail"])
    with shop.connections("blind") as ours:
        assert ask_taxes(ours, span) == Told(told.orders)
    shop.control.role(hidden_tables=[])
    tax = shop.sections["orders"]["tax"]
    if told.orders:
        assert f"tax code {tax['code']}" in coded
        assert (
            "orders whose tax NetSuite holds, by its codes" in run.metadata("close/clearing_evidence")["tax"]
        )
    else:
        assert f"item {tax['item']}" in coded


def assert_referenced_and_no_money_moved(
    shop: OrderFlow, run: Run, before: dict[int, dict[str, Any]], records: dict[int, dict[str, Any]]
) -> None:
    """NetSuite's number is on each order in the store, and every amount there is what it was."""
    for after in shop.control.shop_state(*records):
        order, record = after["id"], records[after["id"]]
        assert after["external_order_id"] == str(record["id"]), order
        money = {
            name
            for name, value in after.items()
            if isinstance(value, str) and value.endswith("00") and "." in value
        }
        assert money, order
        assert {name: after[name] for name in money} == {name: before[order][name] for name in money}, order
        assert shop.order(order).netsuite_number == record["number"], order
    found = run.metadata("bigcommerce/order_references")
    assert (found["referenced"], found["money_compared"]) == (len(records), len(records))
    assert run.records("money_moved", "bigcommerce/order_references") == []


def test_money_that_moves_while_our_numbers_are_written_is_noticed(
    shop: OrderFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No write of ours does that; a store that lost a discount by it would look like this."""
    lines = [{"sku": "SKU-000001", "quantity": 2, "price": "10.00"}]
    moved, same = (shop.control.shop_order(lines=lines, restock=True)["id"] for _ in range(2))
    drain = references._drain

    def loses_a_discount(*given: Any) -> Any:
        done = drain(*given)
        shop.control.edit_order(moved, lines=[{"sku": "SKU-000001", "price": "11.00"}])
        return done

    monkeypatch.setattr(references, "_drain", loses_a_discount)
    run = shop.sync()
    found = run.metadata("bigcommerce/order_references")
    assert (found["referenced"], found["money_compared"]) == (2, 2)
    assert [row["order"] for row in run.records("money_moved", "bigcommerce/order_references")] == [moved]
    assert not run.checks["no_money_moved"]
    monkeypatch.setattr(references, "_drain", drain)
    shop.control.shop_order(lines=lines, restock=True)
    assert shop.sync().checks["no_money_moved"]
    shop.assert_equal_to_the_cent(moved, same)


def test_an_order_whose_number_the_store_refuses_is_asked_about_and_holds_up_no_other(
    shop: OrderFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [{"sku": "SKU-000001", "price": "10.00"}]
    monkeypatch.setattr(references, "BATCH", 2)
    refused, other = (shop.control.shop_order(lines=lines, restock=True)["id"] for _ in range(2))
    no = {"system": "bigcommerce", "kind": "5xx", "status": 422, "method": "PUT", "times": None}
    shop.control.faults({**no, "path_regex": rf"orders/{refused}$"})
    run = shop.sync()
    (asked,) = shop.open_exceptions("REFERENCE_REFUSED")
    assert (asked.subject, run.checks["every_order_has_its_number"]) == (f"order:{refused}", False)

    # It is not tried again at once, and those behind it take its place.
    more = [shop.control.shop_order(lines=lines, restock=True)["id"] for _ in range(2)]
    shop.control.clear_log()
    shop.sync()
    assert (
        "PUT",
        f"/stores/{shop.environment['BCNS_BIGCOMMERCE_STORE_HASH']}/v2/orders/{refused}",
    ) not in shop.writes()
    assert set(shop.numbers(refused, other, *more)) >= {other, *more}
    assert shop.order(refused).referenced_at is None

    shop.control.clear_faults()
    shop.state().exceptions.request_retry([asked.id], actor="ada")
    assert shop.sync().checks["every_order_has_its_number"]
    assert shop.open_exceptions("REFERENCE_REFUSED") == []
    shop.assert_tidy()


def test_two_storefronts_and_their_subsidiaries_never_leak_into_each_other(shop: OrderFlow) -> None:
    shop.control.shop_settings(second_storefront=True)
    books = shop.sandbox.accounting
    europe = next(int(number) for number, one in books["subsidiaries"].items() if one["currency"] == "EUR")
    home = shop.sections["channels"][1]
    shop.sections["channels"] = {1: home, 2: {"subsidiary": europe}}
    shop.configure()
    shop.control.item(sku="SKU-000003", subsidiary="1")
    placed = []
    for channel in (1, 2):
        # E-mail addresses are unique per channel, so one person has an account on each.
        shopper = shop.control.shopper(
            email="both@example.com", first_name="Bo", last_name="Th", channel_id=channel
        )
        placed.append(
            shop.control.shop_order(customer_id=shopper["id"], channel_id=channel, restock=True)["id"]
        )

    only_at_home = [{"sku": "SKU-000003"}]
    ours, theirs = (
        shop.control.shop_order(lines=only_at_home, channel_id=one, restock=True)["id"] for one in (1, 2)
    )
    shop.control.clear_log()

    shop.sync()

    one, other = (shop.sales_order(order) for order in placed)
    assert (one["subsidiary"], other["subsidiary"]) == (1, europe)
    assert one["entity"] != other["entity"]
    places = [{line["location"] for line in record["lines"]} for record in (one, other)]
    assert places == [{home["location"]}, {None}]
    # What only one company sells is not sold by the other, and NetSuite is not even asked.
    assert shop.order(ours).disposition == "posted"
    assert (shop.order(theirs).disposition, shop.order(theirs).code) == ("waiting", "SUBSIDIARY_MISMATCH")
    assert len([one for one in shop.writes() if "salesOrder" in one[1]]) == len([*placed, ours])
