"""`bcns demo`: stock kept in step on generated data, told step by step and checked from outside.

Put the story here: what happens in the two systems, which job runs, and what was promised of it. Do not put
here how a job works; the real ones run, in this process, on the sandbox in a process of its own. What the
demo promises is compared with the sandbox's own books (truth.py), and a broken promise is exit code 1.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bcns_pipeline.cli import local
from bcns_pipeline.cli.admin import verify_audit
from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.cli.demo_stage import LEVELS, Cast, Stage, choose, differing, told, verdict
from bcns_pipeline.cli.explain import explain_stock
from bcns_pipeline.cli.flows import dagster_instance, metadata_of
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.sandbox.launch import running
from bcns_pipeline.settings import load_settings

LATENCY_MS = 40
LOCATIONS = 2
FEWEST_SKUS = 500
BOUGHT = 3
TYPED_TOO_MUCH = 50
IN_STOCK = (10, 12, 8)
# NetSuite: its clock, changed stock, changed items, kit members. BigCommerce: one adjustment, one read-back.
FEW_CALLS = 6


def run_demo(skus: int) -> int:
    """The whole story; 0 when every promise was kept, else 1. Raises BadInput where it can't begin."""
    if skus < FEWEST_SKUS:
        raise BadInput([f"--skus {skus} is too few for the story; write {FEWEST_SKUS} or more."])
    began, program = time.monotonic(), Path(sys.argv[0]).absolute()
    where = Path.cwd()
    with local.private_home("demo") as home:
        say(f"Starting a BigCommerce and a NetSuite of {skus:,} SKUs in {LOCATIONS} locations ...")
        # BigCommerce's quota is for the bench to obey; here it would only make the reader wait.
        with running(
            skus=skus, locations=LOCATIONS, latency_ms=LATENCY_MS, stock="stale", arguments=["--quota", "0"]
        ) as sandbox:
            mapping = local.write_mapping(home, sandbox.locations)
            local.move_in(home, local.environment(home, mapping, sandbox.env, "demo"))
            say("Starting PostgreSQL ...")
            with dagster_instance() as instance:
                cast = choose(sandbox.control.books(), LOCATIONS, random.Random(1))  # noqa: S311 - no secret
                demo = Demo(sandbox, instance, cast=cast)
                demo.tell()
                kept = demo.conclude()
    say(f"\nDemo time: {time.monotonic() - began:.0f} s (installation not included).")
    if kept:
        ask = f"BCNS_HOME={os.path.relpath(home, where)} {os.path.relpath(program, where)}"
        say(f"Its database is still there to be asked: {ask} explain sku {cast.moved[0]}")
    return 0 if kept else 1


