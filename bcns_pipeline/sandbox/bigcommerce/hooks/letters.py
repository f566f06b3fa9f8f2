"""What a webhook says and how it is signed.

Put payloads and signatures here. Do not put sending here. Sources: facts/bigcommerce.md 6.2 and 6.3: `hash` is
the SHA-1 of the data alone, so two events that say the same carry the same one; the signature is that of
Standard Webhooks with the bytes of the client secret as key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

STORE_ID = "1000001"


@dataclass(frozen=True, slots=True)
class Letter:
    """One event as one hook hears it; `id` is the same for each attempt and every copy."""

    event: int
    id: str
    scope: str
    data: dict[str, Any]
    body: bytes


def write(store_hash: str, event: int, scope: str, data: dict[str, Any], created_at: int) -> Letter:
    """Put an event into words."""
    digest = hashlib.sha1(_compact(data)).hexdigest()  # noqa: S324 - as documented, and no secret
    payload = {
        "producer": f"stores/{store_hash}",
        "hash": digest,
        "created_at": created_at,
        "store_id": STORE_ID,
        "scope": scope,
        "data": data,
    }
    number = hashlib.sha256(f"{store_hash}/{event}/{scope}".encode()).digest()
    letter_id = "msg_" + base64.b32encode(number).decode()[:27]
    return Letter(event, letter_id, scope, data, _compact(payload))


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def sign(letter: Letter, secret: str, timestamp: int, style: str) -> dict[str, str]:
    """The headers that prove where a letter comes from; none for the style `none`."""
    headers: dict[str, str] = {}
    if style in ("standard", "both"):
        signed = f"{letter.id}.{timestamp}.".encode() + letter.body
        digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
        headers["webhook-id"] = letter.id
        headers["webhook-timestamp"] = str(timestamp)
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    if style in ("legacy", "both"):
        headers["X-BC-Signature"] = hmac.new(secret.encode(), letter.body, hashlib.sha256).hexdigest()
    return headers
