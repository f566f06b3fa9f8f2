"""NetSuite's records in DuckDB, and the changes that warehouse and sales make.

Put SQL that changes tables here. Do not put SuiteQL here. Available is always on hand minus committed,
computed by a view, and a row's `lastquantityavailablechange` moves with whatever moves it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pandas as pd

from bcns_pipeline.sandbox.clock import Clock
from bcns_pipeline.sandbox.netsuite.account import Account
from bcns_pipeline.sandbox.netsuite.backlog import OWNER, Backlog
from bcns_pipeline.sandbox.netsuite.loading import VIEWS, load_items, load_levels, load_small
from bcns_pipeline.sandbox.netsuite.schema import DUCKDB_TYPES, ITEM_TOTALS, TYPED_LEVELS, stored
from bcns_pipeline.sandbox.world import World


class Database:
    """One account's tables. Reads run on a cursor per thread; writes are serial and count up `version`.

    Records write through `backlog`; everything here that looks at the tables flushes it first.
    `stock_version` and `item_version` move when stock rows or items were changed behind the records' back.
    """

    def __init__(self, clock: Clock, custom_fields: Sequence[str] = ()) -> None:
        self.clock = clock
        self.version = 0
        self.stock_version = 0
        self.item_version = 0
        self.backlog = Backlog()
        self.columns = stored(custom_fields)
        self._lock = threading.RLock()
        self._local = threading.local()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def load(self, world: World, account: Account) -> None:
        """Fill an empty database with a merchant."""
        with self._lock:
            con = duckdb.connect(":memory:")
            # One thread per query: the client under test shares the machine with us.
            con.execute("SET threads = 1")
            con.execute("CREATE SCHEMA ns")
            now = self.clock.account()
            load_items(con, world, now, oneworld=account.oneworld)
            load_levels(con, world, now)
            for name, columns in self.columns.items():
                fields = ", ".join(f'"{c}" {DUCKDB_TYPES[k]}' for c, k in columns.items())
                con.execute(f"CREATE TABLE ns.{name} ({fields}, {OWNER} BIGINT)")
            load_small(con, world, account, now)
            typed = ", ".join(f"a.{c}" for c in TYPED_LEVELS)
            sums = ", ".join(f"COALESCE(t.{c}, 0) AS {c}" for c in ITEM_TOTALS)
            con.execute(VIEWS.format(typed=typed, totals=", ".join(ITEM_TOTALS), sums=sums))
            self._connection = con
            self._local = threading.local()
            self.backlog.clear()
            self.version += 1
            self.stock_version += 1
            self.item_version += 1

    def flush(self) -> None:
        """Bring what records wrote into the tables; whoever comes second waits until it is there."""
        with self._lock:
            batch = self.backlog.take()
            if batch is None:
                return
            self.version += 1
            self.backlog.write(self.cursor(), batch, self.columns)
            self.version += 1

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """This thread's cursor."""
        cursor = getattr(self._local, "cursor", None)
        if cursor is None:
            if self._connection is None:
                raise RuntimeError("The sandbox's database is asked before it is loaded.")
            cursor = self._local.cursor = self._connection.cursor()
        return cursor

    def write(self, sql: str, params: Mapping[str, Any] | Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one changing statement; returns its RETURNING rows or its count."""
        with self._lock:
            self.flush()
            self.version += 1
            rows = self.cursor().execute(sql, params).fetchall()
            self.version += 1
            return rows

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Read with plain DuckDB SQL."""
        self.flush()
        return self.cursor().execute(sql, params).fetchall()

    def insert(self, table: str, values: Mapping[str, Any]) -> None:
        """Insert one row."""
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" for _ in values)
        self.write(f"INSERT INTO ns.{table} ({names}) VALUES ({marks})", list(values.values()))

    def find_items(self, sku: str) -> list[int]:
        """Ids of the items whose item number is `sku` to the letter, lowest first."""
        return [
            int(row[0]) for row in self.rows("SELECT id FROM ns.item WHERE itemid = ? ORDER BY id", [sku])
        ]

    def set_levels(self, changes: pd.DataFrame) -> int:
        """Apply stock movements: columns item, location, and one of on_hand or delta (NaN: not this one).

        A pair without a row gets one, as the first receipt of an item at a location does. Returns how many
        rows moved.
        """
        now = self.clock.account()
        with self._lock:
            self.stock_version += 1
            cursor = self.cursor()
            cursor.register("changes", changes)
            try:
                self.write(
                    """INSERT INTO ns.level BY NAME
                       SELECT DISTINCT c.item AS item, c.location AS location, 0 AS quantityonhand,
                              0 AS quantitycommitted, 0 AS quantityonorder, 0 AS quantitybackordered,
                              0 AS quantityintransit, $now::TIMESTAMP AS lastquantityavailablechange,
                              $now::TIMESTAMP AS lastmodifieddate
                       FROM changes c ANTI JOIN ns.level l ON l.item = c.item AND l.location = c.location""",
                    {"now": now},
                )
                moved = self.write(
                    """UPDATE ns.level SET
                         quantityonhand = COALESCE(c.on_hand, quantityonhand + c.delta)::DECIMAL(18,5),
                         lastquantityavailablechange = $now::TIMESTAMP, lastmodifieddate = $now::TIMESTAMP
                       FROM changes c WHERE c.item = level.item AND c.location = level.location""",
                    {"now": now},
                )
            finally:
                cursor.unregister("changes")
        return int(moved[0][0])

    def move_all(self, delta: float) -> int:
        """Add `delta` to the stock of every item at every location."""
        self.stock_version += 1
        moved = self.write(
            """UPDATE ns.level SET quantityonhand = quantityonhand + $delta::DECIMAL(18,5),
               lastquantityavailablechange = $now::TIMESTAMP, lastmodifieddate = $now::TIMESTAMP""",
            {"delta": delta, "now": self.clock.account()},
        )
        return int(moved[0][0])

    def set_terms(self, item: int, location: int, terms: Mapping[str, float]) -> None:
        """Set other quantities of one row (committed, on order, in transit, backordered)."""
        self.stock_version += 1
        now = self.clock.account()
        fields = ", ".join(f"{name} = ?" for name in terms)
        moves = ", lastquantityavailablechange = ?" if "quantitycommitted" in terms else ""
        values = [*terms.values(), now, *([now] if moves else []), item, location]
        self.write(
            f"UPDATE ns.level SET {fields}, lastmodifieddate = ?{moves} WHERE item = ? AND location = ?",
            values,
        )
