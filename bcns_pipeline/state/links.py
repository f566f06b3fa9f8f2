"""Which record here is that record there.

Put reading and writing of links here. Do not decide here what matches: the rules do. A BigCommerce record has
one link per kind; a NetSuite record has one too, except where several shoppers are one customer or several
shipments one fulfilment. `item` links carry the SKU as label and product, variant and tracking in their detail.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from bcns_pipeline.state.audit import Audit, lock_chain
from bcns_pipeline.state.bulk import copy_in, copy_texts, driver_cursor, quoted
from bcns_pipeline.state.scope import Scope, canonical
from bcns_pipeline.state.tables import MANY_TO_ONE, link

ITEM = "item"
_ITEM_COLUMNS = ("item_id", "sku", "product_id", "variant_id", "tracking")


@dataclass(frozen=True, slots=True)
class Link:
    """One pair. Ids are text, as both systems give them in documents."""

    netsuite_id: str
    bigcommerce_id: str
    label: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    origin: str = "created"
    linked_at: datetime | None = None


class Links:
    """The links of one store."""

    def __init__(self, scope: Scope, audit: Audit) -> None:
        self._scope = scope
        self._audit = audit

    def put(self, kind: str, links: Sequence[Link], *, conn: sa.Connection | None = None) -> int:
        """Write links; each replaces whatever linked either of its two records. Returns how many changed.

        Of a kind in `MANY_TO_ONE` it replaces only what linked the BigCommerce record.
        """
        rows = [
            {
                "netsuite_id": one.netsuite_id,
                "bigcommerce_id": one.bigcommerce_id,
                "label": one.label,
                "detail": dict(one.detail),
                "origin": one.origin,
            }
            for one in links
        ]
        if not rows:
            return 0
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            return self._replace(tx, kind, _GIVEN, {"rows": canonical(rows)})

    def get(self, kind: str, netsuite_id: str, *, conn: sa.Connection | None = None) -> Link | None:
        """The link of that NetSuite record (the newest of several), or None."""
        found = self.get_many(kind, [netsuite_id], conn=conn).get(netsuite_id)
        return found[0] if found else None

    def find(self, kind: str, bigcommerce_id: str, *, conn: sa.Connection | None = None) -> Link | None:
        """The link of that BigCommerce record, or None."""
        return self.find_many(kind, [bigcommerce_id], conn=conn).get(bigcommerce_id)

    def find_many(
        self, kind: str, bigcommerce_ids: Collection[str], *, conn: sa.Connection | None = None
    ) -> dict[str, Link]:
        """The links of those BigCommerce records that have one, by BigCommerce id."""
        found = self._many(kind, link.c.bigcommerce_id, bigcommerce_ids, conn)
        return {one.bigcommerce_id: one for one in found}

    def get_many(
        self, kind: str, netsuite_ids: Collection[str], *, conn: sa.Connection | None = None
    ) -> dict[str, list[Link]]:
        """The links of those NetSuite records that have any, by NetSuite id, the newest first."""
        found: dict[str, list[Link]] = {}
        for one in self._many(kind, link.c.netsuite_id, netsuite_ids, conn):
            found.setdefault(one.netsuite_id, []).append(one)
        return found

    def numbered(self, kind: str, after: int, limit: int, *, conn: sa.Connection | None = None) -> list[int]:
        """BigCommerce ids that are whole numbers above `after`, ascending: for a walk over all of them."""
        values = {"store": self._scope.store, "kind": kind, "after": after, "limit": limit}
        with self._scope.transaction(conn) as tx:
            return [int(one) for one in tx.execute(_NUMBERED, values).scalars()]

    def since(
        self, kind: str, moment: datetime, *, origin: str, conn: sa.Connection | None = None
    ) -> list[Link]:
        """Links of this origin that were written or changed at `moment` or later, oldest first."""
        query = (
            sa.select(link)
            .where(
                link.c.store == self._scope.store,
                link.c.kind == kind,
                link.c.origin == origin,
                link.c.linked_at >= moment,
            )
            .order_by(link.c.linked_at, link.c.bigcommerce_id)
        )
        with self._scope.transaction(conn) as tx:
            return [_link(row) for row in tx.execute(query)]

    def remove(self, kind: str, netsuite_ids: Sequence[str], *, conn: sa.Connection | None = None) -> int:
        """Forget links whose records are gone; returns how many there were."""
        gone = sa.delete(link).where(
            link.c.store == self._scope.store, link.c.kind == kind, link.c.netsuite_id.in_(list(netsuite_ids))
        )
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            count = tx.execute(gone).rowcount
            if count:
                self._audit.append(tx, "link.removed", f"link:{kind}", {"kind": kind, "links": count})
        return count

    def put_items(
        self, frame: pd.DataFrame, *, origin: str = "sku", conn: sa.Connection | None = None
    ) -> int:
        """Write item links (int64 item_id, product_id, variant_id; sku, tracking); returns the changed."""
        details = [
            f'{{"product_id":{product},"tracking":"{tracking}","variant_id":{variant}}}'
            for product, tracking, variant in zip(
                frame["product_id"].tolist(),
                frame["tracking"].tolist(),
                frame["variant_id"].tolist(),
                strict=True,
            )
        ]
        columns: list[list[Any]] = [
            frame["item_id"].astype("int64").tolist(),
            frame["variant_id"].astype("int64").tolist(),
            copy_texts(frame["sku"].tolist()),
            details,
            [origin] * len(frame),
        ]
        return self._copy_items(columns, conn)

    def items(self, *, conn: sa.Connection | None = None) -> pd.DataFrame:
        """All item links: int64 item_id, product_id, variant_id; sku, tracking; ordered by item_id."""
        buffer = io.BytesIO()
        with self._scope.transaction(conn) as tx, driver_cursor(tx) as cursor:
            query = f"""
                select netsuite_id::bigint, label, (detail ->> 'product_id')::bigint, bigcommerce_id::bigint,
                    detail ->> 'tracking'
                from {link.fullname} where store = {quoted(tx, self._scope.store)}
                    and kind = '{ITEM}' order by 1
            """
            cursor.copy_expert(f"copy ({query}) to stdout (format csv)", buffer)
        buffer.seek(0)
        # SKUs like "NA", "007" or "1e3" are texts; nothing is to be guessed.
        kinds = {
            "item_id": "int64",
            "product_id": "int64",
            "variant_id": "int64",
            "sku": "str",
            "tracking": "str",
        }
        if not buffer.getbuffer().nbytes:
            return pd.DataFrame({name: np.array([], dtype=kinds[name]) for name in _ITEM_COLUMNS})
        return pd.read_csv(
            buffer,
            header=None,
            names=list(_ITEM_COLUMNS),
            dtype=kinds,
            keep_default_na=False,
            na_filter=False,
        )

    def _copy_items(self, columns: Sequence[Sequence[Any]], conn: sa.Connection | None) -> int:
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            tx.execute(
                sa.text(
                    "create temporary table if not exists link_in (netsuite_id text, bigcommerce_id text, "
                    "label text, detail jsonb, origin text) on commit delete rows"
                )
            )
            tx.execute(sa.text("truncate link_in"))
            names = ("netsuite_id", "bigcommerce_id", "label", "detail", "origin")
            copy_in(tx, "link_in", names, (), [columns])
            return self._replace(tx, ITEM, "link_in", {})

    def _replace(self, tx: sa.Connection, kind: str, source: str, values: Mapping[str, Any]) -> int:
        """Write the links of `source`, a table expression of our own, and the audit row."""
        bound = {"store": self._scope.store, "kind": kind, **values}
        if kind in MANY_TO_ONE:
            changed = tx.execute(sa.text(_UPSERT_MANY.format(source=source)), bound).rowcount
        else:
            # Two records that swapped their partners would collide one by one, so old pairs go first.
            tx.execute(sa.text(_REMOVE_TAKEN.format(source=source)), bound)
            changed = tx.execute(sa.text(_UPSERT.format(source=source)), bound).rowcount
        if changed:
            self._audit.append(tx, "link.written", f"link:{kind}", {"kind": kind, "links": changed})
        return changed

    def _many(
        self, kind: str, column: sa.Column[str], ids: Collection[str], conn: sa.Connection | None
    ) -> list[Link]:
        if not ids:
            return []
        query = (
            sa.select(link)
            .where(
                link.c.store == self._scope.store,
                link.c.kind == kind,
                column == sa.any_(sa.cast(sorted(set(ids)), sa.ARRAY(sa.Text))),
            )
            .order_by(link.c.linked_at.desc(), link.c.bigcommerce_id)
        )
        with self._scope.transaction(conn) as tx:
            return [_link(row) for row in tx.execute(query)]


def _link(row: Any) -> Link:
    return Link(row.netsuite_id, row.bigcommerce_id, row.label, row.detail, row.origin, row.linked_at)


_NUMBERED = sa.text(
    f"""
    select number from (
        select case when bigcommerce_id ~ '^[0-9]{{1,18}}$' then bigcommerce_id::bigint end as number
        from {link.fullname} where store = :store and kind = :kind
    ) numbered
    where number > :after order by number limit :limit
    """
)
# A few links go as one JSON value; a whole catalogue by COPY into a table.
_GIVEN = (
    "jsonb_to_recordset(cast(:rows as jsonb)) as link_in(netsuite_id text, bigcommerce_id text, label text, "
    "detail jsonb, origin text)"
)
_LINK_IN = "netsuite_id, bigcommerce_id, label, detail, origin"
_REMOVE_TAKEN = f"""
    delete from {link.fullname} l using {{source}}
    where l.store = :store and l.kind = :kind and l.bigcommerce_id = link_in.bigcommerce_id
      and l.netsuite_id <> link_in.netsuite_id
"""
_UPSERT = f"""
    insert into {link.fullname} (store, kind, {_LINK_IN})
    select :store, :kind, {_LINK_IN} from {{source}} order by netsuite_id
    on conflict (store, kind, netsuite_id) where kind not in {MANY_TO_ONE} do update
    set bigcommerce_id = excluded.bigcommerce_id, label = excluded.label, detail = excluded.detail,
        origin = excluded.origin, linked_at = now()
    where (link.bigcommerce_id, link.label, link.detail)
        is distinct from (excluded.bigcommerce_id, excluded.label, excluded.detail)
"""
_UPSERT_MANY = f"""
    insert into {link.fullname} (store, kind, {_LINK_IN})
    select :store, :kind, {_LINK_IN} from {{source}} order by bigcommerce_id
    on conflict (store, kind, bigcommerce_id) do update
    set netsuite_id = excluded.netsuite_id, label = excluded.label, detail = excluded.detail,
        origin = excluded.origin, linked_at = now()
    where (link.netsuite_id, link.label, link.detail)
        is distinct from (excluded.netsuite_id, excluded.label, excluded.detail)
"""
