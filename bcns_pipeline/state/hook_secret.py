"""The random value that our BigCommerce hooks carry in a header, which the receiver asks of each call.

Put here where the value comes from, because two processes need the same one: the flow that makes the hooks and
the receiver. Do not put hooks or requests here. Reads the data key's file where nothing is configured.
"""

from __future__ import annotations

import hmac

from bcns_pipeline.settings import Settings
from bcns_pipeline.state.crypto import resolve_data_key

_PURPOSE = b"bcns webhook header secret v1"


def hook_secret(settings: Settings) -> str:
    """`BCNS_WEBHOOK_HEADER_SECRET`, or else 64 hex digits derived from the data key.

    Derived rather than stored, so that no second secret has to reach both processes; it tells nothing about
    the key. A changed data key changes it, and the hook check then writes it into the hooks. Raises BadInput
    where neither is set and the database is not the embedded one.
    """
    if settings.webhook_header_secret is not None:
        return settings.webhook_header_secret.get_secret_value()
    configured = settings.data_key.get_secret_value() if settings.data_key else None
    key = resolve_data_key(configured, settings.home, embedded=settings.database_url is None)
    return hmac.digest(key, _PURPOSE, "sha256").hex()
