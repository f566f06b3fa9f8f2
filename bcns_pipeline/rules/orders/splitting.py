"""Splitting without losing a unit: amounts with four digits into whole minor units, and sums over parts.

Put pure arithmetic of splits here. Do not put anything about orders here. Every split is by largest
remainder (facts/finance.md 2.11), so no part is ever a whole unit away from its exact share.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from bcns_pipeline.rules.money import Money, exponent

# BigCommerce's amounts have four digits, whatever the currency.
_STEP: Final = Decimal("0.0001")


def apportion(amounts: Sequence[Decimal], currency: str) -> list[Money]:
    """Each amount in whole minor units, so that they add up to the rounded sum; whole ones stay as they are."""
    goal = Money.of(sum(amounts, Decimal(0)), currency).minor
    factor = 10 ** exponent(currency)
    exact = [Fraction(amount) * factor for amount in amounts]
    units = [share.numerator // share.denominator for share in exact]
    rest = goal - sum(units)
    by_remainder = sorted(range(len(exact)), key=lambda at: (units[at] - exact[at], at))
    for at in by_remainder[:rest]:
        units[at] += 1
    return [Money(unit, currency) for unit in units]


def split(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """`amount` >= 0 over weights >= 0 of which one is more than 0, in steps of 0.0001, exact in its sum.

    Never more than its weight goes to a part, as long as the weights add up to `amount` at least. What is
    finer than a step goes to the part of the greatest weight.
    """
    whole = sum(map(Fraction, weights), Fraction(0))
    steps = int(amount / _STEP)
    shares = [steps * Fraction(weight) / whole for weight in weights]
    units = [share.numerator // share.denominator for share in shares]
    rest = steps - sum(units)
    by_remainder = sorted(range(len(shares)), key=lambda at: (units[at] - shares[at], at))
    for at in by_remainder[:rest]:
        units[at] += 1
    found = [unit * _STEP for unit in units]
    finer = amount - steps * _STEP
    if finer:
        found[max(range(len(found)), key=lambda at: (weights[at], -at))] += finer
    return found
