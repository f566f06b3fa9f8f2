"""What the NetSuite double computes: line amounts, discounts, shipping, taxes, currencies.

Put sums here, with the worked examples of facts/finance.md 3.2. Do not put references here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcns_pipeline_tests.sandbox.desk import ITEMS, METHODS, Desk, line, tax

UPS = {"shipMethod": {"id": METHODS["UPS Ground"]}}


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One account with SuiteTax."""
    return Desk()


@pytest.fixture(scope="module")
def untaxed() -> Desk:
    """One account without any tax engine."""
    return Desk(tax_engine="none")


def shown(desk: Desk, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A new order as GET shows it."""
    return desk.get(f"salesOrder/{desk.order(*lines, **changes)}")


def test_an_amount_beats_rate_times_quantity(untaxed: Desk) -> None:
    order = shown(untaxed, line(1001, 3, "16.6583", amount=Decimal("49.98")))
    assert order["item"]["items"][0]["amount"] == Decimal("49.98")
    assert order["total"] == Decimal("49.98")


@pytest.mark.parametrize(
    ("rate", "quantity", "amount"), [("1.005", 1, "1.01"), ("0.333", 3, "1"), ("2.0049", 1, "2"), ("0.125", 2, "0.25")]
)  # fmt: skip
def test_rate_times_quantity_is_rounded_half_up(untaxed: Desk, rate: str, quantity: int, amount: str) -> None:
    assert shown(untaxed, line(1001, quantity, rate))["subtotal"] == Decimal(amount)


def test_without_custom_price_the_items_own_price_replaces_what_was_sent(untaxed: Desk) -> None:
    plain = {"item": {"id": "1001"}, "quantity": 2, "rate": 1, "amount": 2}
    own = untaxed.books.context.items.get(1001)
    assert own is not None
    assert own.price is not None
    assert shown(untaxed, plain)["subtotal"] == own.price * 2
    wholesale = {**plain, "price": {"id": "2"}}
    assert shown(untaxed, wholesale)["subtotal"] == round(own.price * 2 * Decimal("0.8"), 2)
    untaxed.settings.price_level_overwrites = False
    assert shown(untaxed, plain)["subtotal"] == 2
    untaxed.settings.price_level_overwrites = True


def test_discounts_are_negative_lines_or_take_their_own_percentage_of_the_line_above(untaxed: Desk) -> None:
    order = shown(
        untaxed,
        line(1001, 3, "19.99"),
        line(ITEMS["discount"], rate="-6.00"),
        line(1002, 1, "34.50"),
        {"item": {"id": ITEMS["discount_ten_percent"]}},
    )
    amounts = [one["amount"] for one in order["item"]["items"]]
    assert amounts == [Decimal("59.97"), -6, Decimal("34.5"), Decimal("-3.45")]
    assert order["subtotal"] == Decimal("85.02")


def test_a_percentage_follows_the_line_above_it(untaxed: Desk) -> None:
    number = untaxed.order(line(1001, 1, "10"), {"item": {"id": ITEMS["discount_ten_percent"]}})
    untaxed.patch(f"salesOrder/{number}", {"item": {"items": [{"line": 1, "quantity": 3}]}})
    assert untaxed.get(f"salesOrder/{number}")["subtotal"] == 27


def test_a_header_discount_is_a_flat_amount_or_the_items_percentage(untaxed: Desk) -> None:
    flat = {"discountItem": {"id": ITEMS["discount"]}, "discountRate": Decimal("-5.04")}
    order = shown(untaxed, line(1001, 1, "20"), **flat)
    assert (order["discountTotal"], order["total"]) == (Decimal("-5.04"), Decimal("14.96"))
    order = shown(untaxed, line(1001, 1, "20"), discountItem={"id": ITEMS["discount_ten_percent"]})
    assert (order["discountTotal"], order["total"]) == (-2, 18)


def test_shipping_sticks_with_a_ship_method_only(untaxed: Desk) -> None:
    costs = {"shippingCost": Decimal("9.95"), "handlingCost": 2}
    order = shown(untaxed, line(1001, 1, "20"), **costs)
    assert order["total"] == 20
    assert "shippingCost" not in order
    assert shown(untaxed, line(1001, 1, "20"), **UPS, **costs)["total"] == Decimal("31.95")


@pytest.mark.parametrize(
    ("currency", "rate", "subtotal", "base"),
    [("3", "100.5", 101, "0.67"), ("4", "1.2345", "1.235", "4.01"), ("2", "10.005", "10.01", "10.81")],
)
def test_totals_have_the_currencys_digits_and_the_base_currency_its_own(
    untaxed: Desk, currency: str, rate: str, subtotal: Any, base: str
) -> None:
    customer = untaxed.customer(currencyList={"items": [{"currency": {"id": currency}}]})
    order = shown(untaxed, line(1001, 1, rate), entity={"id": str(customer)}, currency={"id": currency})
    assert order["total"] == Decimal(str(subtotal))
    row = untaxed.sql("SELECT foreigntotal f, total t FROM transaction WHERE id = ?", order["id"])
    assert row == [{"f": str(subtotal), "t": base}]


def test_an_exchange_rate_of_the_request_counts_but_for_the_base_currency(untaxed: Desk) -> None:
    customer = untaxed.customer(currencyList={"items": [{"currency": {"id": "2"}}]})
    order = shown(
        untaxed,
        line(1001, 1, "10"),
        entity={"id": str(customer)},
        currency={"id": "2"},
        exchangeRate=Decimal("1.1"),
    )
    assert untaxed.sql("SELECT total t FROM transaction WHERE id = ?", order["id"]) == [{"t": "11"}]
    assert shown(untaxed, exchangeRate=2)["exchangeRate"] == 1


# -- taxes -------------------------------------------------------------------------------------------------------


def example_c(**changes: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """3 x 19.99 + 1 x 34.50 + 2 x 7.25, ten per cent off, 8.875 % in New York, shipping exempt."""
    lines = [
        line(1001, 3, "19.99", amount=Decimal("53.97"), taxDetailsReference="L1"),
        line(1002, 1, "34.50", amount=Decimal("31.05"), taxDetailsReference="L2"),
        line(1003, 2, "7.25", amount=Decimal("13.05"), taxDetailsReference="L3"),
    ]
    return lines, {**UPS, "shippingCost": Decimal("9.95"), **changes}


def test_overridden_details_are_taken_as_they_are(desk: Desk) -> None:
    details = [
        tax("L1", "53.97", "8.875", "4.79"),
        tax("L2", "31.05", "8.875", "2.76"),
        tax("L3", "13.05", "8.875", "1.16"),
    ]
    lines, body = example_c(taxDetailsOverride=True, taxDetails={"items": details})
    order = shown(desk, *lines, **body)
    assert (order["taxTotal"], order["total"]) == (Decimal("8.71"), Decimal("116.73"))
    assert [row["taxAmount"] for row in order["taxDetails"]["items"]] == [
        Decimal("4.79"),
        Decimal("2.76"),
        Decimal("1.16"),
    ]
    assert order["item"]["items"][0]["taxAmount"] == Decimal("4.79")
    rows = desk.sql(
        "SELECT foreignamount a FROM transactionline WHERE transaction = ? AND taxline = 'T'", order["id"]
    )
    assert rows == [{"a": "-8.71"}]


def test_the_engine_rounds_per_line_or_once_which_is_a_cent_apart(desk: Desk) -> None:
    lines, body = example_c()
    assert shown(desk, *lines, **body)["total"] == Decimal("116.73")
    desk.settings.tax_rounding = "header"
    assert shown(desk, *lines, **body)["total"] == Decimal("116.72")
    desk.settings.tax_rounding = "line"


def test_the_engine_taxes_where_the_goods_go_and_only_what_is_taxable(desk: Desk) -> None:
    def taxed(country: str, state: str = "", **changes: Any) -> Any:
        address = {"addr1": "1", "state": state, "country": {"id": country}}
        return shown(desk, line(1001, 1, "100"), shippingAddress=address, **changes)["taxTotal"]

    assert taxed("US", "NY") == Decimal("8.88")
    assert taxed("US", "TX") == Decimal("8.25")
    assert taxed("US", "OR") == 0
    assert taxed("DE") == 19
    assert taxed("BR") == 0
    assert shown(desk, line(ITEMS["sales_tax"], 1, "100"))["taxTotal"] == 0
    exempt = desk.customer(taxable=False)
    assert taxed("US", "NY", entity={"id": str(exempt)}) == 0


def test_shipping_is_taxed_where_the_account_says_so(desk: Desk) -> None:
    lines, body = example_c()
    desk.settings.shipping_taxable = True
    assert shown(desk, *lines, **body)["taxTotal"] == Decimal("8.71") + Decimal("0.88")
    refused = {**body, "taxDetailsOverride": True}
    refused["taxDetails"] = {"items": [tax(f"L{k}", 1, 1, 1) for k in (1, 2, 3)]}
    assert "_shipping" in desk.refused("POST", "salesOrder", desk.body(*lines, **refused))[1]
    refused["shipGroup"] = {"items": [{"shippingTaxDetailsReference": "SHIP"}]}
    refused["taxDetails"]["items"].append(tax("SHIP", "9.95", "8.875", "0.88"))
    assert shown(desk, *lines, **refused)["taxTotal"] == Decimal("3.88")
    desk.settings.shipping_taxable = False


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"taxCode": {"id": "99"}}, "Invalid Field Value 99 for the following field: taxcode"),
        ({"taxType": "2"}, "Invalid Field Value 2 for the following field: taxtype"),
        ({"taxBasis": None}, "You must enter a value for taxBasis."),
        ({"taxRate": None}, "You must enter a value for taxRate."),
        ({"taxAmount": None}, "You must enter a value for taxAmount."),
        (
            {"taxDetailsReference": "L9"},
            "Invalid Field Value L9 for the following field: taxdetailsreference",
        ),
    ],
    ids=str,
)
def test_incomplete_or_unknown_details_are_refused(desk: Desk, row: dict[str, Any], said: str) -> None:
    details = [{**tax("L1", 10, 8, "0.8"), **row}]
    body = desk.body(line(1001, 1, 10, taxDetailsReference="L1"), taxDetailsOverride=True)
    assert said in desk.refused("POST", "salesOrder", {**body, "taxDetails": {"items": details}})[1]


def test_a_taxable_line_without_details_is_refused_and_an_untaxable_one_is_not(desk: Desk) -> None:
    body = desk.body(line(1001, 1, 10), taxDetailsOverride=True)
    assert "Tax details are missing" in desk.refused("POST", "salesOrder", body)[1]
    rounding = line(ITEMS["rounding"], 1, "0.02")
    assert shown(desk, rounding, taxDetailsOverride=True)["total"] == Decimal("0.02")
    reverse = [tax("L1", 10, 0, 0, code=23, kind="2")]
    order = shown(
        desk,
        line(1001, 1, 10, taxDetailsReference="L1"),
        taxDetailsOverride=True,
        taxDetails={"items": reverse},
    )
    assert (order["taxTotal"], order["total"]) == (0, 10)
    assert len(order["taxDetails"]["items"]) == 1


def test_lines_appended_to_an_overridden_order_need_details_too(desk: Desk) -> None:
    number = desk.order(
        line(1001, 1, 10, taxDetailsReference="L1"),
        taxDetailsOverride=True,
        taxDetails={"items": [tax("L1", 10, 8, "0.8")]},
    )
    more = {"item": {"items": [line(1002, 1, 5)]}}
    assert "Tax details are missing" in desk.refused("PATCH", f"salesOrder/{number}", more)[1]
    desk.patch(f"salesOrder/{number}", {"memo": "only the memo"})
    assert desk.get(f"salesOrder/{number}")["taxTotal"] == Decimal("0.8")


def test_details_of_a_patch_stand_in_for_those_of_the_same_lines(desk: Desk) -> None:
    details = [tax("L1", 10, 8, "0.8"), tax("L2", 5, 8, "0.4")]
    number = desk.order(
        line(1001, 1, 10, taxDetailsReference="L1"),
        line(1002, 1, 5, taxDetailsReference="L2"),
        taxDetailsOverride=True,
        taxDetails={"items": details},
    )
    desk.patch(f"salesOrder/{number}", {"taxDetails": {"items": [tax("L2", 5, 10, "0.5")]}})
    assert desk.get(f"salesOrder/{number}")["taxTotal"] == Decimal("1.3")
    said = desk.refused(
        "PATCH", f"salesOrder/{number}?replace=taxDetails", {"taxDetails": {"items": details[:1]}}
    )
    assert "Tax details are missing for the line with reference L2" in said[1]
    desk.patch(f"salesOrder/{number}?replace=taxDetails", {"taxDetails": {"items": details}})
    assert desk.get(f"salesOrder/{number}")["taxTotal"] == Decimal("1.2")


@pytest.mark.parametrize("engine", ["legacy", "none"])
def test_without_suitetax_no_tax_property_exists(engine: str) -> None:
    desk = Desk(tax_engine=engine)
    said = desk.refused("POST", "salesOrder", desk.body(taxDetailsOverride=True))
    assert said[1] == "Invalid property name: 'taxDetailsOverride'."
    said = desk.refused("POST", "salesOrder", desk.body(line(1001, 1, 1, taxCode={"id": "11"})))
    assert "taxCode" in said[1]
    assert "taxTotal" not in shown(desk)
    assert "customrecord_ste_taxrate" in desk.refuses_sql("SELECT id FROM customrecord_ste_taxrate")


def test_legacy_tax_is_added_by_the_account_itself_where_it_does() -> None:
    desk = Desk(tax_engine="legacy")
    lines, body = example_c()
    plain = [{n: v for n, v in one.items() if n != "taxDetailsReference"} for one in lines]
    assert shown(desk, *plain, **body)["total"] == Decimal("108.02")
    desk.settings.legacy_taxes = True
    assert shown(desk, *plain, **body)["total"] == Decimal("116.72")


cents = st.integers(0, 10_000).map(lambda n: Decimal(n) / 100)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 9), cents, cents), min_size=1, max_size=6), cents)
def test_whatever_the_cart_the_total_is_what_its_parts_say(
    desk: Desk, cart: list[tuple[int, Decimal, Decimal]], shipping: Decimal
) -> None:
    lines = [line(1001 + k, q, amount=a, taxDetailsReference=f"L{k}") for k, (q, a, _) in enumerate(cart)]
    details = [tax(f"L{k}", a, 5, t) for k, (_, a, t) in enumerate(cart)]
    order = shown(
        desk, *lines, **UPS, shippingCost=shipping, taxDetailsOverride=True, taxDetails={"items": details}
    )
    expected = sum((a + t for _, a, t in cart), shipping)
    assert order["total"] == expected
    rows = desk.sql(
        "SELECT foreignamount a FROM transactionline WHERE transaction = ? AND mainline = 'F'", order["id"]
    )
    assert sum((Decimal(row["a"]) for row in rows), Decimal(0)) == -expected
