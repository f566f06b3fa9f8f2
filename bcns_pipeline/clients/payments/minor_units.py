"""How many digits a provider's whole numbers have, which is not always what ISO 4217 says.

Put the table by (provider, currency) here, with its exceptions, and the conversion to ISO 4217 minor units. Files with
a decimal point need none of it (`files/values.py`). Facts: facts/finance.md finding 12 and 1.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bcns_pipeline.rules.money import EXPONENTS

# Stripe's own list of zero-decimal currencies. MGA is among them, which ISO 4217 gives two digits. UGX and ISK have
# none in ISO 4217 and are sent with two all the same. The three-decimal ones end in 0.
_STRIPE_CODES: Final = {
    0: "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF",
    2: "ISK UGX",
    3: "BHD JOD KWD OMR TND",
}
_STRIPE: Final = {code: digits for digits, codes in _STRIPE_CODES.items() for code in codes.split()}
# Charged with two digits, paid out in whole units; what is left stays in the balance.
STRIPE_WHOLE_UNITS: Final = frozenset({"HUF", "TWD"})


def stripe_minor(amount: int, currency: str) -> int:
    """Stripe's integer as ISO 4217 minor units. ValueError where that would lose digits, or for no ISO currency."""
    return scaled(amount, _STRIPE.get(currency, 2), currency)


def paypal_minor(amount: int, currency: str, digits: Mapping[str, int]) -> int:
    """PayPal's integer as ISO 4217 minor units; `digits` is what the merchant found to differ from ISO 4217."""
    return scaled(amount, digits.get(currency, EXPONENTS.get(currency, 2)), currency)


def scaled(amount: int, digits: int, currency: str) -> int:
    """`amount` with `digits` after the point as ISO 4217 minor units of `currency`."""
    if currency not in EXPONENTS:
        raise ValueError(f"{currency!r} is not an ISO 4217 currency")
    return _shifted(amount, EXPONENTS[currency] - digits, currency)


def _shifted(amount: int, digits: int, currency: str) -> int:
    factor: int = 10 ** abs(digits)
    if digits >= 0:
        return amount * factor
    whole, rest = divmod(amount, factor)
    if rest:
        raise ValueError(f"{amount} has more digits than {currency} has there")
    return whole
