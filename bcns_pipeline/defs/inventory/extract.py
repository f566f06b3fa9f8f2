"""Extract: what NetSuite says of stock now, kept as read.

Put the order of the reads and what is kept of them here. Do not decide a quantity here (rules/inventory), and
do not write to an outside system: this step can be run as often as anybody likes.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from bcns_pipeline.clients.netsuite.models import TERMS, LevelsPage
from bcns_pipeline.defs.inventory.linked import item_links
from bcns_pipeline.defs.inventory.places import Places, find_places
from bcns_pipeline.defs.inventory.run import Scope, inventory_digest, now_and_then
from bcns_pipeline.outcomes import Lane, Rejected
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import PermanentFailure
from bcns_pipeline.rules.inventory.frames import levels_frame
from bcns_pipeline.rules.inventory.policy import Policy
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.inventory_views import pending_items

WATERMARK = "inventory.watermark"
SNAPSHOT = "inventory.snapshot"
LEVELS = "inventory_levels"
MEMBERS = "inventory_members"
MEMBER_COLUMNS = ("parent_id", "parent_sku", "item_id", "quantity", "member_type", "member_inactive")
# NetSuite's own clock, as every query prints it (facts/netsuite.md 2.3).
NETSUITE_TIME = "%Y-%m-%d %H:%M:%S"
# One audit row and one transaction for so many pages: a full snapshot of 100,000 items has 200 of them.
PAGES_AT_A_TIME = 10


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a run read: its pages are documents of `run_id`.

    `complete`: every active item was read, so that absence means "not active any more". `clock` is NetSuite's
    time before the first page, the next watermark; `read_seq` was drawn before anything was read.
    """

    run_id: str
    scope: str
    complete: bool
    since: str | None
    clock: str
    read_seq: int
    pages: int
    rows: int
    inactive: tuple[int, ...]
    kits_unreadable: str | None
    unreadable: tuple[str, ...]
    places: Places


def take_snapshot(
    connections: Connections,
    scope: Scope,
    run_id: str,
    progress: Callable[[str], None],
    *,
    lane: Lane = Lane.BULK,
    only: Sequence[int] = (),
) -> tuple[Snapshot, pd.DataFrame]:
    """Read NetSuite's stock into documents of this run; also the items met (item_id, sku), kits included.

    CHANGED without a watermark reads everything; `only` reads just those item ids (the fast lane). Items that
    are still out of step from an earlier run are read again, because a retry re-reads the truth.
    Raises OutsideError where a read failed: unknown is not empty.
    """
    state, stock = connections.state, connections.stock(lane)
    since = None if only or scope is not Scope.CHANGED else watermark(connections)
    complete = not only and since is None
    places = find_places(connections, lane, refresh=complete)
    read_seq = state.inventory.draw_read_seq()
    clock = stock.clock()
    keeper = _Keeper(connections, clock, places, progress)
    draw = state.inventory.draw_read_seq
    # Kit members and changed items are asked for while the stock pages are on their way.
    with ThreadPoolExecutor(2, thread_name_prefix="beside") as beside:
        # A kit needs the stock of all its members, which the fast lane has not read: the next run brings it.
        kits = (
            None if only else beside.submit(_keep_members, connections, lane, places, clock, since, read_seq)
        )
        gone = beside.submit(_inactive_items, connections, lane, since)
        if not only:
            known = item_links(connections)["item_id"].tolist() if complete else ()
            keeper.keep(stock.levels(places.netsuite, draw, changed_since=since, known_ids=known))
        again = list(only) if only else ([] if complete else pending_items(state))
        if again:
            keeper.keep(stock.levels(places.netsuite, draw, item_ids=again))
        keeper.flush()
        kits_unreadable, kit_skus = kits.result() if kits is not None else (None, {})
    keeper.items.update(kit_skus)
    snapshot = Snapshot(
        run_id=run_id,
        scope=scope.value,
        complete=complete,
        since=since,
        clock=clock,
        read_seq=read_seq,
        pages=keeper.pages,
        rows=keeper.rows,
        inactive=gone.result(),
        kits_unreadable=kits_unreadable,
        unreadable=tuple(sorted(keeper.unreadable)),
        places=places,
    )
    state.cursors.move(f"{SNAPSHOT}.{lane}", {**asdict(snapshot), "places": places.as_json()})
    connections.scratch["inventory.levels"] = (read_seq, keeper.frames)
    items = pd.DataFrame({"item_id": list(keeper.items), "sku": list(keeper.items.values())})
    return snapshot, items.astype({"item_id": "int64", "sku": "object"})


