"""What people in the office and the warehouse do to NetSuite's orders: post, ship, close, hold, merge.

Put happenings on NetSuite's side here that no integration causes. Do not put HTTP here (office_control.py) nor
stock counts and item changes (events.py). They go through the same rules as requests, but for what only a
person may do.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.books import Books
from bcns_pipeline.sandbox.netsuite.items import GROUPS, Item
from bcns_pipeline.sandbox.netsuite.kinds import SALES_ORDER
from bcns_pipeline.sandbox.netsuite.ledger import Line, Transaction


class Office:
    """The people on NetSuite's side."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.context = books.context

    def post_order(self, item: int, quantity: int, location: int, reference: str | None) -> dict[str, Any]:
        """Somebody types a sales order of one item in, without customer or price.

        What is available is committed, the rest is on back order. Returns its id and what was committed, which
        of a kit counts its members.
        """
        context = self.context
        sold = context.items.get(item)
        if sold is None:
            raise ValueError(f"NetSuite has no item {item}.")
        now = context.clock.account()
        order = Transaction(
            id=context.ledger.take_id(),
            kind=SALES_ORDER,
            number=context.ledger.take_number(SALES_ORDER),
            created=now,
            modified=now,
            day=now.date(),
            status="",
        )
        if reference is not None:
            order.values["otherRefNum"] = reference
        for part, each in self._parts(sold):
            number, unique = order.take_line(), context.ledger.take_unique()
            order.lines.append(Line(number, unique, part, quantity=each * quantity, location=location))
        self.books.orders.settle(None, order)
        committed = sum(line.committed * self._weight(line.item) for line in order.lines)
        return {"transaction_id": order.id, "committed": float(committed)}

    def stock_came(self) -> int:
        """Lines on back order get what has arrived; returns how many did."""
        return self.books.orders.allocate() if self.context.settings.receipts_commit else 0

    def _parts(self, item: Item) -> list[tuple[Item, Decimal]]:
        """The lines of an item: a group comes apart into its members."""
        if item.kind not in GROUPS:
            return [(item, Decimal(1))]
        members = [(self.context.items.get(one), each) for one, each in self.context.items.members(item.id)]
        return [(one, each) for one, each in members if one is not None]

    def _weight(self, item: Item | None) -> Decimal:
        """How many pieces lie on shelves of one of an item."""
        if item is None or item.stocked:
            return Decimal(1)
        return sum((each for _, each in self.context.items.members(item.id)), Decimal(0))

    def transactions(self, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
        """The ledger as it is, filtered by `type`, `externalid` or `id`."""
        found = []
        for one in self.context.ledger:
            if "type" in wanted and one.kind.record.lower() != wanted["type"].lower():
                continue
            if "externalid" in wanted and one.external != wanted["externalid"]:
                continue
            if "id" in wanted and str(one.id) != wanted["id"]:
                continue
            found.append(self._told(one))
        return found

    def _told(self, one: Transaction) -> dict[str, Any]:
        return {
            "id": one.id,
            "type": one.kind.record,
            "number": one.number,
            "external_id": one.external,
            "status": one.status,
            "entity": one.entity,
            "subsidiary": one.subsidiary,
            "currency": self.context.account.currencies[one.currency].symbol,
            "exchange_rate": str(one.exchange_rate),
            "date": one.day.isoformat(),
            "created_from": one.source,
            "other_ref_num": one.values.get("otherRefNum"),
            "subtotal": str(one.totals.subtotal),
            "discount": str(one.totals.discount),
            "shipping": str(one.totals.shipping),
            "handling": str(one.totals.handling),
            "tax": str(one.totals.tax),
            "total": str(one.totals.total),
            "base_total": str(one.totals.base),
            "fields": {name: value for name, value in one.values.items() if name.startswith("cust")},
            "tracking": [parcel.tracking for parcel in one.packages if parcel.tracking],
            "lines": [told_line(line) for line in one.lines],
        }


def told_line(line: Line) -> dict[str, Any]:
    """A line for whoever looks in."""
    return {
        "line": line.id,
        "item": None if line.item is None else line.item.id,
        "sku": None if line.item is None else line.item.name,
        "quantity": None if line.quantity is None else str(line.quantity),
        "rate": None if line.rate is None else str(line.rate),
        "amount": str(line.amount),
        "location": line.location,
        "closed": line.closed,
        "committed": str(line.committed),
        "backordered": str(line.backordered),
        "picked": str(line.picked),
        "packed": str(line.packed),
        "fulfilled": str(line.fulfilled),
        "billed": str(line.billed),
        "order_line": line.order_line,
        "kit_member_of": line.kit_member_of,
        "fields": {name: value for name, value in line.values.items() if name.startswith("cust")},
    }
