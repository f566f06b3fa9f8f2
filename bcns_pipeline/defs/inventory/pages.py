"""Pages of stock as they were read: kept as documents, and made exact for the rules.

Put here what becomes of a page between its reading and the plan. Which pages are read when is in extract.py; what
a quantity means is in rules/inventory.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd

from bcns_pipeline.clients.netsuite.models import TERMS, LevelsPage
from bcns_pipeline.defs.inventory.places import Places
from bcns_pipeline.defs.inventory.run import now_and_then
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.inventory.frames import levels_frame
from bcns_pipeline.rules.inventory.policy import Policy
from bcns_pipeline.state.documents import NewDocument

LEVELS = "inventory_levels"
# One audit row and one transaction for so many pages: a full snapshot of 100,000 items has 200 of them.
PAGES_AT_A_TIME = 10
# A state that is slower than the readers slows them, and memory stays bounded.
MOST_UNDER_WAY = 2


def frame_of(pages: Sequence[LevelsPage], policy: Policy) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pages as the rules take them, and what could not be read of them (see `levels_frame`)."""
    return levels_frame(
        item_id=[item for page in pages for item in page.item_id],
        netsuite_location=[place for page in pages for place in page.location],
        terms={term: [value for page in pages for value in page.terms[term]] for term in TERMS},
        changed_at=[moment for page in pages for moment in page.changed_at],
        read_seq=np.repeat([page.read_seq for page in pages], [len(page) for page in pages]),
        policy=policy,
    )


class Keeper:
    """Stores pages as documents and makes them exact, some at a time and in a thread of its own.

    So pages are taken from the readers as soon as they are there: done between two pages, it was measured at a
    quarter of the time of a full read. `finish` waits for what is under way; only then are the attributes whole.
    """

    def __init__(
        self, connections: Connections, clock: str, places: Places, progress: Callable[[str], None]
    ) -> None:
        self._policy = connections.mapping.stock_policy(places.routes, places.suspended)
        self._documents = connections.state.documents
        self._clock = clock
        self._progress = now_and_then(progress)
        self._waiting: list[tuple[int, LevelsPage]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keep")
        self._under_way: deque[Future[None]] = deque()
        self.pages = 0
        self.rows = 0
        self.items: dict[int, str] = {}
        self.unreadable: set[str] = set()
        self.frames: list[tuple[pd.DataFrame, pd.DataFrame]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def keep(self, pages: Iterable[LevelsPage]) -> None:
        """Take pages as they come."""
        for page in pages:
            self.pages += 1
            self.rows += len(page)
            self._waiting.append((self.pages, page))
            if len(self._waiting) >= PAGES_AT_A_TIME:
                self._hand_over()
                self._progress(f"read {self.rows:,} stock rows from NetSuite")

    def finish(self) -> None:
        """Raises what went wrong with any page."""
        self._hand_over()
        while self._under_way:
            self._under_way.popleft().result()

    def _hand_over(self) -> None:
        while len(self._under_way) >= MOST_UNDER_WAY:
            self._under_way.popleft().result()
        self._under_way.append(self._thread.submit(self._keep, self._waiting))
        self._waiting = []

    def _keep(self, numbered: Sequence[tuple[int, LevelsPage]]) -> None:
        pages = [page for _, page in numbered]
        for page in pages:
            self.unreadable.update(page.unreadable)
            self.items.update(zip(page.item_id, page.sku, strict=True))
        if pages:
            self.frames.append(frame_of(pages, self._policy))
        self._documents.store([self._document(number, page) for number, page in numbered])

    def _document(self, number: int, page: LevelsPage) -> NewDocument:
        place = page.location[0] if page.source == "item" and page.location else None
        key = json.dumps({"clock": self._clock, "page": number, "source": page.source, "location": place})
        return NewDocument("netsuite", LEVELS, key, page.body, page.read_seq)
