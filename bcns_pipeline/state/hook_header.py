"""The header that our BigCommerce hooks carry, and that the receiver asks of each call.

Put here where its value comes from, because two processes need the same one: the flow that makes the hooks and
the receiver. Do not put hooks or requests here. Reads the data key's file where nothing is configured.
"""

from __future__ import annotations

import hmac

from bcns_pipeline.settings import Settings
from bcns_pipeline.state.crypto import resolve_data_key

_PURPOSE = b"bcns webhook header secret v1"


def hook_header(settings: Settings) -> tuple[str, str]:
    """(name, value) as a hook is made with; `Authorization` carries a bearer token, other names the bare secret.

    The secret is `BCNS_WEBHOOK_HEADER_SECRET`, or else 64 hex digits derived from the data key: derived rather
    than stored, so that no second secret has to reach both processes. It tells nothing about the key. A changed
    data key changes it, and the hook check then writes it into the hooks. Raises BadInput where neither is set
    and the database is not the embedded one.
    """
    name, secret = settings.webhook_header_name, _secret(settings)
    return name, f"Bearer {secret}" if name.lower() == "authorization" else secret


def _secret(settings: Settings) -> str:
    if settings.webhook_header_secret is not None:
        return settings.webhook_header_secret.get_secret_value()
    configured = settings.data_key.get_secret_value() if settings.data_key else None
    key = resolve_data_key(configured, settings.home, embedded=settings.database_url is None)
    return hmac.digest(key, _PURPOSE, "sha256").hex()
