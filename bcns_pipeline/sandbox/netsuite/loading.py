"""Filling NetSuite's tables from the generated merchant, and the views that compute what is not stored.

Put bulk loading here. Do not put changes of single rows here (database.py). Everything goes in through data
frames: a row at a time, 200,000 stock rows would take minutes.
"""

from __future__ import annotations

from datetime import datetime

import duckdb
import numpy as np
import pandas as pd

from bcns_pipeline.sandbox.netsuite.schema import DUCKDB_TYPES, ITEM, LEVELS
from bcns_pipeline.sandbox.world import World

LONG_AGO = "$now::TIMESTAMP - INTERVAL 2 DAY - INTERVAL 1 MINUTE * (item % 11520)"

VIEWS = """
CREATE MACRO ns_text(x) AS
  CASE WHEN typeof(x) LIKE 'D%' AND contains(x::VARCHAR, '.') AND NOT contains(x::VARCHAR, 'e')
       THEN rtrim(rtrim(x::VARCHAR, '0'), '.') ELSE x::VARCHAR END;
CREATE VIEW ns.aggregateitemlocation AS
  SELECT item, location, leadtime, quantityonhand - quantitycommitted AS quantityavailable, quantityonhand,
         quantitycommitted, quantityonorder, quantitybackordered, quantityintransit, averagecostmli,
         lastpurchasepricemli, CAST(quantityonhand * averagecostmli AS DECIMAL(18,5)) AS onhandvaluemli,
         reorderpoint, safetystocklevel, preferredstocklevel, lastquantityavailablechange, lastmodifieddate
  FROM ns.level;
CREATE VIEW ns.inventoryitemlocations AS
  SELECT {typed} FROM ns.aggregateitemlocation a JOIN ns.item i ON i.id = a.item
  WHERE i.itemtype = 'InvtPart';
CREATE VIEW ns.assemblyitemlocations AS
  SELECT {typed} FROM ns.aggregateitemlocation a JOIN ns.item i ON i.id = a.item
  WHERE i.itemtype = 'Assembly';
CREATE VIEW ns.item_totals AS
  SELECT i.* EXCLUDE ({totals}), {sums} FROM ns.item i LEFT JOIN (
    SELECT item, sum(quantityonhand) AS quantityonhand, sum(quantitycommitted) AS quantitycommitted,
           sum(quantityavailable) AS quantityavailable, sum(quantityonorder) AS quantityonorder,
           sum(quantitybackordered) AS quantitybackordered
    FROM ns.aggregateitemlocation GROUP BY item) t ON t.item = i.id;
CREATE VIEW ns.inventorybalance AS
  SELECT l.item, l.location, CAST(l.location * 10 + b.bin AS BIGINT) AS binnumber,
         CAST(NULL AS BIGINT) AS inventorynumber, CAST(1 AS BIGINT) AS inventorystatus,
         CASE b.bin WHEN 1 THEN l.quantityonhand - (b.bins - 1) * floor(l.quantityonhand / 3)
              ELSE floor(l.quantityonhand / 3) END AS quantityonhand,
         CASE b.bin WHEN 1 THEN l.quantityonhand - (b.bins - 1) * floor(l.quantityonhand / 3)
                                - l.quantitycommitted
              ELSE floor(l.quantityonhand / 3) END AS quantityavailable,
         CAST(0 AS DECIMAL(18,5)) AS quantitypicked, l.quantitycommitted AS committedqtyperlocation,
         CAST(NULL AS DECIMAL(18,5)) AS committedqtyperseriallotnumber,
         CAST(NULL AS DECIMAL(18,5)) AS committedqtyperseriallotnumberlocation
  FROM ns.level l JOIN (VALUES (0, 1, 1), (1, 1, 2), (1, 2, 2)) b(spread, bin, bins)
    ON b.spread = CASE WHEN l.item % 7 = 0 THEN 1 ELSE 0 END;
"""

STORED_LEVELS = [name for name in LEVELS if name not in ("quantityavailable", "onhandvaluemli")]


