"""What a payout is, whichever provider made it: the payout, its lines, and the classes that lines fall into.

Put the canonical shapes here (facts/finance.md 1.8). Do not put a provider's own words here (`classes.py`) nor
accounts (`accounts.py`). Every amount is a whole number of minor units, with the provider's own sign: `gross`
> 0 came to the merchant, `fee` > 0 was taken from them, and net = gross - fee.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final


class LineClass(StrEnum):
    """What a line of a payout means for the books (facts/finance.md 1.2). `classes.py` says which word is which."""

    GROSS_SALES = "gross_sales"
    PARTIAL_CAPTURE_REVERSAL = "partial_capture_reversal"
    CHARGE_FAILURE = "charge_failure"
    SALES_DISCOUNT = "sales_discount"
    REFUND = "refund"
    REFUND_RETURNED = "refund_returned"
    CHARGEBACK = "chargeback"
    CHARGEBACK_RETURNED = "chargeback_returned"
    # The provider says that a dispute is over and lost: it moves nothing, for its money was taken before.
    CHARGEBACK_LOST = "chargeback_lost"
    FEE_STANDALONE = "fee_standalone"
    FEE_SELLING = "fee_selling"
    FEE_FULFILMENT = "fee_fulfilment"
    FEE_DISPUTE = "fee_dispute"
    FEE_TAX = "fee_tax"
    RESERVE = "reserve"
    RESERVE_MINBAL = "reserve_minbal"
    MARKETPLACE_TAX = "marketplace_tax"
    LOAN = "loan"
    DONATION = "donation"
    ADJUSTMENT = "adjustment"
    CONVERSION = "conversion"
    TRANSFER_IN = "transfer_in"
    CONNECT = "connect"
    # A payout that failed comes back to the provider's balance, and so into a later payout.
    PAYOUT_RETURNED = "payout_returned"
    # The transfer itself, as some providers list it among its parts: never part of the sum.
    PAYOUT_EVENT = "payout_event"
    # Nobody has said what the word means. Such a line stops its payout (PAYOUT_UNMAPPED).
    UNCLASSIFIED = "unclassified"


# Classes whose gross was booked to the clearing account by a capture or a refund of an order.
SETTLES: Final = frozenset(
    {
        LineClass.GROSS_SALES,
        LineClass.PARTIAL_CAPTURE_REVERSAL,
        LineClass.CHARGE_FAILURE,
        LineClass.SALES_DISCOUNT,
        LineClass.REFUND,
        LineClass.REFUND_RETURNED,
    }
)

# What happens to a charge that its shopper disputes.
DISPUTED: Final = frozenset({LineClass.CHARGEBACK, LineClass.CHARGEBACK_RETURNED, LineClass.CHARGEBACK_LOST})


class PayoutStatus(StrEnum):
    """Where the money is. A payout may be PAID and become FAILED up to five business days later."""

    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"


class Itemisation(StrEnum):
    """Whether the provider says what a payout is made of: COMPLETE, not yet (PENDING), or NEVER (manual, instant)."""

    COMPLETE = "complete"
    PENDING = "pending"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """One line of a payout, in minor units of `currency` (the settlement currency).

    `category` is the provider's own word, `kind` its second word. `fee_tax` is the part of `fee` that is tax on
    the fee. `presentment_*` is what the shopper paid in their own currency, `rate` settlement per presentment.
    `references` are ids that a BigCommerce transaction may know the line by, `order_hints` texts that may name
    the order. `fee_later` is no part of `fee`: the provider bills it by the month, and no payout takes it.
    `order_id` and `transaction_id` are BigCommerce's, once linked. `raw_sha256` is the hash of the row
    as it was received.
    """

    id: str
    category: str
    gross: int
    fee: int
    net: int
    currency: str
    cls: LineClass = LineClass.UNCLASSIFIED
    kind: str = ""
    fee_tax: int = 0
    fee_later: int = 0
    presentment_amount: int | None = None
    presentment_currency: str | None = None
    rate: Decimal | None = None
    occurred_at: datetime | None = None
    references: tuple[str, ...] = ()
    order_hints: tuple[str, ...] = ()
    description: str = ""
    method: str = ""
    country: str = ""
    order_id: int | None = None
    transaction_id: int | None = None
    raw_sha256: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is part of the payout's sum."""
        return self.cls is not LineClass.PAYOUT_EVENT

    @property
    def foreign(self) -> bool:
        """Whether the shopper paid in another currency than the provider settles in."""
        return self.presentment_currency is not None and self.presentment_currency != self.currency


@dataclass(frozen=True, slots=True)
class Payout:
    """One transfer between a provider and the bank, with its lines. `amount` > 0 arrives, < 0 is taken from it.

    `account` is the merchant account at the provider. `fee` is what the provider took for the transfer itself
    (instant payouts), on top of `amount`. `failed_on` is the day on which a failed payout came back.
    `whole_units_only`: the provider pays whole major units of this currency and keeps the rest (HUF, TWD).
    `sources` are the sha256 of the documents that it was read from.
    """

    provider: str
    account: str
    id: str
    currency: str
    amount: int
    status: PayoutStatus
    arrival_date: date
    lines: tuple[PayoutLine, ...] = ()
    itemisation: Itemisation = Itemisation.COMPLETE
    created_at: datetime | None = None
    automatic: bool = True
    instant: bool = False
    fee: int = 0
    failed_on: date | None = None
    bank_reference: str = ""
    descriptor: str = ""
    related: tuple[str, ...] = ()
    whole_units_only: bool = False
    sources: tuple[str, ...] = ()

    @property
    def currencies(self) -> tuple[str, ...]:
        """The payout's own currency first, then those of its lines in alphabetical order."""
        others = {line.currency for line in self.lines if line.counts} - {self.currency}
        return (self.currency, *sorted(others))

    def net(self, currency: str) -> int:
        """What the lines of one currency come to, in its minor units."""
        return sum(line.net for line in self.lines if line.counts and line.currency == currency)
