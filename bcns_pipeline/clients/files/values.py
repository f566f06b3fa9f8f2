"""Single values of a row: amounts, currencies, dates, moments and made-up ids, each with its fault.

Put the reading of one field here. Amounts are whole minor units with the digits of ISO 4217; nothing is rounded, for
a file with more digits than its currency has says something that we do not understand.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.rules.money import EXPONENTS, Money

_PLAIN: Final = re.compile(r"[+-]?(\d{1,30}(\.\d{1,20})?|\.\d{1,20})")
_WHOLE: Final = re.compile(r"\d{1,30}")
LARGEST_MINOR: Final = 10**15
_DATE: Final = re.compile(r"(\d{4})[-/]?(\d{2})[-/]?(\d{2})(?:[T ].*)?")
_MOMENT: Final = re.compile(
    r"(\d{4})[-/](\d{2})[-/](\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
)


def currency_of(text: str, row: int, column: str = "currency") -> str:
    """An ISO 4217 code in capitals; BadFile CURRENCY."""
    code = text.strip().upper()
    if code not in EXPONENTS:
        raise BadFile("CURRENCY", f"{column} {text.strip()!r} is not an ISO 4217 currency", row=row)
    return code


def number_of(text: str, row: int, column: str, *, decimal: str = ".") -> Decimal:
    """A plain number without thousands separators; blank is an error. BadFile AMOUNT."""
    plain = text.strip().replace(decimal, ".", 1) if decimal != "." else text.strip()
    if (decimal != "." and "." in text) or not _PLAIN.fullmatch(plain):
        raise BadFile("AMOUNT", f"{column} {text.strip()!r} is not a plain number", row=row)
    return Decimal(plain)


def minor_of(text: str, currency: str, row: int, column: str, *, decimal: str = ".") -> int:
    """An amount in major units ("12.50") as minor units (1250); BadFile AMOUNT where digits would be lost."""
    number = number_of(text, row, column, decimal=decimal)
    try:
        return bounded(Money.exactly(number, currency).minor, row, column)
    except ValueError:
        raise BadFile(
            "AMOUNT", f"{column} {text.strip()} has more digits than {currency} has", row=row
        ) from None


def bounded(minor: int, row: int, column: str) -> int:
    """The amount; BadFile AMOUNT for one that no payout has, of which sums would fit nowhere."""
    if abs(minor) > LARGEST_MINOR:
        raise BadFile("AMOUNT", f"{column} {minor} is more than any payout is", row=row)
    return minor


def optional_minor(text: str, currency: str, row: int, column: str, *, decimal: str = ".") -> int:
    """As `minor_of`; blank is nothing."""
    return minor_of(text, currency, row, column, decimal=decimal) if text.strip() else 0


def whole_of(text: str, row: int, column: str) -> int:
    """Unsigned digits; BadFile AMOUNT."""
    if not _WHOLE.fullmatch(text.strip()):
        raise BadFile("AMOUNT", f"{column} {text.strip()!r} is not a whole number without sign", row=row)
    return bounded(int(text.strip()), row, column)


def date_of(text: str, row: int, column: str) -> date:
    """The day as it is written (2026-03-04, 2026/03/04 or 20260304, a time after it is left out); BadFile DATE."""
    found = _DATE.fullmatch(text.strip())
    try:
        year, month, day = (int(part) for part in found.groups()) if found else (0, 0, 0)
        return date(year, month, day)
    except ValueError:
        raise BadFile("DATE", f"{column} {text.strip()!r} is not a date (YYYY-MM-DD)", row=row) from None


def moment_of(text: str, row: int, column: str, *, zone: str | tzinfo = UTC) -> datetime:
    """The moment in UTC; `zone` is where a time without an offset was. A bare date is its midnight. BadFile DATE."""
    local = ZoneInfo(zone) if isinstance(zone, str) else zone
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        day = date_of(text, row, column)
        return datetime(day.year, day.month, day.day, tzinfo=local).astimezone(UTC)
    try:
        year, month, number, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        fraction = int((found[7] or "0").ljust(6, "0")[:6])
        at = datetime(year, month, number, hour, minute, second, fraction, tzinfo=_offset(found[8]) or local)
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadFile("DATE", f"{column} {text.strip()!r} is not a date and time", row=row) from None


def _offset(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text in {"Z", "UTC", "GMT"}:
        return UTC
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


class ContentIds:
    """Ids for rows to which nobody gave one: made of what the row says, with a number for equal rows.

    So the same rows have the same ids in another order, in another file, and on another day.
    """

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def __call__(self, prefix: str, parts: Sequence[object]) -> str:
        """`prefix` with 16 hex digits of `parts`, and `-2`, `-3` for the second and third equal row."""
        text = "\x1f".join(str(part) for part in parts)
        made = f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        self._seen[made] += 1
        return made if self._seen[made] == 1 else f"{made}-{self._seen[made]}"


class Once:
    """Notices an id that comes twice in one file."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._rows: dict[str, int] = {}

    def __call__(self, identity: str, row: int) -> str:
        """The id; BadFile DUPLICATE where an earlier row has it."""
        if not identity:
            raise BadFile("SHAPE", f"the row has no {self._what}", row=row)
        if identity in self._rows:
            text = f"{self._what} {identity} is in row {self._rows[identity]} already"
            raise BadFile("DUPLICATE", text, row=row)
        self._rows[identity] = row
        return identity
