from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.draft import Expected
from bcns_pipeline.rules.orders.model import Cost, Details, Order, TaxRow
from bcns_pipeline.rules.orders.paths import parse_path
from bcns_pipeline.rules.orders.policy import Channel, OrderPolicy, ReverseCharge, TaxCode, TaxPolicy
from bcns_pipeline.rules.orders.reading import read_order
from bcns_pipeline.rules.orders.vat import sound_vat_number
from bcns_pipeline_tests.rules.orders.books import Record
from bcns_pipeline_tests.rules.orders.carts import RATES, products_of
from bcns_pipeline_tests.rules.orders.examples import (
    EXAMPLE_C,
    FACTS,
    ITEM_LINE,
    MARKETPLACE_ITEM,
    POLICY,
    RECALCULATED,
    SUITE_FACTS,
    SUITETAX,
    TAX_ITEM,
    amounts,
    drafted,
    order_of,
    problems,
)
from bcns_pipeline_tests.rules.orders.shop import ADDRESS, Cart, CartLine, document

D = Decimal
BY_SUITETAX = replace(POLICY, tax=SUITETAX)


def rows(order: Order | Cart, policy: OrderPolicy = BY_SUITETAX, details: Details | None = None) -> Any:
    """{line key: [(code, basis, rate, amount)]} of the override."""
    body = drafted(order, policy, SUITE_FACTS, details).body()
    assert body["taxDetailsOverride"] is True
    found: dict[str, list[Any]] = {}
    for row in body["taxDetails"]["items"]:
        key = row["taxDetailsReference"]["id"].removeprefix("bc-")
        figures = (row["taxCode"]["id"], row["taxBasis"], row["taxRate"], row["taxAmount"])
        found.setdefault(key, []).append(figures)
    return found


def test_suitetax_gets_the_tax_of_every_line_as_it_was_charged() -> None:
    assert rows(EXAMPLE_C) == {
        "5501": [("12", D("53.97"), D("8.8753"), D("4.79"))],
        "5502": [("12", D("31.05"), D("8.8889"), D("2.76"))],
        "5503": [("12", D("13.05"), D("8.8889"), D("1.16"))],
    }
    record = Record.made(drafted(EXAMPLE_C, BY_SUITETAX, SUITE_FACTS).body(), "USD", 2)
    assert (record.tax, record.total) == (D("8.71"), D("116.73"))


def test_a_rate_that_is_known_is_the_rate_that_is_told() -> None:
    policy = replace(POLICY, tax=replace(SUITETAX, default=TaxCode(12, "5", D("8.875"))))
    assert {row[2] for found in rows(EXAMPLE_C, policy).values() for row in found} == {D("8.875")}


def test_lines_without_tax_say_so_with_the_code_of_exempt_lines() -> None:
    cart = Cart([CartLine(D(10), 1, D(10)), CartLine(D(5))], shipping=D(3))
    policy = replace(BY_SUITETAX, shipping=replace(POLICY.shipping, as_line=True))
    found = rows(cart, policy)
    assert found["5502"] == [("14", D("5.00"), D(0), D("0.00"))]
    assert found["shipping"] == [("14", D("3.00"), D(0), D("0.00"))]


def test_taxed_shipping_becomes_a_line_where_the_header_cannot_hold_its_tax() -> None:
    cart = Cart([CartLine(D(10), 1, D(10))], shipping=D(5), shipping_rate=D(10), handling=D(2))
    draft = drafted(cart, BY_SUITETAX, SUITE_FACTS)
    assert amounts(draft) == {"5501": D("10.00"), "shipping": D("5.00"), "handling": D("2.00")}
    assert draft.header["shippingCost"] == 0
    assert rows(cart)["shipping"] == [("12", D("5.00"), D("10.0000"), D("0.50"))]
    # Where tax is a line of its own, the header holds the cost and the tax line the tax.
    plain = drafted(cart)
    assert plain.header["shippingCost"] == D("5.00")
    assert amounts(plain)["tax"] == D("1.70")


