"""Makes the key pair and the certificate that NetSuite's OAuth 2.0 client credentials ask for.

Put the making here, in memory: writing files, printing the upload steps and the expiry date is the work of
`bcns keygen`. Rules of the other side: facts/netsuite.md 1 (RSA 3072 or 4096, EC P-256; at most two years).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

MAX_DAYS: Final = 730


def make_key_and_certificate(
    kind: Literal["rsa", "ec"], common_name: str, days: int = MAX_DAYS, *, now: datetime | None = None
) -> tuple[str, str, datetime]:
    """(private key as PKCS8 PEM, certificate as PEM, expiry in UTC).

    "rsa" makes 4096 bits (PS256), "ec" P-256 (ES256). `now` defaults to the clock. ValueError for more than
    two years, which NetSuite cuts off silently, or an empty or overlong name.
    """
    if not 0 < days <= MAX_DAYS:
        raise ValueError(f"a certificate may live 1 to {MAX_DAYS} days: NetSuite cuts longer ones silently")
    if not 0 < len(common_name) <= 64:
        raise ValueError("the common name has 1 to 64 letters")
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if kind == "rsa":
        key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    elif kind == "ec":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        raise ValueError('the kind of key is "rsa" or "ec"')
    start = (now or datetime.now(UTC)).replace(microsecond=0)
    end = start + timedelta(days=days)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, certificate.public_bytes(Encoding.PEM).decode(), end
