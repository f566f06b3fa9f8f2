"""Extract: what NetSuite says of stock now, kept as read.

Put the order of the reads and what is kept of them here. Do not decide a quantity here (rules/inventory), and
do not write to an outside system: this step can be run as often as anybody likes.
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from bcns_pipeline.defs.inventory import netting
from bcns_pipeline.defs.inventory.linked import item_links
from bcns_pipeline.defs.inventory.pages import Keeper
from bcns_pipeline.defs.inventory.places import Places, find_places
from bcns_pipeline.defs.inventory.run import Scope, inventory_digest
from bcns_pipeline.outcomes import Lane, Rejected
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import PermanentFailure
from bcns_pipeline.rules.inventory.frames import members_frame
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.inventory_views import pending_items

WATERMARK = "inventory.watermark"
SNAPSHOT = "inventory.snapshot"
MEMBERS = "inventory_members"
MEMBER_COLUMNS = ("parent_id", "parent_sku", "item_id", "quantity", "member_type", "member_inactive")
# NetSuite's own clock, as every query prints it (facts/netsuite.md 2.3).
NETSUITE_TIME = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a run read: its pages are documents of `run_id`.

    `complete`: every active item was read, so that absence means "not active any more". `clock` is NetSuite's
    time before the first page, the next watermark; `read_seq` was drawn before anything was read, and `taken_at`
    is our own clock's time then (None in snapshots of earlier versions).
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
    taken_at: str | None = None

    @property
    def speaks(self) -> bool:
        """Whether what it does not have says something: everything was read, and everything could be."""
        return self.complete and self.kits_unreadable is None and not self.unreadable


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
    taken_at = netting.moment(connections)
    read_seq = state.inventory.draw_read_seq()
    draw = state.inventory.draw_read_seq
    # Everything that needs no other answer is asked for beside what takes longest.
    with ThreadPoolExecutor(3, thread_name_prefix="beside") as beside:
        asked_clock = beside.submit(stock.clock)
        linked = beside.submit(item_links, connections)
        places = find_places(connections, lane, refresh=complete)
        clock = asked_clock.result()
        # A kit needs the stock of all its members, which the fast lane has not read: the next run brings it.
        kits = (
            None if only else beside.submit(_keep_members, connections, lane, places, clock, since, read_seq)
        )
        gone = beside.submit(_inactive_items, connections, lane, since)
        known = linked.result()["item_id"].tolist() if complete else ()
        with Keeper(connections, clock, places, progress) as keeper:
            if not only:
                keeper.keep(stock.levels(places.netsuite, draw, changed_since=since, known_ids=known))
            again = list(only) if only else ([] if complete else pending_items(state))
            if not only and not complete and connections.mapping.nets_orders:
                keeper.finish()
                again += netting.to_read_again(connections, places, {*keeper.items, *again})
            if again:
                keeper.keep(stock.levels(places.netsuite, draw, item_ids=again))
            keeper.finish()
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
        taken_at=taken_at,
    )
    connections.state.kits.forget(snapshot.inactive)
    state.cursors.move(f"{SNAPSHOT}.{lane}", {**asdict(snapshot), "places": places.as_json()})
    connections.scratch["inventory.levels"] = (read_seq, keeper.frames)
    items = {
        "item_id": pd.Series(list(keeper.items), dtype="int64"),
        "sku": pd.Series(list(keeper.items.values()), dtype=object),
    }
    return snapshot, pd.DataFrame(items)


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
    netting.keep_kits(connections, members_of(columns), complete=since is None)
    body = json.dumps(columns).encode()
    connections.state.documents.store([NewDocument("netsuite", MEMBERS, clock, body, read_seq)])
    return None, dict(zip(columns["parent_id"], columns["parent_sku"], strict=True))


def members_of(columns: dict[str, list[Any]]) -> pd.DataFrame:
    """Kit members as read (MEMBER_COLUMNS), as the rules take them."""
    return members_frame(**{name: columns[name] for name in MEMBER_COLUMNS if name != "parent_sku"})
