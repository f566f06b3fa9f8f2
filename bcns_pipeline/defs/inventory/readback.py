"""Verify: what the store really shows after a push, and which line that confirms.

Put the order of the reads and the matching of rows to lines here. Do not decide here what a value means
(rules/settlement does). A full sync reads the whole store once, page by page behind the sender, so that
reading back costs no time of its own; a small run asks for its SKUs and a rolling sample in one call.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bcns_pipeline.clients.bigcommerce.models import InventoryPage, Levels
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.settlement import settlement
from bcns_pipeline.state.inventory import Batch

PAGE_ITEMS = 1_000
TAIL_STREAMS = 4
STREAMS_BESIDE_SENDER = 2
LIVE_COLUMNS = ("variant_id", "product_id", "location_id", "on_hand", "safety_stock")
# BigCommerce applies an adjustment some time after its 200; the sandbox after 300 ms, a store usually sooner.
FIRST_LOOK_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
# Reading by product takes a call each, so only a few are asked for in one go.
MOST_PRODUCTS = 25


@dataclass(slots=True)
class _Flight:
    batch: Batch
    numbers: list[int]
    new: list[int]
    old: list[int]
    read_back: list[int | None]
    confirmed: list[bool]
    open: int


@dataclass(slots=True)
class Seen:
    """What was read: `live` has LIVE_COLUMNS as int64; the counts are lines, `polls` the reads beyond the first."""

    live: pd.DataFrame
    confirmed: int = 0
    unconfirmed: int = 0
    polls: int = 0
    stuck: list[str] = field(default_factory=list)  # SKUs


class ReadBack:
    """Collects flights from the sender (one thread) and settles them from another; `finish` joins both."""

    def __init__(self, connections: Connections, lane: Lane, *, patience_seconds: float) -> None:
        self._connections = connections
        self._shop = connections.shop_stock(lane)
        self._patience = patience_seconds
        self._guard = threading.Lock()
        self._announced: list[tuple[Batch, float]] = []
        self._flights: list[_Flight] = []
        self._where: dict[tuple[int, int], tuple[_Flight, int]] = {}
        self._pages: list[Levels] = []
        self._sent: list[tuple[float, int]] = []  # when, and how many items
        self._asked: set[int] = set()  # products
        # A batch is settled while the next pages are being read.
        self._settler = ThreadPoolExecutor(1, thread_name_prefix="settle")
        self._settling: list[Future[None]] = []
        self._seen = Seen(live=pd.DataFrame(columns=list(LIVE_COLUMNS), dtype="int64"))

    def expect(self, batch: Batch) -> None:
        """A batch is out: its lines are to be found in what is read from now on."""
        with self._guard:
            self._announced.append((batch, time.monotonic()))

    def _register(self) -> None:
        """What was announced becomes flights here and not in `expect`, which the sender would wait for."""
        with self._guard:
            announced, self._announced = self._announced, []
        for batch, sent_at in announced:
            lines = batch.lines
            count = len(lines)
            flight = _Flight(
                batch, lines["line"].tolist(), lines["new"].tolist(), lines["old"].tolist(),
                [None] * count, [False] * count, count,
            )  # fmt: skip
            keys = zip(identities(lines), lines["location_id"].tolist(), strict=True)
            with self._guard:
                self._flights.append(flight)
                self._sent.append((sent_at, len(set(lines["variant_id"].tolist()))))
                self._where.update({key: (flight, position) for position, key in enumerate(keys)})

    def read_skus(self, products: Mapping[str, int]) -> None:
        """Read these SKUs (with their product ids), as many per call as an address of modest length holds."""
        self._wait_for_first_look()
        for page in self._shop.of_skus(products):
            self._take(page)

    def read_store(self, sender_done: Callable[[], bool], progress: Callable[[str], None]) -> None:
        """Read every page once, each one when what it will show has been applied, or nothing more will be.

        Two at a time while the sender needs the store as well, for one reader alone falls behind it; the rest at
        once, as far as the Gate allows.
        """
        asked: deque[Future[InventoryPage]] = deque()
        with ThreadPoolExecutor(TAIL_STREAMS, thread_name_prefix="read-back") as pool:
            page, pages = 1, 1
            while page <= pages or asked:
                most = TAIL_STREAMS if sender_done() else STREAMS_BESIDE_SENDER
                ripe = self._ripe(page, sender_done)
                if page <= pages and not asked and not ripe:
                    time.sleep(0.02)
                    continue
                if page <= pages and len(asked) < most and ripe:
                    asked.append(pool.submit(self._shop.page, page))
                    if page % 10 == 0:
                        progress(f"reading back page {page:,} of {pages:,}")
                    page += 1
                    continue
                got = asked.popleft().result()
                self._take(got)
                # A store that does not say how many pages there are is read one after the other.
                pages = max(pages, got.total_pages or 0, page if not got.paging.last and not asked else 0)

    def _ripe(self, page: int, sender_done: Callable[[], bool]) -> bool:
        """What the page shows has been sent and had its time to be applied, or nothing more will be."""
        return self._applied_items() >= page * PAGE_ITEMS or (sender_done() and self._all_applied())

    def finish(self) -> Seen:
        """Look again at what is not confirmed yet, until patience ends; then settle everything."""
        self._register()
        pause, started = FIRST_LOOK_SECONDS, time.monotonic()
        while (stuck := self._stuck()) and time.monotonic() - started < self._patience:
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            for page in self._shop.of_skus(stuck):
                self._take(page)
            for page in self._shop.of_products(self._unseen()):
                self._take(page)
            self._seen.polls += 1
        self._seen.stuck = sorted(self._stuck())
        for settled in self._settling:
            settled.result()
        for flight in list(self._flights):
            self._settle(flight)
        self._settler.shutdown()
        self._seen.live = _live_frame(self._pages)
        return self._seen

    def _applied_items(self) -> int:
        """Items of the batches that have had their time to be applied."""
        self._register()
        ripe = time.monotonic() - FIRST_LOOK_SECONDS
        return sum(items for sent_at, items in self._sent if sent_at <= ripe)

    def _all_applied(self) -> bool:
        self._register()
        return not self._sent or self._sent[-1][0] + FIRST_LOOK_SECONDS <= time.monotonic()

    def _wait_for_first_look(self) -> None:
        while not self._all_applied():
            time.sleep(0.02)

    def _take(self, page: InventoryPage) -> None:
        self._register()
        self._pages.append(page.levels)
        levels = page.levels
        done: set[int] = set()
        rows = zip(levels.variant_id, levels.product_id, levels.location_id, levels.on_hand, strict=True)
        with self._guard:
            for variant, product, location, live in rows:
                for key in ((variant, location), (-product, location)):
                    found = self._where.get(key)
                    if found is None:
                        continue
                    flight, position = found
                    flight.read_back[position] = live
                    if not flight.confirmed[position] and settlement(
                        flight.old[position], flight.new[position], live
                    ):
                        flight.confirmed[position] = True
                        flight.open -= 1
                        if flight.open == 0:
                            done.add(id(flight))
            ready = [flight for flight in self._flights if id(flight) in done]
        for flight in ready:
            self._settling.append(self._settler.submit(self._settle, flight))

    def _settle(self, flight: _Flight) -> None:
        with self._guard:
            if flight not in self._flights:
                return
            self._flights.remove(flight)
            for key in zip(
                identities(flight.batch.lines), flight.batch.lines["location_id"].tolist(), strict=True
            ):
                self._where.pop(key, None)
        outcomes = ["confirmed" if sure else "unconfirmed" for sure in flight.confirmed]
        self._connections.state.inventory.settle(
            flight.batch.operation, flight.numbers, flight.read_back, outcomes
        )
        self._seen.confirmed += sum(flight.confirmed)
        self._seen.unconfirmed += len(outcomes) - sum(flight.confirmed)

    def _unseen(self) -> list[int]:
        """Products with a line of which no read has shown anything, each once: its SKU may be another by now."""
        with self._guard:
            products = {
                product
                for flight in self._flights
                for product, live in zip(flight.batch.lines["product_id"], flight.read_back, strict=True)
                if live is None
            }
        asked = sorted(products - self._asked)[:MOST_PRODUCTS]
        self._asked.update(asked)
        return asked

    def _stuck(self) -> dict[str, int]:
        """SKUs with a line that nothing has confirmed yet, and their products."""
        with self._guard:
            return {
                sku: product
                for flight in self._flights
                for sku, product, sure in zip(
                    flight.batch.lines["sku"], flight.batch.lines["product_id"], flight.confirmed, strict=True
                )
                if not sure
            }


def identities(lines: pd.DataFrame) -> list[int]:
    """Variant id, or minus the product id where the product itself is tracked."""
    by_product = (lines["tracking"] == "product").to_numpy()
    return np.where(by_product, -lines["product_id"].to_numpy(), lines["variant_id"].to_numpy()).tolist()


def _live_frame(pages: Iterable[Levels]) -> pd.DataFrame:
    parts = list(pages)
    none = np.array([], dtype=np.int64)
    columns = {
        name: np.concatenate([none, *(np.array(getattr(part, name), dtype=np.int64) for part in parts)])
        for name in LIVE_COLUMNS
    }
    return pd.DataFrame(columns)
