"""From the mapping file to the policy that the rules of orders take.

Put here how keys become a policy. Do not put keys here (`orders.py`, `tax.py`, `channels.py`), nor rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Final, get_args
from zoneinfo import ZoneInfo

from bcns_pipeline.config.channels import ChannelMapping
from bcns_pipeline.config.orders import OrdersMapping, field_paths
from bcns_pipeline.rules.orders.paths import parse_path
from bcns_pipeline.rules.orders.policy import (
    Channel,
    OrderPolicy,
    PurchaseOrder,
    ShippingPolicy,
    Sources,
    Stopped,
    fold,
)

_PURCHASE_ORDERS: Final[dict[str, PurchaseOrder]] = {name: name for name in get_args(PurchaseOrder)}


def order_policy(
    orders: OrdersMapping,
    channels: Mapping[int, ChannelMapping],
    cutover: date | datetime | None,
    store_zone: str,
) -> OrderPolicy:
    """What the rules need. A cutover without a time of day begins at midnight in the store's zone."""
    shipping, order = orders.shipping, orders.purchase_order
    return OrderPolicy(
        channels={number: one.channel(number) for number, one in channels.items()},
        any_channel=None if channels else Channel(0),
        store_zone=store_zone,
        cutover=_moment(cutover, store_zone),
        statuses=frozenset(orders.statuses),
        test_methods=frozenset(fold(name) for name in orders.test_methods),
        sources=Sources(
            _folded(orders.sources.marketplace),
            _folded(orders.sources.subscription),
            _folded(orders.sources.quote),
        ),
        updates=orders.updates,
        stopped=_stopped(orders),
        gross_lines=orders.prices == "gross",
        discount_owner=orders.discounts.owner or "",
        discount_lines=orders.discounts.as_ == "lines",
        discount_item=orders.discounts.item,
        tax=orders.tax.policy(),
        shipping=ShippingPolicy(
            as_line=shipping.as_ == "line",
            item=shipping.item,
            methods=_names(shipping.methods),
            default=shipping.default,
            use_default=shipping.unmapped == "default",
        ),
        handling_item=orders.handling.item,
        wrapping_item=orders.gift_wrapping.item,
        fee_item=orders.fees.item,
        fee_items=_names(orders.fees.by_name),
        certificate_item=orders.gift_certificates.item,
        custom_item=orders.custom_products.item,
        rounding_item=orders.rounding.item,
        max_rounding_lines=orders.rounding.max_lines,
        currencies=dict(orders.currencies),
        exchange_rate=orders.exchange_rate,
        payment_methods=_names(orders.payment_methods),
        payment_field=orders.payment_field,
        unmapped_payment=orders.unmapped_payment,
        capture=orders.capture_policy,
        offline_methods=frozenset(fold(name) for name in orders.offline_methods),
        fields=field_paths(orders.fields),
        line_fields=field_paths(orders.line_fields, computed=True),
        line_id_field=orders.line_id_field or "",
        line_dimensions=orders.line_dimensions,
        memo=orders.memo,
        purchase_order=_PURCHASE_ORDERS.get(order) or parse_path(order),
        price_level=orders.price_level,
        order_status=orders.order_status,
        expected_ship_date=orders.expected_ship_date,
        send_email=orders.email,
        materiality=dict(orders.materiality),
    )


def _moment(cutover: date | datetime | None, zone: str) -> datetime | None:
    if cutover is None:
        return None
    found = cutover if isinstance(cutover, datetime) else datetime.combine(cutover, time())
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))


def _stopped(orders: OrdersMapping) -> dict[str, Stopped]:
    """Without what is to be ignored."""
    given = {
        "H": orders.stopped.closed,
        "C": orders.stopped.cancelled,
        "A": orders.stopped.held,
    }
    return {letter: do for letter, do in given.items() if do != "ignore"}


def _names(table: Mapping[str, int]) -> dict[str, int]:
    return {fold(name): value for name, value in table.items()}


def _folded(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(fold(name) for name in names)
