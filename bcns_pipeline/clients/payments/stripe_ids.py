"""Ids and order numbers as Stripe writes them, in the API and in reports alike.

Put patterns here that both readings share; what is made of a match is decided by the rules.
"""

from __future__ import annotations

import re
from typing import Final

# Charges, payments, intents, refunds, disputes: what a BigCommerce transaction may know.
_ID: Final = re.compile(r"\b(?:ch|py|pi|re|pyr|du|dp)_[A-Za-z0-9]+")
_COLUMN: Final = re.compile(r"(?:payment|refund|transfer)_metadata\[(.+)\]")


def ids_in(text: str) -> list[str]:
    """Ids that a description names, as in "Chargeback withdrawal for ch_…"."""
    return _ID.findall(text)


def names_an_order(key: str) -> bool:
    """Whether a column or a key of metadata is one that holds an order's number.

    Other keys hold numbers as well (a customer's, a cart's), which would be taken for an order.
    """
    found = _COLUMN.fullmatch(key)
    name = (found[1] if found else key).lower()
    if found is None and name.endswith("]"):
        return False
    return "order" in name and "date" not in name
