"""The life of a NetSuite token: signed right, minted once, renewed ahead, refused quickly where due."""

from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
from cryptography import x509

from bcns_pipeline.clients.http.retry import RetryPolicy
from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.clients.netsuite.keygen import make_key_and_certificate
from bcns_pipeline.outcomes import RateLimited, Refused, Sent, Unauthorised, Unavailable
from bcns_pipeline_tests.clients.fakes import CountingMeter, FakeTime, OpenGate, client_of, timing

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"
LOGIN = {
    "title": "Unauthorized",
    "status": 401,
    "o:errorDetails": [
        {
            "detail": "Invalid login attempt. For more details, see the Login Audit Trail.",
            "o:errorCode": "INVALID_LOGIN",
        }
    ],
}
EMPTY = {"items": [], "hasMore": False, "count": 0, "totalResults": 0}


@pytest.fixture(scope="module")
def keys() -> dict[str, tuple[str, str]]:
    return {kind: make_key_and_certificate(kind, "bcns tests", 30)[:2] for kind in ("rsa", "ec")}  # type: ignore[arg-type]


class Account:
    """A NetSuite that verifies assertions and knows which token is good."""

    def __init__(self, certificate: str = "", life: Any = 3600) -> None:
        self.certificate = certificate
        self.life = life
        self.minted = 0
        self.asked = 0
        self.calls = 0
        self.good: set[str] = set()
        self.refuse_tokens: list[httpx.Response] = []
        self.refuse_calls: list[httpx.Response] = []
        self.claims: dict[str, Any] = {}
        self.lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self.lock:
            if request.url.path == TOKEN_PATH:
                return self._token(request)
            self.calls += 1
            if request.headers["authorization"].removeprefix("Bearer ") not in self.good:
                return httpx.Response(401, json=LOGIN)
            if self.refuse_calls:
                return self.refuse_calls.pop(0)
            if request.method == "POST" and "/record/" in request.url.path:
                return httpx.Response(
                    204, headers={"Location": "https://ns.test/services/rest/record/v1/customer/7"}
                )
            return httpx.Response(200, json=EMPTY)

    def _token(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.refuse_tokens:
            return self.refuse_tokens.pop(0)
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        assert form["grant_type"] == "client_credentials"
        assertion = form["client_assertion"]
        header = jwt.get_unverified_header(assertion)
        if self.certificate:
            key = x509.load_pem_x509_certificate(self.certificate.encode()).public_key()
            try:
                self.claims = {
                    **header,
                    **jwt.decode(
                        assertion,
                        key,
                        algorithms=["PS256", "ES256"],
                        audience="https://ns.test" + TOKEN_PATH,  # type: ignore[arg-type]
                        options={"verify_exp": False, "verify_iat": False},
                    ),
                }
            except (jwt.InvalidTokenError, TypeError):
                return httpx.Response(
                    400, json={"error": "invalid_client", "error_description": "bad signature"}
                )
        self.minted += 1
        token = f"opaque-token-{self.minted}"
        self.good = {token}
        return httpx.Response(
            200, json={"Access_Token": token, "expires_in": self.life, "token_type": "bearer"}
        )


def client(account: Account, pem: str, **given: Any) -> tuple[NetSuiteClient, FakeTime]:
    gate = OpenGate()
    time = FakeTime(given.pop("watch", gate))
    return NetSuiteClient(
        "https://ns.test/", "", "client-id", "cert-id", pem, gate=gate, meter=CountingMeter(),
        client=client_of(account), retry=RetryPolicy(attempts=4, total_seconds=60),
        uniform=lambda _low, high: high, **timing(time), **given,
    ), time  # fmt: skip


@pytest.mark.parametrize(("kind", "algorithm"), [("rsa", "PS256"), ("ec", "ES256")])
def test_the_assertion_is_signed_as_netsuite_asks(
    keys: dict[str, tuple[str, str]], kind: str, algorithm: str
) -> None:
    pem, certificate = keys[kind]
    account = Account(certificate)
    netsuite, time = client(account, pem)
    netsuite.sign_in()
    claims = account.claims
    assert claims["alg"] == algorithm
    assert (claims["kid"], claims["typ"], claims["iss"]) == ("cert-id", "JWT", "client-id")
    assert claims["scope"] == ["rest_webservices"]
    assert claims["exp"] - claims["iat"] == 300
    assert claims["iat"] == int(time.now)
    assert claims["jti"]


def test_the_scope_can_be_a_plain_word(keys: dict[str, tuple[str, str]]) -> None:
    pem, certificate = keys["ec"]
    account = Account(certificate)
    netsuite, _ = client(account, pem, scope_form="string")
    netsuite.sign_in()
    assert account.claims["scope"] == "rest_webservices"


@pytest.mark.parametrize("life", [3600, "3600"])
def test_a_token_is_kept_and_renewed_ahead_of_its_end(keys: dict[str, tuple[str, str]], life: Any) -> None:
    account = Account(life=life)
    netsuite, time = client(account, keys["ec"][0])
    for _ in range(3):
        netsuite.suiteql("SELECT 1 FROM dual")
    assert account.minted == 1
    time.now += 3001
    netsuite.suiteql("SELECT 1 FROM dual")
    assert account.minted == 2


def test_a_renewal_that_fails_ahead_of_the_end_costs_nothing(keys: dict[str, tuple[str, str]]) -> None:
    account = Account()
    netsuite, time = client(account, keys["ec"][0])
    netsuite.suiteql("SELECT 1 FROM dual")
    account.refuse_tokens = [httpx.Response(503)] * 4
    time.now += 3001
    netsuite.suiteql("SELECT 1 FROM dual")
    netsuite.suiteql("SELECT 1 FROM dual")
    assert account.minted == 1
    time.now += 60
    netsuite.suiteql("SELECT 1 FROM dual")
    assert account.minted == 2


def test_many_parallel_401s_mint_one_token(keys: dict[str, tuple[str, str]]) -> None:
    account = Account()
    # Threads wait for each other here, so a sleeping call may well meet another one's slot.
    netsuite, _ = client(account, keys["ec"][0], watch=None)
    netsuite.sign_in()
    account.good = set()  # revoked
    start = threading.Barrier(12)

    def call(_n: int) -> int:
        start.wait()
        return len(netsuite.suiteql("SELECT 1 FROM dual").rows)

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(call, range(12))) == [0] * 12
    assert account.minted == 2


