"""Raw documents as read: one record, or one page of a list, kept as evidence of what we decided on.

Put storing and loading of bodies here. Do not parse them here. Bodies are compressed; those with personal
data are encrypted under the shopper's key. `content_hash` covers the bytes as stored, so erasing a shopper
leaves every hash and the audit chain as they were.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from bcns_pipeline.state.audit import Audit, Evidence, lock_chain
from bcns_pipeline.state.crypto import Erased, SubjectKey, Vault, decrypt, encrypt
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
    body: bytes = field(repr=False)
    read_seq: int | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a record's newest version is: `fresh` where it was stored just now, else unchanged since then.

    `fingerprint` (64 hex digits) is keyed where the record has a subject: equal ones mean equal bodies of the
    same shopper, and nobody learns the body from it.
    """

    document_id: int
    fresh: bool
    fingerprint: str


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
    fingerprint: str | None = None


_KNOWN = [document.c[name] for name in Document.__dataclass_fields__]


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
        with self._scope.transaction(conn) as tx:
            keys = self._keys(tx, new)
            return self._store(tx, new, keys, [fingerprint(one, _key(one, keys)) for one in new])

    def store_changed(self, new: Sequence[NewDocument], *, conn: sa.Connection | None = None) -> list[Kept]:
        """Store those whose newest stored version differs; what is unchanged is named, and not stored again."""
        if not new:
            return []
        with self._scope.transaction(conn) as tx:
            keys = self._keys(tx, new)
            prints = [fingerprint(one, _key(one, keys)) for one in new]
            known: dict[tuple[str, str], Document] = {}
            for kind in {one.kind for one in new}:
                names = {one.natural_key for one in new if one.kind == kind}
                known |= {(kind, name): found for name, found in self.latest(kind, names, conn=tx).items()}
            kept: list[Kept | None] = []
            fresh: list[int] = []
            for place, (one, mark) in enumerate(zip(new, prints, strict=True)):
                before = known.get((one.kind, one.natural_key))
                if before is not None and before.fingerprint == mark:
                    kept.append(Kept(before.id, False, mark))
                else:
                    kept.append(None)
                    fresh.append(place)
            ids = self._store(tx, [new[at] for at in fresh], keys, [prints[at] for at in fresh])
            stored = dict(zip(fresh, ids, strict=True))
        return [
            one if one is not None else Kept(stored[place], True, prints[place])
            for place, one in enumerate(kept)
        ]

    def unchanged(self, new: Sequence[NewDocument], *, conn: sa.Connection | None = None) -> list[bool]:
        """Whether the newest stored version of each is this one already; nothing is stored."""
        with self._scope.transaction(conn) as tx:
            keys = self._keys(tx, new)
            known: dict[tuple[str, str], str | None] = {}
            for kind in {one.kind for one in new}:
                names = {one.natural_key for one in new if one.kind == kind}
                found = self.latest(kind, names, conn=tx)
                known |= {(kind, name): one.fingerprint for name, one in found.items()}
        return [known.get((one.kind, one.natural_key)) == fingerprint(one, _key(one, keys)) for one in new]

    def latest(
        self, kind: str, natural_keys: Collection[str], *, conn: sa.Connection | None = None
    ) -> dict[str, Document]:
        """The newest document of each key that has one."""
        if not natural_keys:
            return {}
        query = (
            sa.select(*_KNOWN)
            .where(
                document.c.store == self._scope.store,
                document.c.kind == kind,
                document.c.natural_key == sa.any_(sa.cast(sorted(natural_keys), sa.ARRAY(sa.Text))),
            )
            .distinct(document.c.natural_key)
            .order_by(document.c.natural_key, document.c.id.desc())
        )
        with self._scope.transaction(conn) as tx:
            rows = tx.execute(query).mappings().all()
        return {row["natural_key"]: _document(row) for row in rows}

    def load(self, document_id: int, *, conn: sa.Connection | None = None) -> bytes:
        """The body as read. Raises `Erased` for a forgotten shopper, LookupError for an unknown id."""
        found = self.load_many([document_id], conn=conn)
        if document_id not in found:
            raise LookupError(f"there is no document {document_id}")
        body = found[document_id]
        if body is None:
            raise Erased("the key of this record was deleted when the shopper was erased")
        return body

    def load_many(
        self, document_ids: Collection[int], *, conn: sa.Connection | None = None
    ) -> dict[int, bytes | None]:
        """The bodies as read; None stands for one of a shopper who was erased. Unknown ids are missing."""
        if not document_ids:
            return {}
        query = sa.select(
            document.c.id, document.c.encoding, document.c.subject_key_id, document.c.body
        ).where(
            document.c.store == self._scope.store,
            document.c.id == sa.any_(sa.cast(sorted(document_ids), sa.ARRAY(sa.BigInteger))),
        )
        with self._scope.transaction(conn) as tx:
            rows = tx.execute(query).all()
            keys = self._vault.keys_by_id(
                {row.subject_key_id for row in rows if row.encoding == _SEALED}, conn=tx
            )
        bodies: dict[int, bytes | None] = {}
        for row in rows:
            packed: bytes | None = bytes(row.body)
            if row.encoding == _SEALED:
                key = keys.get(row.subject_key_id)
                packed = None if key is None else decrypt(key.key, bytes(row.body), key.id)
            bodies[row.id] = None if packed is None else zlib.decompress(packed)
        return bodies

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
        query = sa.select(*_KNOWN).where(document.c.store == self._scope.store)
        for name, value in wanted.items():
            if value is not None:
                query = query.where(document.c[name] == value)
        with self._scope.transaction() as tx:
            rows = tx.execute(query.order_by(document.c.id.desc()).limit(limit)).mappings().all()
        for row in rows:
            yield _document(row)

    def drop(
        self,
        kind: str,
        older_than: datetime,
        *,
        spare: Collection[int] = (),
        conn: sa.Connection | None = None,
    ) -> int:
        """Delete documents of one kind that were fetched before that time; returns how many. `spare` are ids.

        The audit row names them, so that the proof of the chain knows what is missing by intention.
        """
        gone = (
            sa.delete(document)
            .where(
                document.c.store == self._scope.store,
                document.c.kind == kind,
                document.c.fetched_at < older_than,
                document.c.id != sa.all_(sa.cast(sorted(spare), sa.ARRAY(sa.BigInteger))),
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

    def _store(
        self,
        tx: sa.Connection,
        new: Sequence[NewDocument],
        keys: Mapping[str, SubjectKey],
        prints: Sequence[str],
    ) -> list[int]:
        if not new:
            return []
        rows = [self._row(one, _key(one, keys), mark) for one, mark in zip(new, prints, strict=True)]
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

    def _keys(self, tx: sa.Connection, new: Sequence[NewDocument]) -> dict[str, SubjectKey]:
        return self._vault.keys_for({one.subject for one in new if one.subject is not None}, conn=tx)

    def _row(self, new: NewDocument, key: SubjectKey | None, mark: str) -> dict[str, Any]:
        body = zlib.compress(new.body, _LEVEL)
        if key is not None:
            body = encrypt(key.key, body, key.id)
        return {
            "store": self._scope.store,
            "source": new.source,
            "kind": new.kind,
            "natural_key": new.natural_key,
            "run_id": self._scope.run_id or None,
            "read_seq": new.read_seq,
            "content_hash": hashlib.sha256(body).digest(),
            "encoding": _SEALED if key else _PLAIN,
            "subject_key_id": key.id if key else None,
            "body": body,
            "fingerprint": mark,
        }


def fingerprint(new: NewDocument, key: SubjectKey | None) -> str:
    """HMAC of the body under the shopper's key, which goes with the shopper; sha256 where there is none."""
    if key is None:
        return hashlib.sha256(new.body).hexdigest()
    return hmac.new(key.key, new.body, hashlib.sha256).hexdigest()


def _key(new: NewDocument, keys: Mapping[str, SubjectKey]) -> SubjectKey | None:
    return None if new.subject is None else keys[new.subject]


def _document(row: sa.RowMapping) -> Document:
    return Document(**{**row, "content_hash": bytes(row["content_hash"])})


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
