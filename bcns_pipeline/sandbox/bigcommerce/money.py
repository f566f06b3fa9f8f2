"""Amounts as the shop keeps and writes them.

Put rounding, splitting and writing of money here. Do not put rules of a cart here. Everything is `Decimal` in
major units; the shop rounds half up (facts/finance.md 2.11) and writes v2 amounts as text with 4 decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation

ZERO = Decimal(0)
HUNDRED = Decimal(100)
FOUR_PLACES = Decimal("0.0001")
# ISO 4217; what is not listed has 2 decimals.
EXPONENTS = {"JPY": 0, "KRW": 0, "CLP": 0, "KWD": 3, "BHD": 3, "OMR": 3, "TND": 3}


def exponent(currency: str) -> int:
    """Decimals of a currency."""
    return EXPONENTS.get(currency, 2)


def minor(currency: str) -> Decimal:
    """The smallest amount of a currency: 1, 0.01 or 0.001."""
    return Decimal(1).scaleb(-exponent(currency))


def half_up(amount: Decimal, step: Decimal) -> Decimal:
    """The nearest multiple of `step` (a power of ten); halves go away from zero."""
    return amount.quantize(step, ROUND_HALF_UP)


def split(total: Decimal, weights: Sequence[Decimal], step: Decimal) -> list[Decimal]:
    """`total`, a multiple of `step`, divided by weight; what is left goes to the largest remainders, first
    come first. All weights zero: all of it to the first.
    """
    if not weights:
        return []
    whole = sum(weights, ZERO)
    if not whole:
        return [total, *[ZERO] * (len(weights) - 1)]
    exact = [total * weight / whole for weight in weights]
    shares = [one.quantize(step, ROUND_FLOOR) for one in exact]
    missing = int((total - sum(shares, ZERO)) / step)
    order = sorted(range(len(weights)), key=lambda k: (shares[k] - exact[k], k))
    for k in order[:missing]:
        shares[k] += step
    return shares


def text(amount: Decimal) -> str:
    """A v2 amount: `"12.3400"`."""
    return f"{amount.quantize(FOUR_PLACES, ROUND_HALF_UP):f}"


def number(amount: Decimal) -> float | int:
    """An amount where the API gives a JSON number; its 15 digits survive the way through a double."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def amount(raw: object, name: str) -> Decimal:
    """An amount that somebody gave as text or number; `ValueError` names the field."""
    try:
        value = Decimal("NaN" if isinstance(raw, bool) else str(raw))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise ValueError(f"{name} is an amount, not {raw!r}.")
    return value
