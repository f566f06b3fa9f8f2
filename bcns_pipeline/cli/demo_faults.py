"""The demo's chapter on what goes wrong: a script that changes a record, and a run that is killed.

Put here the accidents between the systems, and what was promised of them. Do not put here what people do on a good
day (demo_orders.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from decimal import Decimal

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.cli.demo_books import Books, unequal
from bcns_pipeline.cli.demo_orders import amount, total
from bcns_pipeline.cli.demo_stage import Stage
from bcns_pipeline.cli.local_orders import rounding_cent
from bcns_pipeline.settings import load_settings

WAITING = 8
# How many sales orders are through before the answer to the next one never comes.
BEFORE_THE_KILL = 2
# NetSuite makes the order, and the connection stays silent.
SILENCE = {
    "system": "netsuite",
    "method": "POST",
    "path_regex": "record/v1/salesOrder",
    "kind": "timeout",
    "after_commit": True,
    "skip": BEFORE_THE_KILL,
    "times": 1,
}
WAIT_SECONDS = 60.0


@dataclass(slots=True)
class Faults:
    """The chapter."""

    stage: Stage

    @property
    def books(self) -> Books:
        """Both sides."""
        return Books(self.stage.sandbox)

    def tell(self) -> None:
        """All of it."""
        self.killed_in_the_middle()
        self.drift()

    def killed_in_the_middle(self) -> None:
        """kill -9 of a run while NetSuite is making an order; the next run goes on, and doubles nothing."""
        control = self.stage.control
        self.stage.title(f"{WAITING} orders wait; the run that posts them is killed in the middle (kill -9)")
        placed = list(control.shop_orders(WAITING, restock=True, returning=0.25))
        control.faults(SILENCE)
        child = subprocess.Popen([sys.executable, "-m", "bcns_pipeline.cli.demo_run", "order_sync"])
        try:
            deadline = time.monotonic() + WAIT_SECONDS
            while control.call("GET", "/faults") and child.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            was_running = child.poll() is None
        finally:
            child.kill()
            child.wait()
        control.clear_faults()
        there = [one for one in self.books.pairs(placed) if one.records]
        with remembered(load_settings()) as state:
            unknown = state.outbox.find(flow="orders", states=("sending", "ambiguous"))
            known = [one for one in state.orders.many(placed).values() if one.netsuite_id]
        say(f"Process {child.pid} of {os.getpid()} is dead. In NetSuite: {len(there)} of {WAITING} orders;")
        say(f"ours knows of {len(known)}, and of {len(unknown)} writes it can't know whether they happened.")
        self.stage.promise("it died while NetSuite was at work", was_running and len(there) < WAITING)
        self.stage.run("order_sync")
        pairs = self.books.pairs(placed)
        self.stage.promise(
            f"the next run finished it: all {WAITING} are there once, equal to the cent",
            all(one.equal for one in pairs),
            unequal(pairs),
        )
        doubled = self.books.customers_made_twice()
        self.stage.promise("and no customer twice", not doubled, ", ".join(doubled))
        with remembered(load_settings()) as state:
            left = state.outbox.find(flow="orders", states=("planned", "sending", "ambiguous"))
        self.stage.promise("nothing is left open", not left, f"{len(left)} operations are")

    def drift(self) -> None:
        """Somebody's user-event script adds a cent after our save; the read-back finds it."""
        control = self.stage.control
        self.stage.title("A user-event script in NetSuite adds a cent to an order after it was saved")
        control.script(on="salesOrder", add=rounding_cent(self.stage.sandbox.accounting), times=1)
        order = int(control.shop_order("plain", restock=True)["id"])
        self.stage.run("order_sync")
        control.script(clear=True)
        pair = self.books.pair(order)
        show_table(
            ["order", "charged", "NetSuite total", "difference"],
            [(str(order), amount(pair), total(pair), str(pair.difference))],
        )
        with remembered(load_settings()) as state:
            asked = state.exceptions.find(code="ORDER_TOTAL_DRIFT")
        for one in asked:
            say(f"{one.code}, for {one.owner}: {one.message}")
        self.stage.meant_to_fail.add("totals_are_equal")
        caught = [one.subject for one in asked] == [f"order:{order}"] and pair.difference == Decimal("0.01")
        self.stage.promise("the drift of one cent is caught, and no other order is accused", caught)
