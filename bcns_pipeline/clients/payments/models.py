"""Payouts and their lines as a payment provider tells them, whichever provider and whichever way.

Put the shapes and the protocol here that all sources share. Do not put classes, accounts or orders here: a line
keeps the provider's own word, and the rules decide what it means (`rules/payouts`, facts/finance.md 1.8). Every
amount is a whole number of ISO 4217 minor units, whatever units the provider writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

from bcns_pipeline.clients.files.models import BadFile, Document

# Categories of lines that no provider wrote and that a file's own balances call for: what the provider held before
# the first line, and what it holds back after the last one. They make the lines add up to the payout.
BROUGHT_FORWARD: Final = "balance_brought_forward"
CARRIED_FORWARD: Final = "balance_carried_forward"


class PayoutStatus(StrEnum):
    """Where the money is. A payout may be PAID and become FAILED up to five business days later."""

    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"


class Itemisation(StrEnum):
    """Whether the provider says what a payout is made of."""

    COMPLETE = "complete"
    # Not yet: ask again later, post nothing.
    PENDING = "pending"
    # Manual and instant payouts: the provider can't say which transactions they pay.
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class SourcePayout:
    """One transfer between a provider and the bank. `amount` > 0 arrives at the bank, < 0 is taken from it.

    `account` is the merchant account at the provider. `arrival_date` is the provider's own date, never moved to
    another time zone. `bank_reference` and `descriptor` are what the bank statement may show. `status_word` is the
    provider's own word. `related` names the payout that this one reverses or that reversed it.
    `whole_units_only`: the provider pays whole major units in this currency (HUF, TWD) and keeps the rest. `fee` is
    what the transfer itself cost, on top of `amount` (instant payouts).
    """

    provider: str
    account: str
    id: str
    currency: str
    amount: int
    status: PayoutStatus
    arrival_date: date
    created_at: datetime | None = None
    itemisation: Itemisation = Itemisation.COMPLETE
    automatic: bool = True
    instant: bool = False
    status_word: str = ""
    failure_code: str = ""
    bank_reference: str = ""
    descriptor: str = ""
    related: tuple[str, ...] = ()
    whole_units_only: bool = False
    fee: int = 0
    livemode: bool | None = None


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One row of a settlement. `gross`, `fee` and `net` have the row's own signs, and net = gross - fee.

    `category` is the provider's own word, which decides what the line means; `kind` is its second, finer word
    where it has one. `presentment_*` is what the shopper paid in their currency, `rate` settlement per presentment.
    `references` are all ids by which a BigCommerce transaction may know this line, the line's own source first;
    `order_hints` are texts that may name the order (metadata, merchant reference, invoice id). `fee_parts` are
    the parts of `fee` by the provider's word; `fee_billed_later` is a fee that is not in `net`, because the provider
    bills it by the month. `row_sha256` is the hash of the row as it was received.
    `balance` is the provider's sub-balance.
    """

    id: str
    category: str
    gross: int
    fee: int
    net: int
    currency: str
    occurred_at: datetime | None
    row_sha256: str
    kind: str = ""
    presentment_amount: int | None = None
    presentment_currency: str | None = None
    rate: Decimal | None = None
    references: tuple[str, ...] = ()
    order_hints: tuple[str, ...] = ()
    description: str = ""
    fee_parts: tuple[tuple[str, int], ...] = ()
    fee_billed_later: int = 0
    method: str = ""
    country: str = ""
    sku: str = ""
    balance: str = "payments"


@dataclass(frozen=True, slots=True)
class Settlement:
    """A payout with what it is made of, in the order in which the provider gave it.

    `aside` are rows of other sub-balances (the second half of a reserve move) and of the payout itself: they belong
    to the document and not to the sum. `rows` counts every row that was read for it, made-up ones not counted.
    """

    payout: SourcePayout
    lines: tuple[SourceLine, ...] = ()
    aside: tuple[SourceLine, ...] = ()
    rows: int = 0


@dataclass(frozen=True, slots=True)
class SourceBalance:
    """What the provider held for the merchant at a moment, all sub-balances that payouts are made of together.

    `amounts` are minor units by currency, `at` is the moment of the source's own clock.
    """

    provider: str
    account: str
    at: datetime
    amounts: tuple[tuple[str, int], ...] = field(default_factory=tuple)


class DisputeStatus(StrEnum):
    """How a dispute stands at its provider."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class SourceDispute:
    """A dispute as its provider tells it. `word` is its own, `due_by` the last day on which it can be answered."""

    id: str
    status: DisputeStatus
    word: str
    due_by: date | None = None


class PayoutSource(Protocol):
    """One merchant account at one provider. Methods that fetch hand out raw documents, one at a time: store each
    before the next is asked for. Methods that read are pure functions of documents, so a stored payout can be made
    again from its bytes.

    Fetching raises OutsideError, reading raises BadFile; neither ever gives half of what was asked for.
    """

    @property
    def provider(self) -> str:
        """The provider's name in natural keys: stripe, paypal, adyen, braintree, amazon, or the generic file's."""
        ...

    @property
    def account(self) -> str:
        """The merchant account's name in natural keys."""
        ...

    def payouts(self, since: datetime) -> Iterator[Document]:
        """Documents that list every payout made since then."""
        ...

    def read_payouts(
        self, document: Document, refused: dict[str, BadFile] | None = None
    ) -> list[SourcePayout]:
        """The payouts that one of these documents lists. One that can't be read goes into `refused` by id, so that it
        stops no other; without that it is raised.
        """
        ...

    def lines(self, payout: SourcePayout) -> Iterator[Document]:
        """Documents that itemise `payout`; none where its itemisation is not COMPLETE."""
        ...

    def read_lines(self, payout: SourcePayout, documents: Iterable[Document]) -> Settlement:
        """`payout` with its lines; BadFile where `documents` are not all of them, or not of this payout."""
        ...

    def disputes(self, since: datetime) -> Iterator[Document]:
        """Documents that list every dispute opened since then; none where the provider tells of them by lines alone."""
        ...

    def read_disputes(
        self, document: Document, refused: dict[str, BadFile] | None = None
    ) -> list[SourceDispute]:
        """The disputes that one of these documents lists; `refused` as with payouts, "" for one without an id."""
        ...

    def balance(self, at: datetime | None = None) -> Iterator[Document]:
        """Documents that say what the provider held at `at`; now without it. None where the provider doesn't say."""
        ...

    def read_balances(
        self, documents: Sequence[Document], ats: Sequence[datetime | None] = (None,)
    ) -> list[SourceBalance]:
        """What these documents, asked for the earliest of `ats`, say of each; none where there are no documents."""
        ...
