"""Bytes that providers and banks sent, kept before anybody reads them: each once, by its hash.

Put here what is remembered of files and of pages of an API. Do not put here what they say (`payouts.py`, `bank.py`).
Their bodies are sealed: a settlement may name shoppers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.audit import Audit, Entry, lock_chain
from bcns_pipeline.state.crypto import Vault
from bcns_pipeline.state.documents import Documents, NewDocument
from bcns_pipeline.state.payout_models import Received
from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.tables_payouts import settlement_document

KIND = "settlement"
_COLUMNS = [
    settlement_document.c[name]
    for name in ("sha256", "document_id", "origin", "name", "fetched_at", "fate", "reason")
]


class Settlements:
    """What was received for one store."""

    def __init__(self, scope: Scope, audit: Audit, vault: Vault, documents: Documents) -> None:
        self._scope = scope
        self._audit = audit
        self._vault = vault
        self._documents = documents

    def receive(
        self,
        content: bytes,
        sha256: str,
        *,
        origin: str,
        name: str,
        fetched_at: datetime,
        conn: sa.Connection | None = None,
    ) -> Received:
        """Keep bytes as they came in, before anything in them is read. What was seen before is not kept twice."""
        with self._scope.transaction(conn) as tx:
            known = self.known([sha256], conn=tx).get(sha256)
            if known is not None:
                return known
            # One key for each source: what a shopper may ask to be forgotten is in the orders, and books are kept.
            subject = self._vault.subject(f"{KIND}:{origin}")
            new = NewDocument(origin, KIND, f"{KIND}:{sha256}", content, subject=subject)
            (document_id,) = self._documents.store([new], conn=tx)
            row: dict[str, Any] = {
                "sha256": sha256,
                "document_id": document_id,
                "origin": origin,
                "name": name,
                "fetched_at": fetched_at,
            }
            insert = sa.insert(settlement_document).values(
                store=self._scope.store, run_id=self._scope.run_id or None, bytes=len(content), **row
            )
            tx.execute(insert)
            body = {"sha256": sha256, "origin": origin, "name": name, "bytes": len(content)}
            self._audit.append(tx, "settlement.received", f"document:{document_id}", body)
        return Received(**row, fresh=True)

    def known(self, hashes: Sequence[str], *, conn: sa.Connection | None = None) -> dict[str, Received]:
        """Those of these bytes that were received before, by their hash."""
        query = sa.select(*_COLUMNS).where(
            settlement_document.c.store == self._scope.store,
            settlement_document.c.sha256 == sa.any_(sa.cast(list(hashes), sa.ARRAY(sa.Text))),
        )
        with self._scope.transaction(conn) as tx:
            rows = tx.execute(query).mappings().all()
        return {row["sha256"]: Received(**row) for row in rows}

    def settle(
        self, received: Received, fate: str, reason: str | None = None, *, conn: sa.Connection | None = None
    ) -> Received:
        """What became of it: `taken`, or `rejected` for a reason. One that was taken stays taken."""
        change = (
            sa.update(settlement_document)
            .where(
                settlement_document.c.store == self._scope.store,
                settlement_document.c.sha256 == received.sha256,
                settlement_document.c.fate != "taken",
            )
            .values(fate=fate, reason=reason)
        )
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            if tx.execute(change).rowcount:
                body = {"sha256": received.sha256, "name": received.name, "reason": reason}
                subject = f"document:{received.document_id}"
                self._audit.append_many(tx, [Entry(f"settlement.{fate}", subject, body)])
        return replace(received, fate=fate, reason=reason)  # type: ignore[arg-type]

    def content(self, received: Received, *, conn: sa.Connection | None = None) -> bytes:
        """The bytes as they came in."""
        return self._documents.load(received.document_id, conn=conn)
