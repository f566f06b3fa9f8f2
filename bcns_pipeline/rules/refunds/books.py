"""What NetSuite shows of an order whose money goes back, in the shape that the rules of refunds take.

Put plain frozen shapes here; the flow fills them from what the clients read. Do not put decisions here. Ids are
NetSuite's internal ids; amounts are Money in the order's currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.facts import ShownLine

BILLED, CANCELLED, CLOSED = "G", "C", "H"


@dataclass(frozen=True, slots=True)
class Deposit:
    """A capture as it is booked: a customer deposit or payment. `open` is what is neither applied nor refunded."""

    id: int
    record: str
    open: Money


@dataclass(frozen=True, slots=True)
class Books:
    """The order's record. `record` is salesOrder or cashSale, `rate` the exchange rate that it was posted at.

    `lines` by the key of our line, `written` what each of them was written with, empty where that is not known, `units`
    what was sold of each; `rest` are lines that are nobody's. `deposits` by BigCommerce's transaction. `stored` is what
    was paid with stored value, by its way, and is not booked: that is done once the order is billed.
    """

    id: int
    record: str
    status: str
    entity: int
    subsidiary: int | None = None
    currency_id: int | None = None
    rate: Decimal | None = None
    lines: Mapping[str, ShownLine] = field(default_factory=dict)
    written: Mapping[str, Decimal] = field(default_factory=dict)
    units: Mapping[str, int] = field(default_factory=dict)
    rest: tuple[ShownLine, ...] = ()
    deposits: Mapping[int, Deposit] = field(default_factory=dict)
    stored: Mapping[str, Money] = field(default_factory=dict)

    @property
    def untouched(self) -> bool:
        """Nothing of the order has left or is on an invoice."""
        return self.record == "salesOrder" and not any(
            line.untouchable for line in (*self.lines.values(), *self.rest)
        )
