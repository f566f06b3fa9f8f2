"""Sales orders of the NetSuite double: creation, keys, lines, references, status, SuiteQL.

Put the record type here. Do not put sums and taxes here (test_sales_totals.py) nor stock (test_stock_effects.py).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline_tests.sandbox.desk import ITEMS, METHODS, NEW_YORK, Desk, line

FORM = "Invalid Field Value {} for the following field: {}"
SHAPE = "Invalid value for the property '{}'."
INVALID = (
    "Error while accessing resource: You have entered an Invalid Field Value {} for the following field: {}"
)


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One account for the module; every test makes its own customer and orders."""
    return Desk(locations=3, foreign_locations=1, tax_engine="none")


def test_an_order_gets_an_id_a_number_and_comes_back_as_it_was_sent(desk: Desk) -> None:
    body = desk.body(line(1001, 2, "19.99", description="Blue", custcol_bc_line_id="77"))
    body |= {"custbody_bc_order_id": "1001", "memo": "BigCommerce #1001", "tranDate": "2026-03-01"}
    number = desk.post("salesOrder", body)
    shown = desk.get(f"salesOrder/{number}")
    assert shown["externalId"] == body["externalId"]
    assert shown["tranId"].startswith("SO1")
    assert (shown["custbody_bc_order_id"], shown["tranDate"]) == ("1001", "2026-03-01")
    assert shown["status"] == {"id": "B", "refName": "Pending Fulfillment"}
    assert shown["orderStatus"] == {"id": "B"}
    assert shown["subsidiary"] == {"id": "1", "refName": "Sandbox Trading Inc."}
    (only,) = shown["item"]["items"]
    assert (only["line"], only["quantity"], only["amount"]) == (1, 2, Decimal("39.98"))
    assert (only["description"], only["custcol_bc_line_id"]) == ("Blue", "77")
    assert only["location"] == {"id": "1"}, "a line without location has the header's"


def test_numbers_of_documents_have_no_gap_where_a_request_was_refused(desk: Desk) -> None:
    first = desk.get(f"salesOrder/{desk.order()}")["tranId"]
    desk.refused("POST", "salesOrder", desk.body(line(999_999)))
    second = desk.get(f"salesOrder/{desk.order()}")["tranId"]
    assert int(second[2:]) == int(first[2:]) + 1


def test_external_ids_share_one_namespace_over_all_transactions(desk: Desk) -> None:
    body = desk.body()
    desk.post("salesOrder", body)
    told = ("USER_ERROR", "Error while accessing a resource. This entity already exists.", None)
    assert desk.refused("POST", "salesOrder", body) == told
    assert desk.refused("POST", "salesOrder", desk.body(externalId="a|b"))[1] == "Invalid external id 'a|b'."
    other = desk.order()
    assert desk.refused("PATCH", f"salesOrder/{other}", {"externalId": body["externalId"]}) == told
    desk.patch(f"salesOrder/{other}", {"externalId": "renamed"})
    assert desk.send("GET", "salesOrder/eid:renamed").status == 200


def test_a_put_by_external_id_creates_once_and_then_appends_lines(desk: Desk) -> None:
    body = desk.body(externalId=None)
    answer = desk.send("PUT", "salesOrder/eid:bc-put-1", body)
    assert (answer.status, dict(answer.headers)) == (204, {})
    assert desk.send("PUT", "salesOrder/eid:bc-put-1", body).status == 204
    assert len(desk.get("salesOrder/eid:bc-put-1")["item"]["items"]) == 2, "the lines are there twice"
    replaced = desk.send("PUT", "salesOrder/eid:bc-put-1?replace=item", body)
    assert replaced.status == 204
    assert [one["line"] for one in desk.get("salesOrder/eid:bc-put-1")["item"]["items"]] == [3]


def test_a_patch_changes_the_line_it_names_and_appends_the_others(desk: Desk) -> None:
    number = desk.order(line(1001, 2, "10"), line(1002, 1, "5"))
    change = {"item": {"items": [{"line": 2, "quantity": 3}, line(1003, 1, "1")]}}
    desk.patch(f"salesOrder/{number}", change)
    shown = desk.get(f"salesOrder/{number}")
    assert [(o["item"]["id"], o["quantity"], o["amount"]) for o in shown["item"]["items"]] == [
        ("1001", 2, 20),
        ("1002", 3, 15),
        ("1003", 1, 1),
    ]
    assert shown["total"] == 36
    desk.patch(f"salesOrder/{number}?replace=item", {"item": {"items": [{"line": 1}]}})
    assert [o["line"] for o in desk.get(f"salesOrder/{number}")["item"]["items"]] == [1]


