"""The demo's chapter on parcels: what the warehouse ships in NetSuite, and what shoppers see of it.

Put here what the warehouse does and what was promised of it. Do not put orders here (demo_orders.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.cli.demo_books import Books
from bcns_pipeline.cli.demo_stage import Stage
from bcns_pipeline.cli.demo_stock import Cast

SHIPPED, PARTLY = 2, 3
WHOLE, HALF, TWO_PLACES, LATE = "whole", "in two parts", "to two addresses", "tracking comes later"
TRACKING = {WHOLE: "1Z999AA10123456784", HALF: "9400111899223100001", LATE: "JD014600006281230704"}
LOST = {
    "system": "bigcommerce",
    "kind": "reset_after",
    "method": "POST",
    "path_regex": "/shipments",
    "times": 1,
}


@dataclass(slots=True)
class Shipping:
    """The chapter; orders by how they are shipped."""

    stage: Stage
    cast: Cast
    placed: dict[str, int] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    fulfilments: dict[str, int] = field(default_factory=dict)

    def tell(self) -> None:
        """Shipped, the rest of it, and nothing new."""
        self.first_parcels()
        self.the_rest()

    def first_parcels(self) -> None:
        """Four orders leave the warehouse, one of them in part, one without a number yet."""
        self.stage.title(
            "The warehouse ships in NetSuite; the store's answer to one of the shipments is lost"
        )
        control, (one, other) = self.stage.control, self.cast.moved[:2]
        lines = [
            {"sku": one, "quantity": 2, "price": "12.50"},
            {"sku": other, "quantity": 1, "price": "5.00"},
        ]
        for name in (WHOLE, HALF, LATE):
            self.placed[name] = int(control.shop_order(lines=lines, restock=True)["id"])
        apart = [{**lines[0], "to": 0}, {**lines[1], "to": 1}]
        self.placed[TWO_PLACES] = int(control.shop_order("multi_address", lines=apart, restock=True)["id"])
        self.stage.run("order_sync")
        for name, pair in zip(
            self.placed, Books(self.stage.sandbox).pairs(self.placed.values()), strict=True
        ):
            self.records[name] = int(pair.record["id"]) if pair.record else 0
        control.fulfil(self.records[WHOLE], tracking=TRACKING[WHOLE], carrier="UPS Ground")
        half = [{"sku": one, "quantity": 1}]
        control.fulfil(self.records[HALF], lines=half, tracking=TRACKING[HALF], carrier="USPS Priority Mail")
        control.fulfil(self.records[TWO_PLACES], carrier="FedEx Ground")
        self.fulfilments[LATE] = int(control.fulfil(self.records[LATE])["fulfilment"])
        control.faults(LOST)
        self.stage.run("fulfilment_sync")
        self._show()
        promise, shown = self.stage.promise, self._shown()
        promise(
            "the tracking number is on the order",
            [one["tracking_number"] for one in shown[WHOLE]["shipments"]] == [TRACKING[WHOLE]],
        )
        places = {one["order_address_id"] for one in shown[TWO_PLACES]["shipments"]}
        promise(
            "each address has a shipment of its own", len(places) == len(shown[TWO_PLACES]["shipments"]) == 2
        )
        promise("shipped in part is Partially Shipped", shown[HALF]["status_id"] == PARTLY)
        doubled = [name for name in (WHOLE, HALF, LATE) if len(shown[name]["shipments"]) != 1]
        promise("the lost answer made no second shipment", not doubled, ", ".join(doubled))

    def the_rest(self) -> None:
        """The other half, and the number that came later; then nothing more."""
        self.stage.title("The rest leaves, a tracking number comes late, and then nothing is new")
        control = self.stage.control
        control.fulfil(self.records[HALF], tracking="9400111899223100002", carrier="USPS Priority Mail")
        control.track(self.fulfilments[LATE], TRACKING[LATE])
        self.stage.run("fulfilment_sync")
        self._show()
        promise, shown = self.stage.promise, self._shown()
        left = [name for name in shown if shown[name]["status_id"] != SHIPPED]
        promise("all four orders are Shipped", not left, ", ".join(left))
        late = shown[LATE]["shipments"]
        promise(
            "the late number reached the shipment, and the shopper got one e-mail",
            [(one["tracking_number"], one["emails"]) for one in late] == [(TRACKING[LATE], 1)],
        )
        self.stage.run("fulfilment_sync")
        calls, writes = self.stage.calls(), self.stage.writes()
        promise(f"fulfilment_sync once more: {len(calls)} calls and {len(writes)} writes", not writes)

    def _shown(self) -> dict[str, dict[str, Any]]:
        """The orders as the store has them, by how they are shipped."""
        found = {int(one["id"]): one for one in self.stage.control.shop_state(*self.placed.values())}
        return {name: dict(found[order_id]) for name, order_id in self.placed.items()}

    def _show(self) -> None:
        rows = [
            (str(one["id"]), name, one["status"], len(one["shipments"]), *numbers(one["shipments"]))
            for name, one in self._shown().items()
        ]
        show_table(["order", "shipped", "status", "shipments", "tracking", "e-mails to the shopper"], rows)
        say("Each shipment's id stands on its fulfilment in NetSuite.")


def numbers(shipments: Iterable[dict[str, Any]]) -> tuple[str, int]:
    """Tracking numbers, and e-mails sent."""
    some = list(shipments)
    return ", ".join(one["tracking_number"] or "none yet" for one in some), sum(one["emails"] for one in some)
