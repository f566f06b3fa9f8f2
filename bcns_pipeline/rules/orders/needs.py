"""Which further calls an order is worth: by default none, since its own fields have tax and discounts.

Put here what makes a detail necessary. Do not put the calls here. Each detail costs one call per order, which
is why a page of 250 orders otherwise costs one (facts/bigcommerce.md 3.2).
"""

from __future__ import annotations

from bcns_pipeline.rules.orders.gate import is_marketplace, may_be_test
from bcns_pipeline.rules.orders.model import ZERO, Detail, Order
from bcns_pipeline.rules.orders.policy import OrderPolicy
from bcns_pipeline.rules.orders.tax import tax_mode


def needs(order: Order, policy: OrderPolicy) -> frozenset[Detail]:
    """What has to be read before the order can be judged and planned."""
    found = set()
    if policy.capture != "off" or may_be_test(order, policy):
        found.add(Detail.TRANSACTIONS)
    if _tax_by_name(order, policy):
        found.add(Detail.TAXES)
    applied = sum((one.amount for line in order.lines for one in line.discounts), ZERO)
    if order.coupon_discount and order.coupon_discount + order.discount_amount > applied:
        # Something was taken off that no line knows of; a coupon for shipping is the usual case.
        found.add(Detail.COUPONS)
    return frozenset(found)


def _tax_by_name(order: Order, policy: OrderPolicy) -> bool:
    channel = policy.channel(order.channel_id)
    return bool(
        policy.tax.codes
        and order.charged.tax
        and not policy.gross_lines
        and channel is not None
        and tax_mode(policy, channel) == "bc_final"
        and not is_marketplace(order, channel, policy)
    )
