"""What an order came to, part by part, in whole minor units, and how that adds up to the charged total.

Put the identities E2a to E2c of facts/finance.md 3.1 here. Do not put NetSuite here, nor tenders, which are
settlements and no part of the total (`capture.py`). The charged total is the authority. BigCommerce's own
figures can be read in more than one way (where a discount stands, on which side of the tax, with or without
discount in a line's tax), so each reading is tried and the one that closes is kept and named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.model import ZERO, Cost, Coupon, Fee, Line, Order
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.splitting import apportion, split
from bcns_pipeline.rules.orders.taxes import Tax, declared, spread_tax

PartKind = Literal["line", "shipping", "handling", "wrapping", "fee"]
Identity = Literal["E2a", "E2b", "E2c"]

_SHIPPING_COUPONS = frozenset({3, 4})


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that was paid for. `net` is without tax and after discounts, `gross` before discounts."""

    key: str
    kind: PartKind
    gross: Money
    net: Money
    tax: Money
    line: Line | None = None
    fee: Fee | None = None

    @property
    def discount(self) -> Money:
        """What discounts took off, without tax."""
        return self.gross - self.net


@dataclass(frozen=True, slots=True)
class Totals:
    """`charged` = net and tax of all parts + `residual`, to the minor unit. Lines are in order of their ids.

    `identity` is the reading whose amounts these are, `closing` all that leave nothing over. `tax` says
    where the tax came from and how BigCommerce's figures of it compare.
    """

    charged: Money
    parts: tuple[Part, ...]
    residual: Money
    identity: Identity
    closing: tuple[Identity, ...]
    tax: Tax


