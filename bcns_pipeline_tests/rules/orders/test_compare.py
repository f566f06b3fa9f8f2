from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.compare import (
    closing_line,
    differences,
    drift,
    tax_by_item,
    tax_differences,
    tax_shown,
)
from bcns_pipeline.rules.orders.draft import Expected
from bcns_pipeline.rules.orders.facts import Shown, ShownLine
from bcns_pipeline_tests.rules.orders.books import Record
from bcns_pipeline_tests.rules.orders.examples import (
    EXAMPLE_C,
    POLICY,
    RECALCULATED,
    ROUNDING_ITEM,
    TAX_ITEM,
    D,
    drafted,
    order_of,
)

DRAFT = drafted(EXAMPLE_C)
SHOWN = Record.made(DRAFT.body(), "USD", 2).shown()


def line(place: int = 0, **more: Any) -> Shown:
    lines = list(SHOWN.lines)
    lines[place] = replace(lines[place], **more)
    return replace(SHOWN, lines=tuple(lines))


def test_a_record_as_it_was_written_has_no_difference() -> None:
    assert differences(DRAFT.expected, SHOWN) == []
    assert not drift(DRAFT.expected, SHOWN)


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (replace(SHOWN, total=D("116.72")), "The total is 116.72 USD, and 116.73 was written."),
        (replace(SHOWN, tax=D("0.01")), "The tax is 0.01 USD, and 0.00 was written."),
        (replace(SHOWN, shipping=D(0)), "The shipping is 0 USD, and 9.95 was written."),
        (replace(SHOWN, currency="EUR"), "The order is in EUR, and USD was written."),
        (line(amount=D("53.96")), "Line 5501 comes to 53.96, and 53.97 was written."),
        (line(quantity=D(2)), "Line 5501 has 2 units, and 3 were written."),
        (line(item=9), "Line 5501 is of item 9, and 100 was written."),
        (replace(SHOWN, lines=SHOWN.lines[1:]), "Line 5501 is not there."),
        (
            replace(SHOWN, lines=(*SHOWN.lines, ShownLine(9, 66, D(1), D("5.00")))),
            "A line of item 66 over 5.00 was not written by us.",
        ),
    ],
)
def test_each_difference_is_a_sentence(shown: Shown, sentence: str) -> None:
    assert differences(DRAFT.expected, shown) == [sentence]


def test_a_line_on_which_nothing_is_left_is_no_difference() -> None:
    void = ShownLine(9, 66, D(0), D(0), closed=True)
    assert differences(DRAFT.expected, replace(SHOWN, lines=(void, *SHOWN.lines))) == []


def test_without_a_line_id_field_lines_are_told_apart_by_figures_and_order() -> None:
    bare = replace(SHOWN, lines=tuple(replace(one, key="") for one in SHOWN.lines))
    assert differences(DRAFT.expected, bare) == []
    wrong = replace(bare, lines=(replace(bare.lines[0], amount=D("1.00")), *bare.lines[1:]))
    assert differences(DRAFT.expected, wrong) == ["Line 5501 comes to 1.00, and 53.97 was written."]


def test_a_long_list_of_differences_ends() -> None:
    nothing = replace(SHOWN, lines=(), total=D(0), shipping=D(0))
    many = replace(DRAFT.expected, lines=DRAFT.expected.lines * 4)
    found = differences(many, nothing)
    assert found[-1] == "6 more lines differ."


def test_the_base_currency_is_compared_where_the_rate_was_ours() -> None:
    order = order_of(replace(EXAMPLE_C, currency="EUR"), store_default_to_transactional_exchange_rate="0.92")
    expected = drafted(order, replace(POLICY, exchange_rate="bigcommerce")).expected
    assert expected.base is not None
    assert expected.base == Money.of(D("116.73") / D("0.92"), "USD")
    assert Expected.read(expected.document()) == expected
    shown = replace(SHOWN, currency="EUR", base_total=expected.base.amount)
    assert differences(expected, shown) == []
    # Rounding line by line is no other rate.
    assert differences(expected, replace(shown, base_total=expected.base.amount + D("0.02"))) == []
    (said,) = differences(expected, replace(shown, base_total=D("116.73")))
    assert "In the base currency it is 116.73 USD" in said


