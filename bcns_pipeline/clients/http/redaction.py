"""Takes secrets and personal data out of every text that may be logged, stored or raised.

Put patterns and the walk over a request body here. Do not decide here what is logged: callers pass a text and
get one that is safe to show; a text that did not pass here must not leave `clients`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

_HIDDEN: Final = "[hidden]"
_MAX_TEXT: Final = 500
# Shorter ones would cut holes into ordinary words, and no real credential is that short.
SHORTEST_SECRET: Final = 6

_PATTERNS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"-----BEGIN [^-]+-----.*?(-----END [^-]+-----|$)", re.DOTALL), "[key]"),
    (re.compile(r"\b(?:sk|rk)_(?:live|test)_[\w*]+"), "[key]"),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(\.[\w-]*)?"), "[token]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), r"\1 [token]"),
    (
        re.compile(
            r"(?i)(x-auth-token|access_token|client_secret|client_assertion|authorization|api_key|password)"
            r"(\"?\s*[=:]\s*\"?)[^\s\"&,;}]+"
        ),
        r"\1\2[hidden]",
    ),
    (re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+(@|%40)[\w-]+(\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"\+\d[\d ().-]{7,}\d"), "[phone]"),
    (re.compile(r"(?<!\d)\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\d)"), "[phone]"),
    (re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])"), "[number]"),
)

# Field names of both systems, without separators and in lower case, whose values name or reach a person, or are secret.
_PERSONAL: Final = frozenset(
    (
        *("firstname", "lastname", "middlename", "name", "entityid", "companyname", "company", "contactname"),
        *(
            "email",
            "customeremail",
            "phone",
            "altphone",
            "mobilephone",
            "homephone",
            "phonenumber",
            "addrphone",
        ),
        *("addressee", "attention", "addrtext", "addr1", "addr2", "addr3", "address", "address1", "address2"),
        *("street", "street1", "street2", "city", "zip", "postalcode", "billingaddress", "shippingaddress"),
        *("defaultaddress", "formvalues", "customermessage", "taxnumber", "vatregnumber", "ipaddress"),
        # A hook's headers carry the secret by which its deliveries are told from forged ones.
        "headers",
    )
)


class Redactor:
    """Knows the secrets of one client by value, and the shapes of all others by pattern."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({s for s in secrets if len(s) >= SHORTEST_SECRET}, key=len, reverse=True)

    def __call__(self, text: str, body: Any = None) -> str:
        """`text` without secrets or personal values that the request `body` carried, and not too long."""
        for value in (*self._secrets, *personal_values(body)):
            if value in text:
                text = text.replace(value, _HIDDEN)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…"


def personal_values(body: Any) -> list[str]:
    """Values of a request body that name or reach a person, longest first; those under 3 letters stay."""
    return sorted({v for v in _walk(body, personal=False) if len(v) >= 3}, key=len, reverse=True)


def _walk(node: Any, *, personal: bool) -> Iterator[str]:
    if isinstance(node, str):
        if personal:
            yield node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            plain = re.sub(r"[^a-z0-9]", "", str(key).lower())
            yield from _walk(value, personal=personal or plain in _PERSONAL)
    elif isinstance(node, Sequence) and not isinstance(node, bytes):
        for value in node:
            yield from _walk(value, personal=personal)
