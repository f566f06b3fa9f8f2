"""Carts of every kind for the property tests, and the ways in which BigCommerce may show the same order.

Put Hypothesis strategies here, no expectations.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from bcns_pipeline.rules.orders.policy import OrderPolicy
from bcns_pipeline_tests.rules.orders.examples import ITEM_LINE, POLICY, RECALCULATED, SUITETAX
from bcns_pipeline_tests.rules.orders.shop import DIGITS, FOUR, Cart, CartLine, half_up, text

D = Decimal
RATES = st.sampled_from([D(0), D("7.25"), D("8.875"), D(19), D(20), D("5.5"), D("9.975")])


@st.composite
def carts(draw: st.DrawFn, *, rate: Decimal | None = None) -> Cart:
    """Up to six lines with promotions, coupons and charges; `rate`: the same one on everything."""
    currency = draw(st.sampled_from(sorted(DIGITS)))
    step = D(1).scaleb(-DIGITS[currency])

    def money(most: int = 100_000) -> Decimal:
        return draw(st.integers(0, most)) * step

    def percent() -> Decimal:
        return draw(RATES) if rate is None else rate

    lines = []
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["physical"] * 6 + ["digital", "giftcertificate"]))
        gift = kind == "giftcertificate"
        # Prices of fasteners and fabric have four digits.
        price = money() if draw(st.booleans()) else draw(st.integers(0, 999_999)) * FOUR
        line = CartLine(price, draw(st.integers(1, 12)), D(0) if gift else percent(), kind=kind)
        whole = half_up(line.price * line.quantity, step)
        if not gift and draw(st.integers(0, 3)) == 0:
            line.off = min(money(), whole)
        if not gift and draw(st.integers(0, 5)) == 0:
            line.wrap = money(1000)
        lines.append(line)
    return Cart(
        lines,
        currency,
        inclusive=draw(st.booleans()),
        rate_rounding=draw(st.booleans()),
        coupon=money(5000) if draw(st.booleans()) else D(0),
        manual=money(5000) if draw(st.integers(0, 3)) == 0 else D(0),
        shipping=money(5000),
        shipping_rate=percent(),
        handling=money(500) if draw(st.integers(0, 3)) == 0 else D(0),
        fees=[money(900) for _ in range(draw(st.integers(0, 2)))],
        fee_rate=percent(),
        places=draw(st.integers(1, 3)),
    )


def _numbers(value: Any) -> Any:
    """Money as JSON numbers instead of text."""
    if isinstance(value, dict):
        return {name: _number(name, one) for name, one in value.items()}
    return [_numbers(one) for one in value] if isinstance(value, list) else value


def _number(name: str, value: Any) -> Any:
    money = name.endswith(("_tax", "_amount", "_discount", "amount")) and isinstance(value, str)
    return D(value) if money else _numbers(value)


def products_of(order: dict[str, Any]) -> list[dict[str, Any]]:
    """All products of an order's JSON."""
    whole = order["consignments"]
    groups = [*whole["shipping"], *whole["downloads"], *whole["email"]["gift_certificates"]]
    return [product for group in groups for product in group["line_items"]]


def _unlisted(order: dict[str, Any]) -> None:
    """The order's discounts stand in its header alone."""
    for product in products_of(order):
        product["applied_discounts"] = []


def _undiscounted(order: dict[str, Any]) -> None:
    """An old order, from before lines said what they come to after discounts."""
    for product in products_of(order):
        del product["discounted_total_inc_tax"]


def _pre_discount_tax(order: dict[str, Any]) -> None:
    """The line's tax is still that of its price before discounts (facts/finance.md 3.1)."""
    for product in products_of(order):
        off = sum((D(one["amount"]) for one in product["applied_discounts"]), D(0))
        side = "total_inc_tax" if order["is_tax_inclusive_pricing"] else "total_ex_tax"
        before = D(product[side])
        if off and before > off:
            product["total_tax"] = text(D(product["total_tax"]) * before / (before - off))


def _shuffled(order: dict[str, Any]) -> None:
    for consignment in order["consignments"]["shipping"]:
        random.Random(7).shuffle(consignment["line_items"])


def _legacy(order: dict[str, Any]) -> None:
    order["consignments"] = [order["consignments"]]


WAYS: dict[str, Callable[[dict[str, Any]], None]] = {
    "as it is": lambda order: None,
    "without discounts on lines": _unlisted,
    "without discounted totals": _undiscounted,
    "tax before discounts": _pre_discount_tax,
    "other order": _shuffled,
    "older consignments": _legacy,
}


@st.composite
def ways(draw: st.DrawFn) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Another way to show the same order."""
    chosen = draw(st.sampled_from(sorted(WAYS)))
    numbers = draw(st.booleans())

    def shown(order: dict[str, Any]) -> dict[str, Any]:
        WAYS[chosen](order)
        return dict(_numbers(order)) if numbers else order

    return shown


@st.composite
def policies(draw: st.DrawFn) -> OrderPolicy:
    """Every way to post that comes to a total of its own."""
    return replace(
        POLICY,
        tax=replace(
            draw(st.sampled_from([ITEM_LINE, SUITETAX])), source=draw(st.sampled_from(["order", "lines"]))
        ),
        shipping=replace(POLICY.shipping, as_line=draw(st.booleans())),
        discount_lines=draw(st.booleans()),
        gross_lines=draw(st.integers(0, 3)) == 0,
        handling_item=draw(st.sampled_from([POLICY.handling_item, None])),
        line_id_field=draw(st.sampled_from([POLICY.line_id_field, ""])),
    )


RECALCULATING = replace(POLICY, tax=RECALCULATED)