def test_an_order_has_lines(desk: Desk) -> None:
    assert desk.refused("POST", "salesOrder", desk.body(item={"items": []}))[1].startswith("You must enter")
    number = desk.order()
    assert desk.refused("PATCH", f"salesOrder/{number}", {"item": None})[1].startswith("You must enter")
    assert len(desk.get(f"salesOrder/{number}")["item"]["items"]) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"entity": {"id": "99"}}, ("INVALID_CONTENT", INVALID.format(99, "entity"), "entity")),
        ({"entity": {"externalId": "no"}}, ("INVALID_CONTENT", INVALID.format("no", "entity"), "entity")),
        ({"entity": None}, ("USER_ERROR", "You must enter a value for entity.", None)),
        ({"location": {"id": "77"}}, ("USER_ERROR", FORM.format("77", "location"), "location")),
        ({"location": {"id": "9"}}, ("USER_ERROR", FORM.format("9", "location"), "location")),
        ({"subsidiary": {"id": "2"}}, ("USER_ERROR", FORM.format("2", "subsidiary"), "subsidiary")),
        ({"currency": {"id": "2"}}, ("USER_ERROR", FORM.format("2", "currency"), "currency")),
        ({"shipMethod": {"id": "4"}}, ("USER_ERROR", FORM.format("4", "shipmethod"), "shipMethod")),
        ({"orderStatus": {"id": "G"}}, ("INVALID_CONTENT", SHAPE.format("orderStatus"), "orderStatus")),
        ({"shippingCost": "9.95"}, ("INVALID_CONTENT", SHAPE.format("shippingCost"), "shippingCost")),
        ({"tranDate": "03/01/2026"}, ("INVALID_CONTENT", SHAPE.format("tranDate"), "tranDate")),
        ({"custbody_other": "x"}, ("INVALID_CONTENT", "Invalid property name: 'custbody_other'.", "custbody_other")),
        ({"discountItem": {"id": "1001"}}, ("INVALID_CONTENT", INVALID.format(1001, "discountitem"), "discountItem")),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_on_the_header_is_refused(
    desk: Desk, changes: dict[str, Any], said: tuple[str, str, str | None]
) -> None:
    assert desk.refused("POST", "salesOrder", desk.body(**changes)) == said


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (line(999_999), ("INVALID_CONTENT", INVALID.format(999_999, "item"), "item.items[1].item")),
        ({"quantity": 1}, ("USER_ERROR", "You must enter a value for item.", None)),
        (line(1001), ("USER_ERROR", "You must enter a value for amount.", None)),
        (
            line(1001, -1, 5),
            ("USER_ERROR", "The quantity must be a positive number.", "item.items[1].quantity"),
        ),
        (
            line(1001, 1, 5, colour="red"),
            ("INVALID_CONTENT", "Invalid property name: 'item.items[1].colour'.", "item.items[1].colour"),
        ),
        (
            line(METHODS["UPS Ground"], 1, 5),
            ("INVALID_CONTENT", INVALID.format(METHODS["UPS Ground"], "item"), "item.items[1].item"),
        ),
    ],
    ids=str,
)
def test_what_is_wrong_on_a_line_is_refused_with_its_place(
    desk: Desk, bad: dict[str, Any], said: tuple[str, str, str | None]
) -> None:
    assert desk.refused("POST", "salesOrder", desk.body(line(1001, 1, 5), bad)) == said


def test_inactive_items_matrix_parents_and_items_of_another_subsidiary_are_refused() -> None:
    desk = Desk(skus=60)
    database = desk.merchant.netsuite.database
    parent = database.rows("SELECT id FROM ns.item WHERE matrixtype = 'PARENT'")[0][0]
    database.write("UPDATE ns.item SET isinactive = 'T' WHERE id = 1001")
    database.write("UPDATE ns.item SET subsidiary = '2' WHERE id = 1002")
    database.item_version += 1
    for number in (parent, 1001, 1002):
        said = desk.refused("POST", "salesOrder", desk.body(line(number, 1, 5)))
        assert said == ("INVALID_CONTENT", INVALID.format(number, "item"), "item.items[0].item")
    abroad = desk.customer(subsidiary={"id": "2"}, currency={"id": "2"})
    desk.order(line(1002, 1, 5), entity={"id": str(abroad)}, location=None)


