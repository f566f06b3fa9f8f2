"""As what the tax of a refund is posted: the way in which the order's own tax was.

Put the split of a refund's tax over the order's rates and items here. Do not put amounts per line here (`shares.py`).
The order's record is the pattern: what was written to it says codes, rates and items, so a refund can't end up under
another tax than the sale, whatever the mapping file says by now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.draft import Expected, TaxDetail
from bcns_pipeline.rules.orders.facts import Account
from bcns_pipeline.rules.orders.model import ZERO
from bcns_pipeline.rules.orders.policy import OrderPolicy, TaxCode
from bcns_pipeline.rules.orders.problems import Problem

REFERENCE: Final = "bc-"


@dataclass(frozen=True, slots=True)
class OrderTax:
    """How the order's tax was posted. `rows` by key of the order's part (SuiteTax), `items` {item: amount} as lines.

    `overrides`: every line has to name its tax, those without one by `untaxed`. `default` is for tax of parts that
    carried none. `inside`: amounts have their tax in them, and none is posted.
    """

    overrides: bool = False
    rows: Mapping[str, tuple[TaxDetail, ...]] = field(default_factory=dict)
    items: Mapping[int, Money] = field(default_factory=dict)
    untaxed: TaxCode | None = None
    default: TaxCode = field(default_factory=TaxCode)
    inside: bool = False

    def details(self, part: str, net: Money, tax: Money) -> tuple[TaxDetail, ...] | Problem:
        """SuiteTax's rows of a line; one of 0.00 for a line without tax."""
        if not self.overrides:
            return ()
        if not tax:
            code = self.untaxed
            if code is None or code.code is None:
                return ()
            return (TaxDetail(code.code, code.type, net.amount, ZERO, tax.amount),)
        rows = [row for row in self.rows.get(part, ()) if row.amount > 0]
        if not rows:
            if self.default.code is None:
                return Problem(
                    "REFUND_UNMAPPED", "Nothing says which tax it gives back; name orders.tax.code."
                )
            return (
                TaxDetail(
                    self.default.code, self.default.type, net.amount, self.default.rate or ZERO, tax.amount
                ),
            )
        split = tax.allocate([row.amount for row in rows])
        return tuple(
            TaxDetail(row.code, row.type, net.amount, row.rate, amount.amount)
            for row, amount in zip(rows, split, strict=True)
        )

    def lines(self, tax: Money, earlier: Sequence[Money]) -> dict[int, Money] | Problem:
        """{item: tax} of lines that carry it. What `earlier` refunds took is not taken again, so that the last of them
        leaves nothing on any item."""
        if self.overrides or self.inside or not tax:
            return {}
        if not self.items:
            if self.default.item is None:
                return Problem(
                    "REFUND_UNMAPPED", "Nothing says which tax it gives back; name orders.tax.item."
                )
            return {self.default.item: tax}
        return _split(tax, self.left(earlier), self.items)

    def rows_left(self, part: str, gone: Sequence[tuple[Money, Money]]) -> tuple[TaxDetail, ...]:
        """SuiteTax's rows of a line once these (net, tax) of it were taken off."""
        rows = self.rows.get(part, ())
        net = sum((one.amount for one, _ in gone), ZERO)
        left = (
            {place: Money.exactly(row.amount, gone[0][1].currency) for place, row in enumerate(rows)}
            if gone
            else {}
        )
        whole = dict(left)
        for _, tax in gone if left else ():
            for place, part_of in _split(tax, left, whole).items():
                left[place] -= part_of
        return tuple(
            replace(row, basis=row.basis - net, amount=left[place].amount if gone else row.amount)
            for place, row in enumerate(rows)
        )

    def left(self, taxes: Sequence[Money]) -> dict[int, Money]:
        """{item: what stays on its line} once refunds with these taxes took theirs."""
        left = dict(self.items)
        for one in taxes if left else ():
            for item, part in _split(one, left, self.items).items():
                left[item] -= part
        return left


def _split(tax: Money, left: Mapping[int, Money], whole: Mapping[int, Money]) -> dict[int, Money]:
    """By what is left of each; by the order's own where nothing is."""
    weights = [max(one.minor, 0) for one in left.values()]
    if not any(weights):
        weights = [max(one.minor, 0) for one in whole.values()]
    if not any(weights):
        weights = [1, *(0 for _ in weights[1:])]
    return {item: part for item, part in zip(left, tax.allocate(weights), strict=True) if part}


def order_tax(
    written: Mapping[str, Any] | None, expected: Expected | None, account: Account, policy: OrderPolicy
) -> OrderTax:
    """How the order's tax was posted, by the record's body as written, and what must stand in it.

    Both are None for an order that somebody else posted, or whose shopper was erased: then the mapping file tells.
    """
    rules = policy.tax
    untaxed = rules.exempt or (rules.default if rules.default.code else None)
    details = (written or {}).get("taxDetails", {}).get("items", ())
    rows: dict[str, list[TaxDetail]] = {}
    for row in details:
        key = str(row["taxDetailsReference"]["id"]).removeprefix(REFERENCE)
        rows.setdefault(key, []).append(_detail(row))
    items = _tax_items(expected) if expected is not None else {}
    by_suitetax = account.suitetax and untaxed is not None
    taxed_rows = {key: tuple(some) for key, some in rows.items()}
    if items and by_suitetax:
        # Tax as a line: NetSuite is told of every line that it carries none of its own.
        return OrderTax(items=items, untaxed=untaxed, default=rules.default)
    return OrderTax(
        overrides=by_suitetax and not items,
        rows=taxed_rows,
        items=items,
        untaxed=untaxed,
        default=_default(rules.default, taxed_rows),
        inside=policy.gross_lines,
    )


def _tax_items(expected: Expected) -> dict[int, Money]:
    found: dict[int, Money] = {}
    for line in expected.lines:
        if line.key == "tax" or line.key.startswith("tax-"):
            before = found.get(line.item, Money.zero(expected.currency))
            found[line.item] = before + Money.exactly(line.amount, expected.currency)
    return found


def zero_details(tax: OrderTax, account: Account, net: Money) -> Iterator[TaxDetail]:
    """With SuiteTax and tax as a line: the row that keeps NetSuite from computing tax of its own."""
    if account.suitetax and not tax.overrides and tax.untaxed is not None and tax.untaxed.code is not None:
        yield TaxDetail(tax.untaxed.code, tax.untaxed.type, net.amount, ZERO, Money.zero(net.currency).amount)


def _default(default: TaxCode, rows: Mapping[str, Sequence[TaxDetail]]) -> TaxCode:
    if default.code is not None or default.item is not None:
        return default
    first = next((row for some in rows.values() for row in some if row.amount > 0), None)
    return default if first is None else TaxCode(first.code, first.type, first.rate)


def _detail(row: Mapping[str, Any]) -> TaxDetail:
    return TaxDetail(
        code=int(row["taxCode"]["id"]),
        type=str(row["taxType"]),
        basis=Decimal(str(row["taxBasis"])),
        rate=Decimal(str(row["taxRate"])),
        amount=Decimal(str(row["taxAmount"])),
    )
