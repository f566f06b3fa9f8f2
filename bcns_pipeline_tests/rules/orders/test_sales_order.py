from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.facts import CustomerRef, ItemRef, Items, NetSuiteCurrency
from bcns_pipeline.rules.orders.lines import rate_of
from bcns_pipeline.rules.orders.model import Details, Order
from bcns_pipeline.rules.orders.paths import parse_path
from bcns_pipeline.rules.orders.policy import CASH_SALE, Channel, ShippingPolicy
from bcns_pipeline.rules.orders.reading import read_order
from bcns_pipeline.rules.orders.sales_order import build
from bcns_pipeline_tests.rules.orders.books import DISCOUNT_ITEM
from bcns_pipeline_tests.rules.orders.examples import (
    ACCOUNT,
    CERTIFICATE_ITEM,
    EXAMPLE_C,
    FACTS,
    FEE_ITEM,
    POLICY,
    amounts,
    drafted,
    order_of,
    problems,
)
from bcns_pipeline_tests.rules.orders.shop import ADDRESS, Cart, CartLine, document

D = Decimal


def account(**more: Any) -> Any:
    return replace(FACTS, account=replace(ACCOUNT, **more))


def channel(**more: Any) -> Any:
    return replace(POLICY, channels={1: replace(POLICY.channels[1], **more)})


def items(*refs: ItemRef) -> Any:
    return replace(FACTS, items=Items(by_sku={ref.sku.lower(): (ref,) for ref in refs}))


def test_the_body_is_what_netsuite_takes() -> None:
    body = drafted(EXAMPLE_C).body()
    first = body["item"]["items"][0]
    assert body["externalId"] == "bc-abc123-order-1001"
    assert {name: body[name] for name in ("entity", "subsidiary", "currency", "location", "orderStatus")} == {
        "entity": {"id": "110"},
        "subsidiary": {"id": "1"},
        "currency": {"id": "1"},
        "location": {"id": "2"},
        "orderStatus": {"id": "B"},
    }
    assert body["shipMethod"] == {"id": "8297"}
    assert body["shippingCost"] == D("9.95")
    assert (body["otherRefNum"], body["memo"]) == ("1001", "BigCommerce order 1001")
    assert (body["toBeEmailed"], body["email"]) == (False, "jane@example.com")
    assert body["shippingAddress"] == {
        "addressee": "Jane Roe",
        "addr1": "64 High St",
        "addr2": "Apt 2",
        "city": "Austin",
        "state": "TX",
        "zip": "78701",
        "addrPhone": "512 555 0100",
        "country": {"id": "US"},
    }
    assert first == {
        "item": {"id": "100"},
        "quantity": 3,
        "price": {"id": "-1"},
        "rate": D("17.99"),
        "amount": D("53.97"),
        "description": "Thing 0",
        "location": {"id": "2"},
        "custcol_bc_line_id": "5501",
    }


def test_a_draft_shows_no_shopper() -> None:
    said = repr(drafted(EXAMPLE_C))
    for word in ("Jane", "Roe", "High St", "78701", "jane@example.com", "512"):
        assert word not in said


def test_discounts_as_lines_show_the_price_and_what_came_off_it() -> None:
    draft = drafted(EXAMPLE_C, replace(POLICY, discount_lines=True))
    assert amounts(draft) == {
        "5501": D("59.97"),
        "5501-discount": D("-6.00"),
        "5502": D("34.50"),
        "5502-discount": D("-3.45"),
        "5503": D("14.50"),
        "5503-discount": D("-1.45"),
        "tax": D("8.71"),
    }
    assert draft.lines[0].rate == D("19.9900")
    off = draft.body()["item"]["items"][1]
    assert (off["item"]["id"], "quantity" in off, off["price"]) == (DISCOUNT_ITEM, False, {"id": "-1"})
    assert draft.expected.total == D("116.73")


def test_a_discount_nobody_in_bigcommerce_may_give_waits() -> None:
    policy = replace(POLICY, discount_owner="netsuite")
    assert "10.90 USD" in problems(EXAMPLE_C, policy)["DISCOUNT_UNOWNED"]
    assert drafted(replace(EXAMPLE_C, coupon=D(0)), policy)


