"""Quantities as NetSuite writes them, made exact: whole numbers of 1/100,000,000 in int64 arrays.

Put the reading and showing of quantities here. Do not put a rule about stock here. NetSuite allows
fractions and writes them as text ("12", "3.5", ".25", "1E+3"); a float would turn 0.1 + 0.2 into something
else, and a Decimal per row is fifty times slower.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Term = Literal["available", "on_hand", "committed", "in_transit", "backordered", "on_order"]
TERMS: Final[tuple[Term, ...]] = (
    *("available", "on_hand", "committed"),
    *("in_transit", "backordered", "on_order"),
)
# Units on order that NetSuite does not know of yet: a term of ours, beside NetSuite's own.
UNPOSTED: Final = "unposted"

QUANTITY_DIGITS: Final = 8
QUANTITY_SCALE: Final = 10**QUANTITY_DIGITS
# Five times what BigCommerce can hold. More is a mistake of somebody's, and would not fit into sums of int64.
QUANTITY_LIMIT: Final = 10**10
# facts/bigcommerce.md 2.2: per item and location.
MAX_STOCK: Final = 2**31 - 1

Scaled: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

# The usual context of 28 digits would round 2.999... (40 digits) to 3 before it can be rounded down.
EXACT: Final = Context(prec=200)
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_SMALL_INTEGER = re.compile(r"-?[0-9]{1,10}")


def read_quantities(values: Sequence[str | None], *, round_up: bool = False) -> tuple[Scaled, Flags]:
    """Text to scaled int64, and which of it can't be read (scaled 0, flag True): no number, or beyond QUANTITY_LIMIT.

    None and blanks are 0, because NetSuite leaves NULLs out of its answers. Digits past the eighth are rounded down, or
    up with `round_up` (for what is subtracted, so that no sellable unit appears by rounding).
    """
    known = _Parsed(round_up)
    scaled = np.fromiter(map(known.__getitem__, values), np.int64, len(values))
    unreadable = np.zeros(len(values), dtype=np.bool_)
    if known.unreadable:
        unreadable[[place for place, value in enumerate(values) if value in known.unreadable]] = True
    return scaled, unreadable


class _Parsed(dict[str | None, int]):
    """Each distinct text is parsed once: stock repeats itself, and a look-up costs a tenth of a parse."""

    def __init__(self, round_up: bool) -> None:
        super().__init__({None: 0})
        self._rounding = ROUND_CEILING if round_up else ROUND_FLOOR
        self.unreadable: set[Any] = set()

    def __missing__(self, value: str | None) -> int:
        text = str(value).strip()
        if _SMALL_INTEGER.fullmatch(text):
            scaled = int(text) * QUANTITY_SCALE
        else:
            number = _decimal(text)
            if number is None or number.copy_abs() > QUANTITY_LIMIT:
                self.unreadable.add(value)
                number = Decimal(0)
            shifted = number.scaleb(QUANTITY_DIGITS, context=EXACT)
            scaled = int(shifted.to_integral_value(self._rounding, context=EXACT))
        self[value] = scaled
        return scaled


def _decimal(text: str) -> Decimal | None:
    if not text:
        return Decimal(0)
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def show_quantity(scaled: int) -> str:
    """A scaled quantity for a person: 350000000 -> "3.5", 200000000 -> "2"."""
    whole, part = divmod(abs(scaled), QUANTITY_SCALE)
    digits = f"{part:0{QUANTITY_DIGITS}d}".rstrip("0")
    return f"{'-' if scaled < 0 else ''}{whole}{'.' if digits else ''}{digits}"