def load_items(con: duckdb.DuckDBPyConnection, world: World, now: datetime, *, oneworld: bool) -> None:
    """All items; nothing of them was modified within a month."""
    frame = world.items.drop(columns=["role", "store_sku"])
    con.register("loading", frame)
    given = {
        "id": "id::BIGINT",
        "itemid": "itemid",
        "fullname": "fullname",
        "displayname": "itemid",
        "itemtype": "itemtype",
        "matrixtype": "matrixtype",
        "isinactive": "isinactive",
        "parent": "NULLIF(parent, 0)::BIGINT",
        "subsidiary": "'1'" if oneworld else "NULL",
        "averagecost": "4.5 + id % 50",
        "cost": "4.0 + id % 50",
        "lastmodifieddate": "$now::TIMESTAMP - INTERVAL 30 DAY",
        "subtype": "CASE WHEN itemtype IN ('NonInvtPart', 'Service') THEN 'Sale' END",
    }
    fields = ", ".join(f'CAST({given.get(c, "NULL")} AS {DUCKDB_TYPES[k]}) AS "{c}"' for c, k in ITEM.items())
    con.execute(f"CREATE TABLE ns.item AS SELECT {fields} FROM loading ORDER BY id", {"now": now})
    con.unregister("loading")


def load_levels(con: duckdb.DuckDBPyConnection, world: World, now: datetime) -> None:
    """The stock rows; availability last changed two to ten days ago."""
    con.register("loading", world.levels)
    given = {
        "item": "item",
        "location": "location",
        "quantityonhand": "onhand",
        "quantitycommitted": "committed",
        "quantityonorder": "onorder",
        "quantitybackordered": "backordered",
        "quantityintransit": "intransit",
        "averagecostmli": "4.5 + item % 50",
        "lastquantityavailablechange": LONG_AGO,
        "lastmodifieddate": LONG_AGO,
    }
    fields = ", ".join(
        f'CAST({given.get(c, "NULL")} AS {DUCKDB_TYPES[LEVELS[c]]}) AS "{c}"' for c in STORED_LEVELS
    )
    con.execute(
        f"CREATE TABLE ns.level AS SELECT {fields} FROM loading ORDER BY item, location", {"now": now}
    )
    con.unregister("loading")


def load_small(con: duckdb.DuckDBPyConnection, world: World, now: datetime) -> None:
    """Locations, subsidiary, currencies, periods of last, this and next year, members, and the row of
    dual.
    """
    con.execute("INSERT INTO ns.dual VALUES ('X')")
    for k, location in enumerate(world.netsuite_locations):
        con.execute(
            """INSERT INTO ns.location BY NAME SELECT ? AS id, ? AS name, ? AS fullname, '1' AS subsidiary,
               'F' AS isinactive, 'T' AS makeinventoryavailable, 'T' AS makeinventoryavailablestore,
               '1' AS locationtype, 'F' AS usebins, ?::TIMESTAMP AS lastmodifieddate""",
            [location, f"Warehouse {k + 1}", f"Warehouse {k + 1}", now],
        )
    con.execute(
        """INSERT INTO ns.subsidiary BY NAME SELECT 1 AS id, 'Sandbox Trading Inc.' AS name,
           'Sandbox Trading Inc.' AS fullname, 1 AS currency, 'US' AS country, 'F' AS iselimination,
           'F' AS isinactive"""
    )
    con.execute(
        """INSERT INTO ns.currency BY NAME SELECT * FROM (VALUES
           (1, 'USD', 'US Dollar', 1.0, 2, 'T', 'F'), (2, 'EUR', 'Euro', 1.08, 2, 'F', 'F'),
           (3, 'JPY', 'Japanese Yen', 0.0066, 0, 'F', 'F'))
           v(id, symbol, name, exchangerate, currencyprecision, isbasecurrency, isinactive)"""
    )
    con.register("loading", world.members)
    con.execute(
        """INSERT INTO ns.itemmember BY NAME
           SELECT parentitem::BIGINT AS parentitem, item::BIGINT AS item, quantity,
                  linenumber::BIGINT AS linenumber
           FROM loading ORDER BY parentitem, linenumber"""
    )
    con.unregister("loading")
    months = pd.date_range(f"{now.year - 1}-01-01", periods=36, freq="MS")
    con.register(
        "loading",
        pd.DataFrame(
            {
                "id": np.arange(101, 101 + len(months)),
                "periodname": months.strftime("%b %Y"),
                "startdate": months,
                "enddate": months + pd.offsets.MonthEnd(0),
                "closed": np.where(months < pd.Timestamp(now) - pd.Timedelta(days=75), "T", "F"),
            }
        ),
    )
    con.execute(
        """INSERT INTO ns.accountingperiod BY NAME SELECT *, 'T' AS isposting, 'F' AS isadjust,
           'F' AS isquarter, 'F' AS isyear, 'F' AS isinactive, closed AS alllocked, closed AS arlocked,
           closed AS aplocked, 'F' AS allownonglchanges FROM loading"""
    )
    con.unregister("loading")
