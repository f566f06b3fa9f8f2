"""BigCommerce's side of a call, written from its description and sharing no code with the receiver.

Put payloads and signatures here. Do not put expectations here. Facts: facts/bigcommerce.md 6.2, 6.3.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

STORE = "abcde"
CLIENT_SECRET = "0123456789abcdef_client_secret_example"
HEADER_SECRET = "a-header-secret-0123456789"
NETSUITE_TOKEN = "a-netsuite-token-0123456789"


def payload(scope: str = "store/order/created", store: str = STORE, **data: Any) -> bytes:
    """A webhook's body; an order 1001 unless `data` says otherwise."""
    content = data or {"type": "order", "id": 1001}
    digest = hashlib.sha1(json.dumps(content).encode()).hexdigest()
    body = {"producer": f"stores/{store}", "hash": digest, "created_at": 1_700_000_000, "store_id": "11111"}
    return json.dumps({**body, "scope": scope, "data": content}, separators=(",", ":")).encode()


def signed(
    body: bytes, *, at: float | str | None = None, secret: str = CLIENT_SECRET, name: str = "msg_1"
) -> dict[str, str]:
    """The three Standard Webhooks headers of `body`; `at` is unix seconds, or a text to stand in their place."""
    stamp = at if isinstance(at, str) else str(int(time.time() if at is None else at))
    mac = hmac.new(secret.encode(), f"{name}.{stamp}.".encode() + body, hashlib.sha256)
    signature = "v1," + base64.b64encode(mac.digest()).decode()
    return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": signature}


def legacy(body: bytes, secret: str = CLIENT_SECRET, *, as_hex: bool = True) -> dict[str, str]:
    """The X-BC-Signature of `body`."""
    mac = hmac.new(secret.encode(), body, hashlib.sha256)
    return {"x-bc-signature": mac.hexdigest() if as_hex else base64.b64encode(mac.digest()).decode()}


def secret_header(secret: str = HEADER_SECRET) -> dict[str, str]:
    """Our own header, as our hooks carry it."""
    return {"authorization": f"Bearer {secret}"}
