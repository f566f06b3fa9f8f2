"""The months of `inventory_change`: made ahead, dropped after thirteen.

Put here what creates and drops partitions. Do not put here what the lines mean. A dropped month leaves an
audit row, so that the proof of the chain knows which lines are missing by intention.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from bcns_pipeline.state.audit import Audit
from bcns_pipeline.state.schema import SCHEMA
from bcns_pipeline.state.scope import lock_pair
from bcns_pipeline.state.tables import inventory_change

DROPPED = "inventory.month_dropped"
KEPT_MONTHS = 13
# Each line is updated once, when it is settled; room on its page keeps the update out of the indexes.
_FILLFACTOR = 50


def month_of(at: datetime) -> str:
    """The partition's name: UTC months."""
    return f"inventory_change_{at.astimezone(UTC):%Y%m}"


def ensure_partitions(conn: sa.Connection, around: datetime, ahead: int = 1) -> None:
    """Make the partition of `around` and of `ahead` months after it, where missing."""
    first = around.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(ahead + 1):
        following = _next_month(first)
        name = f"{SCHEMA}.{month_of(first)}"
        if not _exists(conn, first):
            # Attaching leaves readers and writers of other months alone; CREATE ... PARTITION OF would not.
            space, key = lock_pair("inventory-partitions")
            conn.execute(sa.text(f"select pg_advisory_xact_lock({space}, {key})"))
            if not _exists(conn, first):
                conn.execute(
                    sa.text(
                        f"create table {name} (like {inventory_change.fullname} including defaults including "
                        f"constraints including indexes) with (fillfactor = {_FILLFACTOR})"
                    )
                )
                conn.execute(
                    sa.text(
                        f"alter table {inventory_change.fullname} attach partition {name} for values "
                        f"from ('{first.isoformat()}') to ('{following.isoformat()}')"
                    )
                )
        first = following


def drop_partitions_older_than(
    conn: sa.Connection, audit: Audit, now: datetime, months: int = KEPT_MONTHS
) -> list[str]:
    """Drop the months that ended more than `months` months before this one; returns their names."""
    oldest = now.astimezone(UTC).replace(day=1)
    year, month = divmod(oldest.year * 12 + oldest.month - 1 - months, 12)
    limit = f"inventory_change_{year:04d}{month + 1:02d}"
    children = sa.text(
        "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid "
        "where i.inhparent = to_regclass(:parent) and c.relname < :limit order by 1"
    )
    names = list(conn.execute(children, {"parent": inventory_change.fullname, "limit": limit}).scalars())
    for name in names:
        conn.execute(sa.text(f"drop table {SCHEMA}.{name}"))
        audit.append(conn, DROPPED, f"partition:{name}", {"partition": name})
    return names


def _exists(conn: sa.Connection, month: datetime) -> bool:
    """Asked of the catalogue's rows: to_regclass remembers within a transaction that a table was missing."""
    query = sa.text("select exists (select from pg_tables where schemaname = :schema and tablename = :name)")
    return bool(conn.execute(query, {"schema": SCHEMA, "name": month_of(month)}).scalar_one())


def _next_month(first: datetime) -> datetime:
    return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
