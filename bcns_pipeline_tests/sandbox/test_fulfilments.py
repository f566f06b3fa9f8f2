"""Item fulfilments of the NetSuite double: transform, status, parcels, SuiteQL, and the order behind them.

Put the record type here. Do not put stock here (test_stock_effects.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from bcns_pipeline_tests.sandbox.desk import ITEMS, METHODS, Desk, line

CHANGED = """
SELECT f.id, f.tranid, f.status, TO_CHAR(f.trandate, 'YYYY-MM-DD') AS ship_date, ml.createdfrom AS so_id,
       so.externalid AS so_externalid, ml.location AS location_id, f.shipcarrier AS ship_carrier,
       ts.shippingmethod AS method, BUILTIN.DF(ts.shippingmethod) AS method_name
FROM transaction f
JOIN transactionline ml ON ml.transaction = f.id AND ml.mainline = 'T'
JOIN transaction so ON so.id = ml.createdfrom AND so.type = 'SalesOrd'
LEFT JOIN transactionshipment ts ON ts.doc = f.id
WHERE f.type = 'ItemShip' AND f.lastmodifieddate >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS') AND f.id > ?
ORDER BY f.id ASC
"""
LINES = """
SELECT tl.id, tl.item, tl.quantity * -1 AS qty, tl.location FROM transactionline tl
WHERE tl.transaction IN (?) AND tl.mainline = 'F' AND tl.taxline = 'F' AND NVL(tl.iscogs, 'F') = 'F'
  AND tl.item IS NOT NULL ORDER BY tl.id
"""


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One account with plenty of stock."""
    desk = Desk(tax_engine="none")
    for item in range(1001, 1021):
        desk.put(item, 1, 10_000)
    return desk


def two_lines(desk: Desk, **changes: Any) -> int:
    """An order of three and two pieces, shipped by UPS."""
    ship = {"shipMethod": {"id": METHODS["UPS Ground"]}}
    return desk.order(
        line(1001, 3, 10, custcol_bc_line_id="L1"),
        line(1002, 2, 5, custcol_bc_line_id="L2"),
        **ship,
        **changes,
    )


def status(desk: Desk, order: int) -> str:
    """The order's letter, the same in REST and in SuiteQL."""
    letter = desk.get(f"salesOrder/{order}")["status"]["id"]
    assert desk.sql("SELECT status s FROM transaction WHERE id = ?", str(order)) == [{"s": letter}]
    return str(letter)


def test_a_transform_takes_every_line_unless_told_otherwise(desk: Desk) -> None:
    order = two_lines(desk)
    body = {"shipStatus": {"id": "C"}, "item": {"items": [{"orderLine": 1, "quantity": 1}]}}
    made = desk.post(f"salesOrder/{order}/!transform/itemFulfillment", body)
    lines = desk.get(f"itemFulfillment/{made}")["item"]["items"]
    assert [(x["orderLine"], x["quantity"]) for x in lines] == [(1, 1), (2, 2)]
    assert [x["custcol_bc_line_id"] for x in lines] == ["L1", "L2"]
    rest = {"shipStatus": {"id": "C"}, "item": {"items": [{"orderLine": 1, "itemReceive": False}]}}
    said = desk.refused("POST", f"salesOrder/{order}/!transform/itemFulfillment", rest)
    assert said[1] == "You must have at least one valid line item for this transaction."


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"orderLine": 1, "quantity": 4}, "more than remains, which is 3"),
        ({"orderLine": 9}, "Invalid Field Value 9 for the following field: orderline"),
        (
            {"orderLine": 1, "location": {"id": "5"}},
            "Invalid Field Value 5 for the following field: location",
        ),
    ],
    ids=str,
)
def test_what_the_order_does_not_have_is_refused(desk: Desk, item: dict[str, Any], said: str) -> None:
    order = two_lines(desk)
    path = f"salesOrder/{order}/!transform/itemFulfillment"
    assert said in desk.refused("POST", path, {"item": {"items": [item]}})[1]
    assert status(desk, order) == "B"


def test_the_orders_status_follows_what_was_shipped_and_billed(desk: Desk) -> None:
    order = two_lines(desk)
    assert status(desk, order) == "B"
    picked = desk.office.fulfil({"order": order, "status": "A", "lines": [{"line": 1}]})["fulfilment"]
    assert status(desk, order) == "B", "picked goods have not been shipped"
    desk.office.advance({"fulfilment": picked})
    assert status(desk, order) == "E"
    desk.office.bill_order({"order": order})
    assert status(desk, order) == "D"
    desk.office.fulfil({"order": order})
    assert status(desk, order) == "F"
    desk.office.bill_order({"order": order})
    assert status(desk, order) == "G"
    closed = desk.refused("PATCH", f"salesOrder/{order}", {"item": {"items": [{"line": 1, "quantity": 9}]}})
    assert "that is Billed" in closed[1]
    desk.patch(f"salesOrder/{order}", {"memo": "but its memo can"})


