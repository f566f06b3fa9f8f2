"""The item lines of a draft: goods, discounts, charges, tax and what rounding leaves over.

Put here which part becomes which line, with which rate and fields. Do not put amounts here (`totals.py`), nor
the header (`header.py`). The amount of a line is exact; its rate is for people, with as many digits as it
takes to come back to the amount (facts/finance.md 3.3, S1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.draft import DraftLine, LineRole
from bcns_pipeline.rules.orders.model import ZERO, Address, Order
from bcns_pipeline.rules.orders.paths import look_up
from bcns_pipeline.rules.orders.policy import Channel, OrderPolicy, named
from bcns_pipeline.rules.orders.preflight import charge_unmapped
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.tax import TaxPlan
from bcns_pipeline.rules.orders.totals import Part, PartKind

_RATE_DIGITS: Final = range(4, 9)  # BigCommerce has 4, and NetSuite keeps no more than 8
_LONGEST_TEXT: Final = 999
DISCOUNT: Final = "-discount"
_ROLES: Final[dict[PartKind, LineRole]] = {
    "line": "product",
    "shipping": "shipping",
    "handling": "handling",
    "wrapping": "wrapping",
    "fee": "fee",
}


@dataclass(frozen=True, slots=True)
class Charges:
    """What goes to the header instead of a line; None for nothing there."""

    shipping: Money | None = None
    handling: Money | None = None


def in_header(parts: Sequence[Part], taxes: TaxPlan, policy: OrderPolicy, *, ship_method: bool) -> Charges:
    """Shipping and handling that the header can hold.

    It can't without a ship method, for NetSuite would drop the cost; nor with tax of ours on it, for the
    override has no row for the header's costs that anybody has verified (facts/netsuite.md 4.1).
    """

    def fits(part: Part) -> bool:
        taxed = any(row.amount for row in taxes.details.get(part.key, ()))
        return ship_method and not taxed

    kept = {
        part.kind: _with_tax(part.net, part, taxes)
        for part in parts
        if (part.kind == "shipping" and not policy.shipping.as_line and fits(part))
        or (part.kind == "handling" and policy.handling_item is None and fits(part))
    }
    return Charges(kept.get("shipping"), kept.get("handling"))


def draft_lines(
    order: Order,
    parts: Sequence[Part],
    items: Mapping[int, int],
    taxes: TaxPlan,
    header: Charges,
    residual: Money,
    channel: Channel,
    policy: OrderPolicy,
) -> list[DraftLine] | list[Problem]:
    """All lines, or what keeps them from being made. `items` by line id; lines without one are left out."""
    made: list[DraftLine] = []
    problems: list[Problem] = []
    for part in parts:
        if part.line is not None:
            item = items.get(part.line.id)
            if item is not None:
                made += _goods(order, part, item, taxes, channel, policy)
                if policy.discount_lines and part.discount:
                    _charge(made, problems, _discount(part), policy.discount_item, taxes, channel, policy)
        elif not _is_in_header(part, header):
            charge = _Charge(
                part.key, _ROLES[part.kind], _with_tax(part.net, part, taxes), part.net, *_named(part)
            )
            _charge(made, problems, charge, _item_of(part, policy), taxes, channel, policy)
    for line in taxes.lines:
        charge = _Charge(line.key, "tax", line.amount, line.amount, "tax", "orders.tax.item")
        _charge(made, problems, charge, line.item, taxes, channel, policy)
    if residual:
        charge = _Charge(
            "rounding", "rounding", residual, residual, "a rounding rest", "orders.rounding.item"
        )
        _charge(made, problems, charge, policy.rounding_item, taxes, channel, policy)
    return problems or made


@dataclass(frozen=True, slots=True)
class _Charge:
    key: str
    role: LineRole
    amount: Money
    basis: Money
    what: str
    setting: str
    text: str = ""


def _named(part: Part) -> tuple[str, str, str]:
    match part.kind:
        case "shipping":
            return "shipping that the header can't hold", "orders.shipping.item", ""
        case "handling":
            return "handling that the header can't hold", "orders.handling.item", ""
        case "wrapping":
            return "gift wrapping", "orders.gift_wrapping.item", ""
        case _:
            name = part.fee.name if part.fee else ""
            return f"the fee {name!r}", "orders.fees.item", name


def _item_of(part: Part, policy: OrderPolicy) -> int | None:
    match part.kind:
        case "shipping":
            return policy.shipping.item
        case "handling":
            return policy.handling_item
        case "wrapping":
            return policy.wrapping_item
        case _:
            found = named(policy.fee_items, part.fee.name) if part.fee else None
            return policy.fee_item if found is None else found


def _is_in_header(part: Part, header: Charges) -> bool:
    return (part.kind == "shipping" and header.shipping is not None) or (
        part.kind == "handling" and header.handling is not None
    )


def _discount(part: Part) -> _Charge:
    return _Charge(
        f"{part.key}{DISCOUNT}",
        "discount",
        -part.discount,
        Money.zero(part.net.currency),
        "a discount",
        "orders.discounts.item",
    )


def _charge(
    made: list[DraftLine],
    problems: list[Problem],
    charge: _Charge,
    item: int | None,
    taxes: TaxPlan,
    channel: Channel,
    policy: OrderPolicy,
) -> None:
    """One line that is no product: quantity 1, or none for a discount."""
    if item is None:
        problems.append(charge_unmapped(charge.what, charge.setting))
        return
    fields: dict[str, Any] = {"description": charge.text[:_LONGEST_TEXT]} if charge.text else {}
    amount = charge.amount.amount
    made.append(
        DraftLine(
            key=charge.key,
            role=charge.role,
            item=item,
            quantity=None if charge.role == "discount" else 1,
            amount=amount,
            rate=amount,
            fields={**fields, **_id_field(charge.key, policy), **_dimensions(channel, policy)},
            taxes=taxes.of(charge.key, charge.basis),
        )
    )


def _goods(
    order: Order, part: Part, item: int, taxes: TaxPlan, channel: Channel, policy: OrderPolicy
) -> Iterator[DraftLine]:
    line = part.line
    assert line is not None
    before = part.gross if policy.discount_lines else part.net
    amount = _with_tax(before, part, taxes)
    price = line.price.inc if taxes.inside else line.price.ex
    fields: dict[str, Any] = {"description": line.name[:_LONGEST_TEXT]} if line.name else {}
    if channel.location is not None:
        fields["location"] = {"id": str(channel.location)}
    if policy.expected_ship_date and line.event_date is not None:
        fields["expectedShipDate"] = line.event_date.isoformat()
    for name, path in policy.line_fields.items():
        value = look_up(path, line.document, _computed(order, part))
        if value is not None:
            fields[name] = value
    yield DraftLine(
        key=part.key,
        role="product",
        item=item,
        quantity=line.quantity,
        amount=amount.amount,
        rate=rate_of(amount, line.quantity, price),
        fields={**fields, **_id_field(part.key, policy), **_dimensions(channel, policy)},
        taxes=taxes.of(part.key, part.net),
    )


def rate_of(amount: Money, quantity: int, price: Decimal) -> Decimal:
    """A rate per unit that comes back to `amount`: BigCommerce's own price where it does."""
    if not quantity:
        return ZERO
    if Money.of(price * quantity, amount.currency) == amount:
        return price
    rate = amount.amount
    for digits in _RATE_DIGITS:
        rate = (amount.amount / quantity).quantize(Decimal(1).scaleb(-digits))
        if Money.of(rate * quantity, amount.currency) == amount:
            return rate
    return rate  # 8 digits are as near as NetSuite gets; the amount beside it is exact


