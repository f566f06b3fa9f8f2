"""Natural keys: the one name of a thing on both sides, from which a lost state is rebuilt.

Put here how a key is spelled. Do not put look-ups here. A key is the `externalId` of the NetSuite record and
the natural key of the operation that writes it. Only letters, digits, `_` and `-` are allowed there, and one
namespace holds all transactions, another all entities, hence the type in the middle (facts/netsuite.md 3.2).
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

_ALLOWED: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")
# Of what is not allowed or too long, as much of a hash stays as makes a collision unthinkable.
_HASHED: Final = 24
# How versions, reversals, failures and further currencies of a payout's entry end.
_ENDS: Final = re.compile(r"-(?:v[0-9]+|rev[0-9]+|failed|in-[A-Z]{3})$")


def order_key(store: str, order_id: int) -> str:
    """Key of the sales order or cash sale of a BigCommerce order: "bc-abc123-order-1001"."""
    return _key("bc", store, "order", str(order_id))


def edit_key(store: str, order_id: int, version: str) -> str:
    """Key of one edit of an order: the operation that brings NetSuite to the `version` (a content hash)."""
    return _key("bc", store, "edit", f"{order_id}-{version[:16]}")


def customer_key(store: str, customer_id: int) -> str:
    """Key of the NetSuite customer of a registered shopper."""
    return _key("bc", store, "customer", str(customer_id))


def guest_key(store: str, email_hash: str) -> str:
    """Key of the NetSuite customer of a guest; `email_hash` is the keyed hash of the e-mail, in hex."""
    return _key("bc", store, "guest", email_hash[:16])


def shipment_key(store: str, fulfilment_id: int, address_id: int, package: int = 0) -> str:
    """Key of a BigCommerce shipment: one per fulfilment, ship-to address and package (0 for the whole)."""
    return _key("bc", store, "shipment", f"{fulfilment_id}-{address_id}-{package}")


def deposit_key(store: str, order_id: int, transaction_id: int) -> str:
    """Key of what posts one capture: a customer deposit, a payment, or the credit memo of a stored value."""
    return _key("bc", store, "deposit", f"{order_id}-{transaction_id}")


def invoice_key(store: str, order_id: int, number: int) -> str:
    """Key of the `number`th invoice that we make of an order, counted from 1."""
    return _key("bc", store, "invoice", f"{order_id}-{number}")


def apply_key(store: str, order_id: int, transaction_id: int, invoice_id: int) -> str:
    """Key of the application of a capture's deposit to an invoice (its internal id): once each, whoever made it."""
    return _key("bc", store, "apply", f"{order_id}-{transaction_id}-{invoice_id}")


def status_key(store: str, order_id: int) -> str:
    """Key of the status that a BigCommerce order is given."""
    return _key("bc", store, "status", str(order_id))


def refund_key(store: str, refund_id: int) -> str:
    """Key of the credit memo or cash refund of a BigCommerce refund."""
    return _key("bc", store, "refund", str(refund_id))


def refund_payment_key(store: str, refund_id: int, n: int) -> str:
    """Key of what settles the n-th payment (from 1) of a refund: a customer refund, or the journal of stored value."""
    return _key("bc", store, "refundpay", f"{refund_id}-{n}")


def refund_release_key(store: str, refund_id: int) -> str:
    """Key of the customer refund that takes deposits back which turn into stored value."""
    return _key("bc", store, "refund", f"{refund_id}-release")


def refund_reversal_key(store: str, refund_id: int, n: int) -> str:
    """Key of the n-th journal (from 1) that takes a posted refund back, as its payment was declined later."""
    return _key("bc", store, "refund", f"{refund_id}-rev{n}")


def refund_close_key(store: str, refund_id: int) -> str:
    """Key of the operation that takes what was refunded off a sales order that was not billed."""
    return _key("bc", store, "refund", f"{refund_id}-close")


def payout_key(provider: str, account: str, payout: str, currency: str = "") -> str:
    """Key of a payout's journal entry: "psp-stripe-acct1-payout-po_1"; `currency` where it has one of its own.

    What would read as another payout's key, or as a later version of one, is hashed.
    """
    told = _safe(account) if "-payout-" not in account else _hashed(account)
    name = _hashed(payout) if _ENDS.search(payout) else _safe(payout)
    key = f"psp-{_safe(provider)}-{told}-payout-{name}"
    return f"{key}-in-{currency}" if currency else key


def version_key(key: str, version: int) -> str:
    """Key of a corrected entry: the first has the bare key, the second "...-v2"."""
    return key if version < 2 else f"{key}-v{version}"


def reversal_key(key: str, version: int = 1) -> str:
    """Key of the entry that reverses the entry of that version."""
    return f"{key}-rev{version}"


def failed_key(key: str) -> str:
    """Key of the second entry of a payout that failed after it was posted."""
    return f"{key}-failed"


def settlement_key(provider: str, account: str, what: str, subject: str) -> str:
    """Key of an entry about a provider that is no payout: `what` is dispute, won, accrual or fx."""
    return f"psp-{_safe(provider)}-{_safe(account)}-{_safe(what)}-{_safe(subject)}"


def order_id_of(store: str, key: str) -> int | None:
    """The BigCommerce order whose key this is; None for any other key, another store's included."""
    head, _, number = key.rpartition("-")
    if not number.isdecimal() or not number.isascii() or key != order_key(store, int(number)):
        return None
    return int(number) if head else None


def _key(*parts: str) -> str:
    return "-".join(_safe(part) for part in parts)


def _safe(part: str) -> str:
    return part if _ALLOWED.fullmatch(part) else _hashed(part)


def _hashed(part: str) -> str:
    return "x" + hashlib.sha256(part.encode()).hexdigest()[:_HASHED]