@pytest.mark.parametrize(
    ("placed", "zone", "day"),
    [
        ("2026-03-01T04:59:59Z", "", "2026-02-28"),  # 23:59:59 in New York
        ("2026-03-01T05:00:00Z", "", "2026-03-01"),
        ("2026-03-08T06:59:59Z", "", "2026-03-08"),  # the last second before daylight saving begins
        ("2026-03-09T03:59:59Z", "", "2026-03-08"),  # and the day is an hour shorter
        ("2026-11-02T04:59:59Z", "", "2026-11-01"),  # an hour longer
        ("2026-03-01T04:59:59Z", "Europe/Berlin", "2026-03-01"),
        ("2026-12-31T23:30:00Z", "Europe/Berlin", "2027-01-01"),
    ],
)
def test_the_day_of_an_order_is_that_of_its_subsidiary(placed: str, zone: str, day: str) -> None:
    order = order_of(EXAMPLE_C, date_created=placed)
    assert drafted(order, channel(zone=zone)).header["tranDate"] == day


@given(
    st.timezone_keys(allow_prefix=False),
    st.dates(date(2024, 1, 1), date(2027, 12, 31)),
    st.sampled_from([time(23, 59, 59), time(0, 0, 1)]),
)
def test_the_first_and_the_last_second_of_a_day_are_of_that_day_in_any_zone(
    key: str, day: date, clock: time
) -> None:
    zone = ZoneInfo(key)
    placed = datetime.combine(day, clock, zone)
    # Some zones leave out their midnight once a year.
    assume(placed.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == placed.replace(tzinfo=None))
    order = order_of(EXAMPLE_C, date_created=f"{placed.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    assert drafted(order, channel(zone=key)).header["tranDate"] == day.isoformat()


@pytest.mark.parametrize(
    ("wanted", "fields", "found"),
    [
        ("auto", [], "1001"),
        ("auto", [{"name": "PO  Number", "value": " 4500-77 "}], "4500-77"),
        ("auto", [{"name": "PO Number", "value": ""}], "1001"),
        ("order_id", [{"name": "PO Number", "value": "4500"}], "1001"),
        ("off", [], None),
        (
            parse_path("billing_address.form_fields.Reference"),
            [{"name": "Reference", "value": "R" * 60}],
            "R" * 45,
        ),
        (parse_path("billing_address.form_fields.Reference"), [], "1001"),
    ],
)
def test_the_purchase_order_number_is_the_shoppers_or_ours(
    wanted: Any, fields: list[Any], found: str | None
) -> None:
    order = order_of(EXAMPLE_C, billing_address={**ADDRESS, "form_fields": fields})
    assert drafted(order, replace(POLICY, purchase_order=wanted)).header.get("otherRefNum") == found


def test_a_customer_that_is_about_to_be_made_is_named_by_its_key() -> None:
    facts = replace(FACTS, customer=CustomerRef(external_id="bc-abc123-customer-11"))
    assert drafted(EXAMPLE_C, POLICY, facts).header["entity"] == {"externalId": "bc-abc123-customer-11"}


def test_a_cash_sale_has_no_order_status() -> None:
    draft = drafted(EXAMPLE_C, channel(record=CASH_SALE))
    assert (draft.record, draft.is_order) == ("cashSale", False)
    assert "orderStatus" not in draft.header


def test_an_account_of_one_company_and_one_currency_is_sent_neither() -> None:
    facts = account(oneworld=False, currencies={}, subsidiaries={}, locations=None)
    header = drafted(EXAMPLE_C, POLICY, facts).header
    assert "subsidiary" not in header
    assert "currency" not in header
    assert "EUR" in problems(replace(EXAMPLE_C, currency="EUR"), POLICY, facts)["CURRENCY_UNMAPPED"]


def test_two_storefronts_of_two_subsidiaries_never_leak_into_each_other() -> None:
    policy = replace(
        POLICY,
        channels={
            1: Channel(1, subsidiary=1, location=2, fields={"cseg_shop": {"id": "1"}}),
            2: Channel(2, subsidiary=2, location=3, zone="Europe/Berlin", fields={"cseg_shop": {"id": "2"}}),
        },
    )
    abroad = replace(FACTS, customer=CustomerRef(id=210, subsidiaries=frozenset({2})))
    home, other = order_of(EXAMPLE_C), order_of(replace(EXAMPLE_C, currency="EUR"), channel_id=2)
    one, two = drafted(home, policy).header, drafted(other, policy, abroad).header
    assert (one["subsidiary"]["id"], one["location"]["id"], one["cseg_shop"]) == ("1", "2", {"id": "1"})
    assert (two["subsidiary"]["id"], two["location"]["id"], two["cseg_shop"]) == ("2", "3", {"id": "2"})
    assert "Customer 210" in problems(home, policy, abroad)["SUBSIDIARY_MISMATCH"]
    swapped = replace(policy, channels={1: replace(policy.channels[1], location=3)})
    assert "Location 3" in problems(home, swapped)["SUBSIDIARY_MISMATCH"]
    ours = items(*(ItemRef(100 + at, f"SKU-{at}", subsidiaries=frozenset({2})) for at in range(3)))
    assert "not of subsidiary 1" in problems(home, policy, ours)["SUBSIDIARY_MISMATCH"]


def test_an_unknown_channel_waits_unless_the_file_names_none_at_all() -> None:
    order = order_of(EXAMPLE_C, channel_id=7)
    assert "channel 7" in problems(order)["CHANNEL_UNMAPPED"]
    anywhere = replace(POLICY, channels={}, any_channel=Channel(0))
    assert "which subsidiary" in problems(order, anywhere)["CHANNEL_UNMAPPED"]
    single = account(oneworld=False, subsidiaries={})
    assert drafted(order, anywhere, single)
    only = account(subsidiaries={1: ACCOUNT.subsidiaries[1]})
    assert drafted(order, anywhere, only).header["subsidiary"] == {"id": "1"}


def test_everything_in_the_way_is_told_at_once() -> None:
    cart = Cart(
        [CartLine(D(5), sku="NEW"), CartLine(D(5), sku="NEW"), CartLine(D(3), kind="giftcertificate")],
        "EUR",
        fees=[D(1)],
    )
    policy = replace(
        POLICY,
        shipping=ShippingPolicy(),
        fee_item=None,
        certificate_item=None,
        payment_methods={"visa*": 5},
        unmapped_payment="exception",
    )
    facts = account(currencies={"USD": NetSuiteCurrency(1)})
    said = problems(cart, policy, facts)
    assert said == {
        "CURRENCY_UNMAPPED": "NetSuite has no currency EUR.",
        "ITEM_UNMAPPED": "SKU 'NEW' of line 5501 is on no NetSuite item.",
        "CHARGE_UNMAPPED": "The order has the fee 'Fee 0', and orders.fees.item names no item for it.",
        "SHIP_METHOD_UNMAPPED": "The shipping method 'UPS Ground' stands for no ship method.",
        "PAYMENT_METHOD_UNMAPPED": "The payment method 'Credit Card' stands for none of NetSuite's.",
    }


def test_what_is_missing_is_named_as_a_fact_that_may_appear() -> None:
    order = order_of(Cart([CartLine(D(5), sku=" New-1 ")]))
    made = build(order, Details(), FACTS, replace(POLICY, shipping=ShippingPolicy()))
    assert isinstance(made, list)
    assert {one.fact for one in made} == {"sku:new-1", "ship_method:UPS Ground"}
    later = items(ItemRef(7, "NEW-1"))
    assert drafted(order, POLICY, later).lines[0].item == 7


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (ItemRef(7, "SKU-0", matrix="PARENT"), "ITEM_IS_PARENT"),
        (ItemRef(7, "SKU-0", inactive=True), "ITEM_NOT_SELLABLE"),
        (ItemRef(7, "SKU-0", kind="Group"), "ITEM_NOT_SELLABLE"),
    ],
)
def test_an_item_that_cannot_be_sold_is_refused_before_it_is_sent(item: ItemRef, code: str) -> None:
    assert code in problems(Cart([CartLine(D(5))]), POLICY, items(item))