def _with_tax(amount: Money, part: Part, taxes: TaxPlan) -> Money:
    return amount + part.tax if taxes.inside else amount


def _id_field(key: str, policy: OrderPolicy) -> dict[str, Any]:
    return {policy.line_id_field: key} if policy.line_id_field else {}


def _dimensions(channel: Channel, policy: OrderPolicy) -> dict[str, Any]:
    if not policy.line_dimensions:
        return {}
    given = {"department": channel.department, "class": channel.class_id}
    return {name: {"id": str(value)} for name, value in given.items() if value is not None}


def _computed(order: Order, part: Part) -> dict[str, Any]:
    line = part.line
    assert line is not None
    place = next((one for one in order.ship_to if one.id == line.consignment_id), None)
    several = len(order.ship_to) > 1
    return {
        "$line_id": line.id,
        "$gross": part.gross.amount,
        "$discount": part.discount.amount,
        "$net": part.net.amount,
        "$tax": part.tax.amount,
        "$consignment": line.consignment_id or None,
        # Only one address fits into the header, so with several the warehouse must read it off the line.
        "$ship_to": _one_line(place.address) if place and several else None,
    }


def _one_line(address: Address) -> str:
    person = f"{address.first_name} {address.last_name}".strip()
    parts = (address.company, person, address.street_1, address.street_2, address.city)
    rest = (f"{address.state} {address.zip}".strip(), address.country_code)
    return ", ".join(part for part in (*parts, *rest) if part)
