"""What is said of a refund: as it was read, what was decided, and what came of it.

Put frozen types of `Refunds` here. Do not put SQL here. Money has the order's currency; times are aware; days are those
of the store's time zone. None of it is personal data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from bcns_pipeline.rules.money import Money

Disposition = Literal["open", "waiting", "planned", "posted", "declined", "reversed", "ignored"]


@dataclass(frozen=True, slots=True)
class RefundSeen:
    """One version of a refund as read. `content_hash` is `documents.Kept.fingerprint` of its document."""

    refund_id: int
    order_id: int
    created_at: datetime
    day: date
    total: Money
    tax: Money
    paid: Money
    content_hash: str
    document_id: int | None = None


@dataclass(frozen=True, slots=True)
class RefundDecision:
    """What was decided of a refund. `code` is of the catalogue; `reason` one sentence without personal data."""

    refund_id: int
    disposition: Disposition
    code: str | None = None
    reason: str | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefundPlanned:
    """The records that it becomes, by key, all of them: those that are there already as well."""

    refund_id: int
    route: str
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefundRecordRow:
    """A record of a refund that is in NetSuite. `n`: the payment that it settles, 0 for the credit itself.

    `transaction_id`: BigCommerce's, of that payment.
    """

    natural_key: str
    refund_id: int
    order_id: int
    n: int
    record_type: str
    netsuite_id: str
    amount: Money
    day: date
    account: int | None = None
    way: str = ""
    provider: str = ""
    provider_refs: tuple[str, ...] = ()
    transaction_id: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefundRead:
    """What NetSuite shows of a refund: its total there, and what of the credit is applied to nothing."""

    refund_id: int
    total: Money
    open: Money


@dataclass(frozen=True, slots=True)
class RefundState:
    """Where one refund stands: a row of `refund_state` with its amounts as Money."""

    refund_id: int
    order_id: int
    created_at: datetime
    day: date
    total: Money
    tax: Money
    paid: Money
    content_hash: str
    document_id: int | None
    read_at: datetime
    disposition: Disposition
    code: str | None
    reason: str | None
    retry_at: datetime | None
    route: str | None
    expected: tuple[str, ...]
    posted_at: datetime | None
    read_total: Money | None
    open: Money | None
    read_back_at: datetime | None


@dataclass(frozen=True, slots=True)
class RefundCount:
    """Refunds of one day, disposition, code and currency: how many, and their sums on both sides."""

    day: date
    disposition: Disposition
    code: str | None
    refunds: int
    total: Money
    read: Money

    def row(self) -> tuple[Any, ...]:
        """For a table."""
        return (
            self.day.isoformat(),
            self.disposition,
            self.code or "",
            self.total.currency,
            self.refunds,
            self.total.amount,
            self.read.amount,
            (self.total - self.read).amount,
        )
