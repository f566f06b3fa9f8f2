"""Rows that records have written and DuckDB has not yet seen: written behind, in one batch per table.

Put the collecting and the batch statements here. Do not put anything here that knows what a row means. A row
at a time would cost DuckDB a millisecond each, an order has eight of them, and nobody looks before the next
query. Whoever reads flushes first, so that an answered write is always seen.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd

from bcns_pipeline.sandbox.netsuite.schema import DUCKDB_TYPES, Kind

Row = Mapping[str, Any]
OWNER = "_owner"
MANY = 150


@dataclass(frozen=True, slots=True)
class Level:
    """One stock row as it is after changes; `moved` says that its available quantity is another one."""

    on_hand: Decimal
    committed: Decimal
    backordered: Decimal
    moved: bool
    at: str


@dataclass(slots=True)
class Batch:
    """What waits: per table the rows of each owner (which replace its earlier ones), and stock rows."""

    rows: dict[str, dict[int, Sequence[Row]]] = field(default_factory=dict)
    levels: dict[tuple[int, int], Level] = field(default_factory=dict)


class Backlog:
    """Collects on the event loop; is taken away by whichever thread reads next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._batch = Batch()
        # Owners whose rows DuckDB has: only those need a DELETE, which scans the table.
        self._stored: dict[str, set[int]] = {}

    def clear(self) -> None:
        """Nothing waits and nothing is stored, as in an empty database."""
        with self._lock:
            self._batch = Batch()
            self._stored = {}

    def put(self, table: str, owner: int, rows: Sequence[Row]) -> None:
        """The rows of `owner` in `table` are these from now on; none is a deletion."""
        with self._lock:
            self._batch.rows.setdefault(table, {})[owner] = rows

    def put_level(self, item: int, location: int, level: Level) -> None:
        """A stock row has these quantities from now on."""
        with self._lock:
            earlier = self._batch.levels.get((item, location))
            if earlier is not None and earlier.moved and not level.moved:
                level = Level(level.on_hand, level.committed, level.backordered, moved=True, at=level.at)
            self._batch.levels[item, location] = level

    def take(self) -> Batch | None:
        """Everything that waits; the caller writes it before it lets anybody else read."""
        with self._lock:
            batch = self._batch
            if not batch.rows and not batch.levels:
                return None
            self._batch = Batch()
            return batch

    def write(
        self,
        cursor: duckdb.DuckDBPyConnection,
        batch: Batch,
        columns: Mapping[str, Mapping[str, Kind]],
    ) -> None:
        """Bring a batch into the tables in one transaction; `columns` are the kinds per table."""
        cursor.execute("BEGIN")
        try:
            for table, owners in batch.rows.items():
                stored = self._stored.setdefault(table, set())
                if known := stored.intersection(owners):
                    listed = ", ".join(map(str, known))
                    cursor.execute(f"DELETE FROM ns.{table} WHERE {OWNER} IN ({listed})")
                stored.update(owners)
                rows = [{OWNER: owner, **row} for owner, rows in owners.items() for row in rows]
                insert(cursor, table, rows, columns[table])
            if batch.levels:
                write_levels(cursor, batch.levels)
        except BaseException:
            cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")


def insert(
    cursor: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Row], kinds: Mapping[str, Kind]
) -> None:
    """Insert rows, with only those columns that any of them has: planning takes longer than running.

    Few rows go as JSON, whose fixed cost is half that of a frame; many as a frame, which takes a tenth per row.
    """
    if not rows:
        return
    used = dict.fromkeys(name for row in rows for name, value in row.items() if value is not None)
    types = {name: DUCKDB_TYPES[kinds[name]] if name in kinds else "BIGINT" for name in used}
    if len(rows) < MANY:
        shape = json.dumps([types])
        sql = f"INSERT INTO ns.{table} BY NAME SELECT unnest(from_json(?, '{shape}'), recursive := true)"
        cursor.execute(sql, [json.dumps(rows, default=str)])
        return
    columns = {name: [None if row.get(name) is None else str(row[name]) for row in rows] for name in used}
    fields = ", ".join(f'"{name}"::{kind} AS "{name}"' for name, kind in types.items())
    cursor.register("arriving", pd.DataFrame(columns, dtype="string"))
    try:
        cursor.execute(f"INSERT INTO ns.{table} BY NAME SELECT {fields} FROM arriving")
    finally:
        cursor.unregister("arriving")


def write_levels(cursor: duckdb.DuckDBPyConnection, levels: Mapping[tuple[int, int], Level]) -> None:
    """Stock rows that are there get other quantities, the rest is added."""
    shape = json.dumps(
        [
            {
                "item": "BIGINT",
                "location": "BIGINT",
                "onhand": "DECIMAL(18,5)",
                "committed": "DECIMAL(18,5)",
                "backordered": "DECIMAL(18,5)",
                "moved": "BOOLEAN",
                "at": "TIMESTAMP",
            }
        ]
    )
    given = json.dumps(list(level_rows(levels.items())), default=str)
    source = f"SELECT unnest(from_json(?, '{shape}'), recursive := true)"
    changed = cursor.execute(
        f"""UPDATE ns.level SET quantityonhand = c.onhand, quantitycommitted = c.committed,
              quantitybackordered = c.backordered, lastmodifieddate = c.at,
              lastquantityavailablechange = CASE WHEN c.moved THEN c.at
                                                 ELSE lastquantityavailablechange END
            FROM ({source}) c WHERE c.item = level.item AND c.location = level.location""",
        [given],
    ).fetchall()
    if int(changed[0][0]) == len(levels):
        return
    cursor.execute(
        f"""INSERT INTO ns.level BY NAME
            SELECT c.item, c.location, c.onhand AS quantityonhand, c.committed AS quantitycommitted,
                   0 AS quantityonorder, c.backordered AS quantitybackordered, 0 AS quantityintransit,
                   c.at AS lastquantityavailablechange, c.at AS lastmodifieddate
            FROM ({source}) c ANTI JOIN ns.level l ON l.item = c.item AND l.location = c.location""",
        [given],
    )


def level_rows(levels: Iterable[tuple[tuple[int, int], Level]]) -> Iterable[Row]:
    """Stock rows as JSON objects."""
    for (item, location), level in levels:
        yield {
            "item": item,
            "location": location,
            "onhand": level.on_hand,
            "committed": level.committed,
            "backordered": level.backordered,
            "moved": level.moved,
            "at": level.at,
        }
