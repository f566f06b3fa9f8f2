"""What each refund of an order gives back of which part of it, to the minor unit, with the tax in it.

Put the arithmetic of facts/finance.md 4.2 here. Do not put NetSuite here, nor payments (`limits.py`, `router.py`).
BigCommerce names units and a total, and no amount per line, so the amount of units is worked out from what the line
came to on the order: a running share, whose last unit takes what rounding left. So all units together are the whole
line, as it stands on the invoice, however many refunds they came back in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final, Literal

from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.model import ZERO, Order
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.totals import Part
from bcns_pipeline.rules.refunds.model import Refund, RefundItem

Charge = Literal["product", "shipping", "handling", "wrapping", "fee"]
Role = Charge | Literal["goodwill", "restocking", "tax", "override", "rounding"]
OF_PART: Final[dict[str, Charge]] = {
    "PRODUCT": "product",
    "SHIPPING": "shipping",
    "HANDLING": "handling",
    "GIFT_WRAPPING": "wrapping",
    "FEE": "fee",
}


@dataclass(frozen=True, slots=True)
class Share:
    """One line of a credit memo. `part` is the key of the order's part whose tax it carries, "" for none.

    `net` is without tax; below 0 for what the shop keeps. `units` of `line_id`, None for what is not counted.
    `certificate`: the line sold a gift certificate, so that what comes back is a liability and no revenue.
    """

    role: Role
    net: Money
    tax: Money
    part: str = ""
    line_id: int | None = None
    units: int | None = None
    text: str = ""
    certificate: bool = False

    @property
    def whole(self) -> Money:
        """With tax."""
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class _Place:
    """Something that can be given back once: `whole` is what was paid for it with tax, `units` of a line."""

    part: str
    whole: Money
    units: int = 0
    text: str = ""
    taxed: Fraction = Fraction(0)
    certificate: bool = False


@dataclass(slots=True)
class _Given:
    units: dict[str, int] = field(default_factory=dict)
    money: dict[str, Money] = field(default_factory=dict)


def share_out(
    order: Order, parts: Sequence[Part], refunds: Iterable[Refund], max_rounding_lines: int
) -> dict[int, tuple[Share, ...] | Problem]:
    """{refund: its lines, which come to its total}, or why they do not; refunds in the order of their ids.

    `parts` are the order's (rules/orders/totals.py). A refund that was declined wholly gives nothing back, so the next
    one may take the same units.
    """
    places = {**_lines(parts), **_charges(order, parts)}
    given = _Given()
    found: dict[int, tuple[Share, ...] | Problem] = {}
    for refund in sorted(refunds, key=lambda one: one.id):
        before = replace(given, units=dict(given.units), money=dict(given.money))
        found[refund.id] = _shares(refund, places, given, max_rounding_lines)
        if refund.void or isinstance(found[refund.id], Problem):
            given = before
    return found


def _shares(
    refund: Refund, places: Mapping[str, _Place], given: _Given, max_rounding_lines: int
) -> tuple[Share, ...] | Problem:
    nothing = Money.zero(refund.currency)
    made: list[Share] = []
    weights: list[Fraction] = []
    kept = nothing
    for item in refund.items:
        kept += item.adjustment or nothing
        share = _share(refund, item, places, given, made)
        if isinstance(share, Problem):
            return share
        place = places.get(_key(item, places))
        taxed = place.taxed if place is not None and item.kind != "ORDER" else Fraction(0)
        weights.append(max(taxed * share.net.minor, Fraction(0)))
        made.append(share)
    made = _with_tax(refund, made, weights)
    if kept:
        made.append(Share("restocking", kept, nothing))
    return _closed(refund, made, max_rounding_lines)


def _share(
    refund: Refund,
    item: RefundItem,
    places: Mapping[str, _Place],
    given: _Given,
    made: Sequence[Share],
) -> Share | Problem:
    """The item with its whole amount in `net`; the tax in it is taken out later."""
    nothing = Money.zero(refund.currency)
    if item.kind == "TAX":
        return Share("tax", nothing, item.requested or refund.tax)
    if item.kind == "ORDER":
        rest = refund.total - total([one.whole for one in made], refund.currency)
        return Share("goodwill", item.requested or rest, nothing)
    key = _key(item, places)
    place = places.get(key)
    if place is None:
        said = f"It gives back {item.kind.lower()} {item.id}, which the order does not have."
        return Problem("REFUND_DOES_NOT_ADD", said)
    left = place.whole - given.money.get(key, nothing)
    amount = item.requested
    if item.quantity and item.kind == "PRODUCT":
        first = given.units.get(key, 0)
        last = first + item.quantity
        if last > place.units:
            said = f"Of line {item.id}, {place.units} units were sold, and {last} would be given back."
            return Problem("REFUND_EXCEEDS_CAPTURE", said)
        given.units[key] = last
        if amount is None:
            amount = min(_until(place, last) - _until(place, first), left)
    amount = left if amount is None else amount
    given.money[key] = given.money.get(key, nothing) + amount
    line_id = item.id if item.kind in ("PRODUCT", "GIFT_WRAPPING") else None
    units = item.quantity if item.kind == "PRODUCT" else None
    return Share(
        OF_PART[item.kind], amount, nothing, place.part, line_id, units, place.text, place.certificate
    )


def _with_tax(refund: Refund, made: list[Share], weights: Sequence[Fraction]) -> list[Share]:
    """The refund's tax taken out of its items by the tax that each of them carried; alone where there are none."""
    tax = refund.tax - total([one.tax for one in made], refund.currency)
    if not tax:
        return made
    bearing = [one.role != "tax" and one.net.minor > 0 for one in made]
    if not any(weights):
        # Nothing of it was taxed on the order, and BigCommerce gives tax back all the same.
        weights = [
            Fraction(one.net.minor) if bears else Fraction(0)
            for one, bears in zip(made, bearing, strict=True)
        ]
    if not any(weights):
        return [*made, Share("tax", Money.zero(refund.currency), tax)]
    shares = tax.allocate(weights)
    return [
        replace(one, net=one.net - share, tax=one.tax + share) if share else one
        for one, share in zip(made, shares, strict=True)
    ]


