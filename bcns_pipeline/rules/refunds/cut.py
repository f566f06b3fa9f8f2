"""What is taken off a sales order that was not billed, when its money goes back.

Put the patch of the order here. Do not decide here whether an order is cut (`plan.py`). A line of which nothing has
left is closed, as the order flow closes those of a cancelled order: its figures stay, and NetSuite bills and ships no
more of it. Charges and tax lines have nothing to close, so what was given back of them is taken off their amount.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bcns_pipeline.rules.money import total
from bcns_pipeline.rules.orders.facts import ShownLine
from bcns_pipeline.rules.orders.matching import is_void
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.refunds.books import CANCELLED, CLOSED, Books
from bcns_pipeline.rules.refunds.shares import Share
from bcns_pipeline.rules.refunds.tax import OrderTax


@dataclass(frozen=True, slots=True)
class Cut:
    """A PATCH of the sales order. `closes` are the lines that must be closed afterwards, `amounts` what others must
    show."""

    order: int
    body: Mapping[str, Any]
    closes: tuple[int, ...]
    amounts: Mapping[int, Decimal]

    def done(self, shown: Mapping[int, ShownLine]) -> bool:
        """Whether NetSuite shows it already."""
        closed = all(line in shown and shown[line].closed for line in self.closes)
        return closed and all(
            line in shown and shown[line].amount == amount for line, amount in self.amounts.items()
        )


def cut_order(
    books: Books,
    shares: Sequence[Share],
    tax: OrderTax,
    earlier: Sequence[Sequence[Share]],
    *,
    whole: bool,
) -> Cut | Problem | None:
    """The patch; None where the order is closed already. A Problem where only a person can cut it."""
    if books.status in (CANCELLED, CLOSED):
        return None
    if whole:
        lines = [
            line for line in (*books.lines.values(), *books.rest) if not line.closed and not is_void(line)
        ]
        return _cut(books, closes=[line.line for line in lines])
    closes: list[int] = []
    amounts: dict[int, Decimal] = {}
    for share in shares:
        line = books.lines.get(share.part)
        if line is None:
            return Problem("REFUND_NOT_BILLED", f"NetSuite's order has no line of its own for {share.role}.")
        if share.role == "product":
            if share.units is None or share.units < line.quantity:
                said = f"Of line {share.line_id}, {share.units or 'an amount'} of {line.quantity:f} units goes back."
                return Problem("REFUND_NOT_BILLED", said)
            closes.append(line.line)
            discount = books.lines.get(f"{share.part}-discount")
            if discount is not None:
                amounts[discount.line] = Decimal(0)
        elif share.part not in books.written:
            return Problem(
                "REFUND_NOT_BILLED", "Somebody else made NetSuite's order, so its lines are theirs to cut."
            )
        else:
            # From what was written and not from what is shown, so that a cut made twice is one cut.
            back = [one.net for some in (*earlier, shares) for one in some if one.part == share.part]
            amounts[line.line] = books.written[share.part] - total(back, share.net.currency).amount
    currency = shares[0].net.currency
    taxes = [total([one.tax for one in some], currency) for some in (*earlier, shares)]
    for item, left in tax.left(taxes).items():
        line = _tax_line(books, item)
        if line is None:
            return Problem("REFUND_NOT_BILLED", f"NetSuite's order has no line of tax item {item}.")
        if line.amount != left.amount:
            amounts[line.line] = left.amount
    if tax.overrides and amounts:
        # A PATCH of an amount would need every tax row of the order anew (facts/netsuite.md 4.1).
        return Problem("REFUND_NOT_BILLED", "Its tax is SuiteTax's, and a charge of it goes back in part.")
    return _cut(books, closes=closes, amounts=amounts)


def _cut(books: Books, *, closes: Sequence[int], amounts: Mapping[int, Decimal] | None = None) -> Cut | None:
    items: list[dict[str, Any]] = [{"line": line, "isClosed": True} for line in closes]
    items += [{"line": line, "rate": amount, "amount": amount} for line, amount in (amounts or {}).items()]
    if not items:
        return None
    return Cut(books.id, {"item": {"items": items}}, tuple(closes), dict(amounts or {}))


def _tax_line(books: Books, item: int) -> ShownLine | None:
    return next(
        (
            line
            for key, line in books.lines.items()
            if (key == "tax" or key.startswith("tax-")) and line.item == item
        ),
        None,
    )
