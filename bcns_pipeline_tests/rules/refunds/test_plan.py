"""Which records a refund becomes, by what its order has become: the worked example, the router, and what waits."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.policy import Channel, OrderPolicy
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.refunds.case import Case
from bcns_pipeline.rules.refunds.plan import plan_refund
from bcns_pipeline.rules.refunds.policy import RefundPolicy
from bcns_pipeline.rules.refunds.records import RefundPlan, going_back
from bcns_pipeline.rules.refunds.router import route
from bcns_pipeline_tests.rules.orders.books import no_float
from bcns_pipeline_tests.rules.orders.examples import CERTIFICATE_ITEM, TAX_ITEM
from bcns_pipeline_tests.rules.orders.examples import POLICY as ORDERS
from bcns_pipeline_tests.rules.orders.shop import Cart, CartLine
from bcns_pipeline_tests.rules.refunds import world
from bcns_pipeline_tests.rules.refunds.world import D, captured, item, payment, refund

PLAIN = Cart([CartLine(D("20.00"), 2, D("8.875"))])


def planned(case: Case) -> RefundPlan:
    found = plan_refund(case, ORDERS, world.POLICY)
    assert isinstance(found, RefundPlan), found
    for one in found.records:
        no_float(dict(one.body))
    return found


def problem(case: Case) -> Problem:
    found = plan_refund(case, ORDERS, world.POLICY)
    assert isinstance(found, list)
    return found[0]


def example_d(**more: Any) -> Case:
    order, parts = world.sold(world.EXAMPLE_D)
    payments = [payment("stripe", "100.65"), payment("storecredit", "30.00", offline=True)]
    one = refund(77, "130.65", "10.65", [item("PRODUCT", 5501, quantity=1)], payments)
    tenders = [captured("249.00"), captured("50.00", "giftcertificate", 2)]
    return world.case(one, order, parts, tenders=tenders, **more)


def test_example_d_is_a_credit_memo_of_the_total_a_customer_refund_and_a_journal_of_store_credit() -> None:
    found = planned(example_d())

    journal, memo, money = found.records
    assert [one.key for one in found.records] == [
        "bc-abc123-refundpay-77-2",
        "bc-abc123-refund-77",
        "bc-abc123-refundpay-77-1",
    ]
    assert [
        (one["account"]["id"], one.get("debit"), one.get("credit")) for one in journal.body["line"]["items"]
    ] == [
        ("120", D("30.00"), None),
        ("232", None, D("30.00")),
    ]
    assert journal.body["line"]["items"][0]["entity"] == {"id": "55"}
    assert [(one["item"]["id"], one["amount"]) for one in memo.body["item"]["items"]] == [
        ("940", D("120.00")),
        ("901", D("10.65")),
    ]
    assert [(one.key, one.amount) for one in memo.settles] == [(journal.key, D("30.00"))]
    assert (money.record, money.account, money.amount.amount) == ("customerRefund", 113, D("100.65"))
    assert [(one.key, one.amount) for one in money.settles] == [(memo.key, D("100.65"))]
    # Unapplied after settlement: 0.00.
    assert sum(one.amount.minor for one in found.records if one.n) == memo.amount.minor


def test_a_customer_refund_names_the_payment_method_where_netsuites_form_wants_one() -> None:
    assert "paymentOption" not in planned(example_d()).records[2].body
    policy = replace(world.POLICY, payment_methods={"stripe": 7, "*": 1}, payment_field="paymentMethod")
    found = plan_refund(example_d(), ORDERS, policy)
    assert isinstance(found, RefundPlan)
    assert found.records[2].body["paymentMethod"] == {"id": "7"}


def test_a_credit_memo_names_no_item_that_has_stock() -> None:
    memo = planned(example_d()).records[1]
    goods = {"100", "101"}
    assert not goods & {one["item"]["id"] for one in memo.body["item"]["items"]}


def test_a_certificate_that_was_sold_is_taken_back_from_its_liability_and_is_no_return() -> None:
    cart = Cart([CartLine(D("50.00"), 2, kind="giftcertificate"), CartLine(D("20.00"), 1, D("8.875"))])
    order, parts = world.sold(cart)
    things = [item("PRODUCT", 5501, quantity=1), item("PRODUCT", 5502, quantity=1)]
    case = world.case(refund(5, "71.78", "1.78", things), order, parts)

    def lines(orders: OrderPolicy, policy: RefundPolicy) -> list[tuple[str, Decimal]]:
        found = plan_refund(case, orders, policy)
        assert isinstance(found, RefundPlan), found
        items = found.records[0].body["item"]["items"]
        return [(one["item"]["id"], one["amount"]) for one in items]

    goods, tax = ("940", D("20.00")), (str(TAX_ITEM), D("1.78"))
    assert lines(ORDERS, world.POLICY) == [(str(CERTIFICATE_ITEM), D("50.00")), goods, tax]
    named = replace(world.POLICY, items=replace(world.POLICY.items, certificate=947))
    assert lines(ORDERS, named) == [("947", D("50.00")), goods, tax]
    asked = plan_refund(case, replace(ORDERS, certificate_item=None), world.POLICY)
    assert isinstance(asked, list)
    assert (asked[0].code, "cash.refunds.items.gift_certificate" in asked[0].sentence) == (
        "REFUND_UNMAPPED",
        True,
    )


def test_the_order_s_currency_and_rate_are_kept() -> None:
    case = example_d()
    foreign = replace(case, books=replace(case.books, currency_id=2, rate=D("1.0850")))
    for one in planned(foreign).records:
        assert (one.body["currency"], one.body["exchangeRate"]) == ({"id": "2"}, D("1.0850"))


@pytest.mark.parametrize(
    ("given", "marketplace", "way", "account"),
    [
        (payment("stripe", "21.77"), None, "gateway", 113),
        (payment("storecredit", "21.77"), None, "store_credit", 232),
        (payment("giftcertificate", "21.77"), None, "gift_certificate", 231),
        (payment("cheque", "21.77", offline=True), None, "bank", 110),
        (payment("custom", "21.77", offline=True), None, "external", 113),
        (payment("stripe", "21.77"), "amazon", "marketplace", 135),
    ],
)
def test_the_router(given: dict[str, Any], marketplace: str | None, way: str, account: int) -> None:
    one = refund(1, "21.77", "1.77", [item("PRODUCT", 5501, quantity=1)], [given])
    tenders = [captured("43.55")]
    if way == "external":
        back = replace(captured("21.77", "stripe", 9), event="refund", reference_id=1)
        tenders.append(back)
        one = replace(one, payments=(replace(one.payments[0], transaction_id=9),))
    found = route(one, tenders, world.POLICY, world.clearing, marketplace=marketplace)
    assert isinstance(found, tuple)
    assert [(one.way, one.account) for one in found] == [(way, account)]


def test_a_refund_made_elsewhere_is_of_the_only_gateway_that_took_money_or_of_the_bank() -> None:
    one = refund(
        1, "21.77", "1.77", [item("PRODUCT", 5501, quantity=1)], [payment("custom", "21.77", offline=True)]
    )
    by_gateway = route(one, [captured("43.55")], world.POLICY, world.clearing)
    assert isinstance(by_gateway, tuple)
    assert [(each.way, each.account, each.captured_by) for each in by_gateway] == [("external", 113, 1)]
    two = [captured("20.00"), captured("23.55", "braintree", 2)]
    by_bank = route(one, two, world.POLICY, world.clearing)
    assert isinstance(by_bank, tuple)
    assert [each.way for each in by_bank] == ["bank"]


def test_a_gateway_without_a_clearing_account_is_a_question_that_names_the_key() -> None:
    one = refund(1, "21.77", "1.77", [item("PRODUCT", 5501, quantity=1)], [payment("klarna", "21.77")])
    found = route(one, [], world.POLICY, world.clearing)
    assert isinstance(found, Problem)
    assert found.code == "REFUND_UNMAPPED"
    assert "'klarna'" in found.sentence


def test_a_declined_payment_is_settled_by_nothing() -> None:
    one = refund(1, "21.77", "1.77", [], [payment("stripe", "21.77", is_declined=True)])
    assert route(one, [captured("43.55")], world.POLICY, world.clearing) == ()


def half(**more: Any) -> Case:
    order, parts = world.sold(PLAIN)
    one = refund(5, "21.78", "1.78", [item("PRODUCT", 5501, quantity=1)])
    return world.case(one, order, parts, **more)


def test_a_cash_sale_is_given_back_by_one_cash_refund() -> None:
    found = planned(half(record="cashSale", deposit=""))
    (record,) = found.records
    assert (found.route, record.record, record.body["account"]) == (
        "cash_refund",
        "cashRefund",
        {"id": "113"},
    )
    assert record.amount.amount == D("21.78")


def test_a_cash_sale_given_back_in_two_ways_is_a_credit_memo() -> None:
    assert planned(example_d(record="cashSale", deposit="")).route == "credit_memo"


def test_a_refund_waits_for_the_capture_that_it_gives_back() -> None:
    assert problem(half(deposit="")).code == "REFUND_BEFORE_CAPTURE"


def test_an_order_that_was_taken_over_was_paid_before_us_and_its_refund_waits_for_no_capture() -> None:
    assert planned(replace(half(deposit=""), taken_over=True)).route == "credit_memo"
    open_ = problem(replace(whole(billed=False, deposit=""), taken_over=True))
    assert (open_.code, "taken over" in open_.sentence) == ("REFUND_NOT_BILLED", True)


def whole(**more: Any) -> Case:
    order, parts = world.sold(PLAIN)
    one = refund(5, "43.55", "3.55", [item("PRODUCT", 5501, quantity=2)])
    return world.case(one, order, parts, **more)


def test_an_order_that_was_never_billed_is_paid_back_out_of_its_deposit_and_closed() -> None:
    found = planned(whole(billed=False))
    (record,) = found.records
    assert found.route == "deposit"
    assert record.body["deposit"]["items"] == [{"doc": {"id": "9001"}, "apply": True, "amount": D("43.55")}]
    assert found.cut is not None
    assert {one["line"] for one in found.cut.body["item"]["items"] if one["isClosed"]} == set(
        found.cut.closes
    )


def test_a_line_that_was_never_billed_is_closed_with_its_share_of_the_tax_line() -> None:
    order, parts = world.sold(world.EXAMPLE_D)
    one = refund(7, "130.65", "10.65", [item("PRODUCT", 5501, quantity=1)])
    found = planned(world.case(one, order, parts, billed=False))
    assert found.cut is not None
    goods, tax = found.cut.body["item"]["items"]
    assert goods == {"line": 1, "isClosed": True}
    assert tax["amount"] == D("13.72")


def test_a_deposit_is_never_overdrawn() -> None:
    assert problem(whole(billed=False, deposit="40.00")).code == "REFUND_EXCEEDS_CAPTURE"


def test_goodwill_on_an_order_that_is_still_to_ship_is_credited() -> None:
    order, parts = world.sold(PLAIN)
    one = refund(5, "4.00", "0.00", [item("ORDER", 1001, requested_amount=D("4.00"))])
    found = planned(world.case(one, order, parts, billed=False))
    assert found.route == "credit_memo"
    assert found.cut is None


def test_the_money_of_a_refund_made_elsewhere_waits_for_the_provider_and_its_credit_does_not() -> None:
    case = half()
    elsewhere = replace(case.settlements[0], way="external", references=("re_1",))
    waiting = planned(replace(case, settlements=(elsewhere,)))
    assert [one.record for one in waiting.records] == ["creditMemo"]
    assert waiting.later == (elsewhere,)
    seen = planned(replace(case, settlements=(elsewhere,), seen=frozenset({1})))
    assert [one.record for one in seen.records] == ["creditMemo", "customerRefund"]
    assert seen.later == ()


def test_what_has_no_item_is_named_before_anything_is_sent() -> None:
    case = half()
    policy = replace(world.POLICY, items=replace(world.POLICY.items, product=None))
    found = plan_refund(case, ORDERS, policy)
    assert isinstance(found, list)
    assert [(one.code, "cash.refunds.items.product" in one.sentence) for one in found] == [
        ("REFUND_UNMAPPED", True)
    ]


def test_department_and_class_stand_on_lines_where_the_merchant_wants_them() -> None:
    case = replace(half(), channel=Channel(1, subsidiary=1, location=2, department=4, class_id=3))
    found = plan_refund(case, replace(ORDERS, line_dimensions=True), world.POLICY)
    assert isinstance(found, RefundPlan)
    body = found.records[0].body
    assert body["location"] == {"id": "2"}
    assert {tuple(one["department"].values()) for one in body["item"]["items"]} == {("4",)}


def test_the_shares_of_two_refunds_take_all_of_the_tax_line_and_no_more() -> None:
    order, parts = world.sold(world.EXAMPLE_D)
    first = refund(1, "130.65", "10.65", [item("PRODUCT", 5501, quantity=1)])
    second = refund(2, "168.35", "13.72", [item("PRODUCT", 5502, quantity=1)])
    bodies = [
        planned(world.case(first, order, parts)).records[0].body,
        planned(world.case(second, order, parts, earlier=(first,))).records[0].body,
    ]
    taxes = [
        line["amount"] for body in bodies for line in body["item"]["items"] if line["item"]["id"] == "901"
    ]
    assert taxes == [Decimal("10.65"), Decimal("13.72")]


@given(st.data(), st.lists(st.integers(1, 90_000), min_size=1, max_size=4), st.booleans(), st.booleans())
def test_what_goes_back_is_counted_once_whatever_records_tell_of_it(
    data: st.DataObject, paid: list[int], credited: bool, waits: bool
) -> None:
    """Approved is the whole: payments that settle a credit are no second sum, and one that waits is in the credit."""
    whole = sum(paid)
    records = [(n, Money(minor, "USD")) for n, minor in enumerate(paid, 1)]
    if credited:
        records.append((0, Money(whole, "USD")))
        records = records[1:] if waits else records
    # Deposits that turn into stored value are taken back first, by a record of a part of it.
    records.append((0, Money(data.draw(st.integers(1, whole)), "USD")))

    assert going_back(data.draw(st.permutations(records))) == Money(whole, "USD")
