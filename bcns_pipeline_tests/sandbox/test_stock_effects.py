"""What orders and fulfilments of the NetSuite double do to stock.

Put commitments, back orders and shipped goods here. Do not put the records themselves here.
"""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcns_pipeline.sandbox.netsuite.errors import Refused
from bcns_pipeline_tests.sandbox.desk import Desk, line

ONE, SIX = {"id": "1"}, {"id": "6"}


@pytest.fixture
def desk() -> Desk:
    """One account; items 1001 to 1003 lie at location 1, ten of each."""
    desk = Desk(tax_engine="none")
    for item in (1001, 1002, 1003):
        desk.put(item, 1, 10)
        desk.put(item, 6, 0)
    return desk


def test_an_order_commits_what_is_there_and_leaves_the_rest_on_back_order(desk: Desk) -> None:
    number = desk.order(line(1001, 4, 1), line(1002, 12, 1))
    assert desk.level(1001, 1) == ("10", "4", "0", "6")
    assert desk.level(1002, 1) == ("10", "10", "2", "0")
    lines = desk.get(f"salesOrder/{number}")["item"]["items"]
    assert [(x["quantityCommitted"], x["quantityBackOrdered"]) for x in lines] == [(4, 0), (10, 2)]
    rows = desk.sql(
        """SELECT quantitycommitted c, quantitybackordered b FROM transactionline
           WHERE transaction = ? AND mainline = 'F' ORDER BY id""",
        str(number),
    )
    assert rows == [{"c": "4", "b": "0"}, {"c": "10", "b": "2"}]


def test_a_commitment_moves_the_date_of_availability_and_a_back_order_alone_does_not(desk: Desk) -> None:
    query = """SELECT item FROM aggregateitemlocation WHERE location = 1 AND
        lastquantityavailablechange >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS') ORDER BY item"""
    desk.sql("SELECT id FROM item WHERE id = 1")
    desk.merchant.clock.advance(3600)
    now = str(desk.merchant.clock.account())
    desk.order(line(1001, 1, 1), line(1002, 10, 1))
    assert desk.sql(query, now) == [{"item": "1001"}, {"item": "1002"}]
    desk.merchant.clock.advance(3600)
    now = str(desk.merchant.clock.account())
    desk.order(line(1002, 3, 1))
    assert desk.sql(query, now) == []
    assert desk.level(1002, 1) == ("10", "10", "3", "0")


def test_without_location_nothing_is_promised(desk: Desk) -> None:
    desk.order(line(1001, 4, 1), location=None)
    assert desk.level(1001, 1) == ("10", "0", "0", "10")


def test_a_changed_quantity_or_place_moves_the_promise(desk: Desk) -> None:
    number = desk.order(line(1001, 4, 1))
    desk.patch(f"salesOrder/{number}", {"item": {"items": [{"line": 1, "quantity": 7}]}})
    assert desk.level(1001, 1) == ("10", "7", "0", "3")
    desk.patch(f"salesOrder/{number}", {"item": {"items": [{"line": 1, "location": SIX}]}})
    assert desk.level(1001, 1) == ("10", "0", "0", "10")
    assert desk.level(1001, 6) == ("0", "0", "7", "0")


def test_a_patch_of_the_header_moves_no_stock(desk: Desk) -> None:
    number = desk.order(line(1001, 4, 1))
    other = desk.order(line(1001, 9, 1))
    desk.patch(
        f"salesOrder/{number}", {"memo": "again", "item": {"items": [{"line": 1, "description": "x"}]}}
    )
    assert desk.get(f"salesOrder/{number}")["item"]["items"][0]["quantityCommitted"] == 4
    assert desk.get(f"salesOrder/{other}")["item"]["items"][0]["quantityBackOrdered"] == 3


@pytest.mark.parametrize("how", ["close", "cancel", "hold", "remove"])
def test_what_is_not_wanted_any_more_is_free_again(desk: Desk, how: str) -> None:
    number = desk.order(line(1001, 4, 1), line(1002, 12, 1))
    if how == "close":
        desk.office.close_line({"order": number, "line": 1})
        assert desk.level(1001, 1) == ("10", "0", "0", "10")
        desk.patch(f"salesOrder/{number}", {"item": {"items": [{"line": 2, "isClosed": True}]}})
    elif how == "cancel":
        desk.office.cancel_order({"order": number})
    elif how == "hold":
        desk.office.hold_order({"order": number})
    else:
        replaced = {"item": {"items": [line(1003, 1, 1)]}}
        desk.patch(f"salesOrder/{number}?replace=item", replaced)
    for item in (1001, 1002):
        assert desk.level(item, 1) == ("10", "0", "0", "10")


def test_an_approval_commits_what_a_hold_released(desk: Desk) -> None:
    number = desk.order(line(1001, 4, 1), orderStatus={"id": "A"})
    assert desk.get(f"salesOrder/{number}")["status"]["id"] == "A"
    assert desk.level(1001, 1) == ("10", "0", "0", "10")
    desk.office.hold_order({"order": number, "approve": True})
    assert desk.level(1001, 1) == ("10", "4", "0", "6")


def test_what_arrives_goes_to_back_orders_the_oldest_first(desk: Desk) -> None:
    first = desk.order(line(1001, 12, 1))
    second = desk.order(line(1001, 5, 1))
    database = desk.merchant.netsuite.database
    move = pd.DataFrame({"item": [1001], "location": [1], "on_hand": [float("nan")], "delta": [4.0]})
    database.set_levels(move)
    assert desk.office.stock_came() == 2
    assert desk.get(f"salesOrder/{first}")["item"]["items"][0]["quantityCommitted"] == 12
    assert desk.get(f"salesOrder/{second}")["item"]["items"][0]["quantityCommitted"] == 2
    assert desk.level(1001, 1) == ("14", "14", "3", "0")


