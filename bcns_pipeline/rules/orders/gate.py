"""Whether an order is ours to post now, and where it came from.

Put the allow-list of statuses, tests, the cutover and the classification of sources here. Do not put what
stands in the way of an order that is ours here: that is a Problem of its plan. Nothing is silent: whatever is
not posted has a verdict with a sentence, and is listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from bcns_pipeline.rules.orders.model import Details, Order
from bcns_pipeline.rules.orders.policy import Channel, OrderPolicy, fold
from bcns_pipeline.rules.orders.status import REFUNDED, Status, label


class Source(StrEnum):
    """Where an order came from, as far as its own fields tell."""

    STOREFRONT = "storefront"
    MARKETPLACE = "marketplace"
    MANUAL = "manual"
    SUBSCRIPTION = "subscription"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class Post:
    """Ours, now."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Ours, not now: its next change is looked at again. `code` groups the held report."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ignore:
    """Never ours."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class List:
    """From before the cutover: adopted where NetSuite has it already, else only listed."""

    code: str
    reason: str


Verdict = Post | Hold | Ignore | List


def judge(order: Order, policy: OrderPolicy, details: Details | None = None) -> Verdict:
    """What to do with an order that NetSuite does not have yet.

    Ask again once `details` are read: whether an order is a mere test, its transactions tell.
    """
    status = order.status_id
    if is_test(details):
        return Ignore("TEST", "All its transactions are tests.")
    if order.archived:
        return Ignore("ARCHIVED", "It was archived in BigCommerce.")
    if status in (Status.INCOMPLETE, Status.DECLINED):
        return Ignore(Status(status).name, f"It is {label(status)}: nobody has bought anything.")
    if policy.cutover is not None and order.placed_at < policy.cutover:
        return List("BEFORE_CUTOVER", f"It was placed before the cutover of {policy.cutover.isoformat()}.")
    if status == Status.CANCELLED:
        return Hold(Status.CANCELLED.name, "It was cancelled before it was posted.")
    if status not in policy.statuses:
        return Hold("STATUS", f"Its status is {label(status)}, which orders.statuses does not have.")
    return Post()


def is_test(details: Details | None) -> bool:
    """Whether transactions were read, there are some, and all are tests."""
    transactions = details.transactions if details else None
    return bool(transactions) and all(one.test for one in transactions or ())


def may_be_test(order: Order, policy: OrderPolicy) -> bool:
    """Whether the order was paid in a way that only tests are, so that its transactions must be read."""
    return fold(order.payment_method) in policy.test_methods


def source_of(order: Order, policy: OrderPolicy) -> Source:
    """Where the order came from: by the names that the merchant gave, then by how it was entered.

    `external_id` is BigCommerce's own mark of an order that a marketplace placed (facts/bigcommerce.md 3.4).
    """
    names = (fold(order.order_source), fold(order.external_source))
    for source, patterns in (
        (Source.SUBSCRIPTION, policy.sources.subscription),
        (Source.QUOTE, policy.sources.quote),
        (Source.MARKETPLACE, policy.sources.marketplace),
    ):
        if any(fnmatchcase(name, pattern) for name in names if name for pattern in patterns):
            return source
    if order.external_id:
        return Source.MARKETPLACE
    return Source.MANUAL if names[0] == "manual" else Source.STOREFRONT


def is_marketplace(order: Order, channel: Channel | None, policy: OrderPolicy) -> bool:
    """Whether a marketplace collected the tax, and makes the refunds: the channel says, else the order."""
    if channel is not None and channel.marketplace is not None:
        return channel.marketplace
    return source_of(order, policy) is Source.MARKETPLACE


def has_refund(order: Order) -> bool:
    """Whether money may have gone back. How much, only the refunds tell: the order's own figures stay 0."""
    return (
        order.status_id in REFUNDED
        or "refunded" in order.payment_status
        or any(line.quantity_refunded for line in order.lines)
    )
