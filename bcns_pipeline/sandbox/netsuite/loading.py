"""Filling NetSuite's tables from the generated merchant, and the views that compute what is not stored.

Put bulk loading here. Do not put changes of single rows here (database.py). Everything goes in through data
frames: a row at a time, 200,000 stock rows would take minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from bcns_pipeline.sandbox.netsuite.account import SERVICE_ITEMS, SHIP_METHODS, Account, ServiceItem
from bcns_pipeline.sandbox.netsuite.backlog import insert
from bcns_pipeline.sandbox.netsuite.chart import INVENTORY, ITEM_ACCOUNTS, REVENUE, SHIPPING
from bcns_pipeline.sandbox.netsuite.kinds import status_rows
from bcns_pipeline.sandbox.netsuite.schema import DUCKDB_TYPES, ITEM, LEVELS, STORED
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
CREATE VIEW ns.itemfulfillment AS
  SELECT t.id, l.createdfrom, t.status, t.lastmodifieddate
  FROM ns.transaction t JOIN ns.transactionline l ON l.transaction = t.id AND l.mainline = 'T'
  WHERE t.type = 'ItemShip';
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
        "subsidiary": "'1, 2'" if oneworld else "NULL",
        "averagecost": "4.5 + id % 50",
        "cost": "4.0 + id % 50",
        "lastmodifieddate": "$now::TIMESTAMP - INTERVAL 30 DAY",
        "incomeaccount": str(REVENUE),
        "assetaccount": f"CASE WHEN itemtype IN ('InvtPart', 'Assembly') THEN {INVENTORY} END",
        "subtype": "CASE WHEN itemtype IN ('NonInvtPart', 'Service') THEN 'Sale' END",
    }
    fields = ", ".join(f'CAST({given.get(c, "NULL")} AS {DUCKDB_TYPES[k]}) AS "{c}"' for c, k in ITEM.items())
    # What records need to know of an item and SuiteQL does not show (`baseprice` is unproven there).
    own = "CAST(8.99 + 2 * (id % 50) AS DECIMAL(18,5)) AS _price, 'T' AS _taxable, NULL::DECIMAL(18,5) AS _percent"
    con.execute(f"CREATE TABLE ns.item AS SELECT {fields}, {own} FROM loading ORDER BY id", {"now": now})
    con.unregister("loading")
    extra = [*SERVICE_ITEMS, *(ServiceItem(m.id, m.name, "ShipItem", "") for m in SHIP_METHODS)]
    services = pd.DataFrame(
        {
            "id": [item.id for item in extra],
            "itemid": [item.name for item in extra],
            "itemtype": [item.kind for item in extra],
            "taxable": ["T" if item.taxable else "F" for item in extra],
            "percent": [None if item.percent is None else float(item.percent) for item in extra],
            "income": [
                SHIPPING if item.kind == "ShipItem" else ITEM_ACCOUNTS.get(item.key, REVENUE)
                for item in extra
            ],
        }
    )
    con.register("loading", services)
    con.execute(
        """INSERT INTO ns.item BY NAME
           SELECT id, itemid, itemid AS fullname, itemid AS displayname, itemtype, 'F' AS isinactive,
                  CASE WHEN itemtype IN ('OthCharge', 'NonInvtPart') THEN 'Sale' END AS subtype,
                  $subsidiary AS subsidiary, $now::TIMESTAMP - INTERVAL 30 DAY AS lastmodifieddate,
                  taxable AS _taxable, percent::DECIMAL(18,5) AS _percent,
                  income::BIGINT AS incomeaccount
           FROM loading""",
        {"now": now, "subsidiary": "1, 2" if oneworld else None},
    )
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


def load_small(con: duckdb.DuckDBPyConnection, world: World, account: Account, now: datetime) -> None:
    """What the accountant set up, members of kits, periods of last, this and next year, and the row of dual."""
    con.execute("INSERT INTO ns.dual BY NAME SELECT 'X' AS dummy")
    load_account(con, account, now)
    con.register("loading", world.members)
    con.execute(
        """INSERT INTO ns.itemmember BY NAME
           SELECT parentitem::BIGINT AS parentitem, item::BIGINT AS item, quantity,
                  linenumber::BIGINT AS linenumber
           FROM loading ORDER BY parentitem, linenumber"""
    )
    con.unregister("loading")
    load_periods(con, now)


def load_account(con: duckdb.DuckDBPyConnection, account: Account, now: datetime) -> None:
    """Subsidiaries, currencies, locations, accounts, tax codes, ship methods."""

    def fill(table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        insert(con, table, list(rows), STORED[table])

    named = {"isinactive": "F"}
    fill(
        "location",
        (
            {
                "id": one.id,
                "name": one.name,
                "fullname": one.name,
                "subsidiary": str(one.subsidiary),
                "makeinventoryavailable": "T",
                "makeinventoryavailablestore": "T",
                "locationtype": "1",
                "usebins": "F",
                "lastmodifieddate": now,
                **named,
            }
            for one in account.locations.values()
        ),
    )
    fill(
        "subsidiary",
        (
            {
                "id": one.id,
                "name": one.name,
                "fullname": one.name,
                "currency": one.currency,
                "country": one.country,
                "parent": one.parent,
                "iselimination": "F",
                **named,
            }
            for one in account.subsidiaries.values()
        ),
    )
    fill(
        "currency",
        (
            {
                "id": one.id,
                "symbol": one.symbol,
                "name": one.name,
                "exchangerate": one.rate,
                "currencyprecision": one.precision,
                "isbasecurrency": "T" if one.rate == 1 else "F",
                **named,
            }
            for one in account.currencies.values()
        ),
    )
    for table, things in (("department", account.departments), ("classification", account.classes)):
        fill(table, ({"id": t.id, "name": t.name, "fullname": t.name, **named} for t in things.values()))
    fill(
        "account",
        (
            {
                "id": one.id,
                "acctnumber": one.number,
                "acctname": one.name,
                "accttype": one.kind,
                "fullname": one.name,
                "accountsearchdisplayname": f"{one.number} {one.name}",
                "currency": one.currency,
                "isinactive": "T" if one.inactive else "F",
            }
            for one in account.accounts.values()
        ),
    )
    fill(
        "shipitem",
        (
            {"id": m.id, "itemid": m.name, "displayname": m.name, **named}
            for m in account.ship_methods.values()
        ),
    )
    codes = account.tax_codes.values()
    fill("salestaxitem", ({"id": c.id, "name": c.name, "taxtype": c.type} for c in codes))
    fill(
        "customrecord_ste_taxrate",
        (
            {
                "id": c.id,
                "custrecord_ste_taxrate_taxcode": c.id,
                "custrecord_ste_taxrate_rate": c.rate,
            }
            for c in codes
        ),
    )
    fill(
        "pricelevel",
        (
            {
                "id": level,
                "name": "Base Price" if level == 1 else "Wholesale",
                "discountpct": percent,
                **named,
            }
            for level, percent in account.price_levels.items()
        ),
    )
    fill("transactionstatus", status_rows())


def load_periods(con: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Months of three years; those that ended well before today are closed."""
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
