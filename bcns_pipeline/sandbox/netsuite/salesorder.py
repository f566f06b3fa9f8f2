"""Sales orders: commitments, status, and what may still be changed.

Put the rules of the type here. Do not put lines and sums here (lines.py, sales.py) nor shipping
(fulfilment.py). Source: facts/netsuite.md 3.6: `orderStatus` takes A and B, the status letters run to H.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Definition, Fields, enum
from bcns_pipeline.sandbox.netsuite.errors import Refused, missing
from bcns_pipeline.sandbox.netsuite.items import GROUPS, KITS
from bcns_pipeline.sandbox.netsuite.kinds import SALES_ORDER
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Line, Transaction
from bcns_pipeline.sandbox.netsuite.lines import Lines
from bcns_pipeline.sandbox.netsuite.sales import Sales
from bcns_pipeline.sandbox.netsuite.sales_fields import BODY, SUBLISTS
from bcns_pipeline.sandbox.netsuite.sales_shown import shown_sale
from bcns_pipeline.sandbox.netsuite.scripted import script_changes
from bcns_pipeline.sandbox.netsuite.transactions import Transactions

DEFINITION = Definition(
    name=SALES_ORDER.record,
    group="transaction",
    fields=Fields.of({**BODY, "orderStatus": enum("A", "B")}),
    sublists=SUBLISTS,
)
CANCELLED, CLOSED, BILLED = "C", "H", "G"
DO_NOT_COMMIT = "3"
NOTHING = GROUPS | {"Discount"}


class SalesOrders(Transactions):
    """The record type `salesOrder`."""

    def __init__(self, definition: Definition, context: Context) -> None:
        super().__init__(definition, context)
        self.sales = Sales(context)
        self.lines = Lines(self.sales)
        # Orders with something on back order, oldest first.
        self._waiting: dict[int, None] = {}

    def clear(self) -> None:
        """Nobody waits for stock, as after a new seed."""
        self._waiting.clear()

    # -- what records.py asks --------------------------------------------------------------------------------

    def create(self, given: dict[str, Any]) -> int:
        """A new order; returns its id."""
        now = self.context.clock.account()
        order = self.sales.begin(SALES_ORDER, given, now)
        self.lines.merge(order, given.get("item") or (), replace=False)
        if not order.lines:
            raise missing("item")
        self.sales.sum(order, given.get("taxDetails"))
        order.number = self.context.ledger.take_number(SALES_ORDER)
        self.settle(None, order)
        self._run_scripts(order)
        return order.id

    def change(self, number: int, given: dict[str, Any], replace: frozenset[str]) -> None:
        """Change an order: only what is given; lines without key are appended."""
        before = self.order(number)
        self._amend(before, given, replace)
        self._run_scripts(self.order(number))

    def shown(self, number: int) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
        """The body, and the lines of each sublist."""
        body, lists = shown_sale(self.order(number), self.definition, self.context)
        body["orderStatus"] = {"id": "A" if self.order(number).status == "A" else "B"}
        return body, lists

    # -- rules -----------------------------------------------------------------------------------------------

    def order(self, number: int) -> Transaction:
        """The order with this id, which must be there."""
        found = self.context.ledger.get(number)
        assert found is not None
        return found

    def _amend(
        self, before: Transaction, given: Mapping[str, Any], replace: frozenset[str], *, strict: bool = True
    ) -> Transaction:
        after = self.sales.amend(before, given)
        if "item" in given:
            if before.status in (CANCELLED, CLOSED, BILLED):
                name = SALES_ORDER.statuses[before.status]
                raise Refused("USER_ERROR", f"The lines of an order that is {name} can't be changed.", "item")
            self.lines.merge(after, given["item"], replace="item" in replace)
            if not after.lines:
                raise missing("item")
        renewed = "taxDetails" in replace
        self.sales.sum(after, given.get("taxDetails"), strict=strict, replace=renewed)
        self.settle(before, after)
        return after

    def settle(self, before: Transaction | None, after: Transaction) -> None:
        """Move commitments from one state of an order to the next, and keep it."""
        earlier = {line.id: line for line in before.lines} if before is not None else {}
        was_open = before is not None and self._commits(before)
        commits = self._commits(after)
        for number, line in earlier.items():
            now = after.line(number)
            if now is None or not was_open or not commits or self._differs(line, now):
                self._release(line)
                if now is not None:
                    now.committed = now.backordered = ZERO
        for line in after.lines:
            same = line.id in earlier and was_open and not self._differs(earlier[line.id], line)
            if commits and not same:
                self._commit(line)
        after.status = status_of(after)
        self._keep(after)

    def _commits(self, order: Transaction) -> bool:
        """Whether an order holds stock at all."""
        if order.values.get("cancelled") or order.values.get("orderStatus") == "A":
            return not order.values.get("cancelled") and self.context.settings.commit_unapproved
        return True

    def _differs(self, one: Line, other: Line) -> bool:
        return (one.item, one.location, one.quantity, one.closed, one.values.get("commitInventory")) != (
            other.item,
            other.location,
            other.quantity,
            other.closed,
            other.values.get("commitInventory"),
        )

    def _release(self, line: Line) -> None:
        if line.item is not None and line.location is not None:
            self.context.stock.release(line.item, line.location, line.committed, line.backordered)

    def _commit(self, line: Line) -> None:
        line.committed = line.backordered = ZERO
        item, wanted = line.item, self.unshipped(line)
        if item is None or line.location is None or wanted <= 0:
            return
        if not (item.stocked or item.kind in KITS) or line.values.get("commitInventory") == DO_NOT_COMMIT:
            return
        line.committed = self.context.stock.commit(item, line.location, wanted)
        line.backordered = wanted - line.committed

    def unshipped(self, line: Line) -> Decimal:
        """What of a line is still on the shelf or on order: picked and packed goods have not left."""
        if line.closed or line.quantity is None:
            return line.picked + line.packed
        return line.quantity - line.fulfilled

    def counted(self, order: Transaction, back: set[int]) -> None:
        """Fulfilments of an order changed: its status follows, and lines in `back` are promised stock anew."""
        for line in order.lines:
            if line.id in back and self._commits(order):
                self._release(line)
                self._commit(line)
        order.status = status_of(order)
        self._keep(order)

    def allocate(self) -> int:
        """Give stock that has come to lines on back order, oldest first; returns how many lines got some."""
        moved = 0
        for number in list(self._waiting):
            order = self.order(number)
            got = 0
            for line in order.lines:
                if not line.backordered or line.item is None or line.location is None:
                    continue
                held = line.committed
                self._release(line)
                self._commit(line)
                got += line.committed != held
            if got:
                self._keep(order)
            moved += got
        return moved

    def forget_promises(self, items: set[int]) -> None:
        """A count made promises of these items (of all, where none is named) void."""
        for order in self.context.ledger:
            if order.kind is not SALES_ORDER:
                continue
            lines = [x for x in order.lines if x.item is not None and (not items or x.item.id in items)]
            if any(line.committed or line.backordered for line in lines):
                for line in lines:
                    line.committed = line.backordered = ZERO
                self._keep(order)

    def _keep(self, order: Transaction) -> None:
        self._waiting.pop(order.id, None)
        if any(line.backordered for line in order.lines):
            self._waiting[order.id] = None
        self.context.ledger.save(order, self.context.clock.account())

    def _run_scripts(self, order: Transaction) -> None:
        """User-event scripts change the record after its save, and nobody tells the client."""
        for change in script_changes(self.definition, self.context, order):
            self._amend(self.order(order.id), change, frozenset(), strict=False)


def status_of(order: Transaction) -> str:
    """The letter that follows from an order's lines."""
    if order.values.get("cancelled"):
        return CANCELLED
    if order.values.get("orderStatus") == "A":
        return "A"
    real = [line for line in order.lines if line.item is not None and line.item.kind not in NOTHING]
    shipped = any(line.fulfilled for line in real)
    if not shipped and all(line.closed for line in real):
        return CLOSED
    if any(line.open + line.picked + line.packed > 0 for line in real):
        if not shipped:
            return "B"
        return "E" if any(line.billed < line.fulfilled for line in real) else "D"
    return "F" if any(line.billed < billable(line) for line in real) else BILLED


def billable(line: Line) -> Decimal:
    """What of a line can be billed: what was shipped, or all of what never is."""
    if line.item is not None and line.item.fulfilled:
        return line.fulfilled
    return ZERO if line.closed else line.quantity or ZERO
