from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.inventory.quantities import (
    QUANTITY_LIMIT,
    QUANTITY_SCALE,
    read_quantities,
    show_quantity,
)

digits = st.text("0123456789", min_size=1, max_size=9)
texts = st.builds(
    lambda sign, whole, part, exponent: f"{sign}{whole}{part}{exponent}",
    st.sampled_from(["", "-", "+"]),
    digits,
    st.one_of(st.just(""), st.builds(".{}".format, st.text("0123456789", max_size=36))),
    st.sampled_from(["", "", "", "E+1", "e-3", "E0"]),
)


@given(st.lists(texts), st.booleans())
def test_text_becomes_the_exact_number_rounded_to_eight_digits_in_the_asked_direction(
    values: list[str], round_up: bool
) -> None:
    rounded = ceil if round_up else floor
    expected = [rounded(Fraction(value) * QUANTITY_SCALE) for value in values]
    scaled, unreadable = read_quantities(values, round_up=round_up)
    assert (scaled.tolist(), unreadable.any()) == (expected, False)


def test_a_long_fraction_just_below_a_whole_number_does_not_become_it() -> None:
    assert read_quantities(["2." + "9" * 40])[0].tolist() == [3 * QUANTITY_SCALE - 1]


def test_what_netsuite_leaves_out_is_zero() -> None:
    assert read_quantities([None, "", "  ", "0", "-0", ".5"])[0].tolist() == [
        0,
        0,
        0,
        0,
        0,
        QUANTITY_SCALE // 2,
    ]


@pytest.mark.parametrize(
    "value", ["many", "1,5", "1_000", "NaN", "Infinity", "0x1", "--1", "1e9999", "٣", "99999999999"]
)
def test_what_is_no_quantity_is_marked(value: str) -> None:
    scaled, unreadable = read_quantities(["1", value])
    assert (scaled.tolist(), unreadable.tolist()) == ([QUANTITY_SCALE, 0], [False, True])


def test_an_unreadable_quantity_is_marked_and_leaves_the_others_alone() -> None:
    scaled, unreadable = read_quantities(["1", "many", None, "many", "2"])
    assert unreadable.tolist() == [False, True, False, True, False]
    assert (scaled // QUANTITY_SCALE).tolist() == [1, 0, 0, 0, 2]


def test_the_limit_itself_still_fits() -> None:
    scaled, unreadable = read_quantities([str(QUANTITY_LIMIT), f"-{QUANTITY_LIMIT}.0"])
    assert (scaled.dtype, unreadable.any()) == (np.int64, False)


@given(st.integers(-(10**17), 10**17))
def test_a_shown_quantity_reads_back_as_itself(scaled: int) -> None:
    assert read_quantities([show_quantity(scaled)])[0].tolist() == [scaled]
