"""The lines of a credit memo or cash refund: one per share, its tax, and nothing that moves stock.

Put here which share becomes which item. Do not put amounts here (`shares.py`). A credit memo on its own books goods
back where its lines name goods (facts/netsuite.md 3.6), so all lines name items without stock: what comes back to the
shelf is NetSuite's receipt's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.draft import DraftLine, LineRole, tax_details
from bcns_pipeline.rules.orders.facts import Account
from bcns_pipeline.rules.orders.lines import rate_of
from bcns_pipeline.rules.orders.model import ZERO
from bcns_pipeline.rules.orders.policy import Channel, OrderPolicy, named
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.refunds.policy import RefundPolicy
from bcns_pipeline.rules.refunds.shares import Role, Share
from bcns_pipeline.rules.refunds.tax import OrderTax, zero_details

_LONGEST_TEXT: Final = 999
_CERTIFICATE: Final = "cash.refunds.items.gift_certificate or orders.gift_certificates.item"
_SETTINGS: Final[dict[Role, str]] = {
    "product": "cash.refunds.items.product",
    "goodwill": "cash.refunds.items.goodwill",
    "override": "cash.refunds.items.goodwill",
    "tax": "cash.refunds.items.goodwill",
    "restocking": "cash.refunds.items.restocking_fee",
    "shipping": "cash.refunds.items.shipping or orders.shipping.item",
    "handling": "cash.refunds.items.handling or orders.handling.item",
    "wrapping": "cash.refunds.items.wrapping or orders.gift_wrapping.item",
    "fee": "cash.refunds.items.fee or orders.fees.item",
    "rounding": "orders.rounding.item",
}
_ROLES: Final[dict[str, LineRole]] = {
    "product": "product",
    "shipping": "shipping",
    "handling": "handling",
    "wrapping": "wrapping",
    "rounding": "rounding",
    "tax": "tax",
}


@dataclass(frozen=True, slots=True)
class Credit:
    """What a credit memo holds, and what NetSuite must show of it."""

    lines: tuple[DraftLine, ...]
    overrides: bool
    price_level: int

    @property
    def amount(self) -> Decimal:
        """Its total: lines and SuiteTax's rows."""
        return sum((line.amount + sum((row.amount for row in line.taxes), ZERO) for line in self.lines), ZERO)

    def body(self) -> dict[str, Any]:
        """`item` and tax as POST takes them."""
        return {
            "item": {
                "items": [line.body(self.price_level, referenced=self.overrides) for line in self.lines]
            },
            **tax_details(self.lines, overridden=self.overrides),
        }


def credit_lines(
    shares: Sequence[Share],
    earlier: Sequence[Sequence[Share]],
    tax: OrderTax,
    account: Account,
    channel: Channel,
    orders: OrderPolicy,
    policy: RefundPolicy,
) -> Credit | list[Problem]:
    """The lines of one refund; `earlier` are the shares of the order's refunds before it, oldest first."""
    made: list[DraftLine] = []
    problems: list[Problem] = []
    for place, share in enumerate(shares):
        if share.role == "tax" and not tax.overrides:
            continue  # a line of tax alone, below
        item = _item(share, orders, policy)
        rows = tax.details(share.part, share.net, share.tax)
        if item is None:
            problems.append(_unmapped(share))
        elif isinstance(rows, Problem):
            problems.append(rows)
        else:
            net = share.whole if tax.inside else share.net
            rows = rows or tuple(zero_details(tax, account, net))
            made.append(_line(f"{place + 1}", share, item, net, rows, channel, orders))
    currency = shares[0].net.currency
    before = [total([one.tax for one in some], currency) for some in earlier]
    by_item = tax.lines(total([one.tax for one in shares], currency), before)
    if isinstance(by_item, Problem):
        problems.append(by_item)
    else:
        made += _tax_lines(by_item, tax, account, channel, orders)
    if problems:
        return list(dict.fromkeys(problems))
    overrides = any(line.taxes for line in made)
    return Credit(tuple(made), overrides, orders.price_level)


def _line(
    key: str,
    share: Share,
    item: int,
    net: Money,
    rows: tuple[Any, ...],
    channel: Channel,
    orders: OrderPolicy,
) -> DraftLine:
    units = share.units or 1
    fields: dict[str, Any] = {"description": share.text[:_LONGEST_TEXT]} if share.text else {}
    if orders.line_id_field and share.line_id is not None:
        fields[orders.line_id_field] = str(share.line_id)
    return DraftLine(
        key=key,
        role=_ROLES.get(share.role, "fee"),
        item=item,
        quantity=units,
        amount=net.amount,
        rate=rate_of(net, units, net.amount / units),
        fields={**fields, **dimensions(channel, orders)},
        taxes=rows,
    )


def _tax_lines(
    by_item: Mapping[int, Money], tax: OrderTax, account: Account, channel: Channel, orders: OrderPolicy
) -> list[DraftLine]:
    lines = [
        DraftLine(f"tax-{item}", "tax", item, 1, amount.amount, amount.amount, dimensions(channel, orders))
        for item, amount in sorted(by_item.items())
    ]
    return [
        replace(line, taxes=tuple(zero_details(tax, account, amount)))
        for line, (_, amount) in zip(lines, sorted(by_item.items()), strict=True)
    ]


def dimensions(channel: Channel, orders: OrderPolicy) -> dict[str, Any]:
    """Department and class of a line, where the merchant wants them on lines."""
    if not orders.line_dimensions:
        return {}
    given = {"department": channel.department, "class": channel.class_id}
    return {name: {"id": str(value)} for name, value in given.items() if value is not None}


def _item(share: Share, orders: OrderPolicy, policy: RefundPolicy) -> int | None:
    items = policy.items
    match share.role:
        case "product" if share.certificate:
            # Its sale credited the liability of certificates, so that is what the refund takes back.
            return items.certificate or orders.certificate_item
        case "product":
            return items.product
        case "goodwill" | "override" | "tax":
            return items.goodwill
        case "restocking":
            return items.restocking_fee
        case "shipping":
            return items.shipping or orders.shipping.item
        case "handling":
            return items.handling or orders.handling_item
        case "wrapping":
            return items.wrapping or orders.wrapping_item
        case "fee":
            return items.fee or named(orders.fee_items, share.text) or orders.fee_item
        case "rounding":
            return orders.rounding_item


def _unmapped(share: Share) -> Problem:
    key = _CERTIFICATE if share.certificate else _SETTINGS[share.role]
    said = f"Nothing says which item {share.whole} of {share.role} is given back as; name {key}."
    return Problem("REFUND_UNMAPPED", said, f"item:{share.role}")