def test_a_sku_of_two_items_or_of_none_is_nobodys() -> None:
    twice = replace(FACTS, items=Items(by_sku={"sku-0": (ItemRef(1, "SKU-0"), ItemRef(2, "SKU-0"))}))
    assert "on NetSuite items 1, 2" in problems(Cart([CartLine(D(5))]), POLICY, twice)["ITEM_UNMAPPED"]
    shown = document(Cart([CartLine(D(5))]))
    shown["consignments"]["shipping"][0]["line_items"][0]["sku"] = ""
    assert "has no SKU" in problems(read_order(shown))["ITEM_UNMAPPED"]


def test_a_variant_keeps_its_item_when_its_sku_changes() -> None:
    facts = replace(FACTS, items=Items(by_variant={770: ItemRef(55, "OLD")}, by_sku=FACTS.items.by_sku))
    assert drafted(Cart([CartLine(D(5))]), POLICY, facts).lines[0].item == 55


def test_a_product_typed_in_by_hand_may_have_an_item_for_all_such() -> None:
    order = order_of(Cart([CartLine(D(5), sku="ENGRAVING")]))
    typed = replace(order, lines=(replace(order.lines[0], product_id=0, variant_id=0),))
    assert problems(typed)
    assert drafted(typed, replace(POLICY, custom_item=77)).lines[0].item == 77


