"""Everything that the plan of one refund depends on.

Put the shape here; the flow fills it in, `plan.py` and `records.py` read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.facts import Account
from bcns_pipeline.rules.orders.policy import Channel
from bcns_pipeline.rules.refunds.books import Books
from bcns_pipeline.rules.refunds.model import Refund
from bcns_pipeline.rules.refunds.router import Settlement
from bcns_pipeline.rules.refunds.shares import Share
from bcns_pipeline.rules.refunds.tax import OrderTax


@dataclass(frozen=True, slots=True)
class Begun:
    """A record of the refund that NetSuite has: its type in small letters, and over how much it is."""

    record: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that the plan of one refund depends on. `earlier`: shares of the order's refunds before it.

    `whole`: with this refund all of the order went back. `credited_before`: an earlier refund was credited. `seen` are
    payments (by their `n`) that a payment provider has shown as paid back. `begun` are our records that NetSuite has
    already, by key: a refund that was begun one way is never finished the other way. `taken_over`: somebody else made
    NetSuite's order and booked its payments, before the cutover or beside us.
    """

    store: str
    refund: Refund
    shares: tuple[Share, ...]
    earlier: tuple[tuple[Share, ...], ...]
    whole: bool
    credited_before: bool
    settlements: tuple[Settlement, ...]
    books: Books
    tax: OrderTax
    account: Account
    channel: Channel
    on: date
    seen: frozenset[int] = frozenset()
    begun: Mapping[str, Begun] = field(default_factory=dict)
    taken_over: bool = False
