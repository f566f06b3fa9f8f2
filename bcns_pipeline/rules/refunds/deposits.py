"""What of a refund's payments goes back out of which deposits, where what they were for was never billed.

Put the allocation here. Do not put records here (`plan.py`). BigCommerce does not say which payment belongs to which
item, so what was never billed is paid back by payments in this order: through the gateway that took the money, by bank,
as stored value. What is left of a payment settles the credit. Stored value that paid for what is never billed was never
booked, so it goes from one liability to another, or back to its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.refunds.books import Deposit
from bcns_pipeline.rules.refunds.router import STORED_VALUE, Settlement

_OWN: Final = frozenset({"gateway", "external", "marketplace"})


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one payment takes of what was never billed: `amount` in all, by `deposits`, and of `stored` value that paid
    and was not booked, by its way. Of `rest` the credit is settled.
    """

    amount: Money
    rest: Money
    deposits: tuple[tuple[Deposit, Decimal], ...] = ()
    stored: tuple[tuple[str, Money], ...] = ()

    @property
    def released(self) -> Money:
        """What leaves deposits."""
        return self.amount - total([amount for _, amount in self.stored], self.amount.currency)


def draw(
    amount: Money,
    settlements: Sequence[Settlement],
    deposits: Mapping[int, Deposit],
    done: Collection[int] = (),
    stored: Mapping[str, Money] | None = None,
) -> dict[int, Drawn] | Problem:
    """{payment: what it takes}, which comes to `amount`; a Problem where the deposits do not hold it.

    `done` are payments that are paid back already: what they took is no longer open, and is not asked for again.
    `stored` is stored value that nobody will ever bill: it goes back as stored value, and no deposit has it.
    """
    open_ = {number: one.open for number, one in deposits.items()}
    unbilled = dict(stored or {})
    found: dict[int, Drawn] = {}
    left = amount
    for one in sorted(settlements, key=lambda each: (_place(each), each.n)):
        share = min(one.amount, left)
        left -= share
        back = tuple(_stored(one, share, unbilled))
        rest = share - total([amount for _, amount in back], share.currency)
        if one.n in done or not rest:
            found[one.n] = Drawn(share, one.amount - share, stored=back)
            continue
        taken = _take(one, rest, deposits, open_)
        if isinstance(taken, Problem):
            return taken
        found[one.n] = Drawn(share, one.amount - share, taken, back)
    assert not left, "payments come to the refund's total, of which this is a part"
    return found


def _place(one: Settlement) -> int:
    return 0 if one.way in _OWN else 1 if one.way not in STORED_VALUE else 2


def _stored(one: Settlement, share: Money, unbilled: dict[str, Money]) -> Iterator[tuple[str, Money]]:
    """What of it was stored value before: its own kind first, and no card's money where there is any."""
    for way in sorted(unbilled, key=lambda name: (name != one.way, name)) if one.way in STORED_VALUE else ():
        piece = min(unbilled[way], share)
        if piece:
            unbilled[way] -= piece
            share -= piece
            yield way, piece


def _take(
    one: Settlement, share: Money, deposits: Mapping[int, Deposit], open_: dict[int, Money]
) -> tuple[tuple[Deposit, Decimal], ...] | Problem:
    others = sorted(open_)
    own = one.captured_by or 0
    if one.way in _OWN:
        # Its own first; what another refund has turned into stored value before may have come out of that.
        others = [own, *(number for number in others if number != own)]
    if one.way not in STORED_VALUE and (not others or others[0] not in deposits):
        said = f"The payment of {one.amount} through {one.provider} that it gives back is not booked yet."
        return Problem("REFUND_BEFORE_CAPTURE", said, f"capture:{one.captured_by}")
    held = total(list(open_.values()), share.currency)
    if held < share:
        said = f"{share} would go back out of deposits of which {held} are left"
        if one.way in STORED_VALUE:
            return Problem("REFUND_NOT_BILLED", f"{said}; what was paid with stored value has none.")
        return Problem("REFUND_EXCEEDS_CAPTURE", f"{said}.")
    taken = []
    for number in others:
        piece = min(open_[number], share)
        if piece:
            taken.append((deposits[number], piece.amount))
            open_[number] -= piece
            share -= piece
    return tuple(taken)