def _closed(refund: Refund, made: list[Share], max_rounding_lines: int) -> tuple[Share, ...] | Problem:
    """The lines with what is left to the refund's total: cents to the rounding line, a merchant's own total whole."""
    nothing = Money.zero(refund.currency)
    whole = total([one.whole for one in made], refund.currency)
    left = refund.total - whole
    cap = min(sum(1 for one in made if one.whole), max_rounding_lines)
    if left and abs(left.minor) <= cap:
        made.append(Share("rounding", left, nothing))
    elif left and (refund.override or not made):
        made.append(Share("override", left, nothing))
    elif left:
        return Problem(
            "REFUND_DOES_NOT_ADD",
            f"Its items come to {whole}, and it gives back {refund.total}; a rounding line may close "
            f"{Money(cap, refund.currency)}.",
        )
    if not made:
        return Problem("REFUND_DOES_NOT_ADD", "It has no items and no amount.")
    return tuple(made)


def _until(place: _Place, units: int) -> Money:
    """What the first `units` of a line come to, with tax."""
    return place.whole if units >= place.units else place.whole.times(Fraction(units, place.units))


def _lines(parts: Sequence[Part]) -> dict[str, _Place]:
    return {
        f"PRODUCT:{part.line.id}": _place(
            part, part.net + part.tax, units=part.line.quantity, text=part.line.sku or part.line.name
        )
        for part in parts
        if part.line is not None
    }


def _charges(order: Order, parts: Sequence[Part]) -> dict[str, _Place]:
    """Shipping and handling by address, wrapping by line, fees by themselves: each with its share of its part."""
    found: dict[str, _Place] = {}
    for part in parts:
        if part.fee is not None:
            found[f"FEE:{part.fee.id}"] = _place(part, part.net + part.tax, text=part.fee.name)
            continue
        if part.kind == "shipping":
            costs = {f"SHIPPING:{one.id}": one.shipping.inc for one in order.ship_to}
        elif part.kind == "handling":
            costs = {f"HANDLING:{one.id}": one.handling.inc for one in order.ship_to}
        elif part.kind == "wrapping":
            costs = {f"GIFT_WRAPPING:{line.id}": line.wrapping.inc for line in order.lines}
        else:
            continue
        whole = part.net + part.tax
        if not any(cost > 0 for cost in costs.values()):
            # Nothing says whose it was: each of them may ask for it, and the first gets it.
            found.update({key: _place(part, whole) for key in costs})
            continue
        split = whole.allocate([max(cost, ZERO) for cost in costs.values()])
        found.update({key: _place(part, amount) for key, amount in zip(costs, split, strict=True) if amount})
    return found


def _place(part: Part, whole: Money, *, units: int = 0, text: str = "") -> _Place:
    paid = part.net + part.tax
    taxed = Fraction(part.tax.minor, paid.minor) if paid.minor else Fraction(0)
    certificate = part.line is not None and part.line.kind == "giftcertificate"
    return _Place(part.key, whole, units, text, taxed, certificate)


def _key(item: RefundItem, places: Mapping[str, _Place]) -> str:
    key = f"{item.kind}:{item.id}"
    if item.kind == "FEE" and key not in places:
        # Refunds of fees are answered with the order's id (facts/finance.md 4.1); with one fee it is plain which.
        fees = [one for one in places if one.startswith("FEE:")]
        return fees[0] if len(fees) == 1 else key
    return key
