"""What of a refund's payments goes back out of which deposits, where what they were for was never billed.

Put the allocation here. Do not put records here (`plan.py`). BigCommerce does not say which payment belongs to which
item, so what was never billed is paid back by payments in this order: through the gateway that took the money, by bank,
as stored value. What is left of a payment settles the credit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
    """What one payment takes out of deposits: `amount` in all, by `deposits`. Of `rest` the credit is settled."""

    amount: Money
    rest: Money
    deposits: tuple[tuple[Deposit, Decimal], ...] = ()


def draw(
    amount: Money,
    settlements: Sequence[Settlement],
    deposits: Mapping[int, Deposit],
    done: Collection[int] = (),
) -> dict[int, Drawn] | Problem:
    """{payment: what it takes}, which comes to `amount`; a Problem where the deposits do not hold it.

    `done` are payments that are paid back already: what they took is no longer open, and is not asked for again.
    """
    open_ = {number: one.open for number, one in deposits.items()}
    found: dict[int, Drawn] = {}
    left = amount
    for one in sorted(settlements, key=lambda each: (_place(each), each.n)):
        share = min(one.amount, left)
        left -= share
        if one.n in done or not share:
            found[one.n] = Drawn(share, one.amount - share)
            continue
        taken = _take(one, share, deposits, open_)
        if isinstance(taken, Problem):
            return taken
        found[one.n] = Drawn(share, one.amount - share, taken)
    assert not left, "payments come to the refund's total, of which this is a part"
    return found


def _place(one: Settlement) -> int:
    return 0 if one.way in _OWN else 1 if one.way not in STORED_VALUE else 2


def _take(
    one: Settlement, share: Money, deposits: Mapping[int, Deposit], open_: dict[int, Money]
) -> tuple[tuple[Deposit, Decimal], ...] | Problem:
    others = sorted(open_)
    own = one.captured_by or 0
    if one.way in _OWN:
        # Its own first; what another refund has turned into stored value before may have come out of that.
        others = [own, *(number for number in others if number != own)]
    if not others or others[0] not in deposits:
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
