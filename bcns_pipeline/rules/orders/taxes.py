"""Which tax an order carries, when BigCommerce's own figures of it differ, and which part carries how much.

Put the choice between the order's figure and its lines' here. Do not put NetSuite's codes here (`tax.py`).
A line's own tax may be that of its price before discounts (facts/finance.md 3.1), so it is read both ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.model import ZERO


@dataclass(frozen=True, slots=True)
class Tax:
    """`total` is the one that counts, from `source`; `by_order` and `by_parts` are the two that were compared.

    `weights` say how much of it belongs to each part. `disagree`: they differ by more than a minor unit for
    each taxed part, so it is not mere rounding.
    """

    total: Money
    source: Literal["order", "lines"]
    by_order: Money
    by_parts: Money
    weights: tuple[Decimal, ...]
    disagree: bool


def declared(
    by_order: Money,
    taxes: Sequence[Decimal],
    shares_left: Sequence[Decimal],
    source: Literal["order", "lines"],
) -> Tax:
    """The tax that counts. `taxes` are the parts' own, `shares_left` what discounts leave of each part."""
    currency = by_order.currency
    tolerance = sum(1 for tax in taxes if tax)
    as_written = tuple(taxes)
    after_discount = tuple(tax * share for tax, share in zip(taxes, shares_left, strict=True))

    def off(weights: Sequence[Decimal]) -> int:
        return abs((Money.of(sum(weights, ZERO), currency) - by_order).minor)

    weights = as_written
    if off(as_written) > tolerance and off(after_discount) <= tolerance:
        weights = after_discount
    by_parts = Money.of(sum(weights, ZERO), currency)
    return Tax(
        total=by_order if source == "order" else by_parts,
        source=source,
        by_order=by_order,
        by_parts=by_parts,
        weights=weights,
        disagree=off(weights) > tolerance,
    )


def spread_tax(tax: Tax, fallback: Sequence[Decimal]) -> list[Money] | None:
    """The tax of each part, exact in its sum. `fallback` are the weights where no part knows of any tax.

    None where there is tax and nothing to put it on.
    """
    weights = tax.weights if any(weight > 0 for weight in tax.weights) else tuple(fallback)
    if not any(weight > 0 for weight in weights):
        return None if tax.total else [tax.total for _ in weights]
    return tax.total.allocate([max(weight, ZERO) for weight in weights])
