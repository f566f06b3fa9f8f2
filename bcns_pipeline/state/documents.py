"""Raw documents as read: one record, or one page of a list, kept as evidence of what we decided on.

Put storing and loading of bodies here. Do not parse them here. Bodies are compressed; those with personal
data are encrypted under the shopper's key. `content_hash` covers the bytes as stored, so erasing a shopper
leaves every hash and the audit chain as they were.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from bcns_pipeline.state.audit import Audit, Evidence, lock_chain
from bcns_pipeline.state.crypto import Vault, decrypt, encrypt
from bcns_pipeline.state.scope import Scope, runs_of
from bcns_pipeline.state.tables import document

DROPPED = "document.dropped"
_PLAIN = "json+zlib"
_SEALED = "json+zlib+aesgcm"
# A page of 1,000 stock rows packs to about a tenth at level 1; higher levels cost more than they save.
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A body as read (JSON bytes). With `subject` (a shopper's keyed hash) it is encrypted."""

    source: str
    kind: str
    natural_key: str
    body: bytes
    read_seq: int | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """What is known of a stored document without opening it."""

    id: int
    source: str
    kind: str
    natural_key: str
    run_id: str | None
    read_seq: int | None
    content_hash: bytes
    fetched_at: datetime


class Documents:
    """The documents of one store."""

    def __init__(self, scope: Scope, audit: Audit, vault: Vault) -> None:
        self._scope = scope
        self._audit = audit
        self._vault = vault

    def store(self, new: Sequence[NewDocument], *, conn: sa.Connection | None = None) -> list[int]:
        """Store documents with one audit row for all of them; returns their ids in the given order."""
        if not new:
            return []
        packed = [zlib.compress(one.body, _LEVEL) for one in new]
        with self._scope.transaction(conn) as tx:
            rows = [self._row(tx, one, body) for one, body in zip(new, packed, strict=True)]
            insert = sa.insert(document).returning(document.c.id, sort_by_parameter_order=True)
            ids = list(tx.execute(insert, rows).scalars())
            lock_chain(tx)
            where = {"phase": "documents", "ids": ids}
            count, digest = recompute(tx, where)
            kinds = sorted({f"{one.source}/{one.kind}" for one in new})
            self._audit.append(
                tx, "document.stored", ",".join(kinds), {"kinds": kinds}, Evidence(count, digest, where)
            )
        return ids

    def load(self, document_id: int, *, conn: sa.Connection | None = None) -> bytes:
        """The body as read. Raises `Erased` for a forgotten shopper, LookupError for an unknown id."""
        query = sa.select(document).where(document.c.id == document_id, document.c.store == self._scope.store)
        with self._scope.transaction(conn) as tx:
            row = tx.execute(query).one_or_none()
            if row is None:
                raise LookupError(f"there is no document {document_id}")
            body = bytes(row.body)
            if row.encoding == _SEALED:
                key = self._vault.key_by_id(row.subject_key_id, conn=tx)
                body = decrypt(key.key, body, key.id)
        return zlib.decompress(body)

    def find(
        self,
        *,
        kind: str | None = None,
        natural_key: str | None = None,
        run_id: str | None = None,
        limit: int = 1000,
    ) -> Iterator[Document]:
        """Documents that match everything given, newest first."""
        wanted = {"kind": kind, "natural_key": natural_key, "run_id": run_id}
        columns = [document.c[name] for name in Document.__dataclass_fields__]
        query = sa.select(*columns).where(document.c.store == self._scope.store)
        for name, value in wanted.items():
            if value is not None:
                query = query.where(document.c[name] == value)
        with self._scope.transaction() as tx:
            rows = tx.execute(query.order_by(document.c.id.desc()).limit(limit)).mappings().all()
        for row in rows:
            yield Document(**{**row, "content_hash": bytes(row["content_hash"])})

    def drop(self, kind: str, older_than: datetime, *, conn: sa.Connection | None = None) -> int:
        """Delete documents of one kind that were fetched before that time; returns how many.

        The audit row names them, so that the proof of the chain knows what is missing by intention.
        """
        gone = (
            sa.delete(document)
            .where(
                document.c.store == self._scope.store,
                document.c.kind == kind,
                document.c.fetched_at < older_than,
            )
            .returning(document.c.id)
        )
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            tx.execute(sa.text("set local bcns.retention = 'on'"))
            ids = np.array(tx.execute(gone).scalars().all(), dtype=np.int64)
            tx.execute(sa.text("set local bcns.retention = 'off'"))
            if len(ids):
                self._audit.append(tx, DROPPED, f"document:{kind}", {"kind": kind, "ids": runs_of(ids)})
        return len(ids)

    def _row(self, conn: sa.Connection, new: NewDocument, body: bytes) -> dict[str, Any]:
        key_id = None
        if new.subject is not None:
            key = self._vault.key_for(new.subject, conn=conn)
            key_id, body = key.id, encrypt(key.key, body, key.id)
        return {
            "store": self._scope.store,
            "source": new.source,
            "kind": new.kind,
            "natural_key": new.natural_key,
            "run_id": self._scope.run_id or None,
            "read_seq": new.read_seq,
            "content_hash": hashlib.sha256(body).digest(),
            "encoding": _SEALED if key_id else _PLAIN,
            "subject_key_id": key_id,
            "body": body,
        }


def recompute(conn: sa.Connection, where: Mapping[str, Any]) -> tuple[int, str]:
    """Count and digest (of id, natural key and the hash of the stored body) of the documents in `where`."""
    row = conn.execute(_DIGEST, {"ids": list(where["ids"])}).one()
    return row.n, row.digest


_DIGEST = sa.text(
    f"""
    select count(*) as n,
        encode(sha256(convert_to(coalesce(string_agg(
            row(id, source, kind, natural_key, encode(sha256(body), 'hex'))::text, E'\\n' order by id
        ), ''), 'UTF8')), 'hex') as digest
    from {document.fullname} where id = any(:ids)
    """
)
