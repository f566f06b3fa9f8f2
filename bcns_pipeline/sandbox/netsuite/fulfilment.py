"""Item fulfilments: made from a sales order, picked, packed, shipped, and taken back.

Put the rules of the type here. Do not put its properties here (fulfilment_fields.py), its lines (moving.py) nor how
stock is counted (stock.py). Sources: facts/netsuite.md 2.6 and 3.5: a transform takes every line of the order unless
the request says `itemReceive: false`; goods leave the shelf when the status is C (Shipped).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Definition
from bcns_pipeline.sandbox.netsuite.errors import Refused, missing
from bcns_pipeline.sandbox.netsuite.fulfilment_fields import PACKAGES
from bcns_pipeline.sandbox.netsuite.fulfilment_shown import shown_fulfilment
from bcns_pipeline.sandbox.netsuite.items import KITS
from bcns_pipeline.sandbox.netsuite.kinds import FULFILMENT
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Line, Package, Transaction
from bcns_pipeline.sandbox.netsuite.moving import asked_of, take_lines
from bcns_pipeline.sandbox.netsuite.salesorder import SalesOrders
from bcns_pipeline.sandbox.netsuite.scripted import script_changes
from bcns_pipeline.sandbox.netsuite.transactions import Transactions

SHIPPED = "C"
OPEN = ("B", "D", "E")
DATES = {"A": "pickedDate", "B": "packedDate", "C": "shippedDate"}
# What a line or the transaction holds in fields of its own.
BODY_FIELDS = frozenset({"externalId", "tranDate", "shipStatus", "item", *PACKAGES})


class Fulfilments(Transactions):
    """The record type `itemFulfillment`."""

    def __init__(self, definition: Definition, context: Context, orders: SalesOrders) -> None:
        super().__init__(definition, context)
        self.orders = orders

    def create(self, given: dict[str, Any]) -> int:  # noqa: ARG002
        """A fulfilment is made from an order."""
        raise missing("createdFrom")

    def shown(self, number: int) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
        """The body, and the lines of each sublist."""
        return shown_fulfilment(self.get(number), self.definition, self.context)

    # -- making ----------------------------------------------------------------------------------------------

    def transform(self, source: int, given: dict[str, Any]) -> int:
        """A fulfilment of an order; returns its id."""
        order = self.orders.order(source)
        if order.status not in OPEN:
            detail = f"You can not initialize itemFulfillment: invalid reference {source}."
            raise Refused("USER_ERROR", detail)
        now = self.context.clock.account()
        self.context.ledger.check_external(given.get("externalId"), None)
        made = self._begin(order, given, now)
        self.context.periods.check(made.day)
        take_lines(self.context, order, made, given.get("item") or (), self._wanted)
        made.packages = packages(given)
        made.status = given.get("shipStatus") or "A"
        made.number = self.context.ledger.take_number(FULFILMENT)
        self._dates(made)
        if made.status == SHIPPED:
            self._ship(order, made)
        self.context.ledger.save(made, now)
        self._recount(order)
        for change in script_changes(self.definition, self.context, made):
            self.change(made.id, change, frozenset())
        return made.id

    def _begin(self, order: Transaction, given: Mapping[str, Any], now: datetime) -> Transaction:
        made = self.context.ledger.begin(FULFILMENT, order, now)
        made.day = given.get("tranDate") or made.day
        made.external = given.get("externalId")
        for name in ("shipMethod", "shippingAddress", "department", "class", "location"):
            if name in order.values:
                made.values[name] = order.values[name]
        self._body(made, given)
        return made

    def _body(self, made: Transaction, given: Mapping[str, Any]) -> None:
        for name, value in given.items():
            if name in BODY_FIELDS:
                continue
            if value is None:
                made.values.pop(name, None)
            else:
                made.values[name] = value

    def _wanted(self, line: Line, raw: Mapping[str, Any], path: str) -> Decimal:
        """How much of an order line goes into the fulfilment."""
        asked = asked_of(line, line.open, raw, path)
        if asked is not None:
            return asked
        item = line.item
        if item is None or not (item.stocked or item.kind in KITS):
            return line.open
        # The form proposes what is committed; what is on back order has to be asked for.
        return min(line.open, max(line.committed - line.picked - line.packed, ZERO))

    # -- changing --------------------------------------------------------------------------------------------

    def change(self, number: int, given: dict[str, Any], replace: frozenset[str]) -> None:
        """Header, status and parcels; the lines stay as they were picked."""
        made = self.get(number)
        if given.get("item"):
            raise Refused(
                "USER_ERROR", "The lines of a saved item fulfillment can't be changed here.", "item"
            )
        if "externalId" in given:
            self.context.ledger.check_external(given["externalId"], number)
        day = given.get("tranDate") or made.day
        if day != made.day:
            self.context.periods.check(day)
        made.day = day
        self._body(made, given)
        more = packages(given)
        made.packages = more if replace & set(PACKAGES) else [*made.packages, *more]
        wanted = given.get("shipStatus")
        if wanted is not None and wanted != made.status:
            self.set_status(made, wanted)
        external = given.get("externalId", made.external)
        self.context.ledger.rename(made, external)
        self.context.ledger.save(made, self.context.clock.account())

    def set_status(self, made: Transaction, status: str) -> None:
        """Move goods with the status, out of the building or back onto the shelf."""
        order = self.orders.order(made.source or 0)
        before, made.status = made.status, status
        self._dates(made)
        if status == SHIPPED:
            self._ship(order, made)
        elif before == SHIPPED:
            self._take_back(made)
        self.context.ledger.save(made, self.context.clock.account())
        self._recount(order)

    def delete(self, made: Transaction) -> None:
        """Take a fulfilment out of the books; whoever asks shows that in SuiteQL."""
        if made.status == SHIPPED:
            self._take_back(made)
        self.context.ledger.remove(made)
        self._recount(self.orders.order(made.source or 0))

    def _dates(self, made: Transaction) -> None:
        today = self.context.today()
        for letter, name in DATES.items():
            if letter <= made.status:
                made.values.setdefault(name, made.day if letter == SHIPPED else today)
            else:
                made.values.pop(name, None)

    def _ship(self, order: Transaction, made: Transaction) -> None:
        """Goods leave where the fulfilment says, and take the order's promise along."""
        for part in made.lines:
            line = order.line(part.order_line)
            if line is None or part.kit_member_of is not None or part.item is None or part.location is None:
                continue
            quantity = part.quantity or ZERO
            same = part.location == line.location
            promised = min(quantity, line.committed) if same else ZERO
            self.context.stock.ship(part.item, part.location, quantity, promised)
            line.committed -= promised
            if line.location is not None:
                self._forget(line, quantity - promised)

    def _forget(self, line: Line, quantity: Decimal) -> None:
        """What was shipped beyond the promise is owed no more: first the back order, then the promise."""
        assert line.item is not None
        assert line.location is not None
        owed = min(quantity, line.backordered)
        promised = min(quantity - owed, line.committed)
        self.context.stock.release(line.item, line.location, promised, owed)
        line.backordered -= owed
        line.committed -= promised

    def _take_back(self, made: Transaction) -> None:
        for part in made.lines:
            if part.kit_member_of is None and part.item is not None and part.location is not None:
                self.context.stock.ship(part.item, part.location, -(part.quantity or ZERO), ZERO)

    def _recount(self, order: Transaction) -> None:
        """What of each order line is picked, packed and shipped follows from its fulfilments."""
        before = [(line.id, line.fulfilled) for line in order.lines]
        for line in order.lines:
            line.picked = line.packed = line.fulfilled = ZERO
        for made in self.context.ledger.made_from(order.id, FULFILMENT.record):
            for part in made.lines:
                found = order.line(part.order_line) if part.kit_member_of is None else None
                if found is None:
                    continue
                quantity = part.quantity or ZERO
                if made.status == "A":
                    found.picked += quantity
                elif made.status == "B":
                    found.packed += quantity
                else:
                    found.fulfilled += quantity
        back = {number for number, shipped in before if (order.line(number) or NOBODY).fulfilled < shipped}
        self.orders.counted(order, back)


NOBODY = Line(0, 0, None)


def packages(given: Mapping[str, Any]) -> list[Package]:
    """The parcels of a request, in whichever sublist they came."""
    return [
        Package(
            row.get(f"packageTrackingNumber{ending}"),
            row.get(f"packageDescr{ending}"),
            row.get(f"packageWeight{ending}"),
        )
        for name, ending in PACKAGES.items()
        for row in given.get(name) or ()
    ]
