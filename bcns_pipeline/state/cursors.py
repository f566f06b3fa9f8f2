"""How far each reader got, in the source's own clock.

Put reading and moving of cursors here. Do not put overlap or windows here: the flows decide those. Move a
cursor only after what was read is committed; losing one re-reads, and never re-sends.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.tables import cursor


class Cursors:
    """The cursors of one store; values are JSON."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def get(self, name: str, *, conn: sa.Connection | None = None) -> Any:
        """The value last moved to, or None."""
        query = sa.select(cursor.c.value).where(cursor.c.store == self._scope.store, cursor.c.name == name)
        with self._scope.transaction(conn) as tx:
            return tx.execute(query).scalar_one_or_none()

    def moved_within(self, name: str, age: timedelta) -> bool:
        """Whether somebody moved it that recently, by the database's clock."""
        query = sa.select(cursor.c.moved_at > sa.func.now() - age).where(
            cursor.c.store == self._scope.store, cursor.c.name == name
        )
        with self._scope.transaction() as tx:
            return bool(tx.execute(query).scalar_one_or_none())

    def move(self, name: str, value: Any, *, conn: sa.Connection | None = None) -> None:
        """Set the cursor; part of the caller's transaction where one is given."""
        insert = sa.dialects.postgresql.insert(cursor).values(
            store=self._scope.store, name=name, value=value, run_id=self._scope.run_id
        )
        change = {"value": insert.excluded.value, "run_id": insert.excluded.run_id, "moved_at": sa.func.now()}
        with self._scope.transaction(conn) as tx:
            tx.execute(insert.on_conflict_do_update(index_elements=["store", "name"], set_=change))
