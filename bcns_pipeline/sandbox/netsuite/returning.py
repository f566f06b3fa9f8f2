"""How an invoice becomes a credit memo, a cash sale a cash refund, and any sale a return: lines, how much, which tax.

Put the transform here. Do not put the rules of these types here (creditmemo.py, cashrefund.py, returned.py). Source:
facts/netsuite.md 3.5: a transform takes every line with all that was not given back before, and a request names lines
by `orderLine` (the source's line) to take less; 0 leaves one out. Nobody gives back more than there was.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.billing import add_part, carried_taxes, charges, part_amount, taken_amount
from bcns_pipeline.sandbox.netsuite.errors import Refused, bad_reference
from bcns_pipeline.sandbox.netsuite.items import GROUPS
from bcns_pipeline.sandbox.netsuite.kinds import SALES_ORDER, TransactionType
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Line, Transaction
from bcns_pipeline.sandbox.netsuite.sales import Sales
from bcns_pipeline.sandbox.netsuite.salesorder import billable

NOT_COPIED = frozenset(
    {
        *("shippingCost", "handlingCost", "discountRate", "shipGroup", "dueDate", "checkNumber", "memo"),
        *("orderStatus", "cancelled"),
    }
)
SET_BY_SOURCE = ("item", "apply", "entity", "subsidiary", "currency")


def give_back(
    sales: Sales, kind: TransactionType, source: Transaction, given: Mapping[str, Any], *copied: str
) -> Transaction:
    """What gives a sale back, with lines and without sums; `copied` are properties beside the usual ones.

    Raises `Refused` where nothing is left to be given back.
    """
    context = sales.context
    ledger = context.ledger
    if source.voided:
        raise Refused("USER_ERROR", f"You can not initialize {kind.record}: invalid reference {source.id}.")
    ledger.check_external(given.get("externalId"), None)
    made = ledger.begin(kind, source, context.clock.account())
    own = {"account", "undepFunds"} - set(copied)
    made.values = {n: v for n, v in source.values.items() if n not in NOT_COPIED | own}
    earlier = [one for one in ledger.made_from(source.id, kind.record) if not one.voided]
    _lines(sales, source, made, given, earlier)
    if not made.lines:
        raise Refused("USER_ERROR", f"You can not initialize {kind.record}: nothing is left of {source.id}.")
    charges(source, made, earlier)
    made = sales.amend(made, {n: v for n, v in given.items() if n not in SET_BY_SOURCE})
    if made.values.get("taxDetailsOverride"):
        precision = context.account.currencies[source.currency].precision
        made.taxes = carried_taxes(precision, source, made, earlier)
    return made


def _lines(
    sales: Sales,
    source: Transaction,
    made: Transaction,
    given: Mapping[str, Any],
    earlier: list[Transaction],
) -> None:
    said: dict[int, tuple[Mapping[str, Any], str]] = {}
    for place, raw in enumerate(given.get("item") or ()):
        number = raw.get("orderLine", raw.get("line"))
        if source.line(number) is None:
            raise bad_reference(number, "orderLine", f"item.items[{place}].orderLine")
        said[number] = (raw, f"item.items[{place}]")
    above = True
    for line in source.lines:
        raw, path = said.get(line.id, ({}, "item"))
        if line.item is None or line.item.kind in GROUPS:
            continue
        if line.quantity is None:
            amount = line.amount - taken_amount(line, earlier)
            if above and amount and raw.get("quantity") != 0:
                add_part(sales, made, line, raw, None, amount)
            continue
        left = _delivered(source, line) - _returned(line, earlier)
        quantity = left if raw.get("quantity") is None else raw["quantity"]
        if quantity > left or quantity < 0:
            detail = f"The quantity {quantity} of line {line.id} is more than is left of it, which is {left}."
            raise Refused("USER_ERROR", detail, f"{path}.quantity")
        above = quantity > 0
        if above:
            add_part(sales, made, line, raw, quantity, part_amount(sales, source, line, quantity))


def _delivered(source: Transaction, line: Line) -> Decimal:
    """What the shopper has of a line; of an order that is what was shipped."""
    return billable(line) if source.kind is SALES_ORDER else line.quantity or ZERO


def _returned(line: Line, earlier: list[Transaction]) -> Any:
    """How much of a line was given back before."""
    return sum((x.quantity or ZERO for one in earlier for x in one.lines if x.order_line == line.id), ZERO)
