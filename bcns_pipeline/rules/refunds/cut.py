"""What is taken off a sales order that was not billed, when its money goes back.

Put the patch of the order here. Do not decide here what is taken off (`parting.py`). A line of which nothing is left is
closed, as the order flow closes those of a cancelled order: its figures stay, and NetSuite bills and ships no more of
it. Where units of it are left, units and amount are lowered. Charges and tax lines have nothing to close, so what was
given back of them is taken off their amount.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.facts import ShownLine
from bcns_pipeline.rules.orders.lines import rate_of
from bcns_pipeline.rules.orders.matching import is_void
from bcns_pipeline.rules.orders.model import ZERO
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.refunds.books import CANCELLED, CLOSED, Books
from bcns_pipeline.rules.refunds.parting import worth
from bcns_pipeline.rules.refunds.shares import Share
from bcns_pipeline.rules.refunds.tax import REFERENCE, OrderTax


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
    books: Books, off: Sequence[Sequence[Share]], tax: OrderTax, *, whole: bool = False
) -> Cut | Problem | None:
    """The patch; None where the order is closed already. A Problem where only a person can cut it.

    `off` is what each refund took off the order, the one in question last: figures are worked out from what was
    written, and not from what is shown, so that a cut made twice is one cut.
    """
    if books.status in (CANCELLED, CLOSED):
        return None
    if whole:
        lines = [
            line for line in (*books.lines.values(), *books.rest) if not line.closed and not is_void(line)
        ]
        return _cut(books, closes=[line.line for line in lines])
    closes: list[int] = []
    items: dict[int, dict[str, Any]] = {}
    back = [one for some in off for one in some]
    for share in off[-1]:
        line = books.lines.get(share.part)
        if line is None:
            return Problem("REFUND_NOT_BILLED", f"NetSuite's order has no line of its own for {share.role}.")
        gone = [one for one in back if one.part == share.part]
        lowered = _goods(books, line, share.part, gone, tax) if share.role == "product" else None
        if isinstance(lowered, Problem):
            return lowered
        if lowered is None:
            rest = books.written[share.part] - _worth(gone, tax)
            lowered = {line.line: {"rate": rest, "amount": rest}}
        if not lowered:
            closes.append(line.line)
            discount = books.lines.get(f"{share.part}-discount")
            if discount is not None:
                lowered = {discount.line: {"rate": ZERO, "amount": ZERO}}
        items |= lowered
    currency = off[-1][0].net.currency
    for item, left in tax.left([total([one.tax for one in some], currency) for some in off]).items():
        shown = _tax_line(books, item)
        if shown is None:
            return Problem("REFUND_NOT_BILLED", f"NetSuite's order has no line of tax item {item}.")
        if shown.amount != left.amount:
            items[shown.line] = {"rate": left.amount, "amount": left.amount}
    found = _cut(books, closes=closes, items=items)
    if found is None or not items or not tax.overrides:
        return found
    return _with_rows(books, found, back, tax)


def _with_rows(books: Books, cut: Cut, back: Sequence[Share], tax: OrderTax) -> Cut | Problem:
    """The patch with all of SuiteTax's rows anew, and the name of every line among them (facts/netsuite.md 4.1)."""
    patches = {int(one["line"]): dict(one) for one in cut.body["item"]["items"]}
    rows: list[dict[str, Any]] = []
    for key in tax.rows:
        line = books.lines.get(key)
        if line is None:
            said = f"SuiteTax has rows of {key}, and no line of NetSuite's order is known to be that."
            return Problem("REFUND_NOT_BILLED", said)
        patch = patches.setdefault(line.line, {"line": line.line})
        patch["taxDetailsReference"] = f"{REFERENCE}{key}"
        gone = [(one.net, one.tax) for one in back if one.part == key]
        rows += [row.body(f"{REFERENCE}{key}") for row in tax.rows_left(key, gone)]
    items = [patches[number] for number in sorted(patches)]
    body = {"item": {"items": items}, "taxDetailsOverride": True, "taxDetails": {"items": rows}}
    return replace(cut, body=body)


def _goods(
    books: Books, line: ShownLine, key: str, gone: Sequence[Share], tax: OrderTax
) -> dict[int, dict[str, Any]] | Problem:
    """What lines of goods show once these units of theirs are gone; empty where nothing of them is left."""
    written = books.written.get(key)
    whole, less = line.amount, ZERO
    if written is not None:
        whole, less = written, books.written.get(f"{key}-discount", ZERO)
    units = books.units.get(key, int(line.quantity))
    left = units - sum(one.units or 0 for one in gone)
    net = whole + less - _worth(gone, tax)
    if written is None and (line.closed if left <= 0 else line.quantity == left):
        # Cut before, and nobody knows any more what it was written with.
        return {} if left <= 0 else {line.line: {"quantity": left, "amount": line.amount}}
    if left <= 0 and not net:
        return {}
    if left <= 0 or net < 0:
        # A closed line takes all that it held off the order, and the shopper got another amount back for it.
        said = f"All of line {gone[-1].line_id} goes back for an amount that differs from the line's by {abs(net)}."
        return Problem("REFUND_NOT_BILLED", said)
    if written is None:
        said = "Somebody else made NetSuite's order, so its lines are theirs to cut."
        return Problem("REFUND_NOT_BILLED", said)
    currency = gone[-1].net.currency
    amount = Money.of(whole * left / units, currency) if less else Money.of(net, currency)
    if line.billed and line.amount != amount.amount:
        said = (
            f"Line {gone[-1].line_id} is on an invoice in part, and NetSuite keeps the amounts of such lines."
        )
        return Problem("REFUND_NOT_BILLED", said)
    found = {
        line.line: {
            "quantity": left,
            "rate": rate_of(amount, left, whole / units),
            "amount": amount.amount,
        }
    }
    discount = books.lines.get(f"{key}-discount")
    if discount is not None:
        found[discount.line] = {"rate": net - amount.amount, "amount": net - amount.amount}
    return found


def _worth(shares: Sequence[Share], tax: OrderTax) -> Decimal:
    return sum((worth(one, tax) for one in shares), ZERO)


def _cut(
    books: Books, *, closes: Sequence[int], items: Mapping[int, Mapping[str, Any]] | None = None
) -> Cut | None:
    patches: list[dict[str, Any]] = [{"line": line, "isClosed": True} for line in closes]
    patches += [{"line": line, **fields} for line, fields in (items or {}).items()]
    if not patches:
        return None
    amounts = {line: fields["amount"] for line, fields in (items or {}).items()}
    return Cut(books.id, {"item": {"items": patches}}, tuple(closes), amounts)


def _tax_line(books: Books, item: int) -> ShownLine | None:
    return next(
        (
            line
            for key, line in books.lines.items()
            if (key == "tax" or key.startswith("tax-")) and line.item == item
        ),
        None,
    )
