"""How a sales order becomes an invoice: which lines, how much of each, which charges, which tax.

Put the transform here. Do not put the rules of invoices here (invoice.py). Sources: facts/netsuite.md 3.5: a
transform takes every line with all that can be billed, and a request names lines by `orderLine` to take less (0 leaves
one out). A part of a line costs rate times quantity, as on the form; what a request says of an amount beats that.
Charges of the header go with the first invoice, a discount line with the first that has the line above it.
Unverified: how overridden tax is split between partial invoices; here the last one takes what is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite import tax
from bcns_pipeline.sandbox.netsuite.errors import Refused, bad_reference
from bcns_pipeline.sandbox.netsuite.items import GROUPS
from bcns_pipeline.sandbox.netsuite.kinds import INVOICE, SALES_ORDER
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Line, TaxRow, Transaction
from bcns_pipeline.sandbox.netsuite.pricing import rounded
from bcns_pipeline.sandbox.netsuite.sales import Sales
from bcns_pipeline.sandbox.netsuite.salesorder import billable

# Statuses of an order of which something can be billed; in advance also those of which nothing was shipped.
BILLABLE, IN_ADVANCE = ("E", "F"), ("B", "D")
NOT_COPIED = frozenset(
    {"orderStatus", "cancelled", "shippingCost", "handlingCost", "discountRate", "shipGroup"}
)
# What a request says of a line beside its amounts.
TAKEN = frozenset(
    {"line", "orderLine", "quantity", "rate", "amount", "item", "price", "location", "isClosed"}
)


def bill(sales: Sales, order: Transaction, given: Mapping[str, Any]) -> Transaction:
    """The invoice of an order, with lines and without sums. Raises `Refused` where nothing can be billed."""
    context = sales.context
    ready = BILLABLE + (IN_ADVANCE if context.settings.invoice_in_advance else ())
    if order.kind is not SALES_ORDER or order.status not in ready:
        raise Refused("USER_ERROR", f"You can not initialize invoice: invalid reference {order.id}.")
    ledger = context.ledger
    ledger.check_external(given.get("externalId"), None)
    made = ledger.begin(INVOICE, order, context.clock.account())
    made.values = {name: value for name, value in order.values.items() if name not in NOT_COPIED}
    if not context.settings.tax_override_survives:
        made.values.pop("taxDetailsOverride", None)
    earlier = [one for one in ledger.made_from(order.id, INVOICE.record) if not one.voided]
    _lines(sales, order, made, given, earlier)
    if not made.lines:
        raise Refused("USER_ERROR", "You must have at least one valid line item for this transaction.")
    charges(order, made, earlier)
    header = {n: v for n, v in given.items() if n not in ("item", "entity", "subsidiary", "currency")}
    made = sales.amend(made, header)
    if made.values.get("taxDetailsOverride"):
        made.taxes = carried_taxes(context.account.currencies[order.currency].precision, order, made, earlier)
    return made


def _lines(
    sales: Sales,
    order: Transaction,
    made: Transaction,
    given: Mapping[str, Any],
    earlier: list[Transaction],
) -> None:
    said: dict[int, tuple[Mapping[str, Any], str]] = {}
    for place, raw in enumerate(given.get("item") or ()):
        number = raw.get("orderLine", raw.get("line"))
        path = f"item.items[{place}]"
        if order.line(number) is None:
            raise bad_reference(number, "orderLine", f"{path}.orderLine")
        said[number] = (raw, path)
    above = True
    for line in order.lines:
        raw, path = said.get(line.id, ({}, "item"))
        if line.item is None or line.item.kind in GROUPS:
            continue
        if line.item.is_discount:
            amount = line.amount - taken_amount(line, earlier)
            if above and amount and raw.get("quantity") != 0:
                add_part(sales, made, line, raw, None, amount)
            continue
        quantity = _quantity(sales, line, raw, path)
        above = quantity > 0
        if above:
            add_part(sales, made, line, raw, quantity, part_amount(sales, order, line, quantity))


def _quantity(sales: Sales, line: Line, raw: Mapping[str, Any], path: str) -> Decimal:
    """How much of an order's line is billed now."""
    in_advance = sales.context.settings.invoice_in_advance and not line.closed
    most = (line.quantity or ZERO) if in_advance else billable(line)
    left = max(most - line.billed, ZERO)
    asked = raw.get("quantity")
    if asked is None:
        return left
    if asked > left or asked < 0:
        detail = f"The quantity {asked} of order line {line.id} is more than can be billed, which is {left}."
        raise Refused("USER_ERROR", detail, f"{path}.quantity")
    return Decimal(asked)


