"""The demo's chapter on stock: a first load, an ordinary quarter of an hour, the night, and a kit.

Put here what happens to stock in the two systems, which job runs, and what was promised of it. Do not put
orders here, but for the one whose stock is watched (demo_orders.py).
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.cli.demo_stage import LEVELS, Stage, differing, told
from bcns_pipeline.cli.flows import metadata_of
from bcns_pipeline.settings import load_settings

BOUGHT = 3
TYPED_TOO_MUCH = 50
IN_STOCK = (10, 12, 8)
MOVED = 30
ENOUGH = 10
# NetSuite: its clock, changed stock, changed items, kit members. BigCommerce: one adjustment, one read-back; and the
# store's clock and changed orders, before the plan and after the push.
FEW_CALLS = 10


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays which part; SKUs, and for the kit its members as (NetSuite item, needed)."""

    moved: list[str]
    sold: str
    edited: str
    kit: str
    members: list[tuple[int, float]]


def choose(books: dict[str, Any], locations: int, dice: random.Random) -> Cast:
    """SKUs with stock everywhere, members of kits left out, so that each part is played by one alone."""
    in_kits = {member["item"] for member in books["members"]}
    stocked = Counter(one["item"] for one in books["levels"] if (one["available"] or 0) >= ENOUGH)
    plain = [
        item["sku"]
        for item in books["items"]
        if item["type"] == "InvtPart"
        and item["matrix"] != "PARENT"
        and stocked[item["item"]] == locations
        and item["item"] not in in_kits
    ]
    middle = len(plain) // 2
    sold, edited = plain[middle], plain[middle + 1]
    kit = next(item for item in books["items"] if item["type"] == "Kit")
    members = [(one["item"], one["quantity"]) for one in books["members"] if one["kit"] == kit["item"]]
    moved = dice.sample([sku for sku in plain if sku not in (sold, edited)], MOVED)
    return Cast(moved, sold, edited, kit["sku"], members)


@dataclass(slots=True)
class Stock:
    """The chapter; `cast` are the SKUs that play in it."""

    stage: Stage
    cast: Cast

    def tell(self) -> None:
        """All of it."""
        self.first_load()
        self.an_ordinary_quarter_hour()
        self.the_night()
        self.a_kit()
        self.once_more()

    def first_load(self) -> None:
        """Adopt what is right, push what is not."""
        self.stage.title("The first load: what is right is adopted, what is not is pushed")
        before = self.stage.lines()
        wrong = len(differing(before))
        say(f"The shop has {len(before):,} stock levels; {wrong:,} are not what NetSuite can sell.")
        result = self.stage.run("inventory_reconciliation")
        sent = metadata_of(result, LEVELS).get("lines_sent")
        left = differing(self.stage.lines())
        self.stage.promise(f"all {len(before):,} levels are what NetSuite can sell", not left, told(left))
        self.stage.promise(
            f"the {wrong:,} wrong ones were sent, and no other", sent == wrong, f"{sent} were sent"
        )

    def an_ordinary_quarter_hour(self) -> None:
        """Stock moves, a shopper buys, somebody types a number into the shop."""
        cast = self.cast
        self.stage.title(
            "A quarter of an hour: receipts and counts, a shopper, and a number typed in by hand"
        )
        places = [route["netsuite"] for route in self.stage.sandbox.locations]
        self.stage.control.adjust(
            [
                {"sku": sku, "location": places[number % len(places)], "delta": (-3, 5, 12, -1)[number % 4]}
                for number, sku in enumerate(cast.moved)
            ]
        )
        self.stage.control.shop_order(lines=[{"sku": cast.sold, "quantity": BOUGHT}], location_id=1)
        had = self.stage.shows(cast.edited)
        self.stage.control.edit(sku=cast.edited, location_id=1, quantity=had + TYPED_TOO_MUCH)
        say(f"Warehouse: {len(cast.moved)} items are received or counted in NetSuite.")
        say(f"Shopper:   buys {BOUGHT} of {cast.sold}; NetSuite has not heard of it.")
        say(f"Somebody:  sets {cast.edited} to {had + TYPED_TOO_MUCH:,} in the shop; NetSuite has {had:,}.")
        result = self.stage.run("inventory_sync")
        self.stage.show_changes(result)
        self.stage.show_calls(result, FEW_CALLS)
        left = [line for line in differing(self.stage.lines()) if line.sku not in (cast.sold, cast.edited)]
        self.stage.promise("what moved in NetSuite is right in the shop", not left, told(left))

    def the_night(self) -> None:
        """The full run looks at every value in the store."""
        edited, sold = self.cast.edited, self.cast.sold
        self.stage.title("The night's full run: the typed number is healed, the sale is known and not undone")
        was = {sku: self.stage.shows(sku) for sku in (edited, sold)}
        self.stage.run("inventory_full_sync")
        now = {sku: self.stage.shows(sku) for sku in was}
        should = {line.sku: line.should for line in self.stage.lines() if line.location == 1}
        fate = {edited: "lowered: it would oversell", sold: "left: its order is not in NetSuite yet"}
        show_table(
            ["sku", "NetSuite", "shop before", "shop after", ""],
            [(sku, should[sku], was[sku], now[sku], fate[sku]) for sku in was],
        )
        self.stage.promise(f"{edited} is back at NetSuite's number", now[edited] == should[edited])
        self.stage.promise(
            f"{sold} was not raised: the {BOUGHT} units stay sold", now[sold] == should[sold] - BOUGHT
        )
        with remembered(load_settings()) as state:
            drift = state.exceptions.find(code="STOCK_DRIFT")
        accused = any(sold in one.detail.get("skus", []) for one in drift)
        self.stage.promise(
            f"{sold} is not taken for drift: the {BOUGHT} units are those of an order", not accused
        )

    def a_kit(self) -> None:
        """The order flow brings the sale to NetSuite, and a kit runs short of its members."""
        cast = self.cast
        self.stage.title("The sale reaches NetSuite, and a kit is counted by its members")
        self.stage.run("order_sync")
        place = self.stage.sandbox.locations[0]["netsuite"]
        books = self.stage.control.books()
        names = {item["item"]: item["sku"] for item in books["items"]}
        now = {one["item"]: one["available"] for one in books["levels"] if one["location"] == place}
        rows = []
        for (item, need), have in zip(cast.members, IN_STOCK, strict=True):
            self.stage.control.adjust(item=item, location=place, delta=have - now.get(item, 0.0))
            rows.append((names[item], f"{need:g}", have, have // int(need)))
        show_table([f"members of {cast.kit}", "needed for one", "in stock", "enough for"], rows)
        enough = min(int(row[3]) for row in rows)
        self.stage.run("inventory_sync")
        shows = self.stage.shows(cast.kit)
        self.stage.promise(f"the shop sells {enough} of {cast.kit}", shows == enough, f"it shows {shows}")
        left = differing(self.stage.lines())
        self.stage.promise("everything else is in step again, the sale included", not left, told(left))

    def once_more(self) -> None:
        """Nothing has changed, so nothing is written."""
        self.stage.title("And again: nothing has changed, so nothing is written")
        for job in ("inventory_sync", "inventory_full_sync"):
            self.stage.run(job)
            calls, writes = self.stage.calls(), self.stage.writes()
            self.stage.promise(
                f"{job}: {len(calls)} calls and {len(writes)} writes in the sandbox's own log", not writes
            )
