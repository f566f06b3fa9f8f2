"""What the office does to NetSuite by the control endpoint: one walk over HTTP, and the verbs' own rules.

Put the verbs here as a test or the demo uses them. Do not put the records' rules here.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bcns_pipeline.sandbox.events import Events
from bcns_pipeline.sandbox.launch import Sandbox, SandboxFailed
from bcns_pipeline_tests.sandbox.conftest import Suiteql
from bcns_pipeline_tests.sandbox.desk import Desk, line

RECORDS = "/services/rest/record/v1"


def test_an_order_goes_its_way_by_verbs(sandbox: Sandbox, netsuite: httpx.Client, suiteql: Suiteql) -> None:
    control = sandbox.control
    control.reset_stock(on_hand=50, skus=["SKU-000020", "SKU-000021"])
    control.accounting(price_level_overwrites=True)
    customer = control.netsuite_customer(externalId="bc-office-1", email="pat@example.com")["id"]
    items = {"items": [line(1020, 3, 10), line(1021, 1, 5)]}
    body = {
        "externalId": "bc-office-order-1",
        "entity": {"id": str(customer)},
        "location": {"id": "1"},
        "shipMethod": {"id": sandbox.accounting["ship_methods"]["UPS Ground"]},
        "item": {"items": [{**one, "rate": float(one["rate"])} for one in items["items"]]},
    }
    answer = netsuite.post(f"{RECORDS}/salesOrder", json=body)
    assert answer.status_code == 204, answer.text
    made = control.fulfil("bc-office-order-1", lines=[{"sku": "SKU-000020", "quantity": 2}], tracking="1Z1")
    control.track(made["fulfilment"], "1Z2")
    control.close_line("bc-office-order-1", sku="SKU-000021")
    (order,) = control.transactions(externalid="bc-office-order-1")
    assert [(x["fulfilled"], x["closed"]) for x in order["lines"]] == [("2", False), ("0", True)]
    (fulfilment,) = control.transactions(created_from=order["id"])
    assert (fulfilment["tracking"], fulfilment["status"]) == (["1Z1", "1Z2"], "C")
    rows = suiteql("SELECT status FROM transaction WHERE id = ?", str(order["id"])).json()["items"]
    assert rows == [{"links": [], "status": "E"}]
    control.bill_order("bc-office-order-1")
    control.unship(made["fulfilment"], delete=True)
    with pytest.raises(SandboxFailed, match="has no such fulfilment"):
        control.ship(made["fulfilment"])
    with pytest.raises(SandboxFailed, match="has no sales order"):
        control.fulfil("nobody's")
    assert {one["id"] for one in control.netsuite_customers()} >= {customer}


def test_the_accounts_ids_are_told_at_the_start(sandbox: Sandbox, suiteql: Suiteql) -> None:
    told = sandbox.accounting
    for kind in ("sales_tax", "rounding", "handling", "gift_wrap", "fee", "shipping", "discount"):
        query = "SELECT itemtype t FROM item WHERE id = ?"
        assert suiteql(query, told["items"][kind]).json()["items"], kind
    assert told["subsidiaries"]["2"] == {"name": "Sandbox Europe GmbH", "currency": "EUR", "country": "DE"}
    assert told["currencies"]["KWD"] == "4"
    assert told["locations_by_subsidiary"] == {"1": ["1", "6", "9"], "2": []}
    code = told["tax_codes"]["US-NY"]
    rows = suiteql("SELECT name n, taxtype t FROM salestaxitem WHERE id = ?", code["id"]).json()["items"]
    assert rows == [{"links": [], "n": "US-NY", "t": code["type"]}]
    for table, count in (("currency", 5), ("subsidiary", 2), ("department", 2), ("classification", 2)):
        rows = suiteql(f"SELECT COUNT(*) n FROM {table}").json()["items"]
        assert rows[0]["n"] == str(count)
    for table in ("account", "shipitem", "pricelevel", "transactionstatus"):
        assert suiteql(f"SELECT COUNT(*) n FROM {table}").json()["items"][0]["n"] != "0"
    assert suiteql("SELECT nextdoc FROM transactionlink").status_code == 400


def test_a_second_company_has_the_last_locations() -> None:
    desk = Desk(locations=3, foreign_locations=1)
    told = desk.books.context.account.describe()
    assert told["locations_by_subsidiary"] == {"1": ["1", "6"], "2": ["9"]}
    single = Desk(oneworld=False)
    assert list(single.books.context.account.describe()["subsidiaries"]) == ["1"]
    customer = single.post("customer", {"isPerson": True, "lastName": "Roe"})
    number = single.order(entity={"id": str(customer)})
    assert "subsidiary" not in single.get(f"salesOrder/{number}")
    assert "Unknown identifier 'subsidiary'" in single.refuses_sql("SELECT subsidiary FROM transaction")
    assert "Invalid search type" in single.refuses_sql("SELECT id FROM customersubsidiaryrelationship")


def test_orders_of_another_connector_can_be_found_by_its_keys() -> None:
    desk = Desk()
    one = desk.office.legacy_order({"otherrefnum": "1001", "externalid": "CELIGO-1001", "total": 42})
    two = desk.office.legacy_order(
        {"custbody_bc_order_id": "1002", "lines": [{"sku": "SKU-000001", "rate": 3}]}
    )
    rows = desk.sql(
        """SELECT id, otherrefnum r, externalid e, custbody_bc_order_id c FROM transaction
           WHERE otherrefnum IN (?, ?) OR custbody_bc_order_id IN (?) ORDER BY id""",
        "1001",
        "9",
        "1002",
    )
    assert rows == [
        {"id": str(one["order"]), "r": "1001", "e": "CELIGO-1001"},
        {"id": str(two["order"]), "c": "1002"},
    ]


def test_merged_customers_leave_one_record_with_all_orders() -> None:
    desk = Desk()
    master, duplicate = desk.customer(), desk.customer(externalId="bc-dup")
    order = desk.order(entity={"id": str(duplicate)})
    desk.sql("SELECT id FROM customer WHERE id = 1")
    desk.people.merge_customers({"master": master, "duplicate": "bc-dup"})
    assert desk.get(f"salesOrder/{order}")["entity"]["id"] == str(master)
    assert desk.sql("SELECT entity e FROM transaction WHERE id = ?", str(order)) == [{"e": str(master)}]
    assert desk.send("GET", "customer/eid:bc-dup").status == 404
    assert desk.sql("SELECT id FROM customer WHERE id = ?", str(duplicate)) == []
    gone = desk.sql("SELECT type t FROM deletedrecord WHERE recordid = ?", str(duplicate))
    assert gone == [{"t": "customer"}]
    with pytest.raises(ValueError, match="into itself"):
        desk.people.merge_customers({"master": master, "duplicate": master})


def test_another_seed_leaves_nothing_of_the_books_behind() -> None:
    desk = Desk()
    order = desk.order(externalId="bc-before")
    desk.people.settings({"legacy_taxes": True})
    desk.people.lock({"id": order})
    desk.people.period({"state": "closed"})
    desk.merchant.seed(desk.merchant.options)
    assert desk.sql("SELECT id FROM transaction") == []
    assert desk.sql("SELECT id FROM customer") == []
    assert desk.people.settings({})["legacy_taxes"] is False
    again = desk.order(externalId="bc-before")
    assert (again, desk.get(f"salesOrder/{again}")["tranId"]) == (order, "SO1001")
    desk.post("cashSale", desk.body())


def test_settings_say_what_is_wrong_with_them() -> None:
    desk = Desk()
    with pytest.raises(ValueError, match="There is no setting 'colour'"):
        desk.people.settings({"colour": 1})
    with pytest.raises(ValueError, match="true or false"):
        desk.people.settings({"legacy_taxes": 1})
    with pytest.raises(ValueError, match="line or header"):
        desk.people.settings({"tax_rounding": "up", "legacy_taxes": True})
    assert desk.settings.legacy_taxes is False, "nothing changes where anything is wrong"
    assert desk.people.settings({"tax_rounding": "header"})["tax_rounding"] == "header"


@pytest.mark.parametrize(
    ("verb", "body", "said"),
    [
        ("fulfil", {"order": 1}, "no sales order 1"),
        ("close_line", {"order": "x", "line": 1}, "no sales order x"),
        ("track", {"fulfilment": 1}, "no such fulfilment"),
    ],
)
def test_a_verb_about_nothing_says_so(verb: str, body: dict[str, Any], said: str) -> None:
    desk = Desk(skus=5)
    with pytest.raises(ValueError, match=said):
        getattr(desk.office, verb)(body)


def test_an_item_born_at_noon_can_be_ordered_at_noon_and_an_inactive_one_no_more() -> None:
    desk = Desk()
    events = Events(desk.merchant)
    desk.order(line(1001, 1, 5))
    born = events.item({"create": True, "sku": "NEW-1"})
    events.stock([{"item": born, "location": 1, "on_hand": 3}])
    desk.order(line(born, 2, 5))
    assert desk.level(born, 1) == ("3", "2", "0", "1")
    events.item({"sku": "NEW-1", "isinactive": True})
    assert desk.refused("POST", "salesOrder", desk.body(line(born, 1, 5)))[2] == "item.items[0].item"
    events.item({"item": 1002, "subsidiary": "2"})
    assert desk.refused("POST", "salesOrder", desk.body(line(1002, 1, 5)))[2] == "item.items[0].item"


def test_what_is_counted_by_hand_goes_to_back_orders() -> None:
    desk = Desk()
    events = Events(desk.merchant)
    desk.put(1001, 1, 1)
    desk.order(line(1001, 5, 5))
    assert desk.level(1001, 1) == ("1", "1", "4", "0")
    events.stock([{"item": 1001, "location": 1, "delta": 2}])
    assert desk.level(1001, 1) == ("3", "3", "2", "0")
    desk.settings.receipts_commit = False
    events.stock_everywhere(10)
    assert desk.level(1001, 1) == ("13", "3", "2", "10")


def test_post_order_commits_as_people_type_it_in() -> None:
    desk = Desk()
    desk.put(1001, 1, 2)
    told = desk.office.post_order(1001, 5, 1, "101")
    assert told["committed"] == 2
    assert desk.level(1001, 1) == ("2", "2", "3", "0")
    rows = desk.sql(
        "SELECT type t, otherrefnum r, status s FROM transaction WHERE id = ?", str(told["transaction_id"])
    )
    assert rows == [{"t": "SalesOrd", "r": "101", "s": "B"}]
    desk.office.fulfil({"order": told["transaction_id"]})
    assert desk.level(1001, 1) == ("0", "0", "3", "0")