def test_without_an_item_for_it_taxed_shipping_waits() -> None:
    cart = Cart([CartLine(D(10), 1, D(10))], shipping=D(5), shipping_rate=D(10))
    policy = replace(BY_SUITETAX, shipping=replace(POLICY.shipping, item=None))
    assert "orders.shipping.item" in problems(cart, policy, SUITE_FACTS)["CHARGE_UNMAPPED"]


def test_tax_as_a_line_is_one_exact_line() -> None:
    draft = drafted(EXAMPLE_C)
    assert amounts(draft)["tax"] == D("8.71")
    assert next(line.item for line in draft.lines if line.role == "tax") == TAX_ITEM
    assert (draft.expected.tax, draft.expected.charged_tax) == (D("0.00"), D("8.71"))
    assert "taxDetailsOverride" not in draft.body()


def test_on_an_account_with_suitetax_a_tax_line_keeps_the_engine_from_taxing_twice() -> None:
    policy = replace(POLICY, tax=replace(ITEM_LINE, exempt=TaxCode(14, "5")))
    found = rows(EXAMPLE_C, policy)
    assert {row[3] for one in found.values() for row in one} == {D("0.00")}
    assert "tax" in found


def test_auto_takes_suitetax_where_the_account_has_it_and_a_line_elsewhere() -> None:
    tax = replace(SUITETAX, default=TaxCode(12, "5", item=TAX_ITEM))
    assert drafted(EXAMPLE_C, replace(POLICY, tax=tax), SUITE_FACTS).sources["tax"] == "suitetax"
    assert drafted(EXAMPLE_C, replace(POLICY, tax=tax), FACTS).sources["tax"] == "item_line"


def test_tax_without_anything_to_post_it_as_names_the_key() -> None:
    said = problems(EXAMPLE_C, replace(POLICY, tax=TaxPolicy()))
    assert said == {"TAX_CODE_UNMAPPED": "There is nothing to post tax as; name it as orders.tax.item."}
    assert drafted(Cart([CartLine(D(5))]), replace(POLICY, tax=TaxPolicy())).lines


STATE, CITY = TaxCode(21, "5", D("6.25"), 801), TaxCode(22, "5", None, 802)
BY_NAME = {"state tax": STATE, "city tax": CITY}


def jurisdictions(*more: TaxRow) -> Details:
    """The rows of example C at 6.25 % and 2.625 %."""
    found = []
    for number, (state, city) in {
        5501: ("3.37", "1.42"),
        5502: ("1.94", "0.82"),
        5503: ("0.82", "0.34"),
    }.items():
        found.append(TaxRow("State Tax", "", D("6.25"), D(state), "item", number, 64))
        found.append(TaxRow("City Tax", "", D("2.625"), D(city), "item", number, 64))
    return Details(taxes=(*found, *more))


def test_each_jurisdiction_has_its_row_or_its_line() -> None:
    policy = replace(POLICY, tax=replace(SUITETAX, codes=BY_NAME, default=TaxCode()))
    found = rows(EXAMPLE_C, policy, jurisdictions())
    assert found["5501"] == [
        ("21", D("53.97"), D("6.25"), D("3.37")),
        ("22", D("53.97"), D("2.625"), D("1.42")),
    ]
    lines = replace(POLICY, tax=replace(ITEM_LINE, codes=BY_NAME, default=TaxCode()))
    found_lines = amounts(drafted(EXAMPLE_C, lines, FACTS, jurisdictions()))
    assert (found_lines["tax-801"], found_lines["tax-802"]) == (D("6.13"), D("2.58"))
    # By either road what is remembered of the posting has the tax by name and by what it was posted as, all of it.
    for one, facts, city, state in (
        (policy, SUITE_FACTS, "code:22", "code:21"),
        (lines, FACTS, "item:802", "item:801"),
    ):
        expected = drafted(EXAMPLE_C, one, facts, jurisdictions()).expected
        assert Expected.read(expected.document()).posted_taxes() == (
            ("City Tax", city, Money(258, "USD")),
            ("State Tax", state, Money(613, "USD")),
        )
    unnamed = drafted(EXAMPLE_C, POLICY, FACTS).expected
    assert unnamed.posted_taxes() == (("", f"item:{TAX_ITEM}", Money(871, "USD")),)
    # As operations from before it was kept have it.
    older = {**unnamed.document(), "taxes": [["State Tax", "8.71"]]}
    assert Expected.read(older).posted_taxes() == (("State Tax", "", Money(871, "USD")),)


