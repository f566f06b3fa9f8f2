"""The inbox: "this resource changed", merged per resource, whatever told us and however often.

Put recording, claiming and closing of rows here. Do not put here what a change means: whoever claims a row
reads the resource anew. There is no audit row per event: what was read and decided has its own.

A row is open while `generation > done_generation`. An event raises the generation; `done` closes up to the
generation that was claimed, so that an event during the work leaves the row open. A claim hangs on the lock of
a `Worker`: when its process dies, the row can be claimed again. Nothing here takes the audit chain's lock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.tables_orders import inbox, inbox_seq
from bcns_pipeline.state.worker import Worker, WorkerLost

Resource = Literal["order", "customer", "fulfilment", "item", "sales_order", "refund"]
Source = Literal["poll", "webhook", "netsuite", "backfill", "replay"]
# A statement of 500 rows takes about 10 ms; the rows it touches are locked for that long.
_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Event:
    """Something said that a resource changed. `seen_at` is when that was, where it was not just now."""

    resource: Resource
    resource_id: str
    source: Source
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of events: rows made, closed rows opened again, events merged into what was open."""

    new: int
    reopened: int
    repeated: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A row in our hands, as it was when claimed. `first_seen` is the first event not dealt with yet."""

    resource: Resource
    resource_id: str
    generation: int
    first_seen: datetime
    sources: tuple[str, ...]
    count: int
    worker: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is open: `free` of `count` rows are in nobody's hands. `newest_seq` grows with every event.

    `oldest` is the first event not dealt with yet; None and 0 where nothing is open.
    """

    count: int
    free: int
    oldest: datetime | None
    newest_seq: int


