"""Reads stock from NetSuite, whole or since a moment, in parallel streams over ranges of item ids.

Put the plan of reads here: which source, which ranges, what to do where an account lacks a column. Numbers
stay text and nothing is summed or rounded: that is the work of `rules/inventory`. Kits and changed items
are in `items.py`. Why not `inventorybalance`: facts/netsuite.md 2.5.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Final, Protocol

from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.fallback import MAIN, read_siblings
from bcns_pipeline.clients.netsuite.levels import (
    END,
    ITEM_LACKS,
    OPTIONAL_COLUMNS,
    START,
    Bounds,
    Want,
    read_item_range,
    read_range,
)
from bcns_pipeline.clients.netsuite.models import LevelsPage, Row
from bcns_pipeline.clients.netsuite.streams import merged
from bcns_pipeline.clients.netsuite.suiteql import SuiteQL
from bcns_pipeline.outcomes import Rejected

log = logging.getLogger(__name__)
AGGREGATE: Final = "aggregateitemlocation"
ITEM: Final = "item"
SOURCES: Final = (AGGREGATE, MAIN, ITEM)
NO_STAND_IN: Final = (
    "The totals of items mix all locations, of which there may be several: let the role view locations "
    "(Lists > Locations), or set inventory.source: item where the account has one."
)
_UNKNOWN_COLUMN: Final = re.compile(r"unknown identifier '?(?:\w+\.)?(?P<name>\w+)", re.IGNORECASE)


class HasQuery(Protocol):
    """The NetSuite client, or whatever else can run SuiteQL."""

    @property
    def query(self) -> SuiteQL:
        """The query service."""
        ...


def read_levels(
    client: HasQuery,
    *,
    locations: Sequence[int] | None,
    draw_seq: Callable[[], int],
    sku_field: str = "itemid",
    source: str = "auto",
    changed_since: str | None = None,
    item_ids: Sequence[int] | None = None,
    ranges: Sequence[Bounds] | None = None,
    parallel: int = 4,
    kits: bool = True,
    item_location: int | None = None,
    after: int | None = None,
) -> Iterator[LevelsPage]:
    """Stock of active inventory and assembly items (never a matrix parent) in `locations` (None = all).

    Without `changed_since` and `item_ids` it is a full snapshot: items without any row come with location
    0. `changed_since` ("YYYY-MM-DD HH24:MI:SS" in NetSuite's own frame) finds the items whose availability
    moved in one of the locations, then gives all their locations; with `kits` also all members of the kits
    that one of them belongs to (left out with a warning where the role may not read `itemmember`).
    `draw_seq` is called ahead of each request, from several threads. `ranges` are half-open id ranges, read
    `parallel` at a time (see `balanced_ranges`); without them one query for the lowest and the highest id
    makes equal ones. Pages come in no particular order, and the last may be empty. With `after` only items of a
    higher id are read, one page after the other, so that a reader may stop and go on (`LevelsPage.through`).

    `source` "auto" goes down SOURCES where NetSuite does not know a table. "item" is for accounts without
    multi-location inventory: totals are booked at `item_location` (default: the one given location, else 1),
    in full each time, as nothing tells when they changed. Raises OutsideError; pages handed out before that
    are good, but the snapshot is not whole.
    """
    want = Want(sql.identifier(sku_field), locations, draw_seq, changed_since, kits)
    names = SOURCES if source == "auto" else (source,)
    if names[0] not in SOURCES:
        raise ValueError(f"source {source!r} is none of auto, {', '.join(SOURCES)}")
    lacks: frozenset[str] = frozenset()
    place = 0
    while True:
        name = names[place]
        started = False
        try:
            tried = replace(want, lacks=lacks | (ITEM_LACKS if name == ITEM else frozenset()))
            for page in _read(client.query, tried, name, item_ids, ranges, parallel, item_location, after):
                started = True
                yield page
        except Rejected as error:
            if started or not sql.unknown_name(error):
                raise
            if want.kits and changed_since is not None and "itemmember" in error.detail.lower():
                log.warning("netsuite: kit members can't be read: only full reads notice changes of kits")
                want = replace(want, kits=False)
                continue
            column = missing_column(error)
            if column is not None:
                if column not in OPTIONAL_COLUMNS or column in lacks:
                    raise
                log.warning("netsuite: %s has no column %s: its term is left out", name, column)
                lacks |= {column}
                continue
            place += 1
            if place == len(names):
                raise
            if names[place] == ITEM and several_locations(client.query):
                said = f"{error.detail} {NO_STAND_IN}"
                raise Rejected(error.system, error.operation, error.status, error.code, said) from None
            log.warning("netsuite: %s can't be read: falling back to %s", name, names[place])
        else:
            return


def _read(
    query: SuiteQL,
    want: Want,
    source: str,
    item_ids: Sequence[int] | None,
    ranges: Sequence[Bounds] | None,
    parallel: int,
    item_location: int | None,
    after: int | None,
) -> Iterator[LevelsPage]:
    if item_ids is not None and not item_ids:
        return iter(())
    whole = (want.changed_since is None or source == ITEM) and item_ids is None
    bounds = [(START, END)] if not whole else list(ranges) if ranges else item_ranges(query, parallel)
    if after is not None:
        bounds = [(after + 1, END)]
    if source == MAIN:
        return read_siblings(query, want, item_ids, bounds, parallel, after)
    pieces = sql.pieces(item_ids)
    streams: list[Callable[[], Iterator[LevelsPage]]]
    if source == ITEM:
        only = want.locations[0] if want.locations and len(want.locations) == 1 else 1
        at = item_location or only
        streams = [partial(read_item_range, query, want, at, b, piece) for b in bounds for piece in pieces]
    else:
        streams = [partial(read_range, query, want, source, b, piece) for b in bounds for piece in pieces]
    return merged(streams, parallel)


def missing_column(error: Rejected) -> str | None:
    """The column that NetSuite says it does not know, if that is what it says."""
    match = _UNKNOWN_COLUMN.search(error.detail)
    return match["name"].lower() if match else None


def item_ranges(query: SuiteQL, streams: int) -> list[Bounds]:
    """Equal id ranges over all stocked items: one query. The first and the last are open."""
    if streams <= 1:
        return [(START, END)]
    row: Row = next(iter(query.page(sql.text("bounds")).rows), {})
    low, high = int(row.get("low") or 0), int(row.get("high") or 0)
    cuts = {low + (high - low + 1) * n // streams for n in range(1, streams)}
    return _open_ended(sorted(cut for cut in cuts if low < cut <= high))


def balanced_ranges(ids: Iterable[int], streams: int) -> list[Bounds]:
    """Id ranges that hold equal numbers of the known `ids`: streams that end together. No query."""
    known = sorted(ids)
    cuts = {known[len(known) * n // streams] for n in range(1, streams)} if known else set()
    return _open_ended(sorted(cut for cut in cuts if cut > START))


def _open_ended(cuts: Sequence[int]) -> list[Bounds]:
    return list(pairwise([START, *cuts, END]))


def several_locations(query: SuiteQL) -> bool:
    """Whether the account may have several locations: totals on the item mix all of them, and are no stand-in then.

    A list that is hidden from the role says nothing of how many there are. NetSuite has other words for a table that
    the account does not have (facts/netsuite.md 2.2).
    """
    try:
        page = query.page("SELECT id FROM location WHERE isinactive = 'F' ORDER BY id ASC", limit=10)
    except Rejected as error:
        return "invalid search type" not in error.detail.lower()
    return len(page.rows) > 1
