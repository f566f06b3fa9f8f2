"""Identities E2a to E2c with the numbers of facts/finance.md 3.1 and 3.2, and its list of traps."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.model import Cost, Coupon, Order
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.totals import Totals, add_up
from bcns_pipeline_tests.rules.orders.examples import EXAMPLE_C, changed, order_of
from bcns_pipeline_tests.rules.orders.shop import Cart, CartLine, document, text

D = Decimal


def summed(order: Order, **more: Any) -> Totals:
    found = tried(order, **more)
    assert isinstance(found, Totals), found
    return found


def tried(order: Order, **more: Any) -> Totals | Problem:
    terms = {"inclusive": bool(order.prices_include_tax), "tax_source": "order", "max_residual": 5, **more}
    return add_up(order, **terms)


def nets(totals: Totals) -> list[Decimal]:
    return [part.net.amount for part in totals.parts]


def taxes(totals: Totals) -> list[Decimal]:
    return [part.tax.amount for part in totals.parts]


def test_worked_example_c_comes_out_to_the_cent() -> None:
    totals = summed(order_of(EXAMPLE_C))
    assert nets(totals) == [D("53.97"), D("31.05"), D("13.05"), D("9.95")]
    assert taxes(totals) == [D("4.79"), D("2.76"), D("1.16"), D("0.00")]
    assert [part.discount.amount for part in totals.parts] == [D("6.00"), D("3.45"), D("1.45"), D("0.00")]
    assert totals.charged == Money.of("116.73", "USD")
    assert (totals.residual.minor, totals.identity, totals.tax.disagree) == (0, "E2b", False)
    assert totals.closing == ("E2b", "E2c", "E2a")


def test_a_price_with_tax_gives_its_cent_to_the_net_and_not_to_nobody() -> None:
    totals = summed(order_of(Cart([CartLine(D("19.99"), 3, D(20))], inclusive=True)))
    assert (nets(totals), taxes(totals)) == ([D("49.98")], [D("9.99")])
    assert (totals.charged.amount, totals.identity) == (D("59.97"), "E2c")


def test_both_discount_fields_of_the_header_are_taken_off() -> None:
    """Sample order 218 of BigCommerce's own documents, without the fees that contradict it."""
    line = CartLine(D("67.84"))
    order = replace(
        order_of(Cart([line])),
        charged=Cost(D("64.53"), D("69.84"), D("5.31")),
        subtotal=Cost(D("62.6793"), D("67.84"), D("4.40")),
        shipping=Cost(D("11.09"), D("12.00"), D("0.91")),
        discount_amount=D("5.0000"),
        coupon_discount=D("5.0000"),
    )
    order = changed(order, line_total=Cost(D("62.6793"), D("67.84"), D("4.40")), line_discounted_total=None)
    totals = summed(order)
    # 67.84 + 12.00 - 5.00 - 5.00 = 69.84, on the side with tax although the order says it is the other.
    assert (totals.identity, totals.residual.minor) == ("E2a", 0)
    assert sum(nets(totals)) + sum(taxes(totals)) == D("69.84")
    assert sum(taxes(totals)) == D("5.31")


def test_the_fees_of_that_sample_contradict_its_total_and_the_order_is_held() -> None:
    order = order_of(Cart([CartLine(D("67.84"))], shipping=D(12), fees=[D("12.30"), D("12.00")]))
    said = tried(replace(order, charged=Cost(D("69.84"), D("69.84"), D(0))))
    assert isinstance(said, Problem)
    assert said.code == "ORDER_COMPONENTS_DO_NOT_ADD"
    assert said.sentence == (
        "The parts come to 104.14 USD (lines 67.84, shipping 12.00, fees 24.30, tax 0.00), 34.30 USD more "
        "than the charged 69.84 USD; a rounding line may close 0.04 USD."
    )


def test_the_discounted_total_of_a_line_is_believed_where_the_rest_contradicts_itself() -> None:
    """Product 65 of sample order 149: 65.23 - 1.59 = 63.64, a discount on the side with tax."""
    shown = document(Cart([CartLine(D("55.99"), 1, D("16.502"))]))
    (line,) = shown["consignments"]["shipping"][0]["line_items"]
    assert (line["total_inc_tax"], line["total_tax"]) == ("65.2300", "9.2400")
    line["discounted_total_inc_tax"] = "63.6400"
    line["applied_discounts"] = [{"id": "manual-discount", "amount": "1.5900", "target": "order"}]
    order = changed(
        order_of(Cart([CartLine(D("55.99"), 1, D("16.502"))])),
        line_discounted_total=D("63.64"),
        charged=Cost(D("54.40"), D("63.64"), D("9.24")),
        discount_amount=D("1.59"),
    )
    totals = summed(order)
    assert (nets(totals), taxes(totals)) == ([D("54.40")], [D("9.24")])
    assert totals.residual.minor == 0


