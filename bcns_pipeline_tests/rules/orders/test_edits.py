from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.compare import differences
from bcns_pipeline.rules.orders.draft import Draft
from bcns_pipeline.rules.orders.edits import Patch, as_shown, plan_cancellation, plan_edit, same_sale
from bcns_pipeline.rules.orders.facts import Shown
from bcns_pipeline.rules.orders.paths import parse_path
from bcns_pipeline.rules.orders.policy import CASH_SALE, SALES_ORDER, OrderPolicy
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.stopped import SetStatus, stopped
from bcns_pipeline_tests.rules.orders.books import Record
from bcns_pipeline_tests.rules.orders.examples import (
    FACTS,
    POLICY,
    SUITE_FACTS,
    SUITETAX,
    D,
    drafted,
    order_of,
)
from bcns_pipeline_tests.rules.orders.shop import ADDRESS, Cart, CartLine

NOTED = replace(POLICY, fields={"custbody_note": parse_path("customer_message")})


def cart(units: int = 3, *more: CartLine, shipping: str = "5") -> Cart:
    lines = [CartLine(D(10), units, D(10)), CartLine(D(4), 1, D(10)), *more]
    return Cart(lines, shipping=D(shipping))


def draft(of: Cart, policy: OrderPolicy = NOTED, facts: Any = FACTS, **more: Any) -> Draft:
    return drafted(order_of(of, **more), policy, facts)


def record(of: Draft) -> Record:
    return Record.made(of.body(), "USD", 2)


def patch_of(before: Draft, after: Draft, shown: Shown, policy: OrderPolicy = NOTED) -> Patch:
    found = plan_edit(before, after, shown, policy)
    assert isinstance(found, Patch), found
    return found


def conflict(before: Draft, after: Draft, shown: Shown, policy: OrderPolicy = NOTED) -> str:
    found = plan_edit(before, after, shown, policy)
    assert isinstance(found, Problem), found
    assert found.code == "ORDER_EDIT_CONFLICT"
    return found.sentence


def test_one_of_three_units_cancelled_leaves_two_open_and_totals_equal() -> None:
    before, after = draft(cart(3)), draft(cart(2))
    books = record(before)
    patch = patch_of(before, after, books.shown())
    assert patch.body == {
        "item": {
            "items": [
                {"line": 1, "quantity": 2, "rate": D("10.0000"), "amount": D("20.00")},
                {"line": 3, "rate": D("2.40"), "amount": D("2.40")},
            ]
        }
    }
    assert patch.reasons == ("line 5501: 3 for 30.00 -> 2 for 20.00", "line tax: 1 for 3.40 -> 1 for 2.40")
    assert patch.impact.amount == D("-11.00")
    books.write(patch.body)
    assert books.total == after.expected.total == D("31.40")
    assert plan_edit(after, after, books.shown(), NOTED) is None
    assert plan_edit(before, after, books.shown(), NOTED) is None


def test_what_did_not_change_is_not_written() -> None:
    before = draft(cart())
    later = draft(cart(), date_modified="Tue, 12 Mar 2019 15:17:25 +0000", status_id=9)
    assert plan_edit(before, later, record(before).shown(), NOTED) is None


def test_fields_that_bigcommerce_owns_are_patched_and_emptied() -> None:
    before, after = draft(cart(), customer_message="please ring"), draft(cart(), customer_message="")
    moved = draft(cart(), billing_address={**ADDRESS, "street_1": "2 Low St"})
    shown = record(before).shown()
    assert patch_of(before, after, shown).body == {"custbody_note": None}
    found = patch_of(after, moved, shown)
    assert list(found.body) == ["billingAddress"]
    assert found.reasons == ("billingAddress changed",)
    assert "Low St" not in repr(found)


def test_what_others_own_is_never_in_a_patch() -> None:
    before = draft(cart())
    policy = replace(NOTED, channels={1: replace(NOTED.channels[1], location=None)}, order_status="A")
    facts = replace(FACTS, customer=replace(FACTS.customer, id=999))
    after = draft(cart(), policy, facts, date_created="Wed, 06 Mar 2019 21:40:11 +0000")
    assert plan_edit(before, after, record(before).shown(), NOTED) is None


def test_a_line_taken_off_is_closed_over_nothing_and_a_new_one_is_added() -> None:
    before, after = draft(cart(3, CartLine(D(7)))), draft(cart(3))
    books = record(before)
    patch = patch_of(before, after, books.shown())
    assert patch.body["item"]["items"] == [
        {"line": 3, "rate": D(0), "amount": D(0), "quantity": 0, "isClosed": True}
    ]
    books.write(patch.body)
    assert books.total == after.expected.total
    back = patch_of(after, before, books.shown())
    (line,) = back.body["item"]["items"]
    # The same line of BigCommerce's is the same line of NetSuite's again.
    assert (line["line"], line["quantity"], line["isClosed"]) == (3, 1, False)
    fresh = draft(cart(3, CartLine(D(7)), CartLine(D(8))))
    books.write(back.body)
    (added,) = patch_of(before, fresh, books.shown()).body["item"]["items"]
    assert "line" not in added
    assert added["custcol_bc_line_id"] == "5504"


