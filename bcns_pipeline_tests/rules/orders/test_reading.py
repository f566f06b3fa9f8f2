from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.fields import Unreadable
from bcns_pipeline.rules.orders.model import Cost, Coupon, Tender
from bcns_pipeline.rules.orders.reading import read_details, read_order
from bcns_pipeline_tests.rules.orders.examples import EXAMPLE_C, order_of
from bcns_pipeline_tests.rules.orders.shop import ADDRESS, Cart, CartLine, document

D = Decimal


def test_an_order_is_read_whole() -> None:
    order = order_of(
        EXAMPLE_C,
        order_source="manual",
        external_id="112-3-4",
        store_credit_amount=D("3.5"),
        gift_certificate_amount=4,
    )
    assert (order.id, order.customer_id, order.channel_id, order.status_id) == (1001, 11, 1, 11)
    assert order.placed_at == datetime(2019, 3, 5, 21, 40, 11, tzinfo=UTC)
    assert order.currency == "USD"
    assert order.charged == Cost(D("108.0200"), D("116.7300"), D("8.7100"))
    assert order.coupon_discount == D("10.9000")
    assert (order.store_credit, order.gift_certificate) == (D("3.5"), D(4))
    assert order.prices_include_tax is False
    assert order.external_id == "112-3-4"
    first = order.lines[0]
    assert (first.id, first.sku, first.quantity, first.kind) == (5501, "SKU-0", 3, "physical")
    assert first.price == Cost(D("19.9900"), D("21.7600"), D("1.7700"))
    assert [one.amount for line in order.lines for one in line.discounts] == [
        D("6.0000"),
        D("3.4500"),
        D("1.4500"),
    ]
    (parcel,) = order.ship_to
    assert (parcel.id, parcel.method, parcel.line_ids) == (64, "UPS Ground", (5501, 5502, 5503))
    assert parcel.shipping.inc == D("9.95")
    assert {line.consignment_id for line in order.lines} == {64}
    assert not order.guest


def test_both_shapes_of_consignments_give_the_same_order() -> None:
    shown = document(EXAMPLE_C)
    older = {**shown, "consignments": [shown["consignments"]]}
    assert read_order(older) == read_order(shown)


def test_money_as_text_or_number_and_dates_of_either_kind_give_the_same_order() -> None:
    shown = document(EXAMPLE_C)
    as_numbers = json.loads(
        json.dumps(shown, default=str).replace('"total_inc_tax": "116.7300"', '"total_inc_tax": 116.73'),
        parse_float=Decimal,
    )
    as_numbers["date_created"] = "2019-03-05T21:40:11Z"
    as_numbers["date_modified"] = "2019-03-11T11:17:25-04:00"
    assert read_order(as_numbers) == read_order(shown)


def test_a_bare_object_of_line_items_is_a_list_of_one() -> None:
    cart = Cart([CartLine(D(5), kind="digital"), CartLine(D(10), kind="giftcertificate")])
    shown = document(cart)
    (download,) = shown["consignments"]["downloads"]
    download["line_items"] = download["line_items"][0]
    (certificate,) = shown["consignments"]["email"]["gift_certificates"]
    shown["consignments"]["email"]["gift_certificates"] = {
        **certificate,
        "line_items": certificate["line_items"][0],
    }
    order = read_order(shown)
    assert [line.kind for line in order.lines] == ["digital", "giftcertificate"]
    assert [one.kind for one in order.consignments] == ["download", "email"]
    assert order.ship_to == ()
    assert {line.consignment_id for line in order.lines} == {0}


def test_a_fee_is_read_however_its_cost_is_spelled() -> None:
    fees = [
        {
            "id": 1,
            "display_name_customer": "A",
            "cost_exc_tax": "12.3",
            "cost_inc_tax": "12.3",
            "cost_tax": "0",
        },
        {"id": 2, "display_name_merchant": "B", "cost_ex_tax": "4", "cost_inc_tax": "12", "cost_tax": "8"},
    ]
    order = order_of(EXAMPLE_C, fees=fees)
    assert [(fee.id, fee.name, fee.cost) for fee in order.fees] == [
        (1, "A", Cost(D("12.3"), D("12.3"), D(0))),
        (2, "B", Cost(D(4), D(12), D(8))),
    ]


def test_the_currency_is_the_one_that_was_charged_not_the_one_that_was_shown() -> None:
    order = order_of(EXAMPLE_C, currency_code="GBP", default_currency_code="usd")
    assert order.currency == "USD"


def test_the_tax_of_an_order_that_does_not_say_it_is_the_difference() -> None:
    assert order_of(EXAMPLE_C, total_tax="").charged.tax == D("8.71")


def test_a_pickup_and_a_pre_order_keep_what_shipping_needs() -> None:
    shown = document(Cart([CartLine(D(5), event_date="2026-03-01")]))
    (parcel,) = shown["consignments"]["shipping"]
    shown["consignments"]["shipping"] = []
    shown["consignments"]["pickups"] = [
        {"id": 9, "pickup_method_display_name": "Pick up", "line_items": parcel["line_items"]}
    ]
    order = read_order(shown)
    assert order.consignments[0].method == "Pick up"
    assert order.lines[0].consignment_id == 9
    assert order.lines[0].event_date == date(2026, 3, 1)


def test_form_fields_are_read_with_several_ticks_and_none() -> None:
    fields = [
        {"name": "VAT Number", "value": "DE123456789"},
        {"name": "Days", "value": ["Mon", "Tue"]},
        {"name": "Note", "value": None},
    ]
    order = order_of(EXAMPLE_C, billing_address={**ADDRESS, "form_fields": fields})
    assert order.billing.form_fields == {"VAT Number": "DE123456789", "Days": "Mon, Tue", "Note": ""}


