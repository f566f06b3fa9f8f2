"""Captures, and what NetSuite shows of an order's money: the shapes that the rules of cash work on.

Put frozen shapes here. Do not put decisions here. Money is in the order's own currency; ids without a name are
NetSuite's internal ids; days are those of the subsidiary's zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.problems import Problem

TenderKind = Literal["gateway", "gift_certificate", "store_credit", "marketplace"]
PostedKind = Literal["deposit", "payment", "credit"]
StepKind = Literal["deposit", "payment", "invoice", "application", "credit"]


@dataclass(frozen=True, slots=True)
class Capture:
    """One tender that was taken: what becomes exactly one posting record. `amount` > 0, less what was voided.

    `transaction_id` is BigCommerce's; 0 for an order of a marketplace, whose money BigCommerce never sees.
    """

    transaction_id: int
    kind: TenderKind
    gateway: str
    amount: Money
    on: date


@dataclass(frozen=True, slots=True)
class Taken:
    """What an order's transactions come to. `authorised` and `pending` are still open and book nothing.

    `refunded` went back as BigCommerce says. `problems` keep single tenders from being booked, not the others.
    """

    captures: tuple[Capture, ...]
    authorised: Money
    pending: Money
    refunded: Money
    problems: tuple[Problem, ...] = ()

    @property
    def captured(self) -> Money:
        """All captures, stored value included."""
        return total([one.amount for one in self.captures], self.authorised.currency)


@dataclass(frozen=True, slots=True)
class Posted:
    """The posting record of a capture, as NetSuite shows it. `unused` is not applied to an invoice yet."""

    transaction_id: int
    key: str
    kind: PostedKind
    id: int
    amount: Money
    unused: Money
    on: date


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice of the order, whoever made it. `open` is not paid yet; `key` "" where it is not ours."""

    id: int
    key: str
    number: str
    amount: Money
    open: Money
    on: date


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line of the sales order: `line` is its key in a transform, quantities are units."""

    line: int
    quantity: Decimal
    fulfilled: Decimal
    billed: Decimal
    closed: bool = False

    @property
    def billable(self) -> Decimal:
        """Units that have left and are on no invoice."""
        return max(self.fulfilled - self.billed, Decimal(0))


@dataclass(frozen=True, slots=True)
class Position:
    """One order's money on both sides, at one moment.

    `record` is salesOrder or cashSale, `status` the sales order's letter (facts/netsuite.md 3.6). `shipped_on` is
    the newest shipped fulfilment's day. `blocked` says why it must not be billed, "" where it may. `refunded` went
    back as BigCommerce says.
    """

    store: str
    order_id: int
    channel_id: int
    record: str
    netsuite_id: int
    status: str
    customer: int
    currency_id: int | None
    subsidiary: int | None
    total: Money
    today: date
    captures: tuple[Capture, ...] = ()
    posted: Mapping[int, Posted] = field(default_factory=dict)
    invoices: tuple[Invoice, ...] = ()
    lines: tuple[OrderLine, ...] = ()
    shipped_on: date | None = None
    blocked: str = ""
    refunded: Money | None = None
    # Applications that we know to have been made, as (transaction, invoice).
    applied: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """One record to be written, in `currency`. `path` is what follows /record/v1/, `body` what is sent.

    `amount` is the money it moves; None for an invoice, whose total is NetSuite's to say. `applies` gives the
    invoices (internal id) that it settles, with how much of each.
    """

    kind: StepKind
    key: str
    order_id: int
    path: str
    on: date
    body: Mapping[str, Any] = field(repr=False)
    reason: str
    amount: Money | None = None
    transaction_id: int | None = None
    account: int | None = None
    applies: tuple[tuple[int, Money], ...] = ()
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """What is to be done for an order now; `waits` says in one sentence what is still to come, "" for nothing."""

    steps: tuple[Step, ...] = ()
    problems: tuple[Problem, ...] = ()
    waits: str = ""
