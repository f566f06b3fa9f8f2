"""NetSuite's token endpoint: OAuth 2.0 client credentials with a signed assertion.

Put the checks of assertions and bearer tokens here. Do not put HTTP routing here. Source: facts/netsuite.md
1; RS256 is refused since 2025-03-01. Assertions are checked against real time, because it is the client's
clock that signs them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from bcns_pipeline.sandbox.netsuite.errors import oauth_error
from bcns_pipeline.sandbox.web import Answer, Call, json_answer

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 - a path, no secret
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
SCOPES = frozenset({"restlets", "rest_webservices", "suite_analytics"})
LEAST_RSA_BITS = 3072
LONGEST_LIFE = 3600


@dataclass(slots=True)
class Certificates:
    """The certificates that were uploaded for our one integration, by certificate id."""

    client_id: str
    keys: dict[str, rsa.RSAPublicKey | ec.EllipticCurvePublicKey] = field(default_factory=dict)

    def upload(self, certificate_pem: str) -> str:
        """Register a certificate and return its id; `ValueError` where NetSuite would not take it."""
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
            raise ValueError(f"An RSA key needs {LEAST_RSA_BITS} bits or more, this one has {key.key_size}.")
        if not isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
            raise ValueError("Only RSA and EC keys are accepted.")  # noqa: TRY004 - the text was wrong
        life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        if life > timedelta(days=731):
            raise ValueError("A certificate may be valid for two years at most.")
        certificate_id = secrets.token_urlsafe(32)
        self.keys[certificate_id] = key
        return certificate_id


@dataclass(slots=True)
class Tokens:
    """Bearer tokens that were issued, with the monotonic time at which each ends."""

    seconds: int
    ends: dict[str, float] = field(default_factory=dict)

    def issue(self) -> str:
        """A new token."""
        token = "sandbox." + secrets.token_urlsafe(48)
        self.ends[token] = time.monotonic() + self.seconds
        return token

    def valid(self, authorization: str) -> bool:
        """Whether a header `Bearer ...` names a token that is alive."""
        kind, _, token = authorization.partition(" ")
        return kind.lower() == "bearer" and self.ends.get(token.strip(), 0.0) > time.monotonic()

    def expire(self) -> None:
        """End all tokens now."""
        self.ends.clear()


def token_endpoint(call: Call, certificates: Certificates, tokens: Tokens) -> Answer:
    """Answer a token request; failures are OAuth-shaped."""
    if not call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return oauth_error("invalid_request", "The request must be form-encoded.")
    form = dict(parse_qsl(call.body.decode("latin-1"), keep_blank_values=True))
    if form.get("grant_type") != "client_credentials":
        return oauth_error("unsupported_grant_type", "The grant type is not supported.")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        return oauth_error("invalid_request", "The client assertion type is missing or not supported.")
    assertion = form.get("client_assertion", "")
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.PyJWTError:
        return oauth_error("invalid_request", "The client assertion is not a signed token.")
    if header.get("alg") not in ALGORITHMS:
        return oauth_error("invalid_client", f"The algorithm {header.get('alg')} is not supported.", 401)
    key = certificates.keys.get(str(header.get("kid")))
    if key is None:
        return oauth_error("invalid_client", "The certificate is not known.", 401)
    try:
        claims = jwt.decode(
            assertion,
            key,
            algorithms=list(ALGORITHMS),
            options={"require": ["iss", "exp", "iat", "aud"], "verify_aud": False},
            leeway=5,
        )
    except jwt.ExpiredSignatureError:
        return oauth_error("invalid_grant", "The client assertion is expired.")
    except jwt.PyJWTError as fault:
        return oauth_error("invalid_client", f"The client assertion was refused: {fault}.", 401)
    return _check_claims(claims, certificates, tokens)


def _check_claims(claims: Mapping[str, Any], certificates: Certificates, tokens: Tokens) -> Answer:
    if claims["iss"] != certificates.client_id:
        return oauth_error("invalid_client", "The client is not known.", 401)
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    # The host of the audience is not matched: Oracle's own sample names another service's host.
    # Nor is what stands in front of the path, because a relay may put us below a prefix.
    if not any(urlsplit(str(a)).path.endswith(TOKEN_PATH) for a in audience):
        return oauth_error("invalid_grant", "The audience is not the token endpoint.")
    if claims["exp"] - claims["iat"] > LONGEST_LIFE:
        return oauth_error("invalid_grant", "The client assertion may live for 60 minutes at most.")
    raw = claims.get("scope")
    scope = raw if isinstance(raw, list) else [s.strip() for s in str(raw or "").split(",") if s.strip()]
    if not scope or not set(map(str, scope)) <= SCOPES:
        return oauth_error("invalid_scope", "The scope is missing or not known.")
    if "rest_webservices" not in scope:
        return oauth_error("invalid_scope", "The integration allows rest_webservices.")
    body = {"access_token": tokens.issue(), "expires_in": tokens.seconds, "token_type": "Bearer"}
    return json_answer(200, body, headers=(("Cache-Control", "no-store"),))


def make_client(kind: Literal["ec", "rsa"]) -> tuple[str, str]:
    """A private key and a certificate for it, both PEM, as a merchant would make them before the upload."""
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if kind == "ec":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=LEAST_RSA_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bcns sandbox")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()
