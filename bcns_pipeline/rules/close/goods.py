"""Whether the goods of refunds came back: units of NetSuite's returns and receipts, shared out to refunds by SKU.

Put here what follows from the kept answer. Do not put asking here (defs/close/goods.py).
The answer, as it is kept: `refunds` (refund, order, day, units by SKU), and by line `returns` (id, number, order, day,
sku, units, closed) and `receipts` (id, number, of which return, day, sku, units); or `not_asked`, why. Units of refunds
are whole, NetSuite's are decimals as text. Sources: facts/finance.md 4.3 and 5.1 (R4), facts/netsuite.md 3.6.

Several refunds of one order: what NetSuite authorised and received of a SKU goes to them in the order of their ids, to
each never more than it gave back, and to no two the same unit. Which return was meant for which refund nobody says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from bcns_pipeline.rules.identity import sku_key
from bcns_pipeline.rules.orders.model import Order
from bcns_pipeline.rules.refunds.model import Refund

# The source of the answer, among those of the close.
GOODS: Final = "netsuite/goods"
NOT_ASKED: Final = "goods: not asked (cash.refunds.goods_days of the mapping file)"
Said = Mapping[str, Any]
COLUMNS: Final = ("units_refunded", "units_authorised", "units_received", "goods")


class Came(StrEnum):
    """How the goods of a refund stand."""

    NO_GOODS = "no goods"
    NO_RETURN = "no return"
    AUTHORISED = "authorised"
    PARTLY = "partly received"
    RECEIVED = "received"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Goods:
    """Units of one refund: given back, of these authorised to come back, and of those received."""

    refund: int
    order: int
    day: date
    refunded: int
    authorised: int
    received: int
    returns: tuple[str, ...] = ()

    @property
    def awaited(self) -> int:
        """Units that may come and did not."""
        return self.authorised - self.received

    def sentence(self, last: date) -> str:
        """What is missing at the end of that day."""
        return (
            f"Refund {self.refund} of order {self.order}, made {self.day}: {self.received} of {self.authorised} units "
            f"that NetSuite authorised to come back ({', '.join(self.returns)}) were received by the end of {last}."
        )

    @property
    def came(self) -> Came:
        """In a word; what the shopper was not asked to send is kept."""
        if not self.refunded:
            return Came.NO_GOODS
        if self.received:
            return Came.RECEIVED if self.received == self.refunded else Came.PARTLY
        return Came.AUTHORISED if self.authorised else Came.NO_RETURN


def units_of(refund: Refund, order: Order) -> dict[str, int]:
    """{SKU as it is compared: units of goods that this refund gives back}; none where no money went back.

    Downloads and certificates are no goods, and a bundle is its parts.
    """
    lines = {line.id: line for line in order.lines}
    found: dict[str, int] = defaultdict(int)
    for number, units in ({} if refund.void else refund.units).items():
        whole = lines.get(number)
        parts = [one for one in order.lines if one.parent_line_id == number]
        for line in parts or ([whole] if whole is not None else ()):
            if line.kind == "physical":
                of_one = line.quantity // whole.quantity if parts and whole is not None else 1
                found[sku_key(line.sku)] += units * of_one
    return {sku: units for sku, units in found.items() if units}


def shared_out(said: Said) -> dict[int, Goods]:
    """{refund: how its goods stand}, of all refunds of the answer."""
    authorised, received = _of_orders(said)
    numbers: dict[int, list[str]] = defaultdict(list)
    for row in sorted(said["returns"], key=lambda row: int(row["id"])):
        if row["number"] not in numbers[row["order"]]:
            numbers[row["order"]].append(row["number"])
    found = {}
    for row in sorted(said["refunds"], key=lambda row: int(row["refund"])):
        order, units = row["order"], row["units"]
        found[row["refund"]] = Goods(
            refund=row["refund"],
            order=order,
            day=date.fromisoformat(row["day"]),
            refunded=sum(units.values()),
            authorised=sum(_take(authorised, (order, sku), most) for sku, most in units.items()),
            received=sum(_take(received, (order, sku), most) for sku, most in units.items()),
            returns=tuple(numbers[order]),
        )
    return found


def late(said: Said, last: date, days: int) -> list[Goods]:
    """Refunds older than so many days at the end of `last`, of which authorised units have not come."""
    before = last - timedelta(days=days)
    return [one for one in shared_out(said).values() if one.awaited and one.day < before]


def at_the_end_of(said: Said, last: date) -> dict[str, Any]:
    """The part of an answer that NetSuite's and our dates have by the end of that day."""
    until = str(last)
    return {
        name: value if name == "not_asked" else [row for row in value if row["day"] <= until]
        for name, value in said.items()
    }


def shown(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]], said: Said | None
) -> tuple[list[str], list[dict[str, Any]]]:
    """The rows of refunds with how their goods stand; what was not asked about has no numbers."""
    found = {} if said is None or "not_asked" in said else shared_out(said)
    lines = []
    for row in rows:
        one = found.get(row["refund"])
        told: tuple[int | None, int | None, int | None, str] = (None, None, None, Came.NOT_ASKED.value)
        if one is not None:
            told = (one.refunded, one.authorised, one.received, one.came.value)
        lines.append({**row, **dict(zip(COLUMNS, told, strict=True))})
    return [*columns, *COLUMNS], lines


_Units = dict[tuple[int, str], Decimal]


def _of_orders(said: Said) -> tuple[_Units, _Units]:
    """{(order, SKU): units authorised}, and of these received.

    What is closed of a return will not come, so it authorised only what came of it. What came beyond its return is none
    of it: NetSuite refuses that, and a line that is shown twice must not count twice. Lines without a SKU, such as
    charges, are nobody's goods.
    """
    orders = {row["id"]: row["order"] for row in said["returns"]}
    open_: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    whole: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    came: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for row in said["returns"]:
        place = row["id"], row["sku"]
        whole[place] += Decimal(row["units"])
        open_[place] += 0 if row["closed"] else Decimal(row["units"])
    for row in said["receipts"]:
        came[row["return"], row["sku"]] += Decimal(row["units"])
    authorised: _Units = defaultdict(Decimal)
    received: _Units = defaultdict(Decimal)
    for (number, sku), units in whole.items():
        if not sku:
            continue
        back = min(came[number, sku], units)
        received[orders[number], sku] += back
        authorised[orders[number], sku] += max(open_[number, sku], back)
    return authorised, received


def _take(left: _Units, place: tuple[int, str], most: int) -> int:
    """Whole units of what is left, and not more than `most`."""
    taken = min(int(left.get(place, 0)), most)
    if taken:
        left[place] -= taken
    return taken