@dataclass(frozen=True, slots=True)
class _Raw:
    key: str
    kind: PartKind
    cost: Cost
    line: Line | None = None
    fee: Fee | None = None

    def side(self, inclusive: bool) -> Decimal:
        return self.cost.inc if inclusive else self.cost.ex


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read the order: `amounts` of all parts on one side of the tax, discounts taken off.

    `discounted`: the order itself says that there were discounts.
    """

    identity: Identity
    inclusive: bool
    amounts: tuple[Decimal, ...]
    discounted: bool


def add_up(
    order: Order,
    *,
    inclusive: bool,
    tax_source: Literal["order", "lines"],
    max_residual: int,
    coupons: Sequence[Coupon] | None = None,
) -> Totals | Problem:
    """The parts of the order. A Problem where no reading comes within the cap of the charged total.

    `inclusive`: which side of the tax is exact, so that the other is derived from it. The cap is
    `max_residual` minor units, or as many as there are priced parts if these are fewer.
    """
    raws = list(_raws(order))
    charged = Money.of(order.charged.inc, order.currency)
    readings = list(_readings(order, raws, inclusive, coupons or ()))
    if not readings:
        return Problem(
            "ORDER_COMPONENTS_DO_NOT_ADD", "The order's discounts are more than everything that it holds."
        )
    tax = declared(
        Money.of(order.charged.tax, order.currency),
        [raw.cost.tax for raw in raws],
        [_share_left(raw, amount, readings[0].inclusive) for raw, amount in _paired(raws, readings[0])],
        tax_source,
    )
    left = [charged - _sum(reading, tax.total) for reading in readings]
    # The first that closes; else the one that comes nearest, of equals the first.
    best = min(range(len(left)), key=lambda at: (abs(left[at].minor), at))
    priced = sum(1 for amount in readings[best].amounts if amount)
    cap = min(priced, max_residual)
    if abs(left[best].minor) > cap:
        return _does_not_add(readings[best], raws, tax, charged, left[best], cap)
    parts = _parts(raws, readings[best], tax)
    if isinstance(parts, Problem):
        return parts
    closing = {reading.identity: None for reading, rest in zip(readings, left, strict=True) if not rest}
    return Totals(charged, parts, left[best], readings[best].identity, tuple(closing), tax)


def _raws(order: Order) -> Iterator[_Raw]:
    """Everything that was paid for. By id, so that the order in which BigCommerce lists lines is no matter."""
    for line in sorted(order.lines, key=lambda one: one.id):
        if line.quantity or line.total:
            yield _Raw(str(line.id), "line", line.total, line=line)
    for kind, cost in (
        ("shipping", order.shipping),
        ("handling", order.handling),
        ("wrapping", order.wrapping),
    ):
        if cost:
            yield _Raw(kind, kind, cost)  # type: ignore[arg-type]
    for fee in sorted(order.fees, key=lambda one: one.id):
        if fee.cost:
            yield _Raw(f"fee-{fee.id}", "fee", fee.cost, fee=fee)


def _readings(
    order: Order, raws: Sequence[_Raw], inclusive: bool, coupons: Sequence[Coupon]
) -> Iterator[_Reading]:
    """Every reading, the likeliest first: on the exact side of the tax, then on the other."""
    per_line = _per_line(raws)
    some = bool(order.discount_amount + order.coupon_discount)
    if inclusive:
        if per_line is not None:
            yield _Reading("E2c", True, per_line, some)
        yield from _discounted(order, raws, True, coupons)
        yield from _discounted(order, raws, False, coupons)
    else:
        yield from _discounted(order, raws, False, coupons)
        if per_line is not None:
            yield _Reading("E2c", True, per_line, some)
        yield from _discounted(order, raws, True, coupons)


def _per_line(raws: Sequence[_Raw]) -> tuple[Decimal, ...] | None:
    """With tax and after all discounts, as BigCommerce itself says it of each line; None where it does not."""
    found = []
    for raw in raws:
        amount = raw.line.discounted_total if raw.line else raw.cost.inc
        if amount is None:
            return None
        found.append(amount)
    return tuple(found)


def _discounted(
    order: Order, raws: Sequence[_Raw], inclusive: bool, coupons: Sequence[Coupon]
) -> Iterator[_Reading]:
    """Totals less discounts: those of the order's header, and where lines say otherwise, those of the lines."""
    identity: Identity = "E2a" if inclusive else "E2b"
    applied = [sum((one.amount for one in raw.line.discounts), ZERO) if raw.line else ZERO for raw in raws]
    header = order.discount_amount + order.coupon_discount
    if header != sum(applied, ZERO):
        spread = _spread(header, applied, raws, inclusive, coupons)
        if spread is not None:
            yield _Reading(identity, inclusive, spread, bool(header))
    amounts = tuple(raw.side(inclusive) - off for raw, off in zip(raws, applied, strict=True))
    if all(amount >= 0 for amount in amounts):
        yield _Reading(identity, inclusive, amounts, bool(header))


def _spread(
    header: Decimal,
    applied: Sequence[Decimal],
    raws: Sequence[_Raw],
    inclusive: bool,
    coupons: Sequence[Coupon],
) -> tuple[Decimal, ...] | None:
    """What is left of each part when the header's discounts are the true ones; None where they are too much.

    What lines do not account for goes to shipping as far as coupons for shipping say so, then to the goods,
    then to everything else.
    """
    rest = header - sum(applied, ZERO)
    if rest < 0:
        offs = split(header, applied)
        return tuple(raw.side(inclusive) - off for raw, off in zip(raws, offs, strict=True))
    left = [raw.side(inclusive) - off for raw, off in zip(raws, applied, strict=True)]
    for_shipping = sum((coupon.discount for coupon in coupons if coupon.kind in _SHIPPING_COUPONS), ZERO)
    goods = {at for at, raw in enumerate(raws) if raw.line and raw.line.kind != "giftcertificate"}
    shipping = {at for at, raw in enumerate(raws) if raw.kind == "shipping"}
    for wanted, places in (
        (min(rest, for_shipping), shipping),
        (rest, goods),
        (rest, set(range(len(raws)))),
    ):
        room = [max(amount, ZERO) if at in places else ZERO for at, amount in enumerate(left)]
        taken = min(wanted, rest, sum(room, ZERO))
        if taken > 0:
            left = [amount - off for amount, off in zip(left, split(taken, room), strict=True)]
            rest -= taken
    return tuple(left) if rest == 0 and all(amount >= 0 for amount in left) else None