def test_an_unknown_jurisdiction_waits_unless_there_is_a_default() -> None:
    policy = replace(POLICY, tax=replace(SUITETAX, codes={"state tax": STATE}, default=TaxCode()))
    said = problems(EXAMPLE_C, policy, SUITE_FACTS, jurisdictions())
    assert "orders.tax.codes.City Tax.code" in said["TAX_CODE_UNMAPPED"]
    lenient = replace(policy, tax=replace(policy.tax, default=TaxCode(12, "5")))
    assert rows(EXAMPLE_C, lenient, jurisdictions())["5501"][1][0] == "12"


def test_tax_of_shipping_fees_and_wrapping_finds_its_rows_by_kind() -> None:
    cart = Cart(
        [CartLine(D(10), 1, D(10), wrap=D(2))],
        shipping=D(5),
        shipping_rate=D(10),
        handling=D(1),
        fees=[D(3)],
        fee_rate=D(10),
    )
    details = Details(
        taxes=(
            TaxRow("Goods", "", D(10), D("1.00"), "item", 5501),
            TaxRow("Ship", "", D(10), D("0.50"), "shipping", None, 64),
            TaxRow("Hand", "", D(10), D("0.10"), "handling", None, 64),
            TaxRow("Wrap", "", D(10), D("0.20"), "gift-wrapping", 5501),
            TaxRow("Fee", "Fees", D(10), D("0.30")),
        )
    )
    codes = {
        name: TaxCode(code, "5")
        for name, code in {"goods": 31, "ship": 32, "hand": 33, "wrap": 34, "fees": 35}.items()
    }
    policy = replace(POLICY, tax=replace(SUITETAX, codes=codes, default=TaxCode()))
    found = {key: one[0][0] for key, one in rows(cart, policy, details).items()}
    assert found == {"5501": "31", "shipping": "32", "handling": "33", "wrapping": "34", "fee-1": "35"}


def test_rows_that_were_not_read_are_the_callers_mistake() -> None:
    policy = replace(POLICY, tax=replace(SUITETAX, codes=BY_NAME))
    with pytest.raises(ValueError, match="were not read"):
        drafted(EXAMPLE_C, policy, SUITE_FACTS)


def test_netsuite_computes_where_it_is_asked_to() -> None:
    draft = drafted(EXAMPLE_C, replace(POLICY, tax=replace(RECALCULATED, tolerance={"USD": D("0.02")})))
    assert [line.key for line in draft.lines] == ["5501", "5502", "5503"]
    assert (draft.expected.tax, draft.expected.tolerance) == (D("8.71"), D("0.02"))
    # On the header, NetSuite comes to 8.70: the classic cent of facts/finance.md 3.2.
    assert (D("98.07") * D("0.08875")).quantize(D("0.01")) == D("8.70")


def test_a_channel_may_have_a_mode_of_its_own() -> None:
    policy = replace(POLICY, channels={1: Channel(1, 1, tax_mode="ns_recalc")})
    assert drafted(EXAMPLE_C, policy).sources["tax"] == "ns_recalc"


def test_gross_lines_hold_the_tax_and_netsuite_posts_none() -> None:
    draft = drafted(EXAMPLE_C, replace(POLICY, gross_lines=True))
    assert list(amounts(draft).values()) == [D("58.76"), D("33.81"), D("14.21")]
    assert (draft.expected.total, draft.expected.tax) == (D("116.73"), D("0.00"))
    assert draft.expected.charged_tax == D("8.71")


