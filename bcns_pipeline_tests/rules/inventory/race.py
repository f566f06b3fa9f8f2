"""The race for the last units: shoppers, an order queue with delays, receipts and counts, and stock runs between them.

Put the model here, and nothing that is expected of it. The numbers that are pushed come from the product's own rules;
which orders count, what is read again and when it is counted once more follows defs/inventory step by step. Time is in
seconds. A store sells what it shows; a unit is oversold when orders exceed what is on the shelf.

Kits are left out: NetSuite has one stock for a kit and its members and BigCommerce has two, so between two runs the
same unit can be bought as both, whatever is pushed.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from bcns_pipeline.rules.inventory.diff import diff
from bcns_pipeline.rules.inventory.frames import no_members
from bcns_pipeline.rules.inventory.netting import demand
from bcns_pipeline.rules.inventory.policy import make_policy
from bcns_pipeline.rules.inventory.quantities import QUANTITY_SCALE, TERMS
from bcns_pipeline.rules.inventory.sellable import sellable

PLACE: Final = 1
POLICY: Final = make_policy([([PLACE], PLACE)])


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast things happen, in seconds: means of random times but for the cadence."""

    cadence: float = 900.0
    overlap: float = 900.0
    reading: float = 4.0
    # Orders counted, lines written down, one adjustment sent; then the store applies it.
    sending: float = 1.0
    applying: float = 0.3
    looking: float = 1.0
    between_orders: float = 90.0
    posting: float = 300.0
    stuck: float = 4 * 3600.0
    share_stuck: float = 0.1
    between_movements: float = 400.0


@dataclass(slots=True)
class Order:
    """Units of one item, and when NetSuite had them (None = not yet)."""

    item: int
    units: int
    placed: float
    posted: float | None = None


@dataclass(slots=True)
class Outcome:
    """What came of it, in units. `oversold` is the fault of what was pushed.

    `stale`: sold before a run could see that a count had found less. `in_flight`: sold again because an order came
    while an adjustment was on its way. `not_exact`: levels that a run left wrong although nothing had happened to the
    item since the run began.
    """

    orders: int = 0
    pushes: int = 0
    oversold: int = 0
    stale: int = 0
    in_flight: int = 0
    not_exact: int = 0
    turned_away: int = 0


