"""Minor units of money, as each authority counts them.

Put exponents and the turning of amounts into whole units here. Do not put fees or rates here. Sources:
facts/finance.md finding 12 and 1.2: ISO 4217 is one authority, Stripe another, which sends ISK and UGX with
two decimals and pays forints and Taiwan dollars out whole.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

Authority = Literal["iso", "stripe"]
ISO = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF"), 0
    ),
    **dict.fromkeys(("XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
STRIPE = {**ISO, "ISK": 2, "UGX": 2, "MGA": 0}
# Units that a payout of this currency is a multiple of, at Stripe.
WHOLE_PAYOUTS = {"HUF": 100, "TWD": 100}


def exponent(currency: str, authority: Authority = "iso") -> int:
    """Decimals of a currency."""
    return (STRIPE if authority == "stripe" else ISO).get(currency, 2)


def units(amount: Decimal, currency: str, authority: Authority = "iso") -> int:
    """`amount` in whole units; halves go away from zero."""
    return rounded(amount.scaleb(exponent(currency, authority)))


def rounded(value: Decimal) -> int:
    """The nearest whole number; halves go away from zero."""
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def major(value: int, currency: str, authority: Authority = "iso") -> Decimal:
    """Units as an amount with all its decimals."""
    return Decimal(value).scaleb(-exponent(currency, authority))
