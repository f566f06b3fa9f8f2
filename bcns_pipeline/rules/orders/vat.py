"""VAT numbers, as far as their form tells: evidence that a business buyer accounts for the tax itself.

Put the form of a number here. Do not ask any register here: whether a number is alive is for the tax team.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

# Two countries write other letters than their ISO code: Greece, and Northern Ireland for goods.
_PREFIXES: Final = {"GR": ("EL",), "GB": ("GB", "XI")}
_NUMBER: Final = re.compile(r"(?=.*[0-9])[A-Z0-9+*]{2,13}")


def sound_vat_number(text: str, countries: Collection[str]) -> str | None:
    """The number without blanks, dots and dashes, if it has the form of one of `countries` (ISO alpha-2)."""
    number = re.sub(r"[\s.\-]", "", text).upper()
    for country in countries:
        for prefix in _PREFIXES.get(country, (country,)):
            if prefix and number.startswith(prefix) and _NUMBER.fullmatch(number.removeprefix(prefix)):
                return number
    return None
