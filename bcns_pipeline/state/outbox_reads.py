"""Questions to the outbox: which operations are there, in which group, for how long, and what they hold.

Put reads of `operation` here. Do not put transitions here (`outbox.py`). Payloads are read as text, so that
numbers with a fraction are Decimals, as they were staged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.crypto import Vault
from bcns_pipeline.state.operations import OPEN, Group, Operation
from bcns_pipeline.state.scope import Scope, parse
from bcns_pipeline.state.tables import operation

COLUMNS = [
    sa.cast(column, sa.Text).label("payload") if column is operation.c.payload else column
    for column in operation.columns
]
TO_DO = ("planned", "sending", "ambiguous")


def read(row: Mapping[Any, Any]) -> Operation:
    """A row of `COLUMNS` as an operation."""
    return Operation(**{**row, "payload": parse(row["payload"])})


class OutboxReads:
    """What is asked of the operations of one store."""

    def __init__(self, scope: Scope, vault: Vault) -> None:
        self._scope = scope
        self._vault = vault

    def find(
        self,
        *,
        flow: str | None = None,
        kinds: Sequence[str] | None = None,
        states: Sequence[str] = OPEN,
        natural_key: str | None = None,
        natural_keys: Sequence[str] | None = None,
        group_key: str | None = None,
        plan_id: int | None = None,
        ids: Sequence[int] | None = None,
        attempted: bool | None = None,
        limit: int = 100_000,
        conn: sa.Connection | None = None,
    ) -> list[Operation]:
        """The operations that match everything given, oldest first. `attempted`: claimed before, or never."""
        wanted = [operation.c.store == self._scope.store, operation.c.state.in_(states)]
        if flow is not None:
            wanted.append(operation.c.flow == flow)
        if kinds is not None:
            wanted.append(operation.c.kind.in_(kinds))
        if natural_key is not None:
            wanted.append(operation.c.natural_key == natural_key)
        if natural_keys is not None:
            wanted.append(operation.c.natural_key == _any_of(natural_keys, sa.Text))
        if group_key is not None:
            wanted.append(operation.c.group_key == group_key)
        if plan_id is not None:
            wanted.append(operation.c.plan_id == plan_id)
        if ids is not None:
            wanted.append(operation.c.id == _any_of(ids, sa.BigInteger))
        if attempted is not None:
            wanted.append(operation.c.attempts > 0 if attempted else operation.c.attempts == 0)
        with self._scope.transaction(conn) as tx:
            query = sa.select(*COLUMNS).where(*wanted).order_by(operation.c.id).limit(limit)
            return [read(row) for row in tx.execute(query).mappings()]

    def sent_again(
        self, flow: str, kinds: Sequence[str], since: datetime, until: datetime, *, limit: int = 100_000
    ) -> list[Operation]:
        """Operations last sent in (`since`, `until`] of which an earlier call may be on its way still, oldest first.

        They were claimed more than once, or given up after a call.
        """
        again = sa.or_(
            operation.c.attempts > 1, sa.and_(operation.c.state == "superseded", operation.c.attempts > 0)
        )
        query = (
            sa.select(*COLUMNS)
            .where(
                operation.c.store == self._scope.store,
                operation.c.flow == flow,
                operation.c.kind.in_(kinds),
                operation.c.sending_at > since,
                operation.c.sending_at <= until,
                again,
            )
            .order_by(operation.c.id)
            .limit(limit)
        )
        with self._scope.transaction() as tx:
            return [read(row) for row in tx.execute(query).mappings()]

    def groups(self, flow: str, *, conn: sa.Connection | None = None) -> list[Group]:
        """The groups of a flow that still have something to do, in the order in which they are begun."""
        query = (
            sa.select(operation.c.group_key, operation.c.state, sa.func.min(operation.c.id), sa.func.count())
            .where(
                operation.c.store == self._scope.store,
                operation.c.flow == flow,
                operation.c.state.in_(TO_DO),
                operation.c.group_key.is_not(None),
            )
            .group_by(operation.c.group_key, operation.c.state)
        )
        first: dict[str, int] = {}
        states: dict[str, dict[str, int]] = {}
        with self._scope.transaction(conn) as tx:
            for key, state, oldest, count in tx.execute(query):
                first[key] = min(first.get(key, oldest), oldest)
                states.setdefault(key, {})[state] = count
        return [
            Group(key, first[key], sum(states[key].values()), states[key])
            for key in sorted(first, key=lambda key: first[key])
        ]

    def open_older_than(self, minutes: float, flow: str | None = None) -> list[Operation]:
        """Leftovers: to be sent or looked up, staged longer ago than this. Held ones wait for a person."""
        limit = sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, minutes * 60)
        query = sa.select(*COLUMNS).where(
            operation.c.store == self._scope.store,
            operation.c.state.in_(TO_DO),
            operation.c.staged_at < limit,
        )
        if flow is not None:
            query = query.where(operation.c.flow == flow)
        with self._scope.transaction() as tx:
            return [read(row) for row in tx.execute(query.order_by(operation.c.id)).mappings()]

    def backlog(self, flows: Sequence[str]) -> tuple[int, datetime | None]:
        """How many operations of these flows are to be sent or looked up, and since when the oldest of them is."""
        query = sa.select(sa.func.count(), sa.func.min(operation.c.staged_at)).where(
            operation.c.store == self._scope.store,
            operation.c.flow.in_(flows),
            operation.c.state.in_(TO_DO),
        )
        with self._scope.transaction() as tx:
            count, oldest = tx.execute(query).one()
        return count, oldest

    def payload(self, op: Operation, *, conn: sa.Connection | None = None) -> Mapping[str, Any]:
        """The payload in clear; raises `Erased` where the shopper's key was deleted."""
        return self._vault.open(op.payload, conn=conn)

    def payloads(
        self, ops: Sequence[Operation], *, conn: sa.Connection | None = None
    ) -> list[Mapping[str, Any] | None]:
        """The payloads in clear, in one look; None where the shopper was erased."""
        return self._vault.open_many([op.payload for op in ops], conn=conn)


def _any_of(values: Sequence[Any], kind: Any) -> sa.CollectionAggregate[Any]:
    """`= any(array)`: one bound value however many there are."""
    return sa.any_(sa.cast(list(values), sa.ARRAY(kind)))
