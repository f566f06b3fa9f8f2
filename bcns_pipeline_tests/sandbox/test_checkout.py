"""The shop's own arithmetic, against hand-worked carts and against what must hold for any cart.

Put pricing here, called as functions. Do not put HTTP here (test_orders.py).
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.sandbox.bigcommerce.money import ZERO, half_up, minor, split
from bcns_pipeline.sandbox.bigcommerce.orders.checkout import price
from bcns_pipeline.sandbox.bigcommerce.orders.models import (
    FREE_SHIPPING,
    PER_ITEM,
    PER_TOTAL,
    PERCENT,
    SHIPPING,
    Discount,
    Fee,
    Line,
    Order,
    Rate,
    ShipTo,
)
from bcns_pipeline.sandbox.bigcommerce.settings import NO_ROUNDING, RATE_ROUNDING

NOW = datetime(2026, 3, 4, tzinfo=UTC)
D = Decimal


def order(currency: str = "USD", *, inclusive: bool = False, rounding: str = RATE_ROUNDING) -> Order:
    """An empty order."""
    return Order(100, NOW, NOW, 11, 0, {}, currency, "USD", D(1), inclusive, rounding)


def line(number: int, quantity: int, each: str, *rates: Rate, wrap: str | None = None) -> Line:
    """A line shipped to address 1."""
    found = Line(number, f"SKU-{number}", "", "physical", quantity, D(each), rates, address_id=1)
    found.wrap_price = None if wrap is None else D(wrap)
    return found


def test_ten_percent_off_three_lines_comes_out_to_the_cent() -> None:
    tax = Rate("Sales tax", D("8.875"))
    cart = order()
    cart.lines = [line(1, 3, "19.99", tax), line(2, 1, "34.50", tax), line(3, 2, "7.25", tax)]
    cart.discounts = [Discount("coupon", PERCENT, D(10), "Ten", "TEN")]
    cart.addresses = [ShipTo(1, {}, "Ground", D("9.95"))]
    price(cart)
    assert [one.discounts[0].amount for one in cart.lines] == [D("6.00"), D("3.45"), D("1.45")]
    assert [one.total.tax for one in cart.lines] == [D("4.79"), D("2.76"), D("1.16")]
    assert (cart.coupon_discount, cart.total.tax, cart.total.inc) == (D("10.90"), D("8.71"), D("116.73"))


def test_tax_is_taken_out_of_a_price_that_includes_it_so_that_both_parts_add_up() -> None:
    cart = order(inclusive=True)
    cart.lines = [line(1, 3, "19.99", Rate("VAT", D(20)))]
    price(cart)
    only = cart.lines[0]
    assert (cart.total.inc, cart.total.tax, cart.total.ex) == (D("59.97"), D("9.99"), D("49.98"))
    # The estimated side is a unit price of 4 decimals times the quantity, and does not add up.
    assert (only.unit.ex, only.total.ex) == (D("16.6583"), D("49.9749"))


def test_a_later_rate_is_charged_on_the_earlier_one() -> None:
    cart = order()
    cart.lines = [line(1, 1, "100", Rate("GST", D(5)), Rate("PST", D(10), priority=1))]
    price(cart)
    assert [row.amount for row in cart.taxes] == [D("5.00"), D("10.50")]


@pytest.mark.parametrize(
    ("currency", "total"), [("JPY", "1100"), ("USD", "1099.89"), ("KWD", "1099.890")], ids=str
)
def test_tax_is_rounded_to_what_the_currency_has(currency: str, total: str) -> None:
    cart = order(currency)
    cart.lines = [line(1, 1, "1000" if currency == "JPY" else "999.90", Rate("Tax", D(10)))]
    price(cart)
    assert str(cart.total.inc) == total


def test_a_shipping_coupon_lowers_the_cost_of_shipping_and_no_discount_field() -> None:
    for kind, amount, left in ((SHIPPING, "4", "5.95"), (FREE_SHIPPING, "0", "0"), (SHIPPING, "40", "0")):
        cart = order()
        cart.lines = [line(1, 1, "10")]
        cart.discounts = [Discount("coupon", kind, D(amount), "Ship", "SHIP")]
        cart.addresses = [ShipTo(1, {}, "Ground", D("9.95"))]
        price(cart)
        assert (cart.shipping.base, cart.shipping.inc, cart.coupon_discount) == (D("9.95"), D(left), ZERO)


def test_what_was_taken_off_by_hand_comes_after_promotions_and_coupons() -> None:
    cart = order()
    cart.lines = [line(1, 1, "100")]
    cart.discounts = [
        Discount("manual", PER_TOTAL, D(5), "Manual Discount"),
        Discount("coupon", PERCENT, D(10), "Ten", "TEN"),
        Discount("promotion", PERCENT, D(50), "Half", id=7),
    ]
    price(cart)
    assert [(one.id, one.amount) for one in cart.lines[0].discounts] == [
        ("7", D("50.00")),
        ("total-coupon", D("5.00")),
        ("manual-discount", D("5.00")),
    ]
    assert (cart.discount_amount, cart.coupon_discount, cart.total.inc) == (D(55), D(5), D(40))


@given(
    st.integers(0, 100_000),
    st.lists(st.integers(0, 10_000), min_size=1, max_size=8),
    st.sampled_from(["JPY", "USD", "KWD"]),
)
def test_a_split_loses_nothing_and_no_part_is_a_unit_off(
    total: int, weights: list[int], currency: str
) -> None:
    unit = minor(currency)
    whole = total * unit
    parts = split(whole, [D(one) for one in weights], unit)
    assert sum(parts, ZERO) == whole
    if any(weights):
        exact = [whole * one / sum(weights) for one in weights]
        assert all(abs(part - one) < unit for part, one in zip(parts, exact, strict=True))


percent = st.decimals(0, 30, places=3)
rate = st.builds(Rate, st.just("Tax"), percent, st.integers(0, 1), st.sampled_from(["1", "2"]))
rates = st.lists(rate, max_size=2).map(tuple)


@st.composite
def carts(draw: st.DrawFn) -> Order:
    """Any cart: lines, wrapping, shipping, handling, fees, discounts of all types, both kinds of store."""
    currency = draw(st.sampled_from(["JPY", "USD", "KWD"]))
    unit = minor(currency)

    def money(most: int) -> Decimal:
        return draw(st.integers(0, most)) * unit

    cart = order(
        currency,
        inclusive=draw(st.booleans()),
        rounding=draw(st.sampled_from([RATE_ROUNDING, NO_ROUNDING])),
    )
    for number in range(1, draw(st.integers(1, 5)) + 1):
        one = line(number, draw(st.integers(1, 7)), str(money(20_000)), *draw(rates))
        one.wrap_price = draw(st.sampled_from([None, 3 * unit]))
        cart.lines.append(one)
    cart.addresses = [
        ShipTo(1, {}, "Ground", money(3000), money(300), rates=draw(rates), handling_rates=draw(rates))
    ]
    cart.fees = [Fee(1, "Fee", money(500), draw(rates))] if draw(st.booleans()) else []
    for kind in draw(st.lists(st.sampled_from(["coupon", "promotion", "manual"]), max_size=3)):
        sort = PER_TOTAL if kind == "manual" else draw(st.sampled_from([PER_ITEM, PERCENT, PER_TOTAL]))
        amount = D(draw(st.integers(0, 100))) if sort == PERCENT else money(5000)
        cart.discounts.append(Discount(kind, sort, amount, "Off", "OFF" if kind == "coupon" else None))  # type: ignore[arg-type]
    price(cart)
    return cart


@given(carts())
def test_whatever_is_in_the_cart_lines_and_components_add_up_to_the_total(cart: Order) -> None:
    unit = minor(cart.currency)
    fees = [fee.priced for fee in cart.fees]
    by_line = (
        sum((one.discounted for one in cart.lines), ZERO)
        + cart.shipping.inc
        + cart.handling.inc
        + cart.wrapping.inc
        + sum((fee.inc for fee in fees), ZERO)
    )
    off = cart.discount_amount + cart.coupon_discount
    tax = sum((row.amount for row in cart.taxes), ZERO)
    if cart.inclusive:
        parts = [cart.subtotal.inc, cart.shipping.inc, cart.handling.inc, cart.wrapping.inc]
        by_component = sum(parts, ZERO) + sum((fee.inc for fee in fees), ZERO) - off
    else:
        parts = [cart.subtotal.ex, cart.shipping.ex, cart.handling.ex, cart.wrapping.ex]
        by_component = sum(parts, ZERO) + sum((fee.ex for fee in fees), ZERO) - off + tax
    slack = ZERO if cart.rounding == RATE_ROUNDING else unit
    assert abs(by_line - cart.total.inc) <= slack
    assert abs(by_component - cart.total.inc) <= slack
    assert cart.total.inc == half_up(cart.total.inc, unit)
    assert cart.total.inc - cart.total.ex == cart.total.tax
    assert all(one.left >= 0 for one in cart.lines)
