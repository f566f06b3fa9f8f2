"""What is said of an order's money: as it was read, what was decided, and what NetSuite has.

Put frozen types of `Cash` here. Do not put SQL here. Money has the order's own currency. None of it is personal data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from bcns_pipeline.rules.money import Money

# open: look at it. waiting: something stands in the way, look again at `retry_at`. settled: nothing to do until the
# order, its payments or its sales order change. skipped: not ours to book.
CashDisposition = Literal["open", "waiting", "settled", "skipped"]
RecordKind = Literal["deposit", "payment", "credit", "invoice", "application", "cash_sale"]
# One of these per capture: it is posted where it has one.
RECEIPTS: tuple[RecordKind, ...] = ("deposit", "payment", "credit", "cash_sale")


@dataclass(frozen=True, slots=True)
class Unlooked:
    """An order in NetSuite that changed since its payments were looked at. `mark` is that of the last read."""

    order_id: int
    document_id: int | None
    content_hash: str
    mark: str | None
    again: bool


@dataclass(frozen=True, slots=True)
class TenderRow:
    """One BigCommerce transaction as read. `amount` >= 0; `gateway_id` is the provider's id, "" for none.

    `holder`: whose stored value it moved (never a code); what BigCommerce told of its balance, in minor units of the
    amount's currency: at first, before this transaction, and after it. None where it told nothing.
    """

    transaction_id: int
    order_id: int
    event: str
    method: str
    gateway: str
    gateway_id: str
    reference_id: int | None
    amount: Money
    status: str
    test: bool
    happened_at: datetime | None
    holder: str | None = None
    original_minor: int | None = None
    starting_minor: int | None = None
    remaining_minor: int | None = None


@dataclass(frozen=True, slots=True)
class MoneyRead:
    """What was read of one order's payments. `read_again_at`: an authorisation is open, look again then.

    `shopper_id` is BigCommerce's customer, None for a guest.
    """

    order_id: int
    content_hash: str
    mark: str
    document_id: int | None
    captured: Money
    authorised: Money
    refunded: Money
    tenders: tuple[TenderRow, ...]
    read_again_at: datetime | None = None
    shopper_id: int | None = None


@dataclass(frozen=True, slots=True)
class CashDecision:
    """What was decided. `code` is of the catalogue; `reason` one sentence without personal data."""

    order_id: int
    disposition: CashDisposition
    code: str | None = None
    reason: str | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CashOrder:
    """Where one order's money stands; amounts are None where its payments were never read."""

    order_id: int
    content_hash: str | None
    mark: str | None
    document_id: int | None
    read_at: datetime | None
    captured: Money | None
    authorised: Money | None
    refunded: Money | None
    disposition: CashDisposition
    code: str | None
    reason: str | None
    retry_at: datetime | None
    read_again_at: datetime | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record that is in NetSuite. `amount` None: an invoice, whose total is NetSuite's to say."""

    natural_key: str
    order_id: int
    kind: RecordKind
    netsuite_id: str
    currency: str
    day: date
    origin: Literal["created", "found"]
    amount: Money | None = None
    transaction_id: int | None = None
    account: int | None = None
    invoice_id: int | None = None


@dataclass(frozen=True, slots=True)
class RecordRead:
    """What NetSuite shows of a record now. `open` is not applied, or not paid yet; `account` where it was read."""

    natural_key: str
    amount: Money
    open: Money | None = None
    account: int | None = None


@dataclass(frozen=True, slots=True)
class CashRecord:
    """A record of an order's money: as written, and as read back (None where it was not yet)."""

    natural_key: str
    order_id: int
    transaction_id: int | None
    kind: RecordKind
    netsuite_id: str
    currency: str
    amount: Money | None
    account: int | None
    day: date
    invoice_id: int | None
    origin: str
    posted_at: datetime
    read: Money | None
    read_open: Money | None
    read_account: int | None
    read_back_at: datetime | None