MARKETPLACE = replace(POLICY, tax=replace(ITEM_LINE, marketplace_item=MARKETPLACE_ITEM))


def test_tax_that_a_marketplace_remits_goes_to_a_wash_account() -> None:
    """Example G of facts/finance.md 2.9: 14.90 and 1.04 of tax, which the buyer paid together."""
    order = order_of(Cart([CartLine(D("14.90"), 1, D("6.98"))]), order_source="amazon", external_id="112-1")
    for policy, facts in ((MARKETPLACE, FACTS), (replace(MARKETPLACE, gross_lines=True), FACTS)):
        draft = drafted(order, policy, facts)
        assert amounts(draft) == {"5501": D("14.90"), "tax": D("1.04")}
        assert next(line.item for line in draft.lines if line.role == "tax") == MARKETPLACE_ITEM
        assert draft.expected.total == D("15.94")
        assert (draft.sources["tax"], draft.sources["origin"]) == ("marketplace", "marketplace")


def test_a_marketplace_without_a_wash_account_waits_and_its_channel_decides() -> None:
    order = order_of(Cart([CartLine(D("14.90"), 1, D("6.98"))]), order_source="ebay")
    assert "orders.tax.marketplace_item" in problems(order)["TAX_CODE_UNMAPPED"]
    ours = replace(POLICY, channels={1: Channel(1, 1, marketplace=False)})
    assert drafted(order, ours).sources["tax"] == "item_line"
    theirs = replace(MARKETPLACE, channels={1: Channel(1, 1, marketplace=True)})
    assert drafted(EXAMPLE_C, theirs).sources["tax"] == "marketplace"
    assert drafted(Cart([CartLine(D(5))]), theirs).sources["tax"] == "marketplace"


def test_a_customer_who_is_exempt_in_netsuite_and_was_charged_tax_waits() -> None:
    facts = replace(FACTS, customer=replace(FACTS.customer, tax_exempt=True))
    assert "customer 110" in problems(EXAMPLE_C, POLICY, facts)["TAX_EXEMPT_MISMATCH"]
    assert drafted(Cart([CartLine(D(5))]), POLICY, facts)


def test_taxes_that_disagree_stop_the_order_or_are_flagged() -> None:
    order = order_of(Cart([CartLine(D("361.95"), 1, D("7.081"))]))
    untaxed = replace(order, charged=Cost(D("361.95"), D("361.95"), D(0)))
    said = problems(untaxed)
    assert said == {
        "TAX_MISMATCH": "The lines carry 25.63 USD of tax (5501 25.63), and the order 0.00 USD.",
    }
    for choice in ("flag", "residual"):
        draft = drafted(untaxed, replace(POLICY, tax=replace(ITEM_LINE, on_mismatch=choice)))
        assert [flag.code for flag in draft.flags] == ["TAX_MISMATCH"]
        assert draft.expected.total == D("361.95")


@given(
    st.lists(
        st.builds(CartLine, st.integers(1, 99_999).map(lambda one: D(one) / 100), st.integers(1, 5), RATES),
        min_size=1,
        max_size=5,
    ),
    st.integers(7, 500),
)
def test_each_line_says_how_much_tax_it_carries_where_lines_and_order_disagree(
    lines: list[CartLine], off: int
) -> None:
    shown = document(Cart(lines))
    order = read_order(shown)
    # More than a cent a line, so that no rounding explains it.
    wrong = order.charged.tax + D(off) / 100
    charged = Cost(order.charged.ex, order.charged.ex + wrong, wrong)
    said = problems(replace(order, charged=charged))["TAX_MISMATCH"]

    taxed = {str(one["id"]): D(one["total_tax"]) for one in products_of(shown) if D(one["total_tax"])}
    each = ", ".join(f"{key} {tax:.2f}" for key, tax in taxed.items()) or "none of them any"
    lines_carry = f"The lines carry {sum(taxed.values(), D(0)):.2f} USD of tax ({each})"
    assert said == f"{lines_carry}, and the order {wrong:.2f} USD."