def test_a_wrong_key_is_unauthorised_quickly_and_once_for_all_threads(
    keys: dict[str, tuple[str, str]],
) -> None:
    account = Account(keys["rsa"][1])
    netsuite, time = client(account, keys["ec"][0])
    start = threading.Barrier(6)
    asked: list[int] = []

    def call(_n: int) -> type[BaseException]:
        start.wait()
        try:
            netsuite.suiteql("SELECT 1 FROM dual")
        except Unauthorised as error:
            asked.append(error.status)
            return type(error)
        return AssertionError

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(call, range(6))) == {Unauthorised}
    assert time.slept == []
    assert account.calls == 0
    assert account.asked <= 6


@pytest.mark.parametrize("status", [400, 401, 403])
def test_every_oauth_refusal_is_permanent(keys: dict[str, tuple[str, str]], status: int) -> None:
    account = Account()
    account.refuse_tokens = [httpx.Response(status, json={"error": "invalid_grant"})]
    netsuite, time = client(account, keys["ec"][0])
    with pytest.raises(Unauthorised, match="INVALID_GRANT"):
        netsuite.sign_in()
    assert time.slept == []
    account.refuse_tokens = [httpx.Response(status, json={"error": "invalid_grant"})]
    assert isinstance(netsuite.create("customer", {}), Refused)


