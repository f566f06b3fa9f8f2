"""Whether a private key is one that NetSuite's token request can be signed with.

Put the reading of the key's text here, nothing that makes or uses one. Facts: facts/netsuite.md 1.
"""

from __future__ import annotations

from typing import Final

_SMALLEST_RSA_KEY: Final = 2048


def key_problem(pem: str) -> str | None:
    """Why this PEM can't sign NetSuite's token request, to follow its place in a sentence; None if it can."""
    # Here, because the import costs 50 ms that most commands need not spend.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    mend = "make a key with `bcns keygen`"
    if "BEGIN CERTIFICATE" in pem and "PRIVATE KEY" not in pem:
        return "holds a certificate; name the private key that belongs to it."
    try:
        key = load_pem_private_key(pem.encode("ascii"), password=None)
    except TypeError:
        return "is protected by a passphrase, which nobody can type in here; write it without one."
    except (ValueError, UnsupportedAlgorithm):
        return f"is not a private key in PEM form (-----BEGIN PRIVATE KEY-----); {mend}."
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _SMALLEST_RSA_KEY:
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return None
    return f"is neither an RSA key of at least {_SMALLEST_RSA_KEY} bits nor an EC key on P-256; {mend}."
