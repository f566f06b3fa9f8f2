"""By which way and from which account each payment of a refund is settled: the router of facts/finance.md 4.2.

Put the choice of way and account here. Do not put bodies here (`bodies.py`), nor limits (`limits.py`). Nothing in this
flow ever calls a payment provider: BigCommerce has made the refund already, or a marketplace will.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.model import Tender
from bcns_pipeline.rules.orders.policy import fold
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.refunds.limits import only_capture, parent_of
from bcns_pipeline.rules.refunds.model import Refund, RefundPayment
from bcns_pipeline.rules.refunds.policy import EXTERNAL, GIFT_CERTIFICATE, STORE_CREDIT, RefundPolicy

Way = Literal["gateway", "external", "marketplace", "bank", "store_credit", "gift_certificate"]
# The clearing account of a gateway (BigCommerce's word for it) in a currency, on the refund's day; None: not mapped.
Clearing = Callable[[str, str], int | None]
STORED_VALUE = frozenset({"store_credit", "gift_certificate"})


@dataclass(frozen=True, slots=True)
class Settlement:
    """How one payment is settled. `n` is its place (from 1) among all payments of the refund, declined ones included.

    `captured_by`: BigCommerce's transaction that it gives back, None where it is none of a gateway's. `references` are
    all ids by which the payment provider may know it, `transaction_id` is BigCommerce's of the payment itself.
    """

    n: int
    way: Way
    amount: Money
    account: int
    provider: str
    captured_by: int | None = None
    references: tuple[str, ...] = ()
    transaction_id: int | None = None


def route(
    refund: Refund,
    tenders: Sequence[Tender],
    policy: RefundPolicy,
    clearing: Clearing,
    *,
    marketplace: str | None = None,
) -> tuple[Settlement, ...] | Problem:
    """One settlement per payment that was not declined, or what the mapping file lacks.

    `marketplace` names it where the order came from one: then its clearing account settles everything, because its
    settlement report is where the money shows up.
    """
    by_id = {one.id: one for one in tenders}
    found: list[Settlement] = []
    for n, payment in enumerate(refund.payments, 1):
        if payment.declined:
            continue
        parent = parent_of(payment, by_id)
        if parent is None and fold(payment.provider) in EXTERNAL:
            parent = only_capture(tenders)
        way = way_of(payment, parent, marketplace, policy)
        where = _account(way, payment, parent, marketplace, policy, clearing)
        if isinstance(where, Problem):
            return where
        account, provider = where
        back = by_id.get(payment.transaction_id or 0)
        references = [back.gateway_transaction_id] if back is not None else []
        found.append(
            Settlement(
                n=n,
                way=way,
                amount=payment.amount,
                account=account,
                provider=provider,
                captured_by=parent.id if parent is not None and way in ("gateway", "external") else None,
                references=tuple(one for one in references if one),
                transaction_id=payment.transaction_id,
            )
        )
    return tuple(found)


def way_of(
    payment: RefundPayment, parent: Tender | None, marketplace: str | None, policy: RefundPolicy
) -> Way:
    """The row of the router's table that the payment falls under."""
    name = fold(payment.provider)
    if marketplace is not None:
        return "marketplace"
    if name in STORE_CREDIT:
        return "store_credit"
    if name in GIFT_CERTIFICATE:
        return "gift_certificate"
    if name in policy.bank_methods:
        return "bank"
    if payment.offline or name in EXTERNAL:
        # Recorded in the shop, and made elsewhere: in the provider's own dashboard where a gateway took the money.
        return "external" if parent is not None else "bank"
    return "gateway"


def _account(
    way: Way,
    payment: RefundPayment,
    parent: Tender | None,
    marketplace: str | None,
    policy: RefundPolicy,
    clearing: Clearing,
) -> tuple[int, str] | Problem:
    currency = payment.amount.currency
    if way == "bank":
        return _known(policy.bank_of(currency), f"cash.refunds.bank.{currency}", payment.provider or "bank")
    if way == "store_credit":
        return _known(policy.store_credit, "cash.refunds.store_credit", "storecredit")
    if way == "gift_certificate":
        return _known(policy.gift_certificate, "cash.refunds.gift_certificate", "giftcertificate")
    gateway = marketplace or (parent.gateway if parent is not None else payment.provider)
    key = f"the clearing account of {gateway!r} in {currency} (payouts.providers, cash.gateways)"
    return _known(clearing(gateway, currency), key, fold(gateway))


def _known(account: int | None, key: str, provider: str) -> tuple[int, str] | Problem:
    if account is None:
        return Problem(
            "REFUND_UNMAPPED", f"Nothing says where it is paid from; name {key}.", f"account:{key}"
        )
    return account, provider