@dataclass(slots=True)
class Demo(Stage):
    """The steps, in their order."""

    cast: Cast = field(kw_only=True)

    def tell(self) -> None:
        """All of them."""
        self.first_load()
        self.an_ordinary_quarter_hour()
        self.the_night()
        self.a_kit()
        self.once_more()
        self.why()
        self.proof()

    def first_load(self) -> None:
        """Adopt what is right, push what is not."""
        self.title("The first load: what is right is adopted, what is not is pushed")
        before = self.lines()
        wrong = len(differing(before))
        say(f"The shop has {len(before):,} stock levels; {wrong:,} are not what NetSuite can sell.")
        result = self.run("inventory_reconciliation")
        sent = metadata_of(result, LEVELS).get("lines_sent")
        left = differing(self.lines())
        self.promise(f"all {len(before):,} levels are what NetSuite can sell", not left, told(left))
        self.promise(f"the {wrong:,} wrong ones were sent, and no other", sent == wrong, f"{sent} were sent")

    def an_ordinary_quarter_hour(self) -> None:
        """Stock moves, a shopper buys, somebody types a number into the shop."""
        cast = self.cast
        self.title("A quarter of an hour: receipts and counts, a shopper, and a number typed in by hand")
        places = [route["netsuite"] for route in self.sandbox.locations]
        self.control.adjust(
            [
                {"sku": sku, "location": places[number % len(places)], "delta": (-3, 5, 12, -1)[number % 4]}
                for number, sku in enumerate(cast.moved)
            ]
        )
        self.control.order(sku=cast.sold, quantity=BOUGHT, location_id=1)
        had = self.shows(cast.edited)
        self.control.edit(sku=cast.edited, location_id=1, quantity=had + TYPED_TOO_MUCH)
        say(f"Warehouse: {len(cast.moved)} items are received or counted in NetSuite.")
        say(f"Shopper:   buys {BOUGHT} of {cast.sold}; NetSuite has not heard of it.")
        say(f"Somebody:  sets {cast.edited} to {had + TYPED_TOO_MUCH:,} in the shop; NetSuite has {had:,}.")
        result = self.run("inventory_sync")
        self.show_changes(result)
        self.show_calls(result, FEW_CALLS)
        left = [line for line in differing(self.lines()) if line.sku not in (cast.sold, cast.edited)]
        self.promise("what moved in NetSuite is right in the shop", not left, told(left))

    def the_night(self) -> None:
        """The full run looks at every value in the store."""
        edited, sold = self.cast.edited, self.cast.sold
        self.title("The night's full run: the typed number is healed, the sale is reported and not undone")
        was = {sku: self.shows(sku) for sku in (edited, sold)}
        self.run("inventory_full_sync")
        now = {sku: self.shows(sku) for sku in was}
        should = {line.sku: line.should for line in self.lines() if line.location == 1}
        fate = {edited: "lowered: it would oversell", sold: "left: sold, and not in NetSuite yet"}
        show_table(
            ["sku", "NetSuite", "shop before", "shop after", ""],
            [(sku, should[sku], was[sku], now[sku], fate[sku]) for sku in was],
        )
        self.promise(f"{edited} is back at NetSuite's number", now[edited] == should[edited])
        self.promise(
            f"{sold} was not raised: the {BOUGHT} units stay sold", now[sold] == should[sold] - BOUGHT
        )
        with remembered(load_settings()) as state:
            drift = state.exceptions.find(code="STOCK_DRIFT")
        for one in drift:
            say(f"{one.code}: {one.message}")
        reported = any(sold in one.detail.get("skus", []) for one in drift)
        self.promise(f"{sold} is reported as sold or drifted", reported)

    def a_kit(self) -> None:
        """The order arrives in NetSuite, and a kit runs short of its members."""
        cast = self.cast
        self.title("The order reaches NetSuite, and a kit is counted by its members")
        self.control.post_order(sku=cast.sold, quantity=BOUGHT)
        place = self.sandbox.locations[0]["netsuite"]
        books = self.control.books()
        names = {item["item"]: item["sku"] for item in books["items"]}
        now = {one["item"]: one["available"] for one in books["levels"] if one["location"] == place}
        rows = []
        for (item, need), have in zip(cast.members, IN_STOCK, strict=True):
            self.control.adjust(item=item, location=place, delta=have - now.get(item, 0.0))
            rows.append((names[item], f"{need:g}", have, have // int(need)))
        show_table([f"members of {cast.kit}", "needed for one", "in stock", "enough for"], rows)
        enough = min(int(row[3]) for row in rows)
        self.run("inventory_sync")
        shows = self.shows(cast.kit)
        self.promise(f"the shop sells {enough} of {cast.kit}", shows == enough, f"it shows {shows}")
        left = differing(self.lines())
        self.promise("everything else is in step again, the sale included", not left, told(left))

    def once_more(self) -> None:
        """Nothing has changed, so nothing is written."""
        self.title("And again: nothing has changed, so nothing is written")
        for job in ("inventory_sync", "inventory_full_sync"):
            self.run(job)
            calls, writes = self.calls(), self.writes()
            self.promise(
                f"{job}: {len(calls)} calls and {len(writes)} writes in the sandbox's own log", not writes
            )

    def why(self) -> None:
        """One number, explained."""
        kit = self.cast.kit
        self.title(f"Why is it {self.shows(kit)}?  $ bcns explain sku {kit}")
        self.promise(f"{kit} can be explained", explain_stock(kit, None) == 0)

    def proof(self) -> None:
        """The audit chain, recomputed."""
        self.title("Is it all on record?  $ bcns audit verify")
        self.promise("the audit chain holds", verify_audit(None) == 0)

    def conclude(self) -> bool:
        """Checks, open questions and promises; whether all promises were kept."""
        self.title("What Dagster's checks say")
        self.show_checks()
        failed = [name for (_, name), found in self.checks.items() if verdict(found).plain == "FAILED"]
        self.promise("no check found an error", not failed, ", ".join(failed))
        with remembered(load_settings()) as state:
            counts = Counter((one.code, one.severity, one.owner) for one in state.exceptions.find())
        say("Open questions (the generated catalogue has its oddities, as real ones have):")
        show_table(
            ["code", "severity", "owner", "how many"], [(*key, n) for key, n in sorted(counts.items())]
        )
        return self.all_kept()
