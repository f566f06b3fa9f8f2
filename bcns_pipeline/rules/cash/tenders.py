"""From an order's transactions to captures: what was taken, by which tender, and what still may be.

Put here which transaction is money (facts/bigcommerce.md 3.8). Do not put accounts here (`policy.py`), nor what is
written of a capture (`steps.py`). A purchase or capture counts where it is ok, no test, and as far as it was not
voided; an authorisation, a pending or failed try and a void book nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, tzinfo
from typing import Any, Final

from bcns_pipeline.rules.cash.model import Capture, Taken, TenderKind
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.capture import settled
from bcns_pipeline.rules.orders.model import Order, Tender
from bcns_pipeline.rules.orders.policy import OrderPolicy
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.status import Status

_TAKEN: Final = frozenset({"purchase", "capture"})
_STORED: Final[dict[str, TenderKind]] = {
    "gift_certificate": "gift_certificate",
    "giftcertificate": "gift_certificate",
    "store_credit": "store_credit",
    "storecredit": "store_credit",
}
MARKETPLACE: Final = "marketplace"
# Of a certificate's code a person sees so many characters, where it has at least so many.
_SHOWN: Final = 3
_LONG: Final = 8


def taken(order: Order, transactions: Sequence[Tender], zone: tzinfo) -> Taken:
    """The captures of an order, oldest first, and what else its transactions say. `zone` tells their days."""
    nothing = Money.zero(order.currency)
    good = [one for one in _each_once(transactions) if one.status == "ok" and not one.test]
    foreign = [one for one in good if one.currency not in ("", order.currency)]
    good = [one for one in good if one.currency in ("", order.currency)]
    following: dict[int, list[Tender]] = defaultdict(list)
    for one in good:
        if one.reference_id is not None:
            following[one.reference_id].append(one)
    captures = []
    authorised, pending, refunded = nothing, nothing, nothing
    for one in good:
        amount = Money.of(one.amount, order.currency)
        voided = _sum(following[one.id], {"void"}, order.currency)
        if one.event in _TAKEN and amount > voided:
            captures.append(Capture(one.id, _kind(one), one.gateway, amount - voided, _day(one, order, zone)))
        elif one.event == "authorization":
            gone = voided + _sum(following[one.id], _TAKEN, order.currency)
            authorised += max(amount - gone, nothing)
        elif one.event == "pending":
            gone = voided + _sum(following[one.id], _TAKEN, order.currency)
            pending += max(amount - gone, nothing)
        elif one.event == "refund":
            refunded += amount
    problems = [
        Problem(
            "PAYMENT_MISMATCH",
            f"Transaction {one.id} is in {one.currency}, and the order in {order.currency}.",
        )
        for one in foreign
        if one.event in _TAKEN
    ]
    captures.sort(key=lambda one: one.transaction_id)
    return Taken(tuple(captures), authorised, pending, refunded, tuple(problems))


def of_marketplace(order: Order, zone: tzinfo) -> Taken:
    """A marketplace took the whole total when the order was placed; its settlement pays it out."""
    nothing = Money.zero(order.currency)
    charged = Money.of(order.charged.inc, order.currency)
    on = order.placed_at.astimezone(zone).date()
    captures = (Capture(0, "marketplace", order.order_source, charged, on),) if charged.minor > 0 else ()
    return Taken(captures, nothing, nothing, nothing)


def mismatch(order: Order, transactions: Sequence[Tender], policy: OrderPolicy) -> Problem | None:
    """Identity E1 (facts/finance.md 3.1): money taken, promised and used is what the order came to.

    Called-off orders are none of it: what was taken of them goes back.
    """
    if order.status_id in (Status.CANCELLED, Status.DECLINED, Status.INCOMPLETE):
        return None
    charged = Money.of(order.charged.inc, order.currency)
    found = settled(order, transactions, policy)
    if found.settles(charged):
        return None
    return Problem("PAYMENT_MISMATCH", f"It came to {charged}, and {found.whole} settle it ({found}).")


def holder_of(order: Order, one: Tender, keyed: Callable[[Any], str]) -> str | None:
    """Whose stored value a transaction moved; None where it moved none, or where nothing says whose.

    Of store credit it is BigCommerce's id of the order's customer. A certificate stands as the keyed digest of its code
    and never as the code, which is as good as money; its end, by which a person finds it, is not shown of a short one.
    """
    kind = _kind(one)
    if kind == "store_credit":
        return str(order.customer_id) if order.customer_id else None
    code = one.stored.code if one.stored is not None else ""
    if kind != "gift_certificate" or not code:
        return None
    end = f" (...{code[-_SHOWN:]})" if len(code) >= _LONG else ""
    return keyed({"gift_certificate": code})[:16] + end


def _each_once(transactions: Sequence[Tender]) -> list[Tender]:
    return list({one.id: one for one in transactions}.values())


def _kind(one: Tender) -> TenderKind:
    return _STORED.get(one.method) or _STORED.get(one.gateway.lower()) or "gateway"


def _day(one: Tender, order: Order, zone: tzinfo) -> date:
    return (one.happened_at or order.placed_at).astimezone(zone).date()


def _sum(tenders: Sequence[Tender], events: frozenset[str] | set[str], currency: str) -> Money:
    amounts = [Money.of(one.amount, currency) for one in tenders if one.event in events]
    return sum(amounts, Money.zero(currency))
