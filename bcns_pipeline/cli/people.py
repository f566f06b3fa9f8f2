"""Shoppers, office and warehouse of the sandbox, for `bcns dev`: seeded, gentle, and never in a hurry.

Put here what people do with goods, and how often anybody does anything; what is done with money is in people_money.py.
Do not put here how the two systems react (sandbox/shop_events.py,
sandbox/office_events.py), and nothing that the pipeline is there for: nobody carries an order from one system into
the other by hand. Now and then somebody types a number into the shop that is nobody's business.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bcns_pipeline.cli import people_money
from bcns_pipeline.sandbox.launch import Control, SandboxFailed

# Between two things that somebody does, in seconds.
PAUSE = (2.0, 7.0)
# From checkout to the warehouse's door, where the order is in NetSuite by then; else it is looked for again later.
SHIPPED_AFTER = (60.0, 180.0)
AGAIN_AFTER = 30.0
# A carrier's number that comes late, a deposit, and a new item's master data.
LATE_AFTER = (40.0, 120.0)
IN_PARTS, TRACKED_LATE = 0.2, 0.25
# Shoppers want few things much, and everything else a little.
FAVOURITES = 60
SHARES = {"order": 46, "awkward": 10, "edit": 4, "refund": 3, "receipt": 18, "count": 18, "hand_edit": 3}
# A provider's day, and what follows it: seconds between payouts, until they are approved, and until the bank tells.
PAYDAY, APPROVED_AFTER, STATED_AFTER, CLOSED_AFTER = (240.0, 360.0), 150.0, 170.0, 230.0
BY_PAYPAL = 0.4
CARRIERS = {
    "UPS Ground": "1Z999AA1{:010d}",
    "FedEx Ground": "6129{:08d}",
    "USPS Priority Mail": "9400111{:015d}",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """Something that somebody will do: when (`time.monotonic`), what in a word, to which order, with what."""

    at: float
    what: str
    order: int
    about: Any = None


@dataclass(slots=True)
class People:
    """Everybody. `say` gets one line per thing done; `routes` are the sandbox's locations, one to one.

    `store` is the store's hash: by it people find a shop's order in NetSuite.
    """

    control: Control
    routes: Sequence[Mapping[str, int]]
    store: str
    seed: int
    say: Callable[[str], None]
    # The controller asks for the evidence of the day and the month.
    close: Callable[[], None] = lambda: None
    dice: random.Random = field(init=False)
    skus: list[str] = field(init=False)
    kinds: list[str] = field(init=False)
    plans: list[Plan] = field(default_factory=list)
    # What was bought, by order: lines with id and quantity.
    bought: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    # Of those that were shipped, the ones of which nothing came back yet.
    shipped: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - shoppers, not secrets
        self.skus = stocked_skus(self.control.books())
        self.dice.shuffle(self.skus)
        self.kinds = list(self.control.shop_kinds())

    def live(self, stop: threading.Event) -> None:
        """Do one thing after the other until `stop`; the sandbox going first is no fault of ours."""
        self.plans.append(Plan(time.monotonic() + self.dice.uniform(*PAYDAY), "payday", 0))
        while not stop.wait(self.dice.uniform(*PAUSE)):
            try:
                self.keep_promises(time.monotonic())
                self.act(time.monotonic())
            except OSError:
                if not stop.is_set():
                    raise

    def act(self, now: float) -> None:
        """One thing, drawn by the shares."""
        what = self.dice.choices(list(SHARES), weights=list(SHARES.values()))[0]
        place = self.dice.choice(self.routes)
        match what:
            case "order":
                self._order(now)
            case "awkward":
                self._awkward(now)
            case "edit":
                self._cancel_a_unit()
            case "refund":
                self._give_back()
            case "receipt":
                self._move(place, "receives", lambda: self.dice.randint(5, 40))
            case "count":
                self._move(place, "counts", lambda: self.dice.choice((-4, -3, -2, -1, 1, 2)))
            case "hand_edit":
                self._edit(place)

    def keep_promises(self, now: float) -> None:
        """Everything whose time has come: parcels leave, numbers and deposits arrive, providers pay out."""
        for due in [one for one in self.plans if one.at <= now]:
            self.plans.remove(due)
            match due.what:
                case "ship":
                    self._ship(now, due)
                case "track":
                    number = self._number(due.about["carrier"])
                    self.control.track(due.about["fulfilment"], number)
                    self.say(f"the carrier's number for order {due.order} comes: {number}")
                case "pay":
                    self.control.pay_order(due.order)
                    self.say(f"the deposit for order {due.order} has come")
                case "born":
                    self.control.item(sku=due.about, create=True)
                    self.say(f"{due.about} is created in NetSuite; order {due.order} can go")
                case "payday":
                    self._payday(now)
                case "approve":
                    people_money.approve(self.control, self.say)
                case "statement":
                    people_money.state_account(self.control, self.say)
                case "close":
                    self.say("the controller asks for the evidence of the day and the month")
                    self.close()

    # -- shoppers --------------------------------------------------------------------------------------------

    def _order(self, now: float) -> None:
        often = self.dice.random() < 0.5
        sku = self.dice.choice(self.skus[:FAVOURITES] if often else self.skus)
        quantity = self.dice.randint(1, 3)
        # BigCommerce takes stock from its default location, which the first warehouse feeds.
        line = {"sku": sku, "quantity": quantity}
        told = f"{quantity} of {sku}"
        kind = self.dice.choice(("plain", "guest"))
        payment = "paypal" if self.dice.random() < BY_PAYPAL else "card"
        place = self.routes[0]["bigcommerce"]
        self._place(now, kind, told, lines=[line], location_id=place, payment=payment)

    def _awkward(self, now: float) -> None:
        kind = self.dice.choice(self.kinds)
        order = self._place(now, kind, kind.replace("_", " "))
        if order is None:
            return
        if kind == "awaiting_payment":
            self._later(now, "pay", order["id"])
        if kind == "unmapped_sku":
            born = next(line["sku"] for line in order["lines"] if line["sku"].startswith("NEW-"))
            self._later(now, "born", order["id"], born)

    def _place(self, now: float, kind: str, told: str, **order: Any) -> dict[str, Any] | None:
        try:
            placed: dict[str, Any] = self.control.shop_order(kind, **order)
        except SandboxFailed:
            self.say(f"a shopper would have liked {told}: sold out")
            return None
        self.plans.append(Plan(now + self.dice.uniform(*SHIPPED_AFTER), "ship", placed["id"]))
        self.bought[placed["id"]] = placed["lines"]
        self.say(f"order {placed['id']} in the shop: {told}, {placed['total']} {placed['currency']}")
        return placed

    def _later(self, now: float, what: str, order: int, about: Any = None) -> None:
        self.plans.append(Plan(now + self.dice.uniform(*LATE_AFTER), what, order, about))

    def _cancel_a_unit(self) -> None:
        waiting = {one.order for one in self.plans if one.what == "ship" and one.about is None}
        several = [
            (order, line)
            for order, lines in self.bought.items()
            if order in waiting
            for line in lines
            if line["quantity"] > 1
        ]
        if not several:
            return
        order, line = self.dice.choice(several)
        try:
            self.control.cancel_units(order, 1, line_id=line["id"])
        except SandboxFailed as no:
            self.say(f"a shopper would have liked to take a unit off order {order}: {no}")
            return
        line["quantity"] -= 1
        self.say(f"a shopper takes one unit off order {order}")

    def _give_back(self) -> None:
        """One unit of an order that was shipped comes back, and its money goes."""
        if not self.shipped:
            return
        order = self.shipped.pop(self.dice.randrange(len(self.shipped)))
        line = self.bought[order][0]["id"]
        try:
            made = self.control.refund_order(order, lines=[{"line_id": line, "quantity": 1}])
        except SandboxFailed as no:
            self.say(f"a shopper would have liked money back for order {order}: {no}")
            return
        self.say(f"a unit of order {order} comes back: {made['total_amount']} are refunded in the shop")

    # -- money -----------------------------------------------------------------------------------------------

    def _payday(self, now: float) -> None:
        people_money.pay_out(self.control, self.say)
        for what, after in (
            ("approve", APPROVED_AFTER),
            ("statement", STATED_AFTER),
            ("close", CLOSED_AFTER),
            ("payday", self.dice.uniform(*PAYDAY)),
        ):
            self.plans.append(Plan(now + after, what, 0))

    # -- the warehouse ---------------------------------------------------------------------------------------

    def _ship(self, now: float, due: Plan) -> None:
        """All that is committed, or one unit first; an order that is not in NetSuite yet is looked for later."""
        found = self.control.transactions(externalid=f"bc-{self.store}-order-{due.order}", type="salesOrder")
        open_lines = [line for one in found for line in one["lines"] if float(line["committed"]) > 0]
        if not open_lines:
            # What will never be there (a declined card) is looked for until the sandbox ends, at next to no cost.
            self.plans.append(Plan(now + AGAIN_AFTER, "ship", due.order))
            return
        carrier = self.dice.choice(list(CARRIERS))
        units = sum(float(line["committed"]) for line in open_lines)
        parts = units > 1 and due.about is None and self.dice.random() < IN_PARTS
        late = self.dice.random() < TRACKED_LATE
        body: dict[str, Any] = {"carrier": carrier}
        if parts:
            body["lines"] = [{"line": open_lines[0]["line"], "quantity": 1}]
        if not late:
            body["tracking"] = self._number(carrier)
        try:
            made = self.control.fulfil(found[0]["id"], **body)
        except SandboxFailed:
            self.plans.append(Plan(now + AGAIN_AFTER, "ship", due.order))
            return
        if not parts and due.order in self.bought:
            self.shipped.append(due.order)
        self.say(
            f"the warehouse ships {'a part of ' if parts else ''}order {due.order} with {carrier}"
            + (", the number comes later" if late else "")
        )
        if parts:
            self.plans.append(Plan(now + self.dice.uniform(*SHIPPED_AFTER), "ship", due.order, "the rest"))
        if late:
            self._later(now, "track", due.order, {"fulfilment": int(made["fulfilment"]), "carrier": carrier})

    def _number(self, carrier: str) -> str:
        return CARRIERS[carrier].format(self.dice.randrange(10**8))

    def _move(self, place: Mapping[str, int], verb: str, amount: Callable[[], int]) -> None:
        chosen = self.dice.sample(self.skus, self.dice.randint(1, 4))
        changes = [{"sku": sku, "location": place["netsuite"], "delta": amount()} for sku in chosen]
        self.control.adjust(changes)
        told = ", ".join(f"{change['sku']} {change['delta']:+d}" for change in changes)
        self.say(f"warehouse {place['netsuite']} {verb} {told}")

    def _edit(self, place: Mapping[str, int]) -> None:
        sku, location = self.dice.choice(self.skus), place["bigcommerce"]
        has = int(self.control.inventory(sku)[0]["on_hand"][str(location)])
        self.control.edit(sku=sku, location_id=location, quantity=has + 20)
        self.say(f"somebody sets {sku} to {has + 20:,} by hand in the shop (it had {has:,})")


def stocked_skus(books: Mapping[str, Any]) -> list[str]:
    """Item numbers of plain items that are there under one number, kept in stock, and sold."""
    stocked = {level["item"] for level in books["levels"]}
    return [
        item["sku"]
        for item in books["items"]
        if item["item"] in stocked and item["sku"].startswith("SKU-") and not item["inactive"]
    ]
