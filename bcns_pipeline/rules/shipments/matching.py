"""Which lines of the shopper's order a fulfilment's lines are, and how many units may still be shipped.

Put the matching and the counting of units here. Do not put shipments here (`plan.py`). A kit counts once: its
own line is what the shopper ordered, and its members are how the warehouse packed it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bcns_pipeline.rules.identity import sku_key
from bcns_pipeline.rules.orders.model import Line, Order
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.shipments.model import Fulfilment, FulfilmentLine


@dataclass(slots=True)
class Matched:
    """Units by BigCommerce line that a fulfilment says were shipped, and what belongs to no line."""

    units: dict[int, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def cancelled_units(line: Line) -> int:
    """Units that will not be shipped any more: refunded before they were."""
    return min(line.quantity_refunded, max(line.quantity - line.quantity_shipped, 0))


def open_units(line: Line) -> int:
    """Units that may still be shipped: ordered, less cancelled, less shipped."""
    return max(line.quantity - cancelled_units(line) - line.quantity_shipped, 0)


def shippable(order: Order) -> dict[int, Line]:
    """Lines that a parcel can hold, by id: physical goods that go to an address."""
    places = {one.id for one in order.ship_to}
    return {
        line.id: line for line in order.lines if line.kind == "physical" and line.consignment_id in places
    }


def match(
    fulfilment: Fulfilment, order: Order, room: Callable[[int], int], ignored: Collection[int] = ()
) -> Matched:
    """The order lines of `fulfilment`. `room` says how many units of a line it may still claim.

    A line that names its order line is that one. Any other goes to the lines of the same variant, or SKU, that
    have room, in the order's order; what is left over goes to the last of them, and is found to be too many.
    """
    lines = {line.id: line for line in order.lines}
    goods = shippable(order)
    kits = {line.line for line in fulfilment.lines}
    found = Matched()
    loose: list[tuple[FulfilmentLine, int]] = []
    for line in fulfilment.lines:
        if line.kit_line in kits or line.item_id in ignored or line.quantity <= 0:
            continue
        if line.quantity != line.quantity.to_integral_value():
            found.problems.append(_unmatched(fulfilment, line, "has a fraction of a unit"))
        elif line.order_line_id is None:
            loose.append((line, int(line.quantity)))
        elif line.order_line_id not in lines:
            why = f"names line {line.order_line_id}, which the order does not have"
            found.problems.append(_unmatched(fulfilment, line, why))
        elif line.order_line_id in goods:
            _add(found.units, line.order_line_id, int(line.quantity))
    for line, quantity in loose:
        same = _same(line, list(lines.values()))
        if not same:
            found.problems.append(_unmatched(fulfilment, line, "is nothing that was ordered"))
            continue
        # Downloads and goods that are picked up have no parcel in the store.
        _spread(found.units, [one.id for one in same if one.id in goods], quantity, room)
    return found


def _same(line: FulfilmentLine, candidates: Sequence[Line]) -> list[Line]:
    by_variant = [one for one in candidates if line.variant_id and one.variant_id == line.variant_id]
    return by_variant or [one for one in candidates if line.sku and sku_key(one.sku) == sku_key(line.sku)]


def _spread(
    units: dict[int, int], line_ids: Sequence[int], quantity: int, room: Callable[[int], int]
) -> None:
    for line_id in line_ids:
        taken = min(quantity, max(room(line_id) - units.get(line_id, 0), 0))
        quantity -= taken
        _add(units, line_id, taken)
    if line_ids:
        _add(units, line_ids[-1], quantity)


def _add(units: dict[int, int], line_id: int, quantity: int) -> None:
    if quantity:
        units[line_id] = units.get(line_id, 0) + quantity


def _unmatched(fulfilment: Fulfilment, line: FulfilmentLine, why: str) -> Problem:
    called = f"{line.sku} (item {line.item_id})" if line.sku else f"item {line.item_id}"
    return Problem(
        "SHIPMENT_UNMATCHED",
        f"Line {line.line} of fulfilment {fulfilment.number or fulfilment.id}, {called}, {why}.",
        f"item:{line.item_id}",
    )


def by_place(units: Mapping[int, int], order: Order) -> dict[int, dict[int, int]]:
    """Units by ship-to address and line: the store wants a shipment for each address."""
    goods = shippable(order)
    found: dict[int, dict[int, int]] = {}
    for line_id, quantity in units.items():
        found.setdefault(goods[line_id].consignment_id, {})[line_id] = quantity
    return found