def part_amount(sales: Sales, order: Transaction, line: Line, quantity: Decimal) -> Decimal:
    """The whole line costs what the order says, a part of it rate times quantity."""
    if quantity == line.quantity or not line.quantity:
        return line.amount
    rate = line.amount / line.quantity if line.rate is None else line.rate
    return rounded(rate * quantity, sales.context.account.currencies[order.currency].precision)


def add_part(
    sales: Sales,
    made: Transaction,
    line: Line,
    raw: Mapping[str, Any],
    quantity: Decimal | None,
    amount: Decimal,
) -> None:
    """A part of a line, with what a request says of it."""
    precision = sales.context.account.currencies[made.currency].precision
    if raw.get("amount") is not None:
        amount = rounded(raw["amount"], precision)
    elif raw.get("rate") is not None and quantity is not None:
        amount = rounded(raw["rate"] * quantity, precision)
    part = Line(made.take_line(), sales.context.ledger.take_unique(), line.item, quantity=quantity)
    part.amount, part.price = amount, line.price
    part.rate = raw["rate"] if raw.get("rate") is not None else line.rate
    part.location, part.order_line = line.location, line.id
    part.values = dict(line.values) | {n: v for n, v in raw.items() if n not in TAKEN and v is not None}
    made.lines.append(part)


def taken_amount(line: Line, earlier: list[Transaction]) -> Decimal:
    """What earlier transactions have taken of a line."""
    return sum((p.amount for one in earlier for p in one.lines if p.order_line == line.id), ZERO)


def charges(order: Transaction, made: Transaction, earlier: list[Transaction]) -> None:
    """Shipping, handling and the header's discount, as far as no earlier invoice has them."""
    for name, of in (
        ("shippingCost", "shipping"),
        ("handlingCost", "handling"),
        ("discountRate", "discount"),
    ):
        if name in order.values:
            billed = sum((getattr(one.totals, of) for one in earlier), ZERO)
            made.values[name] = order.values[name] - billed
    if "shipGroup" in order.values:
        made.values["shipGroup"] = order.values["shipGroup"]


def carried_taxes(
    precision: int, order: Transaction, made: Transaction, earlier: list[Transaction]
) -> list[TaxRow]:
    """The overridden rows of a source, under its copy's references; a part of a line takes a part of its tax."""
    found = []
    for line in made.lines:
        source = order.line(line.order_line)
        assert source is not None
        before = taken_amount(source, earlier)
        rows = rows_of(order, tax.reference_of(order, source.id, source.values))
        found += [
            replace(
                row,
                reference=tax.reference_of(made, line.id, line.values),
                basis=part(row.basis, before, line.amount, source.amount, precision),
                amount=part(row.amount, before, line.amount, source.amount, precision),
            )
            for row in rows
        ]
    group: Mapping[str, Any] = next(iter(order.values.get("shipGroup") or ()), {})
    for name in ("shipping", "handling"):
        own = group.get(f"{name}TaxDetailsReference")
        if made.values.get(f"{name}Cost"):
            rows = rows_of(order, own or f"{order.id}_{name}")
            found += [replace(row, reference=own or f"{made.id}_{name}") for row in rows]
    return found


def rows_of(order: Transaction, reference: str) -> list[TaxRow]:
    """The tax rows of one line."""
    return [row for row in order.taxes if row.reference == reference]


def part(whole: Decimal, before: Decimal, now: Decimal, of: Decimal, precision: int) -> Decimal:
    """The share of `whole` that goes with `now` of an amount, after `before`; the last share takes what is left."""
    if not of:
        return whole
    return rounded(whole * (before + now) / of, precision) - rounded(whole * before / of, precision)
