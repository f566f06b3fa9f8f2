"""What an order comes to: the shop's own arithmetic from cart to total.

Put pricing of an order here. Do not put JSON, stock or payment here. Tax is on the discounted line, per line
and per rate; a discount counts on the side of the tax on which prices are entered. So these hold, whatever is
in the cart (facts/finance.md 3.1): sum of `discounted` + shipping + handling + wrapping + fees, with tax, is
the total; subtotal + the others - discounts (with tax where prices include it, else without and plus the
tax) is the total too. Without rounding per rate they hold but for less than a minor unit per line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from bcns_pipeline.sandbox.bigcommerce.money import FOUR_PLACES, HUNDRED, ZERO, half_up, minor, split
from bcns_pipeline.sandbox.bigcommerce.orders.models import (
    FREE_SHIPPING,
    GIFT_CERTIFICATE,
    PER_ITEM,
    PERCENT,
    SHIPPING,
    Applied,
    Cost,
    Discount,
    Line,
    Order,
    Rate,
    TaxRow,
)
from bcns_pipeline.sandbox.bigcommerce.settings import RATE_ROUNDING

Parts = list[tuple[Rate, Decimal]]


def price(order: Order) -> None:
    """Compute everything that follows from the cart; placing and every edit end here."""
    unit = minor(order.currency)
    step = unit if order.rounding == RATE_ROUNDING else FOUR_PLACES
    order.taxes = []
    _discount(order, unit)

    def taxed(base: Decimal, amount: Decimal, rates: Sequence[Rate], **place: object) -> Cost:
        cost, parts = with_tax(amount, rates, inclusive=order.inclusive, step=step)
        cost.base = base
        order.taxes += [TaxRow(rate, tax, **place) for rate, tax in parts]  # type: ignore[arg-type]
        return cost

    order.subtotal, order.shipping, order.handling, order.wrapping = Cost(), Cost(), Cost(), Cost()
    sold = ZERO
    for line in order.lines:
        _price_line(line, order.inclusive, step, taxed)
        order.subtotal += line.total
        order.wrapping += line.wrapping
        sold += line.discounted
    for place in order.addresses:
        charged = place.cost - _off_shipping(order, place.id)
        place.shipping = taxed(place.cost, charged, place.rates, kind="shipping", address_id=place.id)
        place.handled = taxed(
            place.handling, place.handling, place.handling_rates, kind="handling", address_id=place.id
        )
        order.shipping += place.shipping
        order.handling += place.handled
    fees = ZERO
    for fee in order.fees:
        fee.priced = taxed(fee.cost, fee.cost, fee.rates, kind="")
        fees += fee.priced.inc
    total = half_up(sold + order.shipping.inc + order.handling.inc + order.wrapping.inc + fees, unit)
    tax = half_up(sum((row.amount for row in order.taxes), ZERO), unit)
    order.total = Cost(total, total - tax, total, tax)
    if order.override is not None:
        # Made through the V2 API, an order may say of itself what it likes.
        ex, inc = order.override
        order.total = Cost(inc, ex, inc, inc - ex)


def with_tax(amount: Decimal, rates: Sequence[Rate], *, inclusive: bool, step: Decimal) -> tuple[Cost, Parts]:
    """An amount, entered with or without tax, with the tax of each rate.

    From a price with tax, the part without it is rounded and the tax is the rest, so that both add up to
    what the shopper saw: 59.97 at 20 % is 49.98 and 9.99 (facts/finance.md 3.2).
    """
    if not rates:
        return Cost(amount, amount, amount, ZERO), []
    exact = _shares(amount, rates)
    if not inclusive:
        parts = [(rate, half_up(tax, step)) for rate, tax in exact]
        tax = sum((one for _, one in parts), ZERO)
        return Cost(amount, amount, amount + tax, tax), parts
    factor = 1 + (sum((tax for _, tax in _shares(HUNDRED, rates)), ZERO) / HUNDRED)
    ex = half_up(amount / factor, step)
    tax = amount - ex
    shares = split(half_up(tax, step), [one for _, one in exact], step)
    return Cost(amount, ex, amount, tax), [(rate, one) for (rate, _), one in zip(exact, shares, strict=True)]


def _shares(amount: Decimal, rates: Sequence[Rate]) -> Parts:
    """Unrounded tax of each rate on an amount without tax; a later priority is charged on earlier tax."""
    parts: Parts = []
    base = amount
    for priority in sorted({rate.priority for rate in rates}):
        group = [(rate, base * rate.percent / HUNDRED) for rate in rates if rate.priority == priority]
        parts += group
        base += sum((tax for _, tax in group), ZERO)
    return parts


def _price_line(line: Line, inclusive: bool, step: Decimal, taxed: Callable[..., Cost]) -> None:
    """A line's amounts.

    Its totals are before discounts but for the tax, which is that of the discounted line; the estimated side
    keeps 4 decimals per unit, so it does not add up (facts/bigcommerce.md 3.3 and 3.5).
    """
    left = line.left
    cost = taxed(left, left, line.rates, kind="item", line_id=line.id, address_id=line.address_id)
    line.discounted = cost.inc
    each, _ = with_tax(line.price, line.rates, inclusive=inclusive, step=FOUR_PLACES if inclusive else step)
    line.unit = each
    if inclusive:
        estimate = half_up(each.ex * line.quantity, FOUR_PLACES)
        line.total = Cost(line.entered, estimate, line.entered, cost.tax)
    else:
        line.total = Cost(line.entered, line.entered, line.entered + cost.tax, cost.tax)
    line.wrapping = Cost()
    if line.wrap_price is not None:
        wrap = half_up(line.wrap_price * line.quantity, step)
        line.wrapping = taxed(
            wrap, wrap, line.rates, kind="gift-wrapping", line_id=line.id, address_id=line.address_id
        )


def _discount(order: Order, unit: Decimal) -> None:
    """Spread every discount over its lines: promotions first, then coupons, then what was taken off by hand."""
    for line in order.lines:
        line.discounts = []
        line.entered = half_up(line.price * line.quantity, unit)
    turn = {"promotion": 0, "coupon": 1, "manual": 2}
    for discount in sorted(order.discounts, key=lambda one: turn[one.kind]):
        _spread(order, discount, unit)
    order.coupon_discount = sum(
        (d.total for d in order.discounts if d.kind == "coupon" and d.type not in (SHIPPING, FREE_SHIPPING)),
        ZERO,
    )
    order.discount_amount = sum((d.total for d in order.discounts if d.kind != "coupon"), ZERO)


def _spread(order: Order, discount: Discount, unit: Decimal) -> None:
    if discount.type in (SHIPPING, FREE_SHIPPING):
        # It lowers the cost of shipping itself, so it is in neither discount field of the order.
        discount.total = sum((_off_shipping(order, place.id) for place in order.addresses), ZERO)
        return
    lines = [
        line
        for line in order.lines
        if line.kind != GIFT_CERTIFICATE
        and not line.no_discounts
        and (discount.skus is None or line.sku in discount.skus)
    ]
    lefts = [line.left for line in lines]
    if discount.type == PER_ITEM:
        off = half_up(discount.amount, unit)
        shares = [min(off * line.quantity, left) for line, left in zip(lines, lefts, strict=True)]
    else:
        whole = sum(lefts, ZERO)
        off = whole * discount.amount / HUNDRED if discount.type == PERCENT else min(discount.amount, whole)
        shares = split(half_up(off, unit), lefts, unit)
    discount.total = sum(shares, ZERO)
    target = "product" if discount.skus is not None or discount.type == PER_ITEM else "order"
    for line, share in zip(lines, shares, strict=True):
        if share:
            line.discounts.append(
                Applied(_label(discount), share, discount.name, discount.code, target)  # type: ignore[arg-type]
            )


def _label(discount: Discount) -> str:
    """The `id` that an applied discount has in the API."""
    if discount.kind == "manual":
        return "manual-discount"
    return "total-coupon" if discount.kind == "coupon" else str(discount.id)


def _off_shipping(order: Order, address_id: int) -> Decimal:
    """What coupons take off the shipping to an address, each on what the earlier ones left."""
    place = next(one for one in order.addresses if one.id == address_id)
    left = place.cost
    for discount in order.discounts:
        if discount.type == FREE_SHIPPING:
            left = ZERO
        elif discount.type == SHIPPING:
            left -= min(discount.amount, left)
    return place.cost - left
