"""Single fields of BigCommerce's JSON, each read strictly: what can't be understood is named, never guessed.

Put the reading of one value here. Do not put shapes of orders here (`reading.py`). BigCommerce writes one
figure as text, as whole number or as fraction, leaves optional ones out, and writes "" or null for
"nothing" (facts/bigcommerce.md 3.3); all of that is fine. A float is not: it was rounded by whoever parsed it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any, Final

from bcns_pipeline.rules.orders.model import ZERO

Json = Mapping[str, Any]

_LONGEST: Final = 40
_LARGEST_ID: Final = 2**63 - 1
_LARGEST_COUNT: Final = 2**31 - 1
# What lies outside is a fault, such as the year 0001 for "never".
_YEARS: Final = range(1990, 2200)


class Unreadable(ValueError):
    """One sentence that names the field and says why it can't be understood. It never quotes the value."""


def amount(source: Json, name: str, at: str = "") -> Decimal:
    """Money or a rate; 0 where it is missing or empty."""
    value = source.get(name)
    if value is None or value == "":
        return ZERO
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise Unreadable(f"{at}{name} is no exact amount, but a {type(value).__name__}.")
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise Unreadable(f"{at}{name} is no amount.") from None
    if not found.is_finite() or len(found.as_tuple().digits) > _LONGEST or abs(found.adjusted()) > _LONGEST:
        raise Unreadable(f"{at}{name} is no amount.")
    return found


def required(source: Json, name: str, at: str = "") -> Any:
    """Whatever is there; Unreadable where nothing is."""
    value = source.get(name)
    if value is None or value == "":
        raise Unreadable(f"{at}{name} is missing.")
    return value


def whole(source: Json, name: str, at: str = "") -> int:
    """A whole number, 0 where it is missing or empty. BigCommerce writes some ids as text."""
    found = amount(source, name, at)
    if found != found.to_integral_value() or abs(found) > _LARGEST_ID:
        raise Unreadable(f"{at}{name} is no whole number.")
    return int(found)


def count(source: Json, name: str, at: str = "") -> int:
    """As `whole`, for what is counted or numbered low: statuses, channels, units."""
    found = whole(source, name, at)
    if abs(found) > _LARGEST_COUNT:
        raise Unreadable(f"{at}{name} is no whole number.")
    return found


def optional_whole(source: Json, name: str, at: str = "") -> int | None:
    """As `whole`, but None for what is missing, empty or 0."""
    return whole(source, name, at) or None


def text(source: Json, name: str, at: str = "") -> str:
    """Text without outer blanks and without NUL, which no database takes; "" where it is missing."""
    value = source.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise Unreadable(f"{at}{name} is no text.")
    return str(value).replace("\0", "").strip()


def flag(source: Json, name: str, at: str = "") -> bool | None:
    """True or false; None where it is missing."""
    value = source.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return value
    if value in ("true", "false", 0, 1, "0", "1"):
        return value in ("true", 1, "1")
    raise Unreadable(f"{at}{name} is neither true nor false.")


def moment(source: Json, name: str, at: str = "") -> datetime:
    """A time in UTC, from RFC-2822 (v2) or ISO-8601 (v3); without an offset it is UTC."""
    value = required(source, name, at)
    if not isinstance(value, str):
        raise Unreadable(f"{at}{name} is no date.")
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        try:
            found = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError):
            raise Unreadable(f"{at}{name} is no date.") from None
    try:
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        raise Unreadable(f"{at}{name} is no date.") from None
    if found.year not in _YEARS:
        raise Unreadable(f"{at}{name} is no date.")
    return found


def day(source: Json, name: str, at: str = "") -> date | None:
    """The day of a date, as written there; None where it is missing."""
    if source.get(name) in (None, ""):
        return None
    value = text(source, name, at)
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return moment(source, name, at).date()


def group(source: Json, name: str, at: str = "") -> Json:
    """An object; empty where it is missing."""
    value = source.get(name)
    if value is None or value == "" or value == []:
        return {}
    if not isinstance(value, Mapping):
        raise Unreadable(f"{at}{name} is no object.")
    return value


def rows(value: Any, what: str) -> Sequence[Json]:
    """A list of objects. One bare object is a list of one, as some examples of BigCommerce have it."""
    if value is None or value == "":
        return ()
    if isinstance(value, Mapping):
        return (value,)
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise Unreadable(f"{what} is no list.")
    if not all(isinstance(row, Mapping) for row in value):
        raise Unreadable(f"{what} has something in it that is no object.")
    return value
