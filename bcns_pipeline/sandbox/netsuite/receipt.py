"""Item receipts: goods of a return that have come back, whole or in parts, onto the shelf or to be written off.

Put the rules of the type here, and its properties. Do not put its lines here (moving.py) nor how stock is counted
(stock.py). Sources: facts/netsuite.md 3.5 and 3.6: made from a return authorisation; facts/finance.md 4.3: `restock`
false sends goods to the write-off account. Purchase orders, which are received as well, this account has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import (
    Definition,
    Fields,
    Property,
    Sublist,
    date,
    flag,
    number,
    reference,
    sublist,
    text,
)
from bcns_pipeline.sandbox.netsuite.errors import Refused, missing
from bcns_pipeline.sandbox.netsuite.fulfilment_shown import header, shown_line
from bcns_pipeline.sandbox.netsuite.kinds import RECEIPT
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Line
from bcns_pipeline.sandbox.netsuite.moving import asked_of, take_lines
from bcns_pipeline.sandbox.netsuite.returned import ReturnAuthorisations
from bcns_pipeline.sandbox.netsuite.salesorder import SalesOrders
from bcns_pipeline.sandbox.netsuite.showing import show
from bcns_pipeline.sandbox.netsuite.transactions import Transactions

DEFINITION = Definition(
    name=RECEIPT.record,
    group="transaction",
    fields=Fields.of(
        {
            "id": text("id", read_only=True),
            "externalId": text("externalid"),
            "tranId": text("tranid", read_only=True),
            "transactionNumber": text(read_only=True),
            "tranDate": date(),
            "createdDate": Property("datetime", read_only=True),
            "lastModifiedDate": Property("datetime", read_only=True),
            "createdFrom": reference("transaction", read_only=True),
            "entity": reference("customer", read_only=True),
            "subsidiary": reference("subsidiary", read_only=True, feature="oneworld"),
            "memo": text("memo"),
            "item": sublist(),
        }
    ),
    sublists={
        "item": Sublist(
            Fields.of(
                {
                    "line": Property("integer"),
                    "orderLine": Property("integer"),
                    "item": reference("item", read_only=True),
                    "itemName": text(read_only=True),
                    "itemType": text(read_only=True),
                    "itemReceive": flag(),
                    "quantity": number(),
                    "quantityRemaining": number(read_only=True),
                    "location": reference("location"),
                    "restock": flag(),
                    "kitMemberOf": Property("integer", read_only=True),
                }
            ),
            existing=("line",),
            new=("orderLine",),
        )
    },
)
OPEN = ("B", "D", "E")


class ItemReceipts(Transactions):
    """The record type `itemReceipt`."""

    def __init__(
        self, definition: Definition, context: Context, returns: ReturnAuthorisations, orders: SalesOrders
    ) -> None:
        super().__init__(definition, context)
        self.returns = returns
        self.orders = orders

    def create(self, given: dict[str, Any]) -> int:  # noqa: ARG002
        """A receipt is made from a return."""
        raise missing("createdFrom")

    def change(self, number: int, given: dict[str, Any], replace: frozenset[str]) -> None:  # noqa: ARG002
        """Its memo and its day; what came stays as it was counted."""
        made = self.get(number)
        if set(given) - {"memo", "tranDate"}:
            raise Refused("USER_ERROR", "Of a saved item receipt only memo and date can be changed here.")
        day = given.get("tranDate") or made.day
        for one in {made.day, day}:
            self.context.periods.check(one)
        made.day = day
        if "memo" in given:
            made.values["memo"] = given["memo"]
        self.context.ledger.save(made, self.context.clock.account())

    def shown(self, number: int) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
        """The body, and the lines of its sublist."""
        made = self.get(number)
        body = show(self.definition.fields, header(made, self.context))
        return body, {"item": [shown_line(line, self.definition) for line in made.lines]}

    def transform(self, source: int, given: dict[str, Any]) -> int:
        """What has come of a return: everything that is open, but for what the request says."""
        back, ledger = self.returns.get(source), self.context.ledger
        if back.status not in OPEN:
            raise Refused("USER_ERROR", f"You can not initialize itemReceipt: invalid reference {source}.")
        ledger.check_external(given.get("externalId"), None)
        now = self.context.clock.account()
        made = ledger.begin(RECEIPT, back, now)
        made.day, made.external, made.status = given.get("tranDate") or made.day, given.get("externalId"), "Y"
        self.context.periods.check(made.day)
        made.values = {name: given[name] for name in ("memo",) if given.get(name) is not None}
        take_lines(self.context, back, made, given.get("item") or (), _wanted)
        made.number = ledger.take_number(RECEIPT)
        for line in made.lines:
            restocked = line.kit_member_of is None and line.values.get("restock") is not False
            if restocked and line.item is not None and line.location is not None:
                self.context.stock.ship(line.item, line.location, -(line.quantity or ZERO), ZERO)
        ledger.save(made, now)
        self.returns.counted(back)
        if self.context.settings.receipts_commit:
            self.orders.allocate()
        return made.id


def _wanted(line: Line, raw: Mapping[str, Any], path: str) -> Decimal:
    """How much of a return's line comes with a receipt."""
    asked = asked_of(line, line.open, raw, path)
    return line.open if asked is None else asked