def test_shipping_of_the_header_follows() -> None:
    before, after = draft(cart()), draft(cart(shipping="7.50"))
    assert patch_of(before, after, record(before).shown()).body == {"shippingCost": D("7.50")}


def test_units_that_left_are_never_taken_back() -> None:
    before, after = draft(cart(3)), draft(cart(1))
    books = record(before)
    books.fulfilled[1] = 2
    assert "2 fulfilled and 0 billed" in conflict(before, after, books.shown())
    assert patch_of(before, draft(cart(2)), books.shown())
    assert "Line 5501 was taken off" in conflict(before, draft(cart(0)), books.shown())


def test_a_line_that_left_is_never_taken_off() -> None:
    before, after = draft(cart(3, CartLine(D(7)))), draft(cart(3))
    books = record(before)
    books.fulfilled[3] = 1
    assert "Line 5503 was taken off" in conflict(before, after, books.shown())


def test_a_line_on_an_invoice_keeps_its_price() -> None:
    before, after = draft(cart(3)), draft(cart(4))
    books = record(before)
    books.billed[1] = 1
    assert "1 billed" in conflict(before, after, books.shown())


@pytest.mark.parametrize(("status", "name"), [("G", "billed"), ("H", "closed"), ("C", "cancelled")])
def test_an_order_at_its_end_is_not_opened_again(status: str, name: str) -> None:
    before, after = draft(cart(3)), draft(cart(2))
    shown = replace(record(before).shown(), status=status)
    assert f"is {name} in NetSuite" in conflict(before, after, shown)
    noted = draft(cart(3), customer_message="thanks")
    found = plan_edit(before, noted, shown, NOTED)
    assert (found is None) is (status != "G")


def test_a_line_that_somebody_changed_in_netsuite_is_left_to_people() -> None:
    before, after = draft(cart(3)), draft(cart(2))
    books = record(before)
    books.lines[1].update(quantity=5, amount=D("50.00"))
    assert "changed on both sides" in conflict(before, after, books.shown())
    # What BigCommerce did not touch is theirs to change.
    other = draft(cart(3, shipping="6"))
    assert patch_of(before, other, books.shown()).body == {"shippingCost": D("6.00")}
    books.lines[1].update(quantity=3, amount=D("30.00"), isClosed=True)
    assert "closed in NetSuite" in conflict(before, after, books.shown())
    del books.lines[1]
    assert "does not have it any more" in conflict(before, after, books.shown())
    # Nor is it taken off over somebody's head.
    longer, books = draft(cart(3, CartLine(D(7)))), record(draft(cart(3, CartLine(D(7)))))
    books.lines[3].update(quantity=2, amount=D("14.00"))
    assert "was taken off, and NetSuite's was changed" in conflict(longer, before, books.shown())


def test_a_name_that_is_taken_by_another_line_is_a_conflict() -> None:
    before, after = draft(cart(3)), draft(cart(3, CartLine(D(7))))
    books = record(before)
    books.lines[9] = {**books.lines[1], "custcol_bc_line_id": "5503", "item": {"id": "66"}}
    assert "another one of that name" in conflict(before, after, books.shown())


def test_with_suitetax_all_rows_are_sent_again_with_the_names_of_their_lines() -> None:
    policy = replace(NOTED, tax=SUITETAX)
    before, after = draft(cart(3), policy, SUITE_FACTS), draft(cart(2), policy, SUITE_FACTS)
    books = record(before)
    patch = patch_of(before, after, books.shown(), policy)
    assert patch.body["item"]["items"] == [
        {
            "line": 1,
            "quantity": 2,
            "rate": D("10.0000"),
            "amount": D("20.00"),
            "taxDetailsReference": "bc-5501",
        },
        {"line": 2, "taxDetailsReference": "bc-5502"},
    ]
    assert [row["taxAmount"] for row in patch.body["taxDetails"]["items"]] == [D("2.00"), D("0.40")]
    books.write(patch.body)
    assert (books.total, books.tax) == (D("31.40"), D("2.40"))
    assert plan_edit(before, after, books.shown(), policy) is None


def test_with_suitetax_a_line_that_was_taken_off_leaves_no_tax_behind() -> None:
    policy = replace(NOTED, tax=SUITETAX)
    before, after = draft(cart(3), policy, SUITE_FACTS), draft(cart(0), policy, SUITE_FACTS)
    books = record(before)
    books.write(patch_of(before, after, books.shown(), policy).body)
    assert (books.total, books.tax) == (D("9.40"), D("0.40"))


def test_another_item_on_the_same_line_is_exchanged_while_nothing_left() -> None:
    before = draft(cart(3))
    after = draft(Cart([CartLine(D(10), 3, D(10), sku="SKU-9"), CartLine(D(4), 1, D(10))], shipping=D(5)))
    books = record(before)
    (line,) = patch_of(before, after, books.shown()).body["item"]["items"]
    assert line == {"line": 1, "item": {"id": "109"}, "rate": D("10.0000"), "amount": D("30.00")}
    books.fulfilled[1] = 1
    assert conflict(before, after, books.shown())


