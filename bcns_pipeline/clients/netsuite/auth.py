"""OAuth 2.0 client credentials for NetSuite: a signed assertion in, a token out, renewed ahead of time.

Put the life of the token here: signing, minting, single flight, renewal. Sending requests and deciding about
401s belongs to `http/transport.py`. Facts: facts/netsuite.md 1 (PS256 and ES256 only, RS256 is refused since
2025-03; no refresh token; a life of 60 minutes).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bcns_pipeline.clients.http.body import decode_exact
from bcns_pipeline.clients.http.transport import Transport
from bcns_pipeline.outcomes import OutsideError, Rejected, System, Unauthorised

log = logging.getLogger(__name__)
OPERATION: Final = "POST /services/rest/auth/oauth2/v1/token"
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS: Final = 300
_ALGORITHM_BY_CURVE: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    renew_at: float
    ends_at: float


class Assertion:
    """Signs the JWT that proves who we are. The key is read on first use, so a constructor does no work.

    `scope_form`: "list" sends ["rest_webservices"] as Oracle's decoded sample does, "string" the plain word
    that other clients were seen to send; the texts disagree (facts/netsuite.md 1).
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        certificate_id: str,
        private_key_pem: str,
        *,
        scope_form: str = "list",
    ) -> None:
        if scope_form not in {"list", "string"}:
            raise ValueError('scope_form is "list" or "string"')
        self._claims = {
            "iss": client_id,
            "aud": token_url,
            "scope": ["rest_webservices"] if scope_form == "list" else "rest_webservices",
        }
        self._kid = certificate_id
        self._pem = private_key_pem
        self._key: tuple[Any, str] | None = None

    def sign(self, now: float) -> str:
        """A JWT good for five minutes from `now` (Unix time). Unauthorised where the key can't be used."""
        if self._key is None:
            self._key = _load(self._pem)
        key, algorithm = self._key
        times = {"iat": int(now), "exp": int(now) + _ASSERTION_SECONDS, "jti": uuid4().hex}
        return jwt.encode({**self._claims, **times}, key, algorithm=algorithm, headers={"kid": self._kid})


def _load(pem: str) -> tuple[Any, str]:
    reason = (
        "the private key is not a PEM text that can be read (an encrypted one needs its password removed)"
    )
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        raise Unauthorised(System.NETSUITE, OPERATION, 0, "BAD_KEY", reason) from None
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < 2048:
            reason = f"the RSA key has {key.key_size} bits; NetSuite wants 3072 or 4096"
            raise Unauthorised(System.NETSUITE, OPERATION, 0, "BAD_KEY", reason)
        return key, "PS256"
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _ALGORITHM_BY_CURVE:
        return key, _ALGORITHM_BY_CURVE[key.curve.name]
    reason = "the private key is neither RSA nor EC on P-256, P-384 or P-521"
    raise Unauthorised(System.NETSUITE, OPERATION, 0, "BAD_KEY", reason)


class TokenAuth:
    """The Auth of the NetSuite transport: one token for all threads.

    Single flight: however many calls are refused at once, one of them mints and the others wait for it, and
    share its failure too. Ahead of expiry one thread renews while the others go on with the old token.
    """

    def __init__(
        self,
        assertion: Assertion,
        transport: Transport,
        token_path: str,
        *,
        renew_ahead_seconds: float = 600.0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._assertion = assertion
        self._transport = transport
        self._path = token_path
        self._ahead = renew_ahead_seconds
        self._clock = clock
        self._wall = wall
        self._minting = threading.Lock()
        self._token: _Token | None = None
        self._failures = 0
        self._failure: OutsideError | None = None

    def credential(self) -> str:
        """The token to use now. Raises Unauthorised for a wrong key, Unavailable where nothing answered."""
        token = self._token
        now = self._clock()
        if token is not None and now < token.renew_at:
            return token.value
        if token is not None and now < token.ends_at:
            return self._renew_early(token)
        seen = self._failures
        with self._minting:
            token = self._token
            if token is not None and self._clock() < token.ends_at:
                return token.value
            if self._failure is not None and self._failures > seen:
                # Somebody minted while we waited and was refused; asking again would only be refused again.
                raise _again(self._failure)
            return self._mint().value

    def headers(self, credential: str) -> Mapping[str, str]:
        """The bearer header."""
        return {"Authorization": f"Bearer {credential}"}

    def refused(self, credential: str) -> None:
        """Forget `credential`; no-op where another thread has replaced it already."""
        with self._minting:
            if self._token is not None and self._token.value == credential:
                self._token = None

    def _renew_early(self, token: _Token) -> str:
        if not self._minting.acquire(blocking=False):
            return token.value
        try:
            if self._token is not token:
                return self._token.value if self._token is not None else token.value
            try:
                return self._mint().value
            except OutsideError as error:
                # Still good for minutes: go on with it, and try again in half a minute.
                log.warning("netsuite: the token could not be renewed ahead of its end: %s", error.message)
                self._token = replace(token, renew_at=self._clock() + 30.0)
                return token.value
        finally:
            self._minting.release()

    def _mint(self) -> _Token:
        """With the lock held: one token, or the failure that the waiting threads will share."""
        try:
            answer = self._transport.read(
                "POST", self._path, operation=OPERATION, form=self._form, parse=_read_token
            )
        except OutsideError as error:
            self._failures += 1
            self._failure = error
            raise
        value, life = answer.value
        now = self._clock()
        # A short-lived token is renewed after five sixths of its life, a full one ten minutes ahead.
        self._token = _Token(value, now + life - min(self._ahead, life / 6), now + life - min(5.0, life / 10))
        self._failure = None
        return self._token

    def _form(self) -> bytes:
        signed = self._assertion.sign(self._wall())
        return urlencode(
            {
                "grant_type": "client_credentials",
                "client_assertion_type": _ASSERTION_TYPE,
                "client_assertion": signed,
            }
        ).encode()


def _read_token(body: bytes) -> tuple[str, float]:
    """Token and life in seconds. `expires_in` comes as a number or as its text; the type in any case."""
    value = decode_exact(body)
    if not isinstance(value, dict):
        raise ValueError("not a token answer")  # noqa: TRY004 - ValueError is what the transport retries
    fields = {str(key).lower(): one for key, one in value.items()}
    token = fields.get("access_token")
    kind = str(fields.get("token_type") or "bearer").lower()
    if not isinstance(token, str) or not token or kind != "bearer":
        raise ValueError("not a token answer")
    life = float(str(fields.get("expires_in") or "3600"))
    if life <= 0:
        raise ValueError("a token that has ended already")
    return token, life


def _again(error: OutsideError) -> OutsideError:
    """A fresh exception that says the same, as one object must not be raised by several threads."""
    if isinstance(error, Rejected):
        return type(error)(error.system, error.operation, error.status, error.code, error.detail)
    return type(error)(error.system, error.operation, error.message)
