"""What a refund gives back of which part: the worked example, units, charges, tax, and that nothing is lost."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.fields import Unreadable
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.reading import read_order
from bcns_pipeline.rules.orders.totals import Totals, add_up
from bcns_pipeline.rules.refunds.shares import share_out
from bcns_pipeline_tests.rules.orders.carts import carts
from bcns_pipeline_tests.rules.orders.shop import Cart, CartLine, document
from bcns_pipeline_tests.rules.refunds import world
from bcns_pipeline_tests.rules.refunds.world import D, item, refund

# 3 at 10.00 with 10.00 % off and a tax that does not divide: 27.00 + 2.40 = 29.40, thirds of which are 9.80.
THREE = Cart([CartLine(D("9.99"), 3, D("8.875"))], shipping=D("9.95"))


def usd(text: str) -> Money:
    return Money.of(text, "USD")


def test_example_d_gives_back_its_line_and_its_tax() -> None:
    order, parts = world.sold(world.EXAMPLE_D)
    assert order.charged.inc == D("299.0000")

    ((share,),) = world.given(order, parts, refund(1, "130.65", "10.65", [item("PRODUCT", 5501, quantity=1)]))

    assert (share.role, share.net, share.tax, share.units) == ("product", usd("120.00"), usd("10.65"), 1)


def test_units_come_back_one_by_one_and_together_are_the_whole_line() -> None:
    order, parts = world.sold(THREE)
    whole = next(part for part in parts if part.line is not None)
    assert (whole.net + whole.tax) == usd("32.63")

    one = [item("PRODUCT", 5501, quantity=1)]
    shares = world.given(
        order,
        parts,
        *(
            refund(n, amount, tax, one)
            for n, amount, tax in ((1, "10.88", "0.89"), (2, "10.87", "0.89"), (3, "10.88", "0.88"))
        ),
    )

    assert [some[0].whole for some in shares] == [usd("10.88"), usd("10.87"), usd("10.88")]
    assert total([some[0].net for some in shares], "USD") == whole.net
    assert total([some[0].tax for some in shares], "USD") == whole.tax


def test_shipping_handling_wrapping_and_fees_come_back_as_they_were_charged() -> None:
    cart = Cart(
        [CartLine(D("20.00"), 1, D(10), wrap=D("5.00"))],
        shipping=D("10.00"),
        shipping_rate=D(10),
        handling=D("2.00"),
        fees=[D("3.00")],
        fee_rate=D(10),
    )
    order, parts = world.sold(cart)
    items = [
        item("PRODUCT", 5501, quantity=1),
        item("SHIPPING", 64),
        item("HANDLING", 64),
        item("GIFT_WRAPPING", 5501),
        item("FEE", 1001),  # the order's id, as answers have it
    ]

    (shares,) = world.given(order, parts, refund(1, "44.00", "4.00", items))

    assert [(one.role, str(one.net.amount), str(one.tax.amount)) for one in shares] == [
        ("product", "20.00", "2.00"),
        ("shipping", "10.00", "1.00"),
        ("handling", "2.00", "0.20"),
        ("wrapping", "5.00", "0.50"),
        ("fee", "3.00", "0.30"),
    ]


def test_an_amount_of_the_order_is_goodwill_and_carries_no_tax() -> None:
    order, parts = world.sold(THREE)
    ((share,),) = world.given(
        order, parts, refund(1, "5.00", "0.00", [item("ORDER", 1001, requested_amount=D("5.00"))])
    )
    assert (share.role, share.net, share.tax) == ("goodwill", usd("5.00"), usd("0.00"))


def test_what_the_shop_keeps_is_a_negative_restocking_fee() -> None:
    order, parts = world.sold(world.EXAMPLE_D)
    kept = [
        item("PRODUCT", 5501, quantity=1, adjustments=[{"amount": D("-12.00"), "description": "restocking"}])
    ]

    (shares,) = world.given(order, parts, refund(1, "118.65", "10.65", kept))

    assert [(one.role, one.net) for one in shares] == [
        ("product", usd("120.00")),
        ("restocking", usd("-12.00")),
    ]


@pytest.mark.parametrize("tax", ["3.10", "-3.10"])
def test_a_refund_of_tax_alone_has_one_line_of_tax(tax: str) -> None:
    order, parts = world.sold(world.EXAMPLE_D)
    ((share,),) = world.given(order, parts, refund(1, tax, tax, []))
    assert (share.role, share.net, share.tax) == ("tax", usd("0.00"), usd(tax))


def test_cents_go_to_the_rounding_line_and_more_than_cents_to_a_person() -> None:
    order, parts = world.sold(world.EXAMPLE_D)
    one = [item("PRODUCT", 5501, quantity=1)]

    (shares,) = world.given(order, parts, refund(1, "130.66", "10.65", one))
    assert (shares[-1].role, shares[-1].net) == ("rounding", usd("0.01"))

    off = share_out(order, parts, [refund(1, "130.67", "10.65", one)], 5)[1]
    assert isinstance(off, Problem)
    assert off.code == "REFUND_DOES_NOT_ADD"
    assert "130.65" in off.sentence
    assert "130.67" in off.sentence


def test_a_total_that_the_merchant_named_is_closed_openly() -> None:
    order, parts = world.sold(world.EXAMPLE_D)
    one = refund(
        1, "100.00", "10.65", [item("PRODUCT", 5501, quantity=1)], uses_merchant_override_values=True
    )
    (shares,) = world.given(order, parts, one)
    assert (shares[-1].role, shares[-1].net) == ("override", usd("-30.65"))


def test_more_units_than_were_sold_are_never_given_back() -> None:
    order, parts = world.sold(THREE)
    two = refund(1, "21.75", "1.77", [item("PRODUCT", 5501, quantity=2)])
    found = share_out(order, parts, [two, refund(2, "21.75", "1.77", [item("PRODUCT", 5501, quantity=2)])], 5)
    assert isinstance(found[1], tuple)
    assert isinstance(found[2], Problem)
    assert found[2].code == "REFUND_EXCEEDS_CAPTURE"


def test_units_of_a_declined_refund_may_go_back_again() -> None:
    order, parts = world.sold(world.EXAMPLE_D)
    one = [item("PRODUCT", 5501, quantity=1)]
    declined = refund(1, "130.65", "10.65", one, [world.payment("stripe", "130.65", is_declined=True)])
    found = share_out(order, parts, [declined, refund(2, "130.65", "10.65", one)], 5)
    assert isinstance(found[2], tuple)


def test_something_that_the_order_does_not_have_is_a_question() -> None:
    order, parts = world.sold(THREE)
    found = share_out(order, parts, [refund(1, "1.00", "0.00", [item("PRODUCT", 9, quantity=1)])], 5)
    assert isinstance(found[1], Problem)


@pytest.mark.parametrize("field", ["total_amount", "total_tax"])
def test_an_amount_finer_than_the_currency_is_not_understood(field: str) -> None:
    with pytest.raises(Unreadable, match=field):
        refund(1, "1.00", "0.00", [], **{field: D("1.005")})


@settings(max_examples=40)
@given(carts(), st.data())
def test_all_refunds_of_a_line_together_give_back_exactly_what_it_came_to(
    cart: Cart, data: st.DataObject
) -> None:
    order = read_order(document(cart))
    totals = add_up(order, inclusive=cart.inclusive, tax_source="order", max_residual=5)
    assume(isinstance(totals, Totals))
    assert isinstance(totals, Totals)
    goods = [part for part in totals.parts if part.line is not None and (part.net + part.tax).minor > 0]
    assume(goods)
    part = data.draw(st.sampled_from(goods))
    assert part.line is not None
    cuts, left = list[int](), part.line.quantity
    while left:
        cuts.append(data.draw(st.integers(1, left)))
        left -= cuts[-1]
    whole, given_back, refunds = part.net + part.tax, 0, []
    for number, units in enumerate(cuts, 1):
        until = sum(cuts[:number])
        goal = whole if until == part.line.quantity else whole.times(Fraction(until, part.line.quantity))
        tax = part.tax if number == len(cuts) == 1 else Money.zero(cart.currency)
        amount = goal.minor - given_back
        given_back = goal.minor
        refunds.append(
            refund(
                number,
                str(Money(amount, cart.currency).amount),
                str(tax.amount),
                [item("PRODUCT", part.line.id, quantity=units)],
                [],
                currency=cart.currency,
            )
        )

    shares = world.given(order, totals.parts, *refunds)

    assert total([one.whole for some in shares for one in some], cart.currency) == whole
    assert all(one.net.minor >= 0 for some in shares for one in some if one.role == "product")