def test_an_order_of_services_waits_for_billing_only(desk: Desk) -> None:
    order = desk.order(line(ITEMS["fee"], 1, 5))
    assert status(desk, order) == "F"
    desk.office.bill_order({"order": order})
    assert status(desk, order) == "G"


def test_closed_lines_end_an_order(desk: Desk) -> None:
    order = two_lines(desk)
    desk.office.close_line({"order": order, "sku": "SKU-000001"})
    assert status(desk, order) == "B"
    desk.office.fulfil({"order": order})
    assert status(desk, order) == "F"
    other = two_lines(desk)
    for number in (1, 2):
        desk.office.close_line({"order": other, "line": number})
    assert status(desk, other) == "H"
    with pytest.raises(Exception, match="You can not initialize itemFulfillment"):
        desk.office.fulfil({"order": other})


def test_a_fulfilled_line_keeps_its_quantity_its_item_and_its_place_on_the_order(desk: Desk) -> None:
    order = two_lines(desk)
    desk.office.fulfil({"order": order, "lines": [{"line": 1, "quantity": 2}]})
    for change in ({"line": 1, "quantity": 1}, {"line": 1, "item": {"id": "1003"}, "rate": 1}):
        desk.refused("PATCH", f"salesOrder/{order}", {"item": {"items": [change]}})
    replaced = {"item": {"items": [{"line": 2}]}}
    assert "can't be removed" in desk.refused("PATCH", f"salesOrder/{order}?replace=item", replaced)[1]
    desk.patch(f"salesOrder/{order}", {"item": {"items": [{"line": 1, "quantity": 2}]}})
    assert [x["quantity"] for x in desk.get(f"salesOrder/{order}")["item"]["items"]] == [2, 2]


def test_cancelling_is_for_untouched_orders(desk: Desk) -> None:
    order = two_lines(desk)
    desk.office.cancel_order({"order": order})
    assert status(desk, order) == "C"
    other = two_lines(desk)
    desk.office.fulfil({"order": other, "lines": [{"line": 1}]})
    with pytest.raises(ValueError, match="close its lines"):
        desk.office.cancel_order({"order": other})


def test_changed_fulfilments_are_found_with_their_order_and_lines(desk: Desk) -> None:
    order = two_lines(desk, externalId="bc-found-1")
    desk.merchant.clock.advance(60)
    now = str(desk.merchant.clock.account())
    made = desk.office.fulfil({"order": "bc-found-1", "date": "2026-11-20"})
    (row,) = desk.sql(CHANGED, now, "0")
    assert row == {
        "id": str(made["fulfilment"]),
        "tranid": made["number"],
        "status": "C",
        "ship_date": "2026-11-20",
        "so_id": str(order),
        "so_externalid": "bc-found-1",
        "location_id": "1",
        "ship_carrier": "ups",
        "method": METHODS["UPS Ground"],
        "method_name": "UPS Ground",
    }
    assert [(x["item"], x["qty"]) for x in desk.sql(LINES, row["id"])] == [("1001", "3"), ("1002", "2")]
    every = desk.sql("SELECT COUNT(*) n FROM transactionline WHERE transaction = ?", row["id"])
    assert every == [{"n": "5"}], "the main line, and each stocked item twice"
    links = desk.sql("SELECT nextdoc, linktype FROM nexttransactionlink WHERE previousdoc = ?", str(order))
    assert links == [{"nextdoc": row["id"], "linktype": "ShipRcpt"}]
    back = desk.sql("SELECT previousdoc p FROM previoustransactionlink WHERE nextdoc = ?", row["id"])
    assert back == [{"p": str(order)}]
    view = desk.sql("SELECT createdfrom c, status s FROM itemfulfillment WHERE id = ?", row["id"])
    assert view == [{"c": str(order), "s": "C"}]
    changed = desk.sql(
        "SELECT id FROM transaction WHERE lastmodifieddate >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS') ORDER BY id",
        now,
    )
    assert {"id": str(order)} in changed, "the order changed with its fulfilment"


