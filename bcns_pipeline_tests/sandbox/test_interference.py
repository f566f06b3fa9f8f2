"""What is in a client's way: scripts that change a record after its save, locks, concurrent edits, periods.

Put happenings here that a request can't foresee. Do not put ordinary refusals here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline_tests.sandbox.desk import ITEMS, METHODS, Desk, line, tax


@pytest.fixture
def desk() -> Desk:
    """One account without tax."""
    desk = Desk(tax_engine="none")
    for item in (1001, 1002):
        desk.put(item, 1, 100)
    return desk


def last_month(desk: Desk) -> str:
    """The month before this one."""
    year, month = desk.books.context.today().year, desk.books.context.today().month
    return f"{year}-{month - 1:02d}" if month > 1 else f"{year - 1}-12"


# -- scripts -----------------------------------------------------------------------------------------------------


def test_a_script_adds_a_line_after_the_save_and_the_client_is_told_nothing(desk: Desk) -> None:
    penny = {"item": {"id": ITEMS["rounding"]}, "quantity": 1, "price": {"id": "-1"}, "rate": 0.01}
    desk.people.script({"on": "salesorder", "add": penny})
    number = desk.order(line(1001, 1, 10))
    assert desk.get(f"salesOrder/{number}")["total"] == Decimal("10.01")
    assert desk.sql("SELECT foreigntotal t FROM transaction WHERE id = ?", str(number)) == [{"t": "10.01"}]
    again = desk.order(line(1001, 1, 10))
    assert desk.get(f"salesOrder/{again}")["total"] == 10, "it ran once"


def test_a_script_changes_a_line_or_the_header_as_often_as_it_is_told(desk: Desk) -> None:
    desk.people.script({"on": "salesOrder", "line": {"amount": 9.99}, "place": 1, "times": None})
    desk.people.script({"on": "salesOrder", "body": {"memo": "by a script"}, "match": "special"})
    first = desk.get(f"salesOrder/{desk.order(line(1001, 1, 10), line(1002, 1, 10))}")
    assert [x["amount"] for x in first["item"]["items"]] == [10, Decimal("9.99")]
    assert "memo" not in first
    other = desk.get(f"salesOrder/{desk.order(line(1001, 1, 10), externalId='bc-special-1')}")
    assert (other["memo"], other["total"]) == ("by a script", Decimal("9.99"))
    desk.people.script({"clear": True})
    assert desk.get(f"salesOrder/{desk.order(line(1001, 1, 10))}")["total"] == 10


def test_a_script_is_not_asked_for_tax_details() -> None:
    desk = Desk()
    desk.people.script({"on": "salesorder", "add": {**line(1002, 1), "rate": 1}})
    number = desk.order(
        line(1001, 1, 10, taxDetailsReference="L1"),
        taxDetailsOverride=True,
        taxDetails={"items": [tax("L1", 10, 8, "0.8")]},
    )
    assert desk.get(f"salesOrder/{number}")["total"] == Decimal("11.8")


def test_a_script_may_throw_before_the_save(desk: Desk) -> None:
    desk.people.script({"on": "salesorder", "refuse": "Please set the region.", "times": 1})
    body = desk.body()
    assert desk.refused("POST", "salesOrder", body) == ("USER_ERROR", "Please set the region.", None)
    assert desk.sql("SELECT id FROM transaction WHERE externalid = ?", body["externalId"]) == []
    desk.post("salesOrder", body)


def test_a_script_on_fulfilments_and_cash_sales(desk: Desk) -> None:
    desk.people.script({"on": "itemfulfillment", "body": {"memo": "checked"}})
    desk.people.script({"on": "cashsale", "body": {"memo": "checked"}})
    order = desk.order(line(1001, 1, 10))
    made = desk.office.fulfil({"order": order})["fulfilment"]
    assert desk.get(f"itemFulfillment/{made}")["memo"] == "checked"
    sale = desk.post("cashSale", desk.body(line(1001, 1, 10)))
    assert desk.get(f"cashSale/{sale}")["memo"] == "checked"


def test_a_script_with_an_unknown_word_is_refused(desk: Desk) -> None:
    with pytest.raises(ValueError, match="A script has no 'colour'"):
        desk.people.script({"on": "salesorder", "colour": "red"})


# -- locks and conflicts -----------------------------------------------------------------------------------------


def test_a_locked_record_can_be_neither_changed_nor_read_as_a_record(desk: Desk) -> None:
    number = desk.order()
    desk.people.lock({"id": number})
    told = ("USER_ERROR", "This record has been locked by a user defined workflow.", None)
    assert desk.refused("PATCH", f"salesOrder/{number}", {"memo": "x"}) == told
    assert desk.refused("POST", f"salesOrder/{number}/!transform/itemFulfillment", {}) == told
    assert desk.refused("GET", f"salesOrder/{number}", None) == told
    assert len(desk.sql("SELECT id FROM transaction WHERE id = ?", str(number))) == 1, "SuiteQL still sees it"
    desk.people.lock({"id": number, "locked": False})
    desk.patch(f"salesOrder/{number}", {"memo": "x"})
    customer = desk.customer(externalId="bc-locked")
    desk.people.lock({"record": "customer", "id": "bc-locked"})
    assert desk.refused("PATCH", f"customer/{customer}", {"phone": "555 0100"}) == told


def test_a_concurrent_edit_is_met_as_often_as_it_is_set(desk: Desk) -> None:
    number, other = desk.order(), desk.order()
    desk.people.conflict({"id": number, "times": 2})
    told = ("USER_ERROR", "Record has been changed", None)
    assert desk.refused("PATCH", f"salesOrder/{number}", {"memo": "x"}) == told
    desk.patch(f"salesOrder/{other}", {"memo": "x"})
    assert desk.refused("PATCH", f"salesOrder/{number}", {"memo": "x"}) == told
    desk.patch(f"salesOrder/{number}", {"memo": "x"})
    desk.people.conflict({"record": "customer"})
    customer = desk.customer()
    assert desk.refused("PATCH", f"customer/{customer}", {"phone": "555 0100"}) == told
    desk.patch(f"customer/{customer}", {"phone": "555 0100"})


# -- periods -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["closed", "locked"])
def test_what_posts_needs_an_open_period_and_an_order_does_not(desk: Desk, state: str) -> None:
    month = last_month(desk)
    day = {"tranDate": f"{month}-15"}
    desk.people.period({"month": month, "state": state})
    order = desk.order(**day)
    said = desk.refused("POST", "cashSale", desk.body(**day))
    assert said[0] == "USER_ERROR"
    assert f"Period is {state}" in said[1]
    assert said[2] == "tranDate"
    path = f"salesOrder/{order}/!transform/itemFulfillment"
    assert desk.refused("POST", path, day) == said
    assert desk.level(1001, 1)[0] == "100", "nothing has moved"
    query = """SELECT closed c, alllocked l FROM accountingperiod
        WHERE TO_DATE(?, 'YYYY-MM-DD') BETWEEN startdate AND enddate"""
    rows = desk.sql(query, f"{month}-15")
    assert rows == [{"c": "T" if state == "closed" else "F", "l": "T"}]
    desk.people.period({"month": month, "state": "open"})
    sale = desk.post("cashSale", desk.body(**day))
    desk.post(path, day)
    desk.people.period({"month": month, "state": state})
    assert desk.refused("PATCH", f"cashSale/{sale}", {"memo": "late"}) == said


def test_a_period_that_is_not_there_or_a_state_that_is_none_is_refused(desk: Desk) -> None:
    for body in ({"month": "1990-01", "state": "open"}, {"state": "ajar"}):
        with pytest.raises(ValueError, match="A period is open, locked, closed"):
            desk.people.period(body)
    assert "no open period" in desk.refused("POST", "cashSale", desk.body(tranDate="1990-01-01"))[1]


# -- cash sales --------------------------------------------------------------------------------------------------


def test_a_cash_sale_posts_takes_stock_and_shows_its_period(desk: Desk) -> None:
    ship = {"shipMethod": {"id": METHODS["UPS Ground"]}, "shippingCost": 5}
    account = {"account": {"id": "113"}, "undepFunds": False, "paymentOption": {"id": "5"}}
    sale = desk.post("cashSale", desk.body(line(1001, 3, 10), **ship, **account))
    shown = desk.get(f"cashSale/{sale}")
    assert (shown["tranId"][:2], shown["total"], shown["status"]["refName"]) == ("CS", 35, "Deposited")
    assert desk.level(1001, 1) == ("97", "0", "0", "97")
    (row,) = desk.sql("SELECT type t, posting p, postingperiod q FROM transaction WHERE id = ?", str(sale))
    assert (row["t"], row["p"]) == ("CashSale", "T")
    assert desk.sql("SELECT periodname n FROM accountingperiod WHERE id = ?", row["q"])
    desk.patch(f"cashSale/{sale}", {"item": {"items": [{"line": 1, "quantity": 1}]}})
    assert desk.level(1001, 1) == ("99", "0", "0", "99")
    assert desk.get(f"cashSale/{sale}")["total"] == 15


@pytest.mark.parametrize(
    ("lines", "changes", "said"),
    [
        ([line(1001, 1, 10)], {"location": None}, "You must enter a value for location."),
        ([line(ITEMS["fee"], 1, -1)], {}, "can't be negative"),
        ([], {"item": {"items": []}}, "You must enter a value for item."),
        ([line(1001, 1, 10)], {"paymentOption": {"id": "99"}}, "for the following field: paymentoption"),
        ([line(1001, 1, 10)], {"orderStatus": {"id": "A"}}, "Invalid property name: 'orderStatus'."),
    ],
    ids=str,
)
def test_what_a_cash_sale_lacks_is_refused(
    desk: Desk, lines: list[dict[str, Any]], changes: dict[str, Any], said: str
) -> None:
    assert said in desk.refused("POST", "cashSale", desk.body(*lines, **changes))[1]
    assert desk.level(1001, 1)[0] == "100"


def test_orders_and_cash_sales_share_external_ids_and_not_paths(desk: Desk) -> None:
    sale = desk.post("cashSale", desk.body(externalId="bc-shared"))
    assert "already exists" in desk.refused("POST", "salesOrder", desk.body(externalId="bc-shared"))[1]
    assert desk.send("GET", "salesOrder/eid:bc-shared").status == 404
    assert desk.send("GET", f"salesOrder/{sale}").status == 404
    assert desk.send("GET", "cashSale/eid:bc-shared").status == 200
