"""Orders and fulfilments for the tests of this folder, and a store that takes shipments.

Put builders here. Do not put expectations here. The double refuses what BigCommerce refuses (facts/bigcommerce.md
3.10): items of another address, more than is left of a line, numbers that are too long, items in a PUT.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bcns_pipeline.rules.orders.model import Consignment, ConsignmentKind, Cost, Line, Order
from bcns_pipeline.rules.shipments.model import Fulfilment, FulfilmentLine, Shipment, ShipmentAction
from bcns_pipeline.rules.shipments.plan import ShipmentPlan, plan_shipments
from bcns_pipeline.rules.shipments.policy import ShipmentPolicy

STORE = "abc123"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def line(number: int, quantity: int = 1, place: int = 20, **given: Any) -> Line:
    """Line `number` of product and variant `number`, to address `place`."""
    values: dict[str, Any] = {
        "kind": "physical",
        "product_id": number,
        "variant_id": number,
        "sku": f"SKU-{number}",
        "name": "Thing",
        "price": Cost(),
        "total": Cost(),
        "consignment_id": place,
        **given,
    }
    return Line(number, quantity=quantity, **values)


def order(*lines: Line, status: int = 11, pickups: tuple[int, ...] = ()) -> Order:
    """Order 100 with these lines; consignments follow from where they go."""
    places = dict.fromkeys(one.consignment_id for one in lines if one.kind == "physical")

    def kind(place: int) -> ConsignmentKind:
        return "pickup" if place in pickups else "shipping"

    return Order(
        id=100,
        customer_id=0,
        channel_id=1,
        status_id=status,
        placed_at=NOW,
        modified_at=NOW,
        currency="USD",
        charged=Cost(),
        subtotal=Cost(),
        lines=lines,
        consignments=tuple(
            Consignment(place, kind(place), tuple(one.id for one in lines if one.consignment_id == place))
            for place in places
        ),
    )


def shipped(units: dict[int, int], number: int = 501, **given: Any) -> Fulfilment:
    """A shipped fulfilment of these units by order line; NetSuite's line says which it is."""
    values: dict[str, Any] = {
        "status": "C",
        "trackings": ("1Z999",),
        "method": "UPS Ground",
        "lines": tuple(
            FulfilmentLine(place, 900 + line_id, Decimal(quantity), order_line_id=line_id)
            for place, (line_id, quantity) in enumerate(units.items(), 1)
        ),
        **given,
    }
    return Fulfilment(number, f"IF{number}", **values)


@dataclass
class Shop:
    """One order in the store, its shipments, our links, and the letters that the shopper got."""

    order: Order
    shipments: dict[int, dict[str, Any]] = field(default_factory=dict)
    links: dict[str, int] = field(default_factory=dict)
    letters: int = 0

    @property
    def existing(self) -> list[Shipment]:
        """As GET shows them."""
        return [
            Shipment(
                number,
                body["order_address_id"],
                {row["order_product_id"]: row["quantity"] for row in body["items"]},
                body.get("tracking_number", ""),
                body.get("shipping_provider", ""),
                body.get("tracking_carrier", ""),
                body.get("tracking_link", ""),
                body.get("comments", ""),
            )
            for number, body in self.shipments.items()
        ]

    @property
    def units(self) -> dict[int, int]:
        """Shipped units by line."""
        return {one.id: one.quantity_shipped for one in self.order.lines if one.quantity_shipped}

    def plan(self, *fulfilments: Fulfilment, policy: ShipmentPolicy | None = None) -> ShipmentPlan:
        """What we would do now."""
        return plan_shipments(
            self.order, fulfilments, self.existing, self.links, STORE, policy or ShipmentPolicy()
        )

    def run(self, *fulfilments: Fulfilment, policy: ShipmentPolicy | None = None) -> ShipmentPlan:
        """Plan and carry out."""
        made = self.plan(*fulfilments, policy=policy)
        for action in made.actions:
            self.take(action)
        return made

    def take(self, action: ShipmentAction, *, noted: bool = True) -> None:
        """Carry out one action; not `noted` is a process that died before it heard of it."""
        body: dict[str, Any] = {**action.body}
        assert len(str(body.get("tracking_number", ""))) <= 50
        number = action.shipment_id
        if action.kind == "create":
            number = 3000 + len(self.shipments)
            self._ship(action.address_id, body)
            self.shipments[number] = body
            self.letters += 1
        elif action.kind == "update":
            assert number is not None
            assert "items" not in body
            self.shipments[number] = {**self.shipments[number], **body}
        if noted and number is not None:
            assert self.links.get(action.natural_key, number) == number
            self.links[action.natural_key] = number

    def enter(self, place: int, units: dict[int, int], **body: Any) -> int:
        """A shipment that somebody enters in the control panel."""
        items = [{"order_product_id": one, "quantity": units[one]} for one in units]
        made = {"order_address_id": place, "items": items, **body}
        self._ship(place, made)
        number = 3000 + len(self.shipments)
        self.shipments[number] = made
        return number

    def delete(self, number: int) -> None:
        """Somebody deletes a shipment, and its units are to be shipped again."""
        gone = {row["order_product_id"]: row["quantity"] for row in self.shipments.pop(number)["items"]}
        lines = (
            replace(one, quantity_shipped=one.quantity_shipped - gone.get(one.id, 0))
            for one in self.order.lines
        )
        self.order = replace(self.order, lines=tuple(lines))

    def _ship(self, place: int, body: dict[str, Any]) -> None:
        assert body["order_address_id"] == place
        assert body["items"]
        for row in body["items"]:
            (there,) = [one for one in self.order.lines if one.id == row["order_product_id"]]
            assert there.consignment_id == place
            assert 0 < row["quantity"] <= there.quantity - there.quantity_shipped
            now = replace(there, quantity_shipped=there.quantity_shipped + row["quantity"])
            self.order = replace(
                self.order, lines=tuple(now if one.id == now.id else one for one in self.order.lines)
            )
