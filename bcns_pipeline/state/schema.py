"""The schema `bcns` itself: its name, and the one MetaData that all tables are part of.

Put here what every table needs. Do not put a table here: those of stock and of the outbox are in `tables.py`,
those of orders in `tables_orders.py`.
"""

from __future__ import annotations

import sqlalchemy as sa

SCHEMA = "bcns"
metadata = sa.MetaData(schema=SCHEMA)

Timestamp = sa.DateTime(timezone=True)
