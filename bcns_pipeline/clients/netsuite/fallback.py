"""Stock from `inventoryitemlocations` and its siblings, where the aggregate table can't be read.

Put what is special about that family here: each table knows one kind of item, so an item is known to have
no stock only when every table of the family was read. Used by `inventory.py` alone. Facts:
facts/netsuite.md 2.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from bcns_pipeline.clients.http.body import encode_json
from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.levels import END, START, Bounds, Want, read_range
from bcns_pipeline.clients.netsuite.models import LevelsPage
from bcns_pipeline.clients.netsuite.streams import merged
from bcns_pipeline.clients.netsuite.suiteql import SuiteQL
from bcns_pipeline.outcomes import Rejected

MAIN: Final = "inventoryitemlocations"
# Names of the first three are seen in public code; the serialised ones follow their pattern [unverified].
SIBLINGS: Final = (
    "assemblyitemlocations",
    "lotnumberedinventoryitemlocations",
    "lotnumberedassemblyitemlocations",
    "serializedinventoryitemlocations",
    "serializedassemblyitemlocations",
)


def read_siblings(
    query: SuiteQL,
    want: Want,
    ids: Sequence[int] | None,
    bounds: Sequence[Bounds],
    parallel: int,
    after: int | None = None,
) -> Iterator[LevelsPage]:
    """As `read_levels`. Siblings come first; rows with location 0 only for items that none knew."""
    if want.changed_since is not None:
        ids = changed_ids(query, want)
        want = replace(want, changed_since=None)
    if after is None or ids is None:
        yield from _family(query, want, sql.pieces(ids), bounds, parallel)
        return
    # A table has items of all ids, so some ids are read from all tables before the next ones.
    for piece in sql.pieces([one for one in ids if one > after]):
        *first, last = _family(query, want, [piece], bounds, parallel)
        yield from (replace(page, through=after) for page in first)
        after = (piece or [after])[-1]
        yield replace(last, through=after)


def _family(
    query: SuiteQL,
    want: Want,
    pieces: Sequence[Sequence[int] | None],
    bounds: Sequence[Bounds],
    parallel: int,
) -> Iterator[LevelsPage]:
    seen: set[int] = set()
    unreadable: list[str] = []
    for table in SIBLINGS:
        try:
            for piece in pieces:
                for page in read_range(query, want, table, (START, END), piece, "INNER"):
                    seen.update(page.item_id)
                    yield page
        except Rejected as error:
            if not sql.unknown_name(error):
                raise
            unreadable.append(table)
    streams = [partial(read_range, query, want, MAIN, b, piece) for b in bounds for piece in pieces]
    for page in merged(streams, parallel):
        yield _without(page, seen, unreadable)


def changed_ids(query: SuiteQL, want: Want) -> list[int]:
    """Items whose availability moved since then in any readable table, and their fellow members in kits."""
    found: set[int] = set()
    at = sql.at_locations("c", want.locations, joined=False)
    for table in (MAIN, *SIBLINGS):
        try:
            found.update(
                _ids(query, sql.fill("changed_ids", table=table, c_locations=at), [want.changed_since])
            )
        except Rejected as error:
            if table == MAIN or not sql.unknown_name(error):
                raise
    if want.kits and found:
        for piece in sql.pieces(sorted(found)):
            found.update(_ids(query, sql.fill("co_members", ids=sql.numbers(piece or ())), []))
    return sorted(found)


def _ids(query: SuiteQL, text: str, first: Sequence[str | None]) -> Iterator[int]:
    def params(after: tuple[int, ...]) -> list[str | int]:
        return [*(one for one in first if one is not None), after[0]]

    for page in query.keyset(text, (START,), params, lambda row: (int(row["item_id"]),)):
        yield from (int(row["item_id"]) for row in page.rows)


def _without(page: LevelsPage, seen: set[int], unreadable: Sequence[str]) -> LevelsPage:
    """Drop location-0 rows of items a sibling knows; all where some sibling could not be read."""
    pairs = enumerate(zip(page.item_id, page.location, strict=True))
    keep = [n for n, (item, place) in pairs if place or not (unreadable or item in seen)]
    page = replace(page, unreadable=tuple(unreadable))
    if len(keep) == len(page):
        return page
    kept = replace(
        page,
        item_id=[page.item_id[n] for n in keep],
        sku=[page.sku[n] for n in keep],
        item_type=[page.item_type[n] for n in keep],
        location=[page.location[n] for n in keep],
        terms={term: [column[n] for n in keep] for term, column in page.terms.items()},
        changed_at=[page.changed_at[n] for n in keep],
    )
    return replace(kept, body=_body(kept))


def _body(page: LevelsPage) -> bytes:
    """The page as an answer again, so that what is kept as read holds no row that was left out."""
    rows = []
    for n in range(len(page)):
        row = {
            "item_id": str(page.item_id[n]),
            "sku": page.sku[n],
            "item_type": page.item_type[n],
            "location_id": str(page.location[n]),
            **{term: column[n] for term, column in page.terms.items()},
            "changed_at": page.changed_at[n],
        }
        rows.append({name: value for name, value in row.items() if value is not None})
    return encode_json({"items": rows, "hasMore": False})
