"""Whether the money taken is what the order came to (identity E1 of facts/finance.md 3.1).

Put the sum of tenders here. Do not put the order's own parts here (`totals.py`): gift certificates, store
credit and payments settle a total, and never change it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.model import Order, Tender
from bcns_pipeline.rules.orders.policy import OrderPolicy, fold

_TAKEN = frozenset({"purchase", "capture"})
_PROMISED = frozenset({"authorization", "pending"})
# Transactions of their own, which the order's header has in its own fields as well.
_STORED_VALUE = frozenset({"gift_certificate", "giftcertificate", "store_credit", "storecredit"})


@dataclass(frozen=True, slots=True)
class Settled:
    """What settles the order, in its currency. `later` is what a method that is paid later still owes.

    `refunded` went back since, and is no part of `whole`.
    """

    taken: Money
    authorised: Money
    stored_value: Money
    later: Money
    refunded: Money

    @property
    def whole(self) -> Money:
        """All of it."""
        return self.taken + self.authorised + self.stored_value + self.later

    def settles(self, charged: Money) -> bool:
        """Whether it is what the order came to: when it was bought, or since it was made smaller and paid back."""
        return charged in (self.whole, self.whole - self.refunded)

    def __str__(self) -> str:
        said = [
            f"{name} {amount.amount}"
            for name, amount in (
                ("taken", self.taken),
                ("authorised", self.authorised),
                ("stored value", self.stored_value),
                ("paid later", self.later),
                ("since refunded", self.refunded),
            )
            if amount
        ]
        return ", ".join(said) or "nothing"


def settled(order: Order, transactions: Sequence[Tender], policy: OrderPolicy) -> Settled:
    """What the transactions come to. Refunds come after the sale and are told apart.

    An authorisation counts as far as it was neither captured nor voided; failed and test transactions, and
    those in another currency, count for nothing.
    """
    nothing = Money.zero(order.currency)
    taken, authorised = nothing, nothing
    good = [
        one
        for one in transactions
        if one.status == "ok"
        and not one.test
        and one.method not in _STORED_VALUE
        and one.currency in ("", order.currency)
    ]
    by_reference: dict[int, list[Tender]] = defaultdict(list)
    for one in good:
        if one.reference_id is not None:
            by_reference[one.reference_id].append(one)
    for one in good:
        amount = Money.of(one.amount, order.currency)
        voided = _sum(by_reference[one.id], frozenset({"void"}), order)
        if one.event in _TAKEN:
            taken += max(amount - voided, nothing)
        elif one.event in _PROMISED:
            gone = voided + _sum(by_reference[one.id], _TAKEN, order)
            authorised += max(amount - gone, nothing)
    stored = Money.of(order.gift_certificate + order.store_credit, order.currency)
    rest = Money.of(order.charged.inc, order.currency) - taken - authorised - stored
    later = rest if rest.minor > 0 and fold(order.payment_method) in policy.offline_methods else nothing
    return Settled(taken, authorised, stored, later, _sum(good, frozenset({"refund"}), order))


def _sum(tenders: Sequence[Tender], events: frozenset[str], order: Order) -> Money:
    amounts = [Money.of(one.amount, order.currency) for one in tenders if one.event in events]
    return sum(amounts, Money.zero(order.currency))