def test_fields_of_a_line_follow_without_its_figures() -> None:
    policy = replace(NOTED, line_fields={"custcol_name": parse_path("name")})
    before, after = draft(cart(3), NOTED), draft(cart(3), policy)
    found = patch_of(before, after, record(before).shown(), policy)
    assert found.body["item"]["items"][0] == {"line": 1, "custcol_name": "Thing 0"}
    assert found.reasons[0] == "line 5501: its fields"


def test_later_versions_change_nothing_where_the_merchant_says_so() -> None:
    before, after = draft(cart(3)), draft(cart(2))
    assert plan_edit(before, after, record(before).shown(), replace(NOTED, updates="off")) is None


def test_with_status_only_another_total_is_a_question_until_netsuite_shows_it() -> None:
    before, after, policy = draft(cart(3)), draft(cart(2)), replace(NOTED, updates="status_only")
    found = plan_edit(before, after, record(before).shown(), policy)
    assert isinstance(found, Problem)
    assert found.code == "ORDER_TOTAL_LEFT"
    assert str(after.expected.total) in found.sentence
    assert found.amount == Money.of(before.expected.total - after.expected.total, "USD")
    assert plan_edit(before, after, record(after).shown(), policy) is None
    assert plan_edit(before, before, record(before).shown(), policy) is None


def test_a_cash_sale_has_posted_and_is_left_alone() -> None:
    policy = replace(NOTED, channels={1: replace(NOTED.channels[1], record=CASH_SALE)})
    before, after = draft(cart(3), policy), draft(cart(2), policy)
    assert "posted" in conflict(before, after, record(before).shown(), policy)
    cancelled = plan_cancellation(before.expected, CASH_SALE, record(before).shown(), policy)
    assert isinstance(cancelled, Problem)


@pytest.mark.parametrize("updates", ["full", "status_only"])
def test_a_cancelled_order_closes_what_is_open(updates: Any) -> None:
    made = draft(cart(3))
    books = record(made)
    found = plan_cancellation(made.expected, SALES_ORDER, books.shown(), replace(NOTED, updates=updates))
    assert isinstance(found, Patch)
    assert found.closes
    assert found.body == {"item": {"items": [{"line": number, "isClosed": True} for number in (1, 2, 3)]}}
    books.write(found.body)
    assert books.total == made.expected.total
    assert plan_cancellation(made.expected, SALES_ORDER, books.shown(), NOTED) is None
    assert plan_cancellation(made.expected, SALES_ORDER, replace(books.shown(), status="H"), NOTED) is None


def test_a_cancellation_that_comes_too_late_is_for_a_person() -> None:
    made = draft(cart(3))
    books = record(made)
    books.fulfilled[1] = 1
    late = plan_cancellation(made.expected, SALES_ORDER, books.shown(), NOTED)
    assert isinstance(late, Problem)
    assert "fulfilled or billed" in late.sentence
    off = plan_cancellation(made.expected, SALES_ORDER, record(made).shown(), replace(NOTED, updates="off"))
    assert isinstance(off, Problem)
    assert "orders.updates is off" in off.sentence


def test_what_only_moved_on_is_the_same_sale_and_another_price_is_not() -> None:
    order = order_of(cart(3))
    shipped = tuple(replace(line, quantity_shipped=1, quantity_refunded=1) for line in order.lines)
    moved = replace(order, status_id=2, payment_status="captured", external_order_id="5001", lines=shipped)
    assert same_sale(order, moved)
    assert not same_sale(order, order_of(cart(2)))
    assert not same_sale(order, replace(order, billing=replace(order.billing, city="Houston")))


def test_a_record_as_it_is_shows_no_difference_from_itself() -> None:
    books = record(draft(cart(3))).shown()
    assert differences(as_shown(books, books.tax), books) == []


@pytest.mark.parametrize(
    ("letter", "status", "settings", "found"),
    [
        ("B", 11, {"H": 5}, None),
        ("H", 11, {"H": 5}, 5),
        ("H", 5, {"H": 5}, None),
        ("H", 2, {"H": 5}, None),
        ("H", 10, {"H": "exception"}, None),
        ("H", 3, {"H": "exception"}, "exception"),
        ("C", 11, {"C": "exception"}, "exception"),
        ("C", 11, {}, None),
        ("A", 11, {"A": "exception"}, "exception"),
        ("A", 11, {"A": 12}, 12),
        ("A", 12, {"A": 12}, None),
    ],
)
def test_an_order_stopped_in_netsuite_reaches_the_shop_or_a_person(
    letter: str, status: int, settings: Any, found: Any
) -> None:
    result = stopped(5001, letter, status, replace(POLICY, stopped=settings))
    if found is None:
        assert result is None
    elif found == "exception":
        assert isinstance(result, Problem)
        assert result.code == "ORDER_STOPPED_IN_NETSUITE"
    else:
        assert isinstance(result, SetStatus)
        assert (result.status_id, "5001" in result.reason) == (found, True)


def test_orders_that_we_make_pending_approval_are_not_held_by_anybody() -> None:
    assert stopped(5001, "A", 11, replace(POLICY, stopped={"A": "exception"}, order_status="A")) is None