def test_tax_of_a_line_from_before_its_discount_is_recognised() -> None:
    """100 - 20 at 10 % is 88.00, whichever of the two taxes the line shows (feature O22)."""
    cart = Cart([CartLine(D(100), 1, D(10)), CartLine(D(50), 1, D(10))], manual=D(0))
    cart.lines[0].off = D(20)
    order = order_of(cart)
    assert order.charged.inc == D(143)
    trap = changed(order, line_total=Cost(D(100), D(110), D(10)))
    for one in (order, trap):
        totals = summed(one)
        assert nets(totals) == [D(80), D(50)]
        assert taxes(totals) == [D(8), D(5)]
        assert not totals.tax.disagree


def test_tax_without_rounding_per_line_is_that_of_the_whole_order() -> None:
    cart = replace(EXAMPLE_C, rate_rounding=False)
    order = order_of(cart)
    assert order.charged.inc == D("116.72")
    totals = summed(order)
    assert nets(totals)[:3] == [D("53.97"), D("31.05"), D("13.05")]
    assert taxes(totals)[:3] == [D("4.79"), D("2.75"), D("1.16")]
    assert totals.residual.minor == 0


def test_the_declared_winner_decides_where_taxes_differ_by_a_cent() -> None:
    order = order_of(EXAMPLE_C)
    off = replace(order, charged=Cost(order.charged.ex, order.charged.inc, D("8.70")))
    by_order, by_lines = summed(off), summed(off, tax_source="lines")
    assert (by_order.tax.total.amount, by_lines.tax.total.amount) == (D("8.70"), D("8.71"))
    # The charged total stays what it is: each line's amount with tax holds, so its net takes the cent.
    assert (by_order.identity, by_lines.identity) == ("E2c", "E2b")
    assert (by_order.residual.minor, by_lines.residual.minor) == (0, 0)
    assert taxes(by_order) == [D("4.78"), D("2.76"), D("1.16"), D(0)]
    assert nets(by_order)[0] == D("53.98")
    assert not by_order.tax.disagree


def test_a_cent_that_no_reading_explains_goes_to_rounding() -> None:
    order = order_of(EXAMPLE_C)
    lines = tuple(replace(line, discounted_total=None) for line in order.lines)
    off = replace(order, lines=lines, charged=Cost(order.charged.ex, D("116.74"), D("8.71")))
    totals = summed(off)
    assert (totals.residual.minor, totals.closing) == (1, ())


def test_more_than_cents_between_the_taxes_is_a_disagreement() -> None:
    """A sample of BigCommerce's has total_tax 0.0000 and subtotal_tax 25.6300."""
    order = order_of(Cart([CartLine(D("361.95"), 1, D("7.081"))]))
    assert order.lines[0].total.tax == D("25.63")
    untaxed = replace(order, charged=Cost(D("361.95"), D("361.95"), D(0)))
    totals = summed(untaxed)
    assert totals.tax.disagree
    assert (totals.tax.by_order.amount, totals.tax.by_parts.amount) == (D(0), D("25.63"))


def test_tax_that_only_the_order_knows_of_is_spread_over_what_can_be_taxed() -> None:
    cart = Cart([CartLine(D(30)), CartLine(D(10)), CartLine(D(50), kind="giftcertificate")])
    order = order_of(cart)
    totals = summed(replace(order, charged=Cost(D(90), D("94.00"), D("4.00"))))
    assert taxes(totals) == [D("3.00"), D("1.00"), D("0.00")]
    assert totals.tax.disagree


def test_tax_on_nothing_is_a_mismatch() -> None:
    order = order_of(Cart([CartLine(D(50), kind="giftcertificate")]))
    said = tried(replace(order, charged=Cost(D(50), D(54), D(4))))
    assert isinstance(said, Problem)
    assert said.code == "TAX_MISMATCH"


@pytest.mark.parametrize("inclusive", [False, True])
def test_a_fee_below_nothing_waits_under_its_own_name(inclusive: bool) -> None:
    said = tried(
        order_of(Cart([CartLine(D(50))], fees=[D("-5.00")], inclusive=inclusive)), inclusive=inclusive
    )
    assert isinstance(said, Problem)
    assert (said.code, "fee-" in said.sentence) == ("ORDER_COMPONENTS_DO_NOT_ADD", True)


@pytest.mark.parametrize(
    ("off", "held"), [("0.03", False), ("-0.03", False), ("0.04", True), ("-0.04", True)]
)
def test_a_rest_within_a_cent_per_priced_part_is_closed_and_more_is_held(off: str, held: bool) -> None:
    cart = Cart([CartLine(D(10)), CartLine(D(20)), CartLine(D(30)), CartLine(D(0))])
    order = order_of(cart)
    total = D(60) + D(off)
    found = tried(replace(order, charged=Cost(total, total, D(0))))
    if held:
        assert isinstance(found, Problem)
        assert "may close 0.03 USD" in found.sentence
    else:
        assert isinstance(found, Totals)
        assert found.residual.amount == D(off)


