"""One small sandbox in its own process for the whole folder, and HTTP clients for both of its systems.

Put what several sandbox tests share here. Do not put expectations here. The clients are bare httpx: the
pipeline's own would hide a mistake that both sides share.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jwt
import pytest

from bcns_pipeline.sandbox.launch import Sandbox, start

FORM = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def assertion(sandbox: Sandbox, *, key: str | None = None, algorithm: str = "ES256", **changes: Any) -> str:
    """A client assertion as NetSuite wants it, but for `changes` to claims (None drops one) and `kid`."""
    now = int(time.time())
    kid = changes.pop("kid", sandbox.env["BCNS_NETSUITE_CERTIFICATE_ID"])
    claims = {
        "iss": sandbox.env["BCNS_NETSUITE_CLIENT_ID"],
        "scope": ["rest_webservices"],
        "aud": sandbox.token_url,
        "iat": now,
        "exp": now + 300,
        "jti": uuid.uuid4().hex,
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    secret = key or sandbox.env["BCNS_NETSUITE_PRIVATE_KEY"]
    return jwt.encode(claims, secret, algorithm=algorithm, headers={"kid": kid, "typ": "JWT"})


def ask_token(sandbox: Sandbox, signed: str) -> httpx.Response:
    """The answer of the token endpoint."""
    form = {"grant_type": "client_credentials", "client_assertion_type": FORM, "client_assertion": signed}
    return httpx.post(sandbox.token_url, data=form)


def settle(sandbox: Sandbox, seconds: float = 30.0) -> None:
    """Wait until the shop has taken every adjustment that it accepted."""
    end = time.monotonic() + seconds
    while pending := sandbox.control.limits()["adjustments_pending"]:
        assert time.monotonic() < end, f"{pending} adjustments have not landed"
        time.sleep(0.01)


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    """200 SKUs at 3 locations, the third suspended in the shop; stock in step, adjustments after 50 ms."""
    with start(skus=200, locations=3, stock="in-step", arguments=["--adjustment-delay-ms", "50"]) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox with fair weather, before and after: also no adjustment that is still to land."""
    yield running_sandbox
    settle(running_sandbox)
    running_sandbox.control.clear_faults()
    running_sandbox.control.latency(0)
    running_sandbox.control.limits(quota=450, quota_window_ms=30_000, concurrency=5, adjustment_delay_ms=50)
    running_sandbox.control.role(administrator=False, hidden_tables=[], hidden_records=[])


@pytest.fixture
def netsuite(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """NetSuite with a good token."""
    token = ask_token(sandbox, assertion(sandbox)).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Prefer": "transient"}
    with httpx.Client(base_url=sandbox.netsuite_url, headers=headers) as client:
        yield client


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """The store's API root (`/v3/...` and `/v2/...` follow) with a good token."""
    headers = {"X-Auth-Token": sandbox.env["BCNS_BIGCOMMERCE_ACCESS_TOKEN"], "Accept": "application/json"}
    base = f"{sandbox.bigcommerce_url}/stores/{sandbox.env['BCNS_BIGCOMMERCE_STORE_HASH']}"
    with httpx.Client(base_url=base, headers=headers) as client:
        yield client


Suiteql = Callable[..., httpx.Response]


@pytest.fixture
def suiteql(netsuite: httpx.Client) -> Suiteql:
    """Send a query."""

    def send(q: str, *params: str, limit: int = 1000, offset: int = 0) -> httpx.Response:
        path = f"/services/rest/query/v1/suiteql?limit={limit}&offset={offset}"
        return netsuite.post(path, json={"q": q, "params": list(params)})

    return send