def kit_order() -> Order:
    cart = Cart([CartLine(D(30)), CartLine(D(0), 2, parent=5501), CartLine(D(4), parent=5501)])
    return order_of(cart)


def test_members_that_cost_nothing_ship_with_their_kit_and_are_no_lines() -> None:
    kit = items(ItemRef(100, "SKU-0", "Kit"), ItemRef(102, "SKU-2"))
    draft = drafted(kit_order(), POLICY, kit)
    assert amounts(draft) == {"5501": D("30.00"), "5503": D("4.00")}
    assert draft.sources["with_their_kit"] == [5502]


def test_members_of_a_bundle_that_is_no_kit_are_lines_so_that_they_ship() -> None:
    draft = drafted(kit_order())
    assert [(line.key, line.quantity, line.amount) for line in draft.lines] == [
        ("5501", 1, D("30.00")),
        ("5502", 2, D("0.00")),
        ("5503", 1, D("4.00")),
    ]


def test_a_gift_certificate_that_is_sold_is_a_liability_and_no_revenue() -> None:
    draft = drafted(Cart([CartLine(D(50), kind="giftcertificate"), CartLine(D(10), 1, D(10))]))
    assert draft.lines[0].item == CERTIFICATE_ITEM
    assert amounts(draft)["tax"] == D("1.00")


def test_digital_goods_go_without_shipping() -> None:
    draft = drafted(Cart([CartLine(D(5), kind="digital")]))
    assert not {"shipMethod", "shippingCost", "shippingAddress"} & draft.header.keys()


def test_several_addresses_are_one_order_whose_lines_say_where_they_go() -> None:
    cart = Cart([CartLine(D(5)), CartLine(D(6))], shipping=D(9), places=2)
    policy = replace(
        POLICY,
        line_fields={
            "custcol_to": parse_path("$ship_to", computed=True),
            "custcol_place": parse_path("$consignment", "number", computed=True),
        },
    )
    draft = drafted(cart, policy)
    assert draft.header["shippingAddress"]["addr1"] == "64 High St"
    assert draft.header["shippingCost"] == D("9.00")
    assert draft.lines[0].fields["custcol_to"] == "Jane Roe, 64 High St, Apt 2, Austin, Texas 78701, US"
    assert draft.lines[1].fields["custcol_to"].startswith("Jane Roe, 65 High St")
    assert draft.lines[1].fields["custcol_place"] == D(65)
    assert "custcol_to" not in drafted(replace(cart, places=1), policy).lines[0].fields
    # Nothing keeps the second address: all of it would go to the first one.
    assert "to 2 addresses" in problems(cart, replace(POLICY, line_fields={}))["SHIP_TO_UNMAPPED"]


