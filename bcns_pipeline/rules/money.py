"""Money: whole minor units with their currency, and the few operations that keep it exact.

Put amounts, their rounding and their splitting here. Do not put tax, exchange rates or totals of a document
here. A float is refused, for 0.1 + 0.2 is not 0.3 in it. Digits after the point: ISO 4217.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Final, Literal

Rounding = Literal["half_up", "half_even", "down", "floor", "ceiling"]

_ROUNDINGS: Final = {
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
    "down": ROUND_DOWN,
    "floor": ROUND_FLOOR,
    "ceiling": ROUND_CEILING,
}
# Amounts have 28 digits at most in either system; the usual context would round longer intermediate results.
_EXACT: Final = Context(prec=400)
_MAX_DIGITS: Final = 60

_CODES: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF "
        "CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
        "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL "
        "MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR "
        "PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP "
        "TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
# ISO 4217's digits after the point, by currency code. Precious metals and test codes have none and are no
# money.
EXPONENTS: Final[dict[str, int]] = {
    code: digits for digits, codes in _CODES.items() for code in codes.split()
}


def exponent(currency: str) -> int:
    """Digits after the point; ValueError for what is not an ISO 4217 code in capitals."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise ValueError(f"{currency!r} is no ISO 4217 currency code") from None


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` units of `currency`: Money(1999, "USD") is 19.99 US dollars, Money(1999, "JPY") 1,999 yen."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor units are whole numbers, not {type(self.minor).__name__}")
        exponent(self.currency)

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str, rounding: Rounding = "half_up") -> Money:
        """An amount in major units ("19.99"), rounded to the currency's digits. TypeError for a float."""
        shifted = _decimal(amount).scaleb(exponent(currency), context=_EXACT)
        return cls(int(shifted.to_integral_value(_ROUNDINGS[rounding], context=_EXACT)), currency)

    @classmethod
    def exactly(cls, amount: Decimal | str | int, currency: str) -> Money:
        """As `of`, but ValueError where the amount has more digits than the currency: nothing is rounded."""
        money = cls.of(amount, currency)
        if money.amount != _decimal(amount):
            raise ValueError(f"{amount} has more digits than {currency} has")
        return money

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in that currency."""
        return cls(0, currency)

    @property
    def amount(self) -> Decimal:
        """In major units, with exactly the currency's digits: Decimal("19.90")."""
        return Decimal(self.minor).scaleb(-exponent(self.currency), context=_EXACT)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"

    def __bool__(self) -> bool:
        return self.minor != 0

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.minor), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def times(self, factor: Decimal | Fraction | int, rounding: Rounding = "half_up") -> Money:
        """Multiplied exactly and rounded once. TypeError for a float."""
        if isinstance(factor, bool) or not isinstance(factor, (int, Decimal, Fraction)):
            raise TypeError(f"money is multiplied by int, Decimal or Fraction, not {type(factor).__name__}")
        return Money(_round(self.minor * Fraction(factor), rounding), self.currency)

    def allocate(self, weights: Sequence[Decimal | Fraction | int]) -> list[Money]:
        """Split by weights without losing a unit: largest remainder first, of equal ones the earlier.

        ValueError for no weights, a negative one, or weights that are all 0.
        """
        parts = [Fraction(weight) for weight in weights if not isinstance(weight, (bool, float))]
        if len(parts) < len(weights):
            raise TypeError("weights are int, Decimal or Fraction")
        whole = sum(parts, Fraction(0))
        if not parts or min(parts) < 0 or whole == 0:
            raise ValueError("weights must be at least one number above 0, and none below it")
        sign = -1 if self.minor < 0 else 1
        shares = [abs(self.minor) * part / whole for part in parts]
        units = [share.numerator // share.denominator for share in shares]
        rest = abs(self.minor) - sum(units)
        for place in sorted(range(len(parts)), key=lambda at: (units[at] - shares[at], at))[:rest]:
            units[place] += 1
        return [Money(sign * unit, self.currency) for unit in units]

    def _same(self, other: Money) -> int:
        if not isinstance(other, Money):
            raise TypeError(f"money goes with money, not with {type(other).__name__}")
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} can't be put together")
        return other.minor


def total(amounts: Sequence[Money], currency: str) -> Money:
    """The sum; nothing of `currency` where there are none. ValueError for another currency."""
    return sum(amounts, Money.zero(currency))


def _decimal(amount: Decimal | str | int) -> Decimal:
    if isinstance(amount, bool) or not isinstance(amount, (Decimal, str, int)):
        raise TypeError(f"an amount is Decimal, text or int, not {type(amount).__name__}")
    try:
        number = Decimal(amount)
    except ArithmeticError:
        raise ValueError(f"{amount!r} is no amount") from None
    if (
        not number.is_finite()
        or len(number.as_tuple().digits) > _MAX_DIGITS
        or abs(number.adjusted()) > _MAX_DIGITS
    ):
        raise ValueError(f"{amount!r} is no amount")
    return number


def _round(number: Fraction, rounding: Rounding) -> int:
    floor, rest = divmod(number.numerator, number.denominator)
    twice = 2 * rest - number.denominator
    match rounding:
        case "floor":
            up = False
        case "ceiling":
            up = rest > 0
        case "down":
            up = rest > 0 and number < 0
        case "half_up":  # away from zero, as ledgers do it
            up = twice > 0 or (twice == 0 and number > 0)
        case "half_even":
            up = twice > 0 or (twice == 0 and floor % 2 == 1)
    return floor + up