def test_an_inactive_customer_gets_no_order(desk: Desk) -> None:
    customer = desk.customer()
    desk.patch(f"customer/{customer}", {"isInactive": True})
    said = desk.refused("POST", "salesOrder", desk.body(entity={"id": str(customer)}))
    assert said == ("INVALID_CONTENT", INVALID.format(customer, "entity"), "entity")


def test_a_currency_must_be_in_the_customers_list(desk: Desk) -> None:
    customer = desk.customer(currencyList={"items": [{"currency": {"id": "2"}}]})
    number = desk.order(entity={"id": str(customer)}, currency={"id": "2"})
    shown = desk.get(f"salesOrder/{number}")
    assert (shown["currency"]["refName"], shown["exchangeRate"]) == ("Euro", Decimal("1.08"))
    desk.patch(f"customer/{customer}", {"currencyList": {"items": [{"currency": {"id": "3"}}]}})
    desk.order(entity={"id": str(customer)}, currency={"id": "3"})
    assert [one["currency"]["id"] for one in desk.get(f"customer/{customer}")["currencyList"]["items"]] == [
        "1",
        "2",
        "3",
    ]


def test_another_subsidiary_needs_a_relationship_and_the_accounts_feature() -> None:
    desk = Desk(locations=2, foreign_locations=1)
    customer = desk.customer()
    abroad = {"entity": {"id": str(customer)}, "subsidiary": {"id": "2"}, "location": {"id": "6"}}
    relation = {"entity": {"id": str(customer)}, "subsidiary": {"id": "2"}}
    assert desk.send("POST", "customerSubsidiaryRelationship", relation).status == 404
    desk.settings.multi_subsidiary_customers = True
    assert desk.refused("POST", "salesOrder", desk.body(**abroad))[2] == "subsidiary"
    desk.post("customerSubsidiaryRelationship", relation)
    desk.order(**abroad)
    rows = desk.sql(
        "SELECT subsidiary s, isprimarysub p FROM customersubsidiaryrelationship WHERE entity = ? ORDER BY 1",
        str(customer),
    )
    assert rows == [{"s": "1", "p": "T"}, {"s": "2", "p": "F"}]


def test_entity_subsidiary_and_currency_stay_for_good(desk: Desk) -> None:
    customer = desk.customer(currencyList={"items": [{"currency": {"id": "2"}}]})
    number = desk.order(entity={"id": str(customer)})
    other = desk.customer()
    for changes in ({"entity": {"id": str(other)}}, {"currency": {"id": "2"}}, {"subsidiary": {"id": "2"}}):
        assert "can't be changed" in desk.refused("PATCH", f"salesOrder/{number}", changes)[1]
    desk.patch(f"salesOrder/{number}", {"entity": {"id": str(customer)}, "memo": "same"})


def test_lenient_names_are_dropped_on_lines_too_and_said_in_a_header(desk: Desk) -> None:
    body = desk.body({**line(1001, 1, 5), "colour": "red", "ITEMTYPE": "x"}, favourite="blue")
    answer = desk.send("POST", "salesOrder", body, mode="Warning")
    assert answer.status == 204
    assert dict(answer.headers)["X-NetSuite-Warning"] == (
        "Unknown property: favourite; Unknown property: item.items[0].colour"
    )
    assert "X-NetSuite-Warning" not in dict(
        desk.send("POST", "salesOrder", {**body, "externalId": "quiet"}, mode="Ignore").headers
    )