def test_shipping_as_a_line_leaves_the_header_at_nothing() -> None:
    draft = drafted(EXAMPLE_C, replace(POLICY, shipping=replace(POLICY.shipping, as_line=True)))
    assert amounts(draft)["shipping"] == D("9.95")
    # Left out, NetSuite would work out a cost of its own.
    assert draft.header["shippingCost"] == 0
    assert (draft.expected.shipping, draft.expected.total) == (D("0.00"), D("116.73"))


@pytest.mark.parametrize(
    ("policy", "method"),
    [
        (ShippingPolicy(methods={"ups ground": 1}), 1),
        (ShippingPolicy(methods={"ups*": 2}), 2),
        (ShippingPolicy(methods={"*": 4, "ups*": 2, "ups ground": 1}), 1),
        (ShippingPolicy(default=3, use_default=True), 3),
        (ShippingPolicy(default=3), None),
    ],
)
def test_a_shipping_method_is_mapped_by_name_pattern_or_default(
    policy: ShippingPolicy, method: int | None
) -> None:
    changed = replace(POLICY, shipping=policy)
    if method is None:
        assert "SHIP_METHOD_UNMAPPED" in problems(EXAMPLE_C, changed)
    else:
        assert drafted(EXAMPLE_C, changed).header["shipMethod"] == {"id": str(method)}


def test_a_way_to_ship_without_a_name_is_never_left_blank() -> None:
    shown = document(EXAMPLE_C)
    shown["consignments"]["shipping"][0]["shipping_method"] = ""
    assert "is blank" in problems(read_order(shown))["SHIP_METHOD_UNMAPPED"]


def test_fees_wrapping_and_handling_have_items_of_their_own() -> None:
    cart = Cart([CartLine(D(5), wrap=D(2))], handling=D(3), fees=[D(1), D("0.50")])
    policy = replace(POLICY, fee_items={"fee 1": 55})
    draft = drafted(cart, policy)
    assert amounts(draft) == {
        "5501": D("5.00"),
        "handling": D("3.00"),
        "wrapping": D("2.00"),
        "fee-1": D("1.00"),
        "fee-2": D("0.50"),
    }
    assert [line.item for line in draft.lines if line.role == "fee"] == [FEE_ITEM, 55]
    in_header = drafted(cart, replace(policy, handling_item=None))
    assert in_header.header["handlingCost"] == D("3.00")
    assert in_header.expected.total == D("11.50")


def test_a_currency_that_netsuite_keeps_too_short_waits_unless_the_order_fits() -> None:
    short = account(currencies={"KWD": NetSuiteCurrency(4, 2)})
    assert (
        "keeps 2 digits" in problems(Cart([CartLine(D("1.005"))], "KWD"), POLICY, short)["CURRENCY_UNMAPPED"]
    )
    assert drafted(Cart([CartLine(D("1.250"))], "KWD"), POLICY, short)
    # Its prices fit, and the shares of its discount do not: NetSuite would round each of them.
    thirds = Cart([CartLine(D("3.000")) for _ in range(3)], "KWD", coupon=D("1.000"))
    assert "keeps 2 digits" in problems(thirds, POLICY, short)["CURRENCY_UNMAPPED"]


def test_a_customer_without_the_currency_waits() -> None:
    facts = replace(FACTS, customer=replace(FACTS.customer, currencies=frozenset({1})))
    assert drafted(EXAMPLE_C, POLICY, facts)
    euro = replace(EXAMPLE_C, currency="EUR")
    assert "does not take EUR" in problems(euro, POLICY, facts)["CURRENCY_UNMAPPED"]


