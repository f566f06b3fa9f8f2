"""Clients of both accounts for a command that looks around: one request after the other, giving up early.

Put here how a command's client differs from a run's. Do not put requests here, nor the state (`connect.py`,
which most commands need without paying for HTTP).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from bcns_pipeline.clients.bigcommerce.client import BigCommerceClient
from bcns_pipeline.clients.http.exchange import HttpClient, Timeouts
from bcns_pipeline.clients.http.pacing import QuotaPacer
from bcns_pipeline.clients.http.retry import RetryPolicy
from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.outcomes import System
from bcns_pipeline.settings import BigCommerceAccount, NetSuiteAccount
from bcns_pipeline.state.usage import UsageMeter

# A person waits: a system that does not answer within half a minute is reported, not waited for.
PATIENCE = RetryPolicy(attempts=4, base_seconds=0.5, cap_seconds=5.0, total_seconds=20.0)
QUICK = Timeouts(connect=5.0, read=20.0, write=20.0, pool=20.0)
_QUOTA = ("x-rate-limit-requests-quota", "x-rate-limit-requests-left", "x-rate-limit-time-window-ms")


class OneByOne:
    """The Gate of a command that sends one request after the other, and works without a database."""

    def admit(self, system: System) -> AbstractContextManager[None]:  # noqa: ARG002 - the Gate's own signature
        """Never waits."""
        return nullcontext()


@dataclass(frozen=True, slots=True)
class Quota:
    """BigCommerce's rate headers: requests per window, what is left of them, the window in milliseconds."""

    requests: int
    left: int
    window_ms: int


class WatchingPacer(QuotaPacer):
    """Paces as always, and remembers what the last answer said of the quota."""

    def __init__(self) -> None:
        super().__init__()
        self.quota: Quota | None = None

    def observe(self, headers: Mapping[str, str], now: float) -> None:
        """Keep the three figures where all are there."""
        super().observe(headers, now)
        found = [headers.get(name, "") for name in _QUOTA]
        if all(text.isdigit() for text in found):
            self.quota = Quota(*map(int, found))


def bigcommerce_client(
    account: BigCommerceAccount, *, pacer: WatchingPacer | None = None, client: HttpClient | None = None
) -> BigCommerceClient:
    """A client that gives up early."""
    return BigCommerceClient(
        base_url=account.base_url,
        store_hash=account.store_hash,
        access_token=account.access_token.get_secret_value(),
        gate=OneByOne(),
        meter=UsageMeter(),
        retry=PATIENCE,
        timeouts=QUICK,
        pacer=pacer,
        client=client,
    )


def netsuite_client(
    account: NetSuiteAccount, *, scope_form: str = "list", client: HttpClient | None = None
) -> NetSuiteClient:
    """A client that gives up early."""
    return NetSuiteClient(
        base_url=account.base_url,
        token_url=account.token_url,
        client_id=account.client_id,
        certificate_id=account.certificate_id,
        private_key_pem=account.private_key.get_secret_value(),
        gate=OneByOne(),
        meter=UsageMeter(),
        scope_form=scope_form,
        retry=PATIENCE,
        timeouts=QUICK,
        client=client,
    )
