"""One stream of stock pages: a range of item ids, read by key from one table.

Put the walk over one range here, the text of its query and the making of columns. Which ranges and which
table are read is decided by `inventory.py` and `fallback.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.models import TERMS, LevelsPage, Page
from bcns_pipeline.clients.netsuite.suiteql import Key, SuiteQL, readable, typed

Bounds = tuple[int, int]
START: Final = 0
END: Final = 999_999_999_999
# Paired with an id below the range: no row of that id is left over.
_PAST_ALL_LOCATIONS: Final = END

COLUMN_BY_TERM: Final[Mapping[str, str]] = {
    "available": "quantityavailable",
    "on_hand": "quantityonhand",
    "committed": "quantitycommitted",
    "in_transit": "quantityintransit",
    "backordered": "quantitybackordered",
    "on_order": "quantityonorder",
}
# Columns depend on an account's features; these may be absent, and their terms are then None.
OPTIONAL_COLUMNS: Final = frozenset(COLUMN_BY_TERM.values()) - {"quantityavailable", "quantityonhand"}
# The item's own totals know nothing of stock on its way between locations.
ITEM_LACKS: Final = frozenset({"quantityintransit"})


@dataclass(frozen=True, slots=True)
class Want:
    """What a stock read is after. `sku` is a checked column name; `lacks` are columns the account has not."""

    sku: str
    locations: Sequence[int] | None
    draw_seq: Callable[[], int]
    changed_since: str | None = None
    kits: bool = True
    lacks: frozenset[str] = frozenset()

    def terms(self, alias: str) -> str:
        """The select list of the quantities."""
        return ",\n       ".join(
            f"NVL({alias}.{column}, 0) AS {term}"
            for term, column in COLUMN_BY_TERM.items()
            if column not in self.lacks
        )


def levels_text(want: Want, table: str, ids: Sequence[int] | None = None, join: str = "LEFT") -> str:
    """The query over one table. Bound: since (twice with kits), after id twice, location, id end."""
    only = "" if ids is None else f"\n  AND i.id IN ({sql.numbers(ids)})"
    if want.changed_since is not None:
        at = sql.at_locations("c", want.locations, joined=False)
        conditions = [sql.fill("changed", table=table, c_locations=at)]
        if want.kits:
            at = sql.at_locations("k", want.locations, joined=False)
            conditions.append(sql.fill("changed_kits", table=table, k_locations=at))
        only += "\n  AND (" + "\n    OR ".join(conditions) + ")"
    at = sql.at_locations("ail", want.locations, joined=True)
    return sql.fill(
        "levels", sku=want.sku, terms=want.terms("ail"), table=table, join=join, at_locations=at, only=only
    )


def item_text(want: Want, ids: Sequence[int] | None = None) -> str:
    """The query over the item's own totals. Parameters: after id, id bound."""
    only = "" if ids is None else f"\n  AND i.id IN ({sql.numbers(ids)})"
    return sql.fill("levels_item", sku=want.sku, terms=want.terms("i"), only=only)


def read_range(
    query: SuiteQL,
    want: Want,
    table: str,
    bounds: Bounds,
    ids: Sequence[int] | None = None,
    join: str = "LEFT",
) -> Iterator[LevelsPage]:
    """Pages of the items in `bounds` (half-open), in order of item and location."""
    since = [] if want.changed_since is None else [want.changed_since] * (2 if want.kits else 1)
    low, high = bounds

    def params(after: Key) -> list[str | int]:
        return [*since, after[0], after[0], after[1], high]

    pages = query.keyset(
        levels_text(want, table, ids, join),
        (low - 1, _PAST_ALL_LOCATIONS),
        params,
        lambda row: (row.item_id, row.location_id or 0),
        draw=want.draw_seq,
        read=read_levels_page,
    )
    for page in pages:
        with readable():
            found = columns(page, table)
        yield found


def read_item_range(
    query: SuiteQL, want: Want, location: int, bounds: Bounds, ids: Sequence[int] | None = None
) -> Iterator[LevelsPage]:
    """As `read_range`, from the totals on the items themselves, booked at `location`."""
    low, high = bounds
    pages = query.keyset(
        item_text(want, ids),
        (low - 1,),
        lambda after: [after[0], high],
        lambda row: (row.item_id,),
        draw=want.draw_seq,
        read=read_levels_page,
    )
    for page in pages:
        with readable():
            found = columns(page, "item", location)
        yield found


class LevelRow(msgspec.Struct):
    """A row of the stock queries. Quantities stay the text that NetSuite wrote; None for NULL."""

    item_id: int
    sku: str | None = None
    item_type: str | None = None
    location_id: int | None = None
    available: str | None = None
    on_hand: str | None = None
    committed: str | None = None
    in_transit: str | None = None
    backordered: str | None = None
    on_order: str | None = None
    changed_at: str | None = None


read_levels_page: Final = typed(LevelRow)


def columns(page: Page, source: str, location: int | None = None) -> LevelsPage:
    """Columns of a page of LevelRow; 1000 rows take about a millisecond, as their JSON does."""
    rows: list[LevelRow] = page.rows
    if location is None:
        places = [row.location_id or 0 for row in rows]
    else:
        places = [location] * len(rows)
    return LevelsPage(
        read_seq=page.read_seq,
        body=page.body,
        source=source,
        item_id=[row.item_id for row in rows],
        sku=[leaf(row.sku) for row in rows],
        item_type=[row.item_type or "" for row in rows],
        location=places,
        terms={term: [getattr(row, term) for row in rows] for term in TERMS},
        changed_at=[row.changed_at for row in rows],
        # The next page may have more locations of the last item.
        through=rows[-1].item_id - 1 if rows else 0,
    )


def leaf(name: str | None) -> str:
    """The own name of a matrix child: NetSuite may print "Parent : Child" (facts/netsuite.md 5)."""
    if name is None:
        return ""
    return name.rsplit(" : ", 1)[-1].strip() if " : " in name else name.strip()