@pytest.mark.parametrize(
    ("whose", "currency", "rate", "found"),
    [
        ("netsuite", "EUR", "0.9200000000", None),
        ("bigcommerce", "EUR", "0.9200000000", D("1.08695652")),
        ("bigcommerce", "USD", "1.0000000000", None),
        ("bigcommerce", "JPY", "151.5000000000", D("0.00660066")),
        ("bigcommerce", "EUR", "", None),
    ],
)
def test_the_exchange_rate_is_bigcommerces_only_where_it_is_asked_for(
    whose: Any, currency: str, rate: str, found: Decimal | None
) -> None:
    order = order_of(Cart([CartLine(D(5))], currency), store_default_to_transactional_exchange_rate=rate)
    draft = drafted(order, replace(POLICY, exchange_rate=whose))
    assert draft.header.get("exchangeRate") == found


def test_fields_are_filled_from_paths_and_blank_ones_are_not_sent() -> None:
    policy = replace(
        POLICY,
        fields={
            "custbody_id": parse_path("id"),
            "custbody_note": parse_path("customer_message"),
            "custbody_shop": parse_path("=web"),
            "custbody_total": parse_path("total_inc_tax", "number"),
        },
        line_fields={"custcol_gross": parse_path("$gross", "number", computed=True)},
    )
    draft = drafted(order_of(EXAMPLE_C, customer_message=""), policy)
    assert (draft.header["custbody_id"], draft.header["custbody_shop"]) == ("1001", "web")
    assert draft.header["custbody_total"] == D("116.73")
    assert "custbody_note" not in draft.header
    assert draft.lines[0].fields["custcol_gross"] == D("59.97")


def test_a_pre_order_says_when_it_may_ship() -> None:
    cart = Cart([CartLine(D(5), event_date="2026-03-01"), CartLine(D(5))])
    first, second = drafted(cart).lines
    assert first.fields["expectedShipDate"] == "2026-03-01"
    assert "expectedShipDate" not in second.fields
    assert "expectedShipDate" not in drafted(cart, replace(POLICY, expected_ship_date=False)).lines[0].fields


def test_dimensions_stand_on_lines_only_where_the_account_has_them_there() -> None:
    policy = channel(department=4, class_id=3)
    draft = drafted(EXAMPLE_C, policy)
    assert (draft.header["department"], draft.header["class"]) == ({"id": "4"}, {"id": "3"})
    assert "department" not in draft.lines[0].fields
    deep = drafted(EXAMPLE_C, replace(policy, line_dimensions=True))
    assert all(line.fields["class"] == {"id": "3"} for line in deep.lines)


def test_a_malformed_email_is_left_out_because_netsuite_would_refuse_the_order() -> None:
    for email in ("jane", "jane@home", "a b@c.de", "x" * 260 + "@example.com"):
        order = order_of(EXAMPLE_C, billing_address={**ADDRESS, "email": email})
        assert "email" not in drafted(order).header
    assert "email" not in drafted(EXAMPLE_C, replace(POLICY, send_email=False)).header


@pytest.mark.parametrize(
    ("amount", "quantity", "price", "rate"),
    [
        ("59.97", 3, "19.9900", "19.9900"),
        ("53.97", 3, "19.9900", "17.9900"),
        ("10.00", 3, "5", "3.3333"),
        ("100.00", 700, "1", "0.14286"),
        ("0.02", 3, "0.0067", "0.0067"),
        ("0.00", 0, "5", "0"),
    ],
)
def test_the_rate_comes_back_to_the_amount(amount: str, quantity: int, price: str, rate: str) -> None:
    found = rate_of(Money.of(amount, "USD"), quantity, D(price))
    assert found == D(rate)
    assert Money.of(found * quantity, "USD") == Money.of(amount, "USD")


def test_an_order_without_anything_on_it_is_not_posted() -> None:
    order = replace(order_of(Cart([CartLine(D(0), 0)])), lines=())
    assert "nothing on it" in problems(order)["ORDER_COMPONENTS_DO_NOT_ADD"]


def test_the_same_order_always_gives_the_same_draft() -> None:
    assert drafted(EXAMPLE_C) == drafted(EXAMPLE_C)
    assert drafted(EXAMPLE_C).body() == drafted(EXAMPLE_C).body()
