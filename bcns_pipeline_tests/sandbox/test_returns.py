"""NetSuite's returns: authorised from a sale, received in parts, closed; never more than there was."""

from __future__ import annotations

import pytest

from bcns_pipeline.sandbox.office_returns import ReturnsDesk
from bcns_pipeline_tests.sandbox.desk import Desk, line
from bcns_pipeline_tests.sandbox.money import invoice, ledger, status

LINES = """SELECT t.id, t.status, tl.item, tl.quantity, tl.quantityshiprecv, tl.isclosed, ml.createdfrom
           FROM transaction t JOIN transactionline ml ON ml.transaction = t.id AND ml.mainline = 'T'
           JOIN transactionline tl ON tl.transaction = t.id AND tl.mainline = 'F' AND tl.taxline = 'F'
           WHERE t.type = ? AND NVL(tl.iscogs, 'F') = 'F' ORDER BY t.id ASC, tl.id ASC"""


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One account without any tax engine."""
    return Desk(tax_engine="none")


def test_goods_come_back_in_parts_onto_the_shelf_and_never_more_than_were_authorised(desk: Desk) -> None:
    desk.put(1001, 1, 10)
    order = desk.order(line(1001, 3, 20), line(1002, 1, 5))
    nothing = desk.refused("POST", f"salesOrder/{order}/!transform/returnAuthorization", {})
    assert "nothing is left" in nothing[1]
    desk.office.fulfil({"order": order, "lines": [{"item": 1001, "quantity": 2}]})
    over = {"item": {"items": [{"orderLine": 1, "quantity": 3}]}}
    refusal = desk.refused("POST", f"salesOrder/{order}/!transform/returnAuthorization", over)
    assert refusal[1:] == (
        "The quantity 3 of line 1 is more than is left of it, which is 2.",
        "item.items[0].quantity",
    )
    back = desk.post(f"salesOrder/{order}/!transform/returnAuthorization", {"memo": "too small"})
    assert (status(desk, back), desk.level(1001, 1)[0]) == ("B", "8")
    again = desk.refused("POST", f"salesOrder/{order}/!transform/returnAuthorization", {})
    assert "nothing is left" in again[1]
    (shown,) = desk.sql(LINES, "RtnAuth")
    # What goes out is below 0, what comes back above.
    assert (shown["createdfrom"], shown["item"], shown["isclosed"]) == (str(order), "1001", "F")
    assert (shown["quantity"], shown["quantityshiprecv"]) == ("2", "0")

    part = {"item": {"items": [{"orderLine": 1, "quantity": 1}]}}
    first = desk.post(f"returnAuthorization/{back}/!transform/itemReceipt", part)
    assert (status(desk, back), desk.level(1001, 1)[0], ledger(desk, first)) == ("E", "9", {})
    more = {"item": {"items": [{"orderLine": 1, "quantity": 2}]}}
    refusal = desk.refused("POST", f"returnAuthorization/{back}/!transform/itemReceipt", more)
    assert refusal[1] == "The quantity 2 of order line 1 is more than remains, which is 1."
    second = desk.post(f"returnAuthorization/{back}/!transform/itemReceipt", {})
    assert (status(desk, back), desk.level(1001, 1)[0]) == ("F", "10")
    assert (
        "invalid reference"
        in desk.refused("POST", f"returnAuthorization/{back}/!transform/itemReceipt", {})[1]
    )
    assert [(row["id"], row["quantity"], row["createdfrom"]) for row in desk.sql(LINES, "ItemRcpt")] == [
        (str(first), "1", str(back)),
        (str(second), "1", str(back)),
    ]
    got = desk.get(f"itemReceipt/{first}")
    assert (got["createdFrom"]["id"], got["item"]["items"][0]["quantity"]) == (str(back), 1)
    assert desk.get(f"returnAuthorization/{back}")["createdFrom"]["id"] == str(order)


def test_a_return_of_an_invoice_waits_for_approval_is_written_off_and_is_closed(desk: Desk) -> None:
    desk.put(1003, 1, 10)
    order = desk.order(line(1003, 4, 20))
    desk.office.fulfil({"order": order})
    billed = invoice(desk, order)
    returns = ReturnsDesk(desk.office)
    made = returns.authorise({"sale": billed, "lines": [{"item": 1003, "quantity": 3}]})
    back = made["return"]
    desk.patch(f"returnAuthorization/{back}", {"orderStatus": {"id": "A"}})
    assert (
        "invalid reference"
        in desk.refused("POST", f"returnAuthorization/{back}/!transform/itemReceipt", {})[1]
    )
    desk.patch(f"returnAuthorization/{back}", {"orderStatus": {"id": "B"}})
    # What is of no use any more does not go onto the shelf.
    spoilt = {"return": back, "lines": [{"item": 1003, "quantity": 1, "restock": False}]}
    assert returns.receive(spoilt)["status"] == "E"
    assert desk.level(1003, 1)[0] == "6"
    assert returns.close({"return": back})["status"] == "F"
    assert desk.sql("SELECT isclosed c FROM transactionline WHERE transaction = ? AND id > 0", str(back)) == [
        {"c": "T"}
    ]
    assert (
        "invalid reference"
        in desk.refused("POST", f"returnAuthorization/{back}/!transform/itemReceipt", {})[1]
    )
    with pytest.raises(ValueError, match="no return 1"):
        returns.receive({"return": 1})
    with pytest.raises(ValueError, match="no invoice or cash sale"):
        returns.authorise({"sale": order})


def test_a_kit_comes_back_as_its_members() -> None:
    desk = Desk(tax_engine="none", skus=60)
    kit = next(one for one in desk.sql("SELECT DISTINCT parentitem k FROM itemmember ORDER BY 1 ASC"))["k"]
    members = desk.sql("SELECT item, quantity FROM itemmember WHERE parentitem = ? ORDER BY item ASC", kit)
    for member in members:
        desk.put(int(member["item"]), 1, 50)
    order = desk.order(line(kit, 2, 20))
    desk.office.fulfil({"order": order})
    left = [desk.level(int(one["item"]), 1)[0] for one in members]
    back = desk.post(f"salesOrder/{order}/!transform/returnAuthorization", {})
    desk.post(f"returnAuthorization/{back}/!transform/itemReceipt", {})
    assert [desk.level(int(one["item"]), 1)[0] for one in members] == ["50"] * len(members) != left
    heads = [row for row in desk.sql(LINES, "ItemRcpt") if row["item"] == kit]
    assert [row["quantity"] for row in heads] == ["2"]
