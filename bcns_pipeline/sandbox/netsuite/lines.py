"""The item sublist of a sales transaction: which request line is which, and what each of them may be.

Put the sublist's rules here. Do not put sums over lines here (sales.py). Source: facts/netsuite.md 3.3: a line
with a known `line` changes that one, any other is appended, and only `?replace=item` removes what a request
leaves out. Item groups come apart into their members, whose prices a create can't set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.errors import Refused, bad_reference, missing
from bcns_pipeline.sandbox.netsuite.items import GROUPS, Item
from bcns_pipeline.sandbox.netsuite.ledger import Line, Transaction
from bcns_pipeline.sandbox.netsuite.pricing import level_price, price_line, rounded
from bcns_pipeline.sandbox.netsuite.sales import Sales
from bcns_pipeline.sandbox.netsuite.sales_fields import LINE_FIELDS

PRICING = ("item", "quantity", "rate", "amount", "price")


class Lines:
    """Merges request lines into the lines of a proposed transaction."""

    def __init__(self, sales: Sales) -> None:
        self._sales = sales
        self._context = sales.context

    def merge(
        self, transaction: Transaction, given: Sequence[Mapping[str, Any]] | None, *, replace: bool
    ) -> None:
        """Change `transaction.lines` as a request says; None leaves them alone."""
        if given is None:
            return
        kept: set[int] = set()
        for place, raw in enumerate(given):
            path = f"item.items[{place}]"
            line = transaction.line(raw["line"]) if raw.get("line") is not None else None
            if line is None:
                kept.update(self._append(transaction, raw, path))
            else:
                self._alter(transaction, line, raw, path)
                kept.add(line.id)
        if replace or not given:
            gone = [line for line in transaction.lines if line.id not in kept and line.group not in kept]
            for line in gone:
                if line.touched or line.billed:
                    detail = f"Line {line.id} can't be removed because it has been fulfilled or billed."
                    raise Refused("USER_ERROR", detail, "item")
            transaction.lines = [line for line in transaction.lines if line not in gone]
        self._percentages(transaction)

    def _append(self, transaction: Transaction, raw: Mapping[str, Any], path: str) -> list[int]:
        """A new line, and the members of a group behind it; returns their ids."""
        if raw.get("item") is None:
            raise missing("item")
        item = self._item(transaction, raw["item"].id, f"{path}.item")
        line = Line(transaction.take_line(), self._context.ledger.take_unique(), item)
        transaction.lines.append(line)
        if item.kind in GROUPS:
            line.quantity = raw.get("quantity") or Decimal(1)
            self._say(transaction, line, raw, path)
            return [line.id, *self._members(transaction, line)]
        self._say(transaction, line, raw, path)
        self._price(transaction, line, raw, path, new=True)
        return [line.id]

    def _members(self, transaction: Transaction, head: Line) -> list[int]:
        """The members of a group at their own prices, and the line that ends the group."""
        assert head.item is not None
        assert head.quantity is not None
        found = []
        for member, each in self._context.items.members(head.item.id):
            item = self._item(transaction, member, "item")
            line = Line(transaction.take_line(), self._context.ledger.take_unique(), item)
            line.group, line.location = head.id, head.location
            line.quantity, line.price = each * head.quantity, self._level(transaction)
            transaction.lines.append(line)
            self._price(transaction, line, {}, "item", new=True)
            found.append(line.id)
        end = Line(transaction.take_line(), self._context.ledger.take_unique(), None, group=head.id)
        transaction.lines.append(end)
        return [*found, end.id]

    def _alter(self, transaction: Transaction, line: Line, raw: Mapping[str, Any], path: str) -> None:
        """Change a line that is there."""
        wanted = raw.get("item")
        if wanted is not None and line.item is not None and wanted.id != line.item.id:
            if line.touched or line.billed:
                raise bad_reference(wanted.id, "item", f"{path}.item")
            line.item = self._item(transaction, wanted.id, f"{path}.item")
        self._say(transaction, line, raw, path)
        if line.item is not None and any(raw.get(name) is not None for name in PRICING):
            self._price(transaction, line, raw, path, new=False)
        least = max(line.touched, line.billed)
        if least and (line.quantity or Decimal(0)) < least:
            detail = f"The quantity of line {line.id} can't be less than what has been fulfilled or billed."
            raise Refused("USER_ERROR", detail, f"{path}.quantity")

    def _say(self, transaction: Transaction, line: Line, raw: Mapping[str, Any], path: str) -> None:
        """What a request says of a line besides its price."""
        if "location" in raw and raw["location"] is None:
            line.location = None
        elif raw.get("location") is not None:
            self._sales.check_location(transaction, raw["location"].id, f"{path}.location")
            line.location = raw["location"].id
        elif line.location is None and (place := transaction.values.get("location")) is not None:
            line.location = place.id
        if raw.get("isClosed") is not None:
            line.closed = raw["isClosed"]
        for name, value in raw.items():
            if name in LINE_FIELDS:
                continue
            if value is None:
                line.values.pop(name, None)
            else:
                line.values[name] = value

    def _price(
        self, transaction: Transaction, line: Line, raw: Mapping[str, Any], path: str, *, new: bool
    ) -> None:
        context, item = self._context, line.item
        assert item is not None
        if raw.get("quantity") is not None:
            if raw["quantity"] < 0:
                raise Refused("USER_ERROR", "The quantity must be a positive number.", f"{path}.quantity")
            line.quantity = raw["quantity"]
        if raw.get("price") is not None:
            line.price = raw["price"].id
        elif new and line.group is None:
            line.price = self._level(transaction)
        amount = raw.get("amount")
        rate = raw.get("rate")
        if rate is None and amount is None and not new:
            rate = line.rate
        said = rate is not None or amount is not None
        overwrites = context.settings.price_level_overwrites
        price_line(
            line,
            item,
            rate=rate,
            amount=amount,
            above=transaction.lines[: transaction.lines.index(line)],
            precision=context.account.currencies[transaction.currency].precision,
            overwriting=level_price(
                item, line.price, context.items, context.account, overwrites=overwrites, given=said
            ),
        )

    def _percentages(self, transaction: Transaction) -> None:
        """Discount items with a rate of their own follow the line above them."""
        precision = self._context.account.currencies[transaction.currency].precision
        for place, line in enumerate(transaction.lines):
            item = line.item
            if item is not None and item.percent is not None and line.rate is None and place:
                line.amount = rounded(transaction.lines[place - 1].amount * item.percent / 100, precision)

    def _level(self, transaction: Transaction) -> int:
        customer = self._context.customers.get(transaction.entity or 0)
        return customer.price_level if customer is not None else 1

    def _item(self, transaction: Transaction, number: int, path: str) -> Item:
        """An item that may be sold on this transaction."""
        item = self._context.items.get(number)
        if (
            item is None
            or item.inactive
            or item.is_parent
            or item.kind == "ShipItem"
            or not item.sold_by(transaction.subsidiary, oneworld=self._context.account.oneworld)
        ):
            raise bad_reference(number, "item", path)
        return item