def last_snapshot(connections: Connections, lane: Lane = Lane.BULK) -> Snapshot:
    """The newest snapshot of the lane, which is this run's own where it took one.

    Raises PermanentFailure before the first one.
    """
    kept = connections.state.cursors.get(f"{SNAPSHOT}.{lane}")
    if kept is None:
        raise PermanentFailure("There is no snapshot yet: run the job inventory_sync, which takes one first.")
    lists = {name: tuple(kept[name]) for name in ("inactive", "unreadable")}
    return Snapshot(**{**kept, **lists, "places": Places.of_json(kept["places"])})


def watermark(connections: Connections) -> str | None:
    """From when on changes are read: the last moment in step, less the overlap; None = never in step.

    Overlapping costs a few unchanged rows; a clock that is read a moment late would cost a change.
    """
    kept = connections.state.cursors.get(WATERMARK)
    if kept is None or kept["config"] != inventory_digest(connections.mapping):
        return None
    return back_in_time(kept["clock"], timedelta(minutes=connections.mapping.inventory.overlap_minutes))


def back_in_time(clock: str, overlap: timedelta) -> str:
    """A moment of NetSuite's clock, `overlap` earlier."""
    moment = datetime.strptime(clock, NETSUITE_TIME)  # noqa: DTZ007 - NetSuite's frame names no zone
    return (moment - overlap).strftime(NETSUITE_TIME)


def move_watermark(connections: Connections, snapshot: Snapshot) -> None:
    """The store is in step with what this snapshot read, or knows what is not: read on from its clock."""
    value = {"clock": snapshot.clock, "config": inventory_digest(connections.mapping)}
    connections.state.cursors.move(WATERMARK, value)


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


class _Keeper:
    """Stores pages as documents, a few at a time, and counts them."""

    def __init__(
        self, connections: Connections, clock: str, places: Places, progress: Callable[[str], None]
    ) -> None:
        self._policy = connections.mapping.inventory.policy(places.routes)
        self._documents = connections.state.documents
        self._clock = clock
        self._progress = now_and_then(progress)
        self._waiting: list[NewDocument] = []
        self.pages = 0
        self.rows = 0
        self.items: dict[int, str] = {}
        self.unreadable: set[str] = set()
        self.frames: list[tuple[pd.DataFrame, pd.DataFrame]] = []

    def keep(self, pages: Iterable[LevelsPage]) -> None:
        for page in pages:
            self.pages += 1
            self.rows += len(page)
            self.unreadable.update(page.unreadable)
            self.items.update(zip(page.item_id, page.sku, strict=True))
            # Made exact while other pages are still on their way, which costs no time of its own.
            self.frames.append(frame_of([page], self._policy))
            place = page.location[0] if page.source == "item" and page.location else None
            key = json.dumps(
                {"clock": self._clock, "page": self.pages, "source": page.source, "location": place}
            )
            self._waiting.append(NewDocument("netsuite", LEVELS, key, page.body, page.read_seq))
            if len(self._waiting) >= PAGES_AT_A_TIME:
                self.flush()
            if self.pages % 10 == 0:
                self._progress(f"read {self.rows:,} stock rows from NetSuite")

    def flush(self) -> None:
        self._documents.store(self._waiting)
        self._waiting = []


def _inactive_items(connections: Connections, lane: Lane, since: str | None) -> tuple[int, ...]:
    """Items made inactive since; a complete read needs no list, because there absence says it."""
    if since is None:
        return ()
    return tuple(item.item_id for item in connections.stock(lane).changed_items(since) if item.inactive)


def _keep_members(
    connections: Connections,
    lane: Lane,
    places: Places,
    clock: str,
    since: str | None,
    read_seq: int,
) -> tuple[str | None, dict[int, str]]:
    """Keep the kit members as one document. Returns why they can't be read, or None, and the kits' SKUs."""
    columns: dict[str, list[Any]] = {name: [] for name in MEMBER_COLUMNS}
    try:
        for page in connections.stock(lane).members(places.netsuite, since):
            for name in MEMBER_COLUMNS:
                columns[name] += getattr(page, name)
    except Rejected as refused:
        return refused.detail, {}
    body = json.dumps(columns).encode()
    connections.state.documents.store([NewDocument("netsuite", MEMBERS, clock, body, read_seq)])
    return None, dict(zip(columns["parent_id"], columns["parent_sku"], strict=True))
