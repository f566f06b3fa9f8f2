from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.inventory.expression import parse_expression
from bcns_pipeline.rules.inventory.quantities import QUANTITY_SCALE, TERMS

# What is added and what is subtracted are kept apart, as the formula must.
RAISES, LOWERS = TERMS[:3], TERMS[3:]


def formulas(up: bool = True) -> st.SearchStrategy[str]:
    names = st.sampled_from(RAISES if up else LOWERS)
    numbers = st.decimals(0, 1000, places=3, allow_nan=False).map(str)
    leaves = st.one_of(names, names, numbers)
    if not up:
        return leaves
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds("{} + {}".format, inner, inner),
            st.builds("({}) - {}".format, inner, formulas(up=False)),
            st.builds("{}-({})".format, inner, formulas(up=False)),
            st.builds("- (- ({}))".format, inner),
            st.builds("min({}, {})".format, inner, inner),
            st.builds("MAX({} ,{}, {})".format, inner, inner, inner),
        ),
        max_leaves=12,
    )


def by_python(text: str, terms: Mapping[str, Fraction]) -> Fraction:
    """Python's own grammar agrees with the formula's on everything that both allow."""
    import re

    exact = re.sub(
        r"(?<![a-z_])[0-9]+(\.[0-9]+)?", lambda number: f"Fraction('{number.group()}')", text.lower()
    )
    value: Fraction = eval(
        exact, {"__builtins__": {}}, {"Fraction": Fraction, "min": min, "max": max, **terms}
    )
    return value


@given(
    formulas().filter(lambda text: any(term in text for term in RAISES)),
    st.lists(st.integers(-(10**12), 10**12), min_size=6, max_size=6),
)
def test_a_formula_gives_what_python_gives_with_exact_fractions(text: str, scaled: list[int]) -> None:
    columns = {term: np.array([value], dtype=np.int64) for term, value in zip(TERMS, scaled, strict=True)}
    exact = {term: Fraction(value, QUANTITY_SCALE) for term, value in zip(TERMS, scaled, strict=True)}
    result = parse_expression(text).evaluate(columns)
    assert Fraction(int(result[0]), QUANTITY_SCALE) == by_python(text, exact)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "is empty"),
        ("available -", "ends too early"),
        ("available * 2", "'*' at character 11"),
        ("stock - 1", "'stock', which is no stock term; use some of available, on_hand"),
        ("min available", "must be followed by"),
        ("min(available", "a ) is missing"),
        ("available)", "does not belong there"),
        ("available 2", "does not belong there"),
        ("5", "names no stock term"),
        ("5 - committed", "only subtracts"),
        ("max(available, on_hand - available)", "both adds and subtracts available"),
        ("available - 1.123456789", "too long or too large"),
        ("available - 99999999999", "too long or too large"),
        ("(" * 30 + "available" + ")" * 30, "nested deeper"),
        ("available + " * 50 + "available", "longer than"),
        ("__import__(1)", "is no stock term"),
        ("'available'", "is not understood"),
        (", available", "stands where a number or term must be"),
    ],
)
def test_a_faulty_formula_is_refused_in_one_sentence(text: str, part: str) -> None:
    with pytest.raises(ValueError) as refusal:
        parse_expression(text)
    assert part in str(refusal.value)
    assert "\n" not in str(refusal.value)


@given(st.text(max_size=60))
def test_no_text_at_all_breaks_the_parser_in_another_way(text: str) -> None:
    with suppress(ValueError):
        assert parse_expression(text).terms


def test_what_raises_and_what_lowers_the_result_is_known() -> None:
    formula = parse_expression("min(available, on_hand - committed) - (backordered - in_transit) - 2")
    assert formula.added == {"available", "on_hand", "in_transit"}
    assert formula.subtracted == {"committed", "backordered"}
    assert formula.terms == formula.added | formula.subtracted