@pytest.mark.parametrize(
    "pem", ["", "not a key", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"]
)
def test_a_key_that_is_no_key_is_a_sentence(pem: str) -> None:
    netsuite, _ = client(Account(), pem)
    with pytest.raises(Unauthorised, match="the private key is not a PEM text"):
        netsuite.sign_in()


def test_a_login_refused_at_the_token_endpoint_is_tried_three_times_only(
    keys: dict[str, tuple[str, str]],
) -> None:
    account = Account()
    account.refuse_tokens = [httpx.Response(401, json=LOGIN)] * 2
    netsuite, time = client(account, keys["ec"][0])
    netsuite.sign_in()
    assert account.minted == 1
    account.good = set()
    account.refuse_tokens = [httpx.Response(401, json=LOGIN)] * 9
    with pytest.raises(Unauthorised, match="INVALID_LOGIN"):
        netsuite.suiteql("SELECT 1 FROM dual")
    assert len(account.refuse_tokens) == 6
    assert sum(time.slept) < 10


def test_overload_dressed_up_as_an_invalid_login_is_transient(keys: dict[str, tuple[str, str]]) -> None:
    account = Account()
    account.refuse_calls = [httpx.Response(401, json=LOGIN)] * 3
    netsuite, time = client(account, keys["ec"][0])
    assert netsuite.suiteql("SELECT 1 FROM dual").rows == []
    assert account.minted == 2  # one fresh token was tried, not one per refusal
    assert len(time.slept) == 2
    account.refuse_calls = [httpx.Response(401, json=LOGIN)] * 3
    assert netsuite.create("customer", {"externalId": "x"}) == Sent(record_id="7")


def test_overload_that_lasts_is_unavailable_for_reads_and_rate_limited_for_writes(
    keys: dict[str, tuple[str, str]],
) -> None:
    account = Account()
    account.refuse_calls = [httpx.Response(401, json=LOGIN)] * 50
    netsuite, _ = client(account, keys["ec"][0])
    with pytest.raises(Unavailable, match="Invalid login attempt"):
        netsuite.suiteql("SELECT 1 FROM dual")
    assert netsuite.create("customer", {}) == RateLimited(None)


def test_a_401_of_another_kind_is_unauthorised_after_one_fresh_token(
    keys: dict[str, tuple[str, str]],
) -> None:
    account = Account()
    body = {"o:errorDetails": [{"detail": "This role may not.", "o:errorCode": "FORBIDDEN_ROLE"}]}
    account.refuse_calls = [httpx.Response(401, json=body)] * 5
    netsuite, time = client(account, keys["ec"][0])
    with pytest.raises(Unauthorised, match="FORBIDDEN_ROLE"):
        netsuite.suiteql("SELECT 1 FROM dual")
    assert (account.minted, len(account.refuse_calls), time.slept) == (2, 3, [])


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"token_type": "bearer"}),
        httpx.Response(200, json={"access_token": "x", "token_type": "mac"}),
        httpx.Response(502),
        httpx.Response(429),
    ],
    ids=str,
)
def test_a_broken_token_answer_is_asked_for_again(
    keys: dict[str, tuple[str, str]], answer: httpx.Response
) -> None:
    account = Account()
    account.refuse_tokens = [answer]
    netsuite, _ = client(account, keys["ec"][0])
    netsuite.sign_in()
    assert account.minted == 1


def test_no_token_and_no_key_is_logged_or_raised(
    keys: dict[str, tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    account = Account()
    echo = json.dumps(
        {"o:errorDetails": [{"detail": "Bad token opaque-token-2", "o:errorCode": "INVALID_LOGIN"}]}
    )
    account.refuse_calls = [httpx.Response(401, content=echo)] * 9
    netsuite, _ = client(account, keys["ec"][0])
    with pytest.raises(Unavailable) as caught:
        netsuite.suiteql("SELECT 1 FROM dual")
    for text in (caplog.text, str(caught.value)):
        assert "opaque-token" not in text
        assert "PRIVATE KEY" not in text
        assert "eyJ" not in text


def test_minting_never_waits_inside_a_slot(keys: dict[str, tuple[str, str]]) -> None:
    account = Account()
    gate = OpenGate()
    netsuite = NetSuiteClient(
        "https://ns.test",
        "",
        "c",
        "k",
        keys["ec"][0],
        gate=gate,
        meter=CountingMeter(),
        client=client_of(account),
    )
    netsuite.suiteql("SELECT 1 FROM dual")
    assert (gate.admitted, gate.most) == (2, 1)