def test_the_cap_of_the_merchant_is_a_cap_too() -> None:
    cart = Cart([CartLine(D(10)) for _ in range(9)])
    order = order_of(cart)
    shifted = replace(order, charged=Cost(D("90.03"), D("90.03"), D(0)))
    assert summed(shifted, max_residual=3).residual.minor == 3
    assert isinstance(tried(shifted, max_residual=2), Problem)


@pytest.mark.parametrize(
    ("currency", "price", "total"),
    [("JPY", "1050", "3150"), ("KWD", "3.334", "10.002"), ("EUR", "3.34", "10.02")],
)
def test_currencies_of_none_two_and_three_digits(currency: str, price: str, total: str) -> None:
    totals = summed(order_of(Cart([CartLine(D(price), 3)], currency)))
    assert totals.charged == Money.of(total, currency)
    assert totals.residual.minor == 0


def test_ten_dinars_in_three_are_never_a_fils_short() -> None:
    cart = Cart([CartLine(D(10)), CartLine(D(10)), CartLine(D(10))], "KWD", coupon=D(10))
    totals = summed(order_of(cart))
    assert [part.discount.amount for part in totals.parts] == [D("3.334"), D("3.333"), D("3.333")]


def test_prices_of_four_digits_round_once_for_the_whole_order() -> None:
    cart = Cart([CartLine(D("0.0335"), 10, D(0)) for _ in range(9)])
    shown = document(cart)
    for line in shown["consignments"]["shipping"][0]["line_items"]:
        line["total_ex_tax"] = line["total_inc_tax"] = line["discounted_total_inc_tax"] = "0.3350"
    order = order_of(cart)
    lines = tuple(
        replace(line, total=Cost(D("0.3350"), D("0.3350")), discounted_total=None) for line in order.lines
    )
    # 9 x 0.335 is 3.015, which BigCommerce charges as 3.02; rounded one by one it would be 3.06.
    exact = replace(order, lines=lines, charged=Cost(D("3.02"), D("3.02"), D(0)))
    totals = summed(exact)
    assert totals.residual.minor == 0
    assert sum(nets(totals)) == D("3.02")
    assert set(nets(totals)) == {D("0.33"), D("0.34")}


def test_a_discount_that_no_line_knows_of_goes_to_shipping_if_its_coupon_says_so() -> None:
    cart = Cart([CartLine(D(5))], shipping=D(20))
    order = replace(order_of(cart), coupon_discount=D(20), charged=Cost(D(5), D(5), D(0)))
    order = changed(order, line_discounted_total=None)
    free = summed(order, coupons=(Coupon(1, "FREE", 4, D(20)),))
    assert nets(free) == [D(5), D(0)]
    # Without knowing the coupon, goods go first; the total is the same.
    assert nets(summed(order)) == [D(0), D(5)]


def test_a_header_that_counts_less_than_its_lines_is_tried_too() -> None:
    cart = Cart([CartLine(D(30)), CartLine(D(10))])
    cart.lines[0].off = D(8)
    order = order_of(cart)
    # Automatic promotions stand on the lines and, in some orders, not in the header.
    assert summed(replace(order, discount_amount=D(0))).residual.minor == 0
    scaled = replace(order, discount_amount=D(4), charged=Cost(D(36), D(36), D(0)))
    scaled = replace(scaled, lines=tuple(replace(line, discounted_total=None) for line in scaled.lines))
    assert nets(summed(scaled)) == [D(26), D(10)]


def test_discounts_above_everything_are_held() -> None:
    order = replace(order_of(Cart([CartLine(D(5))])), discount_amount=D(9))
    order = changed(order, line_discounted_total=D("-4"), charged=Cost(D(0), D(0), D(0)))
    assert isinstance(tried(order), Problem)


def test_an_order_of_nothing_comes_to_nothing() -> None:
    cart = Cart([CartLine(D(20), 2, D(10))], coupon=D(40))
    totals = summed(order_of(cart))
    assert (totals.charged.minor, nets(totals), taxes(totals)) == (0, [D(0)], [D(0)])


def test_gift_certificates_and_store_credit_change_no_total() -> None:
    cart = replace(EXAMPLE_C, gift_certificate=D(50), store_credit=D("16.73"))
    assert summed(order_of(cart)).charged.amount == D("116.73")


def test_text_of_the_shop_has_four_digits() -> None:
    assert text(D("10.9")) == "10.9000"
