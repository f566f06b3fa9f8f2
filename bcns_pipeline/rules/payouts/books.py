"""What the rules need to know beyond the payout itself: what NetSuite and BigCommerce hold of its lines.

Put the shapes here. Do not put look-ups or decisions here: the flow fills them in, `modes.py` and `journal.py` use
them. Amounts are minor units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Treatment(StrEnum):
    """Whose booking a line of an order takes out again."""

    # Captures and refunds stand in the clearing account: the line takes them out, and touches no revenue.
    CLEARING = "clearing"
    # The order is never billed by itself: the line posts its revenue and tax.
    SUMMARY = "summary"
    # Older than the cutover and not in the opening balance: booked by whoever kept the books before.
    PRE_CUTOVER = "pre_cutover"


@dataclass(frozen=True, slots=True)
class Booked:
    """The posting record of a capture or refund in NetSuite: its external id, and where it stands.

    `carrying` is what NetSuite carries for it in the payout's currency, without sign; it is needed only where the
    shopper paid in another currency, and is never worked out again from a rate (facts/finance.md 2.7).
    """

    record: str
    account: int
    carrying: int | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """What an order, or a refund of it, is made of, in the shopper's currency and without sign.

    `stored_value` is what certificates that it sold are owed, and what certificates and store credit paid of it: below
    0 where they were spent.
    """

    revenue: int
    shipping: int = 0
    tax: int = 0
    stored_value: int = 0

    @property
    def total(self) -> int:
        """What was to be paid in money."""
        return self.revenue + self.shipping + self.tax + self.stored_value


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order as far as posting its lines needs it.

    `documents` are external ids of whatever NetSuite posted for it: deposits, payments, invoices, cash sales. `old`:
    it belongs to the time before the cutover. `summarised`: a payout has posted revenue of it, so it stays in summary
    mode even where its channel has left it. `refunded`: what its shopper got back without a dispute.
    """

    id: int
    channel: int
    documents: frozenset[str] = frozenset()
    old: bool = False
    summarised: bool = False
    refunded: int = 0


@dataclass(frozen=True, slots=True)
class Books:
    """All of it, for one payout. Everything by line id is absent where nothing is known of the line.

    `opened` are lines whose capture or refund is in the opening balance. `cutover` is aware. `base` is the currency of
    NetSuite's books, "" where nobody asked.
    """

    orders: Mapping[int, OrderFacts] = field(default_factory=dict)
    booked: Mapping[str, Booked] = field(default_factory=dict)
    splits: Mapping[str, Split] = field(default_factory=dict)
    opened: frozenset[str] = frozenset()
    cutover: datetime | None = None
    base: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """On which day the entry is posted, and at which rate (None: NetSuite's of that day)."""

    day: date
    exchange_rate: Decimal | None = None
