"""Personal data at rest: one data key per shopper, wrapped by `BCNS_DATA_KEY`; erasing is deleting the key.

Put sealing, opening, erasing and the keyed hash of an e-mail here. Do not decide here what is personal: the
flows do. AES-256-GCM with a random 96-bit nonce in front of the ciphertext; hashes and the audit chain cover
the ciphertext, so that erasing leaves them whole.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.audit import Audit
from bcns_pipeline.state.scope import Scope, canonical, parse
from bcns_pipeline.state.tables import subject_key

KEY_BYTES = 32
_NONCE_BYTES = 12
_SEALED = "bcns_sealed"


class Erased(Exception):
    """The shopper asked to be forgotten: the key is gone, and the content with it."""


class Unreadable(Exception):
    """The ciphertext does not belong to this key: a wrong BCNS_DATA_KEY, or it was changed."""


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """One shopper's data key in clear, and the id under which its wrapped form is stored."""

    id: str
    key: bytes = field(repr=False)


class Vault:
    """Seals and opens what belongs to a shopper. Without a data key only what is in clear can be used."""

    def __init__(self, scope: Scope, audit: Audit) -> None:
        self._scope = scope
        self._audit = audit

    def subject(self, email: str) -> str:
        """The keyed hash (64 hex digits) that stands for a shopper: HMAC-SHA256 of the folded e-mail."""
        return hmac.new(self._subject_key, email.strip().casefold().encode(), hashlib.sha256).hexdigest()

    def seal_digest(self, content: Any) -> str:
        """A keyed hash (64 hex digits) of JSON content: equal content gives an equal digest, and none is guessed."""
        return hmac.new(self._digest_key, canonical(content).encode(), hashlib.sha256).hexdigest()

    def key_for(self, subject: str, *, conn: sa.Connection | None = None) -> SubjectKey:
        """The shopper's data key, made at first use."""
        return self.keys_for([subject], conn=conn)[subject]

    def keys_for(
        self, subjects: Collection[str], *, conn: sa.Connection | None = None
    ) -> dict[str, SubjectKey]:
        """The data keys of many shoppers by subject, each made at first use."""
        wanted = sorted(set(subjects))
        if not wanted:
            return {}
        query = sa.select(subject_key).where(
            subject_key.c.store == self._scope.store,
            subject_key.c.subject == sa.any_(sa.cast(wanted, sa.ARRAY(sa.Text))),
        )
        with self._scope.transaction(conn) as tx:
            rows = {row.subject: row for row in tx.execute(query)}
        # In one order for all, so that two processes that meet the same shoppers do not lock each other out.
        missing = [self._fresh(subject) for subject in wanted if subject not in rows]
        if missing:
            # In a transaction of its own: a key that waits for the caller's commit would hold up everybody who
            # meets the same shopper, and one of those may hold the audit chain that the caller waits for.
            with self._scope.transaction() as own:
                # Two processes may meet the same shopper at once: the first one's key is everybody's.
                insert = sa.dialects.postgresql.insert(subject_key).on_conflict_do_nothing()
                own.execute(insert, missing)
                rows = {row.subject: row for row in own.execute(query)}
        return {subject: self._unwrap(rows[subject].id, rows[subject].wrapped_key) for subject in wanted}

    def keys_by_id(
        self, key_ids: Collection[str], *, conn: sa.Connection | None = None
    ) -> dict[str, SubjectKey]:
        """The data keys under those ids; deleted ones are missing."""
        if not key_ids:
            return {}
        query = sa.select(subject_key.c.id, subject_key.c.wrapped_key).where(
            subject_key.c.id == sa.any_(sa.cast(sorted(set(key_ids)), sa.ARRAY(sa.Text)))
        )
        with self._scope.transaction(conn) as tx:
            return {row.id: self._unwrap(row.id, row.wrapped_key) for row in tx.execute(query)}

    def seal(
        self, content: Mapping[str, Any], subject: str, *, conn: sa.Connection | None = None
    ) -> dict[str, Any]:
        """A JSON object that hides `content` under the shopper's key; Decimals come back exactly."""
        return self.seal_many([(content, subject)], conn=conn)[0]

    def seal_many(
        self,
        contents: Sequence[tuple[Mapping[str, Any], str | None]],
        *,
        conn: sa.Connection | None = None,
    ) -> list[dict[str, Any]]:
        """`seal` for many (content, subject); content without a subject stays in clear."""
        keys = self.keys_for([subject for _, subject in contents if subject is not None], conn=conn)
        return [
            dict(content) if subject is None else _seal(content, keys[subject])
            for content, subject in contents
        ]

    def open(self, content: Mapping[str, Any], *, conn: sa.Connection | None = None) -> Mapping[str, Any]:
        """What `seal` hid; anything not sealed comes back as it is. Raises `Erased` or `Unreadable`."""
        (opened,) = self.open_many([content], conn=conn)
        if opened is None:
            raise Erased("the key of this record was deleted when the shopper was erased")
        return opened

    def open_many(
        self, contents: Sequence[Mapping[str, Any]], *, conn: sa.Connection | None = None
    ) -> list[Mapping[str, Any] | None]:
        """`open` for many; None stands for content of a shopper who was erased. Raises `Unreadable`."""
        keys = self.keys_by_id([content["key"] for content in contents if _SEALED in content], conn=conn)
        opened: list[Mapping[str, Any] | None] = []
        for content in contents:
            if _SEALED not in content:
                opened.append(content)
                continue
            key = keys.get(content["key"])
            opened.append(
                None if key is None else parse(decrypt(key.key, base64.b64decode(content[_SEALED]), key.id))
            )
        return opened

    def erase(self, subject: str, reason: str, *, actor: str, conn: sa.Connection | None = None) -> bool:
        """Delete the shopper's key; returns whether there was one. The audit row names the key only."""
        gone = (
            sa.delete(subject_key)
            .where(subject_key.c.store == self._scope.store, subject_key.c.subject == subject)
            .returning(subject_key.c.id)
        )
        with self._scope.transaction(conn) as tx:
            key_id = tx.execute(gone).scalar_one_or_none()
            if key_id is not None:
                self._audit.append(tx, "subject.erased", f"key:{key_id}", {"reason": reason}, actor=actor)
        return key_id is not None

    @cached_property
    def _subject_key(self) -> bytes:
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"bcns subject").derive(self._master())

    @cached_property
    def _digest_key(self) -> bytes:
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"bcns digest").derive(self._master())

    def _fresh(self, subject: str) -> dict[str, Any]:
        key_id = secrets.token_hex(16)
        wrapped = encrypt(self._master(), secrets.token_bytes(KEY_BYTES), key_id)
        return {"id": key_id, "store": self._scope.store, "subject": subject, "wrapped_key": wrapped}

    def _unwrap(self, key_id: str, wrapped: bytes) -> SubjectKey:
        return SubjectKey(key_id, decrypt(self._master(), bytes(wrapped), key_id))

    def _master(self) -> bytes:
        if self._scope.data_key is None:
            raise BadInput(
                ["BCNS_DATA_KEY is not set, and without it no personal data can be stored or read."]
            )
        return self._scope.data_key