REVERSE = ReverseCharge(
    TaxCode(13, "5", item=803),
    frozenset({"DE", "GR"}),
    parse_path("billing_address.form_fields.VAT Number"),
    field="custbody_vat_id",
)


def abroad(number: str, country: str = "DE", company: str = "Laser GmbH") -> dict[str, Any]:
    address = {
        **ADDRESS,
        "country_iso2": country,
        "company": company,
        "form_fields": [{"name": "VAT Number", "value": number}] if number else [],
    }
    return {"billing_address": address}


def reverse(number: str, policy: OrderPolicy, **more: Any) -> Order:
    order = order_of(Cart([CartLine(D(100))], shipping=D(10)), **abroad(number, **more))
    parcel = replace(order.consignments[0], address=order.billing)
    return replace(order, consignments=(parcel,))


def test_reverse_charge_is_a_row_of_nothing_with_its_own_code_and_the_number_as_evidence() -> None:
    policy = replace(POLICY, tax=replace(SUITETAX, reverse_charge=REVERSE))
    order = reverse("de 123.456.789", policy)
    assert rows(order, policy) == {"5501": [("13", D("100.00"), D(0), D("0.00"))]}
    draft = drafted(order, policy, SUITE_FACTS)
    assert draft.header["custbody_vat_id"] == "DE123456789"
    assert draft.sources["tax"] == "reverse_charge"
    assert "DE123456789" not in repr(draft)


def test_without_suitetax_reverse_charge_is_a_line_of_nothing() -> None:
    policy = replace(POLICY, tax=replace(ITEM_LINE, reverse_charge=REVERSE))
    draft = drafted(reverse("EL123456789", policy, country="GR"), policy)
    assert amounts(draft) == {"5501": D("100.00"), "tax": D("0.00")}


@pytest.mark.parametrize(
    ("number", "why"), [("", "none is with the order"), ("FR12345678901", "does not look like one")]
)
def test_an_untaxed_order_abroad_without_a_sound_number_waits(number: str, why: str) -> None:
    policy = replace(POLICY, tax=replace(SUITETAX, reverse_charge=REVERSE))
    said = problems(reverse(number, policy), policy, SUITE_FACTS)["REVERSE_CHARGE_UNPROVEN"]
    assert why in said
    assert not number or number not in said


def test_reverse_charge_is_not_asked_of_taxed_home_or_private_orders() -> None:
    policy = replace(POLICY, tax=replace(SUITETAX, reverse_charge=REVERSE))
    assert drafted(EXAMPLE_C, policy, SUITE_FACTS)
    assert drafted(Cart([CartLine(D(5))]), policy, SUITE_FACTS)
    companies = replace(policy, tax=replace(policy.tax, reverse_charge=replace(REVERSE, company_only=True)))
    assert drafted(reverse("", companies, company=""), companies, SUITE_FACTS)
    assert problems(reverse("", companies), companies, SUITE_FACTS)


@pytest.mark.parametrize(
    ("number", "country", "found"),
    [
        ("DE123456789", "DE", "DE123456789"),
        ("ie 1234567WA", "IE", "IE1234567WA"),
        ("EL123456789", "GR", "EL123456789"),
        ("XI123456789", "GB", "XI123456789"),
        ("GB123456789", "GB", "GB123456789"),
        ("GR123456789", "GR", None),
        ("DE", "DE", None),
        ("DEABCDEFG", "DE", None),
        ("none", "DE", None),
        ("123456789", "DE", None),
        ("123456789", "", None),
    ],
)
def test_a_vat_number_is_told_by_its_country_and_form(number: str, country: str, found: str | None) -> None:
    assert sound_vat_number(number, [country]) == found
