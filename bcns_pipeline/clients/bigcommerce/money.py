"""Every figure of money on an order, by name, for a comparison before and after a write.

Put the list of names here. What the figures mean, and which of them add up, is the work of the rules. Facts:
`facts/bigcommerce.md` 3.2, 3.3 and 3.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from bcns_pipeline.clients.bigcommerce.documents import decimal

_SIDES: Final = ("ex_tax", "inc_tax", "tax")
_HEADER: Final = (
    *(
        f"{what}_{side}"
        for what in ("subtotal", "total", "shipping_cost", "handling_cost")
        for side in _SIDES
    ),
    *(f"wrapping_cost_{side}" for side in _SIDES),
    *(f"base_{what}_cost" for what in ("shipping", "handling", "wrapping")),
    *("discount_amount", "coupon_discount", "store_credit_amount", "gift_certificate_amount"),
)
_CONSIGNMENT: Final = (
    *("base_cost", "base_handling_cost"),
    *(f"{what}_{side}" for what in ("cost", "handling_cost") for side in _SIDES),
)
_LINE: Final = (
    *(f"{what}_{side}" for what in ("price", "total", "wrapping_cost") for side in _SIDES),
    *("base_price", "base_total", "discounted_total_inc_tax", "quantity"),
)
_FEE: Final = ("base_cost", *(f"cost_{side}" for side in _SIDES))


def money_of(document: Mapping[str, Any]) -> dict[str, Decimal]:
    """{"total_inc_tax": …, "line:194:total_tax": …, "shipping:128:cost_ex_tax": …, "fee:3:cost_tax": …}.

    Decimals compare by value, so 10 and "10.0000" are equal. Absent or blank figures are left out, and so is
    `refunded_amount`, which the store says is always 0. A line's quantity and discounts are among the figures.
    """
    found = dict(_figures("", document, _HEADER))
    consignments = document.get("consignments") or {}
    for kind in ("pickups", "shipping", "downloads"):
        for place in consignments.get(kind) or ():
            found.update(_figures(f"{kind}:{place.get('id', '')}:", place, _CONSIGNMENT))
            found.update(_lines(place))
    certificates = (consignments.get("email") or {}).get("gift_certificates") or ()
    for place in [certificates] if isinstance(certificates, Mapping) else certificates:
        found.update(_lines(place))
    fees = document.get("fees")
    for fee in fees if isinstance(fees, list) else ():
        found.update(_figures(f"fee:{fee.get('id', '')}:", fee, _FEE))
    return found


def _lines(place: Mapping[str, Any]) -> Iterator[tuple[str, Decimal]]:
    lines = place.get("line_items") or ()
    for line in [lines] if isinstance(lines, Mapping) else lines:
        name = f"line:{line.get('id', '')}:"
        yield from _figures(name, line, _LINE)
        for number, discount in enumerate(line.get("applied_discounts") or ()):
            yield from _figures(f"{name}discount:{discount.get('id', '')}:{number}:", discount, ("amount",))


def _figures(prefix: str, row: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[tuple[str, Decimal]]:
    for name in names:
        if row.get(name) not in (None, ""):
            yield prefix + name, decimal(row[name])