class Inbox:
    """The inbox of one store."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def record(self, events: Sequence[Event], *, conn: sa.Connection | None = None) -> Recorded:
        """Write events down; durable when it returns (or with the caller's transaction)."""
        merged = _merge(events)
        new = reopened = 0
        with self._scope.transaction(conn) as tx:
            for start in range(0, len(merged), _ROWS_AT_ONCE):
                columns = zip(*merged[start : start + _ROWS_AT_ONCE], strict=True)
                values = dict(zip(_RECORD_NAMES, map(list, columns), strict=True))
                for row in tx.execute(_RECORD, {"store": self._scope.store, **values}):
                    new += row.is_new
                    reopened += row.was_done and not row.is_new
        return Recorded(new, reopened, len(events) - new - reopened)

    def claim(
        self,
        resource: Resource,
        limit: int,
        worker: Worker,
        *,
        ids: Collection[str] | None = None,
        conn: sa.Connection | None = None,
    ) -> list[Claim]:
        """Take up to `limit` open rows that nobody alive holds, the oldest first (with `ids`, only those).

        Raises `WorkerLost` where the worker's session has ended.
        """
        with self._scope.transaction(conn) as tx:
            dead = self._dead_workers(tx, resource, worker)
            values = {
                "store": self._scope.store,
                "resource": resource,
                "limit": limit,
                "ids": None if ids is None else sorted(ids),
                "dead": dead,
                "worker": worker.id,
                "run_id": self._scope.run_id or None,
            }
            rows = tx.execute(_CLAIM, values).all()
        return [
            Claim(
                resource,
                row.resource_id,
                row.generation,
                row.opened_at,
                tuple(row.sources),
                row.events,
                worker.id,
            )
            for row in sorted(rows, key=lambda row: (row.opened_at, row.seq))
        ]

    def done(self, claims: Sequence[Claim], *, conn: sa.Connection | None = None) -> int:
        """Close what was claimed; returns how many are closed. A row with a newer event stays open."""
        return self._let_go(_DONE, claims, conn)

    def release(self, claims: Sequence[Claim], *, conn: sa.Connection | None = None) -> int:
        """Give claims back unfinished: somebody else may take them now. Returns how many were ours."""
        return self._let_go(_RELEASE, claims, conn)

    def waiting(self, resource: Resource, *, conn: sa.Connection | None = None) -> Waiting:
        """How much is open, how much of it is free to be claimed, and since when the oldest waits."""
        with self._scope.transaction(conn) as tx:
            values = {"store": self._scope.store, "resource": resource}
            dead = self._dead_workers(tx, resource, None)
            row = tx.execute(_WAITING, {**values, "dead": dead}).one()
        return Waiting(row.rows, row.free, row.oldest, row.newest_seq)

    def open_ids(
        self, resource: Resource, limit: int = 10_000, *, conn: sa.Connection | None = None
    ) -> list[str]:
        """What is open, claimed or not, the oldest first."""
        query = (
            sa.select(inbox.c.resource_id)
            .where(
                inbox.c.store == self._scope.store,
                inbox.c.resource == resource,
                inbox.c.generation > inbox.c.done_generation,
            )
            .order_by(inbox.c.opened_at, inbox.c.seq)
            .limit(limit)
        )
        with self._scope.transaction(conn) as tx:
            return list(tx.execute(query).scalars())

    def ids(
        self, resource: Resource, since: datetime, until: datetime, *, conn: sa.Connection | None = None
    ) -> list[str]:
        """The resources with an event in the half-open window, closed or not, in order of their ids."""
        query = sa.select(inbox.c.resource_id).where(
            inbox.c.store == self._scope.store,
            inbox.c.resource == resource,
            inbox.c.first_seen < until,
            inbox.c.last_seen >= since,
        )
        with self._scope.transaction(conn) as tx:
            return sorted(tx.execute(query).scalars(), key=_by_number)

    def missing(
        self, resource: Resource, ids: Collection[str], *, conn: sa.Connection | None = None
    ) -> list[str]:
        """Those of `ids` that the inbox has never heard of, for a certificate of completeness."""
        query = sa.select(inbox.c.resource_id).where(
            inbox.c.store == self._scope.store,
            inbox.c.resource == resource,
            inbox.c.resource_id == sa.any_(sa.cast(sorted(ids), sa.ARRAY(sa.Text))),
        )
        with self._scope.transaction(conn) as tx:
            return sorted(set(ids) - set(tx.execute(query).scalars()), key=_by_number)

    def last_event(
        self, source: Source, resource: Resource | None = None, *, conn: sa.Connection | None = None
    ) -> datetime | None:
        """The newest event of rows that this source has ever told of; None where it never did."""
        query = sa.select(sa.func.max(inbox.c.last_seen)).where(
            inbox.c.store == self._scope.store, inbox.c.sources.any(source)
        )
        if resource is not None:
            query = query.where(inbox.c.resource == resource)
        with self._scope.transaction(conn) as tx:
            newest: datetime | None = tx.execute(query).scalar_one()
        return newest

    def purge(self, older_than: datetime, *, conn: sa.Connection | None = None) -> int:
        """Forget closed rows without an event since then; returns how many."""
        gone = sa.delete(inbox).where(
            inbox.c.store == self._scope.store,
            inbox.c.generation <= inbox.c.done_generation,
            inbox.c.last_seen < older_than,
        )
        with self._scope.transaction(conn) as tx:
            return tx.execute(gone).rowcount

    def _dead_workers(self, tx: sa.Connection, resource: str, worker: Worker | None) -> list[int]:
        """Whose lock can be had, has died. Each lock is given back at the end of the transaction."""
        values = {"store": self._scope.store, "resource": resource}
        holders: list[int] = list(tx.execute(_HOLDERS, values).scalars())
        own = None if worker is None else worker.id
        if own is not None and tx.execute(_CAN_LOCK, {"worker": own}).scalar_one():
            raise WorkerLost("the database no longer knows this worker: its session ended")
        return [
            holder
            for holder in holders
            if holder != own and tx.execute(_CAN_LOCK, {"worker": holder}).scalar_one()
        ]

    def _let_go(self, statement: sa.TextClause, claims: Iterable[Claim], conn: sa.Connection | None) -> int:
        ordered = sorted(claims, key=lambda one: (one.resource, one.resource_id))
        if not ordered:
            return 0
        values = {
            "store": self._scope.store,
            "resources": [one.resource for one in ordered],
            "ids": [one.resource_id for one in ordered],
            "generations": [one.generation for one in ordered],
            "workers": [one.worker for one in ordered],
        }
        with self._scope.transaction(conn) as tx:
            return sum(row.closed for row in tx.execute(statement, values))


def _merge(events: Sequence[Event]) -> list[tuple[Any, ...]]:
    """One tuple a resource, in one order for all, so that two statements never lock rows crosswise."""
    now = datetime.now(UTC)
    merged: dict[tuple[str, str], list[Any]] = {}
    for event in events:
        at = event.seen_at or now
        known = merged.get((event.resource, event.resource_id))
        if known is None:
            merged[event.resource, event.resource_id] = [1, {event.source}, at, at]
        else:
            known[0] += 1
            known[1].add(event.source)
            known[2], known[3] = min(known[2], at), max(known[3], at)
    return [
        (resource, resource_id, count, ",".join(sorted(sources)), first, last)
        for (resource, resource_id), (count, sources, first, last) in sorted(merged.items())
    ]


def _by_number(resource_id: str) -> tuple[int, str]:
    return (len(resource_id), resource_id) if resource_id.isdigit() else (1_000, resource_id)


_RECORD_NAMES = ("resources", "ids", "counts", "sources", "firsts", "lasts")
# `was_done`: before this event the row was closed, which shows in a generation that is one above what is done.
_RECORD = sa.text(
    f"""
    insert into {inbox.fullname} as i
        (store, resource, resource_id, count, sources, first_seen, last_seen, opened_at, seq)
    select :store, resource, resource_id, count, string_to_array(sources, ','), first, last, first,
        nextval('{inbox_seq.schema}.{inbox_seq.name}')
    from unnest(cast(:resources as text[]), cast(:ids as text[]), cast(:counts as bigint[]),
        cast(:sources as text[]), cast(:firsts as timestamptz[]), cast(:lasts as timestamptz[]))
        with ordinality as g(resource, resource_id, count, sources, first, last, place)
    order by place
    on conflict (store, resource, resource_id) do update
    set generation = i.generation + 1, count = i.count + excluded.count,
        sources = (select array_agg(distinct one order by one) from unnest(i.sources || excluded.sources) one),
        first_seen = least(i.first_seen, excluded.first_seen),
        last_seen = greatest(i.last_seen, excluded.last_seen),
        opened_at = case when i.generation > i.done_generation then i.opened_at else excluded.opened_at end,
        seq = excluded.seq
    returning i.generation = 1 as is_new, i.generation = i.done_generation + 1 as was_done
    """
)
_HOLDERS = sa.text(
    f"""
    select distinct worker from {inbox.fullname}
    where store = :store and resource = :resource and generation > done_generation and worker is not null
    """
)
_CAN_LOCK = sa.text("select pg_try_advisory_xact_lock(:worker)")
# Materialized: as a subquery it may be run anew for each row it is joined with, and then takes more than the limit.
_CLAIM = sa.text(
    f"""
    with free as materialized (
        select store, resource, resource_id from {inbox.fullname}
        where store = :store and resource = :resource and generation > done_generation
          and (worker is null or worker = any(cast(:dead as bigint[])))
          and (cast(:ids as text[]) is null or resource_id = any(cast(:ids as text[])))
        order by opened_at, seq limit :limit
        for update skip locked
    )
    update {inbox.fullname} i
    set worker = :worker, run_id = :run_id, claimed_at = clock_timestamp(), claimed_generation = i.generation
    from free
    where i.store = free.store and i.resource = free.resource and i.resource_id = free.resource_id
    returning i.resource_id, i.generation, i.opened_at, i.sources, i.count as events, i.seq
    """
)
_OURS = f"""
    select i.store, i.resource, i.resource_id, g.generation
    from {inbox.fullname} i
    join unnest(cast(:resources as text[]), cast(:ids as text[]), cast(:generations as bigint[]),
        cast(:workers as bigint[])) as g(resource, resource_id, generation, worker)
        on i.resource = g.resource and i.resource_id = g.resource_id
    where i.store = :store and i.worker = g.worker and i.claimed_generation = g.generation
    order by i.resource, i.resource_id for update of i
"""
_DONE = sa.text(
    f"""
    with ours as ({_OURS})
    update {inbox.fullname} i
    set done_generation = greatest(i.done_generation, ours.generation), worker = null, claimed_generation = null,
        opened_at = case when i.generation > ours.generation then i.last_seen else i.opened_at end
    from ours
    where i.store = ours.store and i.resource = ours.resource and i.resource_id = ours.resource_id
    returning (i.generation <= i.done_generation)::int as closed
    """
)
_RELEASE = sa.text(
    f"""
    with ours as ({_OURS})
    update {inbox.fullname} i set worker = null, claimed_generation = null
    from ours
    where i.store = ours.store and i.resource = ours.resource and i.resource_id = ours.resource_id
    returning 1 as closed
    """
)
_WAITING = sa.text(
    f"""
    select count(*) as rows, min(opened_at) as oldest, coalesce(max(seq), 0) as newest_seq,
        count(*) filter (where worker is null or worker = any(cast(:dead as bigint[]))) as free
    from {inbox.fullname}
    where store = :store and resource = :resource and generation > done_generation
    """
)
