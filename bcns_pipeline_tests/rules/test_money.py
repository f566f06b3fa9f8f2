from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.money import EXPONENTS, Money, total

amounts = st.integers(-(10**15), 10**15)
currencies = st.sampled_from(["USD", "JPY", "KWD", "CLF"])


def test_the_digits_of_every_currency_are_those_of_iso_4217() -> None:
    theirs = {one.code: one.exponent for one in iso4217.Currency if one.exponent is not None}
    assert theirs == EXPONENTS
    assert set(EXPONENTS.values()) == {0, 2, 3, 4}


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("19.9900", "USD", 1999),
        ("0.005", "USD", 1),
        ("-0.005", "USD", -1),
        ("1.004999999999999999999999999999999999999", "USD", 100),
        ("1999.5", "JPY", 2000),
        (Decimal("1.0005"), "KWD", 1001),
        (7, "CLF", 70000),
        ("1E+2", "USD", 10000),
    ],
)
def test_an_amount_is_rounded_half_up_to_its_currency(
    amount: str | Decimal | int, currency: str, minor: int
) -> None:
    assert Money.of(amount, currency) == Money(minor, currency)


@pytest.mark.parametrize("amount", [0.1, True, None, 1.0])
def test_what_is_not_exact_is_refused_by_its_type(amount: object) -> None:
    with pytest.raises(TypeError):
        Money.of(amount, "USD")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Money(amount, "USD")  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", ["", "12,50", "NaN", "Infinity", "ten", "1e999"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        Money.of(amount, "USD")


@pytest.mark.parametrize("currency", ["usd", "US", "XAU", "XXX", ""])
def test_what_is_no_currency_is_refused(currency: str) -> None:
    with pytest.raises(ValueError, match="no ISO 4217"):
        Money(1, currency)


@given(amounts, currencies)
def test_an_amount_survives_its_own_text(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    text, _, code = str(money).rpartition(" ")
    assert Money.exactly(text, code) == money
    assert -money.amount.as_tuple().exponent == EXPONENTS[currency]  # type: ignore[operator]


def test_exactly_rounds_nothing() -> None:
    assert Money.exactly("10.00000", "USD").minor == 1000
    with pytest.raises(ValueError, match="more digits"):
        Money.exactly("10.001", "USD")


@given(amounts, amounts, currencies)
def test_arithmetic_is_that_of_whole_numbers(a: int, b: int, currency: str) -> None:
    left, right = Money(a, currency), Money(b, currency)
    assert (left + right).minor == a + b
    assert (left - right).minor == a - b
    assert (-left).minor == -a
    assert abs(left).minor == abs(a)
    assert (left < right, left <= right, left > right, left >= right) == (a < b, a <= b, a > b, a >= b)
    assert bool(left) == bool(a)
    assert total([left, right, left], currency).minor == 2 * a + b


def test_two_currencies_and_bare_numbers_do_not_mix() -> None:
    with pytest.raises(ValueError, match="can't be put together"):
        Money(1, "USD") + Money(1, "EUR")
    with pytest.raises(TypeError, match="money goes with money"):
        Money(1, "USD") + 1  # type: ignore[operator]
    assert Money(1, "USD") != Money(1, "EUR")


roundings = st.sampled_from(["half_up", "half_even", "down", "floor", "ceiling"])


@given(st.integers(-(10**9), 10**9), st.decimals(-100, 100, places=6, allow_nan=False), roundings)
def test_a_product_is_rounded_once_as_decimal_would(minor: int, factor: Decimal, rounding: str) -> None:
    modes = {"half_up": "ROUND_HALF_UP", "half_even": "ROUND_HALF_EVEN", "down": "ROUND_DOWN"}
    mode = modes.get(rounding, f"ROUND_{rounding.upper()}")
    expected = int((Decimal(minor) * factor).to_integral_value(mode))
    assert Money(minor, "USD").times(factor, rounding).minor == expected  # type: ignore[arg-type]


def test_a_product_with_a_float_is_refused() -> None:
    with pytest.raises(TypeError, match="not float"):
        Money(1, "USD").times(0.5)  # type: ignore[arg-type]


@given(amounts, st.lists(st.fractions(0, 1000), min_size=1, max_size=12).filter(any))
def test_a_split_loses_nothing_and_is_never_a_unit_off(minor: int, weights: list[Fraction]) -> None:
    parts = Money(minor, "USD").allocate(weights)
    assert sum(part.minor for part in parts) == minor
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor - minor * weight / sum(weights)) < 1
        assert weight or not part


def test_equal_remainders_go_to_the_earlier_part() -> None:
    assert [part.minor for part in Money(100, "USD").allocate([1, 1, 1])] == [34, 33, 33]
    assert [part.minor for part in Money(-100, "USD").allocate([1, 1, 1])] == [-34, -33, -33]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1]])
def test_impossible_weights_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Money(1, "USD").allocate(weights)
