"""What kits take of their members, as NetSuite said when it was last asked.

Put here only the keeping. What a kit can be sold for is a rule (rules/inventory/kits). It is kept because an order
for a kit takes stock of members that a run may read without asking for the kit.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import sqlalchemy as sa

from bcns_pipeline.state.bulk import array_text
from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.tables import kit_member

_COLUMNS = ("parent_id", "item_id", "quantity")


class Kits:
    """The kits of one store's NetSuite account."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def all(self) -> pd.DataFrame:
        """int64 parent_id, item_id and quantity (scaled; 0 = unreadable), ordered; stocked members only."""
        query = (
            sa.select(kit_member.c.kit_id, kit_member.c.item_id, kit_member.c.need)
            .where(kit_member.c.store == self._scope.store)
            .order_by(kit_member.c.kit_id, kit_member.c.item_id)
        )
        with self._scope.transaction() as tx:
            rows = tx.execute(query).all()
        return pd.DataFrame(rows, columns=list(_COLUMNS)).astype("int64")

    def keep(self, members: pd.DataFrame, *, complete: bool) -> None:
        """Kits as they are now (columns as `rules.inventory.frames.members_frame` makes them).

        `complete`: these are all kits, so others are gone. Nothing is written where nothing has changed.
        """
        stocked = members[members["stocked"]] if "stocked" in members.columns else members
        found = stocked.groupby(["parent_id", "item_id"], as_index=False)["quantity"].sum()
        known = self.all()
        asked = set(members["parent_id"].tolist())
        before = known if complete else known[known["parent_id"].isin(asked)]
        if np.array_equal(found[list(_COLUMNS)].to_numpy(np.int64), before.to_numpy(np.int64)):
            return
        gone = set(before["parent_id"].tolist()) | asked
        values = {name: array_text(found[name].tolist()) for name in _COLUMNS}
        with self._scope.transaction() as tx:
            tx.execute(_FORGET, {"store": self._scope.store, "kits": sorted(gone)})
            tx.execute(_KEEP, {"store": self._scope.store, **values})

    def forget(self, kits: Iterable[int]) -> None:
        """These are not active any more."""
        with self._scope.transaction() as tx:
            tx.execute(_FORGET, {"store": self._scope.store, "kits": sorted(kits)})


_FORGET = sa.text(
    f"delete from {kit_member.fullname} where store = :store and kit_id = any(cast(:kits as bigint[]))"
)
_KEEP = sa.text(
    f"""
    insert into {kit_member.fullname} (store, kit_id, item_id, need)
    select :store, g.kit_id, g.item_id, g.need
    from unnest(cast(:parent_id as bigint[]), cast(:item_id as bigint[]), cast(:quantity as bigint[]))
        as g(kit_id, item_id, need)
    order by g.kit_id, g.item_id
    on conflict (store, kit_id, item_id) do update set need = excluded.need
    """
)