def _seal(content: Mapping[str, Any], key: SubjectKey) -> dict[str, Any]:
    hidden = encrypt(key.key, canonical(content).encode(), key.id)
    return {_SEALED: base64.b64encode(hidden).decode(), "key": key.id}


def encrypt(key: bytes, content: bytes, name: str) -> bytes:
    """Nonce and AES-GCM ciphertext of `content`; `name` is authenticated with it."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, name.encode())


def decrypt(key: bytes, hidden: bytes, name: str) -> bytes:
    """What `encrypt` hid; raises `Unreadable` for a wrong key, a wrong name or changed bytes."""
    try:
        return AESGCM(key).decrypt(hidden[:_NONCE_BYTES], hidden[_NONCE_BYTES:], name.encode())
    except InvalidTag as error:
        raise Unreadable("the content was not encrypted under this key, or it was changed") from error


def resolve_data_key(configured: str | None, home: Path, *, embedded: bool) -> bytes:
    """The 32 bytes of `BCNS_DATA_KEY` (base64), or, with the embedded server, the key kept under `home`.

    Raises `BadInput` where it is malformed, or missing with an outside database: a generated key that lives
    beside the process would be lost with the container, and all personal data with it.
    """
    if configured:
        return _parse_key(configured, "BCNS_DATA_KEY")
    if not embedded:
        raise BadInput(
            [
                "BCNS_DATA_KEY is not set; with BCNS_DATABASE_URL it must be 32 random bytes in base64 "
                "(openssl rand -base64 32)."
            ]
        )
    path = home / "data.key"
    home.mkdir(parents=True, exist_ok=True)
    fresh = home / f"data.key.{os.getpid()}.{secrets.token_hex(4)}"
    if not path.exists():
        fresh.touch(mode=0o600)
        fresh.write_text(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())
        try:
            # A link is made whole or not at all, so that processes which start together agree on one key.
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return _parse_key(path.read_text(), str(path))


def _parse_key(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise BadInput([f"{where} must be {KEY_BYTES} bytes in base64 (openssl rand -base64 32)."])
    return key
