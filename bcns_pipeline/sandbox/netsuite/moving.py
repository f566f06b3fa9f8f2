"""The lines of what moves goods: taken from the lines of an order or of a return, a kit with its members.

Put here which lines a fulfilment or a receipt has. Do not put the rules of either here (fulfilment.py, receipt.py).
Source: facts/netsuite.md 3.5: a transform takes every line of its source unless the request says `itemReceive: false`;
`quantity` takes a part, never more than remains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.errors import Refused, bad_reference, invalid_field, missing
from bcns_pipeline.sandbox.netsuite.items import KITS
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Line, Transaction

# What a line holds in fields of its own.
LINE_FIELDS = frozenset({"line", "orderLine", "itemReceive", "quantity", "location"})
# How much of a line of the source moves, by what the request says of it and where it says so.
Wanted = Callable[[Line, Mapping[str, Any], str], Decimal]


def take_lines(context: Context, source: Transaction, made: Transaction, given: Any, wanted: Wanted) -> None:
    """Every line of the source of which something is wanted. Raises `Refused` where that is none."""
    said = {}
    for place, raw in enumerate(given):
        number = raw.get("orderLine", raw.get("line"))
        line = source.line(number)
        if line is None:
            raise bad_reference(number, "orderLine", f"item.items[{place}].orderLine")
        said[line.id] = (raw, f"item.items[{place}]")
    for line in source.lines:
        raw, path = said.get(line.id, ({}, "item"))
        quantity = wanted(line, raw, path)
        if quantity > 0:
            _add(context, made, line, quantity, raw, path)
    if not made.lines:
        raise Refused("USER_ERROR", "You must have at least one valid line item for this transaction.")


def asked_of(line: Line, left: Decimal, raw: Mapping[str, Any], path: str) -> Decimal | None:
    """What a request wants of a line of which so much is left; None where it does not say."""
    if raw.get("itemReceive") is False:
        return ZERO
    asked = raw.get("quantity")
    if asked is not None and asked > left:
        detail = f"The quantity {asked} of order line {line.id} is more than remains, which is {left}."
        raise Refused("USER_ERROR", detail, f"{path}.quantity")
    return None if asked is None else Decimal(asked)


def _add(
    context: Context, made: Transaction, line: Line, quantity: Decimal, raw: Mapping[str, Any], path: str
) -> None:
    item = line.item
    assert item is not None
    place = raw["location"].id if raw.get("location") is not None else line.location
    if place is None and (item.stocked or item.kind in KITS):
        raise missing("location")
    if place is not None and context.account.locations[place].subsidiary != made.subsidiary:
        raise invalid_field(place, "location", f"{path}.location")
    own = {name: value for name, value in raw.items() if name not in LINE_FIELDS}
    kit = _line(context, made, item.id, quantity, place, line.id)
    kit.values = {n: v for n, v in line.values.items() if n.startswith("custcol_")} | own
    for member, each in context.items.members(item.id) if item.kind in KITS else ():
        _line(context, made, member, quantity * each, place, line.id).kit_member_of = kit.id


def _line(
    context: Context, made: Transaction, item: int, quantity: Decimal, place: int | None, order: int
) -> Line:
    number = made.take_line()
    # SuiteQL shows a stocked item once more as cost of goods, under the id behind it.
    made.take_line()
    line = Line(
        number, context.ledger.take_unique(), context.items.get(item), quantity=quantity, location=place
    )
    line.order_line = order
    made.lines.append(line)
    return line