def test_addresses_come_from_the_request_else_from_the_customers_book(desk: Desk) -> None:
    def entry(street: str) -> dict[str, Any]:
        return {"addr1": street, "country": {"id": "US"}}

    book = {
        "items": [
            {"defaultBilling": True, "addressBookAddress": entry("1 Bill St")},
            {"defaultShipping": True, "addressBookAddress": entry("2 Ship St")},
        ]
    }
    customer = desk.customer(addressBook=book)
    plain = desk.get(f"salesOrder/{desk.order(entity={'id': str(customer)}, shippingAddress=None)}")
    assert plain["shippingAddress"] == entry("2 Ship St")
    assert plain["billingAddress"] == entry("1 Bill St")
    own = desk.order(entity={"id": str(customer)})
    assert desk.get(f"salesOrder/{own}")["shippingAddress"] == NEW_YORK
    row = desk.sql(
        """SELECT a.addr1, a.city, a.country FROM transaction t
           JOIN transactionshippingaddress a ON a.nkey = t.shippingaddress WHERE t.id = ?""",
        str(own),
    )
    assert row == [{"addr1": "1 High St", "city": "New York", "country": "US"}]


def test_suiteql_shows_header_and_lines_with_netsuites_signs(desk: Desk) -> None:
    ship = {"shipMethod": {"id": METHODS["UPS Ground"]}, "shippingCost": Decimal("9.95")}
    number = desk.order(line(1001, 2, "10"), line(ITEMS["coupon"], rate="-5"), **ship)
    header = desk.sql(
        """SELECT type, recordtype, status, foreigntotal, total, entity, posting, void,
                  TO_CHAR(trandate, 'YYYY') y, BUILTIN.CF(status) cf, BUILTIN.DF(status) df, memo
           FROM transaction WHERE id = ?""",
        str(number),
    )[0]
    assert (header["type"], header["recordtype"], header["status"]) == ("SalesOrd", "salesorder", "B")
    assert (header["cf"], header["df"]) == ("SalesOrd:B", "Sales Order : Pending Fulfillment")
    assert "memo" not in header
    rows = desk.sql(
        """SELECT id, mainline m, taxline x, item, quantity q, foreignamount a FROM transactionline
           WHERE transaction = ? ORDER BY linesequencenumber ASC""",
        str(number),
    )
    total = header["foreigntotal"]
    assert rows[0] == {"id": "0", "m": "T", "x": "F", "a": total}
    assert rows[1] == {"id": "1", "m": "F", "x": "F", "item": "1001", "q": "-2", "a": "-20"}
    assert rows[2] == {"id": "2", "m": "F", "x": "F", "item": ITEMS["coupon"], "a": "5"}
    assert rows[3] == {"id": "3", "m": "F", "x": "F", "item": METHODS["UPS Ground"], "a": "-9.95"}
    assert sum(Decimal(row["a"]) for row in rows[1:]) == -Decimal(total)


def test_ids_of_lines_are_never_given_twice_and_leave_gaps(desk: Desk) -> None:
    ship = {"shipMethod": {"id": METHODS["UPS Ground"]}, "shippingCost": 5}
    number = desk.order(line(1001, 1, "10"), **ship)
    desk.patch(f"salesOrder/{number}", {"item": {"items": [line(1002, 1, "1")]}})
    lines = [one["line"] for one in desk.get(f"salesOrder/{number}")["item"]["items"]]
    assert lines == [1, 3], "2 is the row of shipping"


def test_an_order_made_before_a_query_is_always_in_it(desk: Desk) -> None:
    query = "SELECT COUNT(*) n FROM transaction WHERE externalid = ?"
    for _ in range(3):
        body = desk.body()
        assert desk.sql(query, body["externalId"]) == [{"n": "0"}]
        desk.post("salesOrder", body)
        assert desk.sql(query, body["externalId"]) == [{"n": "1"}]


def test_a_group_comes_apart_into_members_at_their_own_prices() -> None:
    desk = Desk(skus=500)
    group = desk.merchant.netsuite.database.rows("SELECT min(id) FROM ns.item WHERE itemtype = 'Group'")[0][0]
    number = desk.order(line(group, 1, "100"))
    shown = desk.get(f"salesOrder/{number}")["item"]["items"]
    members = desk.books.context.items.members(group)
    assert [one["itemType"]["id"] for one in shown] == ["Group", *["InvtPart"] * len(members), "EndGroup"]
    assert shown[0]["amount"] == 0
    assert all(one["price"]["id"] == "1" for one in shown[1:-1])
    desk.patch(f"salesOrder/{number}", {"item": {"items": [{"line": 2, "price": {"id": "-1"}, "rate": 1}]}})
    assert desk.get(f"salesOrder/{number}")["item"]["items"][1]["rate"] == 1