def test_nobody_is_named_where_an_order_is_printed() -> None:
    shown = document(EXAMPLE_C, customer_message="call Jane on 512 555 0100")
    said = repr(read_order(shown))
    for word in ("Jane", "Roe", "High St", "Austin", "78701", "512", "jane@example.com"):
        assert word not in said


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ({"total_inc_tax": None}, "total_inc_tax is missing."),
        ({"total_inc_tax": "a lot"}, "total_inc_tax is no amount."),
        ({"total_inc_tax": "NaN"}, "total_inc_tax is no amount."),
        ({"total_inc_tax": 116.73}, "total_inc_tax is no exact amount, but a float."),
        ({"total_inc_tax": True}, "total_inc_tax is no exact amount, but a bool."),
        ({"id": None}, "id is missing."),
        ({"status_id": None}, "status_id is missing."),
        ({"customer_id": "Jane"}, "customer_id is no amount."),
        ({"customer_id": "1.5"}, "customer_id is no whole number."),
        ({"date_created": ""}, "date_created is missing."),
        ({"date_created": "soon"}, "date_created is no date."),
        ({"date_created": "0001-01-01T00:00:00+14:00"}, "date_created is no date."),
        ({"default_currency_code": "XXX"}, "default_currency_code is no ISO 4217 currency."),
        ({"is_tax_inclusive_pricing": "maybe"}, "is_tax_inclusive_pricing is neither true nor false."),
        ({"billing_address": "Jane"}, "billing_address is no object."),
        ({"consignments": {"url": "u", "resource": "/r"}}, "consignments were not read with the order."),
        ({"fees": {"url": "u", "resource": "/r"}}, "fees were not read with the order."),
        ({"consignments": "none"}, "consignments is no list."),
        (
            {"consignments": {"shipping": ["x"]}},
            "consignments.shipping has something in it that is no object.",
        ),
        (
            {"consignments": {"shipping": [{"id": 1, "line_items": [{"resource": "/r"}]}]}},
            "consignments.shipping[0].line_items[0].products were not read with the order.",
        ),
        (
            {"consignments": {"shipping": [{"id": 1, "line_items": [{"id": 5, "type": "service"}]}]}},
            "consignments.shipping[0].line_items[0].type is none of physical, digital, giftcertificate.",
        ),
        (
            {"consignments": {"shipping": [{"id": 1, "line_items": [{"id": 5, "quantity": -1}]}]}},
            "consignments.shipping[0].line_items[0].quantity is below 0.",
        ),
        (
            {"consignments": {"shipping": [{"id": 1, "line_items": [{"id": 5}, {"id": 5}]}]}},
            "consignments: one line item is there twice.",
        ),
    ],
)
def test_what_cannot_be_understood_is_named_in_one_sentence(broken: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Unreadable) as error:
        order_of(EXAMPLE_C, **broken)
    assert str(error.value) == sentence


def test_details_that_were_not_read_are_not_details_that_are_not_there() -> None:
    assert read_details().transactions is None
    assert read_details(transactions=[]).transactions == ()


def test_details_are_read() -> None:
    found = read_details(
        coupons=[{"id": 3, "coupon_id": 1, "code": "X", "amount": 5, "type": 4, "discount": D("5.0")}],
        taxes=[
            {
                "name": "State Tax",
                "class": "Default",
                "rate": "8.2500",
                "line_amount": "1.65",
                "line_item_type": "item",
                "order_product_id": "5501",
                "order_address_id": 64,
            }
        ],
        transactions=[
            {
                "id": 7,
                "order_id": "1001",
                "event": "Purchase",
                "method": "credit_card",
                "amount": D("116.73"),
                "currency": "usd",
                "status": "ok",
                "test": False,
                "gateway": "stripe",
                "gateway_transaction_id": "pi_1",
                "reference_transaction_id": None,
            }
        ],
    )
    assert found.coupons == (Coupon(1, "X", 4, D("5.0")),)
    assert found.taxes is not None
    assert (found.taxes[0].rate, found.taxes[0].line_id, found.taxes[0].consignment_id) == (
        D("8.25"),
        5501,
        64,
    )
    assert found.transactions == (
        Tender(7, "purchase", "credit_card", D("116.73"), "USD", "ok", False, "stripe", "pi_1", None),
    )


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(document(EXAMPLE_C))), anything)
def test_whatever_a_field_holds_the_answer_is_an_order_or_a_sentence(name: str, value: Any) -> None:
    said, order = ".", order_of(EXAMPLE_C)
    try:
        order = order_of(EXAMPLE_C, **{name: value})
    except Unreadable as error:
        said = str(error)
    assert said.endswith(".")
    # What is read can be kept, so that no single order ever stops a batch.
    assert abs(Money.of(order.charged.inc, order.currency).minor) < 2**63
    assert max(abs(order.status_id), abs(order.channel_id), *(one.quantity for one in order.lines)) < 2**31
    assert 1990 <= order.placed_at.astimezone(ZoneInfo("Pacific/Kiritimati")).year <= 2200
    assert "\0" not in order.order_source + order.payment_method


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("total_inc_tax", "99999999999999999.99"),
        ("status_id", 2**40),
        ("channel_id", str(2**40)),
        ("date_created", "9999-12-31T23:59:59Z"),
        ("date_modified", "1899-12-30T00:00:00+00:00"),
    ],
)
def test_what_no_column_could_hold_is_refused_when_it_is_read(name: str, value: Any) -> None:
    with pytest.raises(Unreadable, match=name):
        order_of(EXAMPLE_C, **{name: value})
