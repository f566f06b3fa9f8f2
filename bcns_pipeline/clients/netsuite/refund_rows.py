"""Refunds, and what they post, as NetSuite shows them.

Put the shapes here that the reads of refunds hand out; flows import them from `models.py`. Amounts are Decimals in the
record's own currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class RefundRow:
    """A credit memo, cash refund, customer refund, journal or deposit; or the order that is refunded.

    `record_type` in lower case. `total` and `unused` (what is applied to nothing yet) are never below 0.
    """

    id: int
    external_id: str
    tran_id: str
    record_type: str
    status: str
    entity: int | None
    subsidiary: int | None
    currency: int | None
    rate: Decimal | None
    total: Decimal
    unused: Decimal
    tran_date: date | None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One posting line of a record: a debit is above 0, a credit below."""

    transaction: int
    line: int
    account: int
    amount: Decimal