@pytest.mark.parametrize(
    ("method", "sublist", "ending"),
    [
        ("UPS Ground", "packageUps", "Ups"),
        ("FedEx Ground", "packageFedex", "FedEx"),
        ("USPS Priority Mail", "packageUsps", "Usps"),
        ("Free Shipping", "package", ""),
    ],
)
def test_parcels_stand_in_the_sublist_of_their_carrier(
    desk: Desk, method: str, sublist: str, ending: str
) -> None:
    order = two_lines(desk)
    parcels = [{"tracking": "1Z-1", "description": "Box", "weight": 1.5}, {"tracking": "1Z-2"}]
    made = desk.office.fulfil({"order": order, "carrier": method, "packages": parcels})["fulfilment"]
    shown = desk.get(f"itemFulfillment/{made}")
    found = shown[sublist]["items"]
    assert [x[f"packageTrackingNumber{ending}"] for x in found] == ["1Z-1", "1Z-2"]
    assert {n for n in shown if n.startswith("package")} == {sublist}
    assert shown["shipMethod"]["refName"] == method


def test_tracking_comes_later_and_moves_the_date_of_the_fulfilment(desk: Desk) -> None:
    order = two_lines(desk)
    made = desk.office.fulfil({"order": order})["fulfilment"]
    query = """SELECT n.trackingnumber t FROM trackingnumbermap m
        JOIN trackingnumber n ON n.id = m.trackingnumber WHERE m.transaction = ? ORDER BY n.id"""
    assert desk.sql(query, str(made)) == []
    desk.merchant.clock.advance(86_400)
    now = str(desk.merchant.clock.account())
    desk.office.track({"order": order, "tracking": "1Z-3"})
    desk.office.track({"fulfilment": made, "tracking": ["1Z-4"]})
    assert desk.sql(query, str(made)) == [{"t": "1Z-3"}, {"t": "1Z-4"}]
    assert str(made) in {row["id"] for row in desk.sql(CHANGED, now, "0")}
    desk.office.track({"fulfilment": made, "tracking": "1Z-5", "replace": True})
    assert desk.sql(query, str(made)) == [{"t": "1Z-5"}]


def test_a_fulfilment_carries_the_shipments_id_and_can_be_patched(desk: Desk) -> None:
    order = two_lines(desk)
    made = desk.office.fulfil({"order": order, "external_id": "bc-if-1"})["fulfilment"]
    desk.patch(f"itemFulfillment/{made}", {"custbody_bc_shipment_id": "77"})
    assert desk.get("itemFulfillment/eid:bc-if-1")["custbody_bc_shipment_id"] == "77"
    rows = desk.sql("SELECT custbody_bc_shipment_id s FROM transaction WHERE id = ?", str(made))
    assert rows == [{"s": "77"}]
    assert "already exists" in desk.refused("POST", "salesOrder", desk.body(externalId="bc-if-1"))[1]
    assert desk.refused("POST", "itemFulfillment", {})[1] == "You must enter a value for createdFrom."
    assert (
        "can't be changed"
        in desk.refused(
            "PATCH", f"itemFulfillment/{made}", {"item": {"items": [{"line": 1, "quantity": 1}]}}
        )[1]
    )


def test_a_deleted_fulfilment_leaves_a_trace(desk: Desk) -> None:
    order = two_lines(desk)
    made = desk.office.fulfil({"order": order, "tracking": "1Z-9"})["fulfilment"]
    desk.sql("SELECT id FROM transaction WHERE id = ?", str(made))
    desk.office.unship({"fulfilment": made, "delete": True})
    assert desk.send("GET", f"itemFulfillment/{made}").status == 404
    for table, column in (
        ("transaction", "id"),
        ("transactionline", "transaction"),
        ("trackingnumbermap", "transaction"),
        ("nexttransactionlink", "nextdoc"),
    ):
        assert desk.sql(f"SELECT {column} FROM {table} WHERE {column} = ?", str(made)) == []
    gone = desk.sql("SELECT type t FROM deletedrecord WHERE recordid = ?", str(made))
    assert gone == [{"t": "itemfulfillment"}]
    assert status(desk, order) == "B"


def test_only_an_open_order_is_transformed_and_only_into_what_there_is(desk: Desk) -> None:
    held = two_lines(desk, orderStatus={"id": "A"})
    path = f"salesOrder/{held}/!transform/itemFulfillment"
    assert desk.refused("POST", path, {})[1] == (
        f"You can not initialize itemFulfillment: invalid reference {held}."
    )
    assert desk.send("POST", f"salesOrder/{held}/!transform/vendorBill", {}).status == 404
    assert desk.send("POST", "salesOrder/1/!transform/itemFulfillment", {}).status == 404
