"""Keys and certificates that NetSuite accepts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bcns_pipeline.clients.netsuite.keygen import make_key_and_certificate

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_the_certificate_belongs_to_the_key_and_ends_when_it_says(kind: str) -> None:
    pem, certificate_pem, expires = make_key_and_certificate(kind, "shop to books", 730, now=NOW)  # type: ignore[arg-type]
    key = load_pem_private_key(pem.encode(), None)
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    assert certificate.public_key() == key.public_key()
    assert certificate.not_valid_after_utc == expires == NOW + timedelta(days=730)
    assert "BEGIN PRIVATE KEY" in pem
    if kind == "rsa":
        assert isinstance(key, rsa.RSAPrivateKey)
        assert key.key_size == 4096
    else:
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert key.curve.name == "secp256r1"


def test_a_life_that_netsuite_would_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="730"):
        make_key_and_certificate("ec", "x", 731)
    with pytest.raises(ValueError, match="common name"):
        make_key_and_certificate("ec", "", 30)
