"""Request bodies and query strings as bytes, answers as Python values.

Put encoding and decoding here that every system shares. Numbers that may be money travel as `Decimal` in both
directions, written digit for digit; a float is refused on the way out.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

Params = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A body whose JSON was made ahead of the call: sent as it is, and `value` is what it says."""

    value: Any
    content: bytes

    @classmethod
    def of(cls, value: Any) -> Encoded:
        """`value` with its JSON."""
        return cls(value, encode_json(value))


def encode_json(value: Any) -> bytes:
    """Compact JSON; a Decimal becomes a number with exactly its digits. TypeError for a float anywhere."""
    mark = secrets.token_hex(8)
    marked = False

    def default(item: Any) -> Any:
        nonlocal marked
        if isinstance(item, Decimal) and item.is_finite():
            marked = True
            return f"{mark}{item:f}{mark}"
        raise TypeError(f"a {type(item).__name__} can't be sent as JSON")

    _refuse_floats((value,))
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=default)
    if marked:
        text = text.replace(f'"{mark}', "").replace(f'{mark}"', "")
    return text.encode()


# Most of a body of 2,000 lines: looking at these any closer would cost more than making the JSON.
_PLAIN = frozenset({int, str, bool, type(None), Decimal})


def _refuse_floats(values: Iterable[Any]) -> None:
    for value in values:
        if type(value) in _PLAIN:
            continue
        if isinstance(value, float):
            raise TypeError("a float can't be sent: use int or Decimal")
        if isinstance(value, Mapping):
            _refuse_floats(value.values())
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
            _refuse_floats(value)


def decode_exact(content: bytes) -> Any:
    """JSON with every fraction as Decimal. ValueError on anything that is not whole JSON."""
    return json.loads(content, parse_float=Decimal)


def query_string(params: Params) -> str:
    """`a=1&sku:in=A,B`: None left out, booleans as true/false, `:` and `,` kept readable."""
    pairs = []
    for name, value in params.items():
        if value is None:
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        pairs.append(f"{quote(name, safe=':')}={quote(text, safe=',:')}")
    return "&".join(pairs)


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and Decimals digit for digit: equal values give equal bytes.

    For values that `decode_exact` made, which hold no float. ValueError for NaN and infinities.
    """
    mark = secrets.token_hex(8)

    def default(item: Any) -> Any:
        if isinstance(item, Decimal) and item.is_finite():
            return f"{mark}{item:f}{mark}"
        raise TypeError(f"a {type(item).__name__} can't be written as JSON")

    text = json.dumps(
        value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, sort_keys=True, default=default
    )
    return text.replace(f'"{mark}', "").replace(f'{mark}"', "").encode()
