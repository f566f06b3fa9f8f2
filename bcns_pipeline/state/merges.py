"""Which NetSuite customer was merged into which: obeyed by every later sync.

Put reading and writing of merges here. Do not decide here what is a duplicate: the rules report it and a
person merges in NetSuite. A merge moves the links of the customer that is gone to the one that stays.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.audit import Audit, lock_chain
from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.tables import link
from bcns_pipeline.state.tables_orders import customer_merge

CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Merge:
    """NetSuite customer `from_id` is `into_id` now. Ids are NetSuite internal ids as text."""

    from_id: str
    into_id: str
    actor: str
    reason: str
    at: datetime


class Merges:
    """The merged customers of one store."""

    def __init__(self, scope: Scope, audit: Audit) -> None:
        self._scope = scope
        self._audit = audit

    def put(
        self, from_id: str, into_id: str, reason: str, *, actor: str, conn: sa.Connection | None = None
    ) -> bool:
        """Note a merge and move its links; False where it was known. BadInput where it would go in a circle."""
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            survivor = self.resolve([into_id], conn=tx).get(into_id, into_id)
            if survivor == from_id:
                raise BadInput(
                    [f"Customer {from_id} can't be merged into {into_id}, which was merged into {from_id}."]
                )
            insert = sa.dialects.postgresql.insert(customer_merge).values(
                store=self._scope.store, from_id=from_id, into_id=into_id, actor=actor, reason=reason
            )
            merged = insert.on_conflict_do_update(
                index_elements=["store", "from_id"],
                set_={"into_id": into_id, "actor": actor, "reason": reason, "at": sa.func.now()},
                where=customer_merge.c.into_id != into_id,
            ).returning(customer_merge.c.from_id)
            if tx.execute(merged).scalar_one_or_none() is None:
                return False
            moved = tx.execute(
                sa.update(link)
                .where(
                    link.c.store == self._scope.store,
                    link.c.kind == CUSTOMER,
                    link.c.netsuite_id == from_id,
                )
                .values(netsuite_id=survivor, origin="merged", linked_at=sa.func.now())
            ).rowcount
            body = {"into": into_id, "survivor": survivor, "links": moved, "reason": reason}
            self._audit.append(tx, "customer.merged", f"customer:{from_id}", body, actor=actor)
        return True

    def resolve(self, netsuite_ids: Collection[str], *, conn: sa.Connection | None = None) -> dict[str, str]:
        """The surviving customer of each id that was merged, over any number of merges; others are missing."""
        if not netsuite_ids:
            return {}
        values = {"store": self._scope.store, "ids": sorted(set(netsuite_ids))}
        with self._scope.transaction(conn) as tx:
            return {row.asked: row.survivor for row in tx.execute(_SURVIVORS, values)}

    def all(self, *, conn: sa.Connection | None = None) -> list[Merge]:
        """Every merge, oldest first."""
        query = (
            sa.select(*(customer_merge.c[name] for name in Merge.__dataclass_fields__))
            .where(customer_merge.c.store == self._scope.store)
            .order_by(customer_merge.c.at, customer_merge.c.from_id)
        )
        with self._scope.transaction(conn) as tx:
            return [Merge(**row) for row in tx.execute(query).mappings()]


_SURVIVORS = sa.text(
    f"""
    with recursive walk(asked, at, steps) as (
        select from_id, into_id, 1 from {customer_merge.fullname}
        where store = :store and from_id = any(cast(:ids as text[]))
        union all
        select w.asked, m.into_id, w.steps + 1 from walk w
        join {customer_merge.fullname} m on m.store = :store and m.from_id = w.at
    )
    select distinct on (asked) asked, at as survivor from walk order by asked, steps desc
    """
)