@dataclass(slots=True)
class World:
    """Both systems, and what we remember of them."""

    netting: bool
    pace: Pace
    dice: random.Random
    items: range
    shelf: Counter[int] = field(default_factory=Counter)
    shows: Counter[int] = field(default_factory=Counter)
    moved: dict[int, float] = field(default_factory=dict)  # NetSuite's availability changed last
    happened: dict[int, float] = field(default_factory=dict)  # anything happened to the item last
    orders: list[Order] = field(default_factory=list)
    ordered: Counter[int] = field(default_factory=Counter)
    committed: Counter[int] = field(default_factory=Counter)
    confirmed: dict[int, int] = field(default_factory=dict)
    behind: dict[int, float] = field(default_factory=dict)  # NetSuite's last change behind `confirmed`
    netted: dict[int, int] = field(default_factory=dict)
    watermark: float = float("-inf")
    found_less: Counter[int] = field(default_factory=Counter)
    wiped_out: Counter[int] = field(default_factory=Counter)
    outcome: Outcome = field(default_factory=Outcome)
    queue: list[tuple[float, int, Callable[[float], None]]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def at(self, time: float, what: Callable[[float], None]) -> None:
        heapq.heappush(self.queue, (time, next(self.numbers), what))

    def wait(self, mean: float) -> float:
        return self.dice.expovariate(1 / mean)

    def promised(self, item: int) -> int:
        return self.ordered[item]

    def available(self, item: int) -> int:
        """NetSuite's own number."""
        return self.shelf[item] - self.committed[item]

    # -- the shop and the warehouse ------------------------------------------------------------------------------

    def shopper(self, now: float) -> None:
        self.at(now + self.wait(self.pace.between_orders), self.shopper)
        item, units = self.dice.choice(self.items), self.dice.choice((1, 1, 1, 2))
        if self.shows[item] < units:
            self.outcome.turned_away += 1
            return
        short = max(0, self.promised(item) - self.shelf[item])
        order = Order(item, units, now)
        self.orders.append(order)
        self.ordered[item] += units
        self.shows[item] -= units
        self.happened[item] = now
        self.outcome.orders += 1
        more = max(0, self.promised(item) - self.shelf[item]) - short
        for why in (self.found_less, self.wiped_out):
            part = min(more, why[item])
            why[item] -= part
            more -= part
            if why is self.found_less:
                self.outcome.stale += part
            else:
                self.outcome.in_flight += part
        self.outcome.oversold += more
        slow = self.dice.random() < self.pace.share_stuck
        self.at(
            now + self.wait(self.pace.stuck if slow else self.pace.posting), lambda t: self.post(order, t)
        )

    def post(self, order: Order, now: float) -> None:
        order.posted = now
        self.committed[order.item] += order.units
        self.moved[order.item] = self.happened[order.item] = now

    def warehouse(self, now: float) -> None:
        """Goods arrive, or a count finds some more, the same, or fewer."""
        self.at(now + self.wait(self.pace.between_movements), self.warehouse)
        item = self.dice.choice(self.items)
        by = self.dice.choice((3, 2, 1, 0, 0, -1))
        if by < 0 and self.shelf[item] <= self.promised(item):
            by = 0
        self.shelf[item] += by
        self.found_less[item] += max(0, -by)
        self.moved[item] = self.happened[item] = now

    # -- our runs ------------------------------------------------------------------------------------------------

    def run(self, now: float) -> None:
        """Read; then count orders, plan and send; then look once more."""
        self.at(now + self.pace.cadence, self.run)
        since = self.watermark - self.pace.overlap
        counted = self.sold(now, None)
        again = {item for item, units in self.netted.items() if counted[item] < units}
        read = [item for item in self.items if self.moved.get(item, 0.0) >= since or item in again]
        at = now + self.wait(self.pace.reading)

        def reading(then: float) -> None:
            levels = {item: (self.available(item), self.moved.get(item, 0.0)) for item in read}
            less = Counter(self.found_less)
            self.at(then + self.wait(self.pace.reading), lambda t: self.plan(now, levels, less, t))

        self.at(at, reading)

    def sold(self, now: float, since: float | None) -> Counter[int]:
        """`unposted_units` at this moment."""
        found: Counter[int] = Counter()
        for one in self.orders:
            if one.placed <= now and (one.posted is None or (since is not None and one.posted >= since)):
                found[one.item] += one.units
        return found if self.netting else Counter()

    def plan(
        self, began: float, levels: dict[int, tuple[int, float]], less: Counter[int], now: float
    ) -> None:
        sold = self.sold(now, began)
        wanted = self.computed(levels, sold)
        for item in levels:
            self.netted[item] = sold[item]
        known = pd.DataFrame(
            {
                "item_id": np.array(sorted(self.confirmed), dtype=np.int64),
                "location_id": np.full(len(self.confirmed), PLACE, dtype=np.int64),
                "confirmed": np.array(
                    [self.confirmed[item] for item in sorted(self.confirmed)], dtype=np.int64
                ),
            }
        )
        found = diff(wanted, known)
        lines = dict(
            zip(
                found.loc[found["push"], "item_id"].tolist(),
                found.loc[found["push"], "new"].tolist(),
                strict=True,
            )
        )
        applied = now + self.wait(self.pace.sending) + self.pace.applying
        self.at(applied, lambda t: self.apply(began, lines, levels, less, now, t))
        self.watermark = began

    def computed(self, levels: dict[int, tuple[int, float]], sold: Counter[int]) -> pd.DataFrame:
        items = np.array(sorted(levels), dtype=np.int64)
        quantity = np.array([levels[item][0] for item in items.tolist()], dtype=np.int64) * QUANTITY_SCALE
        frame = pd.DataFrame(
            {
                "item_id": items,
                "netsuite_location": np.full(len(items), PLACE, dtype=np.int64),
                **{term: quantity if term == "available" else quantity * 0 for term in TERMS},
                "changed_at": pd.Series(
                    [f"{levels[item][1]:015.3f}" for item in items.tolist()], dtype=object
                ),
                "read_seq": np.ones(len(items), dtype=np.int64),
            }
        )
        units = pd.DataFrame(
            {"item_id": list(sold), "units": list(sold.values())}, columns=["item_id", "units"]
        ).astype("int64")
        return sellable(frame, no_members(), POLICY, sold=demand(units, no_members(), PLACE))

    def apply(
        self,
        began: float,
        lines: dict[int, int],
        levels: dict[int, tuple[int, float]],
        less: Counter[int],
        counted: float,
        now: float,
    ) -> None:
        """The store takes the numbers, whatever it showed before."""
        for item, number in lines.items():
            self.outcome.pushes += 1
            self.shows[item] = self.confirmed[item] = number
            self.behind[item] = levels[item][1]
            self.found_less[item] = max(0, self.found_less[item] - less[item])
            self.wiped_out[item] = 0
            if self.netting:
                self.wiped_out[item] = sum(
                    one.units for one in self.orders if one.item == item and counted < one.placed <= now
                )
        self.at(now + self.wait(self.pace.looking), lambda t: self.look(began, lines, levels, t))

    def look(
        self, began: float, lines: dict[int, int], levels: dict[int, tuple[int, float]], now: float
    ) -> None:
        """Orders are counted once more, and what was read in NetSuite is compared with what the store shows."""
        wanted = self.computed(levels, self.sold(now, began)) if self.netting and levels else None
        sellable_now = (
            {}
            if wanted is None
            else dict(zip(wanted["item_id"].tolist(), wanted["sellable"].tolist(), strict=True))
        )
        late = [item for item, number in lines.items() if sellable_now.get(item, number) < number]
        # A sale and a receipt of as many units leave the number as it was confirmed, and the store below it.
        late += [
            item
            for item, number in sellable_now.items()
            if item not in lines
            and self.shows[item] < number
            and levels[item][1] > self.behind.get(item, 0.0)
        ]
        if not late:
            self.judge(began)
            return
        anew = {item: (self.available(item), self.moved.get(item, 0.0)) for item in late}
        sold = self.sold(now, now)
        fixed = self.computed(anew, sold)
        again = dict(zip(fixed["item_id"].tolist(), fixed["sellable"].tolist(), strict=True))
        self.netted.update({item: sold[item] for item in late})
        less = Counter(self.found_less)
        applied = now + self.wait(self.pace.sending) + self.pace.applying
        self.at(applied, lambda t: self.apply(now, again, anew, less, now, t))

    def judge(self, began: float) -> None:
        """What nothing has happened to since the run began shows exactly what there is to sell."""
        for item in self.items:
            if self.happened.get(item, 0.0) < began:
                self.outcome.not_exact += self.shows[item] != max(0, self.shelf[item] - self.promised(item))


def race(seed: int, *, netting: bool, hours: float = 24, items: int = 8, pace: Pace | None = None) -> Outcome:
    """One merchant's day, the same for the same seed."""
    world = World(netting, pace or Pace(), random.Random(seed), range(1, items + 1))
    for item in world.items:
        world.shelf[item] = world.shows[item] = world.confirmed[item] = world.dice.randint(2, 12)
    for start, what in ((1.0, world.shopper), (2.0, world.warehouse), (60.0, world.run)):
        world.at(start, what)
    while world.queue and world.queue[0][0] < hours * 3600:
        time, _, what = heapq.heappop(world.queue)
        what(time)
    return world.outcome
