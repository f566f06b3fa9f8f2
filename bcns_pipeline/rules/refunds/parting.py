"""Which shares of a refund are taken off an order that was not billed, and which are credited.

Put the cut between the two here, and nothing of what follows from it. Units that have neither left nor been billed are
taken off: they never will be. A charge goes with them where its line is ours to lower. All else is credited: units that
have left, amounts of lines, goodwill, what the shop keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.refunds.books import Books
from bcns_pipeline.rules.refunds.shares import Share
from bcns_pipeline.rules.refunds.tax import OrderTax

_CHARGES: Final = frozenset({"shipping", "handling", "wrapping", "fee"})


@dataclass(frozen=True, slots=True)
class Parted:
    """One refund's shares: `off` the order, because nobody will ever bill them, and `credited`.

    `whole`: all of an order of which nothing has left, so that all of its lines go.
    """

    off: tuple[Share, ...]
    credited: tuple[Share, ...] = ()
    whole: bool = False

    def sums(self, currency: str) -> tuple[Money, Money]:
        """What is taken off and what is credited, with tax."""
        return (
            total([one.whole for one in self.off], currency),
            total([one.whole for one in self.credited], currency),
        )


def part(books: Books, tax: OrderTax, refunds: Sequence[Sequence[Share]]) -> list[Parted] | Problem:
    """How each refund of the order is parted, oldest first; a Problem where an order's line can't be told.

    Works from what was written, less what has left or is billed, and both only grow: so a refund whose order was cut
    already is parted as it was before.
    """
    units: dict[str, int] = {}
    amounts: dict[str, Decimal] = {}
    found: list[Parted] = []
    for shares in refunds:
        off: list[Share] = []
        credited: list[Share] = []
        for share in shares:
            if share.role != "product" or share.units is None:
                credited.append(share)
                continue
            free = _free(books, share)
            if isinstance(free, Problem):
                return free
            taken = max(min(free - units.get(share.part, 0), share.units), 0)
            units[share.part] = units.get(share.part, 0) + taken
            unbilled, rest = _split(share, taken)
            off += unbilled
            credited += rest
        if off:
            charges = [one for one in credited if _lowered(books, tax, one, amounts)]
            off += charges
            credited = [one for one in credited if one not in charges]
            for one in charges:
                amounts[one.part] = amounts.get(one.part, Decimal(0)) + worth(one, tax)
        found.append(Parted(tuple(off), tuple(credited)))
    return found


def worth(share: Share, tax: OrderTax) -> Decimal:
    """What the order's line holds of it: with tax where lines have it in them."""
    return (share.whole if tax.inside else share.net).amount


def _free(books: Books, share: Share) -> int | Problem:
    """Units of the line that have neither left nor been billed, whether or not it is closed by now."""
    line = books.lines.get(share.part)
    if line is None:
        said = f"NetSuite's order has no line that is known to be line {share.line_id} of BigCommerce's."
        return Problem("REFUND_NOT_BILLED", said)
    sold = books.units.get(share.part)
    return int((line.quantity if sold is None else sold) - line.untouchable)


def _split(share: Share, taken: int) -> tuple[list[Share], list[Share]]:
    """The share of so many of its units, and that of the others."""
    assert share.units is not None
    if taken == share.units:
        return [share], []
    if not taken:
        return [], [share]
    part_of = Fraction(taken, share.units)
    net, tax = share.net.times(part_of), share.tax.times(part_of)
    first = replace(share, net=net, tax=tax, units=taken)
    return [first], [replace(share, net=share.net - net, tax=share.tax - tax, units=share.units - taken)]


def _lowered(books: Books, tax: OrderTax, share: Share, before: dict[str, Decimal]) -> bool:
    """Whether the charge's line is ours to lower, and was not billed before it was."""
    line = books.lines.get(share.part)
    if share.role not in _CHARGES or tax.overrides or line is None or share.part not in books.written:
        return False
    left = books.written[share.part] - before.get(share.part, Decimal(0)) - worth(share, tax)
    return not line.billed or line.amount == left
