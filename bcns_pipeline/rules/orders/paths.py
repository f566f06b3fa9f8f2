"""Paths into an order's JSON, for fields that a merchant maps by hand.

Put the reading of one path here. Do not put NetSuite's field names here. "billing_address.company" walks
objects; in a list, a number is a place and anything else is the name of a form field:
"billing_address.form_fields.VAT Number". "metafields.loyalty.tier" is the metafield `tier` of the namespace `loyalty`,
which costs calls and is read only where a path asks for it. "=text" is the text itself; "$name" is a value that we
compute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

As = Literal["text", "number", "flag", "reference"]

# For lines: what its figures are, and where it goes. For orders: nothing that a path does not say.
COMPUTED: Final = frozenset({"$line_id", "$gross", "$discount", "$net", "$tax", "$consignment", "$ship_to"})
_LONGEST_TEXT: Final = 4000  # what a text area of NetSuite takes
METAFIELDS: Final = "metafields"


@dataclass(frozen=True, slots=True)
class Path:
    """Where a value stands, and how NetSuite wants it: `reference` is the internal id of a list's value."""

    parts: tuple[str, ...]
    as_: As = "text"
    constant: str | None = None
    computed: str = ""

    @property
    def says_where(self) -> bool:
        """Whether it says to which of several addresses a line goes."""
        return self.computed in ("$ship_to", "$consignment")

    @property
    def metafield(self) -> tuple[str, str] | None:
        """Namespace and key of the metafield that it names, None where it names another thing."""
        return (self.parts[1], self.parts[2]) if self.parts[:1] == (METAFIELDS,) else None


def parse_path(text: str, as_: As = "text", *, computed: bool = False) -> Path:
    """The path in `text`; ValueError for what is none. `computed`: whether `$name` is known here."""
    if text.startswith("="):
        return Path((), as_, constant=text[1:])
    if text.startswith("$"):
        if not computed or text not in COMPUTED:
            known = ", ".join(sorted(COMPUTED)) if computed else "nothing of that kind"
            raise ValueError(f"{text!r} is not known here; {known} is")
        return Path((), as_, computed=text)
    parts = tuple(part.strip() for part in text.split("."))
    if not all(parts):
        raise ValueError(f"{text!r} is no path; write one such as billing_address.company")
    if parts[0] == METAFIELDS:
        if computed:
            raise ValueError("metafields belong to the order; map them under orders.fields")
        # A comma separates the names that the store is asked for.
        if len(parts) != 3 or "," in text:
            raise ValueError(f"{text!r} names no metafield; write metafields.namespace.key, without commas")
    return Path(parts, as_)


def look_up(path: Path, document: Mapping[str, Any], computed: Mapping[str, Any] | None = None) -> Any:
    """The value as NetSuite wants it; None where there is none, so that nothing is sent."""
    if path.constant is not None:
        found: Any = path.constant
    elif path.computed:
        found = (computed or {}).get(path.computed)
    else:
        found = document
        for part in path.parts:
            found = _inside(found, part)
    return _converted(found, path.as_)


def _inside(value: Any, part: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(part)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if part.isdecimal():
            return value[int(part)] if int(part) < len(value) else None
        wanted = part.casefold()
        for row in value:
            if isinstance(row, Mapping) and str(row.get("name", "")).strip().casefold() == wanted:
                return row.get("value")
    return None


def _converted(value: Any, as_: As) -> Any:
    if value is None or value == "" or isinstance(value, (Mapping, list, tuple, float)):
        return None
    if as_ == "flag":
        return str(value).strip().casefold() in {"true", "1", "yes", "on", "t"}
    if as_ == "number":
        return _number(value)
    if as_ == "reference":
        return {"id": str(value).strip()}
    if isinstance(value, bool):
        return value
    return str(value).strip()[:_LONGEST_TEXT] or None


def _number(value: Any) -> Decimal | None:
    try:
        found = Decimal(str(value).strip())
    except ArithmeticError:
        return None
    return found if found.is_finite() else None