def test_the_tax_of_a_record_is_netsuites_own_and_that_of_our_tax_lines() -> None:
    assert tax_shown(SHOWN, DRAFT.expected) == tax_shown(SHOWN, None) == D("8.71")
    assert tax_shown(replace(SHOWN, tax=D("1.00"), lines=SHOWN.lines[:3]), DRAFT.expected) == D("1.00")
    # Lines of ours say as which item it is posted; which codes NetSuite's own tax has, no line says.
    assert tax_by_item(SHOWN, DRAFT.expected) == {f"item:{TAX_ITEM}": D("8.71")}
    assert tax_by_item(replace(SHOWN, tax=D("1.00")), DRAFT.expected) == {}
    # Without a field for our names, the lines are told by what was written.
    nameless = replace(SHOWN, lines=tuple(replace(one, key="") for one in SHOWN.lines))
    assert tax_shown(nameless, DRAFT.expected) == D("8.71")


def test_a_tolerance_is_for_total_and_tax_that_netsuite_computes() -> None:
    draft = drafted(EXAMPLE_C, replace(POLICY, tax=replace(RECALCULATED, tolerance={"USD": D("0.01")})))
    record = Record.made(draft.body(), "USD", 2, rate=D("8.875"))
    record.header["shippingCost"] = D(0)  # exempt, which the small NetSuite of the tests does not know
    shown = replace(record.shown(), total=D("116.72"), tax=D("8.70"), shipping=D("9.95"))
    assert differences(draft.expected, shown) == []
    assert drift(draft.expected, shown) == Money(-1, "USD")
    assert len(differences(replace(draft.expected, tolerance=Decimal(0)), shown)) == 2


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-2, 2)), min_size=4, max_size=4),
    st.sampled_from([1, -1]),
)
def test_a_tax_that_netsuite_computes_otherwise_is_told_for_just_the_lines_that_have_it(
    off: list[tuple[int, int]], sign: int
) -> None:
    """In the sign of a sale or of the ledger; part of a line's tax may stand on the line of its discount."""
    expected = drafted(EXAMPLE_C, replace(POLICY, discount_lines=True, tax=RECALCULATED)).expected
    assert sum(amount for _, amount in expected.taxed) == expected.tax == D("8.71")
    numbers = {line.key: at for at, line in enumerate(expected.lines, 1)}
    shown = replace(
        SHOWN,
        lines=tuple(
            ShownLine(numbers[one.key], one.item, D(1), one.amount, one.key) for one in expected.lines
        ),
    )
    computed: dict[int, Decimal] = {}
    for (key, charged), (cents, moved) in zip(expected.taxed, off, strict=True):
        # Shipping is on no line of ours: NetSuite's row has a number that we do not know.
        computed[numbers.get(key, 99)] = charged + (cents - moved) * D("0.01")
        computed[numbers.get(f"{key}-discount", 98)] = moved * D("0.01")
    total = sum(computed.values())
    said = tax_differences(
        expected, replace(shown, tax=total), {at: sign * one for at, one in computed.items()}
    )
    names = [key if key == "shipping" else f"line {key}" for key, _ in expected.taxed]
    assert [one.split(",")[0] for one in said] == [
        f"Of {name} and handling" if name == "shipping" else f"Of {name}"
        for name, (cents, _) in zip(names, off, strict=True)
        if cents
    ]
    # Rows that are not the record's tax say nothing of it.
    assert tax_differences(expected, replace(shown, tax=total + D("0.01")), computed) == []


def test_a_cent_of_recalculated_tax_may_be_closed_by_a_line() -> None:
    policy = replace(POLICY, tax=replace(RECALCULATED, on_mismatch="residual"))
    draft = drafted(EXAMPLE_C, policy)
    whole = Record.made(draft.body(), "USD", 2).shown()
    short = replace(whole, total=D("116.72"), tax=D("8.70"))
    patch = closing_line(draft.expected, short, policy)
    assert patch == {
        "item": {
            "items": [
                {
                    "item": {"id": str(ROUNDING_ITEM)},
                    "quantity": 1,
                    "price": {"id": "-1"},
                    "rate": D("0.01"),
                    "amount": D("0.01"),
                    "custcol_bc_line_id": "rounding",
                }
            ]
        }
    }
    assert closing_line(draft.expected, replace(short, total=D("116.00")), policy) is None
    assert closing_line(draft.expected, replace(short, total=D("116.73")), policy) is None
    assert closing_line(draft.expected, short, replace(policy, tax=RECALCULATED)) is None
    # Somebody changed a line, or closed the cents already: that is no tax of NetSuite's.
    changed = (replace(short.lines[0], amount=D("53.96")), *short.lines[1:])
    assert closing_line(draft.expected, replace(short, lines=changed), policy) is None
    rounded = ShownLine(9, ROUNDING_ITEM, D(1), D("0.01"))
    assert closing_line(draft.expected, replace(short, lines=(*short.lines, rounded)), policy) is None


def test_two_currencies_are_never_compared() -> None:
    with pytest.raises(ValueError, match="can't be compared"):
        drift(DRAFT.expected, replace(SHOWN, currency="EUR"))
