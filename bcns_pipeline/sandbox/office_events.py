"""What people in the office and the warehouse do to NetSuite's orders: post, ship, close, hold, merge.

Put happenings on NetSuite's side here that no integration causes. Do not put HTTP here (office_control.py) nor
stock counts and item changes (events.py). They go through the same rules as requests, but for what only a
person may do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import copy
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.books import Books
from bcns_pipeline.sandbox.netsuite.definition import Definition
from bcns_pipeline.sandbox.netsuite.items import GROUPS, Item
from bcns_pipeline.sandbox.netsuite.kinds import FULFILMENT, SALES_ORDER
from bcns_pipeline.sandbox.netsuite.ledger import Line, Transaction
from bcns_pipeline.sandbox.netsuite.reading import Reading
from bcns_pipeline.sandbox.netsuite.salesorder import billable


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

    def everywhere(self) -> str | None:
        """All subsidiaries, as an item that any may sell has them; None without OneWorld."""
        account = self.context.account
        return ", ".join(map(str, account.subsidiaries)) if account.oneworld else None

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

    # -- orders ----------------------------------------------------------------------------------------------

    def order(self, key: Any) -> Transaction:
        """The sales order with this internal id (a number) or external id (text)."""
        found = self.context.ledger.get(int(key)) if str(key).isdigit() else None
        found = found or self.context.ledger.by_external(str(key))
        if found is None or found.kind is not SALES_ORDER:
            raise ValueError(f"NetSuite has no sales order {key}.")
        return found

    def fulfilment(self, raw: Mapping[str, Any]) -> Transaction:
        """The fulfilment that a body names by `fulfilment` (id), or the last one of its `order`."""
        if "fulfilment" in raw:
            found = self.context.ledger.get(int(raw["fulfilment"]))
            made = [found] if found is not None and found.kind is FULFILMENT else []
        else:
            made = self.context.ledger.made_from(self.order(raw["order"]).id, FULFILMENT.record)
        if not made:
            raise ValueError(f"NetSuite has no such fulfilment: {dict(raw)}.")
        return made[-1]

    def fulfil(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Pick, pack or ship (`status` A, B, C) what is committed of an order, or `lines` of it.

        Each of `lines` has sku, item or line, and quantity. `tracking` is a number or several, `packages` are
        parcels with tracking, description and weight; `carrier` is a ship method's name or id.
        """
        order = self.order(raw["order"])
        body: dict[str, Any] = {"shipStatus": {"id": str(raw.get("status", "C"))}}
        if "lines" in raw:
            body["item"] = {"items": self.lines_of(order, raw["lines"], {"itemReceive": False})}
        if "location" in raw:
            said = {line["orderLine"]: line for line in body.get("item", {}).get("items", ())}
            place = {"id": str(raw["location"])}
            lines = [{**said.get(x.id, {"orderLine": x.id}), "location": place} for x in order.lines]
            body["item"] = {"items": lines}
        if "carrier" in raw:
            body["shipMethod"] = {"id": str(self._method(str(raw["carrier"])))}
        if "external_id" in raw:
            body["externalId"] = raw["external_id"]
        if "date" in raw:
            body["tranDate"] = raw["date"]
        body["package"] = {"items": parcels(raw)}
        fulfilments = self.books.fulfilments
        number = fulfilments.transform(order.id, self.read(fulfilments.definition, body))
        made = fulfilments.get(number)
        return {"fulfilment": number, "number": made.number, "status": made.status, "order": order.id}

    def lines_of(
        self, source: Transaction, raw: Sequence[Mapping[str, Any]], rest: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """The lines of a transform, in REST's words: those that are named, and `rest` of all others."""
        said = ("quantity", "restock")
        wanted = [
            {"orderLine": self._line(source, one).id, **{name: one[name] for name in said if name in one}}
            for one in raw
        ]
        named = {line["orderLine"] for line in wanted}
        return [*wanted, *({"orderLine": x.id, **rest} for x in source.lines if x.id not in named)]

    def _line(self, order: Transaction, raw: Mapping[str, Any]) -> Line:
        """The order line that a body names by line, item or sku."""
        for line in order.lines:
            item = line.item
            if "line" in raw:
                if line.id == int(raw["line"]):
                    return line
            elif item is not None and (str(raw.get("item")) == str(item.id) or raw.get("sku") == item.name):
                return line
        raise ValueError(f"Order {order.number} has no line like {dict(raw)}.")

    def _method(self, name: str) -> int:
        for method in self.context.account.ship_methods.values():
            if name in (str(method.id), method.carrier) or method.name.lower().startswith(name.lower()):
                return method.id
        raise ValueError(f"NetSuite has no ship method {name!r}.")

    def track(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """A tracking number (or several, or packages) comes later; with `replace` the earlier ones go."""
        made = self.fulfilment(raw)
        change = self.read(self.books.fulfilments.definition, {"package": {"items": parcels(raw)}})
        replace = frozenset({"package"}) if raw.get("replace") else frozenset()
        self.books.fulfilments.change(made.id, change, replace)
        numbers = [one.tracking for one in self.books.fulfilments.get(made.id).packages]
        return {"fulfilment": made.id, "tracking": numbers}

    def unship(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Goods come back: the status falls to `status` (A by default), or with `delete` the record goes."""
        made = self.fulfilment(raw)
        if raw.get("delete"):
            self.books.fulfilments.delete(made)
            self.books.rows.remove(made, self.context.clock.account())
        else:
            self.books.fulfilments.set_status(made, str(raw.get("status", "A")))
        return {"fulfilment": made.id, "deleted": bool(raw.get("delete"))}

    def advance(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """A fulfilment moves on to `status` (C by default), as packed goods are shipped."""
        made = self.fulfilment(raw)
        self.books.fulfilments.set_status(made, str(raw.get("status", "C")))
        return {"fulfilment": made.id, "status": made.status}

    def close_line(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Close (or with `closed` false reopen) a line of an order: what is open of it is not shipped."""
        return self._amended(self.order(raw["order"]), [raw], closed=bool(raw.get("closed", True)))

    def cancel_order(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Cancel an order of which nothing has been touched, or with `delete` take it away altogether."""
        order = self.order(raw["order"])
        if any(line.touched or line.billed for line in order.lines):
            raise ValueError(f"Order {order.number} is under way; close its lines instead.")
        ledger = self.context.ledger
        if raw.get("delete") and (made := [one for one in ledger if one.source == order.id]):
            raise ValueError(f"{made[0].number} was made from order {order.number}; delete that first.")
        after = proposed(order)
        after.values["cancelled"] = True
        for line in after.lines:
            line.closed = True
        self.books.orders.settle(order, after)
        if raw.get("delete"):
            ledger.remove(after)
            self.books.rows.remove(after, self.context.clock.account())
        return {"order": after.id, "status": after.status}

    def hold_order(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Take the approval of an order back, or with `approve` give it."""
        order = self.order(raw["order"])
        after = proposed(order)
        after.values["orderStatus"] = "B" if raw.get("approve") else "A"
        self.books.orders.settle(order, after)
        return {"order": after.id, "status": after.status}

    def bill_order(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Mark as billed what can be billed of an order; no invoice is made."""
        order = self.order(raw["order"])
        after = proposed(order)
        for line in after.lines:
            line.billed = billable(line)
        self.books.orders.settle(order, after)
        return {"order": after.id, "status": after.status}

    def _amended(
        self, order: Transaction, lines: Sequence[Mapping[str, Any]], *, closed: bool
    ) -> dict[str, Any]:
        after = proposed(order)
        for raw in lines:
            self._line(after, raw).closed = closed
        self.books.orders.settle(order, after)
        return {"order": after.id, "status": after.status}

    def legacy_order(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """An order that another connector made: `otherrefnum`, `externalid`, `memo`, custom fields by name.

        `lines` have sku or item, quantity and rate; without any there is one of `total` (10 by default).
        """
        fields = {n.lower(): v for n, v in raw.items() if n.lower().startswith("custbody_")}
        lines = [
            {
                "item": {"id": str(self._item(line))},
                "quantity": line.get("quantity", 1),
                "price": {"id": "-1"},
                "rate": line.get("rate", 0),
            }
            for line in raw.get("lines", ())
        ]
        if not lines:
            item = {"id": str(self.context.account.describe()["items"]["unmapped"])}
            lines = [{"item": item, "quantity": 1, "price": {"id": "-1"}, "rate": raw.get("total", 10)}]
        body = {
            "entity": {"id": str(raw.get("customer") or self.somebody())},
            "otherRefNum": raw.get("otherrefnum"),
            "externalId": raw.get("externalid"),
            "memo": raw.get("memo"),
            "item": {"items": lines},
            **fields,
        }
        given = self.read(self.books.orders.definition, {n: v for n, v in body.items() if v is not None})
        number = self.books.orders.create(given)
        return {"order": number, "number": self.order(number).number}

    def _item(self, raw: Mapping[str, Any]) -> int:
        if "item" in raw:
            return int(raw["item"])
        found = self.context.database.find_items(str(raw.get("sku")))
        if not found:
            raise ValueError(f"NetSuite has no item with the number {raw.get('sku')!r}.")
        return found[0]

    def somebody(self) -> int:
        """A customer for orders that nobody asks about."""
        name = "Walk-in Customer"
        for customer in self.context.customers:
            if customer.name == name:
                return customer.id
        body: dict[str, Any] = {"companyName": name, "entityId": name}
        if self.context.account.oneworld:
            body["subsidiary"] = {"id": "1"}
        return self.context.customers.create(self.read(self.context.customers.definition, body))

    def read(self, definition: Definition, raw: Mapping[str, Any]) -> dict[str, Any]:
        """A body in REST's words, typed; numbers go through text, as in a request."""
        return Reading(self.context, "error").record(
            definition, json.loads(json.dumps(raw), parse_float=Decimal)
        )


def proposed(order: Transaction) -> Transaction:
    """A copy of an order that may be changed."""
    after = copy(order)
    after.values = dict(order.values)
    after.lines = [copy(line) for line in order.lines]
    return after


def parcels(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parcels of a verb, in REST's words."""
    numbers = raw.get("tracking", ())
    found = [{"tracking": one} for one in ([numbers] if isinstance(numbers, str) else numbers)]
    return [
        {
            name: value
            for name, value in (
                ("packageTrackingNumber", one.get("tracking")),
                ("packageDescr", one.get("description")),
                ("packageWeight", one.get("weight")),
            )
            if value is not None
        }
        for one in [*raw.get("packages", ()), *found]
    ]
