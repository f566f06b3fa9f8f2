"""Takes out of a text what a shopper gave us, before it is kept or shown.

Put the masking of refusals here: NetSuite and BigCommerce repeat names, e-mails and addresses in what they say.
Do not put here what is personal in a record: everything that was sent as text counts, references do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

MASK: Final = "(…)"
MAX_LENGTH: Final = 500
_EMAIL: Final = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")
# Ids that the other side knows a record by: they are what a person on call needs to see.
_REFERENCES: Final = frozenset({"id", "externalId", "refName", "items", "record", "method", "sku"})
# Shorter texts ("NY", "12") are in too many words to be told from them.
_SHORTEST: Final = 3
_PHONE_DIGITS: Final = 7


def scrub(text: str, sent: Any) -> str:
    """`text` with e-mail addresses and every text of `sent` (JSON) masked, cut to 500 characters.

    Numbers are left, but for texts of 7 digits and more, which may be telephone numbers; so are references
    (`{"id": ...}`, `{"externalId": ...}`).
    """
    masked = _EMAIL.sub(MASK, text)
    for given in sorted(set(_texts(sent)), key=len, reverse=True):
        masked = re.sub(rf"(?<!\w){re.escape(given)}(?!\w)", MASK, masked, flags=re.IGNORECASE)
    return masked if len(masked) <= MAX_LENGTH else f"{masked[: MAX_LENGTH - 1]}…"


def _texts(value: Any) -> Iterator[str]:
    """Every text that was sent, whole and word by word: a refusal may turn "Ann Lee" into "Lee, Ann"."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in _REFERENCES or isinstance(inner, (Mapping, list)):
                yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield from (one for one in (value.strip(), *re.split(r"[\s,;]+", value)) if _tells(one))


def _tells(text: str) -> bool:
    letters, digits = any(one.isalpha() for one in text), sum(one.isdigit() for one in text)
    return len(text) >= _SHORTEST and (letters or digits >= _PHONE_DIGITS)
