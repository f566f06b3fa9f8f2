"""Units that the store has sold and NetSuite's stock does not know of.

Put here which orders take stock that a push must not offer again. Do not put here which NetSuite items these are
(rules/inventory/netting). An order counts from the moment a poll has listed it (`order_glimpse`), long before it
is read, judged and posted: shoppers do not wait for our queue.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import sqlalchemy as sa

from bcns_pipeline.state.order_models import Disposition, OrderLine
from bcns_pipeline.state.scope import Scope, canonical
from bcns_pipeline.state.tables_orders import order_glimpse, order_state

# Took stock in BigCommerce, and NetSuite does not know of it. `listed` orders came before the cutover and are
# in NetSuite by another way; `ignored` ones never will be.
UNPOSTED: tuple[Disposition, ...] = ("open", "held", "waiting", "planned")
# Incomplete orders took no stock yet; cancelled and declined ones gave it back (facts/bigcommerce.md 3).
NO_STOCK_STATUSES = (0, 5, 6)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What of a listed order concerns stock."""

    order_id: int
    modified_at: datetime
    status_id: int
    lines: tuple[OrderLine, ...]


class OrderUnits:
    """The sold units of one store."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def glimpse(self, seen: Sequence[Glimpse], *, conn: sa.Connection | None = None) -> None:
        """Orders were listed. A version older than one listed before is left out, and what was read meanwhile goes."""
        rows = [
            {
                "order_id": one.order_id,
                "modified_at": one.modified_at.isoformat(),
                "status_id": one.status_id,
                "lines": [line.as_json() for line in one.lines],
            }
            for _, one in sorted({one.order_id: one for one in seen}.items())
        ]
        with self._scope.transaction(conn) as tx:
            tx.execute(_FORGET, {"store": self._scope.store})
            if rows:
                tx.execute(_GLIMPSE, {"store": self._scope.store, "rows": canonical(rows)})

    def unposted_units(
        self,
        *,
        posted_since: datetime | None = None,
        no_stock_statuses: Collection[int] = NO_STOCK_STATUSES,
        conn: sa.Connection | None = None,
    ) -> pd.DataFrame:
        """Units that BigCommerce took and NetSuite's stock does not know of: int64 variant_id, product_id, units,
        orders; sku. A missing id is 0.

        Counted are orders `open`, `held`, `waiting` and `planned`, and those listed and not read yet, unless their
        status says that they hold no stock. `posted_since` adds those posted or adopted since then: stock that was
        read at that time may not know of them yet.
        """
        values = {
            "store": self._scope.store,
            "unposted": list(UNPOSTED),
            "no_stock": list(no_stock_statuses),
            "since": posted_since,
        }
        with self._scope.transaction(conn) as tx:
            rows = tx.execute(_UNPOSTED_UNITS, values).all()
        frame = pd.DataFrame(rows, columns=["variant_id", "product_id", "sku", "units", "orders"])
        whole = dict.fromkeys(("variant_id", "product_id", "units", "orders"), "int64")
        return frame.astype({**whole, "sku": object})


_S, _G = order_state.fullname, order_glimpse.fullname
_FORGET = sa.text(
    f"""
    delete from {_G} g using {_S} s
    where g.store = :store and s.store = g.store and s.order_id = g.order_id and s.modified_at >= g.modified_at
    """
)
# Read already, in this version or a later one: nothing to remember.
_GLIMPSE = sa.text(
    f"""
    insert into {_G} as k (store, order_id, modified_at, status_id, lines)
    select :store, g.order_id, g.modified_at, g.status_id, g.lines
    from jsonb_to_recordset(cast(:rows as jsonb))
        as g(order_id bigint, modified_at timestamptz, status_id int, lines jsonb)
    where not exists (
        select from {_S} s
        where s.store = :store and s.order_id = g.order_id and s.modified_at >= g.modified_at
    )
    order by g.order_id
    on conflict (store, order_id) do update
    set modified_at = excluded.modified_at, status_id = excluded.status_id, lines = excluded.lines
    where k.modified_at <= excluded.modified_at
    """
)
# What is in NetSuite, or came before the cutover, stays what it is whatever a later version says.
_UNPOSTED_UNITS = sa.text(
    f"""
    with newer as (
        select g.order_id, g.status_id, g.lines
        from {_G} g left join {_S} s on s.store = g.store and s.order_id = g.order_id
        where g.store = :store and (s.order_id is null
            or s.modified_at < g.modified_at and s.disposition not in ('posted', 'adopted', 'listed'))
    ), counted as (
        select order_id, status_id, lines from newer
        union all
        select s.order_id, s.status_id, s.lines from {_S} s
        where s.store = :store and not exists (select from newer n where n.order_id = s.order_id)
          and (s.disposition = any(cast(:unposted as text[]))
               or s.disposition in ('posted', 'adopted') and s.posted_at >= cast(:since as timestamptz))
    )
    select coalesce(l.variant_id, 0), coalesce(l.product_id, 0), l.sku, sum(l.quantity)::bigint,
        count(distinct c.order_id)
    from counted c
    cross join lateral jsonb_to_recordset(c.lines)
        as l(product_id bigint, variant_id bigint, sku text, quantity bigint)
    where c.status_id <> all(cast(:no_stock as int[]))
    group by 1, 2, 3
    having sum(l.quantity) > 0
    order by 1, 2, 3
    """
)