def test_shipping_takes_goods_and_promise_together(desk: Desk) -> None:
    number = desk.order(line(1001, 4, 1))
    desk.office.fulfil({"order": number, "lines": [{"line": 1, "quantity": 3}]})
    assert desk.level(1001, 1) == ("7", "1", "0", "6")
    desk.office.fulfil({"order": number})
    assert desk.level(1001, 1) == ("6", "0", "0", "6")


def test_picked_and_packed_goods_are_still_there(desk: Desk) -> None:
    number = desk.order(line(1001, 4, 1))
    made = desk.office.fulfil({"order": number, "status": "A"})
    assert desk.level(1001, 1) == ("10", "4", "0", "6")
    desk.office.advance({"fulfilment": made["fulfilment"], "status": "B"})
    assert desk.level(1001, 1) == ("10", "4", "0", "6")
    desk.office.advance({"fulfilment": made["fulfilment"]})
    assert desk.level(1001, 1) == ("6", "0", "0", "6")


@pytest.mark.parametrize("delete", [True, False])
def test_goods_that_come_back_are_promised_to_their_order_again(desk: Desk, delete: bool) -> None:
    number = desk.order(line(1001, 4, 1))
    made = desk.office.fulfil({"order": number})
    desk.office.unship({"fulfilment": made["fulfilment"], "delete": delete})
    assert desk.level(1001, 1) == ("10", "4", "0", "6")
    status = desk.get(f"salesOrder/{number}")["status"]["id"]
    assert status == "B"


def test_goods_may_leave_from_another_place_than_promised(desk: Desk) -> None:
    desk.put(1001, 6, 5)
    number = desk.order(line(1001, 4, 1))
    desk.office.fulfil({"order": number, "location": 6})
    assert desk.level(1001, 1) == ("10", "0", "0", "10")
    assert desk.level(1001, 6) == ("1", "0", "0", "1")


def test_a_kit_promises_and_ships_whole_kits_of_members() -> None:
    desk = Desk(skus=100, tax_engine="none")
    kit = desk.merchant.netsuite.database.rows("SELECT min(id) FROM ns.item WHERE itemtype = 'Kit'")[0][0]
    members = [(member, int(each)) for member, each in desk.books.context.items.members(kit)]
    for member, each in members:
        desk.put(member, 1, each * 3 + 1)
    number = desk.order(line(kit, 5, 1))
    shown = desk.get(f"salesOrder/{number}")["item"]["items"][0]
    assert (shown["quantityCommitted"], shown["quantityBackOrdered"]) == (3, 2)
    for member, each in members:
        assert desk.level(member, 1) == (str(each * 3 + 1), str(each * 3), str(each * 2), "1")
    made = desk.office.fulfil({"order": number})
    for member, each in members:
        assert desk.level(member, 1) == ("1", "0", str(each * 2), "1")
    lines = desk.get(f"itemFulfillment/{made['fulfilment']}")["item"]["items"]
    assert (lines[0]["item"]["id"], lines[0]["quantity"], lines[0]["orderLine"]) == (str(kit), 3, 1)
    assert [x["kitMemberOf"] for x in lines[1:]] == [lines[0]["line"]] * len(members)
    assert desk.get(f"salesOrder/{number}")["item"]["items"][0]["quantityFulfilled"] == 3


def test_a_count_starts_over(desk: Desk) -> None:
    number = desk.order(line(1001, 40, 1))
    desk.people.reset_stock({"on_hand": 30, "skus": ["SKU-000001"]})
    assert desk.level(1001, 1) == ("30", "0", "0", "30")
    assert desk.level(1002, 1) == ("10", "0", "0", "10")
    desk.office.cancel_order({"order": number})
    assert desk.level(1001, 1) == ("30", "0", "0", "30")


steps = st.lists(
    st.tuples(st.sampled_from(["order", "ship", "close", "unship", "patch"]), st.integers(0, 9)), max_size=12
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_committed_is_always_the_sum_of_what_the_orders_hold(desk: Desk, walk: list[tuple[str, int]]) -> None:
    desk.put(1001, 1, 20)
    desk.books.orders.forget_promises(set())
    numbers = [desk.order(line(1001, 3, 1))]
    for step, n in walk:
        number = numbers[n % len(numbers)]
        # Whatever is refused must leave the sums alone.
        with contextlib.suppress(ValueError, Refused):
            if step == "order":
                numbers.append(desk.order(line(1001, n + 1, 1)))
            elif step == "ship":
                desk.office.fulfil({"order": number, "status": "ABC"[n % 3]})
            elif step == "close":
                desk.office.close_line({"order": number, "line": 1, "closed": n % 2 == 0})
            elif step == "unship":
                desk.office.unship({"order": number, "delete": n % 2 == 0})
            else:
                desk.send("PATCH", f"salesOrder/{number}", {"item": {"items": [{"line": 1, "quantity": n}]}})
    level = desk.books.context.stock.cell(1001, 1)
    lines = [x for o in desk.books.context.ledger if o.kind.record == "salesOrder" for x in o.lines]
    mine = [x for x in lines if x.item is not None and x.item.id == 1001 and x.location == 1]
    assert level.committed == sum((x.committed for x in mine), Decimal(0))
    assert level.backordered == sum((x.backordered for x in mine), Decimal(0))
    gone = sum(
        (
            x.quantity or Decimal(0)
            for o in desk.books.context.ledger
            if o.kind.record == "itemFulfillment" and o.status == "C" and o.source in numbers
            for x in o.lines
        ),
        Decimal(0),
    )
    assert level.on_hand == 20 - gone
