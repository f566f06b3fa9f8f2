"""Who NetSuite lets in: tokens, roles, concurrency.

Put authentication and limits here. Do not put queries or records here.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bcns_pipeline.sandbox.launch import Sandbox, SandboxFailed
from bcns_pipeline.sandbox.netsuite.oauth import make_client
from bcns_pipeline_tests.sandbox.conftest import ask_token, assertion

TIME = "/services/rest/system/v1/serverTime"


def pem(key: Any) -> str:
    """A private key as text."""
    kind, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return str(key.private_bytes(serialization.Encoding.PEM, kind, plain).decode())


@pytest.mark.parametrize(
    "scope", [["rest_webservices"], "rest_webservices", "restlets,rest_webservices"], ids=str
)
def test_the_scope_may_be_a_list_or_text(sandbox: Sandbox, scope: Any) -> None:
    answer = ask_token(sandbox, assertion(sandbox, scope=scope))
    assert answer.status_code == 200
    assert answer.json()["token_type"].lower() == "bearer"
    assert answer.json()["expires_in"] == 3600


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"iss": "someone"}, "invalid_client"),
        ({"kid": "unknown"}, "invalid_client"),
        ({"aud": "https://example.com/other"}, "invalid_grant"),
        ({"iat": 1_700_000_000, "exp": 1_700_000_300}, "invalid_grant"),
        # Named, because xdist wants the same names from every worker.
        pytest.param(
            {"iat": int(time.time()), "exp": int(time.time()) + 7200},
            "invalid_grant",
            id="lives-for-two-hours",
        ),
        ({"scope": None}, "invalid_scope"),
        ({"scope": ["everything"]}, "invalid_scope"),
        ({"exp": None}, "invalid_client"),
    ],
    ids=str,
)
def test_a_wrong_assertion_fails_in_oauths_shape(
    sandbox: Sandbox, changes: dict[str, Any], error: str
) -> None:
    answer = ask_token(sandbox, assertion(sandbox, **changes))
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == error


def test_another_key_is_refused(sandbox: Sandbox) -> None:
    other = pem(ec.generate_private_key(ec.SECP256R1()))
    assert ask_token(sandbox, assertion(sandbox, key=other)).json()["error"] == "invalid_client"


def test_rs256_is_refused_and_ps256_taken(sandbox: Sandbox) -> None:
    key, certificate = make_client("rsa")
    kid = sandbox.control.call("POST", "/netsuite/certificate", {"certificate_pem": certificate})[
        "certificate_id"
    ]
    refused = ask_token(sandbox, assertion(sandbox, key=key, algorithm="RS256", kid=kid))
    assert refused.json()["error"] == "invalid_client"
    assert ask_token(sandbox, assertion(sandbox, key=key, algorithm="PS256", kid=kid)).status_code == 200


def test_a_short_rsa_key_can_not_be_uploaded(sandbox: Sandbox) -> None:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now, name = datetime.now(UTC), x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    text = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    with pytest.raises(SandboxFailed, match="3072"):
        sandbox.control.call("POST", "/netsuite/certificate", {"certificate_pem": text})


def test_without_a_good_token_every_call_says_invalid_login(sandbox: Sandbox, netsuite: httpx.Client) -> None:
    assert netsuite.get(TIME).status_code == 200
    sandbox.control.call("POST", "/netsuite/tokens/expire")
    answer = netsuite.get(TIME)
    assert answer.status_code == 401
    assert answer.json()["o:errorDetails"][0]["o:errorCode"] == "INVALID_LOGIN"


def test_governance_limits_are_for_administrators(sandbox: Sandbox, netsuite: httpx.Client) -> None:
    path = "/services/rest/system/v1/governanceLimits"
    assert netsuite.get(path).status_code == 403
    sandbox.control.role(administrator=True)
    assert netsuite.get(path).json()["accountConcurrencyLimit"] == 5


def test_more_calls_at_once_than_the_account_allows_get_429(sandbox: Sandbox, netsuite: httpx.Client) -> None:
    sandbox.control.limits(concurrency=2)
    sandbox.control.latency(1000)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: netsuite.get(TIME), range(4)))
    assert sorted(a.status_code for a in answers) == [200, 200, 429, 429]
    refused = next(a for a in answers if a.status_code == 429).json()
    assert refused["o:errorDetails"][0]["o:errorCode"] == "CONCURRENCY_LIMIT_EXCEEDED"
    sandbox.control.latency(0)
    assert netsuite.get(TIME).status_code == 200, "refused calls must not keep their slot"


def test_the_account_clock_can_be_moved(sandbox: Sandbox, netsuite: httpx.Client) -> None:
    before = netsuite.get(TIME).json()["serverTime"]
    sandbox.control.clock(advance_seconds=-7200)
    assert netsuite.get(TIME).json()["serverTime"] < before
    sandbox.control.clock(offset_seconds=0)
