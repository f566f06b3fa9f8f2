"""The certificate of NetSuite's key, where its file lies beside the key: what it says of its own end.

Put the reading of that file here. Do not put findings here (`probes_netsuite.py`).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509


def certificate_beside(key: Path) -> Path | None:
    """The certificate's file beside the key's, by its name; None where there is none."""
    return next(
        (path for suffix in (".crt", ".cer", ".cert.pem") if (path := key.with_suffix(suffix)).exists()), None
    )


def certificate_end(key: Path | None) -> datetime | None:
    """When the certificate beside the key ends, aware; None where that can't be known here."""
    path = certificate_beside(key) if key is not None else None
    if path is None:
        return None
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None
