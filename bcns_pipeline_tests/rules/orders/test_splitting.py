from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.money import EXPONENTS, Money
from bcns_pipeline.rules.orders.splitting import apportion, split

D = Decimal
four_digits = st.integers(0, 10**8).map(lambda number: D(number) / 10_000)
currencies = st.sampled_from(["USD", "JPY", "KWD"])


def test_the_worked_split_of_the_facts() -> None:
    shares = split(D("2.10"), [D("1.99"), D("2.17"), D("0.82")])
    assert [share.quantize(D("0.01")) for share in apportioned(shares)] == [D("0.84"), D("0.91"), D("0.35")]


def apportioned(amounts: list[Decimal]) -> list[Decimal]:
    return [one.amount for one in apportion(amounts, "USD")]


@given(st.lists(four_digits, min_size=1, max_size=12), currencies)
def test_no_unit_is_lost_and_no_part_is_a_whole_unit_off(amounts: list[Decimal], currency: str) -> None:
    found = apportion(amounts, currency)
    assert sum(one.minor for one in found) == Money.of(sum(amounts), currency).minor
    unit = D(1).scaleb(-EXPONENTS[currency])
    assert all(abs(one.amount - amount) < unit for one, amount in zip(found, amounts, strict=True))


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=9), currencies)
def test_whole_units_stay_as_they_are(units: list[int], currency: str) -> None:
    given_amounts = [Money(unit, currency).amount for unit in units]
    assert [one.minor for one in apportion(given_amounts, currency)] == units


@given(four_digits, st.lists(four_digits, min_size=1, max_size=9).filter(any))
def test_a_split_is_exact_and_takes_no_more_than_there_is(amount: Decimal, weights: list[Decimal]) -> None:
    shares = split(amount, weights)
    assert sum(shares) == amount
    if amount <= sum(weights):
        assert all(share <= weight for share, weight in zip(shares, weights, strict=True))


def test_what_is_finer_than_a_step_is_not_lost() -> None:
    assert split(D("1.00005"), [D(1), D(2)]) == [D("0.3333"), D("0.66675")]