def _paired(raws: Sequence[_Raw], reading: _Reading) -> Iterator[tuple[_Raw, Decimal]]:
    return zip(raws, reading.amounts, strict=True)


def _share_left(raw: _Raw, amount: Decimal, inclusive: bool) -> Decimal:
    """The share of a line that discounts leave, for lines whose tax is still that of the whole price."""
    before = raw.side(inclusive)
    return amount / before if before > 0 and amount < before else Decimal(1)


def _sum(reading: _Reading, tax: Money) -> Money:
    whole = Money.of(sum(reading.amounts, ZERO), tax.currency)
    return whole if reading.inclusive else whole + tax


def _parts(raws: Sequence[_Raw], reading: _Reading, tax: Tax) -> tuple[Part, ...] | Problem:
    """The reading in whole minor units, with the tax of each part."""
    currency = tax.total.currency
    amounts = apportion(reading.amounts, currency)
    below = next((raw for raw, amount in zip(raws, amounts, strict=True) if amount.minor < 0), None)
    if below is not None:
        name = f"line {below.key}" if below.line else below.key
        said = f"Of the order, {name} comes to less than nothing, which no line can hold."
        return Problem("ORDER_COMPONENTS_DO_NOT_ADD", said)
    fallback = [
        ZERO if raw.line and raw.line.kind == "giftcertificate" else amount.amount
        for raw, amount in zip(raws, amounts, strict=True)
    ]
    taxes = spread_tax(tax, fallback)
    if taxes is None:
        return Problem("TAX_MISMATCH", f"The order has {tax.total} of tax and nothing that could be taxed.")
    parts = []
    for raw, left, amount, own in zip(raws, reading.amounts, amounts, taxes, strict=True):
        net = amount - own if reading.inclusive else amount
        if net.minor < 0:
            return Problem("TAX_MISMATCH", f"Of {raw.key}, the tax is {own} and the whole only {amount}.")
        reduced = _reduced(raw, left, reading, currency)
        gross = max(Money.of(raw.cost.ex, currency), net) if reduced else net
        parts.append(Part(raw.key, raw.kind, gross, net, own, raw.line, raw.fee))
    return tuple(parts)


def _reduced(raw: _Raw, left: Decimal, reading: _Reading, currency: str) -> bool:
    """Whether a discount took something off: both the amounts and the line, or the order, say so."""
    off = Money.of(raw.side(reading.inclusive), currency) - Money.of(left, currency)
    return off.minor > 0 and bool(reading.discounted or (raw.line and raw.line.discounts))


def _does_not_add(
    reading: _Reading, raws: Sequence[_Raw], tax: Tax, charged: Money, left: Money, cap: int
) -> Problem:
    sums: dict[str, Decimal] = {}
    for raw, amount in _paired(raws, reading):
        sums[raw.kind] = sums.get(raw.kind, ZERO) + amount
    names = {"line": "lines", "fee": "fees"}
    said = [
        f"{names.get(kind, kind)} {Money.of(amount, charged.currency).amount}"
        for kind, amount in sums.items()
    ]
    if not reading.inclusive:
        said.append(f"tax {tax.total.amount}")
    whole = total([charged, -left], charged.currency)
    more = "more" if left.minor < 0 else "less"
    return Problem(
        "ORDER_COMPONENTS_DO_NOT_ADD",
        f"The parts come to {whole} ({', '.join(said) or 'none'}), {abs(left)} {more} than the charged "
        f"{charged}; a rounding line may close {Money(cap, charged.currency)}.",
    )
