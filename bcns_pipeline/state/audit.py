"""The audit chain: what happened, in order, each row carrying the hash of the one before it.

Put here how a row is appended and hashed. Do not put here what the flows write into it, nor the proof that
it is still whole (`audit_verify.py`). Bodies carry ids, counts and digests, never personal data.

Whoever changes the state of an operation or of stock takes the chain's lock *first* (`lock_chain`) and any
row lock after it: one order for all, hence no deadlock, and no gap in `seq`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.scope import Scope, canonical, lock_pair
from bcns_pipeline.state.tables import audit

GENESIS = "0" * 64
_LOCK = sa.text("select pg_advisory_xact_lock(:space, :name)").bindparams(
    **dict(zip(("space", "name"), lock_pair("audit-chain"), strict=True))
)
_HEAD = sa.text(f"select seq, hash, clock_timestamp() as now from {audit.fullname} order by seq desc limit 1")
_NOW = sa.text("select clock_timestamp()")
# In `Connection.info`: the transaction that holds the lock. Kept as an object, so that no later one can equal it.
_HOLDS = "bcns.audit.chain"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The lines behind one audit row: how many, their digest, and (`where`) how to find and re-hash them."""

    lines: int
    digest: str
    where: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row to be appended. `subject` is what it is about: "operation:12", "sku:RE-130"."""

    kind: str
    subject: str
    body: Mapping[str, Any] = field(default_factory=dict)
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row of the chain as stored. `body` is canonical JSON text."""

    seq: int
    at: datetime
    store: str
    actor: str
    kind: str
    subject: str
    run_id: str | None
    body: str
    lines: int
    lines_digest: str | None
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain. Its text ("seq:hash") goes into each run's metadata and into evidence packs."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Read back what `str` gave; ValueError where it is something else."""
        seq, colon, value = text.partition(":")
        if not colon or not seq.isdigit() or len(value) != len(GENESIS):
            raise ValueError(f"{text!r} is not a head of the audit chain; it looks like 123:<64 hex digits>")
        return cls(int(seq), value)


def row_hash(row: Mapping[str, Any]) -> str:
    """sha256 (hex) over the previous hash and the canonical JSON of all other columns of `row`."""
    content = canonical(
        [
            row["seq"],
            row["at"].astimezone(UTC).isoformat(timespec="microseconds"),
            row["store"],
            row["actor"],
            row["kind"],
            row["subject"],
            row["run_id"],
            row["body"],
            row["lines"],
            row["lines_digest"],
        ]
    )
    return hashlib.sha256(f"{row['previous_hash']}{content}".encode()).hexdigest()


def lock_chain(conn: sa.Connection) -> None:
    """Wait for the chain's lock and hold it to the end of the transaction (again is free).

    A turn of a drain asks a dozen times, so the transaction that has it is remembered: each time saves a round
    trip. We have no savepoints, which could give the lock back while their transaction goes on.
    """
    transaction = conn.get_transaction()
    if transaction is None or conn.info.get(_HOLDS) is not transaction:
        conn.execute(_LOCK)
        # Without one before it, `execute` has begun the transaction.
        conn.info[_HOLDS] = conn.get_transaction()


class Audit:
    """The chain of the whole database; rows are written in the name of the scope's store, run and actor."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def append(
        self,
        conn: sa.Connection | None,
        kind: str,
        subject: str,
        body: Mapping[str, Any] | None = None,
        evidence: Evidence | None = None,
        *,
        actor: str | None = None,
    ) -> AuditRow:
        """Append one row in the caller's transaction (or in its own) and return it."""
        return self.append_many(conn, [Entry(kind, subject, body or {}, evidence)], actor=actor)[0]

    def append_many(
        self, conn: sa.Connection | None, entries: Sequence[Entry], *, actor: str | None = None
    ) -> list[AuditRow]:
        """Append the rows in order. Needs READ COMMITTED: the head is read after the lock was granted."""
        if not entries:
            return []
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            last = tx.execute(_HEAD).one_or_none()
            head = Head(last.seq, last.hash) if last else Head(0, GENESIS)
            now = last.now if last else tx.execute(_NOW).scalar_one()
            rows: list[dict[str, Any]] = []
            for entry in entries:
                row = {
                    "seq": head.seq + 1,
                    "at": now,
                    "store": self._scope.store,
                    "actor": actor or self._scope.actor,
                    "kind": entry.kind,
                    "subject": entry.subject,
                    "run_id": self._scope.run_id or None,
                    "body": canonical(_body(entry)),
                    "lines": entry.evidence.lines if entry.evidence else 0,
                    "lines_digest": entry.evidence.digest if entry.evidence else None,
                    "previous_hash": head.hash,
                }
                row["hash"] = row_hash(row)
                head = Head(row["seq"], row["hash"])
                rows.append(row)
            tx.execute(sa.insert(audit), rows)
        return [AuditRow(**row) for row in rows]

    def head(self, conn: sa.Connection | None = None) -> Head:
        """The last row's number and hash; `Head(0, GENESIS)` where nothing has happened yet."""
        with self._scope.transaction(conn) as tx:
            return _head(tx)

    def rows(self, *, subject: str | None = None, after: int = 0, limit: int = 1000) -> list[AuditRow]:
        """Rows of this store in order of `seq`, for the command line and the evidence pack."""
        query = (
            sa.select(audit)
            .where(audit.c.store == self._scope.store, audit.c.seq > after)
            .order_by(audit.c.seq)
            .limit(limit)
        )
        if subject is not None:
            query = query.where(audit.c.subject == subject)
        with self._scope.transaction() as tx:
            return [AuditRow(**row) for row in tx.execute(query).mappings()]


def _head(conn: sa.Connection) -> Head:
    row = conn.execute(_HEAD).one_or_none()
    return Head(row.seq, row.hash) if row else Head(0, GENESIS)


def _body(entry: Entry) -> dict[str, Any]:
    body = dict(entry.body)
    if entry.evidence is not None:
        body["lines"] = dict(entry.evidence.where)
    return body
